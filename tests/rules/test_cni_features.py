"""Security groups for pods and the network policy agent, as IPv6 bears them."""

from __future__ import annotations

from typing import Any

import pytest
from aws_node import aws_node, with_init
from build import judge, messages

from eks6check.findings import Severity, State

ON = {"ENABLE_IPv6": "true", "ENABLE_POD_ENI": "true"}
STANDARD = {**ON, "POD_SECURITY_GROUP_ENFORCING_MODE": "standard"}
READY = {"DISABLE_TCP_EARLY_DEMUX": "true"}
POLICY = {
    "apiVersion": "vpcresources.k8s.aws/v1beta1",
    "kind": "SecurityGroupPolicy",
    "metadata": {"name": "web", "namespace": "shop"},
}


def proxy_config(mode: str) -> dict[str, Any]:
    text = f'kind: KubeProxyConfiguration\nmetricsBindAddress: 0.0.0.0:10249\nmode: "{mode}"\nipvs:\n  mode: x\n'
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "kube-proxy-config", "namespace": "kube-system"},
        "data": {"config": text},
    }


def node(kind: Any, name: str = "a") -> dict[str, Any]:
    labels = {"node.kubernetes.io/instance-type": kind}
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": labels}}


def node_local_dns() -> dict[str, Any]:
    pod = {"containers": [{"name": "node-cache", "image": "registry.k8s.io/dns/k8s-dns-node-cache:1.23.0"}]}
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": {"name": "node-local-dns", "namespace": "kube-system"},
        "spec": {"template": {"spec": pod}},
    }


def test_strict_mode_with_all_that_it_needs_is_silent() -> None:
    outcome = judge(
        "CNI012",
        workloads=[with_init(READY, ON)],
        security_group_policies=[POLICY],
        config_maps=[proxy_config("iptables")],
        nodes=[node("m7i.large"), node("t3.large", "b")],
    )
    assert outcome.state is State.PASSED


def test_strict_mode_is_the_default_and_all_that_stands_against_it_is_one_finding() -> None:
    known: dict[str, Any] = {
        "security_group_policies": [POLICY],
        "config_maps": [proxy_config("ipvs")],
        "addons": [{"id": "kube-proxy", "configuration": {"mode": "iptables"}}],
    }
    (finding,) = judge("CNI012", workloads=[with_init({}, ON), node_local_dns()], **known).findings
    assert finding.severity is Severity.WARNING
    for said in ("DISABLE_TCP_EARLY_DEMUX is not true", "kube-proxy runs in ipvs mode", "NodeLocal DNS"):
        assert said in finding.message
    assert [place.id for place in finding.locations[1:]] == [
        "v1/ConfigMap/kube-system/kube-proxy-config",
        "apps/DaemonSet/kube-system/node-local-dns",
    ]
    assert not messages("CNI012", workloads=[with_init({}, STANDARD), node_local_dns()], **known)


@pytest.mark.parametrize(("value", "fires"), [("false", True), (None, True), ("true", False), ("1", False)])
def test_the_switch_for_probes_is_the_init_containers(value: Any, *, fires: bool) -> None:
    init = {} if value is None else {"DISABLE_TCP_EARLY_DEMUX": value}
    assert bool(messages("CNI012", workloads=[with_init(init, ON)])) is fires


def test_an_add_on_says_only_what_it_says() -> None:
    silent = {"id": "vpc-cni", "version": "v1.20.4", "configuration": {"env": {"ENABLE_POD_ENI": "true"}}}
    assert not messages("CNI012", addons=[silent])
    strict = {"ENABLE_POD_ENI": "true", "POD_SECURITY_GROUP_ENFORCING_MODE": "strict"}
    off = {"env": strict, "init": {"env": {"DISABLE_TCP_EARLY_DEMUX": "false"}}}
    assert messages("CNI012", addons=[{"id": "vpc-cni", "configuration": off}])


def test_without_security_groups_for_pods_nothing_is_said() -> None:
    old = aws_node({"ENABLE_POD_ENI": "false"}, "v1.12.6")
    assert judge("CNI012", workloads=[old, node_local_dns()], nodes=[node("t3.large")]).state is State.PASSED


def test_before_1_16_they_do_not_work_in_ipv6() -> None:
    (finding,) = judge("CNI012", workloads=[aws_node(STANDARD, "v1.15.5-eksbuild.1")]).findings
    assert "need 1.16.0 or newer" in finding.message
    assert "update-addon" in finding.remedy
    addon = {"id": "vpc-cni", "version": "v1.15.5-eksbuild.1"}
    assert messages("CNI012", addons=[addon], security_group_policies=[POLICY])
    assert not messages("CNI012", addons=[addon])


def test_nodes_of_a_t_family_alone_have_no_trunk() -> None:
    known: dict[str, Any] = {"workloads": [aws_node(STANDARD)]}
    (finding,) = judge("CNI012", nodes=[node("t3.large", "b"), node("t4g.small")], **known).findings
    assert "(t3.large, t4g.small)" in finding.message
    assert len(finding.locations) == 2
    assert messages("CNI012", instances=[{"id": "i-1", "instance_type": "t3a.large"}], **known)
    for types in (["m7i.large"], ["t3.large", "m7i.large"], ["trn1.2xlarge"], [None], []):
        assert not messages("CNI012", nodes=[node(kind, str(index)) for index, kind in enumerate(types)], **known)


def agent(*arguments: Any, env: dict[str, str] | None = None) -> dict[str, Any]:
    workload = aws_node({"ENABLE_IPv6": "true"} if env is None else env)
    workload["spec"]["template"]["spec"]["containers"][1]["args"] = list(arguments)
    return workload


@pytest.mark.parametrize(
    ("arguments", "severity"),
    [
        (["--enable-ipv6=false", "--enable-network-policy=true"], Severity.WARNING),
        (["--enable-network-policy"], Severity.WARNING),
        (["--enable-ipv6=false", "--enable-network-policy=false"], Severity.INFO),
        ([], Severity.INFO),
    ],
)
def test_an_agent_without_the_switch_filters_no_ipv6(arguments: list[str], severity: Severity) -> None:
    (finding,) = judge("CNI013", workloads=[agent(*arguments)]).findings
    assert finding.severity is severity


@pytest.mark.parametrize("argument", ["--enable-ipv6=true", "--enable-ipv6", "--enable-ipv6=1"])
def test_an_agent_with_the_switch_is_silent(argument: str) -> None:
    assert not messages("CNI013", workloads=[agent(argument, "--enable-network-policy=true")])


def test_in_an_ipv4_cluster_the_agent_is_as_it_should_be() -> None:
    told = agent("--enable-ipv6=false", env={"ENABLE_IPv4": "true", "ENABLE_IPv6": "false"})
    assert not messages("CNI013", workloads=[told], clusters=[{"id": "shop", "ip_family": "ipv4"}])
    assert messages("CNI013", workloads=[told], clusters=[{"id": "shop", "ip_family": "ipv6"}])


@pytest.mark.parametrize("args", [None, "x", [None, 3, {}], {"--enable-ipv6": True}])
def test_odd_arguments_do_not_raise(args: Any) -> None:
    workload = agent()
    workload["spec"]["template"]["spec"]["containers"][1]["args"] = args
    assert judge("CNI013", workloads=[workload]).state is State.FAILED


@pytest.mark.parametrize("config", [None, [], 3, {"config": None}, {"config": ["mode: ipvs"]}, {"config": "mode:\n"}])
def test_an_odd_proxy_configuration_says_nothing(config: Any) -> None:
    odd = {**proxy_config(""), "data": config}
    known: dict[str, Any] = {"workloads": [with_init(READY, ON)], "config_maps": [odd]}
    assert not messages("CNI012", addons=[{"id": "kube-proxy", "configuration": {"mode": 3}}], **known)
