"""The control plane: family and version of the cluster, and where no IPv6 cluster can be."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from eks6check.catalog import rule
from eks6check.facts import Fact, Path
from eks6check.facts.machines import COMPUTE_TYPE
from eks6check.findings import Problem

if TYPE_CHECKING:
    from eks6check.facts.aws import Cluster
    from eks6check.facts.kube import Resource

FIRST_WITH_IPV6 = (1, 21)
"""The first Kubernetes version with an IPv6 family: EKS API, KubernetesNetworkConfigRequest, read 2026-11-22."""

DEFAULT_AUTHENTICATION_MODE = "CONFIG_MAP"
"""What a cluster has where nobody chose: EKS API, CreateAccessConfigRequest (botocore 1.43.67), read 2026-11-25."""

CHINA = "cn-"
"""How the names of the regions begin where EKS refuses the family: KubernetesNetworkConfigRequest, read 2026-11-25."""


@rule
def cluster_family_is_ipv4(clusters: Sequence[Cluster]) -> Iterator[Problem]:
    """A reminder, not a fault: no setting turns this cluster into an IPv6 one."""
    for cluster in clusters:
        if cluster.ip_family == "ipv4":
            yield Problem(
                cluster,
                f"Cluster {cluster} has the family ipv4 for life: the move is to a new cluster.",
                evidence={
                    "cluster": cluster.id,
                    "region": cluster.region,
                    "version": cluster.version,
                    "ip_family": cluster.ip_family,
                    "subnets": ",".join(sorted(cluster.subnet_ids)),
                    "authentication_mode": cluster.authentication_mode or DEFAULT_AUTHENTICATION_MODE,
                },
            )


@rule
def kubernetes_version_below_ipv6(clusters: Sequence[Cluster]) -> Iterator[Problem]:
    """EKS refuses the family on a version that does not know it."""
    for cluster in clusters:
        found = re.match(r"(\d+)\.(\d+)", cluster.version)
        if found and (int(found[1]), int(found[2])) < FIRST_WITH_IPV6:
            yield Problem(
                cluster,
                f"Cluster {cluster} runs Kubernetes {cluster.version}, and the IPv6 family needs 1.21 or later.",
                evidence={"cluster": cluster.id, "region": cluster.region, "version": cluster.version},
            )


@rule
def region_without_ipv6_clusters(clusters: Sequence[Cluster]) -> Iterator[Problem]:
    """EKS refuses the family in every region of the China partition."""
    for cluster in clusters:
        if cluster.region.startswith(CHINA):
            yield Problem(
                cluster,
                f"Cluster {cluster} is in {cluster.region}, and EKS makes no IPv6 cluster in a China region.",
                evidence={"cluster": cluster.id, "region": cluster.region},
            )


@rule
def outposts_cluster(clusters: Sequence[Cluster]) -> Iterator[Problem]:
    """A local cluster, whose control plane is on the Outpost. Subnets there are the business of another rule."""
    for cluster in clusters:
        if cluster.outpost_arns:
            outposts = sorted(cluster.outpost_arns)
            yield Problem(
                cluster,
                f"Cluster {cluster} stands on {', '.join(outposts)}, and clusters on Outposts have no IPv6 family.",
                evidence={"cluster": cluster.id, "region": cluster.region, "outposts": outposts},
            )


@rule
def hybrid_nodes(clusters: Sequence[Cluster] = (), nodes: Sequence[Resource] = ()) -> Iterator[Problem]:
    """One finding for all: at the cluster that has networks for hybrid nodes, else at the first node that is one."""
    prepared = [cluster for cluster in clusters if cluster.remote_networks]
    running = sorted((node for node in nodes if is_hybrid(node)), key=lambda node: node.subject.id)
    ranges = sorted({each for cluster in prepared for each in cluster.remote_networks})
    if prepared:
        nodes_of_it = f", and {len(running)} of them in view" if running else ""
        said = f"Cluster {prepared[0]} has remote networks for hybrid nodes ({', '.join(ranges)}){nodes_of_it}"
    elif running:
        others = f", and so are {len(running) - 1} more" if running[1:] else ""
        said = f"{running[0]} is a hybrid node{others}"
    else:
        return
    at = ("metadata", "labels", COMPUTE_TYPE)
    places: list[tuple[Fact, Path]] = [*((cluster, ()) for cluster in prepared), *((node, at) for node in running)]
    (first, path), *rest = places
    yield Problem(
        first,
        f"{said}; hybrid nodes work in IPv4 clusters only.",
        at=path,
        evidence={"remote_networks": ranges, "nodes": [node.name for node in running]},
        also=tuple(rest),
    )


def is_hybrid(node: Resource) -> bool:
    """Whether a node is a hybrid one, outside AWS."""
    return node.labels.get(COMPUTE_TYPE) == "hybrid"
