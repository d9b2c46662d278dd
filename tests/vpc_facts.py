"""The pieces of a VPC that tests of its rules share: one prepared subnet, its route table, and what it serves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

WORKERS = {"id": "workers", "subnet_ids": ["subnet-1"]}
WEB_PROFILE = {"id": "web", "subnet_ids": ["subnet-1"]}
READY: Mapping[str, Any] = {
    "id": "subnet-1",
    "vpc_id": "vpc-1",
    "cidr_block": "10.0.1.0/24",
    "ipv6_cidr_blocks": ["2001:db8:0:1::/64"],
    "assign_ipv6_address_on_creation": True,
    "available_ip_address_count": 200,
    "tags": {"karpenter.sh/discovery": "prod"},
}
KARPENTER = {"id": "i-1", "subnet_id": "subnet-1", "tags": {"karpenter.sh/nodepool": "default"}}
BY_HAND = {"id": "i-2", "subnet_id": "subnet-1"}
LOCAL = {"destination": "10.0.0.0/16", "target": "local"}
TO_NAT = {"destination": "0.0.0.0/0", "target": "nat-1"}
TO_EGRESS_ONLY = {"destination": "::/0", "target": "eigw-1"}
TO_INTERNET = {"destination": "0.0.0.0/0", "target": "igw-1"}
IPV6_TO_INTERNET = {"destination": "::/0", "target": "igw-1"}
ATTACHED = {"id": "eigw-1", "attached_vpc_ids": ["vpc-1"]}


def route(destination: str, target: str, state: str = "active") -> dict[str, str]:
    """A route."""
    return {"destination": destination, "target": target, "state": state}


def table(*routes: Mapping[str, Any], name: str = "rtb-1", subnets: tuple[str, ...] = ("subnet-1",)) -> dict[str, Any]:
    """The route table of these subnets, with the VPC's own route beside the given ones."""
    return {"id": name, "vpc_id": "vpc-1", "subnet_ids": list(subnets), "routes": [LOCAL, *routes]}
