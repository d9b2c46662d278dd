"""Judge: every rule gets the facts that it names, and what it yields becomes an outcome.

No I/O, no clock, no knowledge of sources. A rule that lacks facts is not evaluated, and says which; a rule that raises
is an error of its own, and the run goes on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import takewhile
from types import MappingProxyType

from eks6check.catalog import Rule
from eks6check.facts import Fact, Facts, Gap, Path, Section
from eks6check.findings import Confidence, Finding, Location, Outcome, Problem, State, fingerprint
from eks6check.workers import spread

MANY_FACTS = 300
"""From how many facts on it pays to judge them in several processes."""

Declared = Mapping[str, Sequence[Fact]]
"""The objects that files declare, by the id of their subject."""

PLACEHOLDER = re.compile(r"\{(\w+)\}")

PASTABLE = re.compile(r"[\w .,:/@=+\[\]-]*")
"""What a value may hold to stand in a command that somebody pastes. Names are untrusted; a shell believes them."""


def evaluate(rules: Iterable[Rule], facts: Facts) -> tuple[Outcome, ...]:
    """The outcome of each rule, in the order given. Rules whose facts this run cannot give are left out."""
    judged = [rule for rule in rules if rule.runs_on(facts)]
    many = sum(len(section.items) for section in facts.values()) >= MANY_FACTS
    return tuple((spread if many else map)(partial(judge, facts=facts, known=declared(facts)), judged))


def declared(facts: Facts) -> Declared:
    """The objects of the files by the id of their subject; none where no cluster was read, since nobody asks then."""
    every: list[Fact] = [item for section in facts.values() for item in section.items]
    found: dict[str, list[Fact]] = {}
    if any(item.origin.source == "cluster" for item in every):
        for item in every:
            if item.origin.source == "manifests":
                found.setdefault(item.subject.id, []).append(item)
    return found


def judge(rule: Rule, facts: Facts, known: Declared = MappingProxyType({})) -> Outcome:
    """The outcome of one rule, by the table of states in ``docs/design.md``."""
    sections = {name: facts[name] for name in (*rule.required, *rule.optional) if name in facts}
    gaps = tuple(dict.fromkeys(gap for section in sections.values() for gap in section.gaps))
    subjects = [sections[name] for name in rule.required] or list(sections.values())
    nothing = not any(section.items for section in subjects)
    if gaps and (nothing or rule.needs_all):
        return Outcome(rule.id, rule.severity, State.NOT_EVALUATED, gaps=gaps, name=rule.name)
    try:
        said = list(rule.judge(**{name: section.items for name, section in sections.items()}, **rule.settings))
        findings = stamp(rule, (each for each in said if isinstance(each, Problem)), known)
    except Exception as error:  # noqa: BLE001  whatever a rule does wrong is its own outcome, never the run's end
        broke = f"{type(error).__name__}: {error}"
        return Outcome(rule.id, rule.severity, State.ERROR, gaps=gaps, error=broke, name=rule.name)
    gaps = tuple(dict.fromkeys((*gaps, *(each for each in said if isinstance(each, Gap)))))
    unfailed = State.INCOMPLETE if gaps else State.NOT_APPLICABLE if nothing else State.PASSED
    return Outcome(rule.id, rule.severity, State.FAILED if findings else unfailed, findings, gaps, name=rule.name)


def stamp(rule: Rule, problems: Iterable[Problem], known: Declared = MappingProxyType({})) -> tuple[Finding, ...]:
    """Findings out of problems. A live object that a file declares is one finding with both places, the file first."""
    in_files: dict[str, list[int]] = {}
    findings: list[Finding] = []
    for problem in sorted(problems, key=lambda problem: problem.subject.origin.source != "manifests"):
        identity = fingerprint(rule.id, problem.subject.subject, problem.key)
        if problem.subject.origin.source == "manifests":
            in_files.setdefault(identity, []).append(len(findings))
        elif identity in in_files:
            for index in in_files[identity]:
                findings[index] = _with_places(findings[index], _places(problem))
            continue
        findings.append(_stamp_one(rule, problem, identity, _declaring(problem, known)))
    return tuple(findings)


def _declaring(problem: Problem, known: Declared) -> Iterator[Location]:
    """Where files declare the live object that shows the fault, as far as keys lead: a list may differ in them."""
    shown = any(_in_file(problem, fact) for fact, _ in problem.also)
    if problem.subject.origin.source == "cluster" and not shown:
        keys = tuple(takewhile(lambda key: isinstance(key, str), problem.at))
        for fact in known.get(problem.subject.subject.id, ()):
            yield replace(locate(fact, keys), declares=True)


def _stamp_one(rule: Rule, problem: Problem, identity: str, declaring: Iterable[Location]) -> Finding:
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
        locations=(*declaring, *_places(problem)),
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
    """The places of a problem. Of a live object, those of the same one in files come first."""
    first = locate(problem.subject, problem.at, problem.find, problem.skip)
    also = [(_in_file(problem, fact), locate(fact, path)) for fact, path in problem.also]
    return (*(place for same, place in also if same), first, *(place for same, place in also if not same))


def _in_file(problem: Problem, fact: Fact) -> bool:
    """Whether a fact is the problem's live object as a file has it."""
    live = problem.subject.origin.source == "cluster"
    return live and fact.origin.source == "manifests" and fact.subject == problem.subject.subject


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


def all_gaps(facts: Facts, outcomes: Iterable[Outcome] = ()) -> tuple[Gap, ...]:
    """Every gap of a run once: those of the sections in their order, then those that rules came upon."""
    known: Iterable[Section[object] | Outcome] = (*facts.values(), *outcomes)
    return tuple(dict.fromkeys(gap for each in known for gap in each.gaps))
