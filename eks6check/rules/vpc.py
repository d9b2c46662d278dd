"""The VPC: blocks, routes and gateways that nodes and pods stand on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from eks6check.catalog import rule
from eks6check.facts import network
from eks6check.findings import Confidence, Problem, Severity

if TYPE_CHECKING:
    from eks6check.facts.aws import (
        Cluster,
        EgressOnlyInternetGateway,
        FargateProfile,
        Instance,
        NatGateway,
        NodeGroup,
        Route,
        RouteTable,
        Subnet,
        Vpc,
    )


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
def subnet_without_ipv6_block(
    subnets: Sequence[Subnet],
    clusters: Sequence[Cluster] = (),
    node_groups: Sequence[NodeGroup] = (),
    instances: Sequence[Instance] = (),
    fargate_profiles: Sequence[FargateProfile] = (),
) -> Iterator[Problem]:
    """Only subnets that serve the cluster in some way are judged; the VPC may hold others."""
    serves = network.all_uses(subnets, clusters, node_groups, instances, fargate_profiles)
    for subnet in subnets:
        if subnet.id in serves and not subnet.ipv6_cidr_blocks:
            yield Problem(
                subnet,
                f"{named(subnet, serves)} has no IPv6 block.",
                evidence={"subnet": subnet.id, "vpc": subnet.vpc_id, "serves": list(serves[subnet.id])},
            )


def named(subnet: Subnet, serves: network.Serves) -> str:
    """The subnet as a sentence begins with it: ``subnet-1, which serves node group workers,``."""
    return f"{subnet}, which serves {network.phrase(serves[subnet.id])},"


@rule
def subnet_is_ipv6_native(
    subnets: Sequence[Subnet],
    clusters: Sequence[Cluster] = (),
    node_groups: Sequence[NodeGroup] = (),
    instances: Sequence[Instance] = (),
    fargate_profiles: Sequence[FargateProfile] = (),
) -> Iterator[Problem]:
    """Nodes, the control plane and load balancers need an IPv4 address of their own beside the IPv6 one."""
    serves = network.all_uses(subnets, clusters, node_groups, instances, fargate_profiles)
    for subnet in subnets:
        if subnet.id in serves and subnet.ipv6_native:
            yield Problem(
                subnet,
                f"{named(subnet, serves)} is IPv6-only and has no IPv4 address to give.",
                evidence={
                    "subnet": subnet.id,
                    "vpc": subnet.vpc_id,
                    "availability_zone": subnet.availability_zone,
                    "serves": list(serves[subnet.id]),
                },
            )


@rule
def subnet_without_ipv6_auto_assign(
    subnets: Sequence[Subnet], node_groups: Sequence[NodeGroup] = (), instances: Sequence[Instance] = ()
) -> Iterator[Problem]:
    """Karpenter asks for the address itself, and no source says that Fargate needs the flag: both are left alone."""
    serves = network.by_subnet(network.node_uses(node_groups, instances))
    for subnet in subnets:
        if subnet.id in serves and not subnet.assign_ipv6_address_on_creation:
            first = "" if subnet.ipv6_cidr_blocks else " It cannot before it has an IPv6 block."
            yield Problem(
                subnet,
                f"{named(subnet, serves)} assigns no IPv6 address on creation.{first}",
                evidence={
                    "subnet": subnet.id,
                    "assign_ipv6_address_on_creation": False,
                    "serves": list(serves[subnet.id]),
                },
            )


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
    serves = network.by_subnet(
        network.node_uses(node_groups, instances),
        network.karpenter_uses(instances, subnets, clusters),
        network.fargate_uses(fargate_profiles),
    )
    for subnet in subnets:
        table = network.route_table_of(subnet, route_tables) if subnet.id in serves else None
        if table is None or network.is_public(table):
            continue
        gateway = network.egress_only_gateway_of(subnet.vpc_id, egress_only_gateways)
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
    isolated = is_isolated(table)
    aside = " It has no 0.0.0.0/0 route either, so it may be isolated on purpose." if isolated else ""
    evidence: dict[str, Any] = {"subnet": subnet.id, "vpc": subnet.vpc_id, "route_table": table.id}
    if gateway:
        evidence["gateway"] = gateway
    if route:
        evidence["destination"] = route.destination
    return Problem(
        subnet,
        f"{named(subnet, serves)} has no IPv6 way out: {fault}.{aside}",
        evidence={**evidence, "serves": list(serves[subnet.id])},
        severity=Severity.INFO if isolated else Severity.BLOCKER,
        confidence=Confidence.MEDIUM if isolated else Confidence.HIGH,
        remedy=remedy,
        also=((table, ()),),
    )


def is_isolated(table: RouteTable) -> bool:
    """Whether there is no default route of either family: a network on VPC endpoints alone looks like this."""
    return not any(network.default_route(table, each) for each in (network.IPV4_DEFAULT, network.IPV6_DEFAULT))


@rule
def node_subnet_without_ipv4_egress(  # noqa: PLR0913, PLR0917  likewise
    subnets: Sequence[Subnet],
    route_tables: Sequence[RouteTable],
    nat_gateways: Sequence[NatGateway],
    node_groups: Sequence[NodeGroup] = (),
    instances: Sequence[Instance] = (),
    clusters: Sequence[Cluster] = (),
) -> Iterator[Problem]:
    """A NAT gateway that this account cannot see, as in a shared VPC, is taken to work while its route is active."""
    serves = network.by_subnet(
        network.node_uses(node_groups, instances), network.karpenter_uses(instances, subnets, clusters)
    )
    known = {gateway.id: gateway for gateway in nat_gateways}
    for subnet in subnets:
        table = network.route_table_of(subnet, route_tables) if subnet.id in serves else None
        if table is None:
            continue
        route = network.default_route(table, network.IPV4_DEFAULT)
        fault, severity = no_ipv4_egress(table, route, known.get(route.target) if route else None)
        if fault:
            isolated = is_isolated(table)
            aside = " It may be isolated on purpose, with VPC endpoints for all that it calls." if isolated else ""
            yield Problem(
                subnet,
                f"{named(subnet, serves)} has no IPv4 way out: {fault}.{aside}",
                evidence={"subnet": subnet.id, "route_table": table.id, "serves": list(serves[subnet.id])},
                severity=severity,
                confidence=Confidence.MEDIUM if isolated or severity is Severity.INFO else Confidence.HIGH,
                remedy="replace" if route else "create",
                also=((table, ()),),
            )


def no_ipv4_egress(table: RouteTable, route: Route | None, nat: NatGateway | None) -> tuple[str, Severity]:
    """What is wrong with a default route, or nothing; a private NAT gateway may lead out through another network."""
    if route is None:
        return f"{table} has no 0.0.0.0/0 route", Severity.WARNING
    if route.state != "active":
        return f"the 0.0.0.0/0 route of {table} to {route.target} has the state {route.state}", Severity.WARNING
    if nat and nat.state != "available":
        return f"{table} sends 0.0.0.0/0 to {nat}, which is {nat.state or 'in no known state'}", Severity.WARNING
    if nat and nat.connectivity_type == "private":
        return f"{table} sends 0.0.0.0/0 to {nat}, a private NAT gateway that has no internet itself", Severity.INFO
    return "", Severity.WARNING
