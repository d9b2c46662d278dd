"""Data stores: security groups that admit pods by the IPv4 ranges of today."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from eks6check.catalog import rule
from eks6check.facts import network
from eks6check.facts.filters import DATA_STORES, covers
from eks6check.facts.network import ipv4_network
from eks6check.findings import Problem

if TYPE_CHECKING:
    from ipaddress import IPv4Network

    from eks6check.facts.aws import (
        Cluster,
        Instance,
        NetworkInterface,
        NodeGroup,
        SecurityGroup,
        SecurityGroupRule,
        Subnet,
        Vpc,
    )


@rule
def data_store_admits_pod_ipv4(  # noqa: PLR0913, PLR0917  pods' and nodes' ranges are told by five sections
    network_interfaces: Sequence[NetworkInterface],
    security_groups: Sequence[SecurityGroup],
    subnets: Sequence[Subnet],
    vpcs: Sequence[Vpc],
    node_groups: Sequence[NodeGroup] = (),
    instances: Sequence[Instance] = (),
    clusters: Sequence[Cluster] = (),
) -> Iterator[Problem]:
    """Pods have ranges of their own today where a VPC has blocks that no node is in: custom networking, as a rule."""
    serves = network.by_subnet(
        network.node_uses(node_groups, instances), network.karpenter_uses(instances, subnets, clusters)
    )
    blocks = {subnet.id: ipv4_network(subnet.cidr_block) for subnet in subnets if subnet.id in serves}
    nodes = {identity: block for identity, block in blocks.items() if block}
    pods = [block for vpc in vpcs for block in pod_blocks(vpc, nodes.values())]
    carried = {identity for each in instances for identity in each.security_group_ids}
    carried |= {cluster.cluster_security_group_id for cluster in clusters}
    attached = stores(network_interfaces)
    for group in security_groups:
        narrow = [
            each for each in group.rules if group.id in attached and admits_pods_alone(each, pods, nodes.values())
        ]
        refused = sorted(
            identity
            for identity, block in nodes.items()
            if any(not admits_node(group, each, block, carried) for each in narrow)
        )
        if refused:
            yield _problem(group, attached[group.id], narrow, {identity: str(nodes[identity]) for identity in refused})


def _problem(
    group: SecurityGroup, named: Sequence[str], narrow: Sequence[SecurityGroupRule], refused: Mapping[str, str]
) -> Problem:
    ranges, places = sorted({each.peer for each in narrow}), sorted({*refused.values()})
    return Problem(
        group,
        f"Security group {group} of {network.phrase(named)} admits the pods' {', '.join(ranges)} and not the nodes' "
        f"{', '.join(places)}; from an IPv6 cluster, pods come to an IPv4 address from their node's.",
        evidence={
            "security_group": group.id,
            "vpc": group.vpc_id,
            "stores": list(named),
            "admitted": ranges,
            "subnet": list(refused),
            "node_ranges": places,
            "node_range": places[0],
            "port": narrow[0].from_port,
        },
    )


def pod_blocks(vpc: Vpc, nodes: Collection[IPv4Network]) -> list[IPv4Network]:
    """The blocks of a VPC that only pods can be in: those added to it in which no node is."""
    blocks = [block for each in vpc.cidr_blocks[1:] if (block := ipv4_network(each))]
    return [block for block in blocks if not any(block.overlaps(each) for each in nodes)]


def stores(interfaces: Iterable[NetworkInterface]) -> Mapping[str, list[str]]:
    """The data stores behind each security group, by the names of their services."""
    found: dict[str, set[str]] = {}
    for interface in interfaces:
        for store in DATA_STORES:
            if fnmatchcase(interface.description, store.description):
                for identity in interface.group_ids:
                    found.setdefault(identity, set()).add(store.name)
    return {identity: sorted(names) for identity, names in found.items()}


def admits_pods_alone(found: SecurityGroupRule, pods: Iterable[IPv4Network], nodes: Iterable[IPv4Network]) -> bool:
    """Whether a rule lets a range of pods in that no node has an address of."""
    block = ipv4_network(found.peer)
    if found.is_egress or block is None or any(block.overlaps(each) for each in nodes):
        return False
    return any(block.overlaps(each) for each in pods)


def admits_node(group: SecurityGroup, wanted: SecurityGroupRule, node: IPv4Network, carried: Collection[str]) -> bool:
    """Whether the group lets a node's whole subnet, or one of the nodes' groups, in on the same ports."""
    for each in group.rules:
        block = ipv4_network(each.peer)
        if covers(each, wanted) and (each.peer in carried or (block is not None and node.subnet_of(block))):
            return True
    return False
