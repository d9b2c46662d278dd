"""Services: what an API server with one IP family refuses."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING

from eks6check.catalog import rule
from eks6check.facts.addresses import ipv4
from eks6check.facts.embedded import walk
from eks6check.facts.kube import sequence
from eks6check.facts.services import any_family_will_do, cluster_ips
from eks6check.findings import Confidence, Problem, Severity
from eks6check.knowledge.load_balancer_controller import for_another_cloud

if TYPE_CHECKING:
    from eks6check.facts.kube import Resource


@rule
def service_pins_ipv4_family(
    services: Sequence[Resource], operator_objects: Sequence[Resource] = ()
) -> Iterator[Problem]:
    """Refused: an IPv6 cluster has no IPv4 service range to take an address from."""
    for service in services:
        families = service.list("spec", "ipFamilies")
        if "IPv4" in families and not any_family_will_do(service):
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
        why = "an IPv6 cluster has only IPv6 to give"
        yield from _made_by_operator(each, "ipFamilies", lambda families: "IPv4" in sequence(families), why)


def _made_by_operator(operated: Resource, field: str, refused: Callable[[object], bool], why: str) -> Iterator[Problem]:
    """Templates of Services, anywhere in what an operator is told, with a value of a field that is refused."""
    inside = walk(operated.get("spec"), ("spec",))
    paths = [(*path, field) for path, item in inside if isinstance(item, dict) and refused(item.get(field))]
    if paths:
        value = operated.get(*paths[0])
        yield Problem(
            operated,
            f"{operated} has its operator make Services with {field} {value}, and {why}.",
            at=paths[0],
            evidence={field: value},
            also=tuple((operated, path) for path in paths[1:]),
        )


def _for_another_cloud(service: Resource) -> str | None:
    """What in a file says that its load balancer is another provider's, and so that EKS never sees it."""
    wanted = service.origin.source == "manifests" and service.get("spec", "type") == "LoadBalancer"
    return for_another_cloud(service) if wanted else None


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
        why = "an EKS cluster has a single family"
        yield from _made_by_operator(each, "ipFamilyPolicy", lambda policy: policy == "RequireDualStack", why)


@rule
def service_has_ipv4_cluster_ip(services: Sequence[Resource]) -> Iterator[Problem]:
    """Refused: the address lies outside the new cluster's service range."""
    for service in services:
        for path, value in cluster_ips(service):
            if ipv4(value):
                yield Problem(
                    service,
                    f"{service} carries the cluster IP {value}, which no IPv6 cluster can assign.",
                    at=path,
                    evidence={"clusterIP": value},
                )
                break
