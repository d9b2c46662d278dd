"""Tags of subnets that the load balancer controller and the CNI go by."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from eks6check.catalog import rule
from eks6check.facts import network
from eks6check.facts.versions import version
from eks6check.findings import Confidence, Problem, Severity

if TYPE_CHECKING:
    from eks6check.facts.aws import Addon, Cluster, Instance, NodeGroup, Subnet, Vpc

FREE_ADDRESSES = 8
"""Free IPv4 addresses that Elastic Load Balancing wants in a subnet: EKS user guide, network-reqs, read 2026-11-25."""

CNI_ROLE = "kubernetes.io/role/cni"

READ_SINCE = (1, 22, 0)
"""From here on the CNI leaves a node's own interface out where its subnet says 0: pkg/ipamd of 1.22.0."""


@rule
def load_balancer_subnet_undiscoverable(
    subnets: Sequence[Subnet], vpcs: Sequence[Vpc], clusters: Sequence[Cluster]
) -> Iterator[Problem]:
    """One role alone is a choice, so a VPC is reported where no subnet has either, and a tagged subnet that is full."""
    serves = network.by_subnet(network.load_balancer_uses(subnets, clusters))
    for subnet in subnets:
        free = subnet.available_ip_address_count
        if subnet.id in serves and free < FREE_ADDRESSES and not subnet.ipv6_native:
            yield Problem(
                subnet,
                f"{subnet}, which serves {network.phrase(serves[subnet.id])}, has {free} free IPv4 "
                f"address{'' if free == 1 else 'es'}, and a load balancer takes no subnet with less than 8.",
                evidence={
                    "subnet": subnet.id,
                    "vpc": subnet.vpc_id,
                    "cidr_block": subnet.cidr_block,
                    "available_ip_address_count": free,
                    "serves": list(serves[subnet.id]),
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
def subnet_tag_excludes_node_interface(
    subnets: Sequence[Subnet],
    node_groups: Sequence[NodeGroup] = (),
    instances: Sequence[Instance] = (),
    clusters: Sequence[Cluster] = (),
    addons: Sequence[Addon] = (),
) -> Iterator[Problem]:
    """In IPv4 the tag sends pods to other subnets; in IPv6 they live on the node's own interface or not at all."""
    serves = network.by_subnet(
        network.node_uses(node_groups, instances), network.karpenter_uses(instances, subnets, clusters)
    )
    tag = next((addon.version for addon in addons if addon.id == "vpc-cni"), "")
    numbers = version(tag)
    severity = Severity.WARNING if numbers is None else Severity.BLOCKER if numbers >= READ_SINCE else Severity.INFO
    runs = f"the add-on runs {tag}" if numbers else "which version runs is not known"
    for subnet in subnets:
        if subnet.id in serves and subnet.tags.get(CNI_ROLE) == "0":
            yield Problem(
                subnet,
                f"{subnet}, which serves {network.phrase(serves[subnet.id])}, has the tag {CNI_ROLE}=0. From 1.22.0 on "
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
