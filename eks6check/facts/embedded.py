"""YAML and JSON inside the values of ConfigMaps, with the place of every scalar kept."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

import yaml

from eks6check.facts import Gap, Path
from eks6check.facts.config_maps import entries
from eks6check.facts.kube import Resource, wire
from eks6check.facts.patterns import regex
from eks6check.facts.unread import TEMPLATE, UNRENDERED, unread

NAME = regex(r"\.(?:ya?ml|json)(?:\.\w+)?$|^[^.]+$")
"""Keys that are YAML or JSON by their ending, or may be for having none; not scripts and pages with an example."""

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


class Parsed(NamedTuple):
    """What a text says, document by document, or why it says nothing, and where that shows, in characters."""

    bodies: tuple[Any, ...] = ()
    fault: str = ""
    at: int = 0


def embedded(config_map: Resource, marker: re.Pattern[str]) -> Iterator[Embedded]:
    """Every document of a ConfigMap whose value a pattern finds. A value that does not parse holds none."""
    for key, value in _marked(config_map, marker):
        yield from documents_in(("data", key), value)


def documents_in(path: Path, value: str) -> Iterator[Embedded]:
    """Every document of a text; none where it does not parse."""
    for body in parse(value).bodies:
        yield Embedded(path, value, body)


def unparsed(config_map: Resource, marker: re.Pattern[str]) -> Iterator[Gap]:
    """A gap for each value that a pattern finds, that is YAML or JSON by its key, and that cannot be read."""
    for key, value in _marked(config_map, marker):
        parsed = parse(value)
        if parsed.fault and NAME.search(wire(key)) and not value.startswith("#!"):
            yield unread(config_map, key, value, parsed.fault, parsed.at)


def _marked(config_map: Resource, marker: re.Pattern[str]) -> Iterator[tuple[str, str]]:
    for key, _, value in entries(config_map):
        if marker.search(value):
            yield key, value


@lru_cache(maxsize=16)
def parse(value: str) -> Parsed:
    """The documents of a text in YAML or JSON. Several rules read the same; none may change what it is given."""
    text = value.replace("\t", " ") if value.lstrip()[:1] in ("{", "[") else value  # JSON takes tabs, and YAML does not
    try:
        nodes = list(yaml.compose_all(text, Loader=LOADER))
        template = next(filter(None, map(_template, nodes)), None)
        bodies = tuple(_plain(node, {}) for node in nodes)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        return Parsed(fault=_said(value, error), at=mark.index if mark else 0)
    return Parsed(bodies, UNRENDERED, template.start_mark.index) if template else Parsed(bodies)


def _said(value: str, error: Exception) -> str:
    if TEMPLATE.search(value):
        return UNRENDERED
    if isinstance(error, RecursionError):
        return "is nested too deep"
    return f"is no YAML: {getattr(error, 'problem', None) or type(error).__name__}"


def _template(root: yaml.Node | None) -> yaml.Node | None:
    """The first ``{{ }}`` outside quotes: to YAML a mapping for a key."""
    seen, waiting = set[int](), [root]
    while waiting:
        node = waiting.pop()
        if id(node) in seen or not isinstance(node, yaml.CollectionNode):
            continue
        seen.add(id(node))
        pairs = node.value if isinstance(node, yaml.MappingNode) else [(None, item) for item in node.value]
        if found := next((key for key, _ in pairs if isinstance(key, yaml.MappingNode)), None):
            return found
        waiting.extend(item for _, item in pairs)
    return None


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


def strings(value: Any, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Every text inside a value with the path to it."""
    for place, item in walk(value, path):
        for key, child in item.items() if isinstance(item, dict) else enumerate(item):
            if isinstance(child, str):
                yield (*place, key), child
