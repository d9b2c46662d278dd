"""Views on EndpointSlices and Endpoints: whose they are, which Service they stand behind, and their addresses."""

from __future__ import annotations

from collections.abc import Iterator

from eks6check.facts import Path
from eks6check.facts.cidrs import is_ipv4
from eks6check.facts.kube import Resource, mapping, sequence, text

MANAGED_BY = "endpointslice.kubernetes.io/managed-by"
SERVICE_NAME = "kubernetes.io/service-name"
CONTROLLERS = ("endpointslice-controller.k8s.io", "endpointslicemirroring-controller.k8s.io")
"""Who makes slices anew, for the family of whatever cluster it runs in. Kubernetes documentation, read 2026-11-25."""


def made_by_control_plane(endpoints: Resource) -> bool:
    """Whether Kubernetes itself made this: a slice says so, and Endpoints that lead to Pods are filled in by it."""
    if endpoints.kind == "EndpointSlice":
        return endpoints.labels.get(MANAGED_BY) in CONTROLLERS
    filled = (mapping(entry).get("targetRef") for _, entry in _entries(endpoints))
    return endpoints.kind == "Endpoints" and any(mapping(reference).get("kind") == "Pod" for reference in filled)


def service_of(endpoints: Resource) -> tuple[str, str]:
    """Namespace and name of the Service: an Endpoints object bears its name, an EndpointSlice a label."""
    if endpoints.kind == "Endpoints":
        return endpoints.namespace, endpoints.name
    return endpoints.namespace, text(endpoints.labels.get(SERVICE_NAME))


def addresses(endpoints: Resource) -> Iterator[tuple[Path, str]]:
    """Every address with its path."""
    for path, entry in _entries(endpoints):
        yield (*path, "ip"), text(mapping(entry).get("ip"))
    for index, endpoint in enumerate(endpoints.list("endpoints")):
        for position, address in enumerate(sequence(mapping(endpoint).get("addresses"))):
            yield ("endpoints", index, "addresses", position), text(address)


def _entries(endpoints: Resource) -> Iterator[tuple[Path, object]]:
    for index, subset in enumerate(endpoints.list("subsets")):
        for field in ("addresses", "notReadyAddresses"):
            for position, entry in enumerate(sequence(mapping(subset).get(field))):
                yield ("subsets", index, field, position), entry


def ipv4_places(endpoints: Resource) -> list[tuple[Path, str]]:
    """The IPv4 addresses with their paths. Names of hosts, which a slice may hold as well, are none."""
    if endpoints.get("addressType") not in (None, "IPv4"):
        return []
    return [(path, address) for path, address in addresses(endpoints) if is_ipv4(address)]


def has_ipv6(endpoints: Resource) -> bool:
    """Whether one of the addresses is IPv6."""
    return any(":" in address for _, address in addresses(endpoints))
