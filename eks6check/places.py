"""Where a reader looks: what a renderer made is judged as it made it, and told in the file that it came from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Protocol, TypeVar

from eks6check.facts import Gap
from eks6check.findings import Finding, Location, Outcome, Report, Suppression

Placed = TypeVar("Placed", Location, Gap)


class Source(Protocol):
    """What a judged text was made of."""

    @property
    def file(self) -> str:
        """The file, as reports name it."""

    def place(self, line: int, column: int = 1) -> tuple[int, int]:
        """Line and column in the file for those in the judged text; both 0 where no line fits."""


Sources = Mapping[str, Source]
"""By the names under which the texts were judged."""


def in_sources(report: Report, sources: Sources) -> Report:
    """The report with every place in the file behind it."""
    if not sources:
        return report
    return replace(
        report,
        findings=_findings(report.findings, sources),
        suppressed=_findings(report.suppressed, sources),
        outcomes=tuple(_outcome(each, sources) for each in report.outcomes),
        gaps=_gaps(report.gaps, sources),
        notes=_gaps(report.notes, sources),
        suppressions=tuple(_suppression(each, sources) for each in report.suppressions),
    )


def _findings(findings: Iterable[Finding], sources: Sources) -> tuple[Finding, ...]:
    return tuple(
        replace(each, locations=tuple(_placed(place, sources) for place in each.locations)) for each in findings
    )


def _outcome(outcome: Outcome, sources: Sources) -> Outcome:
    return replace(outcome, findings=_findings(outcome.findings, sources), gaps=_gaps(outcome.gaps, sources))


def _gaps(gaps: Iterable[Gap], sources: Sources) -> tuple[Gap, ...]:
    return tuple(dict.fromkeys(_placed(each, sources) for each in gaps))


def _placed(each: Placed, sources: Sources) -> Placed:
    source = sources.get(each.file)
    if source is None:
        return each
    line, column = source.place(each.line, each.column)
    return replace(each, file=source.file, line=line, column=column)


def _suppression(suppression: Suppression, sources: Sources) -> Suppression:
    source = sources.get(suppression.file)
    if source is None:
        return suppression
    line, first, last = (source.place(each)[0] for each in (suppression.line, suppression.first, suppression.last))
    return replace(suppression, file=source.file, line=line, first=first, last=max(first, last))
