"""Tags of subnets that the load balancer controller and the CNI go by."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from eks6check.catalog import rule
from eks6check.facts import network
from eks6check.facts.phrases import phrase
from eks6check.facts.versions import version
from eks6check.facts.vpc_cni import add_on
from eks6check.findings import Confidence, Problem, Severity

if TYPE_CHECKING:
    from eks6check.facts.aws import Addon, AutoScalingGroup, Cluster, Instance, NodeGroup, Subnet, Vpc

FREE_ADDRESSES = 8
"""Free IPv4 addresses that Elastic Load Balancing wants in a subnet: EKS user guide, network-reqs, read 2026-11-25."""

CNI_ROLE = "kubernetes.io/role/cni"

READ_SINCE = (1, 22, 0)
"""From here on the CNI leaves a node's own interface out where its subnet says 0: pkg/ipamd of 1.22.0."""


@rule
def load_balancer_subnet_undiscoverable(
    subnets: Sequence[Subnet], vpcs: Sequence[Vpc], clusters: Sequence[Cluster]
) -> Iterator[Problem]:
    """One role alone is a choice, so a VPC is reported where no subnet has either, and a tagged subnet that is full.

    A load balancer takes one subnet of each zone, so a full one beside another with room is passed over unharmed.
    """
    serves = network.by_subnet(network.load_balancer_uses(subnets, clusters))
    roomy = {
        (use, subnet.availability_zone)
        for subnet in subnets
        for use in serves.get(subnet.id, ())
        if subnet.available_ip_address_count >= FREE_ADDRESSES
    }
    for subnet in subnets:
        free = subnet.available_ip_address_count
        alone = [use for use in serves.get(subnet.id, ()) if (use, subnet.availability_zone) not in roomy]
        if alone and not subnet.ipv6_native:
            yield Problem(
                subnet,
                f"{subnet}, which serves {phrase(alone)}, has {free} free IPv4 "
                f"address{'' if free == 1 else 'es'}, and a load balancer takes no subnet with less than 8; no other "
                "subnet of that role and zone has room.",
                evidence={
                    "subnet": subnet.id,
                    "vpc": subnet.vpc_id,
                    "cidr_block": subnet.cidr_block,
                    "availability_zone": subnet.availability_zone,
                    "available_ip_address_count": free,
                    "serves": alone,
                },
                remedy="full",
            )
    for vpc in vpcs:
        inside = sorted(subnet.id for subnet in subnets if subnet.vpc_id == vpc.id)
        if inside and not serves.keys() & set(inside) and any(cluster.vpc_id == vpc.id for cluster in clusters):
            yield Problem(
                vpc,
                f"No subnet of {vpc} has the tag {' or '.join(network.LOAD_BALANCER_ROLES)}, by which the load "
                "balancer controller finds its subnets; before 2.12.1 it has no other way.",
                evidence={"vpc": vpc.id, "subnet": inside, "tags": list(network.LOAD_BALANCER_ROLES)},
                severity=Severity.INFO,
                confidence=Confidence.MEDIUM,
                remedy="tag",
            )


@rule
def subnet_tag_excludes_node_interface(  # noqa: PLR0913, PLR0917  a rule's parameters are the facts that it needs
    subnets: Sequence[Subnet],
    node_groups: Sequence[NodeGroup] = (),
    instances: Sequence[Instance] = (),
    clusters: Sequence[Cluster] = (),
    addons: Sequence[Addon] = (),
    auto_scaling_groups: Sequence[AutoScalingGroup] = (),
) -> Iterator[Problem]:
    """In IPv4 the tag sends pods to other subnets; in IPv6 they live on the node's own interface or not at all.

    Auto Mode's nodes do not run this CNI, and a CNI whose subnet discovery is off reads no tag.
    """
    cni, auto_mode = add_on(addons), any(cluster.auto_mode for cluster in clusters)
    if cni and cni.off("ENABLE_SUBNET_DISCOVERY"):
        return
    karpenter = () if auto_mode else network.karpenter_uses(instances, subnets, clusters)
    serves = network.by_subnet(network.node_uses(node_groups, instances, auto_scaling_groups), karpenter)
    tag = cni.version if cni else ""
    numbers = version(tag)
    severity = Severity.WARNING if numbers is None else Severity.BLOCKER if numbers >= READ_SINCE else Severity.INFO
    runs = f"the add-on runs {tag}" if numbers else "which version runs is not known"
    for subnet in subnets:
        if subnet.id in serves and subnet.tags.get(CNI_ROLE) == "0":
            yield Problem(
                subnet,
                f"{subnet}, which serves {phrase(serves[subnet.id])}, has the tag {CNI_ROLE}=0. From 1.22.0 on "
                f"the VPC CNI then leaves the node's own interface out, the only one that IPv6 pods use; {runs}.",
                evidence={
                    "subnet": subnet.id,
                    "vpc": subnet.vpc_id,
                    "tag": f"{CNI_ROLE}=0",
                    "cni_version": tag,
                    "serves": list(serves[subnet.id]),
                },
                severity=severity,
            )
