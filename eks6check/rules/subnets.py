"""Subnets: what each of them must have for the nodes, pods and load balancers in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from eks6check.catalog import rule
from eks6check.facts import network
from eks6check.findings import Problem

if TYPE_CHECKING:
    from eks6check.facts.aws import Cluster, FargateProfile, Instance, NodeGroup, RouteTable, Subnet

NAT64_RANGE = "64:ff9b::/96"
"""What DNS64 makes of an IPv4 address lies in here: RFC 6052."""


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
                f"{network.named(subnet, serves)} has no IPv6 block.",
                evidence={"subnet": subnet.id, "vpc": subnet.vpc_id, "serves": list(serves[subnet.id])},
            )


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
                f"{network.named(subnet, serves)} is IPv6-only and has no IPv4 address to give.",
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
                f"{network.named(subnet, serves)} assigns no IPv6 address on creation.{first}",
                evidence={
                    "subnet": subnet.id,
                    "vpc": subnet.vpc_id,
                    "assign_ipv6_address_on_creation": False,
                    "serves": list(serves[subnet.id]),
                },
            )


@rule
def dns64_on_pod_subnet(  # noqa: PLR0913, PLR0917  a rule's parameters are the facts that it needs
    subnets: Sequence[Subnet],
    route_tables: Sequence[RouteTable] = (),
    clusters: Sequence[Cluster] = (),
    node_groups: Sequence[NodeGroup] = (),
    instances: Sequence[Instance] = (),
    fargate_profiles: Sequence[FargateProfile] = (),
) -> Iterator[Problem]:
    """The route that NAT64 needs is usually the one to a NAT gateway; without it these names lead nowhere."""
    serves = network.pod_uses(subnets, clusters, node_groups, instances, fargate_profiles)
    tables = network.tables_in_effect(subnets, route_tables)
    for subnet in subnets:
        if subnet.id in serves and subnet.enable_dns64:
            table = tables.get(subnet.id)
            yield Problem(
                subnet,
                f"{network.named(subnet, serves)} has DNS64 turned on: {toward_nat64(table)}.",
                evidence={
                    "subnet": subnet.id,
                    "enable_dns64": True,
                    "serves": list(serves[subnet.id]),
                    **({"route_table": table.id} if table else {}),
                },
            )


def toward_nat64(table: RouteTable | None) -> str:
    """Where traffic to an IPv4-only name goes from there, as far as the routes are known."""
    routes = [each for each in table.routes if each.destination == NAT64_RANGE] if table else []
    route = min(routes, key=lambda each: (each.state != "active", each.target), default=None)
    if route and route.state == "active":
        return f"pods reach IPv4-only names through {route.target} and not through their node"
    if table:
        return (
            f"pods are told addresses in {NAT64_RANGE} for IPv4-only names, and no active route of {table} serves that"
        )
    return f"pods are told addresses in {NAT64_RANGE} for IPv4-only names"
