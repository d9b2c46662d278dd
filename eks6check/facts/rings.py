"""The rings of Loki, Mimir, Tempo and Cortex: which of them look for an IPv6 address of their own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from eks6check.facts import Path
from eks6check.facts.embedded import Embedded, embedded, walk
from eks6check.facts.kube import Resource, mapping, sequence, text
from eks6check.facts.patterns import regex

MARKER = regex(r"\bmemberlist\b|\blifecycler\b|\bkvstore\b")
PARTS = frozenset({"common", "compactor", "distributor", "frontend", "ingester", "limits", "limits_config", "querier"})
"""Sections of which each of the four programs has some at the top of its configuration."""

RINGS = frozenset({"lifecycler", "ring", "sharding_ring"})
SWITCHES = ("instance_enable_ipv6", "enable_inet6")
ADDRESSES = ("instance_addr", "address")
"""Fields of a ring: may it use IPv6, and an address that spares it the search."""


class Fault(NamedTuple):
    """A part of a configuration that finds or opens IPv4 alone: its path in words, the field to set, and its place."""

    source: Embedded
    part: str
    field: str
    start: int


def faults(config_map: Resource) -> Iterator[Fault]:
    """Every ring without IPv6, and a memberlist that binds IPv4, in the configurations of a ConfigMap."""
    for each in embedded(config_map, MARKER):
        body = mapping(each.body)
        if PARTS & body.keys():
            yield from _rings(each, body)
            yield from _memberlist(each, mapping(body.get("memberlist")))


def _rings(source: Embedded, body: Mapping[str, Any]) -> Iterator[Fault]:
    """Rings that are configured and look for IPv4; Loki's take over what ``common`` says."""
    common = mapping(body.get("common"))
    if _knows_ipv6(common) or _knows_ipv6(mapping(common.get("ring"))):
        return
    for path, ring in walk(body):
        inside = len(path) > 1 and path[-2] in RINGS
        if path and path[-1] in RINGS and isinstance(ring, dict) and not inside and not _knows_ipv6(ring):
            field = "enable_inet6" if path[-1] == "lifecycler" else "instance_enable_ipv6"
            yield Fault(source, ".".join(map(str, path)), field, _start(path, body))


def _knows_ipv6(ring: Mapping[str, Any]) -> bool:
    return any(text(ring.get(key)) == "true" for key in SWITCHES) or any(text(ring.get(key)) for key in ADDRESSES)


def _memberlist(source: Embedded, memberlist: Mapping[str, Any]) -> Iterator[Fault]:
    bound = memberlist.get("bind_addr")
    addresses = [text(each) for each in sequence(bound)] or [text(bound)]
    if memberlist.get("join_members") and not any(":" in each or "$" in each for each in addresses):
        yield Fault(source, "memberlist", "bind_addr", _start(("memberlist", "join_members"), source.body))


def _start(path: Path, body: Any) -> int:
    """Where the first scalar below a path stands, which is on the line of its key or just after."""
    for key in path:
        body = body[key]
    waiting = [body]
    while waiting:
        item = waiting.pop()
        if hasattr(item, "start"):
            return int(item.start)
        children = item.values() if isinstance(item, dict) else item if isinstance(item, list) else ()
        waiting.extend(child for child in reversed(list(children)) if child is not item)
    return 0
