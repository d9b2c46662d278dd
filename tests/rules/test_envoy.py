"""Envoy opens an address as written: 0.0.0.0 is a fault, and `::`, loopback and upstreams are none."""

from __future__ import annotations

import json
from typing import Any

import pytest
from build import judge, messages

from eks6check.findings import Severity


def config_map(value: str, key: str = "envoy.yaml") -> dict[str, Any]:
    metadata = {"name": "edge", "namespace": "shop"}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {key: value}}


def bootstrap(address: str, *more: str, admin: str = "127.0.0.1") -> dict[str, Any]:
    listener = {
        "name": "http",
        "address": {"socket_address": {"address": address, "port_value": 8080}},
        "additional_addresses": [{"address": {"socket_address": {"address": each}}} for each in more],
    }
    upstream = {"endpoint": {"address": {"socket_address": {"address": "10.1.2.3", "port_value": 1}}}}
    cluster = {"name": "db", "load_assignment": {"endpoints": [{"lb_endpoints": [upstream]}]}}
    return {
        "admin": {"address": {"socket_address": {"address": admin, "port_value": 9901}}},
        "static_resources": {"listeners": [listener], "clusters": [cluster]},
    }


SOCKET = {"socket_address": {"address": "0.0.0.0", "port_value": 80}}


def test_a_listener_without_a_name_is_told_as_such() -> None:
    text = json.dumps({"static_resources": {"listeners": [{"address": SOCKET}]}})
    (finding,) = judge("MSH002", config_maps=[config_map(text)]).findings
    assert finding.evidence["listeners"] == {"without a name": ["0.0.0.0"]}


def test_a_listener_on_ipv4_is_a_blocker_at_its_line() -> None:
    text = "admin:\n  address: {socket_address: {address: 127.0.0.1}}\nstatic_resources:\n  listeners:\n    # 0.0.0.0\n"
    text += '    - {name: http, address: {socket_address: {address: "0.0.0.0"}}}\n'
    (finding,) = judge("MSH002", config_maps=[config_map(text)]).findings
    assert finding.severity is Severity.BLOCKER
    assert finding.evidence["listeners"] == {"http": ["0.0.0.0"]}


def test_json_and_camel_case_and_files_of_listeners_are_read() -> None:
    listener = {"@type": "type.googleapis.com/envoy.config.listener.v3.Listener", "name": "http"}
    address = {"address": {"socketAddress": {"address": "0.0.0.0"}}}
    for body in (
        {"staticResources": {"listeners": [{"name": "http", **address}]}},
        {"resources": [{**listener, **address}]},
    ):
        assert len(messages("MSH002", config_maps=[config_map(json.dumps(body), "lds.json")])) == 1


def test_the_admin_alone_is_a_warning() -> None:
    (finding,) = judge("MSH002", config_maps=[config_map(json.dumps(bootstrap("::", admin="0.0.0.0")))]).findings
    assert finding.severity is Severity.WARNING


@pytest.mark.parametrize(
    "value",
    [
        json.dumps(bootstrap("::")),
        json.dumps(bootstrap("127.0.0.1")),
        json.dumps(bootstrap("0.0.0.0", "::")),
        json.dumps(bootstrap("${POD_IP}")),
        json.dumps(
            {"resources": [{"@type": "type.googleapis.com/envoy.config.cluster.v3.Cluster", "address": SOCKET}]}
        ),
        json.dumps({"static_resources": {"listeners": [{"name": "inside", "address": {"pipe": {"path": "/s"}}}]}}),
        json.dumps({"static_resources": {"listeners": [], "clusters": [{"address": SOCKET}]}}),
        json.dumps({"admin": {"address": SOCKET}, "node": {"id": "socket_address"}}),
        "# socket_address: {address: 0.0.0.0}\n",
        "socket_address: {address: 0.0.0.0}\n",
        "static_resources: [{{ socket_address }}",
        "static_resources: &a {listeners: [*a], socket_address: *a}",
        "admin: &b [*b, socket_address]",
        "static_resources: {listeners: [3, {address: {socket_address: [0.0.0.0]}}]}",
    ],
)
def test_both_families_loopback_upstreams_and_broken_text_stay_silent(value: str) -> None:
    assert messages("MSH002", config_maps=[config_map(value)]) == []


def contour(*args: str, image: str = "ghcr.io/projectcontour/contour:v1.30.0") -> dict[str, Any]:
    containers = [{"name": "contour", "image": image, "args": list(args)}]
    metadata = {"name": "contour", "namespace": "projectcontour"}
    spec = {"template": {"spec": {"containers": containers}}}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}


FLAGS = ("--envoy-service-http-address=::", "--envoy-service-https-address=::", "--stats-address=::")


def test_contour_needs_its_flags() -> None:
    (message,) = messages("MSH002", workloads=[contour("serve", *FLAGS[:2], "--stats-address=0.0.0.0")])
    assert "--stats-address is 0.0.0.0" in message
    assert "http-address" not in message
    assert "not given" in messages("MSH002", workloads=[contour("serve")])[0]


@pytest.mark.parametrize(
    "workload",
    [
        contour("serve", *FLAGS),
        contour("serve", "--contour-config-name=contour"),
        contour("envoy", "shutdown-manager"),
        contour("serve", image="example/other:1"),
    ],
)
def test_contour_with_them_its_helpers_and_others_stay_silent(workload: dict[str, Any]) -> None:
    assert messages("MSH002", workloads=[workload]) == []


def proxy(**spec: Any) -> dict[str, Any]:
    metadata = {"name": "edge", "namespace": "shop"}
    return {"apiVersion": "gateway.envoyproxy.io/v1alpha1", "kind": "EnvoyProxy", "metadata": metadata, "spec": spec}


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ({}, "has no `ipFamily`, which is IPv4;"),
        ({"ipFamily": "IPv4"}, "has `ipFamily: IPv4`;"),
        ({"ipFamily": "IPv6"}, ""),
        ({"ipFamily": "DualStack"}, ""),
    ],
)
def test_an_envoy_proxy_says_its_family(spec: dict[str, Any], told: str) -> None:
    found = messages("MSH002", envoy_proxies=[proxy(**spec)])
    assert (told in found[0]) if told else found == []


def gateway_class(controller: str = "gateway.envoyproxy.io/gatewayclass-controller", **spec: Any) -> dict[str, Any]:
    api = "gateway.networking.k8s.io/v1"
    spec = {"controllerName": controller, **spec}
    return {"apiVersion": api, "kind": "GatewayClass", "metadata": {"name": "edge"}, "spec": spec}


def gateway(**spec: Any) -> dict[str, Any]:
    metadata = {"name": "web", "namespace": "shop"}
    spec = {"gatewayClassName": "edge", **spec}
    return {"apiVersion": "gateway.networking.k8s.io/v1", "kind": "Gateway", "metadata": metadata, "spec": spec}


def test_a_class_without_a_proxy_has_its_gateways_as_further_places() -> None:
    others = gateway(gatewayClassName="other")
    (finding,) = judge("MSH002", gateway_classes=[gateway_class()], gateways=[gateway(), others]).findings
    assert len(finding.locations) == 2
    assert finding.evidence["gateways"] == ["web"]


def test_a_class_that_nobody_uses_yet_is_told_alone() -> None:
    assert len(messages("MSH002", gateway_classes=[gateway_class()])) == 1


@pytest.mark.parametrize(
    ("of_class", "of_gateway"),
    [
        (gateway_class("example.com/other"), gateway()),
        (gateway_class(parametersRef={"kind": "EnvoyProxy", "name": "edge"}), gateway()),
        (gateway_class(), gateway(infrastructure={"parametersRef": {"kind": "EnvoyProxy", "name": "edge"}})),
    ],
)
def test_a_class_or_all_gateways_with_a_proxy_stay_silent(of_class: dict[str, Any], of_gateway: dict[str, Any]) -> None:
    assert messages("MSH002", gateway_classes=[of_class], gateways=[of_gateway]) == []
