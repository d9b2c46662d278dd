"""The review of what `lint` finds in a corpus of public manifests: rows judged by hand, and the draw that chose them.

``corpus_review.csv`` has a row for each finding that somebody looked up in its file. ``verdict`` is ``true``; or
``false``, a false alarm that still stands; or ``mended``, one that a change of the rule took away. ``corpus_found.csv``
counts what is found, in the corpus as a whole and altogether. ``docs/generate.py`` makes the page out of both.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from eks6check.findings import Finding
from eks6check.options import Options
from eks6check.run import run

REVIEW = Path(__file__).with_suffix(".csv")
FOUND = Path(__file__).with_name("corpus_found.csv")

MOST = 15
"""How many findings of a rule are judged."""

SEED = "2026-11-25"


class Row(NamedTuple):
    """A finding as the review knows it. ``place`` is file, line and column, the file relative to the corpus."""

    rule: str
    severity: str
    place: str
    subject: str
    fingerprint: str
    verdict: str = ""
    why: str = ""

    @property
    def judged(self) -> tuple[str, ...]:
        """What a verdict is about: at another place or severity, the finding must be looked up again."""
        return self[:5]

    @property
    def lot(self) -> str:
        """A number out of a hat, which stays the finding's own whatever else is found, and whatever its line."""
        file = self.place.rsplit(":", 2)[0]
        return sha256(f"{SEED} {self.rule} {file} {self.fingerprint}".encode()).hexdigest()


class Found(NamedTuple):
    """The findings in a corpus, as rows without a verdict: as a whole, and those of each repository besides.

    A run takes its files for one cluster, so what stands in one repository may hide a fault of another.
    """

    whole: list[Row]
    every: list[Row]


def found(corpus: Path) -> Found:
    """Everything that lint finds."""
    whole = _rows(corpus, corpus)
    alone = (_rows(folder, corpus) for folder in corpus.iterdir() if folder.is_dir())
    return Found(whole, sorted(set(whole).union(*alone)))


def _rows(folder: Path, corpus: Path) -> list[Row]:
    report = run(Options(manifests=(str(folder),), allow_empty=True))
    return [_row(finding, corpus.resolve()) for finding in report.findings]


def _row(finding: Finding, corpus: Path) -> Row:
    first = finding.locations[0]
    file = Path(first.file).resolve().relative_to(corpus)
    place = f"{file.as_posix()}:{first.line}:{first.column}"
    return Row(finding.rule, finding.severity, place, finding.subject.id, finding.fingerprint[:8])


def drawn(rows: Iterable[Row]) -> list[Row]:
    """Of each rule's findings those fifteen with the lowest lots, or all where there are fewer."""
    by_rule = defaultdict(list)
    for row in rows:
        by_rule[row.rule].append(row)
    return sorted(row for found in by_rule.values() for row in sorted(found, key=lambda row: row.lot)[:MOST])


def review() -> list[Row]:
    """The rows as judged."""
    with REVIEW.open(encoding="utf-8", newline="") as file:
        return [Row(**row) for row in csv.DictReader(file)]
