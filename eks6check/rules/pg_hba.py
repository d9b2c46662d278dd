"""PostgreSQL's list of those who may come in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from eks6check.catalog import rule
from eks6check.facts.kube import Resource, mapping, wire
from eks6check.facts.pg_hba import without_ipv6
from eks6check.facts.variables import readers
from eks6check.findings import Problem, Severity

CLOUDNATIVE_PG = "cnpg.io/"
"""Prefix of the labels of CloudNativePG, which appends ``host all all all`` itself; CNPG#1393, read 2026-11-22."""


@rule
def postgres_hba_ipv4_only(config_maps: Sequence[Resource], workloads: Sequence[Resource] = ()) -> Iterator[Problem]:
    """Clients come over IPv6, and a line for IPv4 addresses never matches them; one finding for each file."""
    used = readers(workloads)
    for config_map in config_maps:
        if any(str(label).startswith(CLOUDNATIVE_PG) for label in config_map.labels):
            continue
        users = used.get((config_map.namespace, config_map.name), [])
        for key, value in mapping(config_map.get("data")).items():
            if isinstance(value, str):
                yield from _of_file(config_map, key, value, users)


def _of_file(config_map: Resource, key: str, value: str, users: Sequence[Resource]) -> Iterator[Problem]:
    missing, others_come_in = without_ipv6(value)
    if not missing:
        return
    line = missing[0]
    whom = f"user {line.user} on database {line.database}" if others_come_in else "anybody"
    yield Problem(
        config_map,
        f"{config_map} has PostgreSQL admit `{line.text}` in {wire(key)}; no line admits {whom} over IPv6, "
        f"as `{line.twin}` would.",
        at=("data", key),
        find=line.text,
        skip=value.count(line.text, 0, line.start),
        evidence={"key": wire(key), "line": line.text, "twin": line.twin, "lines": [each.text for each in missing]},
        key=wire(key),
        severity=Severity.BLOCKER if users and not others_come_in else Severity.WARNING,
        also=tuple((user, ("metadata", "name")) for user in users),
    )
