"""From a rendered text back to what it was rendered from: the line of the one that a line of the other comes from.

A template's line and what it renders to have the same key, or are the same text. Where neither tells them from others,
the nearest line above that has less indent speaks for them. Where a whole document may come from several places, none
is named: a wrong line is worse than none.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from eks6check.facts.kube import mapping, text
from eks6check.sources.manifests.yamldoc import Document

KEY = re.compile(r"\s*(?:-\s+)*([\"']?[\w./-]+[\"']?:)(?:\s|$)")

INCLUDE = re.compile(r"\{\{-?\s*(?:include|template|tpl)\b")
"""A template's line that takes in what another one makes. At the margin, that may be whole documents."""

Numbers = Mapping[str, Sequence[int]]
Way = Callable[[str], str]
"""What two lines have in common if they are one another's."""


@dataclass(frozen=True, slots=True)
class Source:
    """What one document was rendered from: the file as reports name it, its lines, and the document's own.

    ``numbers`` has for each of the document's lines the number of the file's, 0 where none fits.
    """

    file: str
    lines: Sequence[str] = ()
    rendered: Sequence[str] = ()
    numbers: Sequence[int] = ()

    def place(self, line: int, column: int = 1) -> tuple[int, int]:
        """Line and column in the file for those in the rendered document, all from 1; both 0 where no line fits."""
        number = self.numbers[line - 1] if 0 < line <= len(self.numbers) else 0
        if not number:
            return 0, 0
        ours, theirs = self.rendered[line - 1], self.lines[number - 1]
        inside = column - 1 - indent(ours) if ours.strip() == theirs.strip() else 0
        return number, indent(theirs) + 1 + max(inside, 0)


def numbers(rendered: Sequence[str], source: Sequence[str], value: Any) -> list[int]:
    """For each rendered line the number of the source's, counted from 1; 0 where none fits.

    ``value`` is the rendered document's, by which its part of a source with several documents is known.
    """
    first, last = part(source, value)
    if last - first == 1 and INCLUDE.match(source[first]):
        return [first + 1] * len(rendered)
    ways = [(way, numbered(rendered, way), numbered(source[first:last], way)) for way in (str.strip, key)]
    found: list[int] = []
    for index, line in enumerate(rendered):
        number = alone(line, index, ways)
        found.append(first + number if number else found[parent] if (parent := above(rendered, index)) >= 0 else 0)
    return found


def part(source: Sequence[str], value: Any) -> tuple[int, int]:
    """Where in a source the text of a document begins and ends: by its kind, then by its name.

    A document that stands nowhere comes from the one line that takes others in. Nothing (0, 0) where that is not sure.
    """
    cuts = [-1, *(index for index, line in enumerate(source) if line.startswith("---")), len(source)]
    spans = [(before + 1, after) for before, after in pairwise(cuts)]
    kind, name = text(mapping(value).get("kind")), _name(value)
    own = [span for span in spans if says(source, span, "kind", kind)]
    if len(own) > 1:
        own = [span for span in own if says(source, span, "name", name)] or own
    if not own:
        own = [(index, index + 1) for index, line in enumerate(source) if INCLUDE.match(line)]
    return own[0] if len(own) == 1 else (0, 0)


def says(source: Sequence[str], span: tuple[int, int], key: str, value: str) -> bool:
    """Whether a line of a span has this plain value for a key."""
    return any(line.strip().rstrip("\r") in {f"{key}: {value}", f'{key}: "{value}"'} for line in source[slice(*span)])


def key(line: str) -> str:
    """The key that a line begins with, if any."""
    found = KEY.match(line)
    return found[1] if found else ""


def numbered(source: Sequence[str], way: Way) -> Numbers:
    """The numbers of the lines, counted from 1, by what they are in a way of looking at them."""
    numbers = defaultdict[str, list[int]](list)
    for index, line in enumerate(source):
        numbers[way(line)].append(index + 1)
    return numbers


def alone(line: str, index: int, ways: Sequence[tuple[Way, Numbers, Numbers]]) -> int:
    """The one number that a line can stand for: one of as many alike on both sides, or the only one of its source."""
    for exact in (True, False):
        for way, ours, theirs in ways:
            word = way(line)
            there = theirs.get(word, ()) if word else ()
            if len(there) == (len(ours[word]) if exact else 1):
                return there[ours[word].index(index + 1)] if exact else there[0]
    return 0


def above(rendered: Sequence[str], index: int) -> int:
    """The index of the nearest line above that has less indent; -1 if there is none."""
    inner = indent(rendered[index])
    return next((i for i in range(index - 1, -1, -1) if rendered[i].strip() and indent(rendered[i]) < inner), -1)


def indent(line: str) -> int:
    """How many blanks a line begins with."""
    return len(line) - len(line.lstrip())


def origin(value: Any, candidates: Iterable[Document]) -> Document | None:
    """The document that an object was built from: of its kind, and of its name or the longest part of it."""
    name = _name(value)
    same_kind = [each for each in candidates if mapping(each.value).get("kind") == mapping(value).get("kind")]
    alike = [each for each in same_kind if _name(each.value) and _name(each.value) in name]
    return max(alike, key=lambda each: len(_name(each.value)), default=None)


def _name(value: Any) -> str:
    return text(mapping(mapping(value).get("metadata")).get("name"))
