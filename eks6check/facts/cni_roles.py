"""Views on the rights of the VPC CNI: the roles that it gets them from, and the actions that it takes in IPv6."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from eks6check.facts.kube import Resource, text
from eks6check.facts.machines import AUTO_MODE_TAG
from eks6check.facts.versions import Version

if TYPE_CHECKING:
    from eks6check.facts.aws import Addon, Instance, NodeGroup, PodIdentityAssociation

SERVICE_ACCOUNT = ("kube-system", "aws-node")
ROLE_ANNOTATION = "eks.amazonaws.com/role-arn"

ASSIGN = "ec2:AssignIpv6Addresses"
LIST_INTERFACES = "ec2:DescribeNetworkInterfaces"
SUBNETS = "ec2:DescribeSubnets"
GROUPS = "ec2:DescribeSecurityGroups"

ON_INTERFACES = (ASSIGN, "ec2:CreateTags")
"""Actions that a policy may limit to network interfaces; for the others EC2 knows no resource but ``*``."""

ACTIONS = (
    ASSIGN,
    "ec2:CreateTags",
    "ec2:DescribeInstanceTypes",
    "ec2:DescribeInstances",
    LIST_INTERFACES,
    GROUPS,
    SUBNETS,
    "ec2:DescribeTags",
)
"""What the CNI's policy for IPv6 allows: docs/iam-policy.md of amazon-vpc-cni-k8s 1.23.1, read 2026-11-22."""

ESSENTIAL = (ASSIGN, LIST_INTERFACES)
"""Actions whose refusal keeps every node from getting ready, in every version."""

SUBNETS_SINCE = (1, 22, 0)
"""From here on the CNI lists subnets as it starts, where subnet discovery is on: pkg/ipamd of 1.22.0."""

GROUPS_UNTIL = (1, 22, 2)
"""Here the CNI stopped to list security groups as it starts, which it did from ``SUBNETS_SINCE`` on: its changelog."""


class Way(NamedTuple):
    """How the CNI comes by a role: in words such as ``from node group workers``, and whether it is the nodes' own."""

    words: str
    nodes: bool = False


def service_account_roles(
    addons: Iterable[Addon],
    pod_identity_associations: Iterable[PodIdentityAssociation],
    service_accounts: Iterable[Resource],
) -> dict[str, Way]:
    """The roles that aws-node's service account is given, by ARN; the nodes' own count where there are none.

    A Pod Identity association wins over the annotation: the webhook that injects credentials looks for it first. One
    whose role is not known stands there as the empty ARN.
    """
    associated = {
        each.role_arn: Way("by its Pod Identity association")
        for each in pod_identity_associations
        if (each.namespace, each.service_account) == SERVICE_ACCOUNT
    }
    if associated:
        return associated
    given = {each.service_account_role_arn or "": Way("by its add-on") for each in addons if each.id == "vpc-cni"}
    annotated = {
        text(each.annotations.get(ROLE_ANNOTATION)): Way("by its service account's annotation")
        for each in service_accounts
        if (each.namespace, each.name) == SERVICE_ACCOUNT
    }
    return {arn: way for arn, way in {**annotated, **given}.items() if arn}


def node_roles(node_groups: Iterable[NodeGroup]) -> dict[str, Way]:
    """The roles of managed nodes, by ARN."""
    groups: dict[str, list[str]] = {}
    for group in sorted(node_groups, key=lambda each: each.id):
        if group.node_role:
            groups.setdefault(group.node_role, []).append(group.id)
    plural = {arn: "group" if len(names) == 1 else "groups" for arn, names in groups.items()}
    return {arn: Way(f"from node {plural[arn]} {', '.join(names)}", nodes=True) for arn, names in groups.items()}


def instance_profiles(instances: Iterable[Instance]) -> Iterator[str]:
    """The ARNs of instance profiles of nodes that no managed group and no Auto Mode has launched."""
    managed = {"eks:nodegroup-name", AUTO_MODE_TAG}
    yield from sorted({each.instance_profile_arn or "" for each in instances if not managed & each.tags.keys()} - {""})


def fatal(version: Version | None, *, discovery: bool) -> frozenset[str]:
    """The actions whose refusal keeps every node from getting ready; ``discovery`` is whether it may list subnets.

    A version that is not known counts as one that lists none.
    """
    lists_subnets = discovery and version is not None and version >= SUBNETS_SINCE
    lists_groups = lists_subnets and version is not None and version < GROUPS_UNTIL
    return frozenset({*ESSENTIAL, *([SUBNETS] if lists_subnets else ()), *([GROUPS] if lists_groups else ())})


def never_called(version: Version | None, *, discovery: bool) -> frozenset[str]:
    """The actions of the policy that this CNI has no use for, nor will a newer one."""
    groups = not discovery or (version is not None and version >= GROUPS_UNTIL)
    return frozenset({*([GROUPS] if groups else ()), *(() if discovery else [SUBNETS])})
