"""Set-ups that real companies run and that are as they should be: the catalogue finds neither fault nor warning."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from build import facts

from eks6check import engine
from eks6check.catalog import load
from eks6check.facts import Facts
from eks6check.findings import Severity

IPV4_OUT, IPV6_OUT = "0.0.0.0/0", "::/0"
POOL_REQUIREMENTS = [
    {"key": "kubernetes.io/arch", "operator": "In", "values": ["amd64", "arm64"]},
    {"key": "karpenter.k8s.aws/instance-category", "operator": "In", "values": ["c", "m", "r"]},
    {"key": "karpenter.k8s.aws/instance-generation", "operator": "Gt", "values": ["5"]},
]
NODE_POOL = {
    "apiVersion": "karpenter.sh/v1",
    "kind": "NodePool",
    "metadata": {"name": "default"},
    "spec": {
        "template": {
            "spec": {
                "nodeClassRef": {"group": "karpenter.k8s.aws", "kind": "EC2NodeClass", "name": "default"},
                "requirements": POOL_REQUIREMENTS,
            }
        }
    },
}
NODE_CLASS = {
    "apiVersion": "karpenter.k8s.aws/v1",
    "kind": "EC2NodeClass",
    "metadata": {"name": "default"},
    "spec": {"amiSelectorTerms": [{"alias": "al2023@latest"}], "kubelet": {"maxPods": 110}},
}
PREFIXES = {"env": {"ENABLE_PREFIX_DELEGATION": "true", "WARM_PREFIX_TARGET": "1"}}


def subnet(name: str, **values: Any) -> dict[str, Any]:
    """A prepared subnet."""
    prepared = {"ipv6_cidr_blocks": ["2001:db8::/64"], "assign_ipv6_address_on_creation": True}
    return (
        {"id": name, "vpc_id": "vpc-1", "cidr_block": "10.0.0.0/24", "available_ip_address_count": 99}
        | prepared
        | values
    )


def table(ipv4: str, ipv6: str) -> list[dict[str, Any]]:
    """The main table, with the targets of its default routes."""
    routes = [{"destination": IPV4_OUT, "target": ipv4}, {"destination": IPV6_OUT, "target": ipv6}]
    return [{"id": "rtb-1", "vpc_id": "vpc-1", "main": True, "routes": routes}]


def group(name: str, *types: str, **values: Any) -> dict[str, Any]:
    """A managed node group."""
    return {
        "id": name,
        "ami_type": "AL2023_x86_64_STANDARD",
        "subnet_ids": ["subnet-1"],
        "instance_types": types,
        **values,
    }


def launched(**tags: str) -> list[dict[str, Any]]:
    """An instance with these tags."""
    return [{"id": "i-1", "subnet_id": "subnet-1", "instance_type": "m6i.large", "tags": tags}]


NAMED = {"launch_template_id": "lt-1", "launch_template_version": "$Latest"}
BASE: Mapping[str, list[Any]] = {
    "clusters": [{"id": "prod", "version": "1.34", "ip_family": "ipv6", "vpc_id": "vpc-1", "subnet_ids": ["subnet-1"]}],
    "vpcs": [{"id": "vpc-1", "cidr_blocks": ["10.0.0.0/16"], "ipv6_cidr_blocks": ["2001:db8::/56"]}],
    "subnets": [subnet("subnet-1")],
    "route_tables": table("nat-1", "eigw-1"),
    "nat_gateways": [{"id": "nat-1", "vpc_id": "vpc-1", "state": "available"}],
    "egress_only_gateways": [{"id": "eigw-1", "attached_vpc_ids": ["vpc-1"]}],
    "node_groups": [group("web", "m6i.large")],
    "addons": [{"id": "vpc-cni", "version": "v1.20.4-eksbuild.2"}],
}
NO_ADD_ONS_AND_GROUPS: Mapping[str, list[Any]] = {"addons": [], "node_groups": []}

SETUPS: Mapping[str, Mapping[str, list[Any]]] = {
    "several node groups of both architectures": {
        "node_groups": [group("web", "m6i.large", "m5.large"), group("arm", "m7g.large"), group("metal", "i3.metal")]
    },
    "egress through a transit gateway": {
        "route_tables": table("tgw-1", "tgw-1"),
        "nat_gateways": [],
        "egress_only_gateways": [],
    },
    "a shared VPC, whose gateways this account does not see": {"nat_gateways": [], "egress_only_gateways": []},
    "an address range of one's own, and nodes in public subnets that nobody reaches over IPv6": {
        "vpcs": [{"id": "vpc-1", "ipv6_cidr_blocks": ["2001:db8::/44"]}],
        "route_tables": table("igw-1", "eigw-1"),
        "internet_gateways": [{"id": "igw-1", "attached_vpc_ids": ["vpc-1"]}],
    },
    "one NAT gateway for all zones": {
        "subnets": [
            subnet("subnet-1", availability_zone="eu-west-1a"),
            subnet("subnet-2", availability_zone="eu-west-1b"),
        ],
        "route_tables": [
            *table("nat-1", "eigw-1"),
            {**table("igw-1", "igw-1")[0], "id": "rtb-2", "main": False, "subnet_ids": ["subnet-2"]},
        ],
        "nat_gateways": [{"id": "nat-1", "vpc_id": "vpc-1", "state": "available", "subnet_id": "subnet-2"}],
    },
    "endpoints: of both families, of a service that offers IPv4 alone, of routes": {
        "vpc_endpoints": [
            {"id": "vpce-1", "vpc_id": "vpc-1", "service_name": "sts", "ip_address_type": "dualstack"},
            {"id": "vpce-2", "vpc_id": "vpc-1", "service_name": "ecr.dkr", "ip_address_type": "ipv4"},
            {"id": "vpce-3", "vpc_id": "vpc-1", "service_name": "s3", "endpoint_type": "Gateway"},
        ],
        "endpoint_services": [
            {"id": "sts", "supported_ip_address_types": ["ipv4", "dualstack"]},
            {"id": "ecr.dkr", "supported_ip_address_types": ["ipv4"]},
        ],
    },
    "a peering of both families, and resolvers of one's own": {
        "route_tables": [
            {
                **table("nat-1", "eigw-1")[0],
                "routes": [
                    *table("nat-1", "eigw-1")[0]["routes"],
                    {"destination": "10.9.0.0/16", "target": "pcx-1"},
                    {"destination": "2001:db8:9::/56", "target": "pcx-1"},
                ],
            }
        ],
        "vpcs": [{"id": "vpc-1", "ipv6_cidr_blocks": ["2001:db8::/56"], "dhcp_options_id": "dopt-1"}],
        "vpc_attributes": [{"id": "vpc-1"}],
        "dhcp_options": [{"id": "dopt-1", "domain_name_servers": ["10.9.9.9"]}],
    },
    "a subnet of others beside the cluster's": {
        "subnets": [subnet("subnet-1"), subnet("subnet-2", ipv6_cidr_blocks=[], assign_ipv6_address_on_creation=False)]
    },
    "a launch template by its latest version": {
        "node_groups": [group("web", **NAMED)],
        "launch_templates": [{"id": "lt-1", "version": "$Latest", "instance_type": "m6i.large"}],
    },
    "an image of one's own that is told its pods": {
        "node_groups": [group("web", "m6i.large", **{**NAMED, "ami_type": "CUSTOM"})],
        "launch_templates": [
            {
                "id": "lt-1",
                "version": "$Latest",
                "image_id": "ami-1",
                "user_data": "[settings.kubernetes]\nmax-pods = 110",
            }
        ],
    },
    "Karpenter alone, in a subnet that assigns nothing": {
        **NO_ADD_ONS_AND_GROUPS,
        "subnets": [subnet("subnet-1", assign_ipv6_address_on_creation=False, tags={"karpenter.sh/discovery": "prod"})],
        "instances": launched(**{"karpenter.sh/nodepool": "default"}),
        "node_pools": [NODE_POOL],
        "node_classes": [NODE_CLASS],
    },
    "Auto Mode": {
        **NO_ADD_ONS_AND_GROUPS,
        "clusters": [{**BASE["clusters"][0], "auto_mode": True}],
        "subnets": [subnet("subnet-1", assign_ipv6_address_on_creation=False)],
        "instances": launched(**{"eks:kubernetes-node-pool-name": "general-purpose"}),
    },
    "Fargate alone": {**NO_ADD_ONS_AND_GROUPS, "fargate_profiles": [{"id": "all", "subnet_ids": ["subnet-1"]}]},
    "prefix delegation in an IPv4 cluster of today": {
        "clusters": [{**BASE["clusters"][0], "ip_family": "ipv4"}],
        "addons": [{"id": "vpc-cni", "version": "v1.20.4-eksbuild.2", "configuration": PREFIXES}],
    },
}


def told(known: Facts) -> list[str]:
    """What the catalogue says of these facts, infos left out."""
    outcomes = engine.evaluate(load(), known)
    assert [each.error for each in outcomes if each.error] == []
    findings = [finding for each in outcomes for finding in each.findings]
    return [f"{each.rule} {each.message}" for each in findings if each.severity is not Severity.INFO]


@pytest.mark.parametrize("name", SETUPS)
def test_a_healthy_set_up_is_left_alone(name: str) -> None:
    assert told(facts(**{**BASE, **SETUPS[name]})) == []


def test_a_network_on_vpc_endpoints_alone_gets_one_warning_for_a_person_to_judge() -> None:
    isolated = {"route_tables": [{"id": "rtb-1", "vpc_id": "vpc-1", "main": True}], "nat_gateways": []}
    (said,) = told(facts(**{**BASE, **isolated, "egress_only_gateways": []}))
    assert said.startswith("VPC008 ")
    assert "It may be isolated on purpose" in said
