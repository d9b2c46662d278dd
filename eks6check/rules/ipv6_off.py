"""Pods that switch IPv6 off, and with it their only address."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from eks6check.catalog import rule
from eks6check.facts import Path, elsewhere
from eks6check.facts.kube import Resource, mapping, on_host_network, pod_spec, sequence, text, wire
from eks6check.facts.mentions import commented
from eks6check.facts.mounts import places_of, readers
from eks6check.facts.patterns import regex
from eks6check.facts.texts import texts
from eks6check.findings import Problem, Severity

INTERFACES = frozenset({"all", "default", "eth0", "*"})
"""The interfaces of a pod that carry its address. ``lo`` carries none, and programs that talk to ``::1`` miss it."""

SWITCH = r"net[./]ipv6[./]conf[./](?P<interface>all|default|eth0|lo|\*|\$\{?\w+\}?)[./]disable_ipv6"
NAME = regex(SWITCH)
WRITTEN = regex(
    rf"""
    {SWITCH} \s*=\s* ["']?1\b
    | \b(?:echo|printf) \s+ (?:-\w+\s+)? ["']?1(?:\\n)?["']? \s*
        (?: > | \|\s*(?:sudo\s+)?tee ) \s* ["']?(?:/[\w.-]+)*/proc/sys/{SWITCH.replace("?P<interface>", "?P<file>")}
    """,
    re.VERBOSE,
)
"""A sysctl on a command line or in ``sysctl.conf``, or the file behind it, with 1 written to it."""


class Off(NamedTuple):
    """IPv6 switched off: where, on which interface, and the text that does so."""

    path: Path
    where: str
    interface: str
    find: str
    skip: int = 0


@rule
def ipv6_off_in_pod(workloads: Sequence[Resource], config_maps: Sequence[Resource] = ()) -> Iterator[Problem]:
    """One finding for each workload, and each ConfigMap that holds the script or the sysctl."""
    used = readers(workloads)
    for workload in workloads:
        if workload.name != "aws-node" and (found := [*_sysctls(workload), *_written(workload)]):
            yield _finding(workload, found, [workload])
    for config_map in config_maps:
        if found := list(_written(config_map)):
            yield _finding(config_map, found, used.get((config_map.namespace, config_map.name), []))


def _sysctls(workload: Resource) -> Iterator[Off]:
    path, spec = pod_spec(workload)
    for index, entry in enumerate(sequence(mapping(spec.get("securityContext")).get("sysctls"))):
        match = NAME.fullmatch(text(mapping(entry).get("name")))
        if match and wire(mapping(entry).get("value")) == "1":
            here = (*path, "securityContext", "sysctls", index, "value")
            yield Off(here, "its sysctls", match["interface"], "")


def _written(resource: Resource) -> Iterator[Off]:
    for each in texts(resource):
        for match in WRITTEN.finditer(each.value) if "disable_ipv6" in each.value else ():
            if not commented(each.value, match.start()):
                interface = match["interface"] or match["file"]
                yield Off(each.path, each.where, interface, match[0], each.value.count(match[0], 0, match.start()))


def _finding(resource: Resource, found: Sequence[Off], users: Sequence[Resource]) -> Problem:
    worst = min(found, key=lambda off: off.interface not in INTERFACES)
    real = worst.interface in INTERFACES
    whose = "node's" if any(map(on_host_network, users)) else "pod's"
    lost = "the loopback address ::1" if worst.interface == "lo" else f"the {whose} only address that others reach"
    return Problem(
        resource,
        f"{resource} switches IPv6 off on {worst.interface} in {worst.where}: that takes away {lost}.",
        at=worst.path,
        find=worst.find,
        skip=worst.skip,
        evidence={"where": worst.where, "interface": worst.interface, "all": [off.where for off in found]},
        severity=Severity.BLOCKER if real and users else Severity.WARNING,
        also=(*elsewhere(resource, (off.path for off in found), worst.path), *places_of(users, resource)),
    )
