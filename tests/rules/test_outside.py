"""Peers and web ACLs: who knows the cluster's addresses, and whom the cluster's guards know."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import build
import pytest

from eks6check.findings import Confidence, Finding, Severity

ROUTES = [{"destination": "0.0.0.0/0", "target": "nat-1"}]
NAT = {"id": "nat-1", "vpc_id": "vpc-1", "state": "available", "public_ips": ["203.0.113.9", "203.0.113.7"]}
ACCOUNT: Mapping[str, Any] = {
    "clusters": [{"id": "prod", "vpc_id": "vpc-1"}],
    "vpcs": [{"id": "vpc-1", "ipv6_cidr_blocks": ["2001:db8:1234::/56"]}],
    "subnets": [{"id": "subnet-1", "vpc_id": "vpc-1"}, {"id": "subnet-2", "vpc_id": "vpc-1"}],
    "route_tables": [{"id": "rtb-1", "vpc_id": "vpc-1", "main": True, "routes": ROUTES}],
    "nat_gateways": [NAT],
    "node_groups": [{"id": "workers", "subnet_ids": ["subnet-1", "subnet-2"]}],
}


def peers(**changes: Any) -> tuple[Finding, ...]:
    return build.judge("EXT001", **{**ACCOUNT, **changes}).findings


@pytest.mark.parametrize("family", ["ipv4", "ipv6"])
def test_one_note_for_the_cluster_shows_the_old_addresses_and_the_new(family: str) -> None:
    (finding,) = peers(clusters=[{"id": "prod", "vpc_id": "vpc-1", "ip_family": family}])
    assert finding.message == (
        "Peers know the nodes of prod by 203.0.113.7 and 203.0.113.9; those with an AAAA record see pods of an IPv6 "
        "cluster come from addresses in 2001:db8:1234::/56."
    )
    assert (finding.severity, finding.confidence) == (Severity.INFO, Confidence.LOW)
    assert (finding.evidence["nat_gateways"], finding.evidence["vpc"]) == (["nat-1"], "vpc-1")


def test_before_the_vpc_has_a_block_nobody_knows_the_new_addresses() -> None:
    (finding,) = peers(vpcs=[{"id": "vpc-1"}])
    assert finding.message.endswith("come from addresses in the IPv6 block that vpc-1 will get.")
    assert finding.evidence["ipv6_cidr_blocks"] == []


@pytest.mark.parametrize(
    "changes",
    [
        {"node_groups": []},
        {"node_groups": [{"id": "workers", "subnet_ids": ["subnet-else"]}]},
        {"nat_gateways": [{**NAT, "state": "deleted"}]},
        {"nat_gateways": [{**NAT, "connectivity_type": "private"}]},
        {"nat_gateways": [{**NAT, "public_ips": []}]},
        {"nat_gateways": [{**NAT, "id": "nat-2"}]},
        {"route_tables": [{"id": "rtb-1", "vpc_id": "vpc-1", "main": True}]},
        {
            "route_tables": [
                {"id": "rtb-1", "vpc_id": "vpc-1", "main": True, "routes": [{**ROUTES[0], "target": "igw-1"}]}
            ]
        },
        {
            "route_tables": [
                {"id": "rtb-1", "vpc_id": "vpc-1", "main": True, "routes": [{**ROUTES[0], "state": "blackhole"}]}
            ]
        },
        {"clusters": [{"id": "prod", "vpc_id": "vpc-2"}]},
    ],
)
def test_where_no_node_leaves_by_a_nat_gateway_there_is_nothing_to_tell(changes: Any) -> None:
    assert peers(**changes) == ()


@pytest.mark.parametrize(
    "uses",
    [
        {"instances": [{"id": "i-1", "subnet_id": "subnet-1"}]},
        {"instances": [{"id": "i-1", "subnet_id": "subnet-1", "tags": {"karpenter.sh/nodepool": "default"}}]},
        {"fargate_profiles": [{"id": "batch", "subnet_ids": ["subnet-2"]}]},
    ],
)
def test_nodes_of_every_kind_leave_by_it(uses: Any) -> None:
    assert len(peers(node_groups=[], **uses)) == 1


def test_hosts_that_services_stand_for_are_shown_as_evidence() -> None:
    names = [
        "api.partner.example",
        "API.partner.example.",
        "web.shop.svc.cluster.local",
        "web.shop.svc",
        "db",
        "",
        None,
        7,
    ]
    made = [{"kind": "Service", "spec": {"type": "ExternalName", "externalName": name}} for name in names]
    (finding,) = peers(services=[*made, {"kind": "Service", "spec": {"externalName": "else.example"}}])
    assert finding.evidence["external_names"] == ["api.partner.example"]


ALB = {"id": "arn:alb", "name": "k8s-shop-web", "type": "application", "ip_address_type": "ipv4"}
OFFICES = {"id": "arn:v4", "name": "offices", "ip_address_version": "IPV4", "addresses": ["203.0.113.0/24"]}
OFFICES_6 = {
    **OFFICES,
    "id": "arn:v6",
    "name": "offices-6",
    "ip_address_version": "IPV6",
    "addresses": ["2001:db8::/48"],
}


def acl(*rules: Mapping[str, Any], default: str = "allow", arns: Any = ("arn:alb",)) -> dict[str, Any]:
    named = [{"name": f"rule-{index}", **rule} for index, rule in enumerate(rules)]
    return {
        "id": "arn:acl",
        "name": "shop",
        "default_action": default,
        "load_balancer_arns": arns,
        "ip_set_rules": named,
    }


def guarded(web_acl: Any, *sets: Any) -> tuple[Finding, ...]:
    return build.judge("EXT002", web_acls=[web_acl], ip_sets=sets or [OFFICES], load_balancers=[ALB]).findings


ALLOW = {"action": "allow", "ip_set_arns": ["arn:v4"]}
BLOCK = {"action": "block", "ip_set_arns": ["arn:v4"]}
BLOCK_OTHERS = {"action": "block", "except_ip_set_arns": ["arn:v4"]}
ALLOW_OTHERS = {"action": "allow", "except_ip_set_arns": ["arn:v4"]}


@pytest.mark.parametrize("web_acl", [acl(ALLOW, default="block"), acl(BLOCK_OTHERS)])
def test_a_list_of_those_who_may_come_in_turns_ipv6_clients_away(web_acl: Any) -> None:
    (finding,) = guarded(web_acl)
    assert finding.message == (
        "shop, in front of k8s-shop-web, lets in the addresses of offices alone, all IPv4: IPv6 clients of a "
        "dual-stack one are turned away."
    )
    assert (finding.severity, finding.confidence) == (Severity.WARNING, Confidence.HIGH)
    assert [place.id for place in finding.locations] == ["arn:acl", "arn:v4", "arn:alb"]
    assert "--name offices-ipv6" in finding.remedy


@pytest.mark.parametrize(
    ("web_acl", "role"),
    [
        (acl(ALLOW), "exempt"),
        (acl(BLOCK), "kept-out"),
        (acl(BLOCK, default="block"), "kept-out"),
        (acl(ALLOW_OTHERS, default="block"), "kept-out"),
        (acl({**BLOCK, "action": "captcha"}), "kept-out"),
    ],
)
def test_exceptions_and_lists_of_those_kept_out_matter_less(web_acl: Any, role: str) -> None:
    (finding,) = guarded(web_acl)
    assert (finding.severity, finding.evidence["role"]) == (Severity.INFO, role)


def test_each_role_is_judged_by_itself() -> None:
    bad = {**OFFICES, "id": "arn:bad", "name": "bad"}
    web_acl = acl(ALLOW, {"action": "block", "ip_set_arns": ["arn:bad", "arn:v6"]}, default="block")
    (finding,) = guarded(web_acl, OFFICES, OFFICES_6, bad)
    assert finding.evidence["role"] == "admitted"
    both = acl(ALLOW, {"action": "block", "ip_set_arns": ["arn:bad"]}, default="block")
    assert len({each.fingerprint for each in guarded(both, OFFICES, bad)}) == 2


@pytest.mark.parametrize(
    ("web_acl", "sets"),
    [
        (acl({**ALLOW, "ip_set_arns": ["arn:v4", "arn:v6"]}, default="block"), [OFFICES, OFFICES_6]),
        (acl(ALLOW, {**ALLOW, "ip_set_arns": ["arn:v6"]}, default="block"), [OFFICES, OFFICES_6]),
        (acl({**ALLOW, "ip_set_arns": ["arn:v4", "arn:unread"]}, default="block"), [OFFICES]),
        (acl({**ALLOW, "action": "count"}, default="block"), [OFFICES]),
        (acl({**ALLOW, "action": ""}, default="block"), [OFFICES]),
        (acl(ALLOW, default="block"), [{**OFFICES, "addresses": []}]),
        (acl(ALLOW, default="block", arns=["arn:of-others"]), [OFFICES]),
        (acl({**ALLOW, "ip_set_arns": ["arn:v6"]}, default="block"), [OFFICES_6]),
        (acl(default="block"), [OFFICES]),
    ],
)
def test_both_families_and_what_decides_nothing_are_left_alone(web_acl: Any, sets: Any) -> None:
    assert guarded(web_acl, *sets) == ()


def test_an_empty_twin_is_no_twin() -> None:
    web_acl = acl({**ALLOW, "ip_set_arns": ["arn:v4", "arn:v6"]}, default="block")
    assert len(guarded(web_acl, OFFICES, {**OFFICES_6, "addresses": []})) == 1
