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


@pytest.mark.parametrize(
    "pools",
    [
        [pool("192.168.0.0/16"), pool("fd00:10:244::/64", "six")],
        [pool("192.168.0.0/16", disabled=True)],
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


@pytest.mark.parametrize("data", [{"enable_ipv6": "true"}, {"ipam": "eni"}, {}])
def test_cilium_with_ipv6_on_or_not_told_is_silent(data: dict[str, str]) -> None:
    assert judge("CNI014", config_maps=[cilium_config(**data)]).state is State.PASSED


@pytest.mark.parametrize("odd", [None, 3, "x", [], [None], {"a": 1}])
def test_odd_types_do_not_raise(odd: Any) -> None:
    bodies = [pool(odd), installation(odd), {**pool("x"), "spec": odd}, cilium_pool(ipv4=odd)]
    assert not messages("CNI014", ip_pools=bodies, config_maps=[{**cilium_config(), "data": odd}])
