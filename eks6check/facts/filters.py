"""Views on what the network lets through: security groups as they add up on an interface, and network ACLs in order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from enum import IntEnum
from typing import TYPE_CHECKING, NamedTuple

from eks6check.facts.routes import EVERYWHERE, IPV4_DEFAULT, IPV6_DEFAULT

if TYPE_CHECKING:
    from eks6check.facts.aws import (
        AutoScalingGroup,
        Cluster,
        Instance,
        LaunchTemplate,
        NetworkAcl,
        NetworkAclEntry,
        NodeGroup,
        PrefixList,
        SecurityGroup,
        SecurityGroupRule,
    )

PROTOCOLS = {"1": "icmp", "6": "tcp", "17": "udp", "58": "icmpv6"}
"""IANA's numbers of the protocols that EC2 knows by name."""

TWINS = {"icmp": "icmpv6"}
"""The protocol that does for IPv6 what another does for IPv4."""

ALL = "-1"


class DataStore(NamedTuple):
    """A service with interfaces in a VPC, and how it describes them; ``*`` stands for any text, as in EC2's filters."""

    name: str
    description: str


DATA_STORES = (
    DataStore("RDS", "RDSNetworkInterface"),
    DataStore("ElastiCache", "ElastiCache *"),
    DataStore("OpenSearch", "ES *"),
    DataStore("Redshift", "RedshiftNetworkInterface"),
    DataStore("RDS Proxy", "Network interface for DBProxy *"),
    DataStore("MSK", "DO NOT DELETE - Amazon MSK network interface for cluster *"),
)
"""Read off the interfaces of accounts that were exported to Terraform in public repositories, on 2026-11-25."""


def protocol(written: str) -> str:
    """A protocol by its name where it has one."""
    return PROTOCOLS.get(written, written)


def family(peer: str, prefix_lists: Mapping[str, PrefixList]) -> str:
    """``IPv4`` or ``IPv6`` for a block or a prefix list; empty for a group, which is of both, or an unknown list."""
    if peer.startswith("pl-"):
        return prefix_lists[peer].address_family if peer in prefix_lists else ""
    if peer.startswith("sg-"):
        return ""
    return "IPv6" if ":" in peer else "IPv4"


def covers(wide: SecurityGroupRule, narrow: SecurityGroupRule) -> bool:
    """Whether a rule for IPv6 lets through what one for IPv4 does: the same direction, protocol and ports at least."""
    if wide.is_egress is not narrow.is_egress:
        return False
    if wide.protocol == ALL:
        return True
    wanted = protocol(narrow.protocol)
    if protocol(wide.protocol) != TWINS.get(wanted, wanted):
        return False
    return wanted in TWINS or _spans(wide, narrow)


def _spans(wide: SecurityGroupRule, narrow: SecurityGroupRule) -> bool:
    if wide.from_port is None or wide.to_port is None:
        return True
    if narrow.from_port is None or narrow.to_port is None:
        return False
    return wide.from_port <= narrow.from_port and narrow.to_port <= wide.to_port


class Bearer(NamedTuple):
    """Interfaces of one kind, in words, and the security groups that they carry together."""

    words: str
    group_ids: frozenset[str]


def bearers(
    clusters: Iterable[Cluster],
    instances: Iterable[Instance],
    launch_templates: Iterable[LaunchTemplate],
    groups: Iterable[NodeGroup | AutoScalingGroup],
) -> Iterator[Bearer]:
    """The control plane, running nodes and those to come; Fargate pods and plain node groups carry the cluster's group.

    One node stands for all with the same groups.
    """
    for cluster in clusters:
        own = {cluster.cluster_security_group_id} - {""}
        yield Bearer(f"the control plane of {cluster}", frozenset({*own, *cluster.security_group_ids}))
        if own:
            yield Bearer(f"nodes and Fargate pods of {cluster}", frozenset(own))
    nodes = {frozenset(each.security_group_ids): each for each in instances if each.security_group_ids}
    yield from (Bearer(f"node {instance}", carried) for carried, instance in nodes.items())
    used = {(group.launch_template_id, group.launch_template_version): group for group in groups}
    for template in launch_templates:
        primary = (each.group_ids for each in template.network_interfaces if each.device_index == 0)
        carried = {*template.security_group_ids, *next(primary, ())}
        if carried and (template.id, template.version) in used:
            yield Bearer(f"nodes of launch template {template}", frozenset(carried))


def lacking(
    group: SecurityGroup,
    carriers: Iterable[Bearer],
    known: Mapping[str, SecurityGroup],
    lists: Mapping[str, PrefixList],
) -> Iterator[tuple[SecurityGroupRule, Bearer]]:
    """A group's rules for IPv4 that have no twin on an interface which carries it, each with the first such interface.

    All groups of an interface add up, so a twin in any of them will do. An interface with a group that is not known is
    left alone.
    """
    carriers = sorted(carriers)
    for rule in group.rules:
        if family(rule.peer, lists) != "IPv4":
            continue
        for bearer in carriers:
            if group.id in bearer.group_ids and bearer.group_ids <= known.keys():
                together = (each for identity in bearer.group_ids for each in known[identity].rules)
                if not any(is_twin(each, rule, lists) for each in together):
                    yield rule, bearer
                    break


def is_twin(found: SecurityGroupRule, rule: SecurityGroupRule, lists: Mapping[str, PrefixList]) -> bool:
    """Whether a rule does for IPv6 what another does for IPv4: for everybody, if that one is for everybody."""
    broad = rule.peer != IPV4_DEFAULT or found.peer in EVERYWHERE[IPV6_DEFAULT]
    return broad and family(found.peer, lists) == "IPv6" and covers(found, rule)


def has_ipv6(
    bearer: Bearer, known: Mapping[str, SecurityGroup], lists: Mapping[str, PrefixList], *, is_egress: bool
) -> bool:
    """Whether any rule admits an IPv6 range in this direction. A list that is not known may; a group is no range."""
    rules = (rule for identity in bearer.group_ids if identity in known for rule in known[identity].rules)
    ranges = (rule for rule in rules if rule.is_egress is is_egress and not rule.peer.startswith("sg-"))
    return any(family(rule.peer, lists) != "IPv4" for rule in ranges)


class Admits(IntEnum):
    """How much of the world a network ACL admits in one family."""

    NOBODY = 0
    SOME = 1
    EVERYBODY = 2


class Traffic(NamedTuple):
    """A class of traffic through a network ACL, in words, and ports that stand for it, or ICMPv6's type."""

    words: str
    is_egress: bool
    protocol: str
    ports: tuple[int, ...]


def admits(acl: NetworkAcl, traffic: Traffic, destination: str) -> Admits:
    """How much of this traffic passes, to or from ``0.0.0.0/0`` or ``::/0``, on the port that passes least."""
    return min(_admits(acl, traffic, destination, port) for port in traffic.ports)


def _admits(acl: NetworkAcl, traffic: Traffic, destination: str, port: int) -> Admits:
    """The first entry that fits and is for everybody decides."""
    some = False
    for entry in sorted(acl.entries, key=lambda each: each.rule_number):
        if entry.is_egress is traffic.is_egress and _matches(entry, traffic, destination, port):
            if entry.cidr_block in EVERYWHERE[destination]:
                rest = Admits.SOME if some else Admits.NOBODY
                return Admits.EVERYBODY if entry.allow else rest
            some = some or entry.allow
    return Admits.SOME if some else Admits.NOBODY


def _matches(entry: NetworkAclEntry, traffic: Traffic, destination: str, port: int) -> bool:
    if (":" in entry.cidr_block) is not (destination == IPV6_DEFAULT):
        return False
    if entry.protocol == ALL:
        return True
    if protocol(entry.protocol) != traffic.protocol:
        return False
    if entry.from_port is None or entry.to_port is None:
        return True
    return entry.from_port <= port <= entry.to_port
