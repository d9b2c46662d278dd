"""Zones: where a subnet stands that a cluster needs, and whether IPv6 or EKS is to be had there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from eks6check.catalog import rule
from eks6check.facts import network
from eks6check.facts.phrases import phrase
from eks6check.findings import Problem, Severity

if TYPE_CHECKING:
    from eks6check.facts.aws import (
        AutoScalingGroup,
        AvailabilityZone,
        Cluster,
        FargateProfile,
        Instance,
        NodeGroup,
        Subnet,
    )

ZONES_WITHOUT_EKS = frozenset({"use1-az3", "usw1-az2", "cac1-az3"})
"""Zone ids that EKS takes no cluster subnet in: EKS user guide, network-reqs, read 2026-11-25."""

BALANCING = frozenset(network.LOAD_BALANCER_ROLES.values())


@rule
def subnet_in_zone_without_ipv6(  # noqa: PLR0913, PLR0917  a rule's parameters are the facts that it needs
    subnets: Sequence[Subnet],
    availability_zones: Sequence[AvailabilityZone],
    clusters: Sequence[Cluster] = (),
    node_groups: Sequence[NodeGroup] = (),
    instances: Sequence[Instance] = (),
    fargate_profiles: Sequence[FargateProfile] = (),
    auto_scaling_groups: Sequence[AutoScalingGroup] = (),
) -> Iterator[Problem]:
    """Local zones have IPv6 blocks of their own, so they are wrong for the control plane's interfaces only.

    A subnet that serves load balancers alone may be there for IPv4 ones: a warning.
    """
    zones = {zone.id: zone for zone in availability_zones}
    serves = network.all_uses(subnets, clusters, node_groups, instances, fargate_profiles, auto_scaling_groups)
    of_clusters = {subnet_id for cluster in clusters for subnet_id in cluster.subnet_ids}
    for subnet in subnets:
        fault = without_ipv6(subnet, zones) or (without_clusters(subnet, zones) if subnet.id in of_clusters else "")
        if fault and subnet.id in serves:
            zone = zones.get(subnet.availability_zone)
            yield Problem(
                subnet,
                f"{subnet}, which serves {phrase(serves[subnet.id])}, {fault}.",
                evidence={
                    "subnet": subnet.id,
                    "vpc": subnet.vpc_id,
                    "availability_zone": subnet.availability_zone,
                    "availability_zone_id": subnet.availability_zone_id,
                    "zone_type": zone.zone_type if zone else None,
                    "outpost": subnet.outpost_arn,
                    "serves": list(serves[subnet.id]),
                },
                severity=Severity.WARNING if BALANCING.issuperset(serves[subnet.id]) else Severity.BLOCKER,
            )


def without_ipv6(subnet: Subnet, zones: Mapping[str, AvailabilityZone]) -> str:
    """What keeps IPv6 from a subnet for whatever it serves; empty where nothing does."""
    zone = zones.get(subnet.availability_zone)
    if subnet.outpost_arn:
        return f"stands on {subnet.outpost_arn}, and EKS has no IPv6 on an Outpost"
    if zone and zone.zone_type == "wavelength-zone":
        return f"is in {zone}, a Wavelength zone, which has no IPv6"
    return ""


def without_clusters(subnet: Subnet, zones: Mapping[str, AvailabilityZone]) -> str:
    """What keeps the control plane's interfaces out of a subnet; empty where nothing does."""
    zone = zones.get(subnet.availability_zone)
    zone_id = subnet.availability_zone_id or (zone.zone_id if zone else "")
    if zone and zone.zone_type == "local-zone":
        return f"is in {zone}, a local zone, where EKS puts no control plane interface"
    if zone_id in ZONES_WITHOUT_EKS:
        return f"is in {subnet.availability_zone} ({zone_id}), a zone where EKS puts no control plane interface"
    return ""
