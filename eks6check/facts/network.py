"""Views on the network: what a subnet serves, which route table is in effect there, and where its default routes go."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from eks6check.facts.aws import (
        Cluster,
        EgressOnlyInternetGateway,
        FargateProfile,
        Instance,
        NodeGroup,
        Route,
        RouteTable,
        Subnet,
    )

IPV4_DEFAULT = "0.0.0.0/0"
IPV6_DEFAULT = "::/0"

EVERYWHERE = {IPV4_DEFAULT: (IPV4_DEFAULT,), IPV6_DEFAULT: (IPV6_DEFAULT, "2000::/3")}
"""Destinations that mean everywhere: all public IPv6 addresses are in 2000::/3, and some route just that."""

Use = tuple[str, str]
"""A subnet's id, and one thing that it serves, in words such as ``node group workers``."""

Serves = Mapping[str, tuple[str, ...]]
"""What each subnet serves, by its id. A subnet that serves nothing is not there."""

LAUNCHED_BY_KARPENTER = frozenset(
    {"karpenter.sh/nodepool", "karpenter.sh/provisioner-name", "eks:kubernetes-node-pool-name"}
)
"""Tags of instances that Karpenter, or Auto Mode's own one, has launched; it asks for the IPv6 address itself."""

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


def node_uses(node_groups: Iterable[NodeGroup], instances: Iterable[Instance]) -> Iterator[Use]:
    """The subnets of node groups, and of running nodes that no group and no Karpenter has launched."""
    for group in node_groups:
        yield from ((subnet_id, f"node group {group}") for subnet_id in group.subnet_ids)
    for instance in instances:
        if "eks:nodegroup-name" not in instance.tags and not LAUNCHED_BY_KARPENTER & instance.tags.keys():
            yield instance.subnet_id, "self-managed nodes"


def karpenter_uses(
    instances: Iterable[Instance], subnets: Iterable[Subnet], clusters: Iterable[Cluster]
) -> Iterator[Use]:
    """The subnets of running nodes that Karpenter or Auto Mode has launched, and those tagged for it to launch in."""
    own = {cluster.id for cluster in clusters}
    yield from ((subnet.id, "Karpenter nodes") for subnet in subnets if subnet.tags.get(DISCOVERY_TAG) in own)
    for instance in instances:
        if LAUNCHED_BY_KARPENTER & instance.tags.keys():
            yield instance.subnet_id, "Karpenter nodes"


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


def by_subnet(*uses: Iterable[Use]) -> Serves:
    """The uses of each subnet once, in alphabetical order."""
    serves: dict[str, set[str]] = defaultdict(set)
    for part in uses:
        for subnet_id, use in part:
            serves[subnet_id].add(use)
    return {subnet_id: tuple(sorted(found, key=str.lower)) for subnet_id, found in serves.items()}


def all_uses(
    subnets: Iterable[Subnet],
    clusters: Iterable[Cluster],
    node_groups: Iterable[NodeGroup],
    instances: Iterable[Instance],
    fargate_profiles: Iterable[FargateProfile],
) -> Serves:
    """What each subnet serves of all that a cluster and its load balancers stand on."""
    return by_subnet(
        cluster_uses(clusters),
        node_uses(node_groups, instances),
        karpenter_uses(instances, subnets, clusters),
        fargate_uses(fargate_profiles),
        load_balancer_uses(subnets, clusters),
    )


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


def default_route(table: RouteTable, destination: str) -> Route | None:
    """The table's route to everywhere in one family, an active one before a blackhole; None where it has none."""
    found = [route for route in table.routes if route.destination in EVERYWHERE[destination]]
    return min(found, key=lambda route: (route.state != "active", route.target), default=None)


def is_public(table: RouteTable) -> bool:
    """Whether either family's default route is active and goes to an internet gateway."""
    routes = (default_route(table, destination) for destination in (IPV4_DEFAULT, IPV6_DEFAULT))
    return any(route and route.state == "active" and route.target.startswith("igw-") for route in routes)


def egress_only_gateway_of(vpc_id: str, gateways: Iterable[EgressOnlyInternetGateway]) -> str | None:
    """The id of an egress-only gateway attached to a VPC, the first by name; None where there is none."""
    return min((gateway.id for gateway in gateways if vpc_id in gateway.attached_vpc_ids), default=None)
