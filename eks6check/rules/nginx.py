"""nginx: a bare port is IPv4 alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from eks6check.catalog import rule
from eks6check.facts.callers import Place, callers
from eks6check.facts.kube import Resource, containers, mapping, wire
from eks6check.facts.mounts import by_name, files
from eks6check.facts.nginx import Listen, servers
from eks6check.findings import Problem, Severity


@rule
def nginx_listens_on_ipv4_only(
    config_maps: Sequence[Resource], workloads: Sequence[Resource] = (), services: Sequence[Resource] = ()
) -> Iterator[Problem]:
    """Each server block needs an IPv6 ``listen`` for each of its ports; one finding for each file of a ConfigMap."""
    for config_map in config_maps:
        for key, value in mapping(config_map.get("data")).items():
            found = servers(value) if isinstance(value, str) else []
            missing = [each for server in found for each in without_twin(server)]
            if missing:
                elsewhere = {each.port for server in found for each in server if each.ipv6}
                yield _finding(
                    config_map, key, missing, elsewhere, _callers(config_map, key, missing, workloads, services)
                )


def without_twin(server: Sequence[Listen]) -> list[Listen]:
    """The IPv4 wildcards of a server block that have no IPv6 address on the same port beside them."""
    ports = {each.port for each in server if each.ipv6}
    return [each for each in server if each.ipv4_wildcard and each.port not in ports]


def _callers(
    config_map: Resource,
    key: str,
    missing: Sequence[Listen],
    workloads: Sequence[Resource],
    services: Sequence[Resource],
) -> list[Place]:
    known, asked = by_name([config_map]), {each.port for each in missing}
    found: list[Place] = []
    for workload in workloads:
        for container in containers(workload):
            mounted = any(given.path[-1] == key for given in files(workload, container, known))
            told = any(word.endswith(f"/{config_map.name}") for _, word in container.arguments())
            if workload.namespace == config_map.namespace and (mounted or told):
                found.extend(callers(workload, container, services, asked))
    return found


def _finding(
    config_map: Resource, key: str, missing: Sequence[Listen], elsewhere: set[str], reached: Sequence[Place]
) -> Problem:
    first = next((each for each in missing if each.port not in elsewhere), missing[0])
    value = str(config_map.get("data", key))
    refused = first.port not in elsewhere
    what = "nothing answers" if refused else "another server block answers"
    lines = list(dict.fromkeys(each.text for each in missing))
    return Problem(
        config_map,
        f"{config_map} has nginx `{first.text}` in {wire(key)} with no IPv6 twin in the same server block: over IPv6 "
        f"{what}. `{first.twin}` is missing.",
        at=("data", key),
        find=first.text,
        skip=value.count(first.text, 0, first.start),
        evidence={
            "key": wire(key),
            "listen": first.text,
            "twin": first.twin,
            "all": lines,
        },
        key=wire(key),
        severity=Severity.BLOCKER if reached and refused else Severity.WARNING,
        also=tuple(reached),
    )
