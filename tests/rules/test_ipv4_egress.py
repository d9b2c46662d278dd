"""The IPv4 way out: what ends it, what only looks so, and what is a choice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import build
import pytest
from vpc_facts import READY, TO_INTERNET, TO_NAT, WORKERS, table

from eks6check.facts import Gap
from eks6check.findings import Confidence, Finding, Severity, State


def ipv4_egress(*routes: Mapping[str, Any], nat: Mapping[str, Any] | None = None) -> tuple[Finding, ...]:
    return build.judge(
        "VPC008",
        subnets=[READY],
        route_tables=[table(*routes)],
        nat_gateways=[{"id": "nat-1", "vpc_id": "vpc-1", **nat}] if nat else [],
        node_groups=[WORKERS],
    ).findings


@pytest.mark.parametrize(
    ("route", "nat", "fault", "verb"),
    [
        (None, None, "rtb-1 has no 0.0.0.0/0 route", "create-route"),
        ({**TO_NAT, "state": "blackhole"}, None, "to nat-1 has the state blackhole", "replace-route"),
        (TO_NAT, {"state": "failed"}, "rtb-1 sends 0.0.0.0/0 to nat-1, which is failed", "replace-route"),
        (TO_NAT, {"state": "deleting"}, "rtb-1 sends 0.0.0.0/0 to nat-1, which is deleting", "replace-route"),
        (TO_NAT, {"state": ""}, "rtb-1 sends 0.0.0.0/0 to nat-1, which is in no known state", "replace-route"),
    ],
)
def test_a_node_subnet_without_ipv4_egress_is_a_warning(route: Any, nat: Any, fault: str, verb: str) -> None:
    (finding,) = ipv4_egress(*([route] if route else []), nat=nat)
    assert finding.message.startswith("subnet-1, which serves node group workers, has no IPv4 way out: ")
    assert fault in finding.message
    assert finding.severity is Severity.WARNING
    assert f"{verb} --route-table-id rtb-1" in finding.remedy


def test_a_private_nat_gateway_is_for_a_person_to_judge() -> None:
    (finding,) = ipv4_egress(TO_NAT, nat={"state": "available", "connectivity_type": "private"})
    assert (finding.severity, finding.confidence) == (Severity.INFO, Confidence.MEDIUM)


@pytest.mark.parametrize("target", ["nat-1", "nat-of-another-account", "igw-1", "tgw-1", "eni-1", "i-1", "vpce-1"])
def test_every_active_ipv4_way_out_is_one(target: str) -> None:
    route = {"destination": "0.0.0.0/0", "target": target}
    assert ipv4_egress(route, nat={"state": "available"}) == ()


def test_a_subnet_without_any_way_out_may_be_isolated_on_purpose() -> None:
    (finding,) = ipv4_egress()
    assert (finding.severity, finding.confidence) == (Severity.WARNING, Confidence.MEDIUM)
    assert finding.message.endswith("It may be isolated on purpose, with VPC endpoints for all that it calls.")


@pytest.mark.parametrize("section", ["route_tables", "nat_gateways", "node_groups"])
def test_absence_is_not_concluded_from_what_could_not_be_read(section: str) -> None:
    sections: Any = {"subnets": [READY], "route_tables": [table()], "node_groups": [WORKERS], "nat_gateways": []}
    known = build.facts({section: [Gap("ec2:Describe", "refused")]}, **sections)
    assert build.judge("VPC008", known).state is State.NOT_EVALUATED


def zones(*homes: str, **values: Any) -> tuple[Finding, ...]:
    """The workers' subnet in zone a with the route to nat-1, and a NAT gateway in each zone of ``homes`` from 1 on."""
    public = [
        {"id": f"subnet-{zone}", "vpc_id": "vpc-1", "availability_zone": f"eu-west-1{zone}"}
        for zone in sorted({*homes})
    ]
    out = table(TO_INTERNET, name="rtb-public", subnets=tuple(each["id"] for each in public))
    gateways = [
        {"id": f"nat-{index}", "vpc_id": "vpc-1", "state": "available", "subnet_id": f"subnet-{zone}", **values}
        for index, zone in enumerate(homes, 1)
    ]
    return build.judge(
        "VPC008",
        subnets=[{**READY, "availability_zone": "eu-west-1a"}, *public],
        route_tables=[table(TO_NAT), out],
        nat_gateways=gateways,
        node_groups=[WORKERS],
    ).findings


def test_a_gateway_of_another_zone_is_a_note_where_the_own_zone_has_one() -> None:
    (finding,) = zones("b", "a")
    assert finding.message == (
        "subnet-1 in eu-west-1a sends 0.0.0.0/0 to nat-1 in eu-west-1b, although nat-2 stands in its own zone."
    )
    assert (finding.severity, finding.confidence) == (Severity.INFO, Confidence.MEDIUM)
    assert "--nat-gateway-id nat-2" in finding.remedy


@pytest.mark.parametrize("homes", ["a", "b", "bc", "ab"])
def test_one_gateway_for_all_zones_and_one_for_each_are_choices(homes: str) -> None:
    assert zones(*homes) == ()


def test_a_gateway_in_a_subnet_without_a_way_out_has_none_itself() -> None:
    home = {"id": "subnet-9", "vpc_id": "vpc-1"}
    nat = {"id": "nat-1", "vpc_id": "vpc-1", "state": "available", "subnet_id": "subnet-9"}
    sections: Any = {"subnets": [READY, home], "node_groups": [WORKERS], "nat_gateways": [nat]}
    dead = table(name="rtb-9", subnets=("subnet-9",))
    (said,) = build.messages("VPC008", route_tables=[table(TO_NAT), dead], **sections)
    assert said.endswith(
        "rtb-1 sends 0.0.0.0/0 to nat-1, and subnet-9, where that stands, has no active 0.0.0.0/0 route in rtb-9."
    )
    out = table(TO_INTERNET, name="rtb-9", subnets=("subnet-9",))
    assert build.messages("VPC008", route_tables=[table(TO_NAT), out], **sections) == []


def test_a_regional_gateway_stands_in_no_subnet() -> None:
    assert ipv4_egress(TO_NAT, nat={"state": "available", "availability_mode": "regional"}) == ()
