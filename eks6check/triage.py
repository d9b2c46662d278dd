"""Sort findings into reported and suppressed. Suppression never deletes, always has a reason, and is told if unused."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from eks6check.engine import worst_first
from eks6check.facts import Gap
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
    """Whether a comment speaks of this finding: its rule, and its first place in a file within the lines it stands for.

    Further places are of others that take part in the fault; a comment there must not speak for all of them.
    """
    place = next((place for place in finding.locations if place.file), None)
    return (
        place is not None
        and place.file == suppression.file
        and suppression.first <= place.line <= suppression.last
        and concerns(suppression, [(finding.rule, finding.name)])
    )


def concerns(suppression: Suppression, rules: Iterable[tuple[str, str]]) -> bool:
    """Whether a comment names one of these rules, given by id and name."""
    return any(names(word, rule, name) for word in suppression.rules for rule, name in rules)


def names(word: str, rule: str, name: str) -> bool:
    """Whether a word of a comment means a rule: by id, by the letters an id begins with, or by name."""
    return bool(word) and (rule.startswith(word.upper()) or word.lower() == name)


def misnamed(suppressions: Iterable[Suppression], rules: Iterable[tuple[str, str]]) -> Iterator[Gap]:
    """A note for each word in a comment that means none of all rules, given by id and name."""
    rules = tuple(rules)
    for each in suppressions:
        for word in each.rules:
            if not any(names(word, rule, name) for rule, name in rules):
                reason = f"This comment names {word}, and there is no such rule."
                yield Gap("read", reason, "`eks6check rules` lists them all.", each.file, each.line)
