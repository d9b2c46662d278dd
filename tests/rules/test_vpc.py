"""The VPC as a whole: its blocks, what stops its traffic, and two whole accounts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

import build
import pytest
from vpc_facts import (
    ATTACHED,
    IPV6_TO_INTERNET,
    KARPENTER,
    READY,
    TO_EGRESS_ONLY,
    TO_INTERNET,
    TO_NAT,
    WEB_PROFILE,
    WORKERS,
    route,
    table,
)

from eks6check import engine
from eks6check.catalog import load
from eks6check.facts import Facts
from eks6check.findings import Confidence, Finding

ULA = {"id": "vpc-1", "ipv6_cidr_blocks": ["fd00:1::/48"], "private_ipv6_cidr_blocks": ["fd00:1::/48"]}
INSIDE = {**READY, "ipv6_cidr_blocks": ["fd00:1:0:1::/64"]}
BLOCKED = {**READY, "internet_gateway_block_mode": "block-bidirectional"}


def test_the_clusters_vpc_needs_a_block() -> None:
    said = build.messages("VPC001", vpcs=[{"id": "vpc-1"}], clusters=[{"id": "prod", "vpc_id": "vpc-1"}])
    assert said == ["vpc-1, the VPC of cluster prod, has no IPv6 block for its subnets to take theirs from."]


@pytest.mark.parametrize("block", ["2001:db8::/56", "2001:db8::/44", "2001:db8::/60", "fd00::/48"])
def test_a_block_of_any_length_will_do(block: str) -> None:
    vpcs = [{"id": "vpc-1", "ipv6_cidr_blocks": [block]}]
    assert build.messages("VPC001", vpcs=vpcs, clusters=[{"id": "prod", "vpc_id": "vpc-1"}]) == []


def test_a_vpc_of_others_needs_none() -> None:
    assert build.messages("VPC001", vpcs=[{"id": "vpc-2"}], clusters=[{"id": "prod", "vpc_id": "vpc-1"}]) == []


def private(
    *routes: Mapping[str, Any], vpc: Mapping[str, Any] = ULA, subnet: Mapping[str, Any] = INSIDE, **more: Any
) -> tuple[Finding, ...]:
    more = {"node_groups": [WORKERS]} | more
    return build.judge("VPC010", vpcs=[vpc], subnets=[subnet], route_tables=[table(*routes)], **more).findings


@pytest.mark.parametrize("to", [TO_EGRESS_ONLY, IPV6_TO_INTERNET])
def test_a_private_block_does_not_leave_by_a_gateway(to: Any) -> None:
    (finding,) = private(to)
    assert finding.message == (
        f"subnet-1 of vpc-1 has only private IPv6 addresses, out of fd00:1::/48, and sends ::/0 to {to['target']}, "
        "which carries none of them."
    )
    assert [place.id for place in finding.locations] == ["vpc-1", "subnet-1"]


def test_subnets_with_one_private_block_are_one_finding() -> None:
    subnets = [INSIDE, {**INSIDE, "id": "subnet-2", "ipv6_cidr_blocks": ["fd00:1:0:2::/64"]}]
    tables = [table(TO_EGRESS_ONLY), table(IPV6_TO_INTERNET, name="rtb-2", subnets=("subnet-2",))]
    (said,) = build.messages(
        "VPC010",
        vpcs=[ULA],
        subnets=subnets,
        route_tables=tables,
        fargate_profiles=[{"id": "web", "subnet_ids": ["subnet-1", "subnet-2"]}],
    )
    assert said.startswith("subnet-1 and subnet-2 of vpc-1 have only private IPv6 addresses")
    assert said.endswith("and send ::/0 to eigw-1 and igw-1, which carry none of them.")


@pytest.mark.parametrize(
    ("routes", "changes"),
    [
        ([TO_EGRESS_ONLY], {"subnet": READY}),
        ([TO_EGRESS_ONLY], {"subnet": {**READY, "ipv6_cidr_blocks": ["fd00:1:0:1::/64", "2001:db8::/64"]}}),
        ([TO_EGRESS_ONLY], {"subnet": {**READY, "ipv6_cidr_blocks": []}}),
        ([TO_EGRESS_ONLY], {"subnet": {**READY, "ipv6_cidr_blocks": ["no block"]}}),
        ([TO_EGRESS_ONLY], {"node_groups": []}),
        ([TO_EGRESS_ONLY], {"vpc": {**ULA, "private_ipv6_cidr_blocks": []}}),
        ([route("::/0", "tgw-1")], {}),
        ([route("::/0", "eigw-1", "blackhole")], {}),
        ([], {}),
    ],
)
def test_public_addresses_and_other_ways_out_are_left_alone(routes: Any, changes: Any) -> None:
    assert private(*routes, **changes) == ()


def blocked(*routes: Mapping[str, Any], subnet: Mapping[str, Any] = BLOCKED, **more: Any) -> tuple[Finding, ...]:
    sections: Any = {"vpcs": [{"id": "vpc-1"}], "node_groups": [WORKERS]} | more
    return build.judge("VPC015", subnets=[subnet], route_tables=[table(*routes)], **sections).findings


@pytest.mark.parametrize(
    ("routes", "gateway"),
    [([TO_NAT, TO_EGRESS_ONLY], "eigw-1"), ([TO_NAT], "nat-1"), ([TO_INTERNET, IPV6_TO_INTERNET], "igw-1")],
)
def test_a_block_of_both_directions_stops_what_leaves_by_a_gateway(routes: Any, gateway: str) -> None:
    (finding,) = blocked(*routes)
    assert finding.message == (
        f"Block Public Access is block-bidirectional for subnet-1 of vpc-1, so nothing leaves through {gateway}."
    )
    assert finding.confidence is Confidence.MEDIUM
    assert "--vpc-id vpc-1 --internet-gateway-exclusion-mode allow-egress" in finding.remedy


def test_the_vpcs_mode_counts_where_the_subnets_is_not_told() -> None:
    vpcs = [{"id": "vpc-1", "internet_gateway_block_mode": "block-bidirectional"}]
    assert len(blocked(TO_NAT, subnet=READY, vpcs=vpcs)) == 1
    assert blocked(TO_NAT, subnet={**READY, "internet_gateway_block_mode": "off"}, vpcs=vpcs) == ()


@pytest.mark.parametrize(
    ("routes", "changes"),
    [
        ([TO_NAT], {"subnet": {**READY, "internet_gateway_block_mode": "block-ingress"}}),
        ([TO_NAT], {"subnet": {**READY, "internet_gateway_block_mode": "a-mode-of-2030"}}),
        ([TO_NAT], {"node_groups": []}),
        ([], {}),
        ([route("0.0.0.0/0", "tgw-1"), route("::/0", "tgw-1")], {}),
    ],
)
def test_other_modes_and_other_ways_out_are_not_stopped(routes: Any, changes: Any) -> None:
    assert blocked(*routes, **changes) == ()


@pytest.mark.parametrize("more", [{"fargate_profiles": [WEB_PROFILE]}, {"instances": [KARPENTER]}])
def test_fargate_and_karpenter_are_stopped_alike(more: Any) -> None:
    assert len(blocked(TO_EGRESS_ONLY, node_groups=[], **more)) == 1


def account(*, prepared: bool) -> Facts:
    """Two public and three private subnets in one VPC, as a common template makes them."""
    blocks = [f"2001:db8:0:{index}::/64" if prepared else "" for index in range(5)]
    roles = ["elb", "elb", "internal-elb", "internal-elb", "internal-elb"]
    private = ["subnet-2", "subnet-3", "subnet-4"]
    out = {"destination": "0.0.0.0/0", "target": "igw-1"}
    ipv6_out = {"destination": "::/0", "target": "igw-1"}
    return build.facts(
        clusters=[
            {
                "id": "prod",
                "version": "1.34",
                "ip_family": "ipv6" if prepared else "ipv4",
                "vpc_id": "vpc-1",
                "subnet_ids": private,
            }
        ],
        vpcs=[{"id": "vpc-1", "ipv6_cidr_blocks": ["2001:db8::/56"] if prepared else []}],
        vpc_attributes=[{"id": "vpc-1"}],
        subnets=[
            {
                "id": f"subnet-{index}",
                "vpc_id": "vpc-1",
                "cidr_block": f"10.0.{index}.0/24",
                "ipv6_cidr_blocks": list(filter(None, [block])),
                "assign_ipv6_address_on_creation": prepared,
                "available_ip_address_count": 200,
                "tags": {f"kubernetes.io/role/{role}": "1"},
            }
            for index, (block, role) in enumerate(zip(blocks, roles, strict=True))
        ],
        route_tables=[
            {"id": "rtb-main", "vpc_id": "vpc-1", "main": True},
            {
                "id": "rtb-public",
                "vpc_id": "vpc-1",
                "subnet_ids": ["subnet-0", "subnet-1"],
                "routes": [out, ipv6_out] if prepared else [out],
            },
            {
                "id": "rtb-private",
                "vpc_id": "vpc-1",
                "subnet_ids": private,
                "routes": [TO_NAT, TO_EGRESS_ONLY] if prepared else [TO_NAT],
            },
        ],
        nat_gateways=[{"id": "nat-1", "vpc_id": "vpc-1", "state": "available"}],
        egress_only_gateways=[ATTACHED] if prepared else [],
        internet_gateways=[{"id": "igw-1", "attached_vpc_ids": ["vpc-1"]}],
        node_groups=[{"id": "workers", "subnet_ids": private[:2], "instance_types": ["m5.large"]}],
        fargate_profiles=[{"id": "web", "subnet_ids": private[2:]}],
        instances=[],
        pods=[],
    )


def counted(known: Facts) -> Counter[tuple[str, str]]:
    rules = [rule for rule in load() if rule.id[:3] in ("CTL", "VPC", "FGT")]
    outcomes = engine.evaluate(rules, known)
    assert [outcome.error for outcome in outcomes if outcome.error] == []
    return Counter((finding.rule, str(finding.severity)) for each in outcomes for finding in each.findings)


def test_an_untouched_ipv4_network_lists_what_one_would_list_by_hand() -> None:
    assert counted(account(prepared=False)) == {
        ("CTL001", "info"): 1,
        ("VPC001", "blocker"): 1,
        ("VPC002", "blocker"): 5,
        ("VPC004", "blocker"): 2,
        ("VPC005", "blocker"): 3,
        ("VPC006", "blocker"): 2,
    }


def test_a_well_prepared_network_has_nothing_to_say() -> None:
    assert counted(account(prepared=True)) == {}
