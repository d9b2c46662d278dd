"""The control plane: family and version of the cluster."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from eks6check.catalog import rule
from eks6check.findings import Problem

if TYPE_CHECKING:
    from eks6check.facts.aws import Cluster

FIRST_WITH_IPV6 = (1, 21)
"""The first Kubernetes version with an IPv6 family: EKS API, KubernetesNetworkConfigRequest, read 2026-11-22."""


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
