"""Gateway API: what must hold so that the AWS Load Balancer Controller can reach IPv6 pods from a Gateway."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from eks6check.catalog import rule
from eks6check.facts import Path
from eks6check.facts import gateways as gw
from eks6check.facts.gateways import Managed
from eks6check.facts.kube import Resource, mapping, sequence, wire
from eks6check.facts.load_balancing import installed
from eks6check.facts.machines import primary_everywhere, primary_note
from eks6check.facts.phrases import phrase
from eks6check.findings import Confidence, Problem, Severity

if TYPE_CHECKING:
    from eks6check.facts.aws import Instance

TAKEN = {
    "application": ("dualstack", "dualstack-without-public-ipv4"),
    "network": ("dualstack",),
    "": ("dualstack", "dualstack-without-public-ipv4"),
}
"""The address types that IPv6 targets can have, by type of load balancer."""


class Backend(NamedTuple):
    """A Service behind a Gateway that gets instance targets, and the reference that leads to it."""

    route: Resource
    path: Path
    service: str
    target: gw.TargetType


Asking = tuple[Managed, list[Resource]]
"""A Gateway with the routes to it."""


@rule
def gateway_not_dualstack(  # noqa: PLR0913, PLR0917  a Gateway's settings are spread over six kinds
    gateways: Sequence[Resource],
    gateway_classes: Sequence[Resource] = (),
    load_balancer_configurations: Sequence[Resource] = (),
    target_group_configurations: Sequence[Resource] = (),
    gateway_routes: Sequence[Resource] = (),
    workloads: Sequence[Resource] = (),
    instances: Sequence[Instance] = (),
) -> Iterator[Problem]:
    """Address type, target type, and the source NAT prefix for UDP: what a Service says in three annotations."""
    default = installed(workloads).target_type
    found = gw.managed(gateways, gateway_classes, load_balancer_configurations)
    routed = [(each, gw.attached(each, gateway_routes)) for each in found]
    asking = [(each, routes) for each, routes in routed if not routes or any(any(gw.backends(one)) for one in routes)]
    yield from _set_to_another(asking)
    wanting: list[Backend] = []
    for each, routes in asking:
        yield from _left_at_ipv4(each, sure=bool(routes))
        yield from _without_source_nat(each, routes)
        backends = list(_on_instances(each, routes, target_group_configurations, default))
        yield from _left_at_instance(each, [backend for backend in backends if not backend.target.said], instances)
        wanting += backends
    yield from _set_to_instance(wanting, instances)


def _set_to_another(asking: Iterable[Asking]) -> Iterator[Problem]:
    """Configurations that say an address type which IPv6 targets cannot have, each with its Gateways."""
    users: dict[str, tuple[Resource, list[Managed]]] = {}
    for each, _ in asking:
        value, holder = gw.setting(each, "ipAddressType")
        if holder is not None and value not in TAKEN[each.type]:
            users.setdefault(holder.subject.id, (holder, []))[1].append(each)
    for holder, found in users.values():
        value, names = wire(holder.get("spec", "ipAddressType")), sorted({str(each.gateway) for each in found})
        yield Problem(
            holder,
            f"{holder} sets ipAddressType {value} for {phrase(names)}; an IPv6 cluster needs dualstack.",
            at=("spec", "ipAddressType"),
            evidence={"ipAddressType": value, "needed": "dualstack", "apiVersion": holder.get("apiVersion")},
            key="address-type",
            confidence=Confidence.HIGH if all(each.certain for each in found) else Confidence.MEDIUM,
            remedy="address-type",
            also=tuple((each.gateway, gw.configured_at(each.gateway)) for each in found),
        )


def _left_at_ipv4(each: Managed, *, sure: bool) -> Iterator[Problem]:
    """A Gateway for which nobody says an address type; not where somebody out of view may."""
    if each.complete and gw.setting(each, "ipAddressType")[1] is None:
        where = f" in {each.configurations[0]}" if each.configurations else ", having no LoadBalancerConfiguration"
        yield Problem(
            each.gateway,
            f"{each.gateway} leaves ipAddressType at its default, ipv4{where}; an IPv6 cluster needs dualstack.",
            at=gw.configured_at(each.gateway),
            evidence={"ipAddressType": None, "needed": "dualstack", "apiVersion": gw.version(each)},
            key="address-type",
            confidence=Confidence.HIGH if sure and each.certain else Confidence.MEDIUM,
            remedy="address-type" if each.configurations else "configuration",
            also=tuple((configuration, ("spec",)) for configuration in each.configurations),
        )


def _without_source_nat(each: Managed, routes: Iterable[Resource]) -> Iterator[Problem]:
    """There is no switch for it as a Service has: the prefix on every subnet is the switch."""
    place = gw.udp_place(each, routes)
    subnets, holder = gw.setting(each, "loadBalancerSubnets")
    prefixes = [mapping(subnet).get("sourceNatIPv6Prefix") for subnet in sequence(subnets)]
    if each.type != "application" and each.complete and place and not (prefixes and all(prefixes)):
        yield Problem(
            each.gateway,
            f"{each.gateway} takes UDP, and no configuration gives each of its subnets a sourceNatIPv6Prefix; a "
            f"dual-stack load balancer needs one.",
            at=gw.configured_at(each.gateway),
            evidence={"sourceNatIPv6Prefix": prefixes, "needed": "auto_assigned", "apiVersion": gw.version(each)},
            key="source-nat",
            confidence=Confidence.HIGH if each.certain else Confidence.MEDIUM,
            remedy="source-nat",
            also=(place, *(((holder, ("spec", "loadBalancerSubnets")),) if holder else ())),
        )


def _on_instances(
    each: Managed, routes: Iterable[Resource], configurations: Sequence[Resource], default: str
) -> Iterator[Backend]:
    for route in routes:
        for path, service in gw.backends(route):
            target = gw.target_type(each, route, service, configurations, default)
            if target.value != "ip":
                yield Backend(route, path, "/".join(service), target)


def _left_at_instance(each: Managed, found: Sequence[Backend], instances: Sequence[Instance]) -> Iterator[Problem]:
    if found and each.complete:
        names = sorted({backend.service for backend in found})
        yield Problem(
            each.gateway,
            f"{each.gateway} leaves the target type at its default, instance, for {phrase(names)}; IPv6 needs "
            f"ip.{primary_note(instances)}",
            at=gw.configured_at(each.gateway),
            evidence={"targetType": None, "needed": "ip", "backends": names, "apiVersion": gw.version(each)},
            key="targets",
            severity=Severity.WARNING if primary_everywhere(instances) else Severity.BLOCKER,
            confidence=Confidence.HIGH if each.certain else Confidence.MEDIUM,
            remedy="targets",
            also=tuple((backend.route, backend.path) for backend in found),
        )


def _set_to_instance(found: Iterable[Backend], instances: Sequence[Instance]) -> Iterator[Problem]:
    """TargetGroupConfigurations that ask for instances, each place once with the routes that it decides."""
    users: dict[tuple[str, Path], tuple[Resource, list[Backend]]] = {}
    for backend in found:
        if holder := backend.target.said:
            users.setdefault((holder.subject.id, backend.target.path), (holder, []))[1].append(backend)
    for (_, path), (holder, backends) in users.items():
        names = sorted({backend.service for backend in backends})
        yield Problem(
            holder,
            f"{holder} sets targetType {backends[0].target.value} for {phrase(names)}; IPv6 needs "
            f"ip.{primary_note(instances)}",
            at=path,
            evidence={"targetType": backends[0].target.value, "needed": "ip", "apiVersion": holder.get("apiVersion")},
            key="/".join(map(str, path)),
            severity=Severity.WARNING if primary_everywhere(instances) else Severity.BLOCKER,
            remedy="targets",
            also=tuple((backend.route, backend.path) for backend in backends),
        )
