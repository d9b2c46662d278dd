"""Routes to other networks: peerings, transit gateways and VPNs that know IPv4 only."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from ipaddress import IPv4Network
from typing import TYPE_CHECKING

from eks6check.catalog import rule
from eks6check.facts import network
from eks6check.facts.phrases import phrase
from eks6check.facts.routes import in_effect, leads_to
from eks6check.findings import Problem

if TYPE_CHECKING:
    from eks6check.facts.aws import AutoScalingGroup, Cluster, FargateProfile, Instance, NodeGroup, RouteTable, Subnet

PEERS: Mapping[str, str] = {
    "pcx-": "peering connection",
    "tgw-": "transit gateway",
    "vgw-": "virtual private gateway",
    "arn:": "core network",
}
"""Ways to other networks by the beginning of their id; the only ARN among targets of routes is a core network's."""

LINK_LOCAL = IPv4Network("169.254.0.0/16")

SHOWN = 5
"""Destinations that a message names before it counts the others."""


@rule
def peer_route_without_ipv6(  # noqa: PLR0913, PLR0917  a rule's parameters are the facts that it needs
    subnets: Sequence[Subnet],
    route_tables: Sequence[RouteTable],
    clusters: Sequence[Cluster] = (),
    node_groups: Sequence[NodeGroup] = (),
    instances: Sequence[Instance] = (),
    fargate_profiles: Sequence[FargateProfile] = (),
    auto_scaling_groups: Sequence[AutoScalingGroup] = (),
) -> Iterator[Problem]:
    """A peer is told once, whatever the number of tables that lead to it; a default route is another rule's matter."""
    serves = network.pod_uses(subnets, clusters, node_groups, instances, fargate_profiles, auto_scaling_groups)
    tables = {table.id: table for _, table in in_effect(serves, subnets, route_tables)}
    lacking: dict[str, dict[str, list[str]]] = defaultdict(dict)
    for name in sorted(tables):
        for target, destinations in ipv4_peers(tables[name]).items():
            lacking[target][name] = destinations
    for target, found in sorted(lacking.items()):
        yield one_sided(target, found, tables)


def one_sided(target: str, found: Mapping[str, Sequence[str]], tables: Mapping[str, RouteTable]) -> Problem:
    """The problem of a peer, with the tables that lead to it and the destinations there."""
    kind = next(kind for kind in PEERS if target.startswith(kind))
    first, *others = (tables[name] for name in found)
    destinations = sorted({each for part in found.values() for each in part})
    return Problem(
        first,
        f"{phrase(list(found))} {'leads' if len(found) == 1 else 'lead'} "
        f"{phrase(destinations, SHOWN)} to the {PEERS[kind]} {target}, and no IPv6 block.",
        evidence={
            "vpc": first.vpc_id,
            "route_table": first.id,
            "route_tables": list(found),
            "target": target,
            "destinations": destinations,
        },
        key=target,
        remedy=PEERS[kind].replace(" ", "-"),
        also=tuple((table, ()) for table in others),
    )


def ipv4_peers(table: RouteTable) -> Mapping[str, list[str]]:
    """The peers that a table leads to for IPv4 blocks and for nothing else, each with those blocks."""
    found: dict[str, list[str]] = defaultdict(list)
    for route in table.routes:
        if leads_to(route, *PEERS):
            found[route.target].append(route.destination)
    return {
        target: specific
        for target, destinations in found.items()
        if all(map(is_ipv4, destinations)) and (specific := [each for each in destinations if is_specific(each)])
    }


def is_ipv4(destination: str) -> bool:
    """Whether a destination is an IPv4 block; a prefix list may be of either family, so it is not."""
    return network.ipv4_network(destination) is not None


def is_specific(block: str) -> bool:
    """Whether an IPv4 block is another network: not everywhere, nor the addresses of a link."""
    found = network.ipv4_network(block)
    return found is not None and found.prefixlen > 0 and not found.subnet_of(LINK_LOCAL)
