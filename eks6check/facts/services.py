"""Services: whose they are, and the cluster IPs that they name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from eks6check.facts.kube import text

if TYPE_CHECKING:
    from eks6check.facts import Path
    from eks6check.facts.kube import Resource

CONTROL_PLANE = (("default", "kubernetes"), ("kube-system", "eks-extension-metrics-api"))
"""Services by namespace and name that EKS itself makes, with their endpoints and without a selector, 2026-11-25."""


def made_by_eks(service: Resource) -> bool:
    """Whether this is a Service of the control plane, which every cluster makes anew for its own family."""
    return (service.namespace, service.name) in CONTROL_PLANE


def any_family_will_do(service: Resource) -> bool:
    """Whether no family is refused: without cluster IP and selector, without a Service proper, or for the API's own."""
    headless = service.get("spec", "clusterIP") == "None" and not service.get("spec", "selector")
    return headless or service.get("spec", "type") == "ExternalName" or made_by_eks(service)


def addresses_of(services: Iterable[Resource]) -> set[str]:
    """The cluster IPs that Services have, as they are written."""
    return {text(service.get("spec", "clusterIP")) for service in services}


def cluster_ips(service: Resource) -> Iterator[tuple[Path, object]]:
    """Each cluster IP that a Service names, with its path."""
    if service.get("spec", "type") == "ExternalName" or made_by_eks(service):
        return
    yield ("spec", "clusterIP"), service.get("spec", "clusterIP")
    for index, value in enumerate(service.list("spec", "clusterIPs")):
        yield ("spec", "clusterIPs", index), value
