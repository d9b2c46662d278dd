"""YAML and JSON inside the values of ConfigMaps, with the place of every scalar kept."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import yaml

from eks6check.facts import Path
from eks6check.facts.kube import Resource, mapping

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Word(str):
    """A scalar as it is written, quotes aside, and where it begins in the text, in characters."""

    __slots__ = ("start",)
    start: int


class Embedded(NamedTuple):
    """A document inside a ConfigMap: the path to the value, the value, and what it says. Every scalar is a ``Word``."""

    path: Path
    value: str
    body: Any

    def skip(self, word: object, find: str = "") -> int:
        """How many of the same texts stand before a word in the value; 0 for what is no word of it."""
        return self.value.count(find or str(word), 0, word.start) if isinstance(word, Word) else 0


def embedded(config_map: Resource, marker: re.Pattern[str]) -> Iterator[Embedded]:
    """Every document of a ConfigMap whose value a pattern finds. A value that does not parse holds none."""
    for key, value in mapping(config_map.get("data")).items():
        if isinstance(value, str) and marker.search(value):
            for body in _documents(value):
                yield Embedded(("data", key), value, body)


def _documents(value: str) -> list[Any]:
    try:
        return [_plain(node, {}) for node in yaml.compose_all(value, Loader=LOADER)]
    except (yaml.YAMLError, RecursionError, ValueError):
        return []


def _plain(node: yaml.Node | None, known: dict[int, Any]) -> Any:
    """Mappings, lists and words. What an alias names is made once, so that no text grows with its aliases."""
    if node is None or id(node) in known:
        return known.get(id(node))
    made: Any = None
    if isinstance(node, yaml.MappingNode):
        made = known[id(node)] = {}
        made |= {str(_plain(key, known)): _plain(item, known) for key, item in node.value}
    elif isinstance(node, yaml.SequenceNode):
        made = known[id(node)] = []
        made.extend(_plain(item, known) for item in node.value)
    elif isinstance(node, yaml.ScalarNode):
        made = known[id(node)] = Word(node.value)
        made.start = node.start_mark.index
    return made


def walk(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every mapping and list inside a value with the path to it; one that an alias repeats only once."""
    seen: set[int] = set()
    waiting: list[tuple[Path, Any]] = [(path, value)]
    while waiting:
        place, item = waiting.pop()
        if isinstance(item, dict | list) and id(item) not in seen:
            seen.add(id(item))
            yield place, item
            children = item.items() if isinstance(item, dict) else enumerate(item)
            waiting.extend(((*place, key), child) for key, child in reversed(list(children)))
