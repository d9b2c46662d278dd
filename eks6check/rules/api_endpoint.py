"""The cluster's API endpoint: whether clients reach it over IPv6, and whether its allow list lets them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from eks6check.catalog import rule
from eks6check.facts.routes import IPV4_DEFAULT
from eks6check.findings import Confidence, Problem, Severity

if TYPE_CHECKING:
    from eks6check.facts.aws import Cluster

IPV4_ONLY = (".eks.amazonaws.com", ".eks.amazonaws.com.cn")
"""How the host of an IPv4-only endpoint ends. A dual-stack one ends in ``api.aws``: network-reqs, read 2026-11-25."""

FIRST_DUAL_STACK = "2024-10-21"
"""The day from which new IPv6 clusters have a dual-stack endpoint: EKS document history, read 2026-11-22."""


@rule
def api_endpoint_ipv4_only(clusters: Sequence[Cluster]) -> Iterator[Problem]:
    """An IPv6 cluster from before dual-stack endpoints. That of an IPv4 cluster is left behind with the cluster."""
    for cluster in clusters:
        if cluster.ip_family == "ipv6" and (proof := _only_ipv4(cluster)):
            yield Problem(
                cluster,
                f"The API endpoint of cluster {cluster} has no IPv6 address: {proof}.",
                evidence={
                    "cluster": cluster.id,
                    "region": cluster.region,
                    "endpoint": cluster.endpoint,
                    "created_at": cluster.created_at,
                    "first_dual_stack": FIRST_DUAL_STACK,
                },
                confidence=Confidence.HIGH if cluster.endpoint else Confidence.MEDIUM,
            )


def _only_ipv4(cluster: Cluster) -> str:
    """What shows that a cluster's endpoint is IPv4 only; empty where it is not, or nobody can tell."""
    name = host(cluster.endpoint)
    if name:
        return f"its host is {name}" if name.endswith(IPV4_ONLY) else ""
    old = cluster.created_at and cluster.created_at[:10] < FIRST_DUAL_STACK
    return f"the cluster was made on {cluster.created_at[:10]}, before {FIRST_DUAL_STACK}" if old else ""


def host(url: str) -> str:
    """The host of a URL in lower case; empty where there is none."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


@rule
def api_allow_list_ipv4_only(clusters: Sequence[Cluster]) -> Iterator[Problem]:
    """What an IPv4 cluster cannot list yet is a note. One open to everyone gets ``::/0`` anew in an IPv6 cluster."""
    for cluster in clusters:
        listed = sorted(cluster.public_access_cidrs)
        if not cluster.endpoint_public_access or not listed or any(":" in each for each in listed):
            continue
        evidence = {"cluster": cluster.id, "region": cluster.region, "publicAccessCidrs": listed}
        if cluster.ip_family == "ipv6" and not _only_ipv4(cluster):
            yield Problem(
                cluster,
                f"The public API endpoint of cluster {cluster} admits {', '.join(listed)} and no IPv6 address."
                f"{_nodes_too(cluster)}",
                evidence={**evidence, "endpointPrivateAccess": cluster.endpoint_private_access},
                remedy="listed" if cluster.endpoint_private_access else "nodes",
            )
        elif cluster.ip_family == "ipv4" and IPV4_DEFAULT not in listed:
            yield Problem(
                cluster,
                f"The public API endpoint of cluster {cluster} admits {', '.join(listed)} only. EKS takes no IPv6 "
                "range there in an IPv4 cluster; the list of the new one needs those of the same clients.",
                evidence=evidence,
                remedy="move",
                severity=Severity.INFO,
            )


def _nodes_too(cluster: Cluster) -> str:
    """What follows from private access being off: nodes come in over the internet, in IPv6 without any NAT."""
    if cluster.endpoint_private_access:
        return ""
    return " Private access is off, so nodes and Fargate pods come to it with IPv6 addresses of their own."
