"""The VPC: what nodes, pods and load balancers stand on, and the look-alikes that are as they should be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import build
import pytest

from eks6check import engine
from eks6check.catalog import load
from eks6check.facts import Facts, Gap
from eks6check.findings import Confidence, Finding, Severity, State

WORKERS = {"id": "workers", "subnet_ids": ["subnet-1"]}
READY: Mapping[str, Any] = {
    "id": "subnet-1",
    "vpc_id": "vpc-1",
    "cidr_block": "10.0.1.0/24",
    "ipv6_cidr_blocks": ["2001:db8:0:1::/64"],
    "assign_ipv6_address_on_creation": True,
    "available_ip_address_count": 200,
    "tags": {"karpenter.sh/discovery": "prod"},
}
NO_BLOCK = {**READY, "ipv6_cidr_blocks": []}
TO_NAT = {"destination": "0.0.0.0/0", "target": "nat-1"}
TO_GATEWAY = {"destination": "::/0", "target": "eigw-1"}
LOCAL = {"destination": "10.0.0.0/16", "target": "local"}
ATTACHED = {"id": "eigw-1", "attached_vpc_ids": ["vpc-1"]}
KARPENTER = {"id": "i-1", "subnet_id": "subnet-1", "tags": {"karpenter.sh/nodepool": "default"}}
BY_HAND = {"id": "i-2", "subnet_id": "subnet-1"}


def table(*routes: Mapping[str, Any]) -> dict[str, Any]:
    return {"id": "rtb-1", "vpc_id": "vpc-1", "subnet_ids": ["subnet-1"], "routes": [LOCAL, *routes]}


def test_the_clusters_vpc_needs_a_block() -> None:
    said = build.messages("VPC001", vpcs=[{"id": "vpc-1"}], clusters=[{"id": "prod", "vpc_id": "vpc-1"}])
    assert said == ["vpc-1, the VPC of cluster prod, has no IPv6 block for its subnets to take theirs from."]


@pytest.mark.parametrize("block", ["2001:db8::/56", "2001:db8::/44", "2001:db8::/60", "fd00::/48"])
def test_a_block_of_any_length_will_do(block: str) -> None:
    vpcs = [{"id": "vpc-1", "ipv6_cidr_blocks": [block]}]
    assert build.messages("VPC001", vpcs=vpcs, clusters=[{"id": "prod", "vpc_id": "vpc-1"}]) == []


def test_a_vpc_of_others_needs_none() -> None:
    assert build.messages("VPC001", vpcs=[{"id": "vpc-2"}], clusters=[{"id": "prod", "vpc_id": "vpc-1"}]) == []


@pytest.mark.parametrize(
    ("sections", "serves"),
    [
        ({"clusters": [{"id": "dev", "subnet_ids": ["subnet-1"]}]}, "cluster dev"),
        ({"node_groups": [WORKERS]}, "node group workers"),
        ({"instances": [BY_HAND]}, "self-managed nodes"),
        ({"instances": [KARPENTER]}, "Karpenter nodes"),
        ({"clusters": [{"id": "prod"}]}, "Karpenter nodes"),
        ({"fargate_profiles": [{"id": "web", "subnet_ids": ["subnet-1"]}]}, "Fargate profile web"),
        ({"node_groups": [WORKERS], "instances": [BY_HAND]}, "node group workers and self-managed nodes"),
    ],
)
def test_a_subnet_without_a_block_is_told_with_what_it_serves(sections: Any, serves: str) -> None:
    said = build.messages("VPC002", subnets=[NO_BLOCK], **sections)
    assert said == [f"subnet-1, which serves {serves}, has no IPv6 block."]


@pytest.mark.parametrize(
    ("tag", "serves"),
    [
        ("kubernetes.io/role/elb", "internet-facing load balancers"),
        ("kubernetes.io/role/internal-elb", "internal load balancers"),
    ],
)
def test_a_subnet_that_load_balancers_are_placed_in_needs_a_block(tag: str, serves: str) -> None:
    said = build.messages("VPC002", subnets=[{**NO_BLOCK, "tags": {tag: "1"}}])
    assert said == [f"subnet-1, which serves {serves}, has no IPv6 block."]


@pytest.mark.parametrize("rule", ["VPC002", "VPC003", "VPC004"])
def test_a_subnet_that_serves_nothing_of_the_cluster_is_left_alone(rule: str) -> None:
    idle = {"id": "subnet-9", "vpc_id": "vpc-1", "ipv6_native": True}
    assert build.messages(rule, subnets=[idle, READY], node_groups=[WORKERS]) == []


def test_an_ipv6_only_subnet_is_told() -> None:
    native = {**READY, "cidr_block": None, "ipv6_native": True}
    said = build.messages("VPC003", subnets=[native], clusters=[{"id": "dev", "subnet_ids": ["subnet-1"]}])
    assert said == ["subnet-1, which serves cluster dev, is IPv6-only and has no IPv4 address to give."]


def test_a_node_subnet_must_assign_ipv6() -> None:
    off = {**READY, "assign_ipv6_address_on_creation": False}
    said = "subnet-1, which serves node group workers, assigns no IPv6 address on creation."
    assert build.messages("VPC004", subnets=[off], node_groups=[WORKERS]) == [said]
    off["ipv6_cidr_blocks"] = []
    both = f"{said} It cannot before it has an IPv6 block."
    assert build.messages("VPC004", subnets=[off], node_groups=[WORKERS]) == [both]


@pytest.mark.parametrize(
    ("sections", "count"),
    [
        ({"instances": [BY_HAND]}, 1),
        ({"instances": [KARPENTER]}, 0),
        ({"instances": [KARPENTER, BY_HAND]}, 1),
        ({"fargate_profiles": [{"id": "web", "subnet_ids": ["subnet-1"]}]}, 0),
    ],
)
def test_who_asks_for_the_address_itself_needs_no_subnet_that_does(sections: Any, count: int) -> None:
    off = {**READY, "assign_ipv6_address_on_creation": False}
    sections = {name: items for name, items in sections.items() if name in build.rule("VPC004").optional}
    assert len(build.messages("VPC004", subnets=[off], **sections)) == count


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
    (finding,) = egress(TO_NAT, {**TO_GATEWAY, "state": "blackhole"}, gateways=())
    assert "create-egress-only-internet-gateway --vpc-id vpc-1" in finding.remedy
    assert "replace-route --route-table-id rtb-1" in finding.remedy


def test_a_route_to_a_gateway_that_is_not_attached_leads_nowhere() -> None:
    (finding,) = egress(TO_NAT, TO_GATEWAY, gateways=[{"id": "eigw-1"}])
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
    route = {**TO_GATEWAY, "destination": "2000::/3"}
    assert egress(TO_NAT, route) == ()
    (finding,) = egress(TO_NAT, {**route, "state": "blackhole"})
    assert "--destination-ipv6-cidr-block 2000::/3" in finding.remedy


def test_a_public_subnet_is_not_judged_here() -> None:
    assert egress({"destination": "0.0.0.0/0", "target": "igw-1"}) == ()


def test_a_subnet_without_any_way_out_may_be_isolated_on_purpose() -> None:
    (finding,) = egress()
    assert finding.severity is Severity.INFO
    assert finding.message.endswith("It has no 0.0.0.0/0 route either, so it may be isolated on purpose.")
    (finding,) = ipv4_egress()
    assert (finding.severity, finding.confidence) == (Severity.WARNING, Confidence.MEDIUM)
    assert finding.message.endswith("It may be isolated on purpose, with VPC endpoints for all that it calls.")


@pytest.mark.parametrize("route", [TO_NAT, TO_GATEWAY])
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
    main = {"id": "rtb-main", "vpc_id": "vpc-1", "main": True, "routes": [TO_NAT, TO_GATEWAY]}
    sections: Any = {"subnets": [READY], "node_groups": [WORKERS], "egress_only_gateways": [ATTACHED]}
    assert build.messages("VPC005", route_tables=[main], **sections) == []
    own = {**table(TO_NAT), "id": "rtb-own"}
    (said,) = build.messages("VPC005", route_tables=[main, own], **sections)
    assert "rtb-own has no ::/0 route" in said


@pytest.mark.parametrize("section", ["route_tables", "egress_only_gateways", "node_groups"])
@pytest.mark.parametrize("rule", ["VPC005", "VPC008"])
def test_absence_is_not_concluded_from_what_could_not_be_read(rule: str, section: str) -> None:
    sections: Any = {"subnets": [READY], "route_tables": [table()], "node_groups": [WORKERS], "nat_gateways": []}
    known = build.facts({section: [Gap("ec2:Describe", "refused")]}, **sections, egress_only_gateways=[])
    expected = State.FAILED if (rule, section) == ("VPC008", "egress_only_gateways") else State.NOT_EVALUATED
    assert build.judge(rule, known).state is expected


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
                "routes": [TO_NAT, TO_GATEWAY] if prepared else [TO_NAT],
            },
        ],
        nat_gateways=[{"id": "nat-1", "vpc_id": "vpc-1", "state": "available"}],
        egress_only_gateways=[ATTACHED] if prepared else [],
        node_groups=[{"id": "workers", "subnet_ids": private[:2], "instance_types": ["m5.large"]}],
        fargate_profiles=[{"id": "web", "subnet_ids": private[2:]}],
        instances=[],
        pods=[],
    )


def counted(known: Facts) -> Counter[tuple[str, str]]:
    rules = [rule for rule in load() if rule.category in ("control_plane", "vpc", "fargate")]
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
    }


def test_a_well_prepared_network_has_nothing_to_say() -> None:
    assert counted(account(prepared=True)) == {}
