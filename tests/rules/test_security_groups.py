"""Security groups: which rule lacks its twin, on whom that tells, and how much it matters."""

from __future__ import annotations

from typing import Any

import build
import pytest

from eks6check.facts.aws import PrefixList, SecurityGroupRule
from eks6check.facts.filters import covers, family
from eks6check.findings import Severity

OUT4, OUT6 = {"peer": "0.0.0.0/0", "is_egress": True}, {"peer": "::/0", "is_egress": True}
HTTPS = {"protocol": "tcp", "from_port": 443, "to_port": 443}


def group(name: str, *rules: dict[str, Any]) -> dict[str, Any]:
    return {"id": name, "vpc_id": "vpc-1", "rules": rules}


def judged(*groups: dict[str, Any], carried: tuple[str, ...] = ("sg-1",), **facts: Any) -> list[Any]:
    """What is said of these groups, where nodes carry the named ones together."""
    known: dict[str, Any] = {
        "instances": [{"id": "i-1", "security_group_ids": carried}],
        "vpcs": [{"id": "vpc-1", "ipv6_cidr_blocks": ["2001:db8::/56"]}],
        **facts,
    }
    return [*build.judge("VPC011", security_groups=groups, **known).findings]


def test_a_node_that_nothing_leaves_over_ipv6_is_a_blocker() -> None:
    (finding,) = judged(group("sg-1", OUT4))
    assert finding.message == (
        "Security group sg-1 lets all traffic to 0.0.0.0/0 out and no IPv6 range at all, and no other group on node "
        "i-1 does."
    )
    assert finding.severity is Severity.BLOCKER
    assert "Ipv6Ranges=[{CidrIpv6=::/0}]" in finding.remedy


def test_another_group_of_the_same_node_makes_up_for_it() -> None:
    assert judged(group("sg-1", OUT4), group("sg-2", OUT6), carried=("sg-1", "sg-2")) == []
    apart = [{"id": "i-1", "security_group_ids": ["sg-1"]}, {"id": "i-2", "security_group_ids": ["sg-2"]}]
    assert len(judged(group("sg-1", OUT4), group("sg-2", OUT6), instances=apart)) == 1


@pytest.mark.parametrize(
    ("more", "severity"),
    [
        ({"peer": "sg-9"}, Severity.BLOCKER),
        ({"peer": "pl-4"}, Severity.BLOCKER),
        ({"peer": "pl-unknown"}, Severity.WARNING),
        ({"peer": "2001:db8::/56"}, Severity.WARNING),
        ({"peer": "2001:db8::1/128"}, Severity.WARNING),
    ],
)
def test_groups_are_no_way_out_and_a_narrow_one_is_less_than_a_blocker(
    more: dict[str, Any], severity: Severity
) -> None:
    lists = [{"id": "pl-4", "address_family": "IPv4"}]
    found = judged(group("sg-1", OUT4, {**more, "is_egress": True}), prefix_lists=lists)
    assert [each.severity for each in found] == [severity]
    assert all("all traffic to 0.0.0.0/0" in each.message for each in found)


def test_the_remedy_opens_what_ipv4_has_and_no_more() -> None:
    (finding,) = judged(
        group(
            "sg-1",
            OUT6,
            {"peer": "10.0.0.0/8", "is_egress": True, "protocol": "udp", "from_port": 53, "to_port": 53},
            {"peer": "10.0.0.0/8", **HTTPS},
        )
    )
    assert "'IpProtocol=tcp,FromPort=443,ToPort=443,Ipv6Ranges=[{CidrIpv6=IPV6_CIDR}]'" in finding.remedy


@pytest.mark.parametrize(
    ("peer", "severity"),
    [
        ("0.0.0.0/0", Severity.WARNING),
        ("10.0.0.0/8", Severity.WARNING),
        ("100.64.0.0/16", Severity.WARNING),
        ("198.18.0.0/15", Severity.WARNING),
        ("52.95.110.0/24", Severity.INFO),
        ("52.95.110.7/32", Severity.INFO),
        ("no block", Severity.WARNING),
    ],
)
def test_a_rule_in_is_a_warning_unless_it_is_some_partners_own(peer: str, severity: Severity) -> None:
    (finding,) = judged(group("sg-1", OUT4, OUT6, {"peer": peer, **HTTPS}))
    assert f"lets tcp 443 from {peer} in" in finding.message
    assert finding.severity is severity


def test_one_finding_for_each_group_and_direction() -> None:
    rules: list[dict[str, Any]] = [{"peer": "10.0.0.0/8", **HTTPS}, {"peer": "10.0.0.0/8", "protocol": "17"}, OUT4]
    found = judged(group("sg-1", *rules))
    assert [finding.evidence["without_twin"] for finding in found] == [
        ["tcp 443 from 10.0.0.0/8", "udp from 10.0.0.0/8"],
        ["all traffic to 0.0.0.0/0"],
    ]


@pytest.mark.parametrize(
    "rules",
    [
        [{"peer": "sg-1"}, {"peer": "sg-2", "is_egress": True}],
        [{"peer": "10.0.0.0/8", **HTTPS}, {"peer": "2001:db8::/56", **HTTPS}],
        [{"peer": "10.0.0.0/8", **HTTPS}, {"peer": "::/0"}],
        [{"peer": "10.0.0.0/8", **HTTPS}, {"peer": "2001:db8::/56", "protocol": "6", "from_port": 0, "to_port": 65535}],
        [{"peer": "10.0.0.0/8", "protocol": "icmp"}, {"peer": "::/0", "protocol": "58"}],
        [{"peer": "pl-4", **HTTPS}, {"peer": "pl-6", **HTTPS}],
        [{"peer": "pl-unknown", **HTTPS}],
        [],
    ],
)
def test_groups_twins_and_lists_of_ipv6_are_fine(rules: list[dict[str, Any]]) -> None:
    lists = [{"id": "pl-4", "address_family": "IPv4"}, {"id": "pl-6", "address_family": "IPv6"}]
    assert judged(group("sg-1", *rules), prefix_lists=lists) == []


def test_a_twin_must_be_of_the_same_direction_protocol_and_ports() -> None:
    for twin in (
        OUT6,
        {"peer": "::/0", "protocol": "udp"},
        {"peer": "::/0", **HTTPS, "to_port": 443, "from_port": 444},
    ):
        (finding,) = judged(group("sg-1", {"peer": "10.0.0.0/8", **HTTPS}, twin))
        assert "tcp 443 from 10.0.0.0/8" in finding.message


def test_groups_that_nobody_of_the_cluster_carries_are_left_alone() -> None:
    assert judged(group("sg-9", OUT4), carried=()) == []
    assert judged(group("sg-1", OUT4), carried=("sg-1", "sg-that-is-not-listed")) == []


def test_the_control_plane_fargate_pods_and_nodes_to_come_carry_groups_too() -> None:
    cluster = {"id": "prod", "cluster_security_group_id": "sg-1", "security_group_ids": ["sg-2"]}
    found = judged(group("sg-1", OUT4), group("sg-2", OUT4), carried=(), clusters=[cluster])
    assert {finding.subject.id for finding in found} == {"sg-1", "sg-2"}
    named = {"launch_template_id": "lt-1", "launch_template_version": "1"}
    template = {"id": "lt-1", "version": "1", "network_interfaces": [{"device_index": 0, "group_ids": ["sg-3"]}]}
    (finding,) = judged(
        group("sg-3", OUT4), carried=(), node_groups=[{"id": "web", **named}], launch_templates=[template]
    )
    assert "no other group on nodes of launch template lt-1 does" in finding.message
    assert judged(group("sg-3", OUT4), carried=(), launch_templates=[template]) == []


def test_the_family_of_a_peer() -> None:
    lists = {"pl-1": PrefixList(id="pl-1", address_family="IPv6")}
    peers = ("10.0.0.0/8", "::/0", "sg-1", "pl-1", "pl-2")
    assert [family(peer, lists) for peer in peers] == ["IPv4", "IPv6", "", "IPv6", ""]


def test_all_ports_are_not_covered_by_some() -> None:
    everything = SecurityGroupRule(peer="10.0.0.0/8", protocol="tcp")
    some = SecurityGroupRule(peer="::/0", protocol="tcp", from_port=0, to_port=1023)
    assert covers(everything, some)
    assert not covers(some, everything)


@pytest.mark.parametrize(
    ("rules", "block", "fires"),
    [
        ([OUT4, {"peer": "sg-1"}], [], False),
        ([OUT4, {"peer": "sg-1"}], ["2001:db8::/56"], True),
        ([{**OUT4, "protocol": "tcp"}], [], True),
        ([OUT4, {"peer": "10.0.0.0/8", "is_egress": True}], [], True),
    ],
)
def test_ec2_completes_the_way_out_that_nobody_touched(
    rules: list[dict[str, Any]], block: list[str], *, fires: bool
) -> None:
    assert bool(judged(group("sg-1", *rules), vpcs=[{"id": "vpc-1", "ipv6_cidr_blocks": block}])) is fires
