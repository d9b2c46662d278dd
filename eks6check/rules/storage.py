"""Storage: file systems whose mount depends on the family of their addresses."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from eks6check.catalog import rule
from eks6check.facts import network
from eks6check.facts.phrases import phrase
from eks6check.findings import Problem, Severity

if TYPE_CHECKING:
    from eks6check.facts.aws import (
        Cluster,
        FargateProfile,
        Instance,
        MountTarget,
        NodeGroup,
        SecurityGroup,
        SecurityGroupRule,
        Subnet,
    )

NFS_PORT = 2049
TCP = frozenset({"tcp", "6", "-1"})
"""How a security group writes TCP, or all protocols."""


@rule
def efs_mount_target_ipv4_only(  # noqa: PLR0913, PLR0917  who mounts is told by five sections
    efs_mount_targets: Sequence[MountTarget],
    subnets: Sequence[Subnet],
    node_groups: Sequence[NodeGroup] = (),
    instances: Sequence[Instance] = (),
    fargate_profiles: Sequence[FargateProfile] = (),
    clusters: Sequence[Cluster] = (),
    security_groups: Sequence[SecurityGroup] = (),
) -> Iterator[Problem]:
    """A mount fails where there is an AAAA record and NFS is let in over IPv4 alone; nodes keep IPv4 for all else.

    The record is EFS's own, or one that DNS64 makes up. EFS's name leads to the mount target of the client's own zone,
    so only subnets of that zone count. One finding for each file system and fault.
    """
    zones = {subnet.id: subnet.availability_zone for subnet in subnets}
    serves = network.by_subnet(
        network.node_uses(node_groups, instances),
        network.karpenter_uses(instances, subnets, clusters),
        network.fargate_uses(fargate_profiles),
    )
    dns64 = [subnet for subnet in subnets if subnet.id in serves and subnet.enable_dns64]
    misleading = {subnet.availability_zone: subnet for subnet in sorted(dns64, key=lambda subnet: subnet.id)}
    for file_system, targets in by_file_system(efs_mount_targets).items():
        refusing = [each for each in targets if each.ipv6_address and nfs_over_ipv4_only(each, security_groups)]
        if refusing:
            yield mount_refused(file_system, refusing)
        lacking = [each for each in targets if each.ip_address and not each.ipv6_address]
        misled = [each for each in lacking if zones.get(each.subnet_id) in misleading]
        if misled:
            yield mount_misled(file_system, misled, misleading[zones[misled[0].subnet_id]], serves)
        elif lacking:
            yield mount_stays_ipv4(file_system, lacking, mixed=len(lacking) < len(targets))


def by_file_system(targets: Sequence[MountTarget]) -> dict[str, list[MountTarget]]:
    """The mount targets of each file system, by id."""
    found: dict[str, list[MountTarget]] = defaultdict(list)
    for target in sorted(targets, key=lambda target: target.id):
        found[target.file_system_id].append(target)
    return found


def nfs_over_ipv4_only(target: MountTarget, security_groups: Sequence[SecurityGroup]) -> bool:
    """Whether the groups of a mount target let NFS in from IPv4 blocks and from nothing else.

    A rule that names a group or a prefix list counts for both families; a group that was not read leaves it open.
    """
    groups = [group for group in security_groups if group.id in target.group_ids]
    peers = [rule.peer for group in groups for rule in group.rules if admits_nfs(rule)]
    ipv4 = [peer for peer in peers if "." in peer and ":" not in peer]
    return len(groups) == len(target.group_ids) and bool(peers) and ipv4 == peers


def admits_nfs(rule: SecurityGroupRule) -> bool:
    """Whether a permission lets TCP 2049 in."""
    ports = rule.from_port is None or rule.to_port is None or rule.from_port <= NFS_PORT <= rule.to_port
    return not rule.is_egress and rule.protocol in TCP and (rule.protocol == "-1" or ports)


def mount_refused(file_system: str, targets: list[MountTarget]) -> Problem:
    """The problem of a mount that takes the IPv6 address before the one that is let in."""
    groups = sorted({group for each in targets for group in each.group_ids})
    where = phrase([each.subnet_id for each in targets])
    return Problem(
        targets[0],
        f"{file_system} has an IPv6 address in {where}, where {phrase(groups)} admits NFS from IPv4 blocks "
        f"alone: mounts take the IPv6 address first, and time out.",
        evidence={**said_of(file_system, targets), "security_group": groups[0], "security_groups": groups},
        key="security-groups",
        remedy="security-groups",
        also=tuple((each, ()) for each in targets[1:]),
    )


def mount_misled(file_system: str, targets: list[MountTarget], subnet: Subnet, serves: network.Serves) -> Problem:
    """The problem of a mount that takes the made-up address before the real one."""
    return Problem(
        targets[0],
        f"{file_system} has no IPv6 address in {subnet.availability_zone}, and {subnet}, which serves "
        f"{phrase(serves[subnet.id])} there, has DNS64 on: mounts would take an address in 64:ff9b::/96 that "
        f"leads to the NAT gateway, and time out.",
        evidence={**said_of(file_system, targets), "subnet": subnet.id, "dns64": True},
        remedy="dns64",
        also=(*((each, ()) for each in targets[1:]), (subnet, ())),
    )


def mount_stays_ipv4(file_system: str, targets: list[MountTarget], *, mixed: bool) -> Problem:
    """The note on a file system that nodes go on mounting over IPv4."""
    where = phrase([each.subnet_id for each in targets])
    elsewhere = (
        " Elsewhere it has one, so nodes mount it over one family here and over the other there." if mixed else ""
    )
    return Problem(
        targets[0],
        f"{file_system} has no IPv6 address in {where}; nodes there mount it over IPv4.{elsewhere}",
        evidence=said_of(file_system, targets),
        severity=Severity.INFO,
        remedy="dualstack",
        also=tuple((each, ()) for each in targets[1:]),
    )


def said_of(file_system: str, targets: list[MountTarget]) -> dict[str, object]:
    """What both kinds of finding show."""
    return {
        "file_system": file_system,
        "mount_target": targets[0].id,
        "addresses": {each.id: [each.ip_address, each.ipv6_address] for each in targets},
        "subnets": [each.subnet_id for each in targets],
    }
