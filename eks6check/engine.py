"""Judge: every rule gets the facts that it names, and what it yields becomes an outcome.

No I/O, no clock, no knowledge of sources. A rule that lacks facts is not evaluated, and says which; a rule that raises
is an error of its own, and the run goes on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from eks6check.catalog import Rule
from eks6check.facts import Fact, Facts, Gap, Path, Section
from eks6check.findings import Confidence, Finding, Location, Outcome, Problem, State, fingerprint

PLACEHOLDER = re.compile(r"\{(\w+)\}")

PASTABLE = re.compile(r"[\w .,:/@=+\[\]-]*")
"""What a value may hold to stand in a command that somebody pastes. Names are untrusted; a shell believes them."""


def evaluate(rules: Iterable[Rule], facts: Facts) -> tuple[Outcome, ...]:
    """The outcome of each rule, in the order given. Rules whose facts this run cannot give are left out."""
    return tuple(judge(rule, facts) for rule in rules if rule.runs_on(facts))


def judge(rule: Rule, facts: Facts) -> Outcome:
    """The outcome of one rule, by the table of states in ``docs/design.md``."""
    sections = {name: facts[name] for name in (*rule.required, *rule.optional) if name in facts}
    gaps = tuple(dict.fromkeys(gap for section in sections.values() for gap in section.gaps))
    subjects = [sections[name] for name in rule.required] or list(sections.values())
    nothing = not any(section.items for section in subjects)
    if gaps and (nothing or rule.needs_all):
        return Outcome(rule.id, rule.severity, State.NOT_EVALUATED, gaps=gaps, name=rule.name)
    try:
        problems = list(rule.judge(**{name: section.items for name, section in sections.items()}, **rule.settings))
        findings = stamp(rule, problems)
    except Exception as error:  # noqa: BLE001  whatever a rule does wrong is its own outcome, never the run's end
        said = f"{type(error).__name__}: {error}"
        return Outcome(rule.id, rule.severity, State.ERROR, gaps=gaps, error=said, name=rule.name)
    if findings:
        state = State.FAILED
    elif gaps:
        state = State.INCOMPLETE
    else:
        state = State.NOT_APPLICABLE if nothing else State.PASSED
    return Outcome(rule.id, rule.severity, state, findings, gaps, name=rule.name)


def stamp(rule: Rule, problems: Iterable[Problem]) -> tuple[Finding, ...]:
    """Findings out of problems. A live object that a file declares is one finding with both places, the file first."""
    declared: dict[str, list[int]] = {}
    findings: list[Finding] = []
    for problem in sorted(problems, key=lambda problem: problem.subject.origin.source != "manifests"):
        identity = fingerprint(rule.id, problem.subject.subject, problem.key)
        if problem.subject.origin.source == "manifests":
            declared.setdefault(identity, []).append(len(findings))
        elif identity in declared:
            for index in declared[identity]:
                findings[index] = _with_places(findings[index], _places(problem))
            continue
        findings.append(_stamp_one(rule, problem, identity))
    return tuple(findings)


def _stamp_one(rule: Rule, problem: Problem, identity: str) -> Finding:
    severity = max(rule.severity, problem.severity, key=lambda severity: severity.rank)
    order = list(Confidence)
    confidence = max(rule.confidence, problem.confidence, key=order.index)
    return Finding(
        rule=rule.id,
        name=rule.name,
        title=rule.title,
        severity=severity,
        confidence=confidence,
        subject=problem.subject.subject,
        message=problem.message,
        why=rule.why,
        remedy=fill(rule.remedies[problem.remedy], problem),
        locations=_places(problem),
        evidence=problem.evidence,
        links=tuple(link["url"] for link in rule.links),
        fingerprint=identity,
    )


def fill(remedy: str, problem: Problem) -> str:
    """The remedy with every ``{placeholder}`` that the evidence knows and that is safe to paste; others stay."""

    def value(found: re.Match[str]) -> str:
        seen = str(problem.evidence.get(found[1], found[0]))
        return seen if PASTABLE.fullmatch(seen) else found[0]

    return PLACEHOLDER.sub(value, remedy).strip()


def _places(problem: Problem) -> tuple[Location, ...]:
    first = locate(problem.subject, problem.at, problem.find, problem.skip)
    return (first, *(locate(fact, path) for fact, path in problem.also))


def _with_places(finding: Finding, places: tuple[Location, ...]) -> Finding:
    return replace(finding, locations=(*finding.locations, *places))


def locate(fact: Fact, path: Path = (), find: str = "", skip: int = 0) -> Location:
    """The place of a path inside a fact: line and column in a file, the id of what is live."""
    origin = fact.origin
    if origin.mark is None:
        return Location(origin.source, id=origin.id, file=origin.file)
    line, column = origin.mark((*origin.path, *path), find, skip)
    return Location(origin.source, file=origin.file, line=line, column=column)


def worst_first(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Findings in the order of every report: by severity, then rule, then place."""
    return tuple(
        sorted(
            findings,
            key=lambda finding: (
                finding.severity.rank,
                finding.rule,
                [(place.file, place.line, place.column, place.id) for place in finding.locations],
                finding.fingerprint,
            ),
        )
    )


def all_gaps(facts: Facts) -> tuple[Gap, ...]:
    """Every gap of a run once, in the order of the sections."""
    sections: Iterable[Section[object]] = facts.values()
    return tuple(dict.fromkeys(gap for section in sections for gap in section.gaps))
