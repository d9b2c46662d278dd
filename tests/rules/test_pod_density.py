"""Pods on a node: counts left to the IPv4 formula, counts above the advice, and those that somebody chose well."""

from __future__ import annotations

from typing import Any

import pytest
from build import judge, messages

from eks6check.findings import Confidence, State
from eks6check.knowledge.instance_types import prefix_pods, recorded, secondary_ip_pods

TYPE = "node.kubernetes.io/instance-type"
NODEADM = "apiVersion: node.eks.aws/v1alpha1\nkind: NodeConfig\nspec: {kubelet: {config: {maxPods: %s}}}\n"


def node_class(kind: str = "EC2NodeClass", **spec: Any) -> dict[str, Any]:
    return {"apiVersion": "karpenter.k8s.aws/v1", "kind": kind, "metadata": {"name": "default"}, "spec": spec}


def pool(*requirements: dict[str, Any], **template: Any) -> dict[str, Any]:
    spec = {"nodeClassRef": {"name": "default"}, "requirements": list(requirements), **template}
    meta = {"name": "general"}
    return {"apiVersion": "karpenter.sh/v1", "kind": "NodePool", "metadata": meta, "spec": {"template": {"spec": spec}}}


def node(name: str, instance_type: str, pods: object, **labels: str) -> dict[str, Any]:
    named = {label.replace("__", "/").replace("_", "."): value for label, value in labels.items()}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": {TYPE: instance_type, **named}},
        "status": {"capacity": {"pods": pods}},
    }


def template(user_data: str | None, **fields: Any) -> dict[str, Any]:
    return {"id": "lt-1", "version": "3", "image_id": "ami-1", "user_data": user_data, **fields}


GROUP = {
    "id": "web",
    "ami_type": "CUSTOM",
    "instance_types": ["m5.large", "m5.24xlarge"],
    "launch_template_id": "lt-1",
    "launch_template_version": "3",
}


def test_the_formulas_for_m5_large_are_29_and_434_not_460() -> None:
    kind = recorded()["m5.large"]
    assert (secondary_ip_pods(kind), prefix_pods(kind)) == (29, 434)


@pytest.mark.parametrize(("name", "pods"), [("t3.medium", 17), ("c5.9xlarge", 234), ("i3.metal", 737)])
def test_the_ipv4_formula_gives_what_the_cni_prints(name: str, pods: int) -> None:
    assert secondary_ip_pods(recorded()[name]) == pods


def test_a_custom_image_without_a_maximum_is_told_with_the_arithmetic() -> None:
    user_data = NODEADM.replace("maxPods: %s", "")
    (finding,) = judge("NOD003", node_groups=[GROUP], launch_templates=[template(user_data)]).findings
    assert finding.message.endswith(
        "counts IPv4 addresses: 3 x (10 - 1) + 2 = 29 on m5.large, where 110 are advised for IPv6."
    )
    assert (finding.confidence, [place.id for place in finding.locations]) == (Confidence.HIGH, ["lt-1", "web"])
    assert "maxPods: 110" in finding.remedy


def test_an_image_may_set_the_maximum_by_itself_where_there_is_no_user_data() -> None:
    (finding,) = judge("NOD003", node_groups=[GROUP], launch_templates=[template(None)]).findings
    assert finding.confidence is Confidence.MEDIUM


@pytest.mark.parametrize(
    ("group", "launch"),
    [
        (GROUP, template(NODEADM % 110)),
        (GROUP, template("/etc/eks/bootstrap.sh shop --use-max-pods false --kubelet-extra-args '--max-pods=110'")),
        (GROUP, template("[settings.kubernetes]\nmax-pods = 110")),
        ({**GROUP, "ami_type": "AL2023_x86_64_STANDARD"}, template("#!/bin/bash\n", image_id=None)),
        ({**GROUP, "ami_type": "WINDOWS_CORE_2022_x86_64"}, template("<powershell>")),
    ],
)
def test_a_maximum_or_the_image_of_eks_is_silent(group: dict[str, Any], launch: dict[str, Any]) -> None:
    assert judge("NOD003", node_groups=[group], launch_templates=[launch]).state is State.PASSED


def test_a_node_class_without_a_maximum_is_told() -> None:
    (message,) = messages("NOD003", node_classes=[node_class(role="x")], node_pools=[pool()])
    assert message.startswith("EC2NodeClass default sets no maxPods")


@pytest.mark.parametrize(
    "body",
    [
        node_class(kubelet={"maxPods": 110}),
        node_class(amiFamily="Windows2022"),
        node_class(amiSelectorTerms=[{"alias": "windows2022@latest"}]),
        node_class(kind="NodeClass"),
        node_class(kind="AWSNodeTemplate"),
    ],
)
def test_other_node_classes_are_silent(body: dict[str, Any]) -> None:
    assert judge("NOD003", node_classes=[body]).state is State.PASSED


def test_the_arithmetic_is_that_of_a_type_which_the_pool_can_make() -> None:
    neuron = pool({"key": TYPE, "operator": "In", "values": ["trn1.32xlarge", "inf2.xlarge"]})
    (message,) = messages("NOD003", node_classes=[node_class()], node_pools=[neuron])
    assert message.endswith("IPv4 addresses: 4 x (15 - 1) + 2 = 58 on inf2.xlarge, where 110 are advised for IPv6.")
    (message,) = messages("NOD003", node_classes=[node_class()], node_pools=[neuron, pool()])
    assert "for example 3 x (10 - 1) + 2 = 29 on m5.large" in message


def test_types_whose_count_reaches_the_advice_are_silent() -> None:
    large = pool({"key": TYPE, "operator": "In", "values": ["m5.4xlarge", "m5.24xlarge"]})
    assert not messages("NOD003", node_classes=[node_class()], node_pools=[large])
    group = {**GROUP, "instance_types": ["m5.4xlarge"]}
    launch = template(NODEADM.replace("maxPods: %s", ""))
    assert not messages("NOD003", node_groups=[group], launch_templates=[launch])


def test_before_v1_the_pool_held_the_maximum() -> None:
    assert not messages("NOD003", node_classes=[node_class()], node_pools=[pool(kubelet={"maxPods": 110})])


def test_a_provisioner_holds_its_own() -> None:
    def provisioner(**spec: Any) -> dict[str, Any]:
        return {"apiVersion": "karpenter.sh/v1alpha5", "kind": "Provisioner", "metadata": {"name": "old"}, "spec": spec}

    assert not messages("NOD003", node_pools=[provisioner(kubeletConfiguration={"maxPods": 110})])
    (finding,) = judge("NOD003", node_pools=[provisioner(providerRef={"name": "default"})]).findings
    assert "kubeletConfiguration" in finding.remedy


def test_self_managed_nodes_that_count_addresses_are_told_together() -> None:
    nodes = [node(name, "m5.large", "29") for name in ("b", "a")]
    (finding,) = judge("NOD003", nodes=nodes).findings
    assert finding.message.startswith(
        "Node a with 1 more takes 29 pods, the count of IPv4 addresses: 3 x (10 - 1) + 2 = 29"
    )


@pytest.mark.parametrize(
    "body",
    [
        node("a", "m5.large", "110"),
        node("a", "m5.4xlarge", "234"),
        node("a", "z9.huge", "29"),
        node("a", "m5.large", "29", eks_amazonaws_com__nodegroup="web"),
        node("a", "m5.large", "29", karpenter_sh__nodepool="general"),
        node("a", "", 1, **{"eks_amazonaws_com__compute-type": "fargate"}),
        node("a", "m5.large", None),
        node("a", "m5.large", ["29"]),
    ],
)
def test_nodes_with_another_count_or_another_maker_are_silent(body: dict[str, Any]) -> None:
    assert judge("NOD003", nodes=[body]).state is State.PASSED


@pytest.mark.parametrize(
    ("types", "pods", "limit"), [(["m5.large"], 200, 110), (["m5.24xlarge"], 300, 250), ([], 251, 250)]
)
def test_user_data_above_the_advice_for_the_smallest_type_is_told(types: list[str], pods: int, limit: int) -> None:
    group = {**GROUP, "instance_types": types}
    (message,) = messages("NOD004", node_groups=[group], launch_templates=[template(NODEADM % pods)])
    assert message == f"The user data of launch template lt-1 sets {pods} pods; {limit} are advised at most."


@pytest.mark.parametrize(
    ("types", "pods"), [(["m5.large"], 110), (["m5.24xlarge"], 250), ([], 250), (["z9.huge"], 250)]
)
def test_user_data_within_the_advice_is_silent(types: list[str], pods: int) -> None:
    group = {**GROUP, "instance_types": types}
    assert not messages("NOD004", node_groups=[group], launch_templates=[template(NODEADM % pods)])


SMALL = {"key": "karpenter.k8s.aws/instance-cpu", "operator": "In", "values": ["4", "8"]}
NITRO = {"key": "karpenter.k8s.aws/instance-hypervisor", "operator": "In", "values": ["nitro"]}


def test_a_node_class_above_250_is_told_whatever_its_types() -> None:
    assert messages("NOD004", node_classes=[node_class(kubelet={"maxPods": 434})]) == [
        "EC2NodeClass default sets maxPods 434; 250 are advised at most."
    ]


def test_between_110_and_250_only_pools_of_small_types_speak() -> None:
    classes = [node_class(kubelet={"maxPods": 250})]
    assert messages("NOD004", node_classes=classes, node_pools=[pool(SMALL, NITRO)])
    assert not messages("NOD004", node_classes=classes, node_pools=[pool(NITRO)])
    assert not messages("NOD004", node_classes=classes)


def test_nodes_above_the_advice_are_told_and_the_prefix_formula_named() -> None:
    (message,) = messages("NOD004", nodes=[node("a", "m5.large", "434")])
    assert message.endswith("It is the formula for IPv4 prefixes, 3 x ((10 - 1) x 16) + 2 = 434.")


@pytest.mark.parametrize(("vcpus", "limit"), [(29, 110), (30, 110), (31, 250)])
def test_thirty_vcpus_still_count_as_small(vcpus: int, limit: int) -> None:
    kind = {"id": "m9.odd", "hypervisor": "nitro", "vcpus": vcpus}
    nodes = [node(f"at-{pods}", "m9.odd", str(pods)) for pods in (limit, limit + 1)]
    (message,) = messages("NOD004", nodes=nodes, instance_types=[kind])
    assert message.startswith(f"Node at-{limit + 1} takes {limit + 1} pods; {limit} are advised at most")


def test_the_overrides_of_an_auto_scaling_group_count_like_the_types_of_a_node_group() -> None:
    named = {"launch_template_id": "lt-1", "launch_template_version": "3"}
    small = {"id": "own", **named, "instance_types": ["m5.large"]}
    large = {"id": "own", **named, "instance_types": ["m5.24xlarge"]}
    assert messages("NOD004", auto_scaling_groups=[small], launch_templates=[template(NODEADM % 200)])
    assert not messages("NOD004", auto_scaling_groups=[large], launch_templates=[template(NODEADM % 200)])
    empty = template(NODEADM.replace("maxPods: %s", ""))
    (finding,) = judge("NOD003", auto_scaling_groups=[small], launch_templates=[empty]).findings
    assert [place.id for place in finding.locations] == ["lt-1", "own"]


def test_nodes_of_what_is_already_told_are_not_told_again() -> None:
    crowded = node("a", "m5.large", "434", karpenter_k8s_aws__ec2nodeclass="default", karpenter_sh__nodepool="general")
    assert len(messages("NOD004", node_classes=[node_class(kubelet={"maxPods": 434})], nodes=[crowded])) == 1
    managed = node("b", "m5.large", "200", eks_amazonaws_com__nodegroup="web")
    templates = [template(NODEADM % 200)]
    assert len(messages("NOD004", node_groups=[GROUP], launch_templates=templates, nodes=[managed])) == 1


@pytest.mark.parametrize("value", ["434", True, [], {}, -1, None])
def test_odd_maxima_do_not_raise(value: Any) -> None:
    assert judge("NOD004", node_classes=[node_class(kubelet={"maxPods": value})]).state is State.PASSED
