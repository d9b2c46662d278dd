"""Envoy's own configuration, as YAML or JSON inside ConfigMaps: its listeners, and the names that it looks up."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from eks6check.facts.embedded import Embedded, embedded, walk
from eks6check.facts.kube import Resource, mapping, sequence, text
from eks6check.facts.patterns import regex

MARKER = regex(r"socket_?address", re.IGNORECASE)
"""What every configuration with an address holds; protobuf's JSON writes ``socketAddress``."""


class Listener(NamedTuple):
    """Where Envoy listens: ``admin`` or the listener's name, its addresses and ports, and what says so."""

    source: Embedded
    name: str
    addresses: tuple[str, ...]
    ports: tuple[str, ...] = ()


class Lookup(NamedTuple):
    """A cluster of Envoy that asks for one family: its name, the hosts it asks for, and the word that says so."""

    source: Embedded
    name: str
    hosts: tuple[str, ...]
    family: str


def field(body: Mapping[str, Any], name: str) -> Any:
    """A field by its name in YAML, ``dns_lookup_family``, or in protobuf's JSON, ``dnsLookupFamily``."""
    head, *rest = name.split("_")
    return body[name] if name in body else body.get(head + "".join(word.capitalize() for word in rest))


def configurations(config_map: Resource) -> Iterator[tuple[Embedded, list[Any], list[Any]]]:
    """Each configuration with its listeners and its clusters, from a bootstrap or a file of resources."""
    for each in embedded(config_map, MARKER):
        body = mapping(each.body)
        static = mapping(field(body, "static_resources"))
        resources = [mapping(item) for item in sequence(body.get("resources"))]
        listeners = [item for item in resources if str(item.get("@type")).endswith(".Listener")]
        clusters = [item for item in resources if str(item.get("@type")).endswith(".Cluster")]
        admin = [{"name": "admin", **mapping(body.get("admin"))}] if static and body.get("admin") else []
        yield (
            each,
            [*sequence(static.get("listeners")), *listeners, *admin],
            [*sequence(static.get("clusters")), *clusters],
        )


def listeners(config_map: Resource) -> Iterator[Listener]:
    """Every listener of every configuration of a ConfigMap, the admin's included."""
    for source, found, _ in configurations(config_map):
        for listener in map(mapping, found):
            more = [mapping(item).get("address") for item in sequence(field(listener, "additional_addresses"))]
            every = (listener.get("address"), *more)
            addresses, ports = tuple(filter(None, map(_address, every))), tuple(filter(None, map(_port, every)))
            if addresses:
                yield Listener(source, str(listener.get("name") or "without a name"), addresses, ports)


def lookups(config_map: Resource) -> Iterator[Lookup]:
    """Every cluster of every configuration that says which family it asks for."""
    for source, _, found in configurations(config_map):
        for cluster in map(mapping, found):
            family = field(cluster, "dns_lookup_family")
            if isinstance(family, str):
                inside = walk([field(cluster, "load_assignment"), cluster.get("hosts")])
                hosts = dict.fromkeys(filter(None, (_address(item) for _, item in inside)))
                yield Lookup(source, str(cluster.get("name") or "without a name"), tuple(hosts), family)


def _address(value: object) -> str:
    address = mapping(field(mapping(value), "socket_address")).get("address")
    return address if isinstance(address, str) else ""


def _port(value: object) -> str:
    return text(field(mapping(field(mapping(value), "socket_address")), "port_value"))
