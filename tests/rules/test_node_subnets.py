"""Subnets that no node runs in yet: they are judged for what an Auto Scaling group or Auto Mode will launch there."""

from __future__ import annotations

from typing import Any

import build
import pytest
from vpc_facts import ATTACHED, IPV6_TO_INTERNET, READY, TO_EGRESS_ONLY, TO_INTERNET, TO_NAT, route, table

from eks6check.facts import Facts

SPARE = {"id": "spare", "subnet_ids": ["subnet-1"]}
AUTO = {"id": "shop", "vpc_id": "vpc-1", "subnet_ids": ["subnet-1"], "auto_mode": True}
PLAIN = {**AUTO, "auto_mode": False}
SUBNET = {**READY, "tags": {}}
ANY = {"is_egress": True, "cidr_block": "0.0.0.0/0"}
ACL: dict[str, Any] = {
    "id": "acl-1",
    "vpc_id": "vpc-1",
    "subnet_ids": ["subnet-1"],
    "entries": [{"rule_number": 100, **ANY}, {"rule_number": 100, **ANY, "is_egress": False}],
}
WAVELENGTH = {"id": "eu-west-1-wl1-dub-wlz-1", "zone_id": "euw1-wl1", "zone_type": "wavelength-zone"}
ULA = {"ipv6_cidr_blocks": ["fd00:1::/48"], "private_ipv6_cidr_blocks": ["fd00:1::/48"]}

FAULTS: dict[str, dict[str, Any]] = {
    "VPC002": {"subnets": [{**SUBNET, "ipv6_cidr_blocks": []}]},
    "VPC003": {"subnets": [{**SUBNET, "ipv6_native": True}]},
    "VPC004": {"subnets": [{**SUBNET, "assign_ipv6_address_on_creation": False}]},
    "VPC005": {"route_tables": [table(TO_NAT)], "egress_only_gateways": [ATTACHED]},
    "VPC006": {"route_tables": [table(TO_INTERNET)], "internet_gateways": [{"id": "igw-1"}]},
    "VPC007": {"route_tables": [table(TO_INTERNET, IPV6_TO_INTERNET)]},
    "VPC008": {"route_tables": [table(TO_EGRESS_ONLY)], "nat_gateways": []},
    "VPC010": {
        "vpcs": [{"id": "vpc-1", **ULA}],
        "subnets": [{**SUBNET, "ipv6_cidr_blocks": ["fd00:1:0:1::/64"]}],
        "route_tables": [table(TO_EGRESS_ONLY)],
    },
    "VPC012": {"network_acls": [ACL], "vpcs": [{"id": "vpc-1", "ipv6_cidr_blocks": ["2001:db8::/56"]}]},
    "VPC015": {
        "vpcs": [{"id": "vpc-1"}],
        "subnets": [{**SUBNET, "internet_gateway_block_mode": "block-bidirectional"}],
        "route_tables": [table(TO_EGRESS_ONLY)],
    },
    "VPC016": {"subnets": [{**SUBNET, "availability_zone": WAVELENGTH["id"]}], "availability_zones": [WAVELENGTH]},
    "VPC018": {"subnets": [{**SUBNET, "tags": {"kubernetes.io/role/cni": "0"}}]},
    "VPC019": {"route_tables": [table(route("10.20.0.0/16", "tgw-1"))]},
}
"""A fault of a subnet for each rule that goes by where nodes are."""

OF_CLUSTERS = {"VPC002", "VPC003", "VPC012", "VPC016"}
"""Rules that look at the control plane's subnets as well."""


def faulty(rule: str, **more: Any) -> Facts:
    return build.facts(**{"subnets": [SUBNET], **FAULTS[rule], **more})


@pytest.mark.parametrize("rule", FAULTS)
def test_an_auto_scaling_group_serves_nodes_with_no_instance_running(rule: str) -> None:
    (finding,) = build.judge(rule, faulty(rule, auto_scaling_groups=[SPARE])).findings
    if "serves" in finding.evidence:
        assert finding.evidence["serves"] == ["Auto Scaling group spare"]
    elsewhere = {**SPARE, "subnet_ids": ["subnet-9"]}
    assert not build.judge(rule, faulty(rule, auto_scaling_groups=[elsewhere])).findings


@pytest.mark.parametrize("rule", sorted(FAULTS.keys() - {"VPC004", "VPC018"}))
def test_the_subnets_of_an_auto_mode_cluster_serve_its_nodes(rule: str) -> None:
    (finding,) = build.judge(rule, faulty(rule, clusters=[AUTO])).findings
    assert "Auto Mode nodes" in finding.evidence.get("serves", ["Auto Mode nodes"])
    others = build.judge(rule, faulty(rule, clusters=[PLAIN])).findings
    assert bool(others) is (rule in OF_CLUSTERS)


@pytest.mark.parametrize("rule", ["VPC004", "VPC018"])
def test_auto_mode_asks_for_the_address_itself_and_runs_another_cni(rule: str) -> None:
    assert not build.judge(rule, faulty(rule, clusters=[AUTO])).findings
