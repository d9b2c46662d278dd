"""The CNI's role: which one is in force, and what it must be allowed in which version."""

from __future__ import annotations

from typing import Any

import pytest
from build import judge, messages

from eks6check.facts.cni_roles import ACTIONS, ASSIGN, GROUPS, LIST_INTERFACES, SUBNETS
from eks6check.findings import Confidence, Finding, Severity, State

ARN = "arn:aws:iam::111122223333:role/path/"
NODES = [{"id": "general", "node_role": f"{ARN}nodes"}, {"id": "spot", "node_role": f"{ARN}nodes"}]
IPV4, IPV6 = ([{"id": "shop", "ip_family": family}] for family in ("ipv4", "ipv6"))


def role(name: str = "nodes", *denied: str, unknown: tuple[str, ...] = ()) -> dict[str, Any]:
    allowed = [action for action in ACTIONS if action not in (*denied, *unknown)]
    return {"id": f"{ARN}{name}", "allowed": allowed, "denied": list(denied), "unknown": list(unknown)}


def cni(release: str = "v1.20.4-eksbuild.2", role_name: str = "", **env: str) -> list[dict[str, Any]]:
    arn = {"service_account_role_arn": f"{ARN}{role_name}"} if role_name else {}
    return [{"id": "vpc-cni", "version": release, "configuration": {"env": env}, **arn}]


def associated(name: str, account: str = "aws-node") -> list[dict[str, Any]]:
    return [{"id": "a-1", "namespace": "kube-system", "service_account": account, "role_arn": f"{ARN}{name}"}]


def service_account(name: str = "") -> list[dict[str, Any]]:
    annotations = {"annotations": {"eks.amazonaws.com/role-arn": f"{ARN}{name}"}} if name else {}
    metadata = {"name": "aws-node", "namespace": "kube-system", **annotations}
    return [{"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata}]


def found(*roles: dict[str, Any], **sections: Any) -> list[Finding]:
    """What is said of these roles where the cluster was read, and its service account names no role."""
    read = {"node_groups": NODES, "clusters": IPV6, "service_accounts": service_account()}
    return list(judge("CNI004", role_permissions=roles, **{**read, **sections}).findings)


def test_a_node_role_without_the_right_is_told_with_its_groups() -> None:
    (finding,) = found(role("nodes", ASSIGN))
    assert finding.severity is Severity.BLOCKER
    assert finding.message == (
        "Role nodes, which the CNI gets from node groups general, spot, lacks ec2:AssignIpv6Addresses, without which "
        "no node of an IPv6 cluster gets ready."
    )
    assert "--role-name nodes " in finding.remedy
    assert "arn:aws:iam::111122223333:policy/AmazonEKS_CNI_IPv6_Policy" in finding.remedy


def test_a_role_with_all_rights_is_silent() -> None:
    assert judge("CNI004", role_permissions=[role()], node_groups=NODES).state is State.PASSED


def test_in_an_ipv4_cluster_it_can_be_mended_before_the_move() -> None:
    (finding,) = found(role("nodes", ASSIGN), clusters=IPV4)
    assert "before the move" in finding.message
    assert finding.severity is Severity.BLOCKER


@pytest.mark.parametrize(
    ("sections", "judged"),
    [
        ({}, "nodes"),
        ({"service_accounts": service_account()}, "nodes"),
        ({"addons": cni(role_name="irsa")}, "irsa"),
        ({"service_accounts": service_account("irsa")}, "irsa"),
        ({"pod_identity_associations": associated("pod")}, "pod"),
        ({"pod_identity_associations": associated("pod"), "service_accounts": service_account("irsa")}, "pod"),
        ({"pod_identity_associations": associated("pod", "web"), "addons": cni(role_name="irsa")}, "irsa"),
    ],
)
def test_pod_identity_wins_over_irsa_and_irsa_over_the_nodes(sections: dict[str, Any], judged: str) -> None:
    names = ("nodes",) if judged == "nodes" else ("nodes", "irsa", "pod")
    roles = [role(name, ASSIGN) for name in names]
    assert [finding.evidence["role"] for finding in found(*roles, **sections)] == [judged]
    assert not found(*(role(name, *[ASSIGN] * (name != judged)) for name in names), **sections)


def test_an_association_whose_role_nobody_could_ask_for_leaves_nothing_to_judge() -> None:
    unknown = [{**associated("pod")[0], "role_arn": ""}]
    roles = [role("nodes", ASSIGN), role("irsa", ASSIGN)]
    assert not found(*roles, pod_identity_associations=unknown, addons=cni(role_name="irsa"))


def test_the_nodes_role_is_a_warning_that_says_so_where_the_service_account_was_not_read() -> None:
    (finding,) = found(role("nodes", ASSIGN), service_accounts=[])
    assert (finding.severity, finding.confidence) == (Severity.WARNING, Confidence.MEDIUM)
    assert finding.message.endswith(
        "gets ready. The service account kube-system/aws-node was not read; a role that its annotation names would "
        "count instead."
    )


@pytest.mark.parametrize(
    "sections",
    [
        {"service_accounts": service_account()},
        {"service_accounts": [], "addons": cni(role_name="nodes")},
        {"service_accounts": [], "pod_identity_associations": associated("nodes")},
    ],
)
def test_a_role_that_is_in_force_for_sure_is_a_blocker(sections: dict[str, Any]) -> None:
    (finding,) = found(role("nodes", ASSIGN), **sections)
    assert (finding.severity, finding.confidence) == (Severity.BLOCKER, Confidence.HIGH)
    assert "not read" not in finding.message


def test_a_lesser_fault_stays_what_it_is_without_the_service_account() -> None:
    (finding,) = found(role("nodes", GROUPS), addons=cni("v1.21.2-eksbuild.1"), service_accounts=[])
    assert finding.severity is Severity.INFO


def test_the_role_of_an_instance_profile_counts_like_a_node_groups() -> None:
    (finding,) = found(role("nodes"), role("self-managed", ASSIGN))
    assert "gets from an instance profile" in finding.message


@pytest.mark.parametrize(
    ("release", "env", "denied", "severity"),
    [
        ("v1.22.0-eksbuild.1", {}, [SUBNETS], Severity.BLOCKER),
        ("v1.23.1-eksbuild.1", {}, [SUBNETS], Severity.BLOCKER),
        ("v1.22.1-eksbuild.1", {}, [GROUPS], Severity.BLOCKER),
        ("v1.22.2-eksbuild.1", {}, [GROUPS], None),
        ("v1.21.2-eksbuild.1", {}, [SUBNETS], Severity.WARNING),
        ("v1.21.2-eksbuild.1", {}, [GROUPS], Severity.INFO),
        ("v1.21.2-eksbuild.1", {}, [GROUPS, SUBNETS], Severity.WARNING),
        ("latest", {}, [SUBNETS], Severity.WARNING),
        ("v1.22.0-eksbuild.1", {"ENABLE_SUBNET_DISCOVERY": "false"}, [SUBNETS, GROUPS], None),
        ("v1.22.0-eksbuild.1", {"ENABLE_SUBNET_DISCOVERY": "no"}, [SUBNETS], Severity.BLOCKER),
        ("v1.22.0-eksbuild.1", {"ENABLE_SUBNET_DISCOVERY": "false"}, [SUBNETS, ASSIGN], Severity.BLOCKER),
        ("v1.10.1", {}, [LIST_INTERFACES], Severity.BLOCKER),
        ("v1.10.1", {}, ["ec2:CreateTags"], Severity.WARNING),
    ],
)
def test_what_is_needed_depends_on_the_version(
    release: str, env: dict[str, str], denied: list[str], severity: Severity | None
) -> None:
    severities = [finding.severity for finding in found(role("nodes", *denied), addons=cni(release, **env))]
    assert severities == ([severity] if severity else [])


def test_what_only_the_call_decides_is_a_warning_that_says_so() -> None:
    (finding,) = found(role("nodes", unknown=(ASSIGN,)))
    assert finding.severity is Severity.WARNING
    assert "may or may not have ec2:AssignIpv6Addresses, as conditions or variables decide" in finding.message
    assert "list-attached-role-policies --role-name nodes" in finding.remedy
    (finding,) = found(role("nodes", SUBNETS, unknown=(ASSIGN,)))
    assert "lacks ec2:DescribeSubnets of the CNI's IPv6 policy; it may or may not have" in finding.message


def test_auto_mode_without_a_cni_of_ones_own_asks_for_nothing() -> None:
    auto = [{"id": "shop", "ip_family": "ipv6", "auto_mode": True}]
    assert not messages("CNI004", role_permissions=[role("nodes", ASSIGN)], clusters=auto, node_groups=NODES)
    assert messages("CNI004", role_permissions=[role("nodes", ASSIGN)], clusters=auto, addons=cni())


@pytest.mark.parametrize("odd", ["", "x", "arn:aws", "::::::"])
def test_an_odd_arn_does_not_raise(odd: str) -> None:
    assert messages("CNI004", role_permissions=[{"id": odd, "denied": [ASSIGN]}])


@pytest.mark.parametrize("annotations", [None, 3, [], {"eks.amazonaws.com/role-arn": 3}])
def test_odd_annotations_do_not_raise(annotations: Any) -> None:
    (account,) = service_account()
    account["metadata"]["annotations"] = annotations
    assert found(role("nodes", ASSIGN), service_accounts=[account])
