"""Routes: the ways out that nodes, pods and load balancers count on, and what comes in by them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from eks6check.catalog import rule
from eks6check.facts import network
from eks6check.facts.network import inside
from eks6check.findings import Confidence, Problem, Severity

if TYPE_CHECKING:
    from eks6check.facts.aws import (
        Cluster,
        EgressOnlyInternetGateway,
        FargateProfile,
        Instance,
        InternetGateway,
        NodeGroup,
        Route,
        RouteTable,
        Subnet,
        Vpc,
    )

OUTSIDE = ("igw-", "vpce-", "eni-")
"""Targets that show a subnet to the internet: the gateway, or a firewall that traffic passes before it."""


@rule
def private_subnet_without_egress_only_gateway(  # noqa: PLR0913, PLR0917  a rule's parameters are the facts that it needs
    subnets: Sequence[Subnet],
    route_tables: Sequence[RouteTable],
    egress_only_gateways: Sequence[EgressOnlyInternetGateway],
    node_groups: Sequence[NodeGroup] = (),
    instances: Sequence[Instance] = (),
    fargate_profiles: Sequence[FargateProfile] = (),
    clusters: Sequence[Cluster] = (),
) -> Iterator[Problem]:
    """Any other active target of ``::/0``, such as a transit gateway, is a way out that somebody chose.

    So is an egress-only gateway that this account cannot see, as in a shared VPC: the route's state tells of its own.
    """
    serves = network.pod_uses(subnets, clusters, node_groups, instances, fargate_profiles)
    for subnet, table in network.in_effect(serves, subnets, route_tables):
        if network.is_public(table):
            continue
        gateway = network.gateway_of(subnet.vpc_id, egress_only_gateways)
        route = network.default_route(table, network.IPV6_DEFAULT)
        if route is None or not leads_out(route, subnet, egress_only_gateways):
            yield without_egress(subnet, table, route, gateway, serves)


def leads_out(route: Route, subnet: Subnet, gateways: Sequence[EgressOnlyInternetGateway]) -> bool:
    """Whether a ``::/0`` route is active, and its target no egress-only gateway that is known to be detached."""
    detached = {gateway.id for gateway in gateways if subnet.vpc_id not in gateway.attached_vpc_ids}
    return route.state == "active" and route.target not in detached


def without_egress(
    subnet: Subnet, table: RouteTable, route: Route | None, gateway: str | None, serves: network.Serves
) -> Problem:
    """The problem with what is missing of the three, and the remedy for that."""
    if route is not None:
        state = "not attached" if route.state == "active" else f"a {route.state}"
        fault = f"the {route.destination} route of {table} goes to {route.target}, which is {state}"
        remedy = "blackhole" if gateway else "blackhole-without-gateway"
    elif gateway:
        fault, remedy = f"{table} has no ::/0 route to the egress-only gateway {gateway}", "route"
    else:
        fault, remedy = f"{subnet.vpc_id} has no egress-only gateway, so {table} has no ::/0 route to one", "gateway"
    isolated = network.is_isolated(table)
    aside = " It has no 0.0.0.0/0 route either, so it may be isolated on purpose." if isolated else ""
    evidence: dict[str, Any] = {"subnet": subnet.id, "vpc": subnet.vpc_id, "route_table": table.id}
    if gateway:
        evidence["gateway"] = gateway
    if route:
        evidence["destination"] = route.destination
    return Problem(
        subnet,
        f"{network.named(subnet, serves)} has no IPv6 way out: {fault}.{aside}",
        evidence={**evidence, "serves": list(serves[subnet.id])},
        severity=Severity.INFO if isolated else Severity.BLOCKER,
        confidence=Confidence.MEDIUM if isolated else Confidence.HIGH,
        remedy=remedy,
        also=((table, ()),),
    )


@rule
def public_subnet_without_ipv6_route(  # noqa: PLR0913, PLR0917  likewise
    subnets: Sequence[Subnet],
    route_tables: Sequence[RouteTable],
    internet_gateways: Sequence[InternetGateway],
    clusters: Sequence[Cluster] = (),
    node_groups: Sequence[NodeGroup] = (),
    instances: Sequence[Instance] = (),
) -> Iterator[Problem]:
    """Subnets of internet-facing load balancers, and of nodes where IPv4 goes to an internet gateway.

    A firewall or any other appliance in between is a way that somebody chose. Nodes alone may leave by an egress-only
    gateway too; load balancers are not reached through one.
    """
    outward = network.internet_facing_uses(subnets, clusters)
    serves = network.by_subnet(
        outward, network.node_uses(node_groups, instances), network.karpenter_uses(instances, subnets, clusters)
    )
    balanced = {subnet_id for subnet_id, _ in outward}
    for subnet, table in network.in_effect(serves, subnets, route_tables):
        ipv4 = network.default_route(table, network.IPV4_DEFAULT)
        if subnet.id in balanced or network.leads_to(ipv4, "igw-"):
            gateway = network.gateway_of(subnet.vpc_id, internet_gateways)
            if gateway is None and ipv4 and network.leads_to(ipv4, "igw-"):
                gateway = ipv4.target
            yield from unreachable(subnet, table, gateway, serves, balanced=subnet.id in balanced)


def unreachable(
    subnet: Subnet, table: RouteTable, gateway: str | None, serves: network.Serves, *, balanced: bool
) -> Iterator[Problem]:
    """The problem with what is missing of gateway, route and the route's state, and the remedy for that."""
    route = network.default_route(table, network.IPV6_DEFAULT)
    if route is None:
        lacks = f"{table} has no ::/0 route to"
        fault = f"{lacks} {gateway}" if gateway else f"{subnet.vpc_id} has no internet gateway, so {lacks} one"
    elif route.state != "active":
        fault = f"the {route.destination} route of {table} goes to {route.target}, which is a {route.state}"
    elif balanced and route.target.startswith("eigw-"):
        fault = f"{table} sends {route.destination} to {route.target}, an egress-only gateway that lets nobody in"
    else:
        return
    mistaken = balanced and not network.leads_to(network.default_route(table, network.IPV4_DEFAULT), *OUTSIDE)
    aside = " It is not public in IPv4 either, so its role tag may be a mistake." if mistaken else ""
    yield Problem(
        subnet,
        f"{network.named(subnet, serves)} has no IPv6 route to the internet: {fault}.{aside}",
        evidence={
            "subnet": subnet.id,
            "vpc": subnet.vpc_id,
            "route_table": table.id,
            "destination": route.destination if route else network.IPV6_DEFAULT,
            "serves": list(serves[subnet.id]),
            **({"gateway": gateway} if gateway else {}),
        },
        severity=Severity.WARNING if mistaken else Severity.BLOCKER,
        confidence=Confidence.MEDIUM if mistaken else Confidence.HIGH,
        remedy=("replace" if route else "create") + ("" if gateway else "-with-gateway"),
        also=((table, ()),),
    )


@rule
def node_subnet_open_to_internet(  # noqa: PLR0913, PLR0917  likewise
    subnets: Sequence[Subnet],
    route_tables: Sequence[RouteTable],
    vpcs: Sequence[Vpc] = (),
    clusters: Sequence[Cluster] = (),
    node_groups: Sequence[NodeGroup] = (),
    instances: Sequence[Instance] = (),
) -> Iterator[Problem]:
    """Nothing is reached from outside where Block Public Access is on, or where the subnet's addresses are private."""
    serves = network.worker_uses(subnets, clusters, node_groups, instances)
    private = [block for vpc in vpcs for block in vpc.private_ipv6_cidr_blocks]
    for subnet, table in network.in_effect(serves, subnets, route_tables):
        route = network.default_route(table, network.IPV6_DEFAULT)
        shielded = subnet.internet_gateway_block_mode.startswith("block-")
        if route and network.leads_to(route, "igw-") and not shielded and not inside(subnet.ipv6_cidr_blocks, private):
            yield Problem(
                subnet,
                f"{network.named(subnet, serves)} sends {route.destination} to the internet gateway {route.target}, so "
                "only security groups and network ACLs keep the internet from its pods.",
                evidence={
                    "subnet": subnet.id,
                    "vpc": subnet.vpc_id,
                    "route_table": table.id,
                    "destination": route.destination,
                    "gateway": route.target,
                    "serves": list(serves[subnet.id]),
                },
                also=((table, ()),),
            )
