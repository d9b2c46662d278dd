"""Routes: the ways out that nodes, pods and load balancers count on, and what comes in by them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from eks6check.catalog import rule
from eks6check.facts import network
from eks6check.facts.network import inside
from eks6check.facts.routes import (
    IPV4_DEFAULT,
    IPV6_DEFAULT,
    default_route,
    gateway_of,
    in_effect,
    is_isolated,
    is_public,
    leads_to,
)
from eks6check.findings import Confidence, Problem, Severity

if TYPE_CHECKING:
    from eks6check.facts.aws import (
        AutoScalingGroup,
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

OPTIONS = {
    "vpce-": "--vpc-endpoint-id",
    "eni-": "--network-interface-id",
    "i-": "--instance-id",
    "tgw-": "--transit-gateway-id",
    "vgw-": "--gateway-id",
    "arn:": "--core-network-arn",
}
"""Targets that are a firewall or a central way out, with the option of ``aws ec2 create-route`` that names each."""


@rule
def private_subnet_without_egress_only_gateway(  # noqa: PLR0913, PLR0917  a rule's parameters are the facts that it needs
    subnets: Sequence[Subnet],
    route_tables: Sequence[RouteTable],
    egress_only_gateways: Sequence[EgressOnlyInternetGateway],
    node_groups: Sequence[NodeGroup] = (),
    instances: Sequence[Instance] = (),
    fargate_profiles: Sequence[FargateProfile] = (),
    clusters: Sequence[Cluster] = (),
    auto_scaling_groups: Sequence[AutoScalingGroup] = (),
) -> Iterator[Problem]:
    """Any other active target of ``::/0``, such as a transit gateway, is a way out that somebody chose.

    So is an egress-only gateway that this account cannot see, as in a shared VPC: the route's state tells of its own.
    """
    serves = network.pod_uses(subnets, clusters, node_groups, instances, fargate_profiles, auto_scaling_groups)
    for subnet, table in in_effect(serves, subnets, route_tables):
        if is_public(table):
            continue
        gateway = gateway_of(subnet.vpc_id, egress_only_gateways)
        route = default_route(table, IPV6_DEFAULT)
        if route is None or not leads_out(route, subnet, egress_only_gateways):
            yield without_egress(subnet, table, route, gateway, serves)


def leads_out(route: Route, subnet: Subnet, gateways: Sequence[EgressOnlyInternetGateway]) -> bool:
    """Whether a ``::/0`` route is active, and its target no egress-only gateway that is known to be detached."""
    detached = {gateway.id for gateway in gateways if subnet.vpc_id not in gateway.attached_vpc_ids}
    return route.state == "active" and route.target not in detached


def without_egress(
    subnet: Subnet, table: RouteTable, route: Route | None, gateway: str | None, serves: network.Serves
) -> Problem:
    """The problem with what is missing, whose remedy leads IPv6 around nothing that IPv4 passes."""
    way = through(table)
    fault, remedy = missing(table, route, gateway, way)
    isolated = is_isolated(table)
    aside = " It has no 0.0.0.0/0 route either, so it may be isolated on purpose." if isolated else ""
    evidence: dict[str, Any] = {"subnet": subnet.id, "vpc": subnet.vpc_id, "route_table": table.id, **way}
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


def through(table: RouteTable) -> dict[str, str]:
    """The target, and its option, of an active IPv4 default route to a firewall or a central way out; else nothing."""
    route = default_route(table, IPV4_DEFAULT)
    options = [option for kind, option in OPTIONS.items() if leads_to(route, kind)]
    return {"target": route.target, "option": options[0]} if route and options else {}


def missing(table: RouteTable, route: Route | None, gateway: str | None, way: Mapping[str, str]) -> tuple[str, str]:
    """What is missing of gateway, route and the route's state, and the remedy for that."""
    if route is not None:
        state = "not attached" if route.state == "active" else f"a {route.state}"
        fault = f"the {route.destination} route of {table} goes to {route.target}, which is {state}"
        return fault, "replace-through" if way else "blackhole" if gateway else "blackhole-without-gateway"
    if way:
        return f"{table} has no ::/0 route; IPv4 leaves through {way['target']}", "create-through"
    if gateway:
        return f"{table} has no ::/0 route to the egress-only gateway {gateway}", "route"
    return f"{table.vpc_id} has no egress-only gateway, so {table} has no ::/0 route to one", "gateway"


@rule
def public_subnet_without_ipv6_route(  # noqa: PLR0913, PLR0917  likewise
    subnets: Sequence[Subnet],
    route_tables: Sequence[RouteTable],
    internet_gateways: Sequence[InternetGateway],
    clusters: Sequence[Cluster] = (),
    node_groups: Sequence[NodeGroup] = (),
    instances: Sequence[Instance] = (),
    auto_scaling_groups: Sequence[AutoScalingGroup] = (),
) -> Iterator[Problem]:
    """Subnets of internet-facing load balancers, and of nodes where IPv4 goes to an internet gateway.

    A firewall or any other appliance in between is a way that somebody chose. Nodes alone may leave by an egress-only
    gateway too; load balancers are not reached through one.
    """
    outward = network.internet_facing_uses(subnets, clusters)
    serves = network.by_subnet(
        outward,
        network.node_uses(node_groups, instances, auto_scaling_groups),
        network.karpenter_uses(instances, subnets, clusters),
    )
    balanced = {subnet_id for subnet_id, _ in outward}
    for subnet, table in in_effect(serves, subnets, route_tables):
        ipv4 = default_route(table, IPV4_DEFAULT)
        if subnet.id in balanced or leads_to(ipv4, "igw-"):
            gateway = gateway_of(subnet.vpc_id, internet_gateways)
            if gateway is None and ipv4 and leads_to(ipv4, "igw-"):
                gateway = ipv4.target
            yield from unreachable(subnet, table, gateway, serves, balanced=subnet.id in balanced)


def unreachable(
    subnet: Subnet, table: RouteTable, gateway: str | None, serves: network.Serves, *, balanced: bool
) -> Iterator[Problem]:
    """The problem with what is missing. Where IPv4 does not show the subnet either, its tag goes and no route comes."""
    route = default_route(table, IPV6_DEFAULT)
    mistaken = balanced and not leads_to(default_route(table, IPV4_DEFAULT), *OUTSIDE)
    way = {} if mistaken else through(table)
    if route is None:
        lacks = f"{table} has no ::/0 route to"
        entry = way.get("target") or gateway
        fault = f"{lacks} {entry}" if entry else f"{subnet.vpc_id} has no internet gateway, so {lacks} one"
    elif route.state != "active":
        fault = f"the {route.destination} route of {table} goes to {route.target}, which is a {route.state}"
    elif balanced and route.target.startswith("eigw-"):
        fault = f"{table} sends {route.destination} to {route.target}, an egress-only gateway that lets nobody in"
    else:
        return
    aside = " It is not public in IPv4 either, so its role tag may be a mistake." if mistaken else ""
    yield Problem(
        subnet,
        f"{network.named(subnet, serves)} has no IPv6 route to the internet: {fault}.{aside}",
        evidence={
            "subnet": subnet.id,
            "vpc": subnet.vpc_id,
            "route_table": table.id,
            "destination": route.destination if route else IPV6_DEFAULT,
            "serves": list(serves[subnet.id]),
            **({"gateway": gateway} if gateway else {}),
            **way,
        },
        severity=Severity.WARNING if mistaken else Severity.BLOCKER,
        confidence=Confidence.MEDIUM if mistaken else Confidence.HIGH,
        remedy="mistaken" if mistaken else ("replace" if route else "create") + ("-through" if way else ""),
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
    auto_scaling_groups: Sequence[AutoScalingGroup] = (),
) -> Iterator[Problem]:
    """Nothing is reached from outside where Block Public Access is on, or where the subnet's addresses are private."""
    serves = network.worker_uses(subnets, clusters, node_groups, instances, auto_scaling_groups)
    private = [block for vpc in vpcs for block in vpc.private_ipv6_cidr_blocks]
    for subnet, table in in_effect(serves, subnets, route_tables):
        route = default_route(table, IPV6_DEFAULT)
        shielded = subnet.internet_gateway_block_mode.startswith("block-")
        if route and leads_to(route, "igw-") and not shielded and not inside(subnet.ipv6_cidr_blocks, private):
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
