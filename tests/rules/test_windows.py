"""Windows nodes and pods wherever they show, and Linux beside them."""

from __future__ import annotations

from typing import Any

import pytest
from build import judge, messages

from eks6check.findings import Confidence, State

OS = "kubernetes.io/os"
ON_WINDOWS = {"windowsOptions": {"runAsUserName": "ContainerUser"}}


def workload(kind: str = "Deployment", container: Any = None, **spec: Any) -> dict[str, Any]:
    pod = {"containers": [{"name": "app", "image": "app:1", **(container or {})}], **spec}
    meta = {"name": "web", "namespace": "shop"}
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": meta, "spec": {"template": {"spec": pod}}}


def affinity(*terms: tuple[str, list[str]], wish: bool = False) -> dict[str, Any]:
    listed = [{"matchExpressions": [{"key": OS, "operator": how, "values": values}]} for how, values in terms]
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": listed}}
    preferred = {"preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1, "preference": listed[0]}]}
    return {"affinity": {"nodeAffinity": preferred if wish else required}}


def elsewhere(operator: str, values: list[str]) -> dict[str, Any]:
    """An affinity by a label that only sounds like the system's."""
    spec = affinity((operator, values))
    (term,) = spec["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
    term["matchExpressions"][0]["key"] = "example.com/os"
    return spec


@pytest.mark.parametrize(
    "spec",
    [
        {"nodeSelector": {OS: "windows"}},
        {"nodeSelector": {"beta.kubernetes.io/os": "windows"}},
        {"os": {"name": "windows"}},
        affinity(("In", ["windows"])),
        affinity(("In", ["windows"]), ("In", ["windows"])),
    ],
)
def test_a_workload_that_asks_for_windows_is_told(spec: dict[str, Any]) -> None:
    (finding,) = judge("NOD002", workloads=[workload(**spec)]).findings
    assert finding.message.startswith("Deployment shop/web runs on Windows, and an IPv6 cluster has none")
    assert finding.confidence is Confidence.HIGH


@pytest.mark.parametrize("spec", [{"securityContext": ON_WINDOWS}, {"container": {"securityContext": ON_WINDOWS}}])
def test_options_for_windows_alone_are_a_hint(spec: dict[str, Any]) -> None:
    (finding,) = judge("NOD002", workloads=[workload(**spec)]).findings
    assert finding.confidence is Confidence.MEDIUM


@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"nodeSelector": {OS: "linux"}},
        {"nodeSelector": {OS: "linux"}, "securityContext": ON_WINDOWS},
        {"os": {"name": "linux"}, "container": {"securityContext": ON_WINDOWS}},
        {"securityContext": {"windowsOptions": {}}},
        {"kind": "DaemonSet", "nodeSelector": {OS: "windows"}},
        affinity(("NotIn", ["windows"])),
        affinity(("In", ["windows", "linux"])),
        affinity(("In", ["windows"]), ("In", ["linux"])),
        affinity(("In", ["windows"]), wish=True),
        {**affinity(("In", ["linux"])), "securityContext": ON_WINDOWS},
        elsewhere("In", ["windows"]),
        {"nodeSelector": ["windows"], "os": "windows", "affinity": 3, "securityContext": []},
        {"tolerations": [{"key": "os", "value": "windows"}]},
    ],
)
def test_linux_both_and_odd_types_are_silent(spec: dict[str, Any]) -> None:
    assert judge("NOD002", workloads=[workload(**spec)]).state is State.PASSED


def test_a_managed_group_stands_for_its_template_and_its_machines() -> None:
    tags = {"eks:nodegroup-name": "win"}
    (finding,) = judge(
        "NOD002",
        node_groups=[
            {"id": "win", "ami_type": "WINDOWS_CORE_2022_x86_64", "launch_template_id": "lt-1"},
            {"id": "web", "ami_type": "AL2023_x86_64_STANDARD"},
        ],
        launch_templates=[{"id": "lt-1", "version": "1", "image_id": "ami-1"}],
        images=[{"id": "ami-1", "platform": "windows"}],
        instances=[{"id": "i-1", "platform": "windows", "tags": tags}],
        nodes=[node("a", {"eks.amazonaws.com/nodegroup": "win"})],
    ).findings
    assert finding.message.startswith("Node group win makes Windows nodes")
    assert finding.evidence == {"ami_type": "WINDOWS_CORE_2022_x86_64"}


def node(name: str, labels: dict[str, str], system: str = "windows") -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": {OS: system, **labels}}}


def test_a_template_of_a_windows_image_is_told_with_its_auto_scaling_group() -> None:
    (finding,) = judge(
        "NOD002",
        launch_templates=[
            {"id": "lt-1", "version": "1", "image_id": "ami-1"},
            {"id": "lt-2", "version": "1", "image_id": "ami-2"},
        ],
        auto_scaling_groups=[{"id": "old", "launch_template_id": "lt-1", "launch_template_version": "1"}],
        images=[{"id": "ami-1", "platform": "windows"}, {"id": "ami-2"}],
        instances=[{"id": "i-1", "platform": "windows", "tags": {"aws:autoscaling:groupName": "old"}}],
    ).findings
    assert [place.id for place in finding.locations] == ["lt-1", "old"]


def test_machines_that_nothing_else_explains_are_told_together() -> None:
    instances = [{"id": name, "platform": "windows"} for name in ("i-2", "i-1")]
    (message,) = messages("NOD002", instances=[*instances, {"id": "i-3"}], nodes=[node("b", {}, "linux")])
    assert message.startswith("Instance i-1 with 1 more is a Windows node")
    (message,) = messages("NOD002", nodes=[node("a", {})])
    assert message.startswith("Node a is a Windows node")
    linux = {"apiVersion": "karpenter.k8s.aws/v1", "kind": "EC2NodeClass", "metadata": {"name": "l"}, "spec": {}}
    assert len(messages("NOD002", nodes=[node("a", {})], node_classes=[linux])) == 1
    assert len(messages("NOD002", nodes=[node("a", {"karpenter.sh/nodepool": "win"})])) == 1


@pytest.mark.parametrize(
    ("spec", "windows"),
    [
        ({"amiSelectorTerms": [{"alias": "al2023@latest"}, {"alias": "windows2022@latest"}]}, True),
        ({"amiFamily": "Windows2022"}, True),
        ({"amiFamily": "AL2023"}, False),
        ({"amiSelectorTerms": [{"alias": "al2023@latest"}, None, 3]}, False),
        ({"amiSelectorTerms": {"alias": "windows2022"}, "amiFamily": ["Windows2022"]}, False),
    ],
)
def test_a_karpenter_class_of_windows_stands_for_its_nodes(spec: dict[str, Any], *, windows: bool) -> None:
    body = {"apiVersion": "karpenter.k8s.aws/v1", "kind": "EC2NodeClass", "metadata": {"name": "win"}, "spec": spec}
    found = messages("NOD002", node_classes=[body], nodes=[node("a", {"karpenter.sh/nodepool": "win"})])
    assert [message.partition(",")[0] for message in found] == ["EC2NodeClass win makes Windows nodes"] * windows
