"""Where EFS file systems can be mounted in the cluster's VPC."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from eks6check.facts import Gap, Section
from eks6check.facts.aws import Cluster, MountTarget
from eks6check.facts.kube import text
from eks6check.sources import collector
from eks6check.sources.aws.api import Source, each, gathered, made
from eks6check.sources.aws.bodies import Body, bodies, live, texts

LEAVING = frozenset({"deleting", "deleted"})
"""States of a mount target that nobody will mount any more."""


INTERFACES_AT_ONCE = 200
"""Values that one filter of EC2 takes."""


@collector(
    "elasticfilesystem:DescribeFileSystems", "elasticfilesystem:DescribeMountTargets", "ec2:DescribeNetworkInterfaces"
)
def efs_mount_targets(source: Source, clusters: Section[Cluster]) -> Iterator[MountTarget | Gap]:
    """The mount targets in the cluster's VPC. EFS lists them by file system only."""
    vpc_ids = {cluster.vpc_id for cluster in clusters.items} - {""}
    names, unlisted = gathered(file_systems(source) if vpc_ids else ())
    targets, unread = gathered(in_vpcs(source, vpc_ids, names))
    groups, ungrouped = gathered(interface_groups(source, targets))
    yield from (*unlisted, *unread, *ungrouped)
    known = dict(groups)
    for body in targets:
        yield mount_target({**body, "SecurityGroups": known.get(text(body.get("NetworkInterfaceId")), [])})


def file_systems(source: Source) -> Iterator[str | Gap]:
    """The ids of all file systems that can be mounted somewhere."""
    call = "elasticfilesystem:DescribeFileSystems"
    for body in made(call, source.account.pages(call, "FileSystems"), dict, "FileSystemId"):
        if isinstance(body, Gap):
            yield body
        elif body.get("NumberOfMountTargets") != 0:
            yield text(body["FileSystemId"])


def in_vpcs(source: Source, vpc_ids: set[str], names: list[str]) -> Iterator[Body | Gap]:
    """The file systems' mount targets that stand in these VPCs, and are there to stay."""
    call = "elasticfilesystem:DescribeMountTargets"

    def describe(file_system: str) -> list[Any]:
        return list(source.account.pages(call, "MountTargets", FileSystemId=file_system))

    for listed in each(describe, names):
        found = [listed] if isinstance(listed, Gap) else made(call, listed, dict, "MountTargetId", "VpcId")
        for body in found:
            if isinstance(body, Gap) or (text(body["VpcId"]) in vpc_ids and body.get("LifeCycleState") not in LEAVING):
                yield body


def interface_groups(source: Source, targets: list[Body]) -> Iterator[tuple[str, list[str]] | Gap]:
    """The security groups of mount targets by interface: EC2 lists them together, EFS one by one."""
    named = sorted({text(body.get("NetworkInterfaceId")) for body in targets} - {""})
    call = "ec2:DescribeNetworkInterfaces"
    for start in range(0, len(named), INTERFACES_AT_ONCE):
        some = {"Name": "network-interface-id", "Values": named[start : start + INTERFACES_AT_ONCE]}
        listed = source.account.pages(call, "NetworkInterfaces", Filters=[some])
        for body in made(call, listed, dict, "NetworkInterfaceId", "Groups"):
            if isinstance(body, Gap):
                yield body
            else:
                yield text(body["NetworkInterfaceId"]), [text(group.get("GroupId")) for group in bodies(body["Groups"])]


def mount_target(body: Body) -> MountTarget:
    """A mount target of ``elasticfilesystem:DescribeMountTargets``, with the groups of its interface."""
    return MountTarget(
        id=text(body.get("MountTargetId")),
        origin=live(body.get("MountTargetId")),
        file_system_id=text(body.get("FileSystemId")),
        subnet_id=text(body.get("SubnetId")),
        ip_address=text(body.get("IpAddress")),
        ipv6_address=text(body.get("Ipv6Address")),
        group_ids=texts(body.get("SecurityGroups")),
    )
