"""Loki, Mimir, Tempo and Cortex: members of a ring that look for an IPv4 address of their own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from eks6check.catalog import rule
from eks6check.facts import Gap, Path
from eks6check.facts.kube import Container, Resource, containers
from eks6check.facts.mounts import ConfigMaps, by_name, files, readers
from eks6check.facts.patterns import regex
from eks6check.facts.rings import Fault, faults
from eks6check.facts.unparsed import unparsed
from eks6check.findings import Confidence, Problem, Severity

JOINS = regex(r"--?memberlist\.join\b")
SWITCHED = regex(r"--?[\w.-]*(?:instance-enable-ipv6|enable-inet6|instance-addr|memberlist\.(?:bind|advertise)-addr)\b")
"""Options of all four programs: how a member finds others, and what has it use IPv6 or an address that it is given."""

IN_FILES = regex(r"instance_enable_ipv6|enable_inet6|instance_addr|(?:bind|advertise)_addr")


@rule
def ring_member_ipv4_only(
    config_maps: Sequence[Resource], workloads: Sequence[Resource] = ()
) -> Iterator[Problem | Gap]:
    """A member announces an address of its own network interface; without the switch only IPv4 ones count."""
    used, known = readers(workloads), by_name(config_maps)
    for config_map in config_maps:
        yield from unparsed(config_map, "rings")
        users = used.get((config_map.namespace, config_map.name), [])
        found = list(faults(config_map))
        if found and not any(map(_is_switched, users)):
            yield _of_files(config_map, found)
    for workload in workloads:
        for container in containers(workload):
            path = next((path for path, word in container.arguments() if JOINS.match(word)), None)
            if path and not _is_switched(workload) and not _told_in_files(workload, container, known):
                yield _of_options(workload, container, path)


def _is_switched(workload: Resource) -> bool:
    return any(SWITCHED.match(word) for container in containers(workload) for _, word in container.arguments())


def _told_in_files(workload: Resource, container: Container, known: ConfigMaps) -> bool:
    return any(IN_FILES.search(given.value) for given in files(workload, container, known))


def _of_files(config_map: Resource, found: Sequence[Fault]) -> Problem:
    first = found[0]
    find, skip = _line(first)
    wanted = ", ".join(f"{each.part} without {each.field}" for each in found)
    return Problem(
        config_map,
        f"{config_map} configures {wanted}; in an IPv6 cluster a member finds no address of its own and stops.",
        at=first.source.path,
        find=find,
        skip=skip,
        evidence={"missing": [f"{each.part}.{each.field}" for each in found], "key": first.source.path[-1]},
    )


def _of_options(workload: Resource, container: Container, path: Path) -> Problem:
    """One that joins others by its command line; a file that is not in view may still say the rest."""
    told = any("config.file" in word for _, word in container.arguments())
    return Problem(
        workload,
        f"{workload} has {container.name} join a memberlist, and no option has it use IPv6, as -memberlist.bind-addr=::"
        f" and -ingester.ring.instance-enable-ipv6 do; in an IPv6 cluster it finds no address of its own and stops.",
        at=path,
        evidence={"container": container.name, "missing": ["memberlist.bind-addr", "instance-enable-ipv6"]},
        key=container.name,
        severity=Severity.WARNING if told else Severity.BLOCKER,
        confidence=Confidence.MEDIUM,
    )


def _line(fault: Fault) -> tuple[str, int]:
    """The text of the line where the part begins, and how many of the same stand before it."""
    value = fault.source.value
    start = value.rfind("\n", 0, fault.start) + 1
    line = value[start:].partition("\n")[0].strip()
    return line, value.count(line, 0, start) if line else 0
