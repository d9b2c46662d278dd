"""The VPC CNI's variables: names nobody reads, and values that IPv6 does not bear, with their look-alikes."""

from __future__ import annotations

from typing import Any

import pytest
from aws_node import aws_node, with_init
from build import judge, messages, resource

from eks6check.findings import Severity, State

IPV6 = {"ENABLE_IPv4": "false", "ENABLE_IPv6": "true"}
ALL = ("CNI005", "CNI008", "CNI009", "CNI010", "CNI011")


def corefile(forward: str, **metadata: str) -> dict[str, Any]:
    text = f".:53 {{\n    errors\n    {forward}\n    cache 30\n}}\n"
    meta = {"name": "coredns", "namespace": "kube-system", **metadata}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": {"Corefile": text}}


@pytest.mark.parametrize(
    ("env", "said"),
    [
        ({"ENABLE_IPV6": "true"}, "ENABLE_IPV6=true"),
        ({"ENABLE_IPV6": True, "ENABLE_IPv6": "false"}, "ENABLE_IPV6=true"),
        ({"ENABLE_IPV4": "false", "ENABLE_IPV6": "true"}, "ENABLE_IPV6=true and ENABLE_IPV4=false"),
    ],
)
def test_a_capital_v_is_another_variable(env: dict[str, Any], said: str) -> None:
    (message,) = messages("CNI005", workloads=[aws_node(env)])
    assert f"sets {said}, which the CNI does not read" in message


def test_the_add_on_and_the_init_container_are_looked_at_too() -> None:
    addon = {"id": "vpc-cni", "configuration": {"env": {"ENABLE_IPV6": "true"}}}
    (finding,) = judge("CNI005", addons=[addon], workloads=[aws_node({"ENABLE_IPV6": "true"})]).findings
    assert (finding.subject.kind, len(finding.locations)) == ("Addon", 2)
    assert "configurationValues" in finding.remedy
    assert messages("CNI005", workloads=[with_init({"ENABLE_IPV6": "true"}, IPV6)])
    assert messages("CNI005", addons=[{"id": "vpc-cni", "configuration": {"init": {"env": {"ENABLE_IPV6": "1"}}}}])


@pytest.mark.parametrize("env", [IPV6, {**IPV6, "ENABLE_IPV6": "true"}, {"ENABLE_V6_EGRESS": "true"}, {}])
def test_the_right_names_are_silent(env: dict[str, Any]) -> None:
    assert judge("CNI005", workloads=[aws_node(env)]).state is State.PASSED


def test_another_daemon_set_may_have_variables_of_these_names() -> None:
    other = aws_node({"ENABLE_IPV6": "true"}, image="x/agent:1", name="agent")
    other["metadata"] = {"name": "agent"}
    assert not messages("CNI005", workloads=[other])


def test_without_ipv4_egress_dns_is_named() -> None:
    off = {**IPV6, "ENABLE_V4_EGRESS": "false"}
    usual = corefile("forward . /etc/resolv.conf {\n        max_concurrent 1000\n    }")
    (finding,) = judge("CNI008", workloads=[aws_node(off)], config_maps=[usual]).findings
    assert finding.severity is Severity.WARNING
    assert "CoreDNS cannot ask /etc/resolv.conf either" in finding.message
    assert len(finding.locations) == 2
    assert "CoreDNS cannot ask its upstream either" in messages("CNI008", workloads=[aws_node(off)])[0]


def test_without_ipv4_egress_on_purpose_it_is_a_note() -> None:
    off = {**IPV6, "ENABLE_V4_EGRESS": "false"}
    prepared = corefile("forward . fd00:ec2::253 /etc/resolv.conf")
    (finding,) = judge("CNI008", workloads=[aws_node(off)], config_maps=[prepared]).findings
    assert (finding.severity, len(finding.locations)) == (Severity.INFO, 1)
    elsewhere = corefile("forward . fd00:ec2::253", namespace="dns")
    assert judge("CNI008", workloads=[aws_node(off)], config_maps=[elsewhere]).findings[0].severity == "warning"


@pytest.mark.parametrize("value", ["true", "", None, "no", "off"])
def test_ipv4_egress_is_on_unless_go_reads_false(value: Any) -> None:
    assert judge("CNI008", workloads=[aws_node({"ENABLE_V4_EGRESS": value})]).state is State.PASSED


def test_a_cni_that_does_not_know_the_switch_is_silent() -> None:
    off = {"ENABLE_V4_EGRESS": "false"}
    assert not messages("CNI008", workloads=[aws_node(off, "v1.15.0-eksbuild.1")])
    assert messages("CNI008", workloads=[aws_node(off, "v1.15.1-eksbuild.1")])
    assert messages("CNI008", workloads=[aws_node(off, "latest")])


@pytest.mark.parametrize(
    ("value", "fires"), [("true", True), (True, True), ("1", True), ("false", False), ("x", False)]
)
def test_ipv6_inside_pods_must_stay(value: Any, *, fires: bool) -> None:
    assert bool(messages("CNI009", workloads=[aws_node({"DISABLE_POD_V6": value})])) is fires


@pytest.mark.parametrize("name", ["AWS_VPC_ENI_MTU", "POD_MTU"])
@pytest.mark.parametrize(
    ("value", "fires"),
    [
        ("1279", True),
        (576, True),
        ("0", True),
        ("1280", False),
        ("9001", False),
        ("", False),
        ("x", False),
        ("-1", False),
    ],
)
def test_an_mtu_below_1280_keeps_the_cni_from_starting(name: str, value: Any, *, fires: bool) -> None:
    found = judge("CNI010", workloads=[aws_node({name: value})]).findings
    assert bool(found) is fires
    assert all(f"{name}=1280" in finding.remedy for finding in found)


def test_two_mtus_are_two_problems() -> None:
    assert len(messages("CNI010", workloads=[aws_node({"AWS_VPC_ENI_MTU": "1000", "POD_MTU": "1000"})])) == 2


@pytest.mark.parametrize(
    ("env", "fires"),
    [
        ({"ENABLE_IPv4": "true", "ENABLE_IPv6": "true"}, True),
        ({"ENABLE_IPv4": "false", "ENABLE_IPv6": "false"}, True),
        ({"ENABLE_IPv4": "false"}, True),
        (IPV6, False),
        ({"ENABLE_IPv4": "true", "ENABLE_IPv6": "false"}, False),
        ({"ENABLE_IPv4": "true"}, False),
        ({"ENABLE_IPv6": "true"}, False),
        ({"ENABLE_IPv6": "false"}, False),
        ({}, False),
    ],
)
def test_exactly_one_family_is_served(env: dict[str, Any], *, fires: bool) -> None:
    assert bool(messages("CNI011", workloads=[aws_node(env)])) is fires


def test_what_a_patch_or_a_reference_leaves_open_is_not_concluded() -> None:
    referred = aws_node({"ENABLE_IPv4": "false"})
    env = referred["spec"]["template"]["spec"]["containers"][0]["env"]
    env.append({"name": "ENABLE_IPv6", "valueFrom": {"configMapKeyRef": {"name": "c", "key": "k"}}})
    patch = aws_node({"ENABLE_IPv4": "false"}, image=None)
    assert not messages("CNI011", workloads=[referred, patch])


def test_a_file_and_the_live_object_are_one_finding() -> None:
    body = aws_node({"DISABLE_POD_V6": "true"})
    (finding,) = judge("CNI009", workloads=[resource(body), resource(body, "manifests")]).findings
    assert [place.source for place in finding.locations] == ["manifests", "cluster"]


@pytest.mark.parametrize("env", [None, "x", [1], [{"name": 1, "value": []}], [{"value": "1"}], {"a": "b"}])
@pytest.mark.parametrize("word", ALL)
def test_odd_types_do_not_raise(word: str, env: Any) -> None:
    assert judge(word, workloads=[aws_node({}, env=env)]).state is State.PASSED
