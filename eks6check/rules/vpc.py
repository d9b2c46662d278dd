"""The VPC as a whole: its IPv6 block, and what keeps it from the internet."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from eks6check.catalog import rule
from eks6check.facts import Places, network
from eks6check.facts.phrases import phrase
from eks6check.facts.routes import IPV4_DEFAULT, IPV6_DEFAULT, default_route, in_effect, leads_to
from eks6check.findings import Confidence, Problem

if TYPE_CHECKING:
    from eks6check.facts.aws import (
        AutoScalingGroup,
        Cluster,
        FargateProfile,
        Instance,
        NodeGroup,
        RouteTable,
        Subnet,
        Vpc,
    )

    Use = tuple[Subnet, str]
    """A subnet and the gateway that its pods count on."""


@rule
def vpc_without_ipv6_block(vpcs: Sequence[Vpc], clusters: Sequence[Cluster]) -> Iterator[Problem]:
    """A block of any length will do: Amazon's own is a /56, one from IPAM or brought along may differ."""
    serves = {cluster.vpc_id: cluster for cluster in clusters}
    for vpc in vpcs:
        if vpc.id in serves and not vpc.ipv6_cidr_blocks:
            yield Problem(
                vpc,
                f"{vpc}, the VPC of cluster {serves[vpc.id]}, has no IPv6 block for its subnets to take theirs from.",
                evidence={"vpc": vpc.id, "cidr_blocks": sorted(vpc.cidr_blocks)},
            )


@rule
def private_ipv6_block_cannot_egress(  # noqa: PLR0913, PLR0917  a rule's parameters are the facts that it needs
    vpcs: Sequence[Vpc],
    subnets: Sequence[Subnet],
    route_tables: Sequence[RouteTable],
    clusters: Sequence[Cluster] = (),
    node_groups: Sequence[NodeGroup] = (),
    instances: Sequence[Instance] = (),
    fargate_profiles: Sequence[FargateProfile] = (),
    auto_scaling_groups: Sequence[AutoScalingGroup] = (),
) -> Iterator[Problem]:
    """Only subnets that have no public block beside it, and whose way out is a gateway of the internet.

    A transit gateway, a proxy or a firewall may well carry private addresses further.
    """
    serves = network.pod_uses(subnets, clusters, node_groups, instances, fargate_profiles, auto_scaling_groups)
    served = list(in_effect(serves, subnets, route_tables))
    for vpc in vpcs:
        stuck = [
            (subnet, route.target)
            for subnet, table in served
            if subnet.vpc_id == vpc.id and network.inside(subnet.ipv6_cidr_blocks, vpc.private_ipv6_cidr_blocks)
            if (route := default_route(table, IPV6_DEFAULT)) and leads_to(route, "igw-", "eigw-")
        ]
        if stuck:
            yield without_announcement(vpc, stuck)


def without_announcement(vpc: Vpc, stuck: Sequence[Use]) -> Problem:
    """The problem of a VPC whose private block these subnets use, each with the gateway that carries none of it."""
    names, gateways = sorted(subnet.id for subnet, _ in stuck), sorted({target for _, target in stuck})
    blocks = sorted(vpc.private_ipv6_cidr_blocks)
    return Problem(
        vpc,
        f"{phrase(names)} of {vpc} {'has' if len(names) == 1 else 'have'} only private IPv6 addresses, out of "
        f"{phrase(blocks)}, and {'sends' if len(names) == 1 else 'send'} ::/0 to {phrase(gateways)}, "
        f"which {'carries' if len(gateways) == 1 else 'carry'} none of them.",
        evidence={"vpc": vpc.id, "private_ipv6_cidr_blocks": blocks, "subnets": names, "gateways": gateways},
        also=places(stuck),
    )


def places(found: Iterable[Use]) -> Places:
    """The subnets as further places of a finding, in the order of their ids."""
    return tuple((subnet, ()) for subnet in sorted((subnet for subnet, _ in found), key=lambda subnet: subnet.id))


@rule
def public_access_block_stops_egress(  # noqa: PLR0913, PLR0917  likewise
    vpcs: Sequence[Vpc],
    subnets: Sequence[Subnet],
    route_tables: Sequence[RouteTable],
    clusters: Sequence[Cluster] = (),
    node_groups: Sequence[NodeGroup] = (),
    instances: Sequence[Instance] = (),
    fargate_profiles: Sequence[FargateProfile] = (),
    auto_scaling_groups: Sequence[AutoScalingGroup] = (),
) -> Iterator[Problem]:
    """Only subnets that count on a gateway of this VPC; a transit gateway's way out is not blocked here."""
    serves = network.pod_uses(subnets, clusters, node_groups, instances, fargate_profiles, auto_scaling_groups)
    known = {vpc.id: vpc for vpc in vpcs}
    blocked: dict[str, list[Use]] = defaultdict(list)
    for subnet, table in in_effect(serves, subnets, route_tables):
        vpc = known.get(subnet.vpc_id)
        mode = subnet.internet_gateway_block_mode or (vpc.internet_gateway_block_mode if vpc else "")
        if vpc and mode == "block-bidirectional" and (gateway := way_out(table)):
            blocked[vpc.id].append((subnet, gateway))
    for vpc_id, found in blocked.items():
        names, gateways = sorted(subnet.id for subnet, _ in found), sorted({target for _, target in found})
        yield Problem(
            known[vpc_id],
            f"Block Public Access is block-bidirectional for {phrase(names)} of {vpc_id}, so nothing leaves "
            f"through {phrase(gateways)}.",
            evidence={"vpc": vpc_id, "mode": "block-bidirectional", "subnets": names, "gateways": gateways},
            # EC2's reference does not say whether a subnet's state has exclusions applied.
            confidence=Confidence.MEDIUM,
            also=places(found),
        )


def way_out(table: RouteTable) -> str:
    """The gateway of this VPC that a table's default routes lead to, IPv6's first; empty where there is none."""
    routes = (default_route(table, each) for each in (IPV6_DEFAULT, IPV4_DEFAULT))
    found = next((route for route in routes if route), None)
    return found.target if found and leads_to(found, "eigw-", "igw-", "nat-") else ""
