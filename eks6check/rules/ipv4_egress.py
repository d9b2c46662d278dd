"""The IPv4 way out, which nodes of an IPv6 cluster and IPv4-only hosts still need."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from eks6check.catalog import rule
from eks6check.facts import network
from eks6check.facts.routes import IPV4_DEFAULT, default_route, in_effect, is_isolated
from eks6check.findings import Confidence, Problem, Severity

if TYPE_CHECKING:
    from eks6check.facts.aws import (
        AutoScalingGroup,
        Cluster,
        Instance,
        NatGateway,
        NodeGroup,
        Route,
        RouteTable,
        Subnet,
    )


@rule
def node_subnet_without_ipv4_egress(  # noqa: PLR0913, PLR0917  a rule's parameters are the facts that it needs
    subnets: Sequence[Subnet],
    route_tables: Sequence[RouteTable],
    nat_gateways: Sequence[NatGateway],
    node_groups: Sequence[NodeGroup] = (),
    instances: Sequence[Instance] = (),
    clusters: Sequence[Cluster] = (),
    auto_scaling_groups: Sequence[AutoScalingGroup] = (),
) -> Iterator[Problem]:
    """A NAT gateway that this account cannot see, as in a shared VPC, is taken to work while its route is active.

    One NAT gateway for all zones is a choice; one in another zone where the own zone has its own is worth a note.
    """
    serves = network.worker_uses(subnets, clusters, node_groups, instances, auto_scaling_groups)
    gateways = {gateway.id: gateway for gateway in nat_gateways}
    zones = {subnet.id: subnet.availability_zone for subnet in subnets}
    stranded = stranded_gateways(nat_gateways, subnets, route_tables)
    for subnet, table in in_effect(serves, subnets, route_tables):
        route = default_route(table, IPV4_DEFAULT)
        gateway = gateways.get(route.target) if route else None
        fault, severity = no_ipv4_egress(table, route, gateway, stranded)
        if fault:
            yield without_egress(subnet, table, fault, severity, serves)
        elif gateway and (nearer := gateway_in_zone(subnet, gateway, nat_gateways, zones)):
            yield across_zones(subnet, table, gateway, nearer, zones)


def without_egress(
    subnet: Subnet, table: RouteTable, fault: str, severity: Severity, serves: network.Serves
) -> Problem:
    """The problem with what is wrong with the way out."""
    isolated = is_isolated(table)
    aside = " It may be isolated on purpose, with VPC endpoints for all that it calls." if isolated else ""
    return Problem(
        subnet,
        f"{network.named(subnet, serves)} has no IPv4 way out: {fault}.{aside}",
        evidence={
            "subnet": subnet.id,
            "vpc": subnet.vpc_id,
            "route_table": table.id,
            "serves": list(serves[subnet.id]),
        },
        severity=severity,
        confidence=Confidence.MEDIUM if isolated or severity is Severity.INFO else Confidence.HIGH,
        remedy="replace" if default_route(table, IPV4_DEFAULT) else "create",
        also=((table, ()),),
    )


def no_ipv4_egress(
    table: RouteTable, route: Route | None, nat: NatGateway | None, stranded: Mapping[str, str]
) -> tuple[str, Severity]:
    """What is wrong with a default route, or nothing; a private NAT gateway may lead out through another network."""
    if route is None:
        return f"{table} has no 0.0.0.0/0 route", Severity.WARNING
    if route.state != "active":
        return f"the 0.0.0.0/0 route of {table} to {route.target} has the state {route.state}", Severity.WARNING
    if nat and nat.state != "available":
        return f"{table} sends 0.0.0.0/0 to {nat}, which is {nat.state or 'in no known state'}", Severity.WARNING
    if nat and nat.connectivity_type == "private":
        return f"{table} sends 0.0.0.0/0 to {nat}, a private NAT gateway that has no internet itself", Severity.INFO
    if nat and nat.id in stranded:
        return f"{table} sends 0.0.0.0/0 to {nat}, and {stranded[nat.id]}", Severity.WARNING
    return "", Severity.WARNING


def stranded_gateways(
    gateways: Sequence[NatGateway], subnets: Sequence[Subnet], route_tables: Sequence[RouteTable]
) -> Mapping[str, str]:
    """NAT gateways by id whose own subnet has no way out, with the words for that."""
    homes = {gateway.subnet_id: (f"NAT gateway {gateway}",) for gateway in gateways}
    dead = {}
    for subnet, table in in_effect(homes, subnets, route_tables):
        route = default_route(table, IPV4_DEFAULT)
        if route is None or route.state != "active":
            dead[subnet.id] = f"{subnet}, where that stands, has no active 0.0.0.0/0 route in {table}"
    return {gateway.id: dead[gateway.subnet_id] for gateway in gateways if gateway.subnet_id in dead}


def gateway_in_zone(
    subnet: Subnet, used: NatGateway, gateways: Sequence[NatGateway], zones: Mapping[str, str]
) -> NatGateway | None:
    """A NAT gateway as good as the one in use that stands in the subnet's own zone while that one does not."""
    own = subnet.availability_zone
    if not own or zones.get(used.subnet_id, own) == own:
        return None
    near = (
        each
        for each in gateways
        if zones.get(each.subnet_id) == own and each.vpc_id == used.vpc_id
        if (each.state, each.connectivity_type) == ("available", used.connectivity_type)
    )
    return min(near, key=lambda each: each.id, default=None)


def across_zones(
    subnet: Subnet, table: RouteTable, used: NatGateway, nearer: NatGateway, zones: Mapping[str, str]
) -> Problem:
    """The note that a subnet's IPv4 traffic leaves by another zone, which costs, and ends when that zone fails."""
    return Problem(
        subnet,
        f"{subnet} in {subnet.availability_zone} sends 0.0.0.0/0 to {used} in {zones[used.subnet_id]}, although "
        f"{nearer} stands in its own zone.",
        evidence={
            "subnet": subnet.id,
            "vpc": subnet.vpc_id,
            "route_table": table.id,
            "nat_gateway": used.id,
            "nat_gateway_of_zone": nearer.id,
        },
        key="zone",
        severity=Severity.INFO,
        confidence=Confidence.MEDIUM,
        remedy="zone",
        also=((table, ()),),
    )
