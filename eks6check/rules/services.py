"""Services: what an API server with one IP family refuses."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from ipaddress import IPv4Address
from typing import TYPE_CHECKING, Any

from eks6check.catalog import rule
from eks6check.facts.embedded import walk
from eks6check.facts.kube import sequence
from eks6check.findings import Confidence, Problem, Severity
from eks6check.knowledge.load_balancer_controller import for_another_cloud

if TYPE_CHECKING:
    from eks6check.facts import Path
    from eks6check.facts.kube import Resource

CONTROL_PLANE = (("default", "kubernetes"), ("kube-system", "eks-extension-metrics-api"))
"""Services by namespace and name that EKS itself makes, with their endpoints and without a selector, 2026-11-25."""


@rule
def service_pins_ipv4_family(
    services: Sequence[Resource], operator_objects: Sequence[Resource] = ()
) -> Iterator[Problem]:
    """Refused: an IPv6 cluster has no IPv4 service range to take an address from."""
    for service in services:
        if any_family_will_do(service):
            continue
        families = service.list("spec", "ipFamilies")
        if "IPv4" in families:
            foreign = _for_another_cloud(service)
            yield Problem(
                service,
                f"{service} asks for ipFamilies {families}, and an IPv6 cluster has only IPv6 to give."
                f"{f' It carries {foreign}, which is for other load balancers.' if foreign else ''}",
                at=("spec", "ipFamilies", families.index("IPv4")),
                evidence={"ipFamilies": families},
                severity=Severity.INFO if foreign else Severity.BLOCKER,
                confidence=Confidence.LOW if foreign else Confidence.HIGH,
            )
    for each in operator_objects:
        paths = _asking(each, lambda template: "IPv4" in sequence(template.get("ipFamilies")))
        if paths:
            yield Problem(
                each,
                f"{each} has its operator make Services with ipFamilies {each.get(*paths[0], 'ipFamilies')}, and an "
                f"IPv6 cluster has only IPv6 to give.",
                at=(*paths[0], "ipFamilies"),
                evidence={"ipFamilies": each.get(*paths[0], "ipFamilies")},
                also=tuple((each, (*path, "ipFamilies")) for path in paths[1:]),
            )


def _asking(operated: Resource, asks: Callable[[Mapping[str, Any]], bool]) -> list[Path]:
    """The paths to those templates of Services, anywhere in what an operator is told, that ask for something."""
    inside = walk(operated.get("spec"), ("spec",))
    return [path for path, item in inside if isinstance(item, dict) and asks(item)]


def _for_another_cloud(service: Resource) -> str | None:
    """What in a file says that its load balancer is another provider's, and so that EKS never sees it."""
    wanted = service.origin.source == "manifests" and service.get("spec", "type") == "LoadBalancer"
    return for_another_cloud(service) if wanted else None


def any_family_will_do(service: Resource) -> bool:
    """Whether no family is refused: without cluster IP and selector, without a Service proper, or for the API's own."""
    headless = service.get("spec", "clusterIP") == "None" and not service.get("spec", "selector")
    return headless or service.get("spec", "type") == "ExternalName" or made_by_eks(service)


def made_by_eks(service: Resource) -> bool:
    """Whether this is a Service of the control plane, which every cluster makes anew for its own family."""
    return (service.namespace, service.name) in CONTROL_PLANE


@rule
def service_requires_dual_stack(
    services: Sequence[Resource], operator_objects: Sequence[Resource] = ()
) -> Iterator[Problem]:
    """Refused: EKS has no dual-stack Services, whatever the cluster's family."""
    for service in services:
        if service.get("spec", "ipFamilyPolicy") == "RequireDualStack" and not any_family_will_do(service):
            yield Problem(
                service,
                f"{service} has ipFamilyPolicy RequireDualStack, and an EKS cluster has a single family.",
                at=("spec", "ipFamilyPolicy"),
                evidence={"ipFamilyPolicy": "RequireDualStack"},
            )
    for each in operator_objects:
        paths = _asking(each, lambda template: template.get("ipFamilyPolicy") == "RequireDualStack")
        if paths:
            yield Problem(
                each,
                f"{each} has its operator make Services with ipFamilyPolicy RequireDualStack, and an EKS cluster has a "
                f"single family.",
                at=(*paths[0], "ipFamilyPolicy"),
                evidence={"ipFamilyPolicy": "RequireDualStack"},
                also=tuple((each, (*path, "ipFamilyPolicy")) for path in paths[1:]),
            )


@rule
def service_has_ipv4_cluster_ip(services: Sequence[Resource]) -> Iterator[Problem]:
    """Refused: the address lies outside the new cluster's service range."""
    for service in services:
        for path, value in cluster_ips(service):
            if is_ipv4(value):
                yield Problem(
                    service,
                    f"{service} carries the cluster IP {value}, which no IPv6 cluster can assign.",
                    at=path,
                    evidence={"clusterIP": value},
                )
                break


def cluster_ips(service: Resource) -> Iterator[tuple[tuple[str | int, ...], object]]:
    """Each cluster IP that a Service names, with its path."""
    if service.get("spec", "type") == "ExternalName" or made_by_eks(service):
        return
    yield ("spec", "clusterIP"), service.get("spec", "clusterIP")
    for index, value in enumerate(service.list("spec", "clusterIPs")):
        yield ("spec", "clusterIPs", index), value


def is_ipv4(value: object) -> bool:
    """Whether a value is a plain IPv4 address."""
    try:
        return isinstance(value, str) and bool(IPv4Address(value))
    except ValueError:
        return False
