"""Addresses that stand in a field of their own: whoever judges that field judges the address."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from eks6check.facts import Path, envoy, pg_hba, prometheus
from eks6check.facts.embedded import Word
from eks6check.facts.kube import Resource, mapping, wire
from eks6check.facts.source_lists import SETTINGS
from eks6check.facts.texts import texts


class Span(NamedTuple):
    """A part of a value: the path to the value, and where the part begins and ends in it, in characters."""

    path: Path
    start: int
    end: int

    def holds(self, path: Path, position: int) -> bool:
        """Whether a position inside a value belongs to the part."""
        return path == self.path and self.start <= position < self.end


def owned(resource: Resource) -> Iterator[Span]:
    """Targets of Prometheus, addresses that Envoy listens on, and those whom PostgreSQL and nginx know as clients."""
    for each in texts(resource):
        for line in pg_hba.lines(each.value):
            yield Span(each.path, line.start, line.start + len(line.text))
    if resource.kind == "ConfigMap":
        yield from _in_config_map(resource)


def _in_config_map(config_map: Resource) -> Iterator[Span]:
    for document in prometheus.documents(config_map):
        yield from (_of_word(document.path, target.address) for target in prometheus.targets(document))
    for listener in envoy.listeners(config_map):
        yield from (_of_word(listener.source.path, address) for address in listener.addresses)
    for key, value in mapping(config_map.get("data")).items():
        if isinstance(value, str) and wire(key) in SETTINGS:
            yield Span(("data", key), 0, len(value))


def _of_word(path: Path, word: str) -> Span:
    start = word.start if isinstance(word, Word) else 0
    return Span(path, start, start + len(word) + 1)  # a quote may stand before it
