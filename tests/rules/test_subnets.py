"""Subnets: what each must have, and the look-alikes that are as they should be."""

from __future__ import annotations

from typing import Any

import build
import pytest
from vpc_facts import BY_HAND, KARPENTER, READY, WEB_PROFILE, WORKERS, route, table

NO_BLOCK = {**READY, "ipv6_cidr_blocks": []}
DNS64 = {**READY, "enable_dns64": True}


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


@pytest.mark.parametrize(
    ("routes", "said"),
    [
        ([route("64:ff9b::/96", "nat-1")], "pods reach IPv4-only names through nat-1 and not through their node."),
        (
            [route("64:ff9b::/96", "nat-1", "blackhole")],
            "pods are told addresses in 64:ff9b::/96 for IPv4-only names, and no active route of rtb-1 serves that.",
        ),
        (
            [route("::/0", "eigw-1")],
            "pods are told addresses in 64:ff9b::/96 for IPv4-only names, and no active route of rtb-1 serves that.",
        ),
    ],
)
def test_dns64_is_told_with_where_its_addresses_lead(routes: Any, said: str) -> None:
    sections = {"subnets": [DNS64], "node_groups": [WORKERS], "route_tables": [table(*routes)]}
    (message,) = build.messages("VPC009", **sections)
    assert message == f"subnet-1, which serves node group workers, has DNS64 turned on: {said}"


def test_dns64_is_told_where_routes_are_not_known() -> None:
    (message,) = build.messages("VPC009", subnets=[DNS64], fargate_profiles=[WEB_PROFILE])
    assert message.endswith("pods are told addresses in 64:ff9b::/96 for IPv4-only names.")


@pytest.mark.parametrize(
    ("subnet", "sections"),
    [
        (READY, {"node_groups": [WORKERS]}),
        (DNS64, {"node_groups": []}),
        (DNS64, {"clusters": [{"id": "other", "subnet_ids": ["subnet-1"]}]}),
    ],
)
def test_dns64_matters_only_where_pods_are(subnet: Any, sections: Any) -> None:
    assert build.messages("VPC009", subnets=[subnet], route_tables=[table()], **sections) == []
