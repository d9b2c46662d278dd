"""EKS Pod Identity: which workloads take their credentials from it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING

from eks6check.facts.kube import Resource, containers, on_host_network, pod_spec, text
from eks6check.facts.versions import repository

if TYPE_CHECKING:
    from eks6check.facts.aws import PodIdentityAssociation

AGENT = "eks-pod-identity-agent"
"""The agent's image."""

AGENT_IPV4 = IPv4Address("169.254.170.23")
AGENT_IPV6 = IPv6Address("fd00:ec2::23")
AGENT_PORT = 80
"""Where the agent answers, the latter to the pods of an IPv6 cluster: EKS user guide, read 2026-11-22."""

INJECTED = "AWS_CONTAINER_CREDENTIALS_FULL_URI"
"""The variable by which the webhook of EKS tells a pod where its credentials are."""

IRSA = "eks.amazonaws.com/role-arn"
"""The annotation of a service account with a role by OIDC, which SDKs prefer to Pod Identity."""

Identity = tuple[str, str]
"""A service account as namespace and name."""


def identities(
    associations: Sequence[PodIdentityAssociation], objects: Sequence[Resource], pods: Sequence[Resource]
) -> frozenset[Identity]:
    """The service accounts that Pod Identity serves: by associations, by ACK's objects for them, by what pods hold.

    ``pods`` may be workloads as well: somebody may have copied there what the webhook tells pods.
    """
    found = {(each.namespace, each.service_account) for each in associations}
    found |= {(text(each.get("spec", "namespace")), text(each.get("spec", "serviceAccount"))) for each in objects}
    return frozenset(found | {identity(each) for each in pods if _is_told(each)})


def identity(workload: Resource) -> Identity:
    """The service account of a workload's pods."""
    _, spec = pod_spec(workload)
    name = text(spec.get("serviceAccountName")) or text(spec.get("serviceAccount"))
    return workload.namespace, name or "default"


def _is_told(pod: Resource) -> bool:
    return any(
        name == INJECTED and (str(AGENT_IPV4) in value or str(AGENT_IPV6) in value)
        for container in containers(pod)
        for _, name, value in container.env()
    )


def clients(
    workloads: Sequence[Resource], known: frozenset[Identity], service_accounts: Sequence[Resource]
) -> Iterator[Resource]:
    """The workloads that Pod Identity serves, but for those on the node's own network and those with a role by OIDC."""
    if not known:
        return
    by_oidc = {(each.namespace, each.name) for each in service_accounts if each.annotations.get(IRSA)}
    for workload in workloads:
        if pod_spec(workload)[1] and not on_host_network(workload) and identity(workload) in known - by_oidc:
            yield workload


def presumed(workloads: Sequence[Resource]) -> frozenset[Identity]:
    """The service accounts that may be served, where the agent is deployed and nothing tells whom it serves."""
    if not any(repository(container.image) == AGENT for each in workloads for container in containers(each)):
        return frozenset()
    return frozenset(found for found in map(identity, workloads) if found[1] != "default")
