"""The VPC CNI, configured by DaemonSet or add-on, for the cluster of today and the IPv6 one to come."""

from __future__ import annotations

from typing import Any

import pytest
from aws_node import aws_node
from build import judge, messages, resource

from eks6check.findings import Severity, State

PREPARED = {
    "ENABLE_IPv4": "false",
    "ENABLE_IPv6": "true",
    "ENABLE_PREFIX_DELEGATION": "true",
    "WARM_ENI_TARGET": "1",
    "WARM_PREFIX_TARGET": "1",
    "AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG": "false",
}
TODAY = {"ENABLE_IPv4": "true", "ENABLE_IPv6": "false", "ENABLE_PREFIX_DELEGATION": "false", "WARM_PREFIX_TARGET": "1"}
CUSTOM = "AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG"
ALL = ("CNI001", "CNI002", "CNI003", "CNI006", "CNI007")


def add_on(env: dict[str, Any] | None = None, release: str = "v1.20.4-eksbuild.2") -> dict[str, Any]:
    return {"id": "vpc-cni", "version": release, "configuration": {} if env is None else {"env": env}}


def eni_config(name: str = "eu-west-1a", **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "crd.k8s.amazonaws.com/v1alpha1",
        "kind": "ENIConfig",
        "metadata": {"name": name},
        "spec": spec,
    }


@pytest.mark.parametrize("word", ALL)
def test_a_prepared_ipv6_cluster_is_silent(word: str) -> None:
    workloads, addons = [aws_node(PREPARED)], [add_on()]
    known: dict[str, Any] = {
        "workloads": workloads,
        "addons": addons,
        "clusters": [{"id": "shop", "ip_family": "ipv6"}],
    }
    taken = {
        "CNI001": known,
        "CNI003": {"workloads": workloads, "addons": addons, "eni_configs": []},
        "CNI006": {"workloads": workloads},
    }
    assert judge(word, **taken.get(word, {"workloads": workloads, "addons": addons})).state is State.PASSED


def test_an_ordinary_ipv4_cluster_gets_one_calm_note() -> None:
    clusters = [{"id": "shop", "ip_family": "ipv4"}]
    (finding,) = judge("CNI001", workloads=[aws_node(TODAY)], addons=[add_on()], clusters=clusters).findings
    assert finding.severity is Severity.INFO
    assert "EKS sets it to true in an IPv6 cluster" in finding.message
    assert finding.remedy.startswith("# Nothing to do in this cluster.")
    for word in ("CNI002", "CNI003", "CNI007"):
        assert not messages(word, workloads=[aws_node(TODAY)], addons=[add_on()])


def test_a_daemon_set_for_the_china_regions_gets_no_note_as_they_have_no_ipv6_clusters() -> None:
    image = "961992271922.dkr.ecr.cn-northwest-1.amazonaws.com.cn/amazon-k8s-cni:v1.20.4"
    assert not messages("CNI001", workloads=[aws_node(TODAY, image=image)])
    assert messages("CNI001", workloads=[aws_node({**TODAY, "ENABLE_IPv6": "true"}, image=image)])


@pytest.mark.parametrize(
    ("env", "clusters"),
    [
        ({**PREPARED, "ENABLE_PREFIX_DELEGATION": "false"}, []),
        ({"ENABLE_IPv6": True}, []),
        (TODAY, [{"id": "shop", "ip_family": "ipv6"}]),
    ],
)
def test_without_prefix_delegation_in_ipv6_nothing_starts(env: dict[str, Any], clusters: list[Any]) -> None:
    (finding,) = judge("CNI001", workloads=[aws_node(env)], clusters=clusters).findings
    assert finding.severity is Severity.BLOCKER


@pytest.mark.parametrize("value", ["true", "True", "1", True])
def test_prefix_delegation_is_on_in_every_spelling(value: Any) -> None:
    assert not messages("CNI001", workloads=[aws_node({"ENABLE_IPv6": "true", "ENABLE_PREFIX_DELEGATION": value})])


def test_what_comes_from_elsewhere_is_not_concluded_to_be_absent() -> None:
    outside = aws_node({"ENABLE_IPv6": "true"}, envFrom=[{"configMapRef": {"name": "amazon-vpc-cni"}}])
    referred = aws_node({"ENABLE_IPv6": "true"})
    env = referred["spec"]["template"]["spec"]["containers"][0]["env"]
    env.append({"name": "ENABLE_PREFIX_DELEGATION", "valueFrom": {"configMapKeyRef": {"name": "c", "key": "k"}}})
    assert not messages("CNI001", workloads=[outside, referred])


@pytest.mark.parametrize("word", ["CNI001", "CNI006"])
def test_a_patch_without_an_image_says_nothing_of_what_it_leaves_out(word: str) -> None:
    env = {"ENABLE_PREFIX_DELEGATION": "true"} if word == "CNI006" else {"ENABLE_IPv6": "true"}
    assert not messages(word, workloads=[aws_node(env, image=None)])


def test_an_add_on_that_says_false_outweighs_the_daemon_set_it_made() -> None:
    off = {"ENABLE_PREFIX_DELEGATION": "false"}
    clusters = [{"id": "shop", "ip_family": "ipv6"}]
    (finding,) = judge("CNI001", workloads=[aws_node(off)], addons=[add_on(off)], clusters=clusters).findings
    assert (finding.subject.kind, len(finding.locations)) == ("Addon", 2)
    assert '"ENABLE_PREFIX_DELEGATION":"true"' in finding.remedy


def test_the_cni_is_known_by_image_or_by_name() -> None:
    renamed = aws_node(TODAY)
    renamed["metadata"] = {"name": "cni"}
    private = aws_node(TODAY, image="registry.example.com/mirror/cni:v1")
    other = aws_node(TODAY, image="registry.example.com/mirror/cni:v1")
    other["metadata"] = {"name": "aws-node", "namespace": "elsewhere"}
    assert len(messages("CNI001", workloads=[renamed, private, other])) == 2


@pytest.mark.parametrize(
    ("release", "severity"),
    [
        ("v1.9.3-eksbuild.1", Severity.BLOCKER),
        ("v1.10.0", Severity.BLOCKER),
        ("1.10.1", Severity.WARNING),
        ("v1.12.6-eksbuild.2", Severity.WARNING),
        ("v1.15.5-eksbuild.1", Severity.WARNING),
    ],
)
def test_old_versions_are_told_by_how_old_they_are(release: str, severity: Severity) -> None:
    for known in ({"workloads": [aws_node(PREPARED, release)]}, {"addons": [add_on(release=release)]}):
        (finding,) = judge("CNI002", **known).findings
        assert finding.severity is severity


@pytest.mark.parametrize("release", ["v1.16.0-eksbuild.1", "v1.23.1", "v2.0", "latest", "", "@sha256:0a"])
def test_new_versions_and_tags_that_say_nothing_are_silent(release: str) -> None:
    assert not messages("CNI002", workloads=[aws_node(PREPARED, release)], addons=[add_on(release=release)])


def test_a_mirror_under_another_name_may_count_by_itself() -> None:
    assert not messages("CNI002", workloads=[aws_node(PREPARED, image="registry.example.com/platform/cni:v1.2.0")])


def test_the_version_of_the_add_on_stands_for_its_daemon_set_but_not_for_a_file() -> None:
    old = "v1.12.6-eksbuild.2"
    live, declared = resource(aws_node({}, old)), resource(aws_node({}, old), "manifests")
    found = judge("CNI002", workloads=[live, declared], addons=[add_on(release=old)]).findings
    assert sorted(each.subject.kind for each in found) == ["Addon", "DaemonSet"]


VPC = {"id": "vpc-1", "cidr_blocks": ["10.0.0.0/16", "10.9.0.0/16"]}


@pytest.mark.parametrize("block", ["100.64.0.0/18", "10.9.1.0/24"])
def test_custom_networking_for_addresses_is_no_longer_needed(block: str) -> None:
    (finding,) = judge(
        "CNI003",
        addons=[add_on({CUSTOM: "true"})],
        workloads=[aws_node({CUSTOM: "true"})],
        eni_configs=[eni_config(subnet="subnet-1")],
        subnets=[{"id": "subnet-1", "cidr_block": block}],
        vpcs=[VPC],
    ).findings
    assert finding.severity is Severity.BLOCKER
    assert f"a lack of addresses (pod subnets {block}), which IPv6 ends" in finding.message
    assert "A /80 on each node replaces" in finding.remedy
    assert finding.locations[0].id == "vpc-cni"
    assert len(finding.locations) == 3


def test_custom_networking_for_isolation_is_to_be_reassessed() -> None:
    (finding,) = judge(
        "CNI003",
        workloads=[aws_node({CUSTOM: True})],
        eni_configs=[eni_config(subnet="subnet-1", securityGroups=["sg-1"])],
        subnets=[{"id": "subnet-1", "cidr_block": "10.0.3.0/24"}],
        vpcs=[VPC],
    ).findings
    assert "isolation (security groups sg-1)" in finding.message
    assert "SecurityGroupPolicy" in finding.remedy


@pytest.mark.parametrize(("groups", "purpose"), [(["sg-1"], "isolation"), (["sg-nodes"], "If it served")])
def test_groups_that_the_nodes_have_as_well_isolate_nothing(groups: list[str], purpose: str) -> None:
    (message,) = messages(
        "CNI003",
        workloads=[aws_node({CUSTOM: True})],
        eni_configs=[eni_config(subnet="subnet-1", securityGroups=groups)],
        subnets=[{"id": "subnet-1", "cidr_block": "10.0.3.0/24"}],
        vpcs=[VPC],
        instances=[{"id": "i-1", "security_group_ids": ["sg-nodes"]}],
    )
    assert purpose in message


@pytest.mark.parametrize("value", ["false", "0", "", None, "yes"])
def test_the_switch_off_is_silent(value: Any) -> None:
    assert (
        judge("CNI003", workloads=[aws_node({CUSTOM: value})], addons=[add_on({CUSTOM: value})]).state is State.PASSED
    )


def test_eni_configs_alone_are_a_hint_told_once() -> None:
    declared = [resource(eni_config(name, subnet="subnet-1"), "manifests") for name in ("b", "a")]
    (finding,) = judge("CNI003", eni_configs=declared).findings
    assert (finding.severity, finding.confidence, len(finding.locations)) == ("warning", "medium", 2)
    (finding,) = judge("CNI003", eni_configs=[eni_config(subnet=1)], workloads=[aws_node(TODAY)]).findings
    assert finding.severity is Severity.INFO


@pytest.mark.parametrize(
    "targets", [{}, {"WARM_PREFIX_TARGET": "0"}, {"WARM_IP_TARGET": "0", "MINIMUM_IP_TARGET": "x"}]
)
def test_prefix_delegation_without_a_target_stops_the_cni(targets: dict[str, str]) -> None:
    (finding,) = judge("CNI006", workloads=[aws_node({"ENABLE_PREFIX_DELEGATION": "true", **targets})]).findings
    assert finding.severity is Severity.BLOCKER


@pytest.mark.parametrize(
    "env",
    [
        {"ENABLE_PREFIX_DELEGATION": "true", "WARM_PREFIX_TARGET": "1"},
        {"ENABLE_PREFIX_DELEGATION": "true", "MINIMUM_IP_TARGET": 3},
        {"ENABLE_PREFIX_DELEGATION": "false"},
        {},
    ],
)
def test_one_target_or_no_prefix_delegation_is_enough(env: dict[str, Any]) -> None:
    assert judge("CNI006", workloads=[aws_node(env)]).state is State.PASSED


def test_chosen_targets_are_named_and_shipped_ones_are_not() -> None:
    env = {"WARM_ENI_TARGET": "1", "WARM_PREFIX_TARGET": "1", "WARM_IP_TARGET": "5", "MINIMUM_IP_TARGET": "10"}
    assert messages("CNI007", workloads=[aws_node(env)], addons=[add_on(env)]) == [
        "Add-on vpc-cni sets WARM_IP_TARGET=5, MINIMUM_IP_TARGET=10, which does nothing in IPv6."
    ]


@pytest.mark.parametrize("env", [None, "x", [1], [{"name": 1, "value": []}], [{"value": "1"}], {"a": "b"}])
@pytest.mark.parametrize("word", ALL)
def test_odd_types_do_not_raise(word: str, env: Any) -> None:
    workload = aws_node({}, env=env)
    taken: dict[str, Any] = {"workloads": [workload]}
    if word != "CNI006":
        taken["addons"] = [{"id": "vpc-cni", "version": "", "configuration": {"env": env}}]
    assert judge(word, **taken).state is not State.ERROR
