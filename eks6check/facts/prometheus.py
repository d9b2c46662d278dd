"""Prometheus: relabelling rules and fixed targets, out of its own configuration and out of its operator's objects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from eks6check.facts import Path, alloy
from eks6check.facts.embedded import Embedded, documents_in, embedded, walk
from eks6check.facts.kube import Resource, mapping, sequence, text
from eks6check.facts.patterns import regex

MARKER = regex(r"relabel_configs|static_configs|ip_protocol_fallback")
CONFIG = ("spec", "config")
"""Where the OpenTelemetry operator takes a configuration: as YAML, and before its API v1beta1 as text."""

RELABELLINGS = frozenset({"relabel_configs", "relabelings", "relabelConfigs"})
TARGETS = frozenset({"static_configs", "staticConfigs"})


class Place(NamedTuple):
    """Where a value stands: the path inside the object, and the text there of a document inside a ConfigMap."""

    path: Path
    find: str = ""
    source: Embedded | None = None

    @property
    def skip(self) -> int:
        """How many of the same texts stand before it."""
        return self.source.skip(self.find) if self.source else 0


class Relabelling(NamedTuple):
    """One rule that rewrites labels of a target, with the defaults of Prometheus where it leaves a field out."""

    place: Place
    sources: tuple[str, ...]
    target: str
    regex: str
    replacement: str
    action: str


class Document(NamedTuple):
    """A configuration: an object of the operator, or a document inside a ConfigMap."""

    body: Any
    path: Path = ()
    source: Embedded | None = None

    def place(self, path: Path, word: object) -> Place:
        """The place of a value: its own path in an object, the text of it inside a ConfigMap's value."""
        return Place(self.path, text(word), self.source) if self.source else Place((*self.path, *path))


def documents(resource: Resource) -> Iterator[Document]:
    """The configurations that an object holds."""
    if resource.kind == "ConfigMap":
        for each in (*embedded(resource, MARKER), *alloy.relabellings(resource)):
            yield Document(each.body, each.path, each)
    else:
        yield Document(resource.get("spec"), ("spec",))
        config = resource.get(*CONFIG)
        if isinstance(config, str) and MARKER.search(config):
            for each in documents_in(CONFIG, config):
                yield Document(each.body, CONFIG, each)


def relabellings(document: Document) -> Iterator[list[Relabelling]]:
    """The rules for targets, list by list, as they apply one after the other; not those for metrics."""
    for path, item in walk(document.body):
        if isinstance(item, list) and path and path[-1] in RELABELLINGS:
            yield [_rule(document, (*path, index), mapping(each)) for index, each in enumerate(item)]


def _rule(document: Document, path: Path, body: Mapping[str, Any]) -> Relabelling:
    sources = body.get("source_labels", body.get("sourceLabels"))
    key, regex = "regex", body.get("regex")
    if not regex:
        key, regex = "replacement", body.get("replacement", "")
    return Relabelling(
        document.place((*path, key) if regex else path, regex),
        tuple(text(each) for each in (sequence(sources) or [sources])),
        text(body.get("target_label", body.get("targetLabel"))),
        text(body.get("regex")) or "(.*)",
        text(body.get("replacement")) or "$1",
        text(body.get("action")).lower() or "replace",
    )


class Target(NamedTuple):
    """A target that is written down, and where."""

    place: Place
    address: str


def targets(document: Document) -> Iterator[Target]:
    """The targets of every static configuration."""
    for path, item in walk(document.body):
        if isinstance(item, list) and path and path[-1] in TARGETS:
            for index, group in enumerate(map(mapping, item)):
                for position, target in enumerate(sequence(group.get("targets"))):
                    place = (*path, index, "targets", position)
                    yield Target(document.place(place, target), text(target))


class Module(NamedTuple):
    """A module of the blackbox exporter that asks for one family and takes no other, and where it says so."""

    place: Place
    name: str


def ipv4_only_modules(document: Document) -> Iterator[Module]:
    """The modules with ``preferred_ip_protocol: ip4`` and no fallback to the other family."""
    for path, item in walk(document.body):
        fixed = isinstance(item, dict) and text(item.get("ip_protocol_fallback")).lower() == "false"
        if fixed and text(item.get("preferred_ip_protocol")) == "ip4":
            place = document.place((*path, "preferred_ip_protocol"), item["preferred_ip_protocol"])
            yield Module(place, ".".join(map(str, path[1:2])))
