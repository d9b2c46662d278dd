"""YAML events made into plain values: mappings, lists and scalars as kubectl reads them, with the places if asked.

libyaml gives the events where PyYAML was built with it, PyYAML's own parser elsewhere. Nothing here recurses, and
what aliases stand for is counted, so that no document can exhaust the stack or the memory.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
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

PARSER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""Only its events are used: nothing is constructed."""

DEEPEST = 256
"""Levels of nesting. The deepest CustomResourceDefinitions have about 60; a rule that recurses needs a few for each."""

MOST_ALIASED = 1_000_000
"""Values that the aliases of one document may stand for, taken together."""

TRUE = frozenset("true True TRUE y Y yes Yes YES on On ON".split())
FALSE = frozenset("false False FALSE n N no No NO off Off OFF".split())
NULL = frozenset(["", "~", "null", "Null", "NULL"])
"""How kubectl 1.36 reads scalars, each tried with ``kubectl create --dry-run=client -o json`` on 2026-11-22."""

INTEGER = re.compile(r"[-+]?(?:0[bB][01]+|0[oO]?[0-7]+|0[xX][0-9a-fA-F]+|[1-9][0-9]*|0)")
FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
OLD_OCTAL = re.compile(r"([-+]?)0([0-7]+)")
NUMBERS_BEGIN = frozenset("+-.0123456789")
LONGEST_NUMBER = 64

TYPED = frozenset(f"tag:yaml.org,2002:{name}" for name in ("bool", "float", "int", "null"))

MERGE = "".join(["<", "<"])
"""A plain ``<<``, told by identity from a quoted one, which is a key like any other."""

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


def build(text: str, places: Places | None = None) -> Built:  # noqa: C901, PLR0912, PLR0915  one loop: a call for each event would halve the speed
    """The one document of a text; with ``places``, they are filled in.

    Raises:
        yaml.YAMLError: the text is not YAML.
        Refused: it is, and cannot be used.
    """
    next_event = PARSER(text).get_event
    root: list[Any] = []
    current: Any = root
    key: Any = UNSET
    at = 0
    place: Any = None
    stack: list[tuple[Any, Any, int, int, str | None]] = []
    anchors: dict[str, tuple[Any, Any]] = {}
    merges: dict[int, list[dict[str, Any]]] = {}
    repeated: list[tuple[str, int]] = []
    aliased = 0
    if places is not None:
        places[id(root)] = {}
    while True:
        event = next_event()
        kind = event.__class__
        if kind is ScalarEvent:
            value = event.value
            if event.implicit[0] or event.tag in TYPED:
                value = RESOLVED[value]
            if places is not None:
                place = Place(0, event.start_mark.index, event.end_mark.index, event.value, event.style or "")
            if event.anchor:
                anchors[event.anchor] = value, place
        elif kind is MappingStartEvent or kind is SequenceStartEvent:
            start = event.start_mark.index
            stack.append((current, key, at, start, event.anchor))
            if len(stack) > DEEPEST:
                raise Refused(f"it is nested deeper than {DEEPEST} levels", start)
            current, key = {} if kind is MappingStartEvent else [], UNSET
            if places is not None:
                places[id(current)] = {}
            continue
        elif kind is MappingEndEvent or kind is SequenceEndEvent:
            if merges:
                merge(current, merges.pop(id(current), ()), places)
            value = current
            current, key, at, start, anchor = stack.pop()
            if places is not None:
                place = Place(0, start, event.end_mark.index)
            if anchor:
                anchors[anchor] = value, place
        elif kind is AliasEvent:
            if event.anchor not in anchors:
                raise Refused(f"the alias *{event.anchor} has no anchor before it", event.start_mark.index)
            value, place = anchors[event.anchor]
            aliased += size(value, MOST_ALIASED, DEEPEST - len(stack))
            if aliased > MOST_ALIASED:
                raise Refused(f"its aliases stand for more than {MOST_ALIASED:,} values", event.start_mark.index)
        elif kind is StreamEndEvent:
            return Built(root, repeated)
        else:
            continue
        if current.__class__ is list:
            if places is not None:
                places[id(current)][len(current)] = place._replace(at=event.start_mark.index if kind is not SequenceEndEvent and kind is not MappingEndEvent else place.start)
            current.append(value)
        elif key is UNSET:
            at = event.start_mark.index
            if value.__class__ is str:
                key = value
            else:
                key = key_name(value, at if place is None else place.start)
        else:
            if key is MERGE:
                merges.setdefault(id(current), []).extend(mergeable(value, at))
            else:
                if key in current:
                    repeated.append((key, at))
                current[key] = value
                if places is not None:
                    places[id(current)][key] = place._replace(at=at)
            key = UNSET
