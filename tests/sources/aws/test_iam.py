"""The CNI's roles over real HTTP: simulated, read out of their policies, and neither."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import servers
from build import resource
from servers import REGION, allowing, answers, client, failing, first, page_of_html, refused

from eks6check.demo.aws_server import Hook, Server
from eks6check.facts import Gap, Section
from eks6check.facts.aws import Addon, Cluster, Instance, NodeGroup, PodIdentityAssociation, RolePermissions
from eks6check.facts.cni_roles import ACTIONS, ASSIGN, GROUPS, ROLE_ANNOTATION, SUBNETS
from eks6check.sources import collect
from eks6check.sources.aws import COLLECTORS, iam
from eks6check.sources.aws.api import Source
from eks6check.sources.aws.iam import SIMULATE
from eks6check.sources.aws.policies import Decision

READING = {
    "iam:GetPolicy",
    "iam:GetPolicyVersion",
    "iam:GetRole",
    "iam:GetRolePolicy",
    "iam:ListAttachedRolePolicies",
    "iam:ListRolePolicies",
}
SIX = f"{servers.CNI_ROLE}six"
OLD = f"{servers.CNI_ROLE}prod"


@pytest.fixture(scope="module")
def whole() -> Iterator[Server]:
    """An account with the roles of a prepared cluster ``six`` and an untouched one, ``prod``."""
    with servers.aws() as server:
        servers.cni_role("six", "ipv6")
        servers.cni_role("prod", "ipv4")
        yield server


@pytest.fixture
def server(whole: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    servers.lead_to(whole, monkeypatch)
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)
    whole.calls.clear()
    yield whole
    whole.hooks.clear()


def read(**sections: Any) -> Section[RolePermissions]:
    """The permissions of the roles that these sections lead to."""
    known = {need: Section(tuple(sections.get(need, ()))) for need in iam.role_permissions.needs}
    known["clusters"] = Section((Cluster(id="six", account="123456789012"),))
    source = Source(servers.account(os.environ["AWS_ENDPOINT_URL"]), "six", {})
    found = [*iam.role_permissions.read(source, *known.values())]
    gaps = tuple(each for each in found if isinstance(each, Gap))
    return Section(tuple(each for each in found if not isinstance(each, Gap)), gaps)


def of_role(arn: str) -> Section[RolePermissions]:
    return read(node_groups=[NodeGroup(id="general", node_role=arn)])


def simulation(**decisions: str) -> Hook:
    """An answer for each of the two resources; everything that is not named is allowed."""
    results = []
    for action in ACTIONS:
        said = decisions.get(action.partition(":")[2], "allowed")
        missing = {"MissingContextValues": ["aws:SourceVpc"]} if said == "missing" else {}
        said = "implicitDeny" if missing else said
        results.append({"EvalActionName": action, "EvalDecision": said, **missing})
    return answers(SIMULATE, {"EvaluationResults": results, "IsTruncated": False})


def test_a_simulation_that_is_allowed_settles_it(server: Server) -> None:
    server.hooks[SIMULATE] = simulation(AssignIpv6Addresses="implicitDeny", DescribeTags="explicitDeny")
    (role,) = of_role(SIX).items
    assert (role.id, role.evaluated_by) == (SIX, "simulation")
    assert (role.denied, role.unknown) == ((ASSIGN, "ec2:DescribeTags"), ())
    assert {*role.allowed} == {*ACTIONS} - {*role.denied}
    assert {*server.calls} == {SIMULATE}
    assert len(server.calls) == 2


def test_what_may_be_limited_to_interfaces_is_asked_of_one_of_the_accounts(server: Server) -> None:
    asked: list[Mapping[str, str]] = []

    def watched(request: Any, forward: Any) -> Any:
        asked.append(dict(request.form))
        return simulation()(request, forward)

    server.hooks[SIMULATE] = watched
    of_role(SIX)
    resources = {form["ResourceArns.member.1"]: form["ActionNames.member.1"] for form in asked}
    interface = f"arn:aws:ec2:{REGION}:123456789012:network-interface/eni-0"
    assert resources == {"*": "ec2:DescribeInstanceTypes", interface: ASSIGN}
    assert {form["PolicySourceArn"] for form in asked} == {SIX}


@pytest.mark.parametrize(
    "hook", [refused(SIMULATE), failing(SIMULATE, "Throttling"), page_of_html(500), answers(SIMULATE, {})]
)
@pytest.mark.parametrize(("arn", "denied"), [(SIX, ()), (OLD, (ASSIGN,))])
def test_without_a_simulation_the_policies_say_the_same(
    server: Server, hook: Hook, arn: str, denied: tuple[str, ...]
) -> None:
    server.hooks[SIMULATE] = hook
    section = of_role(arn)
    assert not section.gaps
    (role,) = section.items
    assert (role.denied, role.unknown, role.evaluated_by) == (denied, (), "policies")
    assert {*server.calls} == {SIMULATE, *READING}


def test_a_throttled_simulation_is_tried_again(server: Server) -> None:
    server.hooks[SIMULATE] = first(1, failing(SIMULATE, "Throttling"), simulation())
    assert of_role(SIX).items[0].allowed == ACTIONS
    assert {*server.calls} == {SIMULATE}


@pytest.mark.parametrize("action", sorted(READING))
def test_only_both_ways_closed_leave_a_gap_that_names_the_simulation(server: Server, action: str) -> None:
    server.hooks[action] = refused(action)
    section = of_role(SIX)
    assert not section.items
    (gap,) = section.gaps
    assert gap.call == SIMULATE
    assert action in gap.reason
    assert SIMULATE in gap.remedy
    server.hooks[SIMULATE] = simulation()
    assert not of_role(SIX).gaps


def test_what_the_simulation_lacks_a_value_for_the_policies_may_know(server: Server) -> None:
    server.hooks[SIMULATE] = simulation(AssignIpv6Addresses="missing", DescribeTags="implicitDeny")
    (role,) = of_role(OLD).items
    assert (role.denied, role.unknown, role.evaluated_by) == ((ASSIGN, "ec2:DescribeTags"), (), "simulation")
    server.hooks["iam:GetRole"] = refused("iam:GetRole")
    section = of_role(OLD)
    assert (section.items[0].denied, section.items[0].unknown) == (("ec2:DescribeTags",), (ASSIGN,))
    assert not section.gaps


def test_a_decision_of_2030_is_unknown() -> None:
    assert iam.decision({"EvalDecision": "perhaps"}) is Decision.UNKNOWN
    assert iam.decision({}) is Decision.UNKNOWN


@pytest.mark.usefixtures("server")
def test_a_boundary_and_a_condition_count() -> None:
    """A boundary allows less than the role's policies, one of which has a condition."""
    boundary = client("iam").create_policy(PolicyName="limit", PolicyDocument=allowing([ASSIGN, GROUPS, SUBNETS]))
    limit = {"PermissionsBoundary": boundary["Policy"]["Arn"]}
    role = client("iam").create_role(RoleName="limited", Path="/a/b/", AssumeRolePolicyDocument="{}", **limit)
    document = json.loads(allowing([SUBNETS]))
    document["Statement"][0]["Condition"] = {"StringEquals": {"aws:RequestedRegion": REGION}}
    for name, text in {"some": allowing([ASSIGN, "ec2:DescribeTags"]), "when": json.dumps(document)}.items():
        client("iam").put_role_policy(RoleName="limited", PolicyName=name, PolicyDocument=text)
    (found,) = of_role(role["Role"]["Arn"]).items
    assert (found.allowed, found.unknown) == ((ASSIGN,), (SUBNETS,))
    assert GROUPS in found.denied


def test_every_role_that_the_cni_may_get_is_asked_once(server: Server) -> None:
    profile = "arn:aws:iam::123456789012:instance-profile/cni-prod"
    annotated = client("iam").create_role(RoleName="annotated", AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    section = read(
        addons=[Addon(id="vpc-cni", service_account_role_arn=annotated), Addon(id="coredns")],
        pod_identity_associations=[
            PodIdentityAssociation(id="a-1", role_arn=SIX, namespace="kube-system", service_account="aws-node"),
            PodIdentityAssociation(id="a-2", role_arn=f"{SIX}-else", namespace="shop", service_account="web"),
        ],
        node_groups=[NodeGroup(id="general", node_role=SIX), NodeGroup(id="none")],
        instances=[
            Instance(id="i-1", instance_profile_arn=profile),
            Instance(id="i-2", instance_profile_arn=profile),
            Instance(id="i-3", instance_profile_arn="x/managed", tags={"eks:nodegroup-name": "general"}),
            Instance(id="i-4"),
        ],
    )
    assert [role.id for role in section.items] == [OLD, SIX]
    assert server.calls.count("iam:GetInstanceProfile") == 1


@pytest.mark.usefixtures("server")
def test_the_annotation_counts_where_no_association_does() -> None:
    metadata = {"name": "aws-node", "namespace": "kube-system", "annotations": {ROLE_ANNOTATION: OLD}}
    body = resource({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata})
    assert [role.id for role in read(service_accounts=[body]).items] == [OLD]


def test_a_profile_that_is_refused_is_a_gap_of_its_own(server: Server) -> None:
    server.hooks["iam:GetInstanceProfile"] = refused("iam:GetInstanceProfile")
    section = read(
        instances=[Instance(id="i-1", instance_profile_arn="x/cni-prod")],
        node_groups=[NodeGroup(id="general", node_role=SIX)],
    )
    assert [gap.call for gap in section.gaps] == ["iam:GetInstanceProfile"]
    assert [role.id for role in section.items] == [SIX]


@pytest.mark.parametrize("arn", ["arn:aws:iam::999999999999:role/cni-six", "cni-six", "arn:::::", "arn:aws"])
def test_a_role_of_another_account_is_not_taken_for_one_of_this_name(server: Server, arn: str) -> None:
    section = of_role(arn)
    assert not section.items
    assert "another account" in section.gaps[0].reason
    assert not server.calls


@pytest.mark.usefixtures("server")
def test_a_role_that_is_gone_is_a_gap() -> None:
    section = of_role("arn:aws:iam::123456789012:role/gone")
    assert "NoSuchEntity" in section.gaps[0].reason


def test_the_whole_graph_leads_from_the_cluster_to_its_roles(server: Server) -> None:
    servers.ipv6_account(server, "seven")
    source = Source(servers.account(os.environ["AWS_ENDPOINT_URL"]), "seven", described("seven"))
    facts = collect([(source, COLLECTORS)], ["role_permissions"])
    assert [(role.id, role.denied) for role in facts["role_permissions"].items] == [(f"{servers.CNI_ROLE}seven", ())]
    assert not facts["role_permissions"].gaps


def described(name: str) -> Mapping[str, Any]:
    body: Mapping[str, Any] = client("eks").describe_cluster(name=name)["cluster"]
    return body
