"""Loki, Mimir, Tempo and Cortex: members of a ring that look for an IPv4 address of their own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from eks6check.catalog import rule
from eks6check.facts.kube import Resource
from eks6check.facts.rings import Fault, faults
from eks6check.findings import Problem


@rule
def ring_member_ipv4_only(config_maps: Sequence[Resource]) -> Iterator[Problem]:
    """A member announces an address of its own network interface; without the switch only IPv4 ones count."""
    for config_map in config_maps:
        if found := list(faults(config_map)):
            first = found[0]
            find, skip = _line(first)
            wanted = ", ".join(f"{each.part} without {each.field}" for each in found)
            yield Problem(
                config_map,
                f"{config_map} configures {wanted}; in an IPv6 cluster a member finds no address of its own and stops.",
                at=first.source.path,
                find=find,
                skip=skip,
                evidence={"missing": [f"{each.part}.{each.field}" for each in found], "key": first.source.path[-1]},
            )


def _line(fault: Fault) -> tuple[str, int]:
    """The text of the line where the part begins, and how many of the same stand before it."""
    value = fault.source.value
    start = value.rfind("\n", 0, fault.start) + 1
    line = value[start:].partition("\n")[0].strip()
    return line, value.count(line, 0, start) if line else 0
