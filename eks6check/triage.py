"""Sort findings into reported and suppressed. Suppression never deletes, always has a reason, and is told if unused."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from eks6check.engine import worst_first
from eks6check.findings import Finding, Outcome, Suppression

Sorted = tuple[tuple[Finding, ...], tuple[Finding, ...], tuple[Suppression, ...]]


def triage(outcomes: Iterable[Outcome], suppressions: Iterable[Suppression]) -> Sorted:
    """Reported findings, suppressed ones, and the suppressions with their use noted, each in report order.

    A comment without a reason silences nothing. One that names a rule which did not run in this run is left out of the
    third list: whether it is needed cannot be said.
    """
    outcomes, suppressions = tuple(outcomes), tuple(suppressions)
    findings = worst_first(finding for outcome in outcomes for finding in outcome.findings)
    used: set[Suppression] = set()
    reported: list[Finding] = []
    suppressed: list[Finding] = []
    for finding in findings:
        matching = [each for each in suppressions if each.reason and covers(each, finding)]
        used.update(matching)
        (suppressed if matching else reported).append(finding)
    ran = [(outcome.rule, outcome.name) for outcome in outcomes]
    told = (replace(each, used=each in used) for each in suppressions if each in used or concerns(each, ran))
    return tuple(reported), tuple(suppressed), tuple(told)


def covers(suppression: Suppression, finding: Finding) -> bool:
    """Whether a comment speaks of this finding: its rule, and one of its places within the lines it stands for."""
    return names(suppression, finding.rule, finding.name) and any(
        place.file == suppression.file and suppression.first <= place.line <= suppression.last
        for place in finding.locations
    )


def names(suppression: Suppression, rule: str, name: str) -> bool:
    """Whether a comment names a rule: by id, by the letters an id begins with, or by name."""
    return any(word and (rule.startswith(word.upper()) or word.lower() == name) for word in suppression.rules)


def concerns(suppression: Suppression, ran: Iterable[tuple[str, str]]) -> bool:
    """Whether a comment names a rule of this run."""
    return any(names(suppression, rule, name) for rule, name in ran)
