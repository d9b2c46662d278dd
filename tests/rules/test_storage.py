"""EFS: where a mount takes an address that leads nowhere, and where it goes on as it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import build
import pytest

from eks6check.findings import Finding, Severity

NODES = {"id": "subnet-1", "vpc_id": "vpc-1", "availability_zone": "eu-west-1a"}
DNS64 = {**NODES, "enable_dns64": True}
FILES = {"id": "subnet-9", "vpc_id": "vpc-1", "availability_zone": "eu-west-1a"}
ELSEWHERE = {"id": "subnet-8", "vpc_id": "vpc-1", "availability_zone": "eu-west-1b"}
WORKERS = {"id": "workers", "subnet_ids": ["subnet-1"]}
TARGET: Mapping[str, Any] = {
    "id": "fsmt-1",
    "file_system_id": "fs-1",
    "subnet_id": "subnet-9",
    "ip_address": "10.0.9.7",
}
BOTH = {**TARGET, "ipv6_address": "2001:db8:1234:9::7"}


def judged(*targets: Any, subnets: Any = (NODES, FILES, ELSEWHERE), **sections: Any) -> tuple[Finding, ...]:
    known = {"node_groups": [WORKERS], **sections}
    return build.judge("STO002", efs_mount_targets=targets, subnets=subnets, **known).findings


def test_nodes_with_dns64_in_the_targets_zone_would_mount_a_made_up_address() -> None:
    (finding,) = judged(TARGET, subnets=[DNS64, FILES])
    assert finding.message == (
        "fs-1 has no IPv6 address in eu-west-1a, and subnet-1, which serves node group workers there, has DNS64 on: "
        "mounts would take an address in 64:ff9b::/96 that leads to the NAT gateway, and time out."
    )
    assert (finding.severity, finding.evidence["subnet"]) == (Severity.WARNING, "subnet-1")
    assert "--subnet-id subnet-1 --no-enable-dns64" in finding.remedy


@pytest.mark.parametrize(
    "uses",
    [
        {"node_groups": [], "instances": [{"id": "i-1", "subnet_id": "subnet-1"}]},
        {"node_groups": [], "fargate_profiles": [{"id": "batch", "subnet_ids": ["subnet-1"]}]},
    ],
)
def test_whoever_mounts_from_there_is_misled(uses: Any) -> None:
    (finding,) = judged(TARGET, subnets=[DNS64, FILES], **uses)
    assert finding.severity is Severity.WARNING


@pytest.mark.parametrize(
    ("subnets", "groups"),
    [
        ((NODES, FILES), [WORKERS]),
        (({**DNS64, "availability_zone": "eu-west-1b"}, FILES), [WORKERS]),
        ((DNS64, FILES), []),
        ((DNS64,), [WORKERS]),
    ],
)
def test_elsewhere_nodes_mount_over_ipv4_as_today(subnets: Any, groups: Any) -> None:
    (finding,) = judged(TARGET, subnets=subnets, node_groups=groups)
    assert finding.message == "fs-1 has no IPv6 address in subnet-9; nodes there mount it over IPv4."
    assert finding.severity is Severity.INFO


def test_a_note_looks_at_a_live_file_system_and_changes_nothing() -> None:
    (finding,) = judged(TARGET)
    commands = [line for line in finding.remedy.splitlines() if not line.startswith("#")]
    assert commands == ["aws efs describe-mount-targets --file-system-id fs-1"]


def test_a_file_system_of_both_kinds_is_mounted_over_either() -> None:
    (finding,) = judged(TARGET, {**BOTH, "id": "fsmt-2", "subnet_id": "subnet-8"})
    assert finding.message.endswith(
        "Elsewhere it has one, so nodes mount it over one family here and over the other there."
    )


def test_a_file_system_is_told_once_with_all_its_mount_targets() -> None:
    (one,) = judged(TARGET, {**TARGET, "id": "fsmt-2", "subnet_id": "subnet-8"})
    assert [place.id for place in one.locations] == ["fsmt-1", "fsmt-2"]
    assert len(judged(TARGET, {**TARGET, "id": "fsmt-3", "file_system_id": "fs-2"})) == 2


def nfs(*peers: str, **changes: Any) -> dict[str, Any]:
    rule = {"protocol": "tcp", "from_port": 2049, "to_port": 2049, **changes}
    return {"id": "sg-1", "rules": [{**rule, "peer": peer} for peer in peers]}


GUARDED = {**BOTH, "group_ids": ["sg-1"]}


@pytest.mark.parametrize(
    "group",
    [
        nfs("10.0.0.0/16"),
        nfs("10.0.0.0/16", "100.64.0.0/10"),
        nfs("10.0.0.0/16", protocol="-1", from_port=None, to_port=None),
        nfs("10.0.0.0/16", from_port=0, to_port=65535),
    ],
)
def test_a_group_that_lets_nfs_in_over_ipv4_alone_stops_the_mount(group: Any) -> None:
    (finding,) = judged(GUARDED, security_groups=[group])
    assert finding.message == (
        "fs-1 has an IPv6 address in subnet-9, where sg-1 admits NFS from IPv4 blocks alone: mounts take the IPv6 "
        "address first, and time out."
    )
    assert (finding.severity, finding.evidence["security_group"]) == (Severity.WARNING, "sg-1")


@pytest.mark.parametrize(
    "groups",
    [
        [nfs("10.0.0.0/16", "2001:db8:1234::/56")],
        [nfs("10.0.0.0/16", "sg-nodes")],
        [nfs("pl-1")],
        [nfs()],
        [nfs("10.0.0.0/16", is_egress=True)],
        [nfs("10.0.0.0/16", protocol="udp")],
        [nfs("10.0.0.0/16", from_port=443, to_port=443)],
        [],
    ],
)
def test_a_group_that_knows_ipv6_or_no_nfs_at_all_is_left_alone(groups: Any) -> None:
    assert judged(GUARDED, security_groups=groups) == ()


def test_a_group_that_was_not_read_may_let_it_in() -> None:
    assert judged({**GUARDED, "group_ids": ["sg-1", "sg-unread"]}, security_groups=[nfs("10.0.0.0/16")]) == ()


@pytest.mark.parametrize("target", [BOTH, {**BOTH, "ip_address": ""}, {**TARGET, "ip_address": ""}])
def test_a_mount_target_with_an_ipv6_address_is_left_alone_with_dns64_too(target: Any) -> None:
    assert judged(target, subnets=[DNS64, FILES]) == ()
