"""Views on the network: what each subnet serves, in words, and blocks of addresses."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from ipaddress import IPv4Network, IPv6Network
from typing import TYPE_CHECKING

from eks6check.facts.machines import AUTO_MODE_TAG, POOL_TAGS
from eks6check.facts.phrases import phrase

if TYPE_CHECKING:
    from eks6check.facts.aws import (
        AutoScalingGroup,
        Cluster,
        FargateProfile,
        Instance,
        NodeGroup,
        Subnet,
    )

SHARED_SPACE = IPv4Network("100.64.0.0/10")
"""The range of RFC 6598, which AWS advises for pods with custom networking; Python does not call it private."""

Use = tuple[str, str]
"""A subnet's id, and one thing that it serves, in words such as ``node group workers``."""

Serves = Mapping[str, tuple[str, ...]]
"""What each subnet serves, by its id. A subnet that serves nothing is not there."""

LAUNCHED_BY_KARPENTER = frozenset(POOL_TAGS)
"""Tags of instances that Karpenter, or Auto Mode's own one, has launched; it asks for the IPv6 address itself."""

SCALING_GROUP_TAG = "aws:autoscaling:groupName"
"""The tag by which an instance names the Auto Scaling group that has launched it."""

DISCOVERY_TAG = "karpenter.sh/discovery"
"""The tag by which Karpenter's node classes find subnets, by custom with the cluster's name for a value."""

LOAD_BALANCER_ROLES = {
    "kubernetes.io/role/elb": "internet-facing load balancers",
    "kubernetes.io/role/internal-elb": "internal load balancers",
}


def cluster_uses(clusters: Iterable[Cluster]) -> Iterator[Use]:
    """The subnets that the control plane has its interfaces in."""
    for cluster in clusters:
        yield from ((subnet_id, f"cluster {cluster}") for subnet_id in cluster.subnet_ids)


def node_uses(
    node_groups: Iterable[NodeGroup],
    instances: Iterable[Instance],
    auto_scaling_groups: Iterable[AutoScalingGroup] = (),
) -> Iterator[Use]:
    """The subnets of groups of nodes, running or not, and of running nodes that no group and no Karpenter has launched.

    The Auto Scaling groups are those of self-managed nodes.
    """
    for group in node_groups:
        yield from ((subnet_id, f"node group {group}") for subnet_id in group.subnet_ids)
    known = {group.id: group for group in auto_scaling_groups}
    for scaling in known.values():
        yield from ((subnet_id, f"Auto Scaling group {scaling}") for subnet_id in scaling.subnet_ids)
    for instance in instances:
        if "eks:nodegroup-name" not in instance.tags and not LAUNCHED_BY_KARPENTER & instance.tags.keys():
            maker = known.get(instance.tags.get(SCALING_GROUP_TAG, ""))
            yield instance.subnet_id, f"Auto Scaling group {maker}" if maker else "self-managed nodes"


def karpenter_uses(
    instances: Iterable[Instance], subnets: Iterable[Subnet], clusters: Iterable[Cluster]
) -> Iterator[Use]:
    """The subnets of running nodes that Karpenter or Auto Mode has launched, and those that they launch in.

    Karpenter's have a tag. Auto Mode's own node class has the subnets of the cluster, as containers-roadmap issue 2793
    tells, read 2026-11-25.
    """
    own = {cluster.id: cluster for cluster in clusters}
    for cluster in own.values():
        yield from ((subnet_id, "Auto Mode nodes") for subnet_id in cluster.subnet_ids if cluster.auto_mode)
    yield from ((subnet.id, "Karpenter nodes") for subnet in subnets if subnet.tags.get(DISCOVERY_TAG) in own)
    for instance in instances:
        if LAUNCHED_BY_KARPENTER & instance.tags.keys():
            yield instance.subnet_id, "Auto Mode nodes" if AUTO_MODE_TAG in instance.tags else "Karpenter nodes"


def fargate_uses(profiles: Iterable[FargateProfile]) -> Iterator[Use]:
    """The subnets that Fargate pods take their addresses from."""
    for profile in profiles:
        yield from ((subnet_id, f"Fargate profile {profile}") for subnet_id in profile.subnet_ids)


def load_balancer_uses(subnets: Iterable[Subnet], clusters: Iterable[Cluster]) -> Iterator[Use]:
    """The subnets that a load balancer is placed in by role tag, but for those tagged for other clusters only.

    The controller takes the values ``1`` and empty as yes.
    """
    own = {f"kubernetes.io/cluster/{cluster}" for cluster in clusters}
    for subnet in subnets:
        owners = {key for key in subnet.tags if key.startswith("kubernetes.io/cluster/")}
        if own and owners and not own & owners:
            continue
        yield from ((subnet.id, use) for tag, use in LOAD_BALANCER_ROLES.items() if subnet.tags.get(tag) in ("1", ""))


def internet_facing_uses(subnets: Iterable[Subnet], clusters: Iterable[Cluster]) -> list[Use]:
    """The subnets that load balancers for the internet are placed in by role tag."""
    outward = LOAD_BALANCER_ROLES["kubernetes.io/role/elb"]
    return [(subnet_id, use) for subnet_id, use in load_balancer_uses(subnets, clusters) if use == outward]


def by_subnet(*uses: Iterable[Use]) -> Serves:
    """The uses of each subnet once, in alphabetical order."""
    serves: dict[str, set[str]] = defaultdict(set)
    for part in uses:
        for subnet_id, use in part:
            serves[subnet_id].add(use)
    return {subnet_id: tuple(sorted(found, key=str.lower)) for subnet_id, found in serves.items()}


def worker_uses(
    subnets: Iterable[Subnet],
    clusters: Iterable[Cluster],
    node_groups: Iterable[NodeGroup],
    instances: Iterable[Instance],
    auto_scaling_groups: Iterable[AutoScalingGroup] = (),
) -> Serves:
    """What each subnet serves of nodes on EC2, whoever launches them."""
    return by_subnet(
        node_uses(node_groups, instances, auto_scaling_groups), karpenter_uses(instances, subnets, clusters)
    )


def pod_uses(  # noqa: PLR0913, PLR0917  as many sections tell what a subnet serves
    subnets: Iterable[Subnet],
    clusters: Iterable[Cluster],
    node_groups: Iterable[NodeGroup],
    instances: Iterable[Instance],
    fargate_profiles: Iterable[FargateProfile],
    auto_scaling_groups: Iterable[AutoScalingGroup] = (),
) -> Serves:
    """What each subnet serves of nodes and Fargate pods: where pods have their addresses."""
    return by_subnet(
        node_uses(node_groups, instances, auto_scaling_groups),
        karpenter_uses(instances, subnets, clusters),
        fargate_uses(fargate_profiles),
    )


def all_uses(  # noqa: PLR0913, PLR0917  as many sections tell what a subnet serves
    subnets: Iterable[Subnet],
    clusters: Iterable[Cluster],
    node_groups: Iterable[NodeGroup],
    instances: Iterable[Instance],
    fargate_profiles: Iterable[FargateProfile],
    auto_scaling_groups: Iterable[AutoScalingGroup] = (),
) -> Serves:
    """What each subnet serves of all that a cluster and its load balancers stand on."""
    return by_subnet(
        cluster_uses(clusters),
        node_uses(node_groups, instances, auto_scaling_groups),
        karpenter_uses(instances, subnets, clusters),
        fargate_uses(fargate_profiles),
        load_balancer_uses(subnets, clusters),
    )


def named(subnet: Subnet, serves: Serves) -> str:
    """The subnet as a sentence begins with it: ``subnet-1, which serves node group workers,``."""
    return f"{subnet}, which serves {phrase(serves[subnet.id])},"


def inside(blocks: Collection[str], outer: Iterable[str]) -> bool:
    """Whether there are IPv6 blocks, and each is part of one of the outer ones; what is no block is part of none."""
    known = [found for each in outer if (found := ipv6_network(each))]
    parts = [ipv6_network(each) for each in blocks]
    return bool(parts) and all(part and any(part.subnet_of(each) for each in known) for part in parts)


def ipv4_network(block: str | None) -> IPv4Network | None:
    """The block, or None where the text is no IPv4 block."""
    try:
        return IPv4Network(block or "", strict=False)
    except ValueError:
        return None


def ipv6_network(block: str) -> IPv6Network | None:
    """The block, or None where the text is no IPv6 block."""
    try:
        return IPv6Network(block, strict=False)
    except ValueError:
        return None
