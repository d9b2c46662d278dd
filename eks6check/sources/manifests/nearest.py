"""From a rendered text back to what it was rendered from: the line of the one that a line of the other comes from.

A template's line and what it renders to have the same key, or are the same text. Where neither tells them from others,
the nearest line above that has less indent speaks for them.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from eks6check.facts.kube import mapping, text
from eks6check.sources.manifests.yamldoc import Document

KEY = re.compile(r"\s*(?:-\s+)*([\"']?[\w./-]+[\"']?:)(?:\s|$)")

Numbers = Mapping[str, Sequence[int]]
Way = Callable[[str], str]
"""What two lines have in common if they are one another's."""


def lines(rendered: Sequence[str], source: Sequence[str], value: Mapping[str, Any]) -> list[int]:
    """For each rendered line the number of the source's, counted from 1; 0 where none fits.

    ``value`` is the rendered document's: of a source with several documents, the one of that kind is looked into.
    """
    first, last = part(source, text(value.get("kind")))
    ways = [(way, numbered(rendered, way), numbered(source[first:last], way)) for way in (str.strip, key)]
    found: list[int] = []
    for index, line in enumerate(rendered):
        number = alone(line, index, ways)
        found.append(first + number if number else found[parent] if (parent := above(rendered, index)) >= 0 else 0)
    return found


def part(source: Sequence[str], kind: str) -> tuple[int, int]:
    """Where in a source the one document of a kind begins and ends; the whole where there are several, or none."""
    cuts = [-1, *(index for index, line in enumerate(source) if line.startswith("---")), len(source)]
    spans = [(before + 1, after) for before, after in pairwise(cuts)]
    own = [(first, last) for first, last in spans if f"kind: {kind}" in map(str.rstrip, source[first:last])]
    return own[0] if len(own) == 1 else (0, len(source))


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


def coordinates(rendered: str, position: int, source: Sequence[str], numbers: Sequence[int]) -> tuple[int, int]:
    """Line and column in the source of a position in the rendered text; both 0 where no line fits."""
    index = rendered.count("\n", 0, position)
    number = numbers[index] if index < len(numbers) else 0
    if not number:
        return 0, 0
    line, there = rendered.split("\n")[index], source[number - 1]
    inside = position - rendered.rfind("\n", 0, position) - 1 - indent(line)
    same = line.strip() == there.strip()
    return number, indent(there) + 1 + (max(inside, 0) if same else 0)


def origin(value: Any, candidates: Iterable[Document]) -> Document | None:
    """The document that an object was built from: of its kind, and of its name or the longest part of it."""
    name = _name(value)
    same_kind = [each for each in candidates if mapping(each.value).get("kind") == mapping(value).get("kind")]
    alike = [each for each in same_kind if _name(each.value) and _name(each.value) in name]
    return max(alike, key=lambda each: len(_name(each.value)), default=None)


def _name(value: Any) -> str:
    return text(mapping(mapping(value).get("metadata")).get("name"))
