"""PostgreSQL's list of those who may come in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from eks6check.catalog import rule
from eks6check.facts import Gap
from eks6check.facts.embedded import walk
from eks6check.facts.kube import Resource, mapping, sequence, text, wire
from eks6check.facts.mounts import places_of, readers
from eks6check.facts.pg_hba import without_ipv6
from eks6check.facts.texts import Text, texts
from eks6check.facts.unparsed import unparsed
from eks6check.findings import Problem, Severity

CLOUDNATIVE_PG = "cnpg.io/"
"""Prefix of the labels of CloudNativePG, which appends ``host all all all`` itself; CNPG#1393, read 2026-11-22."""


@rule
def postgres_hba_ipv4_only(
    config_maps: Sequence[Resource], workloads: Sequence[Resource] = (), operator_objects: Sequence[Resource] = ()
) -> Iterator[Problem | Gap]:
    """Clients come over IPv6, and a line for IPv4 addresses never matches them; one finding for each file."""
    used = readers(workloads)
    for config_map in config_maps:
        if any(str(label).startswith(CLOUDNATIVE_PG) for label in config_map.labels):
            continue
        users = used.get((config_map.namespace, config_map.name), [])
        for each in texts(config_map):
            yield from _judged(config_map, each, users)
        yield from unparsed(config_map, "pg_hba")
    for workload in workloads:
        for each in texts(workload):
            yield from _judged(workload, each, [workload])
    for database in operator_objects:
        for each in _lists(database):
            yield from _judged(database, each, [database])


def _lists(database: Resource) -> Iterator[Text]:
    """The lines that an operator writes to the file, each list as one text."""
    for path, item in walk(database.get("spec"), ("spec",)):
        lines = sequence(mapping(item).get("pg_hba"))
        if lines:
            yield Text((*path, "pg_hba"), "its pg_hba", "", "\n".join(map(text, lines)))


def _judged(resource: Resource, each: Text, users: Sequence[Resource]) -> Iterator[Problem]:
    missing, others_come_in = without_ipv6(each.value)
    if not missing:
        return
    line = missing[0]
    whom = f"user {line.user} on database {line.database}" if others_come_in else "anybody"
    key = wire(each.path[-1]) if resource.kind == "ConfigMap" else each.where
    yield Problem(
        resource,
        f"{resource} has PostgreSQL admit `{line.text}` in {key}; no line admits {whom} over IPv6, "
        f"as `{line.twin}` would.",
        at=each.path,
        find=line.text,
        skip=each.value.count(line.text, 0, line.start),
        evidence={"key": key, "line": line.text, "twin": line.twin, "lines": [each.text for each in missing]},
        key=key,
        severity=Severity.BLOCKER if users and not others_come_in else Severity.WARNING,
        also=places_of(users, resource),
    )
