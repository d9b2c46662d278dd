"""The VPC CNI's rights: whether the role that it works under lets it take IPv6 prefixes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from eks6check.catalog import rule
from eks6check.facts.cni_roles import (
    GROUPS,
    SERVICE_ACCOUNT,
    Way,
    fatal,
    never_called,
    node_roles,
    service_account_roles,
)
from eks6check.facts.kube import Resource
from eks6check.facts.phrases import phrase
from eks6check.facts.versions import version
from eks6check.facts.vpc_cni import configured
from eks6check.findings import Confidence, Problem, Severity

if TYPE_CHECKING:
    from eks6check.facts.aws import Addon, Cluster, NodeGroup, PodIdentityAssociation, RolePermissions

PROFILE = Way("from an instance profile", nodes=True)

UNREAD = "The service account kube-system/aws-node was not read; a role that its annotation names would count instead."


@rule
def cni_role_lacks_ipv6_permissions(  # noqa: PLR0913, PLR0917  all these can name the role or say what it needs
    role_permissions: Sequence[RolePermissions],
    addons: Sequence[Addon] = (),
    pod_identity_associations: Sequence[PodIdentityAssociation] = (),
    service_accounts: Sequence[Resource] = (),
    node_groups: Sequence[NodeGroup] = (),
    workloads: Sequence[Resource] = (),
    clusters: Sequence[Cluster] = (),
) -> Iterator[Problem]:
    """Only the roles in force count: those of the service account where it has any, else those of the nodes.

    Where the service account was not read, it may have a role of its own after all: no more than a warning.
    """
    given = service_account_roles(addons, pod_identity_associations, service_accounts)
    seen = any((each.namespace, each.name) == SERVICE_ACCOUNT for each in service_accounts)
    ways = given or {role.id: PROFILE for role in role_permissions} | node_roles(node_groups)
    if all(cluster.auto_mode for cluster in clusters) and clusters and not configured(workloads, addons):
        return  # Auto Mode runs the CNI itself, with rights of its own
    ipv4 = any(cluster.ip_family == "ipv4" for cluster in clusters)
    needs = _needs(workloads, addons)
    for role in role_permissions:
        if role.id in ways:
            yield from _judged(role, ways[role.id], needs, ipv4=ipv4, sure=bool(given) or seen)


class Needs(NamedTuple):
    """What the CNI in view asks of its role: its version, or "", and the actions that it needs, or never calls."""

    version: str
    fatal: frozenset[str]
    never: frozenset[str]


def _needs(workloads: Sequence[Resource], addons: Sequence[Addon]) -> Needs:
    cnis = configured([each for each in workloads if each.origin.source != "manifests"], addons)
    tag = next((each.version for each in cnis if version(each.version)), "")
    discovery = not any(each.off("ENABLE_SUBNET_DISCOVERY") for each in cnis)
    numbers = version(tag)
    return Needs(tag, fatal(numbers, discovery=discovery), never_called(numbers, discovery=discovery))


def _judged(role: RolePermissions, way: Way, needs: Needs, *, ipv4: bool, sure: bool) -> Iterator[Problem]:
    denied = [action for action in role.denied if action not in needs.never]
    unknown = [action for action in role.unknown if action not in needs.never]
    lacking = [action for action in denied if action in needs.fatal]
    rest = [action for action in denied if action not in needs.fatal]
    if not denied and not unknown:
        return
    name, arn = role.id.rpartition("/")[2], [*role.id.split(":"), *[""] * 5]
    parts = [
        f"lacks {phrase(lacking)}, without which no node of an IPv6 cluster gets ready" if lacking else "",
        f"lacks {phrase(rest)} of the CNI's IPv6 policy" if rest else "",
        f"may or may not have {phrase(unknown)}, as conditions or variables decide" if unknown else "",
    ]
    today = " This can be mended before the move: the policy does not disturb an IPv4 cluster." if ipv4 else ""
    unread = "" if sure else f" {UNREAD}"
    little = not lacking and not unknown and rest == [GROUPS]
    yield Problem(
        role,
        f"Role {name}, which the CNI gets {way.words}, {'; it '.join(filter(None, parts))}.{unread}{today}",
        evidence={
            "role": name,
            "role_arn": role.id,
            "way": way.words,
            "partition": arn[1],
            "account": arn[4],
            "denied": denied,
            "unknown": unknown,
            "evaluated_by": role.evaluated_by,
            "cni_version": needs.version,
        },
        severity=Severity.BLOCKER if lacking and sure else Severity.INFO if little else Severity.WARNING,
        confidence=Confidence.HIGH if sure else Confidence.MEDIUM,
        remedy="" if denied else "unknown",
    )
