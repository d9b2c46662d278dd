"""Routes to other networks: one finding for each peer that IPv4 alone leads to."""

from __future__ import annotations

from typing import Any

import build
import pytest
from hypothesis import given
from hypothesis import strategies as st
from vpc_facts import READY, TO_EGRESS_ONLY, TO_NAT, WEB_PROFILE, WORKERS, route, table

from eks6check.findings import Finding

CORE = "arn:aws:networkmanager::111122223333:core-network/core-network-1"


def findings(*routes: Any, **more: Any) -> tuple[Finding, ...]:
    sections: Any = {"subnets": [READY], "route_tables": [table(*routes)], "node_groups": [WORKERS]} | more
    return build.judge("VPC019", **sections).findings


@pytest.mark.parametrize(
    ("target", "said", "option"),
    [
        ("pcx-1", "the peering connection pcx-1", "--vpc-peering-connection-id pcx-1"),
        ("tgw-1", "the transit gateway tgw-1", "--transit-gateway-id tgw-1"),
        ("vgw-1", "the virtual private gateway vgw-1", "--gateway-id vgw-1"),
        (CORE, f"the core network {CORE}", f"--core-network-arn {CORE}"),
    ],
)
def test_a_peer_that_ipv4_alone_leads_to_is_told(target: str, said: str, option: str) -> None:
    (finding,) = findings(route("10.20.0.0/16", target), TO_NAT, TO_EGRESS_ONLY)
    assert finding.message == f"rtb-1 leads 10.20.0.0/16 to {said}, and no IPv6 block."
    assert option in finding.remedy
    assert finding.evidence["destinations"] == ["10.20.0.0/16"]


@pytest.mark.parametrize("ipv6", ["2001:db8:20::/56", "::/0", "2000::/3", "pl-1"])
def test_any_ipv6_way_to_the_same_peer_is_one(ipv6: str) -> None:
    assert findings(route("10.20.0.0/16", "tgw-1"), route(ipv6, "tgw-1")) == ()


def test_an_ipv6_way_to_another_peer_or_into_nothing_is_none() -> None:
    assert len(findings(route("10.20.0.0/16", "pcx-1"), route("2001:db8:20::/56", "pcx-2"))) == 1
    assert len(findings(route("10.20.0.0/16", "pcx-1"), route("2001:db8:20::/56", "pcx-1", "blackhole"))) == 1


@pytest.mark.parametrize(
    "routes",
    [
        [],
        [TO_NAT, TO_EGRESS_ONLY],
        [route("0.0.0.0/0", "tgw-1")],
        [route("169.254.6.0/24", "tgw-1")],
        [route("10.20.0.0/16", "pcx-1", "blackhole")],
        [route("10.20.0.0/16", "vpce-1")],
        [route("pl-1", "tgw-1")],
        [route("", "")],
    ],
)
def test_what_is_no_ipv4_route_to_a_peer_is_left_alone(routes: Any) -> None:
    assert findings(*routes) == ()


def test_tables_of_several_zones_are_one_finding() -> None:
    tables = [
        table(route("10.20.0.0/16", "tgw-1"), route("10.30.0.0/16", "tgw-1"), name=name, subnets=(subnet,))
        for name, subnet in (("rtb-2", "subnet-2"), ("rtb-1", "subnet-1"))
    ]
    subnets = [READY, {**READY, "id": "subnet-2"}]
    (finding,) = findings(subnets=subnets, route_tables=tables, fargate_profiles=[{**WEB_PROFILE, "id": "x"}])
    assert finding.message.startswith("rtb-1 leads ")
    both = [{"id": "web", "subnet_ids": ["subnet-1", "subnet-2"]}]
    (finding,) = findings(subnets=subnets, route_tables=tables, fargate_profiles=both)
    assert finding.message == (
        "rtb-1 and rtb-2 lead 10.20.0.0/16 and 10.30.0.0/16 to the transit gateway tgw-1, and no IPv6 block."
    )
    assert [place.id for place in finding.locations] == ["rtb-1", "rtb-2"]


def test_two_peers_are_two_findings_and_many_destinations_are_counted() -> None:
    many = [route(f"10.{index}.0.0/16", "tgw-1") for index in range(10, 19)]
    first, second = findings(*many, route("10.99.0.0/16", "pcx-1"))
    assert first.fingerprint != second.fingerprint
    (said,) = (each.message for each in (first, second) if "tgw-1" in each.message)
    assert "10.13.0.0/16, 10.14.0.0/16 and 4 more to the transit gateway" in said


def test_a_table_that_serves_no_pod_is_left_alone() -> None:
    assert findings(route("10.20.0.0/16", "pcx-1"), node_groups=[]) == ()


WORDS = st.sampled_from(["10.0.0.0/8", "::/0", "pl-1", "", "x", "0.0.0.0/0", "169.254.0.0/17", "10.0.0.0/99"])


@given(st.lists(st.tuples(WORDS, st.sampled_from(["pcx-1", "tgw-1", "igw-1", "", "arn:x"])), max_size=6))
def test_routes_of_any_shape_are_no_error(routes: Any) -> None:
    for finding in findings(*(route(*each) for each in routes)):
        assert finding.evidence["destinations"] == ["10.0.0.0/8"]
