"""Which finding follows from which: one cause, such as a VPC without an IPv6 block, makes a dozen rules fire.

``follows`` in ``rules.yaml`` says so: ``VPC001: vpc`` means that a finding is a consequence of VPC001's about the VPC
that its own evidence calls ``vpc``. Consequences stay in the report, with the cause's fingerprint.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from eks6check.catalog import Rule, rules_by_id
from eks6check.findings import Finding, Outcome

Causes = Mapping[tuple[str, str], Finding]
"""Findings by rule and subject."""


def link(rules: Iterable[Rule], outcomes: Iterable[Outcome]) -> tuple[Outcome, ...]:
    """The same outcomes, with the cause of every finding that has one: the first of all, where causes have causes."""
    outcomes, known = tuple(outcomes), rules_by_id(rules)
    causes = {(found.rule, found.subject.id): found for outcome in outcomes for found in outcome.findings}
    return tuple(
        replace(outcome, findings=tuple(_linked(found, known, causes) for found in outcome.findings))
        if outcome.rule in known and known[outcome.rule].follows
        else outcome
        for outcome in outcomes
    )


def _linked(finding: Finding, rules: Mapping[str, Rule], causes: Causes) -> Finding:
    first = finding
    while cause := _cause(first, rules, causes):
        first = cause
    return finding if first is finding else replace(finding, cause=first.fingerprint)


def _cause(finding: Finding, rules: Mapping[str, Rule], causes: Causes) -> Finding | None:
    follows = rules[finding.rule].follows if finding.rule in rules else {}
    for rule, key in follows.items():
        found = [causes.get((rule, identity)) for identity in _named(finding.evidence.get(key))]
        worst = found[0] if found and all(found) else None
        if worst and worst.severity.rank <= finding.severity.rank:
            return worst
    return None


def _named(value: Any) -> Iterator[str]:
    """The ids that a piece of evidence holds: one, or a list of which every one must have the cause."""
    for each in value if isinstance(value, list | tuple) else [value]:
        yield str(each)
