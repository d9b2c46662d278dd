"""Zones: subnets that stand where there is no IPv6, or no control plane."""

from __future__ import annotations

from typing import Any

import build
import pytest

from eks6check.findings import Severity

OUTPOST = "arn:aws:outposts:eu-west-1:111122223333:outpost/op-0ab1"
ZONES = [
    {"id": "eu-west-1a", "zone_id": "euw1-az1"},
    {"id": "us-east-1e", "zone_id": "use1-az3"},
    {"id": "eu-west-1-wl1-dub-wlz-1", "zone_id": "euw1-wl1", "zone_type": "wavelength-zone"},
    {"id": "us-west-2-lax-1a", "zone_id": "usw2-lax1-az1", "zone_type": "local-zone"},
    {"id": "eu-west-1z", "zone_type": "a-zone-of-2030"},
]


def said(zone: str, *, cluster: bool = True, node: bool = False, **fields: Any) -> list[str]:
    return build.messages(
        "VPC016",
        subnets=[{"id": "subnet-1", "availability_zone": zone, **fields}],
        availability_zones=ZONES,
        clusters=[{"id": "prod", "subnet_ids": ["subnet-1"] * cluster}],
        node_groups=[{"id": "workers", "subnet_ids": ["subnet-1"]}] * node,
    )


@pytest.mark.parametrize(
    ("zone", "fields", "fault"),
    [
        ("us-east-1e", {}, "is in us-east-1e (use1-az3), a zone where EKS puts no control plane interface"),
        ("us-east-1x", {"availability_zone_id": "cac1-az3"}, "(cac1-az3)"),
        ("us-west-2-lax-1a", {}, "a local zone"),
        ("eu-west-1-wl1-dub-wlz-1", {}, "a Wavelength zone, which has no IPv6"),
        ("eu-west-1a", {"outpost_arn": OUTPOST}, f"stands on {OUTPOST}"),
    ],
)
def test_a_cluster_subnet_in_the_wrong_place_is_told(zone: str, fields: dict[str, Any], fault: str) -> None:
    (message,) = said(zone, **fields)
    assert message.startswith("subnet-1, which serves cluster prod, ")
    assert fault in message


def test_nodes_may_stand_in_a_local_zone_and_in_any_other_with_ipv6() -> None:
    for zone in ("us-west-2-lax-1a", "us-east-1e"):
        assert said(zone, cluster=False, node=True) == []
    assert said("eu-west-1-wl1-dub-wlz-1", cluster=False, node=True)
    assert said("eu-west-1a", cluster=False, node=True, outpost_arn=OUTPOST)


@pytest.mark.parametrize("zone", ["eu-west-1a", "eu-west-1z", "a-zone-that-ec2-did-not-list", ""])
def test_an_ordinary_or_unknown_zone_is_left_alone(zone: str) -> None:
    assert said(zone) == []


def test_a_subnet_that_serves_nothing_is_left_alone() -> None:
    assert said("us-east-1e", cluster=False) == []


@pytest.mark.parametrize(("nodes", "severity"), [(0, Severity.WARNING), (1, Severity.BLOCKER)])
def test_a_subnet_for_load_balancers_alone_may_serve_ipv4_ones(nodes: int, severity: Severity) -> None:
    tagged = {"id": "subnet-1", "availability_zone": ZONES[2]["id"], "tags": {"kubernetes.io/role/elb": "1"}}
    groups = [{"id": "workers", "subnet_ids": ["subnet-1"]}] * nodes
    outcome = build.judge("VPC016", subnets=[tagged], availability_zones=ZONES, node_groups=groups)
    assert [finding.severity for finding in outcome.findings] == [severity]
