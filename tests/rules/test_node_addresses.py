"""The CNI's own range and the prefixes of a node: claims on either, and neighbours that are none."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest
from build import judge, messages
from hypothesis import given
from hypothesis import strategies as st

from eks6check.findings import Confidence
from eks6check.rules.node_addresses import OWN_RANGE


def daemon_set(*args: str, env: list[dict[str, str]] | None = None) -> dict[str, Any]:
    container = {"name": "tunnel", "image": "tunnel:1", "args": [*args], "env": env or []}
    meta = {"name": "tunnel", "namespace": "vpn"}
    spec = {"template": {"spec": {"containers": [container]}}}
    return {"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": meta, "spec": spec}


@pytest.mark.parametrize("claim", ["169.254.172.1", "169.254.175.255", "169.254.173.0/24", "169.254.168.0/21"])
def test_a_claim_on_the_range_is_told(claim: str) -> None:
    (finding,) = judge("NOD012", workloads=[daemon_set(f"--bip={claim}")]).findings
    assert finding.message.startswith(f"DaemonSet vpn/tunnel names {claim} in args of container tunnel")
    assert finding.confidence is Confidence.MEDIUM


def test_variables_and_files_may_claim_it_too() -> None:
    config = {
        "kind": "ConfigMap",
        "metadata": {"name": "bgp"},
        "data": {"bgp.conf": "neighbor 169.254.172.9 as 64512\n"},
    }
    env = [{"name": "INSIDE", "value": "169.254.172.8/30"}]
    assert len(messages("NOD012", workloads=[daemon_set(env=env)], config_maps=[config])) == 2


@pytest.mark.parametrize(
    "text",
    [
        "169.254.169.254",
        "169.254.170.2",
        "169.254.170.23",
        "169.254.20.10",
        "169.254.0.0/16",
        "169.254.171.0/24",
        "169.254.176.0/22",
        "1169.254.172.1",
        "169.254.172.1.5",
        "# 169.254.172.1 is the CNI's",
        "NO_PROXY=169.254.172.1",
    ],
)
def test_neighbours_comments_and_bypass_lists_are_silent(text: str) -> None:
    config = {"kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"c": text}}
    assert not messages("NOD012", config_maps=[config])


@given(st.integers(0, 255), st.integers(0, 255), st.none() | st.integers(17, 32))
def test_the_pattern_says_what_the_arithmetic_says(third: int, fourth: int, length: int | None) -> None:
    address = f"169.254.{third}.{fourth}"
    block = ipaddress.ip_network(f"{address}/{32 if length is None else length}", strict=False)
    written = address if length is None else f"{address}/{length}"
    own = ipaddress.ip_network("169.254.172.0/22")
    assert bool(OWN_RANGE.fullmatch(written)) is block.overlaps(own)


def instance(*prefixes: str, device: int = 0, **tags: str) -> dict[str, Any]:
    interface = {"id": "eni-1", "device_index": device, "ipv6_prefixes": prefixes}
    return {"id": "i-1", "network_interfaces": [interface], "tags": tags}


TWO = ("2001:db8:1:1::/80", "2001:db8:1:1:1::/80")


def test_a_second_prefix_on_the_primary_interface_is_told() -> None:
    (finding,) = judge("NOD013", instances=[instance(*TWO)]).findings
    assert finding.message.startswith("Instance i-1 has 2 IPv6 prefixes on its primary interface (2001:db8:1:1::/80, ")
    assert "--network-interface-id eni-1 --ipv6-prefixes 2001:db8:1:1:1::/80" in finding.remedy


@pytest.mark.parametrize("body", [instance(), instance(TWO[0]), instance(*TWO, device=1), {"id": "i-1"}])
def test_one_prefix_or_other_interfaces_are_silent(body: dict[str, Any]) -> None:
    assert not messages("NOD013", instances=[body])


def test_a_template_that_asks_for_several_stands_for_its_instances() -> None:
    template = {"id": "lt-1", "version": "1", "network_interfaces": [{"ipv6_address_count": 1, "ipv6_prefix_count": 2}]}
    group = {"id": "old", "launch_template_id": "lt-1", "launch_template_version": "1"}
    made = {**instance(*TWO), "tags": {"aws:autoscaling:groupName": "old"}}
    (finding,) = judge("NOD013", launch_templates=[template], auto_scaling_groups=[group], instances=[made]).findings
    assert [place.id for place in finding.locations] == ["lt-1", "old"]
    one = {**template, "network_interfaces": [{"ipv6_prefix_count": 1}, {"device_index": 1, "ipv6_prefix_count": 4}]}
    assert not messages("NOD013", launch_templates=[one])
