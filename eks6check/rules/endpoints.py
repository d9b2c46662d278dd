"""VPC endpoints: private ways to AWS that could carry IPv6 and do not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from eks6check.catalog import rule
from eks6check.facts.phrases import phrase
from eks6check.findings import Problem

if TYPE_CHECKING:
    from eks6check.facts.aws import EndpointService, Subnet, VpcEndpoint

IN_USE = frozenset({"available", "pending", "pendingacceptance", "partial"})
"""States of an endpoint that somebody counts on or soon will."""


@rule
def vpc_endpoint_ipv4_only(
    vpc_endpoints: Sequence[VpcEndpoint],
    endpoint_services: Sequence[EndpointService],
    subnets: Sequence[Subnet] = (),
) -> Iterator[Problem]:
    """Only where the service offers more. A gateway endpoint has no address, and so no type."""
    dualstack = {service.id for service in endpoint_services if "dualstack" in service.supported_ip_address_types}
    without_block = {subnet.id for subnet in subnets if not subnet.ipv6_cidr_blocks}
    for endpoint in vpc_endpoints:
        ipv4_only = endpoint.endpoint_type == "Interface" and endpoint.ip_address_type == "ipv4"
        if ipv4_only and endpoint.state in IN_USE and endpoint.service_name in dualstack:
            lacking = sorted(without_block & {*endpoint.subnet_ids})
            verb = "has an IPv6 block" if len(lacking) == 1 else "have IPv6 blocks"
            first = f" It cannot before {phrase(lacking)} {verb}." if lacking else ""
            yield Problem(
                endpoint,
                f"{endpoint} for {endpoint.service_name} has the IP address type ipv4, and the service offers "
                f"dualstack.{first}",
                evidence={
                    "endpoint": endpoint.id,
                    "vpc": endpoint.vpc_id,
                    "service": endpoint.service_name,
                    "ip_address_type": endpoint.ip_address_type,
                    "private_dns_enabled": endpoint.private_dns_enabled,
                    "subnets_without_ipv6": lacking,
                },
            )
