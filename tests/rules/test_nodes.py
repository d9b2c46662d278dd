"""Xen types wherever they are named, and the Nitro, bare-metal and unknown ones beside them."""

from __future__ import annotations

from typing import Any

import pytest
from build import judge, messages

from eks6check.findings import Severity, State

TYPE = "node.kubernetes.io/instance-type"


def deployment(**spec: Any) -> dict[str, Any]:
    pod = {"containers": [{"name": "app", "image": "app:1"}], **spec}
    meta = {"name": "search", "namespace": "shop"}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": {"template": {"spec": pod}}}


def affinity(*terms: list[dict[str, Any]]) -> dict[str, Any]:
    selector = {"nodeSelectorTerms": [{"matchExpressions": term} for term in terms]}
    return {"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": selector}}}


def expression(operator: str, *values: str, key: str = TYPE) -> dict[str, Any]:
    return {"key": key, "operator": operator, "values": list(values)}


def node(name: str, instance_type: str, labels: dict[str, str] | None = None, instance: str = "") -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": {TYPE: instance_type, **(labels or {})}},
        "spec": {"providerID": f"aws:///eu-west-1a/{instance}"} if instance else {},
    }


def pool(*requirements: dict[str, Any], **template: Any) -> dict[str, Any]:
    spec = {"nodeClassRef": {"group": "karpenter.k8s.aws", "kind": "EC2NodeClass", "name": "default"}, **template}
    return {
        "apiVersion": "karpenter.sh/v1",
        "kind": "NodePool",
        "metadata": {"name": "default"},
        "spec": {"template": {"spec": {**spec, "requirements": list(requirements)}}},
    }


def test_a_node_group_names_every_xen_type_and_a_nitro_type_of_the_same_shape() -> None:
    (finding,) = judge(
        "NOD001", node_groups=[{"id": "web", "instance_types": ["t2.micro", "m4.large", "m5.large"]}]
    ).findings
    assert finding.message == (
        "Node group web launches m4.large, t2.micro, which run on Xen; IPv6 pods need Nitro or bare metal. "
        "Of the same shape: m5.large in place of m4.large. Nearest in shape: t3.micro in place of t2.micro."
    )
    assert "--instance-types m5.large" in finding.remedy


@pytest.mark.parametrize("name", ["m5.large", "i3.metal", "m7g.large", "p3dn.24xlarge", "z9.huge", ""])
def test_nitro_bare_metal_and_unknown_types_are_silent(name: str) -> None:
    outcome = judge(
        "NOD001",
        node_groups=[{"id": "web", "instance_types": [name]}],
        launch_templates=[{"id": "lt-1", "instance_type": name}],
        instances=[{"id": "i-1", "instance_type": name}],
        nodes=[node("a", name)],
        workloads=[deployment(nodeSelector={TYPE: name})],
    )
    assert outcome.state is State.PASSED


def test_what_ec2_says_of_a_type_wins_over_the_file() -> None:
    groups = [{"id": "web", "instance_types": ["m4.large", "z9.huge"]}]
    live = [{"id": "m4.large", "hypervisor": "nitro"}, {"id": "z9.huge", "hypervisor": "xen", "vcpus": 10**6}]
    (message,) = messages("NOD001", node_groups=groups, instance_types=live)
    assert message == "Node group web launches z9.huge, which runs on Xen; IPv6 pods need Nitro or bare metal."


def test_a_launch_template_is_told_once_with_its_node_group() -> None:
    (finding,) = judge(
        "NOD001",
        node_groups=[{"id": "web", "launch_template_id": "lt-1", "launch_template_version": "3"}],
        launch_templates=[
            {"id": "lt-1", "version": "3", "instance_type": "c4.xlarge"},
            {"id": "lt-1", "version": "$Default", "instance_type": "c4.xlarge"},
        ],
        instances=[
            {"id": "i-1", "instance_type": "c4.xlarge", "tags": {"eks:nodegroup-name": "web"}},
            {"id": "i-2", "instance_type": "c4.xlarge", "tags": {"aws:ec2launchtemplate:id": "lt-1"}},
        ],
        nodes=[node("a", "c4.xlarge", {"eks.amazonaws.com/nodegroup": "web"})],
    ).findings
    assert (finding.subject.id, [place.id for place in finding.locations]) == ("lt-1", ["lt-1"])
    assert "--launch-template-id lt-1 " in finding.remedy
    assert """--launch-template-data '{"InstanceType":"c5.xlarge"}'""" in finding.remedy


def test_the_version_that_a_group_launches_leads_to_the_group() -> None:
    (finding,) = judge(
        "NOD001",
        node_groups=[{"id": "web", "launch_template_id": "lt-1", "launch_template_version": "3"}],
        launch_templates=[{"id": "lt-1", "version": "3", "instance_type": "c4.xlarge"}],
    ).findings
    assert [place.id for place in finding.locations] == ["lt-1", "web"]


MIXED = {"id": "mixed", "launch_template_id": "lt-1", "launch_template_version": "1"}


def test_the_overrides_of_a_mixed_group_take_the_place_of_its_templates_type() -> None:
    templates = [{"id": "lt-1", "version": "1", "instance_type": "m4.large"}]
    tags = {"aws:autoscaling:groupName": "mixed", "aws:ec2launchtemplate:id": "lt-1"}
    instances = [{"id": "i-1", "instance_type": "m4.large", "tags": tags}]
    nitro = {**MIXED, "instance_types": ["m5.large"]}
    assert not messages("NOD001", auto_scaling_groups=[nitro], launch_templates=templates, instances=instances)
    xen = {**MIXED, "instance_types": ["m5.large", "c4.large"]}
    (finding,) = judge("NOD001", auto_scaling_groups=[xen], launch_templates=templates, instances=instances).findings
    assert finding.message.startswith("Auto Scaling group mixed launches c4.large, which runs on Xen")
    assert "- InstanceType: c5.large" in finding.remedy


def test_a_template_type_counts_for_a_group_without_overrides() -> None:
    templates = [{"id": "lt-1", "version": "1", "instance_type": "m4.large"}]
    plain = {**MIXED, "id": "plain"}
    mixed = {**MIXED, "instance_types": ["m5.large"]}
    (finding,) = judge("NOD001", auto_scaling_groups=[plain, mixed], launch_templates=templates).findings
    assert [place.id for place in finding.locations] == ["lt-1", "plain", "mixed"]


def test_machines_of_no_known_group_are_told_together_and_once() -> None:
    tags = {"aws:autoscaling:groupName": "old"}
    (finding,) = judge(
        "NOD001",
        instances=[{"id": name, "instance_type": "r4.large", "tags": tags} for name in ("i-2", "i-1")],
        nodes=[node("a", "r4.large", instance="i-1")],
    ).findings
    assert finding.message.startswith("Instance i-1 of group old with 1 more runs on r4.large")
    assert [place.id for place in finding.locations] == ["i-1", "i-2"]


def test_without_the_account_the_nodes_of_a_managed_group_speak() -> None:
    nodes = [node(name, "m4.large", {"eks.amazonaws.com/nodegroup": "web"}) for name in "ab"]
    (message,) = messages("NOD001", nodes=nodes)
    assert message.startswith("Node a of node group web with 1 more runs on m4.large")


def test_nodes_of_karpenter_are_its_pools_business() -> None:
    assert not messages("NOD001", nodes=[node("a", "m4.large", {"karpenter.sh/nodepool": "default"})])


@pytest.mark.parametrize(
    "spec",
    [
        {"nodeSelector": {TYPE: "m4.large"}},
        {"nodeSelector": {"beta.kubernetes.io/instance-type": "m4.large"}},
        affinity([expression("In", "m4.large", "c4.large")]),
        affinity([expression("In", "m4.large")], [expression("In", "c4.large")]),
    ],
)
def test_a_pod_that_accepts_xen_only_is_told(spec: dict[str, Any]) -> None:
    (finding,) = judge("NOD001", workloads=[deployment(**spec)]).findings
    assert finding.severity is Severity.BLOCKER
    assert "nodeSelector" in finding.remedy


@pytest.mark.parametrize(
    "spec",
    [
        affinity([expression("NotIn", "m4.large")]),
        affinity([expression("In", "m4.large", "m5.large")]),
        affinity([expression("In", "m4.large")], [expression("In", "a", key="zone")]),
        affinity([expression("In", "t2", key="team")]),
        {"affinity": {"nodeAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1}]}}},
        {"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [1, None]}}},
        {"affinity": [1]},
        {"nodeSelector": {TYPE: 5}},
        {"nodeSelector": "m4.large"},
    ],
)
def test_a_pod_that_can_run_elsewhere_is_silent(spec: dict[str, Any]) -> None:
    assert judge("NOD001", workloads=[deployment(**spec)]).state is State.PASSED


CATEGORIES = expression("In", "c", "m", "r", key="karpenter.k8s.aws/instance-category")
FAMILY = "karpenter.k8s.aws/instance-family"


def test_a_pool_that_names_xen_is_told_at_the_value() -> None:
    outcome = judge("NOD011", node_pools=[pool(CATEGORIES, expression("In", "m5", "m4", key=FAMILY))])
    (finding,) = outcome.findings
    assert finding.message == "NodePool default names m4, which runs on Xen; IPv6 pods need Nitro or bare metal."
    assert (finding.severity, finding.evidence["requirement"]) == (Severity.BLOCKER, FAMILY)


def test_an_open_pool_is_a_warning_with_examples() -> None:
    (finding,) = judge("NOD011", node_pools=[pool(CATEGORIES)]).findings
    assert finding.severity is Severity.WARNING
    assert "such as c4.large, m4.large, r4.large" in finding.message


def test_a_pool_that_leaves_nothing_but_xen_is_a_blocker() -> None:
    fourth = expression("In", "4", key="karpenter.k8s.aws/instance-generation")
    only_m = expression("In", "m", key="karpenter.k8s.aws/instance-category")
    (finding,) = judge("NOD011", node_pools=[pool(fourth, only_m)]).findings
    assert finding.severity is Severity.BLOCKER
    assert "admits only Xen types" in finding.message


@pytest.mark.parametrize(
    "requirements",
    [
        [expression("In", "nitro", key="karpenter.k8s.aws/instance-hypervisor")],
        [expression("NotIn", "xen", key="karpenter.k8s.aws/instance-hypervisor")],
        [expression("In", "nitro", key="karpenter.k8s.aws/instance-hypervisor"), expression("In", "m4.large")],
        [CATEGORIES, expression("Gt", "4", key="karpenter.k8s.aws/instance-generation")],
        [CATEGORIES, expression("Gte", "5", key="karpenter.k8s.aws/instance-generation")],
        [expression("In", "arm64", key="kubernetes.io/arch")],
        [CATEGORIES, expression("In", "windows", key="kubernetes.io/os")],
        [expression("In", "m5.large", "c5.large")],
        [expression("In", "t3", key=FAMILY)],
        [expression("In", "aws", key="karpenter.k8s.aws/instance-cpu-manufacturer")],
        [expression("Exists", key="karpenter.k8s.aws/instance-gpu-count")],
        [expression("In", "i3.metal")],
    ],
)
def test_requirements_that_keep_xen_out_are_silent(requirements: list[dict[str, Any]]) -> None:
    assert judge("NOD011", node_pools=[pool(*requirements)]).state is State.PASSED


def test_a_label_that_the_pool_gives_its_nodes_counts_as_a_requirement() -> None:
    body = pool()
    body["spec"]["template"]["metadata"] = {"labels": {"kubernetes.io/arch": "arm64"}}
    assert judge("NOD011", node_pools=[body]).state is State.PASSED


def test_a_provisioner_is_judged_like_a_pool() -> None:
    spec = {"requirements": [expression("In", "m4.large", "m5.large")]}
    body = {"apiVersion": "karpenter.sh/v1alpha5", "kind": "Provisioner", "metadata": {"name": "default"}, "spec": spec}
    (message,) = messages("NOD011", node_pools=[body])
    assert message.startswith("Provisioner default names m4.large")


def test_auto_mode_chooses_its_own_hardware() -> None:
    ref = {"nodeClassRef": {"group": "eks.amazonaws.com", "kind": "NodeClass", "name": "default"}}
    category = expression("In", "c", "m", "r", key="eks.amazonaws.com/instance-category")
    named = expression("In", "m4", key="eks.amazonaws.com/instance-family")
    assert not messages("NOD011", node_pools=[pool(category, **ref)])
    (finding,) = judge("NOD011", node_pools=[pool(named, **ref)]).findings
    assert finding.severity is Severity.WARNING


@pytest.mark.parametrize("requirements", [None, "x", [1, None], [{"key": 1, "operator": [], "values": {}}], {}])
def test_requirements_of_odd_types_do_not_raise(requirements: Any) -> None:
    body = pool()
    body["spec"]["template"]["spec"]["requirements"] = requirements
    assert judge("NOD011", node_pools=[body]).state in (State.FAILED, State.PASSED)
