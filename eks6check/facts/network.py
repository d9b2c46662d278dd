"""Views on the network: what a subnet serves, which route table is in effect there, and where its default routes go."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from ipaddress import IPv4Network, IPv6Network
from typing import TYPE_CHECKING

from eks6check.facts.machines import AUTO_MODE_TAG, POOL_TAGS

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
    )

IPV4_DEFAULT = "0.0.0.0/0"
IPV6_DEFAULT = "::/0"

SHARED_SPACE = IPv4Network("100.64.0.0/10")
"""The range of RFC 6598, which AWS advises for pods with custom networking; Python does not call it private."""

EVERYWHERE = {IPV4_DEFAULT: (IPV4_DEFAULT,), IPV6_DEFAULT: (IPV6_DEFAULT, "2000::/3")}
"""Destinations that mean everywhere: all public IPv6 addresses are in 2000::/3, and some route just that."""

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


def phrase(words: Sequence[str]) -> str:
    """The words as a list in a sentence: ``a, b and c``."""
    return " and ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))


def route_table_of(subnet: Subnet, route_tables: Iterable[RouteTable]) -> RouteTable | None:
    """The table in effect for a subnet: the one associated to it, else its VPC's main one, else None."""
    main = None
    for table in route_tables:
        if subnet.id in table.subnet_ids:
            return table
        if table.main and table.vpc_id == subnet.vpc_id:
            main = table
    return main


def tables_in_effect(subnets: Iterable[Subnet], route_tables: Collection[RouteTable]) -> Mapping[str, RouteTable]:
    """The table in effect for each subnet, by the subnet's id; one without a known table is not there."""
    own = {subnet_id: table for table in route_tables for subnet_id in table.subnet_ids}
    main = {table.vpc_id: table for table in route_tables if table.main}
    found = ((subnet.id, own.get(subnet.id) or main.get(subnet.vpc_id)) for subnet in subnets)
    return {subnet_id: table for subnet_id, table in found if table}


def in_effect(
    serves: Serves, subnets: Iterable[Subnet], route_tables: Collection[RouteTable]
) -> Iterator[tuple[Subnet, RouteTable]]:
    """The subnets that serve something, each with the table in effect there, as far as that is known."""
    serving = [subnet for subnet in subnets if subnet.id in serves]
    tables = tables_in_effect(serving, route_tables)
    return ((subnet, tables[subnet.id]) for subnet in serving if subnet.id in tables)


def default_route(table: RouteTable, destination: str) -> Route | None:
    """The table's route to everywhere in one family, an active one before a blackhole; None where it has none."""
    found = [route for route in table.routes if route.destination in EVERYWHERE[destination]]
    return min(found, key=lambda route: (route.state != "active", route.target), default=None)


def is_public(table: RouteTable) -> bool:
    """Whether either family's default route is active and goes to an internet gateway."""
    return any(leads_to(default_route(table, each), "igw-") for each in (IPV4_DEFAULT, IPV6_DEFAULT))


def leads_to(route: Route | None, *kinds: str) -> bool:
    """Whether a route is there and active, and its target is of one of these kinds, told by prefixes of ids."""
    return route is not None and route.state == "active" and route.target.startswith(kinds)


def is_isolated(table: RouteTable) -> bool:
    """Whether there is no default route of either family: a network on VPC endpoints alone looks like this."""
    return not any(default_route(table, each) for each in (IPV4_DEFAULT, IPV6_DEFAULT))


def gateway_of(vpc_id: str, gateways: Iterable[EgressOnlyInternetGateway] | Iterable[InternetGateway]) -> str | None:
    """The id of a gateway attached to a VPC, the first by name; None where there is none."""
    return min((gateway.id for gateway in gateways if vpc_id in gateway.attached_vpc_ids), default=None)


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
