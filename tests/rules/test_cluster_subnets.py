"""The control plane's own interfaces: their addresses, and their way out where the user routes it."""

from __future__ import annotations

from typing import Any

import build
import pytest

from eks6check.findings import Severity

NAT = {"destination": "0.0.0.0/0", "target": "nat-1"}
EGRESS = {"destination": "::/0", "target": "eigw-1"}


def egress(*tables: list[dict[str, Any]], mode: str = "CUSTOMER_ROUTED") -> dict[str, Any]:
    """A cluster with a subnet for each table."""
    ids = [f"subnet-{number}" for number, _ in enumerate(tables)]
    return {
        "clusters": [{"id": "prod", "subnet_ids": ids, "control_plane_egress_mode": mode}],
        "subnets": [{"id": each, "vpc_id": "vpc-1"} for each in [*ids, "subnet-9"]],
        "route_tables": [
            {"id": f"rtb-{number}", "vpc_id": "vpc-1", "subnet_ids": [each], "routes": routes}
            for number, (each, routes) in enumerate(zip(ids, tables, strict=True))
        ],
    }


def test_each_subnet_without_a_family_is_told_with_its_table() -> None:
    (finding,) = build.judge("CTL009", **egress([NAT, EGRESS], [NAT], [])).findings
    assert "subnet-1 has no ::/0 route that works in rtb-1" in finding.message
    assert "subnet-2 has no 0.0.0.0/0 and ::/0 route that works in rtb-2" in finding.message
    assert "subnet-0" not in finding.message
    assert [place.id for place in finding.locations] == ["prod", "rtb-1", "rtb-2"]
    assert "--destination-ipv6-cidr-block ::/0" in finding.remedy


def test_a_route_gone_to_blackhole_does_not_work() -> None:
    (finding,) = build.judge("CTL009", **egress([{**NAT, "state": "blackhole"}, EGRESS])).findings
    assert "no 0.0.0.0/0 route that works" in finding.message
    assert "--destination-cidr-block 0.0.0.0/0" in finding.remedy


@pytest.mark.parametrize("mode", ["AWS_MANAGED", "", "CUSTOMER_ISOLATED", "SOMETHING_NEW"])
def test_the_way_out_that_aws_manages_is_nobodys_business(mode: str) -> None:
    assert build.messages("CTL009", **egress([], mode=mode)) == []


def test_both_families_are_enough_and_a_subnet_without_a_table_is_left_to_the_gap() -> None:
    assert build.messages("CTL009", **egress([NAT, EGRESS])) == []
    assert build.messages("CTL009", **{**egress([]), "route_tables": []}) == []


def exhausted(free: int, family: str = "ipv4", **fields: Any) -> list[Any]:
    subnet = {"id": "subnet-1", "cidr_block": "10.0.0.0/24", "available_ip_address_count": free, **fields}
    clusters = [{"id": "prod", "ip_family": family, "subnet_ids": ["subnet-1"]}]
    return [*build.judge("CTL010", clusters=clusters, subnets=[subnet]).findings]


@pytest.mark.parametrize(
    ("free", "severity", "said"),
    [
        (0, Severity.BLOCKER, "has 0 free IPv4 addresses, and needs 6"),
        (1, Severity.BLOCKER, "has 1 free IPv4 address, and needs 6"),
        (5, Severity.BLOCKER, "needs 6 for the interfaces of a new control plane"),
        (6, Severity.WARNING, "should have 16"),
        (15, Severity.WARNING, "should have 16"),
    ],
)
def test_few_addresses_block_and_rather_few_warn(free: int, severity: Severity, said: str) -> None:
    (finding,) = exhausted(free)
    assert said in finding.message
    assert finding.severity is severity


def test_an_ipv6_cluster_that_runs_has_its_interfaces_and_needs_room_for_an_update_only() -> None:
    (finding,) = exhausted(5, "ipv6")
    assert "of an updated control plane" in finding.message
    assert finding.severity is Severity.WARNING
    assert exhausted(6, "ipv6") == []


@pytest.mark.parametrize(
    ("block", "free", "severities"),
    [
        ("10.0.0.0/28", 11, []),
        ("10.0.0.0/28", 6, []),
        ("10.0.0.0/28", 5, [Severity.BLOCKER]),
        ("10.0.0.0/27", 11, [Severity.WARNING]),
        ("no block", 11, [Severity.WARNING]),
    ],
)
def test_sixteen_are_advised_only_where_the_block_has_them(block: str, free: int, severities: list[Severity]) -> None:
    assert [finding.severity for finding in exhausted(free, cidr_block=block)] == severities


def test_sixteen_are_enough_and_other_subnets_and_ipv6_only_ones_do_not_count() -> None:
    assert exhausted(16) == []
    assert exhausted(0, id="subnet-2") == []
    assert exhausted(0, cidr_block=None) == []
