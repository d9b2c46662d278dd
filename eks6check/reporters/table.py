"""The report for people: the answer first, then what is wrong and how to mend it, then what nobody could see.

Indents carry the structure, so that it reads the same in a pipe, without colour and at any width. What is meant to be
pasted or clicked, a remedy or a place, is never wrapped.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from textwrap import TextWrapper
from typing import TYPE_CHECKING

from eks6check.findings import Confidence, Severity
from eks6check.reporters import words
from eks6check.reporters.plain import plain, plain_lines, without_commands

if TYPE_CHECKING:
    from eks6check.facts import Gap
    from eks6check.findings import Finding, Location, Outcome, Report
    from eks6check.reporters import View
    from eks6check.reporters.words import GapGroup

NARROW = 40
"""Columns below which lines are no longer made shorter."""

STYLES = {Severity.BLOCKER: "bold red", Severity.WARNING: "bold yellow", Severity.INFO: "bold blue"}

SENTENCE = re.compile(r".+?[.!?](?<!e\.g\.)(?<!i\.e\.)(?=\s+[A-Z`]|\s*$)", re.DOTALL)


Parts = tuple[tuple[str, str], ...]
"""Pieces of text, each with its style."""


@dataclass(frozen=True, slots=True)
class Line:
    """A paragraph: parts of text with their styles, columns of indent, more of them from the second line on."""

    parts: Parts
    indent: int = 0
    hang: int = 0
    wrap: bool = True


BLANK = Line((("", ""),))


def render(report: Report, view: View) -> str:
    """The report as text, ending with a newline."""
    laid = [row for line in body(report) for row in rows(line, max(view.width, NARROW))]
    text = painted(laid) if view.color else "".join(f"{plain_row(row)}\n" for row in laid)
    return without_commands(text)


def plain_row(row: Parts) -> str:
    """A row without its styles."""
    return "".join(text for text, _ in row).rstrip()


def painted(laid: Iterable[Parts]) -> str:
    """Rows in the terminal's colours."""
    from io import StringIO  # noqa: PLC0415  only where somebody watches

    from rich.console import Console  # noqa: PLC0415  a fifth of the time of a whole lint, for colour alone
    from rich.text import Text  # noqa: PLC0415  likewise

    console = Console(file=StringIO(), force_terminal=True, color_system="standard", legacy_windows=False, _environ={})
    with console.capture() as capture:
        for row in laid:
            console.print(Text.assemble(*row), soft_wrap=True, highlight=False)
    return capture.get()


def rows(line: Line, width: int) -> Iterator[Parts]:
    """A paragraph laid into so many columns."""
    text = "".join(part for part, _ in line.parts)
    wrapper = TextWrapper(
        width - line.indent - line.hang,
        expand_tabs=False,
        replace_whitespace=False,
        break_on_hyphens=False,
        break_long_words=False,
    )
    position = 0
    for number, row in enumerate((wrapper.wrap(text) if line.wrap else None) or [text]):
        position = text.index(row, position)
        indent = " " * (line.indent + (line.hang if number else 0)) if row else ""
        yield ((indent, ""), *cut(line.parts, position, position + len(row)))
        position += len(row)


def cut(parts: Parts, start: int, end: int) -> Iterator[tuple[str, str]]:
    """The pieces of a paragraph between two of its characters, with their styles."""
    for text, style in parts:
        if piece := text[max(start, 0) : max(end, 0)]:
            yield piece, style
        start, end = start - len(text), end - len(text)


def body(report: Report) -> Iterator[Line]:
    """Every paragraph of the report. The first two say what the answer is, and what was judged."""
    yield Line(words.headline(report))
    yield Line(((words.judged(report), ""),))
    yield from findings(report)
    yield from unknown(report)
    yield from noted(report)
    yield from silenced(report)
    yield BLANK
    yield Line(((words.counted(report), ""),))
    yield Line(((words.rules_counted(report), "dim"),))


def findings(report: Report) -> Iterator[Line]:
    """The findings by rule. One that follows from another stands under it."""
    heads = {finding.fingerprint for finding in report.findings if finding.cause is None}
    follow: dict[str | None, list[Finding]] = {}
    for finding in report.findings:
        follow.setdefault(finding.cause if finding.cause in heads else None, []).append(finding)
    for _, same in groupby(sorted(follow.pop(None, []), key=alike), alike):
        yield BLANK
        yield from rule_group(list(same), follow)


def alike(finding: Finding) -> tuple[int, str, int]:
    """What the findings of one group share, worst and surest first."""
    return finding.severity.rank, finding.rule, list(Confidence).index(finding.confidence)


def rule_group(same: list[Finding], follow: Mapping[str | None, list[Finding]]) -> Iterator[Line]:
    """All findings of one rule: why and how to mend stand once after those that share them."""
    yield heading(same)
    shared: dict[tuple[str, str], list[Finding]] = {}
    for finding in same:
        shared.setdefault((finding.why, finding.remedy), []).append(finding)
    told = ""
    for position, ((why, remedy), members) in enumerate(shared.items()):
        yield from (BLANK,) if position else ()
        for finding in members:
            yield from one(finding, follow)
        if why and why != told:
            yield labelled("Why:", first_sentence(why))
        told = why
        if remedy:
            yield labelled("Fix:", "")
            yield from verbatim(remedy, 6)


def heading(same: list[Finding]) -> Line:
    """Severity, rule id and title, with what else tells this group apart."""
    first = same[0]
    notes = [plain(first.name)]
    if first.confidence is not Confidence.HIGH:
        notes.append(f"{first.confidence} confidence")
    if len(same) > 1:
        notes.append(f"{len(same)} times")
    return Line(
        (
            (first.severity.upper(), STYLES[first.severity]),
            (f" {plain(first.rule)} {plain(first.title)}", "bold"),
            (f"  ({', '.join(notes)})", "dim"),
        ),
        hang=4,
    )


def one(finding: Finding, follow: Mapping[str | None, list[Finding]]) -> Iterator[Line]:
    """One finding: its sentence, its places, and the findings that go away with it."""
    yield Line((("- ", ""), (plain(finding.message), "")), indent=2, hang=2)
    for location in finding.locations:
        yield Line(((place(location), "cyan"),), indent=6, wrap=False)
    for each in follow.get(finding.fingerprint, ()):
        yield Line(((f"so also {plain(each.rule)}: {plain(each.message)}", ""),), indent=6, hang=2)
        for location in each.locations:
            yield Line(((place(location), "cyan"),), indent=8, wrap=False)


def place(location: Location) -> str:
    """A place in a file as editors read it, or where an id is at home."""
    if not location.file:
        return f"{location.source}: {plain(location.id)}"
    note = " (declares it; the fault shows in the live object)" if location.declares else ""
    return plain(location if location.line else location.file) + note


def first_sentence(text: str) -> str:
    """The first sentence of a text on one line."""
    found = SENTENCE.match(text.strip())
    return plain(" ".join((found[0] if found else text).split()))


def labelled(label: str, text: str) -> Line:
    """A word that says what follows, and what follows."""
    return Line(((label, "bold"), (f" {text}" if text else "", "")), indent=2, hang=2)


def verbatim(text: str, indent: int) -> Iterator[Line]:
    """A text to paste, line by line."""
    for line in plain_lines(text.strip("\n")):
        yield Line(((line, "green"),), indent=indent, wrap=False)


def unknown(report: Report) -> Iterator[Line]:
    """What could not be checked: each gap once, how to close it, and the rules that lack it."""
    groups, broken = words.gap_groups(report), words.broken(report)
    if groups or broken:
        yield BLANK
        yield Line((("COULD NOT BE CHECKED", "bold yellow"),))
    for position, group in enumerate(groups):
        yield from (BLANK,) if position else ()
        yield from gap_lines(group)
    for position, outcome in enumerate(broken, len(groups)):
        yield from (BLANK,) if position else ()
        yield from bug(outcome)


def gap_lines(group: GapGroup) -> Iterator[Line]:
    """Gaps that are closed in the same way and leave the same rules without knowledge."""
    for gap in group.gaps:
        yield Line(
            (("- ", ""), (f"{plain(spot(gap) or gap.call)}: ", "cyan"), (plain(gap.reason), "")), indent=2, hang=2
        )
    if "\n" in group.remedy.strip():
        yield labelled("To close it:", "")
        yield from verbatim(group.remedy, 6)
    elif group.remedy:
        yield labelled("To close it:", plain(group.remedy.strip()))
    if group.not_evaluated:
        yield labelled("Not evaluated:", plain(", ".join(group.not_evaluated)))
    if group.in_part:
        yield labelled("Judged in part:", plain(", ".join(group.in_part)))


def spot(gap: Gap) -> str:
    """The file of a gap, with line and column as far as they are known."""
    return ":".join(str(part) for part in (gap.file, gap.line, gap.column) if part)


def bug(outcome: Outcome) -> Iterator[Line]:
    """A rule that raised."""
    said = f"this rule broke on what it was given: {plain(outcome.error)}"
    yield Line((("- ", ""), (f"{plain(outcome.rule)} {plain(outcome.name)}: ", "cyan"), (said, "")), indent=2, hang=2)
    yield labelled("To close it:", "This is a bug in eks6check; please report it. The other rules are not affected.")


def noted(report: Report) -> Iterator[Line]:
    """Oddities of files that were read all the same."""
    if report.notes:
        yield BLANK
        yield Line((("NOTED", "bold"),))
    for note in report.notes:
        yield Line((("- ", ""), (f"{plain(spot(note))}: ", "cyan"), (plain(note.reason), "")), indent=2, hang=2)


def silenced(report: Report) -> Iterator[Line]:
    """Findings that a comment silences, and the comments themselves."""
    if not report.suppressed and not report.suppressions:
        return
    yield BLANK
    yield Line((("SILENCED BY COMMENTS", "bold"),))
    for finding in report.suppressed:
        yield Line((("- ", ""), (f"{plain(finding.rule)} {plain(finding.message)}", "")), indent=2, hang=2)
        for location in finding.locations:
            yield Line(((place(location), "cyan"),), indent=6, wrap=False)
    for comment in report.suppressions:
        where = f"{':'.join(filter(None, (plain(comment.file), str(comment.line or ''))))}: "
        yield Line((("- ", ""), (where, "cyan"), (words.comment(comment), "")), indent=2, hang=2)
