"""Subnets: what each of them must have for the nodes, pods and load balancers in it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from eks6check.catalog import rule
from eks6check.facts import network
from eks6check.facts.machines import groups_of, of_instance, primary
from eks6check.facts.routes import tables_in_effect
from eks6check.findings import Problem

if TYPE_CHECKING:
    from eks6check.facts.aws import (
        AutoScalingGroup,
        Cluster,
        FargateProfile,
        Instance,
        LaunchTemplate,
        NodeGroup,
        RouteTable,
        Subnet,
    )

NAT64_RANGE = "64:ff9b::/96"
"""What DNS64 makes of an IPv4 address lies in here: RFC 6052."""

UNASSIGNED = "Ec2SubnetMissingIpv6Assignment"
"""How EKS reports a node group's subnet that assigns no IPv6 address: whatever the template asks, it is a fault."""


@rule
def subnet_without_ipv6_block(  # noqa: PLR0913, PLR0917  a rule's parameters are the facts that it needs
    subnets: Sequence[Subnet],
    clusters: Sequence[Cluster] = (),
    node_groups: Sequence[NodeGroup] = (),
    instances: Sequence[Instance] = (),
    fargate_profiles: Sequence[FargateProfile] = (),
    auto_scaling_groups: Sequence[AutoScalingGroup] = (),
) -> Iterator[Problem]:
    """Only subnets that serve the cluster in some way are judged; the VPC may hold others."""
    serves = network.all_uses(subnets, clusters, node_groups, instances, fargate_profiles, auto_scaling_groups)
    for subnet in subnets:
        if subnet.id in serves and not subnet.ipv6_cidr_blocks:
            yield Problem(
                subnet,
                f"{network.named(subnet, serves)} has no IPv6 block.",
                evidence={"subnet": subnet.id, "vpc": subnet.vpc_id, "serves": list(serves[subnet.id])},
            )


@rule
def subnet_is_ipv6_native(  # noqa: PLR0913, PLR0917  likewise
    subnets: Sequence[Subnet],
    clusters: Sequence[Cluster] = (),
    node_groups: Sequence[NodeGroup] = (),
    instances: Sequence[Instance] = (),
    fargate_profiles: Sequence[FargateProfile] = (),
    auto_scaling_groups: Sequence[AutoScalingGroup] = (),
) -> Iterator[Problem]:
    """Nodes, the control plane and load balancers need an IPv4 address of their own beside the IPv6 one."""
    serves = network.all_uses(subnets, clusters, node_groups, instances, fargate_profiles, auto_scaling_groups)
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
    subnets: Sequence[Subnet],
    node_groups: Sequence[NodeGroup] = (),
    instances: Sequence[Instance] = (),
    auto_scaling_groups: Sequence[AutoScalingGroup] = (),
    launch_templates: Sequence[LaunchTemplate] = (),
) -> Iterator[Problem]:
    """Karpenter and some launch templates ask for the address themselves; no source says that Fargate needs the flag.

    An Auto Scaling group asks for it too where an instance of it has one in a subnet that gives none.
    """
    asking = [template for template in launch_templates if asks_for_ipv6(template)]
    idle = {subnet.id for subnet in subnets if not subnet.assign_ipv6_address_on_creation}
    proven = {of_instance(each).scaling_group for each in instances if each.subnet_id in idle and has_ipv6(each)}
    serves = network.by_subnet(
        network.node_uses(
            [group for group in node_groups if UNASSIGNED in group.health_issue_codes or not asks(group, asking)],
            [each for each in instances if not has_ipv6(each) and not made_from(each, asking)],
            [group for group in auto_scaling_groups if group.id not in proven and not asks(group, asking)],
        )
    )
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


def asks_for_ipv6(template: LaunchTemplate) -> bool:
    """Whether a launch template asks for an IPv6 address on the primary interface; a prefix is none."""
    interface = primary(template.network_interfaces)
    return interface is not None and interface.ipv6_address_count > 0


def has_ipv6(instance: Instance) -> bool:
    """Whether an instance has an IPv6 address on its primary interface."""
    interface = primary(instance.network_interfaces)
    return interface is not None and bool(interface.ipv6_addresses)


def asks(group: NodeGroup | AutoScalingGroup, asking: Sequence[LaunchTemplate]) -> bool:
    """Whether a group launches from one of these template versions."""
    return any(groups_of(template, [group]) for template in asking)


def made_from(instance: Instance, asking: Sequence[LaunchTemplate]) -> bool:
    """Whether an instance was made from one of these template versions, by the tags that EC2 gave it."""
    version = instance.tags.get("aws:ec2launchtemplate:version")
    return any(each.id == of_instance(instance).template and each.version == version for each in asking)


@rule
def dns64_on_pod_subnet(  # noqa: PLR0913, PLR0917  a rule's parameters are the facts that it needs
    subnets: Sequence[Subnet],
    route_tables: Sequence[RouteTable] = (),
    clusters: Sequence[Cluster] = (),
    node_groups: Sequence[NodeGroup] = (),
    instances: Sequence[Instance] = (),
    fargate_profiles: Sequence[FargateProfile] = (),
    auto_scaling_groups: Sequence[AutoScalingGroup] = (),
) -> Iterator[Problem]:
    """The route that NAT64 needs is usually the one to a NAT gateway; without it these names lead nowhere."""
    serves = network.pod_uses(subnets, clusters, node_groups, instances, fargate_profiles, auto_scaling_groups)
    tables = tables_in_effect(subnets, route_tables)
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
