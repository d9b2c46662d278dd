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


OFF = {**READY, "assign_ipv6_address_on_creation": False}
FROM_TEMPLATE = {
    **BY_HAND,
    "tags": {"aws:ec2launchtemplate:id": "lt-1", "aws:ec2launchtemplate:version": "3"},
}


def asking(count: int = 1, version: str = "3", **fields: Any) -> dict[str, Any]:
    """A version of a launch template with one interface."""
    return {"id": "lt-1", "version": version, "network_interfaces": [{"ipv6_address_count": count, **fields}]}


@pytest.mark.parametrize(
    ("template", "count"),
    [
        (asking(), 0),
        (asking(2), 0),
        (asking(0), 1),
        (asking(device_index=1), 1),
        (asking(network_card_index=1), 1),
        (asking(version="2"), 1),
        ({**asking(), "id": "lt-2"}, 1),
        ({**asking(), "network_interfaces": []}, 1),
    ],
)
@pytest.mark.parametrize(
    "user",
    [
        {"instances": [FROM_TEMPLATE]},
        {"node_groups": [{**WORKERS, "launch_template_id": "lt-1", "launch_template_version": "3"}]},
        {"auto_scaling_groups": [{**WORKERS, "launch_template_id": "lt-1", "launch_template_version": "3"}]},
    ],
)
def test_a_template_that_asks_for_the_address_needs_no_subnet_that_assigns_it(
    user: Any, template: Any, count: int
) -> None:
    assert len(build.messages("VPC004", subnets=[OFF], launch_templates=[template], **user)) == count


def test_a_group_that_eks_itself_complains_of_is_told_whatever_its_template_asks() -> None:
    group = {**WORKERS, "launch_template_id": "lt-1", "launch_template_version": "3"}
    ailing = {**group, "health_issue_codes": ["Ec2SubnetMissingIpv6Assignment"]}
    assert len(build.messages("VPC004", subnets=[OFF], launch_templates=[asking()], node_groups=[ailing])) == 1


@pytest.mark.parametrize(
    ("interface", "count"),
    [
        ({"ipv6_addresses": ["2001:db8:0:1::7"]}, 0),
        ({"ipv6_addresses": ["2001:db8:0:1::7"], "device_index": 1}, 1),
        ({"ipv6_prefixes": ["2001:db8:0:1:2::/80"]}, 1),
        ({}, 1),
    ],
)
def test_an_instance_that_has_an_address_has_got_it_somewhere(interface: Any, count: int) -> None:
    instance = {**BY_HAND, "network_interfaces": [{"id": "eni-1", **interface}]}
    assert len(build.messages("VPC004", subnets=[OFF], instances=[instance])) == count
    (said,) = build.messages("VPC004", subnets=[OFF], instances=[instance, {**BY_HAND, "id": "i-3"}])
    assert "self-managed nodes" in said


@pytest.mark.parametrize(("home", "count"), [("subnet-1", 0), ("subnet-2", 1)])
def test_an_instance_speaks_for_its_group_where_the_subnet_gives_no_address(home: str, count: int) -> None:
    on = {**READY, "id": "subnet-2"}
    group = {"id": "spare", "subnet_ids": ["subnet-1", "subnet-2"]}
    interface = {"id": "eni-1", "ipv6_addresses": ["2001:db8::7"]}
    one = {
        "id": "i-1",
        "subnet_id": home,
        "network_interfaces": [interface],
        "tags": {"aws:autoscaling:groupName": "spare"},
    }
    said = build.messages("VPC004", subnets=[OFF, on], instances=[one], auto_scaling_groups=[group])
    assert len(said) == count


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
