"""VPC endpoints: those that could carry IPv6 and do not."""

from __future__ import annotations

from typing import Any

import build
import pytest
from vpc_facts import READY

STS = "com.amazonaws.eu-west-1.sts"
IPV4 = {"id": "vpce-1", "vpc_id": "vpc-1", "service_name": STS, "ip_address_type": "ipv4", "subnet_ids": ["subnet-1"]}
BOTH = {"id": STS, "supported_ip_address_types": ["ipv4", "dualstack"]}


def messages(endpoint: Any = IPV4, service: Any = BOTH, **more: Any) -> list[str]:
    return build.messages("VPC013", vpc_endpoints=[endpoint], endpoint_services=[service], **more)


def test_an_ipv4_endpoint_of_a_service_that_offers_both_is_told() -> None:
    said = f"vpce-1 for {STS} has the IP address type ipv4, and the service offers dualstack."
    assert messages() == [said]
    assert messages(subnets=[READY]) == [said]


def test_its_subnets_come_first() -> None:
    subnets = [{**READY, "ipv6_cidr_blocks": []}, {**READY, "id": "subnet-2", "ipv6_cidr_blocks": []}]
    (said,) = messages(subnets=subnets)
    assert said.endswith("the service offers dualstack. It cannot before subnet-1 has an IPv6 block.")
    (said,) = messages({**IPV4, "subnet_ids": ["subnet-2", "subnet-1"]}, subnets=subnets)
    assert said.endswith("It cannot before subnet-1 and subnet-2 have IPv6 blocks.")


@pytest.mark.parametrize(
    "change",
    [
        {"ip_address_type": "dualstack"},
        {"ip_address_type": "ipv6"},
        {"ip_address_type": ""},
        {"endpoint_type": "Gateway"},
        {"endpoint_type": "GatewayLoadBalancer"},
        {"state": "deleting"},
        {"state": "rejected"},
        {"service_name": "com.amazonaws.vpce.eu-west-1.vpce-svc-of-a-partner"},
    ],
)
def test_an_endpoint_that_carries_both_or_cannot_is_left_alone(change: Any) -> None:
    assert messages({**IPV4, **change}) == []


@pytest.mark.parametrize("types", [["ipv4"], [], ["IPV6-OF-2030"]])
def test_a_service_that_offers_ipv4_alone_is_nobodys_fault(types: Any) -> None:
    assert messages(service={**BOTH, "supported_ip_address_types": types}) == []


def test_each_endpoint_is_one_finding() -> None:
    endpoints = [{**IPV4, "id": f"vpce-{index}"} for index in range(3)]
    assert len(build.messages("VPC013", vpc_endpoints=endpoints, endpoint_services=[BOTH])) == 3
