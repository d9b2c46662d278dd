"""What IAM lets the CNI's roles do: by simulation, or out of their policies where nobody may simulate."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from typing import Any

from eks6check.facts import Gap, Section
from eks6check.facts.aws import Addon, Cluster, Instance, NodeGroup, PodIdentityAssociation, RolePermissions
from eks6check.facts.cni_roles import ACTIONS, ON_INTERFACES, instance_profiles, node_roles, service_account_roles
from eks6check.facts.kube import Resource, mapping, text
from eks6check.sources import Unreadable, collector
from eks6check.sources.aws.api import RETRY, Source, each, gathered
from eks6check.sources.aws.bodies import Body, bodies, live
from eks6check.sources.aws.policies import Decision, decide

SIMULATE = "iam:SimulatePrincipalPolicy"

Decisions = Mapping[str, Decision]
"""What becomes of each action."""


@collector(
    "iam:GetInstanceProfile",
    SIMULATE,
    "iam:GetRole",
    "iam:ListAttachedRolePolicies",
    "iam:ListRolePolicies",
    "iam:GetPolicy",
    "iam:GetPolicyVersion",
    "iam:GetRolePolicy",
)
def role_permissions(  # noqa: PLR0913, PLR0917  these are all the places that can name the CNI's role
    source: Source,
    clusters: Section[Cluster],
    addons: Section[Addon],
    pod_identity_associations: Section[PodIdentityAssociation],
    service_accounts: Section[Resource],
    node_groups: Section[NodeGroup],
    instances: Section[Instance],
) -> Iterator[RolePermissions | Gap]:
    """Every role that the CNI may work under: those given to its service account, and those of the nodes."""
    given = service_account_roles(addons.items, pod_identity_associations.items, service_accounts.items)
    profiles = each(partial(role_of_profile, source), instance_profiles(instances.items))
    behind, gaps = gathered(profiles)
    yield from gaps
    account = next((cluster.account for cluster in clusters.items), "")
    roles = {*given, *node_roles(node_groups.items), *behind} - {""}
    yield from each(partial(permissions, source, account), sorted(roles))


def role_of_profile(source: Source, arn: str) -> str:
    """The ARN of an instance profile's role; empty where it has none.

    Raises:
        Unreadable: the profile could not be read.
    """
    name = arn.rpartition("/")[2]
    profile = mapping(source.account.call("iam:GetInstanceProfile", "InstanceProfile", InstanceProfileName=name))
    return next((text(role.get("Arn")) for role in bodies(profile.get("Roles"))), "")


def permissions(source: Source, account: str, arn: str) -> RolePermissions:
    """Which of the CNI's actions a role may take.

    What the simulation cannot say for lack of a condition's values, the policies may.

    Raises:
        Unreadable: neither the simulation nor the policies could be read.
    """
    if account and arn.split(":")[4:5] != [account]:
        reason = f"The role {arn} belongs to another account than the cluster, so what it may do is not known."
        raise Unreadable(Gap(SIMULATE, reason, "See by hand whether it has the CNI's IPv6 policy."))
    interface = f"arn:{arn.split(':')[1]}:ec2:{source.account.region}:{account}:network-interface/eni-0"
    resources = {action: interface if action in ON_INTERFACES else "*" for action in ACTIONS}
    try:
        decisions = simulated(source, arn, resources)
    except Unreadable as first:
        try:
            return role_of(arn, by_policies(source, arn, resources), "policies")
        except Unreadable as second:
            reason = f"{first.gap.reason} Nor can the policies of {arn} be read: {second.gap.reason}"
            raise Unreadable(Gap(SIMULATE, reason, first.gap.remedy)) from second
    if Decision.UNKNOWN in decisions.values():
        decisions = settled(source, arn, resources, decisions)
    return role_of(arn, decisions, "simulation")


def role_of(arn: str, decisions: Decisions, evaluated_by: str) -> RolePermissions:
    """The record of a role out of what becomes of each action."""
    sorts = {kind: tuple(action for action in ACTIONS if decisions.get(action) is kind) for kind in Decision}
    return RolePermissions(
        id=arn,
        origin=live(arn),
        allowed=sorts[Decision.ALLOWED],
        denied=sorts[Decision.DENIED],
        unknown=sorts[Decision.UNKNOWN],
        evaluated_by=evaluated_by,
    )


def simulated(source: Source, arn: str, resources: Mapping[str, str]) -> Decisions:
    """What IAM's own simulation says, service control policies included; one call for each resource.

    Raises:
        Unreadable: it said nothing, or not on every action.
    """
    found: dict[str, Decision] = {}
    for resource in sorted({*resources.values()}):
        actions = [action for action, each_resource in resources.items() if each_resource == resource]
        results = source.account.pages(
            SIMULATE, "EvaluationResults", PolicySourceArn=arn, ActionNames=actions, ResourceArns=[resource]
        )
        found |= {text(body.get("EvalActionName")): decision(body) for body in map(mapping, results)}
    if lacking := resources.keys() - found.keys():
        reason = f"The simulation of {arn} says nothing of {', '.join(sorted(lacking))}."
        raise Unreadable(Gap(SIMULATE, reason, RETRY))
    return found


def decision(body: Body) -> Decision:
    """The decision of an ``EvaluationResult``; a refusal that missing values of a condition may cause is no answer."""
    said = body.get("EvalDecision")
    if said == "allowed":
        return Decision.ALLOWED
    refused = said in ("explicitDeny", "implicitDeny") and not body.get("MissingContextValues")
    return Decision.DENIED if refused else Decision.UNKNOWN


def settled(source: Source, arn: str, resources: Mapping[str, str], decisions: Decisions) -> Decisions:
    """The decisions, with what is unknown decided by the policies where they can be read."""
    try:
        others = by_policies(source, arn, resources)
    except Unreadable:
        return decisions
    return {action: others[action] if known is Decision.UNKNOWN else known for action, known in decisions.items()}


def by_policies(source: Source, arn: str, resources: Mapping[str, str]) -> Decisions:
    """What the role's own policies and its permissions boundary say.

    Raises:
        Unreadable: one of them could not be read.
    """
    name = arn.rpartition("/")[2]
    role = mapping(source.account.call("iam:GetRole", "Role", RoleName=name))
    limit = text(mapping(role.get("PermissionsBoundary")).get("PermissionsBoundaryArn"))
    attached = source.account.pages("iam:ListAttachedRolePolicies", "AttachedPolicies", RoleName=name)
    managed = [text(mapping(body).get("PolicyArn")) for body in attached]
    inline = source.account.pages("iam:ListRolePolicies", "PolicyNames", RoleName=name)
    documents = [*whole(each(partial(managed_policy, source), managed))]
    documents += whole(each(partial(inline_policy, source, name), map(str, inline)))
    boundary = managed_policy(source, limit) if limit else None
    return {action: decide(action, resource, documents, boundary) for action, resource in resources.items()}


def whole(found: Iterable[Any]) -> Iterator[Any]:
    """What was found; the first gap ends it, since one policy unread may allow or deny anything.

    Raises:
        Unreadable: there is a gap.
    """
    for each_found in found:
        if isinstance(each_found, Gap):
            raise Unreadable(each_found)
        yield each_found


def managed_policy(source: Source, arn: str) -> object:
    """The document of a managed policy, in the version that is in force.

    Raises:
        Unreadable: there was none.
    """
    policy = mapping(source.account.call("iam:GetPolicy", "Policy", PolicyArn=arn))
    version = text(policy.get("DefaultVersionId"))
    body = source.account.call("iam:GetPolicyVersion", "PolicyVersion", PolicyArn=arn, VersionId=version)
    return mapping(body).get("Document")


def inline_policy(source: Source, role: str, name: str) -> object:
    """The document of a policy that is written into the role itself.

    Raises:
        Unreadable: there was none.
    """
    return source.account.call("iam:GetRolePolicy", "PolicyDocument", RoleName=role, PolicyName=name)
