"""Suppression: what a comment silences, what it does not, and that unused ones are told."""

from __future__ import annotations

from dataclasses import replace

import pytest

from eks6check.facts import Subject
from eks6check.findings import Confidence, Finding, Location, Outcome, Severity, State, Suppression
from eks6check.triage import misnamed, triage

FINDING = Finding(
    rule="SVC001",
    name="service-pins-ipv4-family",
    title="A Service asks for the IPv4 family",
    severity=Severity.BLOCKER,
    confidence=Confidence.HIGH,
    subject=Subject("Service", "v1/Service/shop/web"),
    message="Service shop/web asks for IPv4.",
    why="",
    remedy="",
    locations=(Location("manifests", file="web.yaml", line=7, column=3),),
    evidence={},
    links=(),
    fingerprint="f",
)
OUTCOME = Outcome("SVC001", Severity.BLOCKER, State.FAILED, (FINDING,), name="service-pins-ipv4-family")
COMMENT = Suppression("web.yaml", 7, ("SVC001",), "moved last", first=7, last=7)


@pytest.mark.parametrize("word", ["SVC001", "svc001", "SVC", "service-pins-ipv4-family"])
def test_a_comment_silences_by_id_prefix_or_name_and_is_marked_used(word: str) -> None:
    reported, suppressed, told = triage([OUTCOME], [replace(COMMENT, rules=(word,))])
    assert (reported, suppressed) == ((), (FINDING,))
    assert [each.used for each in told] == [True]


@pytest.mark.parametrize(
    "comment",
    [
        replace(COMMENT, reason=""),
        replace(COMMENT, first=8, last=8),
        replace(COMMENT, file="other.yaml"),
        replace(COMMENT, rules=("SVC002",)),
        replace(COMMENT, rules=()),
    ],
)
def test_a_comment_that_does_not_fit_silences_nothing(comment: Suppression) -> None:
    assert triage([OUTCOME], [comment])[0] == (FINDING,)


def test_an_unused_comment_is_told_when_its_rule_ran_and_only_then() -> None:
    unused = replace(COMMENT, first=9, last=9)
    assert triage([OUTCOME], [unused])[2] == (unused,)
    assert triage([], [unused])[2] == ()


def test_a_finding_is_silenced_at_its_first_place_in_a_file_and_at_no_other() -> None:
    live, further = (
        Location("cluster", id="v1/Service/shop/web"),
        Location("manifests", file="a.yaml", line=1, column=1),
    )
    both = replace(FINDING, locations=(live, *FINDING.locations, further))
    assert triage([replace(OUTCOME, findings=(both,))], [COMMENT])[0] == ()
    elsewhere = replace(COMMENT, file="a.yaml", first=1, last=9)
    assert triage([replace(OUTCOME, findings=(both,))], [elsewhere])[0] == (both,)


def test_a_word_that_means_no_rule_at_all_is_told() -> None:
    rules = [("SVC001", "service-pins-ipv4-family"), ("VPC001", "vpc-without-ipv6-block")]
    comment = replace(COMMENT, rules=("SVC", "svc999", "vpc001", "*", "vpc-without-ipv6-block"))
    told = list(misnamed([comment], rules))
    assert [note.reason.split()[3] for note in told] == ["svc999,", "*,"]
    assert {(note.file, note.line) for note in told} == {("web.yaml", 7)}


def test_findings_come_out_worst_first_then_by_rule_and_place() -> None:
    info = replace(FINDING, rule="CTL001", severity=Severity.INFO)
    later = replace(FINDING, locations=(Location("manifests", file="web.yaml", line=9, column=1),))
    reported, _, _ = triage([replace(OUTCOME, findings=(info, later, FINDING))], [])
    assert reported == (FINDING, later, info)
