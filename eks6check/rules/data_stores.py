"""Data stores: security groups that admit pods by the IPv4 ranges of today."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from ipaddress import IPv4Network, collapse_addresses
from typing import TYPE_CHECKING

from eks6check.catalog import rule
from eks6check.facts import network
from eks6check.facts.filters import DATA_STORES, covers
from eks6check.facts.network import SHARED_SPACE, ipv4_network
from eks6check.facts.phrases import phrase
from eks6check.findings import Confidence, Problem, Severity

if TYPE_CHECKING:
    from eks6check.facts.aws import (
        Cluster,
        Instance,
        LaunchTemplate,
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
    launch_templates: Sequence[LaunchTemplate] = (),
    clusters: Sequence[Cluster] = (),
) -> Iterator[Problem]:
    """Pods have ranges of their own today where a VPC has blocks that no node is in: custom networking, as a rule."""
    serves = network.by_subnet(
        network.node_uses(node_groups, instances), network.karpenter_uses(instances, subnets, clusters)
    )
    blocks = {subnet.id: ipv4_network(subnet.cidr_block) for subnet in subnets if subnet.id in serves}
    nodes = {identity: block for identity, block in blocks.items() if block}
    pods = [block for vpc in vpcs for block in pod_blocks(vpc, nodes.values())]
    carried = {cluster.cluster_security_group_id for cluster in clusters}
    for machine in instances:
        carried.update(machine.security_group_ids)
    for template in launch_templates:
        carried.update(template.security_group_ids, *(each.group_ids for each in template.network_interfaces))
    known = {group.id: group for group in security_groups}
    attached = stores(network_interfaces)
    for group in security_groups:
        narrow = [
            each for each in group.rules if group.id in attached and admits_pods_alone(each, pods, nodes.values())
        ]
        refused = sorted(
            identity
            for identity, block in nodes.items()
            if any(
                not admits_node(each, block, carried, rules)
                for each in narrow
                for rules in beside(group, known, network_interfaces)
            )
        )
        if refused:
            yield _problem(group, attached[group.id], narrow, {identity: str(nodes[identity]) for identity in refused})


def _problem(
    group: SecurityGroup, named: Sequence[str], narrow: Sequence[SecurityGroupRule], refused: Mapping[str, str]
) -> Problem:
    ranges, places = sorted({each.peer for each in narrow}), sorted({*refused.values()})
    sure = all(block.subnet_of(SHARED_SPACE) for each in ranges if (block := ipv4_network(each)))
    whose = "the pods'" if sure else "what may be the pods'"
    return Problem(
        group,
        f"Security group {group} of {phrase(named)} admits {whose} {', '.join(ranges)} and not the nodes' "
        f"{', '.join(places)}; from an IPv6 cluster, pods come to an IPv4 address from their node's.",
        evidence={
            "security_group": group.id,
            "vpc": group.vpc_id,
            "stores": list(named),
            "admitted": ranges,
            "subnet": list(refused),
            "node_ranges": places,
            "node_range": places[0],
            "protocol": narrow[0].protocol,
            "from_port": narrow[0].from_port,
            "to_port": narrow[0].to_port,
        },
        severity=Severity.WARNING if sure else Severity.INFO,
        confidence=Confidence.HIGH if sure else Confidence.MEDIUM,
        remedy="all" if narrow[0].from_port is None else "",
    )


def pod_blocks(vpc: Vpc, nodes: Collection[IPv4Network]) -> list[IPv4Network]:
    """The blocks of a VPC that only pods can be in: those in which no node is."""
    blocks = [block for each in vpc.cidr_blocks if (block := ipv4_network(each))]
    return [block for block in blocks if not any(block.overlaps(each) for each in nodes)]


def beside(
    group: SecurityGroup, known: Mapping[str, SecurityGroup], interfaces: Iterable[NetworkInterface]
) -> Iterator[list[SecurityGroupRule]]:
    """For each interface that carries a group, the rules of all its groups, which add up."""
    for interface in interfaces:
        if group.id in interface.group_ids:
            yield [rule for identity in interface.group_ids if identity in known for rule in known[identity].rules]


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


def admits_node(
    wanted: SecurityGroupRule, node: IPv4Network, carried: Collection[str], rules: Iterable[SecurityGroupRule]
) -> bool:
    """Whether rules let a node's whole subnet in on the ports of another rule; a prefix list may, so it counts."""
    same = [each for each in rules if covers(each, wanted)]
    if any(each.peer in carried or each.peer.startswith("pl-") for each in same):
        return True
    blocks = collapse_addresses(block for each in same if (block := ipv4_network(each.peer)))
    return any(node.subnet_of(block) for block in blocks)
