"""What `lint` finds in public manifests is worth reading: the review of it holds, and is of today's findings."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest
from corpus_review import FOUND, Found, Row, drawn, found, review

from eks6check.catalog import load
from eks6check.findings import Severity

CORPUS = Path(os.environ.get("EKS6CHECK_CORPUS", ""))
WITH_CORPUS = pytest.mark.skipif(
    not CORPUS.name or not CORPUS.is_dir(), reason="EKS6CHECK_CORPUS names no folder of manifests"
)

NEEDED = {"blocker": 0.95, "warning": 0.85}
"""How many of the judged findings must be right, by severity."""


@pytest.fixture(scope="module")
def today() -> Found:
    return found(CORPUS)


def lines(rows: Iterable[Row]) -> str:
    """Rows as they stand in the review, each for somebody to open in its file."""
    return "".join(f"\n  {','.join(row)}" for row in sorted(rows))


def test_a_verdict_has_a_reason_and_is_given_once() -> None:
    rows, rules = review(), {rule.id: rule for rule in load()}
    assert [each for each, times in Counter(row.judged for row in rows).items() if times > 1] == []
    for row in rows:
        assert row.verdict in {"true", "false", "mended"}, row
        assert row.why.endswith("."), row
        assert Severity(row.severity).rank >= rules[row.rule].severity.rank, row


@pytest.mark.parametrize("severity", NEEDED)
def test_enough_of_what_still_stands_is_right(severity: str) -> None:
    standing = Counter(row.verdict for row in review() if row.severity == severity and row.verdict != "mended")
    assert standing["true"] >= NEEDED[severity] * standing.total(), dict(standing)


@WITH_CORPUS
def test_what_was_judged_is_found_as_it_was_judged(today: Found) -> None:
    there = {row.judged for row in today.every}
    lost = [row for row in review() if row.verdict != "mended" and row.judged not in there]
    assert lost == [], f"Gone, moved or of another severity; look again, then drop or change the rows:{lines(lost)}"


@WITH_CORPUS
def test_false_alarms_that_were_mended_are_gone(today: Found) -> None:
    there = {row.judged for row in today.every}
    back = [row for row in review() if row.verdict == "mended" and row.judged in there]
    assert back == [], f"False alarms that are back:{lines(back)}"


@WITH_CORPUS
def test_of_each_rule_fifteen_findings_out_of_a_hat_are_judged(today: Found) -> None:
    known = {row.judged for row in review() if row.verdict != "mended"}
    missing = [row for row in drawn(today.every) if row.judged not in known]
    assert missing == [], f"Open each in its file; it needs verdict and why in corpus_review.csv:{lines(missing)}"


@WITH_CORPUS
def test_the_page_counts_what_is_found(today: Found) -> None:
    whole, every = (Counter((row.rule, row.severity) for row in rows) for rows in today)
    now = sorted(f"{rule},{severity},{whole[rule, severity]},{number}" for (rule, severity), number in every.items())
    assert sorted(FOUND.read_text("utf-8").splitlines()[1:]) == now, "corpus_found.csv is behind"
