"""Addresses that people write by hand: endpoints behind a Service, and addresses on the Service itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from eks6check.catalog import rule
from eks6check.facts.cidrs import is_ipv4
from eks6check.facts.endpoint_slices import has_ipv6, ipv4_places, made_by_control_plane, service_of
from eks6check.facts.ingresses import by_name, files_last
from eks6check.facts.kube import Resource, owned_by
from eks6check.facts.phrases import few
from eks6check.facts.services import made_by_eks
from eks6check.findings import Problem, Severity


@rule
def endpoints_are_ipv4(services: Sequence[Resource], endpoints: Sequence[Resource]) -> Iterator[Problem]:
    """kube-proxy sends the traffic of an IPv6 cluster IP to IPv6 endpoints alone, and nobody makes these."""
    written = [each for each in services if "spec" in each.body]  # one without is a name for `kubectl delete`
    wanted = {key: service for key, service in by_name(written).items() if _takes_hand_made(service)}
    behind: dict[tuple[str, str], list[Resource]] = {}
    for each in sorted(files_last(endpoints), key=lambda each: each.subject.id):
        if service_of(each) in wanted and not made_by_control_plane(each):
            behind.setdefault(service_of(each), []).append(each)
    for key, found in behind.items():
        if not any(has_ipv6(each) for each in found):
            yield from (_unreachable(each, wanted[key]) for each in found if ipv4_places(each))


def _takes_hand_made(service: Resource) -> bool:
    """Whether a Service gets a cluster IP, and nobody but people to fill in what stands behind it."""
    plain = (service.get("spec", "type") or "ClusterIP") != "ExternalName" and not service.get("spec", "selector")
    return plain and service.get("spec", "clusterIP") != "None" and not made_by_eks(service)


def _unreachable(endpoints: Resource, service: Resource) -> Problem:
    places = ipv4_places(endpoints)
    found = [address for _, address in places]
    owner = owned_by(endpoints)
    return Problem(
        endpoints,
        f"{endpoints} puts {few(found)} behind {service}, whose cluster IP in an IPv6 cluster leads to IPv6 endpoints "
        f"alone.{f' {owner} makes it, so the change belongs there.' if owner else ''}",
        at=places[0][0],
        evidence={"addresses": found, "service": service.name, "namespace": service.namespace},
        also=((service, ("spec",)),),
    )


@rule
def service_external_ip_is_ipv4(services: Sequence[Resource]) -> Iterator[Problem]:
    """The rules that kube-proxy writes for an IPv6 Service leave addresses of the other family out."""
    for service in services:
        if service.get("spec", "type") == "ExternalName":
            continue
        external = service.list("spec", "externalIPs")
        found = [
            (("spec", "externalIPs", index), address) for index, address in enumerate(external) if is_ipv4(address)
        ]
        if found:
            listed = [address for _, address in found]
            yield Problem(
                service,
                f"{service} has the external IP {', '.join(listed)}, which an IPv6 Service does not answer on.",
                at=found[0][0],
                evidence={"externalIPs": listed},
                key="externalIPs",
                remedy="external-ips",
            )
        yield from _load_balancer_ip(service)


def _load_balancer_ip(service: Resource) -> Iterable[Problem]:
    """AWS makes no load balancer with an address of choice, so the field does nothing today either."""
    address = service.get("spec", "loadBalancerIP")
    if service.get("spec", "type") == "LoadBalancer" and is_ipv4(address):
        yield Problem(
            service,
            f"{service} asks for loadBalancerIP {address}, which no controller of AWS gives a load balancer.",
            at=("spec", "loadBalancerIP"),
            evidence={"loadBalancerIP": address},
            key="loadBalancerIP",
            severity=Severity.INFO,
            remedy="load-balancer-ip",
        )


@rule
def external_name_is_ipv4(services: Sequence[Resource]) -> Iterator[Problem]:
    """An external name is the target of a CNAME record, and an address is none."""
    for service in services:
        name = service.get("spec", "externalName")
        if service.get("spec", "type") == "ExternalName" and is_ipv4(name) and "/" not in name:
            yield Problem(
                service,
                f"{service} has the external name {name}, which DNS takes for a name and nobody can resolve.",
                at=("spec", "externalName"),
                evidence={"externalName": name, "service": service.name, "namespace": service.namespace},
            )
