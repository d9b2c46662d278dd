"""SARIF 2.1.0 as GitHub code scanning accepts it.

Every result has a place in a file below the root, because GitHub refuses an upload without one. What has no such place,
and what could not be checked, stands in the run's notifications.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import eks6check
from eks6check import catalog
from eks6check.findings import State
from eks6check.reporters.line_hash import line_hashes
from eks6check.reporters.plain import plain
from eks6check.reporters.sarif_rules import LEVELS, descriptor
from eks6check.reporters.words import number

if TYPE_CHECKING:
    from eks6check.facts import Gap
    from eks6check.findings import Finding, Location, Outcome, Report
    from eks6check.reporters import View

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

RESULT_LIMIT = 5000
"""Results of a run that GitHub keeps."""

PLACE_LIMIT = 100
"""Places of a result that GitHub keeps."""

STANDARD_INPUT = "stdin"
"""The name of what came in through a pipe, which is no file of the root."""

Uris = Mapping[str, str]
"""The files that lie below the root, by their names in the report."""


def render(report: Report, view: View) -> str:
    """The report as one SARIF log with one run. It is ASCII."""
    log = {"$schema": SCHEMA, "version": "2.1.0", "runs": [run(report, view)]}
    return json.dumps(log, indent=2, allow_nan=False) + "\n"


def run(report: Report, view: View) -> dict[str, Any]:
    """The run: rules that ran, results worst first, and what no result can tell as notifications."""
    uris = below_root(report, view)
    placed = [finding for finding in report.findings if file_places(finding, uris)]
    order = {outcome.rule: index for index, outcome in enumerate(report.outcomes)}
    texts = catalog.rules_by_id(catalog.load() if view.rules is None else view.rules)
    kept = placed[:RESULT_LIMIT]
    hashes = hashes_of(kept, uris, view)
    return {
        "tool": {
            "driver": {
                "name": "eks6check",
                "semanticVersion": eks6check.__version__,
                "rules": [descriptor(texts[rule]) for rule in order],
            }
        },
        "columnKind": "unicodeCodePoints",
        "invocations": [
            {
                "executionSuccessful": True,
                "toolExecutionNotifications": [
                    *(gap_notification(gap, uris) for gap in report.gaps),
                    *(bug_notification(outcome) for outcome in report.outcomes if outcome.state is State.ERROR),
                    *left_out(report, placed, kept),
                ],
            }
        ],
        "results": [result(finding, order[finding.rule], uris, hashes) for finding in kept],
    }


def below_root(report: Report, view: View) -> Uris:
    """The percent-encoded path from the root to every file that the report names."""
    places = {location.file for finding in report.findings for location in finding.locations}
    named = (places | {gap.file for gap in report.gaps}) - {"", STANDARD_INPUT}
    root, base = view.root.resolve(), view.base.resolve()
    found = {name: relative_uri(name, base, root) for name in named}
    return {name: uri for name, uri in found.items() if uri is not None}


def relative_uri(name: str, base: Path, root: Path) -> str | None:
    """The percent-encoded path from the root to a file; None if it lies elsewhere, or has a name that no file has."""
    try:
        return quote(os.fsencode(absolute(base, name).relative_to(root).as_posix()))
    except ValueError:
        return None


def absolute(base: Path, name: str) -> Path:
    """Where a file stands: its folder without links, under its own name, which may be one."""
    path = base / name
    return path.parent.resolve() / path.name


def file_places(finding: Finding, uris: Uris) -> list[Location]:
    """The finding's places below the root; the first is the one that GitHub shows."""
    return [location for location in finding.locations if location.file in uris]


def hashes_of(findings: Sequence[Finding], uris: Uris, view: View) -> Mapping[str, list[str]]:
    """The line fingerprints of every file that a result stands in, by name, where its text can be read."""
    names = dict.fromkeys(file_places(finding, uris)[0].file for finding in findings)
    texts = {name: view.read_text(absolute(view.base.resolve(), name)) for name in names}
    return {name: line_hashes(text) for name, text in texts.items() if text is not None}


def result(finding: Finding, index: int, uris: Uris, hashes: Mapping[str, list[str]]) -> dict[str, Any]:
    """One finding at its first file place; the other places are linked from the message, as GitHub asks."""
    first, *others = file_places(finding, uris)[:PLACE_LIMIT]
    live = " It shows in the live object, which this file declares." if first.declares else ""
    links = "".join(f" See also [{escape(str(other))}]({position})." for position, other in enumerate(others, 1))
    made: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": index,
        "level": LEVELS[finding.severity],
        "message": {"text": escape(finding.message) + live + links},
        "locations": [physical(first.file, first.line, first.column, uris)],
        "partialFingerprints": {"eks6check/v1": finding.fingerprint},
        "properties": {
            "confidence": finding.confidence.value,
            "subject": {"kind": finding.subject.kind, "id": finding.subject.id},
        },
    }
    lines = hashes.get(first.file, [])
    if 0 < first.line <= len(lines):
        made["partialFingerprints"]["primaryLocationLineHash"] = lines[first.line - 1]
    if others:
        made["relatedLocations"] = [
            {"id": position, **physical(other.file, other.line, other.column, uris)}
            for position, other in enumerate(others, 1)
        ]
    return made


def physical(file: str, line: int, column: int, uris: Uris) -> dict[str, Any]:
    """A place in a file. GitHub wants a line, so what stands for the whole file gets the first."""
    region = {"startLine": max(line, 1), **({"startColumn": column} if column else {})}
    return {"physicalLocation": {"artifactLocation": {"uri": uris[file]}, "region": region}}


def escape(text: str) -> str:
    r"""A message's text in which no name can form a link: brackets and backslashes get a backslash."""
    return re.sub(r"([\\\[\]])", r"\\\1", plain(text))


def notification(identity: str, level: str, text: str) -> dict[str, Any]:
    """Something about the run as a whole."""
    return {"descriptor": {"id": identity}, "level": level, "message": {"text": escape(text)}}


def gap_notification(gap: Gap, uris: Uris) -> dict[str, Any]:
    """What could not be read, with its place where that is a file."""
    remedy = f" To close it: {' '.join(gap.remedy.split())}" if gap.remedy else ""
    where = gap.file or gap.call
    made = notification("not-read", "warning", f"Could not be checked: {where}: {gap.reason.rstrip('.')}.{remedy}")
    if gap.file in uris:
        made["locations"] = [physical(gap.file, gap.line, gap.column, uris)]
    return made


def bug_notification(outcome: Outcome) -> dict[str, Any]:
    """A rule that raised."""
    made = notification("rule-broke", "error", f"{outcome.rule} broke on what it was given: {outcome.error}.")
    return made | {"associatedRule": {"id": outcome.rule}}


def left_out(report: Report, placed: Sequence[Finding], kept: Sequence[Finding]) -> Iterator[dict[str, Any]]:
    """The findings that are no results, counted by the reason."""
    missing = set(map(id, report.findings)) - set(map(id, placed))
    without = [finding for finding in report.findings if id(finding) in missing]
    outside = sum(any(location.file for location in finding.locations) for finding in without)
    if live := len(without) - outside:
        text = f"Left out: {number(live, 'finding')} about live resources that no file of this run declares."
        yield notification("left-out-live", "note", text)
    if outside:
        text = f"Left out: {number(outside, 'finding')} in files outside the root folder or on standard input."
        yield notification("left-out-outside", "note", text)
    if cut := len(placed) - len(kept):
        text = f"Left out: the {cut} least of {len(placed)} findings, because GitHub keeps {RESULT_LIMIT}."
        yield notification("left-out-limit", "warning", text)
