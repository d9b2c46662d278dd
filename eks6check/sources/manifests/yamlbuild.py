"""YAML events made into plain values: mappings, lists and scalars as kubectl reads them, with the places if asked.

libyaml gives the events where PyYAML was built with it, PyYAML's own parser elsewhere. Nothing here recurses, and
what aliases stand for is counted, so that no document can exhaust the stack or the memory.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Any, NamedTuple

import yaml
from yaml.events import (
    AliasEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from eks6check.facts.kube import wire
from eks6check.sources.manifests.yamlscalars import MERGE, RESOLVED, TYPED

PARSER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""Only its events are used: nothing is constructed."""

DEEPEST = 256
"""Levels of nesting. The deepest real manifest met has 30; a rule that recurses takes a few frames for each."""

MOST_ALIASED = 1_000_000
"""Values that the aliases of one document may stand for, taken together."""

TOO_DEEP = f"it is nested deeper than {DEEPEST} levels"
TOO_MANY = f"its aliases stand for more than {MOST_ALIASED:,} values"

ADDRESS_END = re.compile(r"(?<=:):(?=[,\]}])")
STAND_IN = "\ue000"
"""A colon that ends an address inside brackets, and the private character that takes its place while it is parsed."""

UNSET: Any = object()


class Refused(ValueError):  # noqa: N818  it is a reason on its way, not an error of ours
    """A document that YAML allows and kubectl does not, or that would be too big: why, and at which position."""

    def __init__(self, reason: str, position: int) -> None:
        super().__init__(reason)
        self.reason = reason
        self.position = position


class Place(NamedTuple):
    """Where an entry stands in its text, in characters from 0.

    ``at`` is its key, or the item itself in a list; ``start`` and ``end`` bound its value. Of a scalar, ``raw`` is the
    text before it became a number or the like, and ``style`` the quote or block sign, empty if it is plain.
    """

    at: int
    start: int
    end: int
    raw: str | None = None
    style: str = ""


Places = dict[int, dict[Any, Place]]
"""The entries of each mapping and list by its ``id()``."""


class Built(NamedTuple):
    """What a text holds: one value in a list, or an empty list; and the keys that stand twice, with their positions."""

    root: list[Any]
    repeated: list[tuple[str, int]]


def build(text: str, places: Places | None = None) -> Built:  # noqa: C901, PLR0912, PLR0915  one loop: a call for each event halves the speed
    """The one document of a text; with ``places``, they are filled in.

    Raises:
        yaml.YAMLError: the text is not YAML.
        Refused: it is, and cannot be used.
    """
    next_event = events(text)
    current: Any = []
    built = Built(current, [])
    key: Any = UNSET
    at = 0
    place: Any = None
    stack: list[tuple[Any, Any, int, int, str | None]] = []
    anchors: dict[str, tuple[Any, Any]] = {}
    merges: dict[int, list[dict[str, Any]]] = {}
    aliased = 0
    if places is not None:
        places[id(current)] = {}
    while True:
        event = next_event()
        kind = event.__class__
        if kind is ScalarEvent:
            value = event.value
            begin = event.start_mark.index
            if event.implicit[0] or event.tag in TYPED:
                value = RESOLVED[value]
            if places is not None:
                place = Place(begin, begin, event.end_mark.index, event.value, event.style or "")
            if event.anchor:
                anchors[event.anchor] = value, place
        elif kind is MappingStartEvent or kind is SequenceStartEvent:
            begin = event.start_mark.index
            stack.append((current, key, at, begin, event.anchor))
            if len(stack) > DEEPEST:
                raise Refused(TOO_DEEP, begin)
            current, key = {} if kind is MappingStartEvent else [], UNSET
            if places is not None:
                places[id(current)] = {}
            continue
        elif kind is MappingEndEvent or kind is SequenceEndEvent:
            if merges:
                merge(current, merges.pop(id(current), ()), places)
            value = current
            current, key, at, begin, anchor = stack.pop()
            if places is not None:
                place = Place(begin, begin, event.end_mark.index)
            if anchor:
                anchors[anchor] = value, place
        elif kind is AliasEvent:
            begin = event.start_mark.index
            if event.anchor not in anchors:
                raise Refused(f"the alias *{event.anchor} has no anchor before it", begin)
            value, place = anchors[event.anchor]
            aliased += weigh(value, MOST_ALIASED, DEEPEST - len(stack), begin)
            if aliased > MOST_ALIASED:
                raise Refused(TOO_MANY, begin)
        elif kind is StreamEndEvent:
            return built
        else:
            continue
        if current.__class__ is list:
            if places is not None:
                places[id(current)][len(current)] = place._replace(at=begin)
            current.append(value)
        elif key is UNSET:
            key, at = value if value.__class__ is str else key_name(value, begin), begin
        elif key is MERGE:
            merges.setdefault(id(current), []).extend(mergeable(value, at))
            key = UNSET
        else:
            if key in current:
                built.repeated.append((key, at))
            if places is not None:
                places[id(current)][key] = place._replace(at=at)
            current[key] = value
            key = UNSET


def events(text: str) -> Callable[[], Any]:
    """What gives the next event of a text. Reads ``[fd00::]`` as kubectl does; libyaml alone refuses it."""
    hidden = ADDRESS_END.sub(STAND_IN, text) if "::" in text and STAND_IN not in text else text
    following: Callable[[], Any] = PARSER(hidden).get_event
    if STAND_IN not in hidden:
        return following

    def shown() -> Any:
        event = following()
        if event.__class__ is ScalarEvent:
            event.value = event.value.replace(STAND_IN, ":")
        return event

    return shown


def weigh(value: object, most: int, deepest: int, position: int = 0) -> int:
    """How many values a value holds, itself included, each counted as often as it is reached.

    Raises:
        Refused: more than ``most``, or in more than ``deepest`` levels.
    """
    count, level = 0, [value]
    while level:
        count += len(level)
        deepest -= any(isinstance(each, (dict, list)) for each in level)
        if count > most:
            raise Refused(TOO_MANY, position)
        if deepest < 0:
            raise Refused(TOO_DEEP, position)
        level = list(islice(children(level), most + 1))
    return count


def children(level: Iterable[object]) -> Iterator[object]:
    """The values inside these values, one level down."""
    for each in level:
        if isinstance(each, dict):
            yield from each.values()
        elif isinstance(each, list):
            yield from each


def merge(into: dict[str, Any], sources: Iterable[dict[str, Any]], places: Places | None) -> None:
    """Add the entries of merged mappings that are not there yet: the mapping's own win, then the first source's."""
    for source in sources:
        for key in source.keys() - into.keys():
            into[key] = source[key]
            if places is not None:
                places[id(into)][key] = places[id(source)][key]


def mergeable(value: object, position: int) -> list[dict[str, Any]]:
    """The mappings that a merge key names: one, or a list of them.

    Raises:
        Refused: it names something else.
    """
    sources: list[Any] = value if isinstance(value, list) else [value]
    if not all(isinstance(source, dict) for source in sources):
        raise Refused("a merge key takes a mapping or a list of mappings", position)
    return sources


def key_name(value: object, position: int) -> str:
    """A mapping key as it stands in JSON: ``y`` and ``on`` become ``true``, ``8080`` the text of the number.

    Raises:
        Refused: the key is a mapping or a list.
    """
    if isinstance(value, (dict, list)):
        raise Refused("a mapping key must be a scalar", position)
    if isinstance(value, str):
        return value
    return "null" if value is None else wire(value)
