"""Routes of IPv6: ways out of private subnets, ways into public ones, and those that should not be there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import build
import pytest
from vpc_facts import (
    ATTACHED,
    BY_HAND,
    IPV6_TO_INTERNET,
    KARPENTER,
    READY,
    TO_EGRESS_ONLY,
    TO_INTERNET,
    TO_NAT,
    WORKERS,
    route,
    table,
)

from eks6check.facts import Gap
from eks6check.findings import Confidence, Finding, Severity, State

BALANCED = {**READY, "tags": {"kubernetes.io/role/elb": "1"}}
GATEWAY = {"id": "igw-1", "attached_vpc_ids": ["vpc-1"]}


def egress(*routes: Mapping[str, Any], gateways: Iterable[Any] = (ATTACHED,), **more: Any) -> tuple[Finding, ...]:
    more = more or {"node_groups": [WORKERS]}
    known = build.facts(subnets=[READY], route_tables=[table(*routes)], egress_only_gateways=gateways, **more)
    return build.judge("VPC005", known).findings


def test_a_missing_gateway_is_told_and_made() -> None:
    (finding,) = egress(TO_NAT, gateways=())
    assert finding.message == (
        "subnet-1, which serves node group workers, has no IPv6 way out: "
        "vpc-1 has no egress-only gateway, so rtb-1 has no ::/0 route to one."
    )
    assert "create-egress-only-internet-gateway --vpc-id vpc-1" in finding.remedy
    assert "create-route --route-table-id rtb-1" in finding.remedy
    assert [place.id for place in finding.locations] == ["subnet-1", "rtb-1"]
    assert finding.severity is Severity.BLOCKER


def test_a_gateway_that_is_attached_elsewhere_is_a_missing_one() -> None:
    (finding,) = egress(TO_NAT, gateways=[{"id": "eigw-1", "attached_vpc_ids": ["vpc-2"]}])
    assert "vpc-1 has no egress-only gateway" in finding.message


def test_a_missing_route_is_told_and_made_to_the_gateway_that_is_there() -> None:
    (finding,) = egress(TO_NAT)
    assert finding.message.endswith("no IPv6 way out: rtb-1 has no ::/0 route to the egress-only gateway eigw-1.")
    assert "create-route --route-table-id rtb-1" in finding.remedy
    assert "--egress-only-internet-gateway-id eigw-1" in finding.remedy
    assert "create-egress-only-internet-gateway" not in finding.remedy


def test_a_blackhole_is_told_and_pointed_at_the_gateway_that_is_there() -> None:
    (finding,) = egress(TO_NAT, {"destination": "::/0", "target": "eigw-0", "state": "blackhole"})
    assert finding.message.endswith("the ::/0 route of rtb-1 goes to eigw-0, which is a blackhole.")
    assert "replace-route --route-table-id rtb-1" in finding.remedy
    assert "--egress-only-internet-gateway-id eigw-1" in finding.remedy


@pytest.mark.parametrize("target", ["eigw-1", "tgw-1", "eni-1"])
def test_a_blackhole_is_one_whatever_its_target(target: str) -> None:
    (finding,) = egress(TO_NAT, {"destination": "::/0", "target": target, "state": "blackhole"})
    assert finding.message.endswith(f"goes to {target}, which is a blackhole.")


def test_a_blackhole_in_a_vpc_without_gateway_needs_both() -> None:
    (finding,) = egress(TO_NAT, {**TO_EGRESS_ONLY, "state": "blackhole"}, gateways=())
    assert "create-egress-only-internet-gateway --vpc-id vpc-1" in finding.remedy
    assert "replace-route --route-table-id rtb-1" in finding.remedy


def test_a_route_to_a_gateway_that_is_not_attached_leads_nowhere() -> None:
    (finding,) = egress(TO_NAT, TO_EGRESS_ONLY, gateways=[{"id": "eigw-1"}])
    assert finding.message.endswith("goes to eigw-1, which is not attached.")


@pytest.mark.parametrize(
    "target",
    [
        "eigw-1",
        "eigw-of-another-account",
        "tgw-1",
        "eni-1",
        "vpce-1",
        "vgw-1",
        "igw-1",
        "arn:aws:networkmanager::1:core-network/core-network-1",
    ],
)
def test_every_active_way_out_is_one(target: str) -> None:
    assert egress(TO_NAT, {"destination": "::/0", "target": target}) == ()


def test_the_whole_public_range_is_a_default_route_too() -> None:
    route = {**TO_EGRESS_ONLY, "destination": "2000::/3"}
    assert egress(TO_NAT, route) == ()
    (finding,) = egress(TO_NAT, {**route, "state": "blackhole"})
    assert "--destination-ipv6-cidr-block 2000::/3" in finding.remedy


WAYS = [
    ("vpce-1", "--vpc-endpoint-id vpce-1"),
    ("eni-1", "--network-interface-id eni-1"),
    ("i-1", "--instance-id i-1"),
    ("tgw-1", "--transit-gateway-id tgw-1"),
    ("vgw-1", "--gateway-id vgw-1"),
    ("arn:aws:networkmanager::1:core-network/c-1", "--core-network-arn arn:aws:networkmanager::1:core-network/c-1"),
]


@pytest.mark.parametrize("gateways", [(), (ATTACHED,)])
@pytest.mark.parametrize(("target", "option"), WAYS)
def test_ipv6_takes_the_way_out_that_ipv4_takes(target: str, option: str, gateways: Any) -> None:
    (finding,) = egress(route("0.0.0.0/0", target), gateways=gateways)
    assert finding.message.endswith(f"rtb-1 has no ::/0 route; IPv4 leaves through {target}.")
    assert f"create-route --route-table-id rtb-1 --destination-ipv6-cidr-block ::/0 {option}" in finding.remedy
    (finding,) = egress(route("0.0.0.0/0", target), {**TO_EGRESS_ONLY, "state": "blackhole"}, gateways=gateways)
    assert f"replace-route --route-table-id rtb-1 --destination-ipv6-cidr-block ::/0 {option}" in finding.remedy


@pytest.mark.parametrize("way", [TO_NAT, route("0.0.0.0/0", "vpce-1", "blackhole"), route("10.9.0.0/16", "tgw-1")])
def test_a_nat_gateway_and_a_dead_way_are_none_for_ipv6(way: Mapping[str, Any]) -> None:
    (finding,) = egress(way)
    assert "--egress-only-internet-gateway-id eigw-1" in finding.remedy


def test_a_public_subnet_is_not_judged_here() -> None:
    assert egress({"destination": "0.0.0.0/0", "target": "igw-1"}) == ()


def test_a_subnet_without_any_way_out_may_be_isolated_on_purpose() -> None:
    (finding,) = egress()
    assert finding.severity is Severity.INFO
    assert finding.message.endswith("It has no 0.0.0.0/0 route either, so it may be isolated on purpose.")


@pytest.mark.parametrize("route", [TO_NAT, TO_EGRESS_ONLY])
def test_a_dead_route_is_no_isolation(route: Mapping[str, Any]) -> None:
    (finding,) = egress({**route, "state": "blackhole"})
    assert finding.severity is Severity.BLOCKER


@pytest.mark.parametrize(
    ("more", "count"),
    [
        ({"fargate_profiles": [{"id": "web", "subnet_ids": ["subnet-1"]}]}, 1),
        ({"instances": [KARPENTER]}, 1),
        ({"clusters": [{"id": "prod"}]}, 1),
        ({"clusters": [{"id": "other"}]}, 0),
        ({"instances": [BY_HAND]}, 1),
        ({"node_groups": [{"id": "workers", "subnet_ids": ["subnet-2"]}]}, 0),
    ],
)
def test_subnets_of_nodes_and_fargate_are_judged_and_no_others(more: Any, count: int) -> None:
    assert len(egress(TO_NAT, **more)) == count


def test_the_main_table_serves_a_subnet_that_names_no_other() -> None:
    main = {"id": "rtb-main", "vpc_id": "vpc-1", "main": True, "routes": [TO_NAT, TO_EGRESS_ONLY]}
    sections: Any = {"subnets": [READY], "node_groups": [WORKERS], "egress_only_gateways": [ATTACHED]}
    assert build.messages("VPC005", route_tables=[main], **sections) == []
    own = {**table(TO_NAT), "id": "rtb-own"}
    (said,) = build.messages("VPC005", route_tables=[main, own], **sections)
    assert "rtb-own has no ::/0 route" in said


@pytest.mark.parametrize(
    ("rule", "section"),
    [
        ("VPC005", "route_tables"),
        ("VPC005", "egress_only_gateways"),
        ("VPC005", "node_groups"),
        ("VPC006", "internet_gateways"),
        ("VPC006", "route_tables"),
        ("VPC006", "instances"),
    ],
)
def test_absence_is_not_concluded_from_what_could_not_be_read(rule: str, section: str) -> None:
    sections: dict[str, Any] = {
        name: [] for name in ("route_tables", "egress_only_gateways", "internet_gateways", "node_groups", "instances")
    }
    sections |= {"subnets": [BALANCED], "route_tables": [table(TO_INTERNET)], "node_groups": [WORKERS]}
    known = build.facts({section: [Gap("ec2:Describe", "refused")]}, **sections)
    assert build.judge(rule, known).state is State.NOT_EVALUATED


def inward(
    *routes: Mapping[str, Any], subnet: Mapping[str, Any] = BALANCED, gateways: Iterable[Any] = (GATEWAY,), **more: Any
) -> tuple[Finding, ...]:
    known = build.facts(subnets=[subnet], route_tables=[table(*routes)], internet_gateways=gateways, **more)
    return build.judge("VPC006", known).findings


def test_a_load_balancer_subnet_needs_a_route_in() -> None:
    (finding,) = inward(TO_INTERNET)
    assert finding.message == (
        "subnet-1, which serves internet-facing load balancers, has no IPv6 route to the internet: "
        "rtb-1 has no ::/0 route to igw-1."
    )
    assert "create-route --route-table-id rtb-1 --destination-ipv6-cidr-block ::/0 --gateway-id igw-1" in finding.remedy
    assert [place.id for place in finding.locations] == ["subnet-1", "rtb-1"]
    assert finding.severity is Severity.BLOCKER


def test_a_missing_internet_gateway_is_told() -> None:
    (finding,) = inward(gateways=[{"id": "igw-9", "attached_vpc_ids": ["vpc-9"]}])
    assert "vpc-1 has no internet gateway, so rtb-1 has no ::/0 route to one." in finding.message
    assert "delete-tags" in finding.remedy


def test_a_gateway_of_a_shared_vpc_is_known_by_the_ipv4_route_to_it() -> None:
    (finding,) = inward(TO_INTERNET, gateways=())
    assert finding.message.endswith("rtb-1 has no ::/0 route to igw-1.")


def test_a_blackhole_to_the_internet_is_told_and_replaced() -> None:
    (finding,) = inward(TO_INTERNET, {**IPV6_TO_INTERNET, "target": "igw-0", "state": "blackhole"})
    assert finding.message.endswith("the ::/0 route of rtb-1 goes to igw-0, which is a blackhole.")
    assert "replace-route --route-table-id rtb-1" in finding.remedy
    assert "--gateway-id igw-1" in finding.remedy


def test_an_egress_only_gateway_lets_no_client_in() -> None:
    (finding,) = inward(TO_INTERNET, TO_EGRESS_ONLY)
    assert finding.message.endswith("rtb-1 sends ::/0 to eigw-1, an egress-only gateway that lets nobody in.")


@pytest.mark.parametrize("target", ["igw-1", "igw-of-another-account", "vpce-1", "eni-1"])
def test_a_way_in_through_a_gateway_or_a_firewall_is_one(target: str) -> None:
    assert inward(route("0.0.0.0/0", target), route("::/0", target)) == ()


@pytest.mark.parametrize("routes", [[], [TO_NAT], [TO_NAT, TO_EGRESS_ONLY]])
def test_a_role_tag_on_a_private_subnet_may_be_a_mistake(routes: Any) -> None:
    (finding,) = inward(*routes)
    assert (finding.severity, finding.confidence) == (Severity.WARNING, Confidence.MEDIUM)
    assert finding.message.endswith("It is not public in IPv4 either, so its role tag may be a mistake.")
    assert "aws ec2 delete-tags --resources subnet-1 --tags Key=kubernetes.io/role/elb" in finding.remedy
    assert "igw-1" not in finding.remedy


@pytest.mark.parametrize(("target", "option"), WAYS[:2])
@pytest.mark.parametrize(("known", "verb"), [([], "create-route"), ([TO_EGRESS_ONLY], "replace-route")])
def test_clients_come_in_through_the_firewall_that_ipv4_passes(target: str, option: str, known: Any, verb: str) -> None:
    (finding,) = inward(route("0.0.0.0/0", target), *known)
    assert finding.severity is Severity.BLOCKER
    assert f"{verb} --route-table-id rtb-1 --destination-ipv6-cidr-block ::/0 {option}" in finding.remedy
    assert "igw-1" not in finding.remedy


@pytest.mark.parametrize("ipv4", ["igw-1", "nat-1", "vpce-1", "eni-1", "i-1", "tgw-1", ""])
@pytest.mark.parametrize("state", ["active", "blackhole"])
@pytest.mark.parametrize("ipv6", [[], [TO_EGRESS_ONLY], [{**TO_EGRESS_ONLY, "state": "blackhole"}]])
def test_no_table_is_given_two_ways(ipv4: str, state: str, ipv6: Any) -> None:
    known = build.facts(
        subnets=[BALANCED],
        route_tables=[table(*([route("0.0.0.0/0", ipv4, state)] if ipv4 else []), *ipv6)],
        internet_gateways=[GATEWAY],
        egress_only_gateways=[ATTACHED],
        node_groups=[WORKERS],
    )
    told = [finding.remedy for word in ("VPC005", "VPC006") for finding in build.judge(word, known).findings]
    ways = {way for remedy in told for way in re.findall(r"(?:create|replace)-route [^#]*?(--\S+-id \S+)$", remedy)}
    assert len(ways) <= 1


@pytest.mark.parametrize(
    "tags",
    [
        {},
        {"kubernetes.io/role/internal-elb": "1"},
        {"kubernetes.io/role/elb": "0"},
        {"kubernetes.io/role/elb": "1", "kubernetes.io/cluster/other": "shared"},
    ],
)
def test_a_subnet_of_no_load_balancer_for_the_internet_needs_no_way_in(tags: Any) -> None:
    assert inward(TO_INTERNET, subnet={**READY, "tags": tags}, clusters=[{"id": "prod", "vpc_id": "vpc-1"}]) == ()


@pytest.mark.parametrize("nodes", [{"node_groups": [WORKERS]}, {"instances": [KARPENTER]}, {"instances": [BY_HAND]}])
def test_nodes_in_a_public_subnet_need_a_way_out(nodes: Any) -> None:
    (finding,) = inward(TO_INTERNET, subnet={**READY, "tags": {}}, **nodes)
    assert finding.message.endswith("has no IPv6 route to the internet: rtb-1 has no ::/0 route to igw-1.")
    assert "a route to an egress-only internet gateway keeps their pods from being reached" in finding.remedy


@pytest.mark.parametrize("routes", [[TO_INTERNET, TO_EGRESS_ONLY], [TO_INTERNET, IPV6_TO_INTERNET], [TO_NAT], []])
def test_nodes_alone_may_leave_by_any_gateway_and_private_ones_are_judged_elsewhere(routes: Any) -> None:
    assert inward(*routes, subnet={**READY, "tags": {}}, node_groups=[WORKERS]) == ()


def exposed(*routes: Mapping[str, Any], subnet: Mapping[str, Any] = READY, **more: Any) -> tuple[Finding, ...]:
    more = {"node_groups": [WORKERS]} | more
    return build.judge("VPC007", subnets=[subnet], route_tables=[table(*routes)], **more).findings


def test_a_node_subnet_with_an_ipv6_route_to_the_internet_is_open() -> None:
    (finding,) = exposed(TO_INTERNET, IPV6_TO_INTERNET)
    assert finding.message == (
        "subnet-1, which serves node group workers, sends ::/0 to the internet gateway igw-1, so only security groups "
        "and network ACLs keep the internet from its pods."
    )
    assert finding.severity is Severity.WARNING
    assert "replace-route --route-table-id rtb-1" in finding.remedy


def test_karpenters_nodes_are_exposed_alike() -> None:
    assert len(exposed(IPV6_TO_INTERNET, node_groups=[], instances=[KARPENTER])) == 1
    assert len(exposed(IPV6_TO_INTERNET, node_groups=[], clusters=[{"id": "prod"}])) == 1


@pytest.mark.parametrize(
    "routes", [[TO_INTERNET], [TO_INTERNET, TO_EGRESS_ONLY], [{**IPV6_TO_INTERNET, "state": "blackhole"}], [TO_NAT]]
)
def test_a_subnet_that_nobody_reaches_from_outside_is_not_open(routes: Any) -> None:
    assert exposed(*routes) == ()


def test_load_balancers_may_stand_in_the_open() -> None:
    assert exposed(IPV6_TO_INTERNET, subnet=BALANCED, node_groups=[]) == ()


@pytest.mark.parametrize(("mode", "count"), [("block-ingress", 0), ("block-bidirectional", 0), ("off", 1), ("", 1)])
def test_block_public_access_shields_a_subnet(mode: str, count: int) -> None:
    assert len(exposed(IPV6_TO_INTERNET, subnet={**READY, "internet_gateway_block_mode": mode})) == count


@pytest.mark.parametrize(("private", "count"), [("2001:db8::/56", 0), ("2001:db8:1::/56", 1), ("no block", 1)])
def test_private_addresses_are_not_reached_from_outside(private: str, count: int) -> None:
    vpcs = [{"id": "vpc-1", "private_ipv6_cidr_blocks": [private]}]
    assert len(exposed(IPV6_TO_INTERNET, vpcs=vpcs)) == count
