"""Data stores: groups that admit the pods' ranges of today, and none of the nodes'."""

from __future__ import annotations

from typing import Any

import build
import pytest

from eks6check.findings import Severity

POSTGRES = {"protocol": "tcp", "from_port": 5432, "to_port": 5432}
PODS = {"peer": "100.64.0.0/16", **POSTGRES}


def judged(*rules: dict[str, Any], description: str = "RDSNetworkInterface", **facts: Any) -> list[Any]:
    known: dict[str, Any] = {
        "vpcs": [{"id": "vpc-1", "cidr_blocks": ["10.0.0.0/16", "100.64.0.0/16"]}],
        "subnets": [{"id": "subnet-1", "cidr_block": "10.0.1.0/24"}, {"id": "subnet-2", "cidr_block": "100.64.1.0/24"}],
        "node_groups": [{"id": "workers", "subnet_ids": ["subnet-1"]}],
        "network_interfaces": [{"id": "eni-1", "description": description, "group_ids": ["sg-1"]}],
        **facts,
    }
    known.setdefault("security_groups", [{"id": "sg-1", "rules": rules}])
    return [*build.judge("EXT003", **known).findings]


@pytest.mark.parametrize(
    ("description", "name"),
    [("RDSNetworkInterface", "RDS"), ("ElastiCache sessions-001", "ElastiCache"), ("ES search", "OpenSearch")],
)
def test_a_group_that_admits_pods_alone_is_told_with_the_nodes_that_it_refuses(description: str, name: str) -> None:
    (finding,) = judged(PODS, description=description)
    assert finding.message == (
        f"Security group sg-1 of {name} admits the pods' 100.64.0.0/16 and not the nodes' 10.0.1.0/24; from an IPv6 "
        "cluster, pods come to an IPv4 address from their node's."
    )
    assert "FromPort=5432,ToPort=5432,IpRanges=[{CidrIp=10.0.1.0/24}]" in finding.remedy


@pytest.mark.parametrize(
    "more",
    [
        {"peer": "10.0.0.0/16", **POSTGRES},
        {"peer": "10.0.1.0/24"},
        {"peer": "0.0.0.0/0", "protocol": "6", "from_port": 0, "to_port": 65535},
        {"peer": "sg-nodes", **POSTGRES},
        {"peer": "sg-cluster", **POSTGRES},
    ],
)
def test_nodes_that_are_admitted_on_the_same_ports_are_fine(more: dict[str, Any]) -> None:
    nodes = [{"id": "i-1", "subnet_id": "subnet-1", "security_group_ids": ["sg-nodes"]}]
    cluster = [{"id": "prod", "cluster_security_group_id": "sg-cluster"}]
    assert judged(PODS, more, instances=nodes, clusters=cluster) == []


@pytest.mark.parametrize(
    "more",
    [
        {"peer": "10.0.1.0/25", **POSTGRES},
        {"peer": "10.0.0.0/16", "protocol": "tcp", "from_port": 22, "to_port": 22},
        {"peer": "10.0.0.0/16", **POSTGRES, "is_egress": True},
        {"peer": "sg-others", **POSTGRES},
        {"peer": "2001:db8::/56", **POSTGRES},
    ],
)
def test_half_a_subnet_another_port_and_another_direction_do_not_do(more: dict[str, Any]) -> None:
    assert len(judged(PODS, more)) == 1


def test_the_groups_of_an_interface_add_up() -> None:
    both = [{"id": "eni-1", "description": "RDSNetworkInterface", "group_ids": ["sg-1", "sg-2"]}]
    groups = [{"id": "sg-1", "rules": [PODS]}, {"id": "sg-2", "rules": [{"peer": "10.0.0.0/16", **POSTGRES}]}]
    assert judged(network_interfaces=both, security_groups=groups) == []


def test_halves_of_a_subnet_and_groups_of_nodes_to_come_will_do() -> None:
    halves = [{"peer": "10.0.1.0/25", **POSTGRES}, {"peer": "10.0.1.128/25", **POSTGRES}]
    assert judged(PODS, *halves) == []
    template = [{"id": "lt-1", "network_interfaces": [{"group_ids": ["sg-later"]}]}]
    assert judged(PODS, {"peer": "sg-later", **POSTGRES}, launch_templates=template) == []
    assert judged(PODS, {"peer": "pl-1", **POSTGRES}) == []


def test_a_block_that_may_be_anybodys_is_an_info() -> None:
    vpcs = [{"id": "vpc-1", "cidr_blocks": ["10.0.0.0/16", "10.1.0.0/16"]}]
    (finding,) = judged({"peer": "10.1.0.0/16"}, vpcs=vpcs)
    assert "admits what may be the pods' 10.1.0.0/16" in finding.message
    assert finding.severity is Severity.INFO
    assert "'IpProtocol=-1,IpRanges=[{CidrIp=10.0.1.0/24}]'" in finding.remedy


def test_ranges_in_which_nodes_are_and_groups_of_no_data_store_are_silent() -> None:
    assert judged({"peer": "10.0.0.0/8", **POSTGRES}) == []
    assert judged({"peer": "100.64.0.0/16", **POSTGRES, "is_egress": True}) == []
    assert judged(PODS, description="ELB app/web/1") == []
    assert judged(PODS, node_groups=[{"id": "workers", "subnet_ids": ["subnet-2"]}]) == []
    assert judged(PODS, vpcs=[{"id": "vpc-1", "cidr_blocks": ["10.0.0.0/16"]}]) == []
    assert judged(PODS, node_groups=[]) == []
