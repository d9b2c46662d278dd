"""Name resolution: the two switches of a VPC, and resolvers that stand in for its own."""

from __future__ import annotations

from typing import Any

import build
import pytest

from eks6check.findings import Confidence, Finding, Severity

VPC = {"id": "vpc-1", "cidr_blocks": ["10.0.0.0/16", "100.64.0.0/16"], "dhcp_options_id": "dopt-1"}
ON = {"id": "vpc-1", "enable_dns_support": True, "enable_dns_hostnames": True}
PRIVATE = {
    "id": "prod",
    "region": "eu-west-1",
    "vpc_id": "vpc-1",
    "endpoint_private_access": True,
    "endpoint_public_access": False,
}


def findings(*servers: str, attributes: Any = ON, cluster: Any = PRIVATE) -> tuple[Finding, ...]:
    options = {"id": "dopt-1", "domain_name_servers": servers}
    return build.judge(
        "VPC014", vpcs=[VPC], vpc_attributes=[attributes], dhcp_options=[options], clusters=[cluster]
    ).findings


@pytest.mark.parametrize(
    ("off", "said"),
    [
        (["enable_dns_support"], "DNS support"),
        (["enable_dns_hostnames"], "DNS host names"),
        (["enable_dns_support", "enable_dns_hostnames"], "DNS support and DNS host names"),
    ],
)
def test_either_switch_that_is_off_keeps_nodes_out(off: list[str], said: str) -> None:
    (finding,) = findings("AmazonProvidedDNS", attributes={**ON, **dict.fromkeys(off, False)})
    assert finding.message == f"vpc-1 has {said} turned off; nodes need both."
    assert finding.severity is Severity.BLOCKER
    assert (finding.subject.kind, finding.subject.id) == ("Vpc", "vpc-1")


@pytest.mark.parametrize(
    "servers",
    [
        ["AmazonProvidedDNS"],
        ["10.9.9.9", "AmazonProvidedDNS"],
        ["169.254.169.253"],
        ["fd00:ec2::253"],
        ["10.0.0.2"],
        ["100.64.0.2"],
    ],
)
def test_the_vpcs_own_resolver_is_known_by_each_of_its_names(servers: list[str]) -> None:
    assert findings(*servers) == ()


def test_other_resolvers_must_forward_for_a_private_endpoint() -> None:
    (finding,) = findings("10.9.9.9", "10.8.8.8")
    assert finding.message == (
        "dopt-1, the DHCP options of vpc-1, give 10.8.8.8 and 10.9.9.9 and not AmazonProvidedDNS, which alone knows "
        "the private addresses of the API endpoint of prod; the others must forward to it."
    )
    assert (finding.severity, finding.confidence) == (Severity.INFO, Confidence.MEDIUM)
    assert "aws eks describe-cluster --region eu-west-1 --name prod" in finding.remedy
    assert "dhcp-options" not in finding.remedy
    assert [place.id for place in finding.locations] == ["vpc-1", "dopt-1"]


def test_options_without_servers_are_told() -> None:
    (finding,) = findings()
    assert finding.message == (
        "dopt-1, the DHCP options of vpc-1, give no DNS server and not AmazonProvidedDNS, which alone knows the "
        "private addresses of the API endpoint of prod."
    )
    assert "associate-dhcp-options --vpc-id vpc-1" in finding.remedy


@pytest.mark.parametrize(
    ("public", "private", "servers", "severities"),
    [
        (True, True, ["10.9.9.9"], [Severity.INFO]),
        (False, True, ["10.9.9.9"], [Severity.INFO]),
        (True, False, ["10.9.9.9"], []),
        (True, True, [], [Severity.INFO]),
        (False, True, [], [Severity.WARNING]),
        (True, False, [], []),
    ],
)
def test_they_matter_as_far_as_the_private_endpoint_does(
    servers: list[str], severities: list[Severity], *, public: bool, private: bool
) -> None:
    cluster = {**PRIVATE, "endpoint_public_access": public, "endpoint_private_access": private}
    assert [finding.severity for finding in findings(*servers, cluster=cluster)] == severities


def test_what_is_not_known_is_not_judged() -> None:
    assert build.messages("VPC014", vpcs=[VPC], vpc_attributes=[]) == []
    unset = {**VPC, "dhcp_options_id": "default"}
    assert build.messages("VPC014", vpcs=[unset], vpc_attributes=[ON], dhcp_options=[], clusters=[PRIVATE]) == []
    assert findings("10.9.9.9", cluster={**PRIVATE, "vpc_id": "vpc-2"}) == ()


def test_both_faults_of_a_vpc_are_two_findings() -> None:
    off = {**ON, "enable_dns_support": False}
    assert len({finding.fingerprint for finding in findings("10.9.9.9", attributes=off)}) == 2
