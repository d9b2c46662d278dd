"""Calico and Cilium: pools of IPv4 alone, and the set-ups that only look like it."""

from __future__ import annotations

from typing import Any

import pytest
from build import judge, messages

from eks6check.findings import State


def pool(cidr: Any, name: str = "default", **spec: Any) -> dict[str, Any]:
    body = {"cidr": cidr, **spec}
    return {"apiVersion": "crd.projectcalico.org/v1", "kind": "IPPool", "metadata": {"name": name}, "spec": body}


def installation(cni: Any, *cidrs: str) -> dict[str, Any]:
    spec = {"cni": {"type": cni}, "calicoNetwork": {"ipPools": [{"cidr": cidr} for cidr in cidrs]}}
    return {
        "apiVersion": "operator.tigera.io/v1",
        "kind": "Installation",
        "metadata": {"name": "default"},
        "spec": spec,
    }


def cilium_pool(**families: Any) -> dict[str, Any]:
    spec = {family: {"cidrs": cidrs} for family, cidrs in families.items()}
    return {"apiVersion": "cilium.io/v2alpha1", "kind": "CiliumPodIPPool", "metadata": {"name": "green"}, "spec": spec}


def cilium_config(**data: Any) -> dict[str, Any]:
    meta = {"name": "cilium-config", "namespace": "kube-system"}
    body = {key.replace("_", "-"): value for key, value in data.items()}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta, "data": body}


def test_pools_of_one_family_are_one_finding() -> None:
    pools = [pool("192.168.0.0/16"), pool("10.10.0.0/16", "b")]
    (finding,) = judge("CNI014", ip_pools=[*pools, installation("Calico", "192.168.0.0/16")]).findings
    assert "10.10.0.0/16, 192.168.0.0/16" in finding.message
    assert len(finding.locations) == 3
    assert "kind: IPPool" in finding.remedy


def agent(*terms: Any) -> dict[str, Any]:
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": list(terms)}}
    pod = {"affinity": {"nodeAffinity": required}, "containers": [{"name": "cilium-agent"}]}
    meta = {"name": "cilium", "namespace": "kube-system"}
    return {"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": meta, "spec": {"template": {"spec": pod}}}


HYBRID = {"matchExpressions": [{"key": "eks.amazonaws.com/compute-type", "operator": "In", "values": ["hybrid"]}]}


@pytest.mark.parametrize(("terms", "count"), [([HYBRID], 0), ([HYBRID, {}], 1), ([None], 1), ([], 1)])
def test_cilium_of_hybrid_nodes_never_comes_to_an_ipv6_cluster(terms: list[Any], count: int) -> None:
    config = cilium_config(enable_ipv6="false", ipam="cluster-pool")
    assert len(messages("CNI014", config_maps=[config], workloads=[agent(*terms)])) == count


def test_a_pool_for_load_balancers_gives_pods_no_ipv6() -> None:
    pools = [pool("192.168.0.0/16", allowedUses=["Workload"]), pool("fdff::/64", "six", allowedUses=["LoadBalancer"])]
    assert len(messages("CNI014", ip_pools=pools)) == 1


@pytest.mark.parametrize(
    "pools",
    [
        [pool("192.168.0.0/16"), pool("fd00:10:244::/64", "six")],
        [pool("192.168.0.0/16", disabled=True)],
        [pool("80.15.0.0/24", allowedUses=["LoadBalancer"])],
        [installation("Calico", "192.168.0.0/16", "fd00:10:244::/64")],
        [installation("AmazonVPC", "192.168.0.0/16"), pool("192.168.0.0/16")],
        [cilium_pool(ipv4=["10.10.0.0/16"], ipv6=["fd00:100::/80"])],
        [pool("fd00:10:244::/64")],
        [],
    ],
)
def test_a_pool_of_ipv6_or_addresses_from_elsewhere_are_enough(pools: list[Any]) -> None:
    assert not messages("CNI014", ip_pools=pools)


def test_a_pool_of_one_product_does_not_serve_the_other() -> None:
    (finding,) = judge("CNI014", ip_pools=[cilium_pool(ipv4=["10.10.0.0/16"]), pool("fd00:10:244::/64")]).findings
    assert finding.subject.kind == "CiliumPodIPPool"
    assert "CiliumPodIPPool" in finding.remedy


@pytest.mark.parametrize("value", ["false", False])
def test_cilium_with_ipv6_off_is_told_with_its_mode(value: Any) -> None:
    (finding,) = judge("CNI014", config_maps=[cilium_config(enable_ipv6=value, ipam="eni")]).findings
    assert "takes addresses in eni mode" in finding.message
    assert "ipv6.enabled=true" in finding.remedy


def test_the_mode_is_left_out_where_it_is_not_told_and_other_config_maps_are_silent() -> None:
    assert "takes addresses" not in messages("CNI014", config_maps=[cilium_config(enable_ipv6="false")])[0]
    other = {**cilium_config(enable_ipv6="false"), "metadata": {"name": "app", "namespace": "shop"}}
    assert messages("CNI014", config_maps=[other]) == []


def test_cilium_has_its_own_pools_beside_calico_that_leaves_addresses_to_others() -> None:
    pools = [installation("AmazonVPC"), cilium_pool(ipv4=["10.10.0.0/16"])]
    (finding,) = judge("CNI014", ip_pools=pools).findings
    assert finding.subject.kind == "CiliumPodIPPool"


@pytest.mark.parametrize("data", [{"enable_ipv6": "true"}, {"ipam": "eni"}, {}])
def test_cilium_with_ipv6_on_or_not_told_is_silent(data: dict[str, str]) -> None:
    assert judge("CNI014", config_maps=[cilium_config(**data)]).state is State.PASSED


def calico_node(value: Any, name: str = "FELIX_IPV6SUPPORT") -> dict[str, Any]:
    container = {
        "name": "calico-node",
        "image": "docker.io/calico/node:v3.30.0",
        "env": [{"name": name, "value": value}],
    }
    meta = {"name": "calico-node", "namespace": "kube-system"}
    spec = {"template": {"spec": {"containers": [container]}}}
    return {"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": meta, "spec": spec}


@pytest.mark.parametrize("value", ["false", "False", False])
def test_calico_that_only_enforces_policies_needs_its_switch(value: Any) -> None:
    (finding,) = judge("CNI014", workloads=[calico_node(value)], ip_pools=[installation("AmazonVPC")]).findings
    assert "its policies do not hold for pods of an IPv6 cluster" in finding.message
    assert "container calico-node" in finding.remedy
    assert 'name: FELIX_IPV6SUPPORT, value: "true"' in finding.remedy


@pytest.mark.parametrize(
    "workload", [calico_node("true"), calico_node(""), calico_node("false", "FELIX_WIREGUARDENABLED")]
)
def test_calico_with_its_switch_on_or_left_out_is_silent(workload: dict[str, Any]) -> None:
    assert judge("CNI014", workloads=[workload]).state is State.PASSED


@pytest.mark.parametrize("odd", [None, 3, "x", [], [None], {"a": 1}])
def test_odd_types_do_not_raise(odd: Any) -> None:
    bodies = [pool(odd), installation(odd), {**pool("x"), "spec": odd}, cilium_pool(ipv4=odd)]
    assert not messages("CNI014", ip_pools=bodies, config_maps=[{**cilium_config(), "data": odd}])
