"""The API endpoint: which family it has, and whom its allow list lets in."""

from __future__ import annotations

from typing import Any

import build
import pytest

from eks6check.findings import Confidence, Severity

IPV4_ONLY = "https://0A1B2C3D.gr7.eu-west-1.eks.amazonaws.com"
DUAL_STACK = "https://0A1B2C3D.eks-cluster.eu-west-1.api.aws"


def cluster(**fields: Any) -> list[dict[str, Any]]:
    return [{"id": "prod", "region": "eu-west-1", "ip_family": "ipv6", "endpoint": DUAL_STACK, **fields}]


@pytest.mark.parametrize(
    ("fields", "said", "confidence"),
    [
        ({"endpoint": IPV4_ONLY}, "its host is 0a1b2c3d.gr7.eu-west-1.eks.amazonaws.com", Confidence.HIGH),
        ({"endpoint": f"{IPV4_ONLY}.cn"}, "its host is", Confidence.HIGH),
        ({"endpoint": "", "created_at": "2024-10-20T23:00:00+00:00"}, "made on 2024-10-20", Confidence.MEDIUM),
    ],
)
def test_an_ipv6_cluster_with_an_ipv4_endpoint(fields: dict[str, Any], said: str, confidence: Confidence) -> None:
    (finding,) = build.judge("CTL007", clusters=cluster(**fields)).findings
    assert said in finding.message
    assert finding.confidence is confidence


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"endpoint": IPV4_ONLY, "ip_family": "ipv4"},
        {"endpoint": "", "created_at": "2024-10-21T00:00:00+00:00"},
        {"endpoint": "", "created_at": ""},
        {"endpoint": "https://eks.amazonaws.com.example"},
        {"endpoint": "http://[broken", "created_at": "2025-01-01"},
        {"endpoint": "https://0A.eks-cluster.cn-north-1.api.amazonwebservices.com.cn"},
    ],
)
def test_any_other_endpoint_is_left_alone(fields: dict[str, Any]) -> None:
    assert build.messages("CTL007", clusters=cluster(**fields)) == []


def test_a_list_without_an_ipv6_range_shuts_ipv6_clients_out() -> None:
    (finding,) = build.judge(
        "CTL008",
        clusters=cluster(public_access_cidrs=["203.0.113.0/24", "198.51.100.7/32"], endpoint_private_access=True),
    ).findings
    assert "admits 198.51.100.7/32, 203.0.113.0/24 and no IPv6 address." in finding.message
    assert "nodes" not in finding.message
    assert finding.severity is Severity.WARNING


def test_without_private_access_nodes_are_shut_out_too() -> None:
    (finding,) = build.judge("CTL008", clusters=cluster(public_access_cidrs=["0.0.0.0/0"])).findings
    assert "nodes and Fargate pods come to it with IPv6 addresses of their own" in finding.message
    assert "endpointPrivateAccess=true" in finding.remedy


def test_the_narrow_list_of_an_ipv4_cluster_is_a_note_for_the_new_one() -> None:
    fields = {"ip_family": "ipv4", "endpoint": IPV4_ONLY, "public_access_cidrs": ["198.51.100.7/32"]}
    (finding,) = build.judge("CTL008", clusters=cluster(**fields)).findings
    assert "EKS takes no IPv6 range there in an IPv4 cluster" in finding.message
    assert finding.severity is Severity.INFO


@pytest.mark.parametrize(
    "fields",
    [
        {"public_access_cidrs": ["0.0.0.0/0", "::/0"]},
        {"public_access_cidrs": ["198.51.100.7/32", "2001:db8::/32"]},
        {"public_access_cidrs": []},
        {"public_access_cidrs": ["198.51.100.7/32"], "endpoint_public_access": False},
        {"public_access_cidrs": ["198.51.100.7/32"], "endpoint": IPV4_ONLY},
        {"public_access_cidrs": ["0.0.0.0/0"], "ip_family": "ipv4", "endpoint": IPV4_ONLY},
    ],
)
def test_a_list_that_shuts_nobody_out_is_silent(fields: dict[str, Any]) -> None:
    assert build.messages("CTL008", clusters=cluster(**fields)) == []
