"""Addresses of choice: load balancers whose IPv4 addresses somebody outside has written down."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from eks6check.catalog import rule
from eks6check.facts import gateways as gw
from eks6check.facts import load_balancing as lb
from eks6check.facts.cidrs import listed
from eks6check.facts.kube import Resource, mapping, sequence, text
from eks6check.facts.load_balancing import Installed, Maker, annotation, installed, maker
from eks6check.findings import Problem
from eks6check.knowledge.load_balancer_controller import for_another_cloud

if TYPE_CHECKING:
    from eks6check.facts.aws import Cluster

FIXED = {lb.EIP_ALLOCATIONS: "Elastic IP addresses", lb.PRIVATE_IPV4_ADDRESSES: "private IPv4 addresses"}
FIXED_FIELDS = {"eipAllocation": "Elastic IP addresses", "privateIPv4Allocation": "private IPv4 addresses"}
"""What gives a load balancer IPv4 addresses of choice, on a Service and in a LoadBalancerConfiguration."""


@rule
def static_ipv4_load_balancer_address(  # noqa: PLR0913, PLR0917  Services and Gateways each have a way to say it
    services: Sequence[Resource],
    gateways: Sequence[Resource] = (),
    gateway_classes: Sequence[Resource] = (),
    load_balancer_configurations: Sequence[Resource] = (),
    workloads: Sequence[Resource] = (),
    webhooks: Sequence[Resource] = (),
    clusters: Sequence[Cluster] = (),
) -> Iterator[Problem]:
    """They stay as they are; over IPv6 the load balancer has others, chosen by AWS unless somebody chooses."""
    known = installed(workloads, webhooks, clusters)
    for service in services:
        yield from _of_service(service, known)
    yield from _of_gateways(gw.managed(gateways, gateway_classes, load_balancer_configurations))


def _of_service(service: Resource, known: Installed) -> Iterator[Problem]:
    ours = maker(service, known) not in (None, Maker.OTHER) and not for_another_cloud(service)
    for key, what in FIXED.items():
        values = listed(annotation(service, key))
        if ours and values and not listed(annotation(service, lb.IPV6_ADDRESSES)):
            yield Problem(
                service,
                f"{service} gives its load balancer the {what} {', '.join(values)} and no IPv6 addresses; over IPv6 "
                f"clients see addresses that AWS chooses.",
                at=("metadata", "annotations", key),
                evidence={"fixed": values, "key": key},
                key=key,
                remedy="service",
            )


def _of_gateways(managed: Iterable[gw.Managed]) -> Iterator[Problem]:
    """Each configuration once, with the Gateways that it decides for."""
    users: dict[str, tuple[Resource, list[Resource]]] = {}
    for each in managed:
        _, holder = gw.setting(each, "loadBalancerSubnets")
        if holder is not None:
            users.setdefault(holder.subject.id, (holder, []))[1].append(each.gateway)
    for holder, found in users.values():
        subnets = [mapping(subnet) for subnet in sequence(holder.get("spec", "loadBalancerSubnets"))]
        for field, what in FIXED_FIELDS.items():
            values = [text(subnet.get(field)) for subnet in subnets if text(subnet.get(field))]
            if values and not any(subnet.get("ipv6Allocation") for subnet in subnets):
                yield Problem(
                    holder,
                    f"{holder} gives its load balancer the {what} {', '.join(values)} and no IPv6 addresses; over IPv6 "
                    f"clients see addresses that AWS chooses.",
                    at=("spec", "loadBalancerSubnets"),
                    find=values[0],
                    evidence={"fixed": values, "field": field, "apiVersion": holder.get("apiVersion")},
                    key=field,
                    remedy="gateway",
                    also=tuple((gateway, gw.CONFIGURATION) for gateway in found),
                )
