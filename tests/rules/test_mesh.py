"""Istio's and Linkerd's own settings: what the mesh must be told, and objects that name IPv4 addresses."""

from __future__ import annotations

from typing import Any

import pytest
from build import judge, messages

OUTBOUND = "ISTIO_ENABLE_IPV4_OUTBOUND_LISTENER_FOR_IPV6_CLUSTERS"


def thing(api: str, kind: str, **spec: Any) -> dict[str, Any]:
    metadata = {"name": "mesh", "namespace": "istio-system"}
    return {"apiVersion": api, "kind": kind, "metadata": metadata, "spec": spec}


def operator(**spec: Any) -> dict[str, Any]:
    return thing("install.istio.io/v1alpha1", "IstioOperator", **spec)


def istiod(image: str = "docker.io/istio/pilot:1.24.0", **env: str) -> dict[str, Any]:
    variables = [{"name": name, "value": value} for name, value in env.items()]
    containers = [{"name": "discovery", "image": image, "env": variables}]
    return thing("apps/v1", "Deployment", template={"spec": {"containers": containers}})


ON = {"name": OUTBOUND, "value": "true"}


@pytest.mark.parametrize("spec", [{}, {"profile": "default"}, {"values": {"pilot": {"env": {OUTBOUND: False}}}}])
def test_an_installation_without_the_variable_is_a_warning(spec: dict[str, Any]) -> None:
    assert len(messages("MSH001", istio_installations=[operator(**spec)])) == 1


def test_an_installation_without_a_name_is_told_as_such() -> None:
    (message,) = messages("MSH001", istio_installations=[{**operator(), "metadata": None}])
    assert message.startswith(f"IstioOperator without a name does not set {OUTBOUND}")


@pytest.mark.parametrize(
    "spec",
    [
        {"values": {"pilot": {"env": {OUTBOUND: True}}}},
        {"values": {"pilot": {"env": {"ISTIO_DUAL_STACK": "true"}}}},
        {"components": {"pilot": {"k8s": {"env": [None, ON]}}}},
        {"components": {"pilot": {"enabled": False}}},
        {"profile": "ambient"},
        {"profile": "empty"},
    ],
)
def test_one_with_it_a_gateway_alone_and_ambient_stay_silent(spec: dict[str, Any]) -> None:
    assert messages("MSH001", istio_installations=[operator(**spec)]) == []


def test_istiod_is_judged_where_no_installation_is_in_view() -> None:
    assert len(messages("MSH001", workloads=[istiod()])) == 1
    assert messages("MSH001", workloads=[istiod(**{OUTBOUND: "true"})]) == []
    assert messages("MSH001", workloads=[istiod(image="example/app:1")]) == []
    assert len(messages("MSH001", workloads=[istiod()], istio_installations=[operator()])) == 1


@pytest.mark.parametrize(
    ("workload", "told"),
    [
        (istiod(**{OUTBOUND: "false"}), 1),
        (istiod("gcr.io/istio-release/pilot:1.22.0-distroless"), 1),
        (istiod(ISTIO_DUAL_STACK="true"), 0),
        (istiod(PILOT_ENABLE_AMBIENT="true"), 0),
        (istiod("docker.io/istio/proxyv2:1.24.0"), 0),
    ],
)
def test_istiod_is_told_by_any_of_its_variables(workload: dict[str, Any], told: int) -> None:
    assert len(messages("MSH001", workloads=[workload])) == told


def test_the_mesh_labels_of_a_namespace_or_a_pod_are_no_configuration() -> None:
    template = {
        "metadata": {"labels": {"sidecar.istio.io/inject": "true"}},
        "spec": {"containers": [{"name": "discovery"}]},
    }
    assert messages("MSH001", workloads=[thing("apps/v1", "Deployment", template=template)]) == []
    helper = istiod()
    helper["spec"]["template"]["spec"]["containers"][0]["name"] = "validation"
    assert messages("MSH001", workloads=[helper]) == []


def networking(kind: str, **spec: Any) -> dict[str, Any]:
    return thing("networking.istio.io/v1", kind, **spec)


PORT = {"number": 443, "name": "https", "protocol": "TLS"}


def patch(name: str) -> dict[str, Any]:
    return networking("EnvoyFilter", configPatches=[{"match": {"listener": {"name": name}}}])


@pytest.mark.parametrize(
    "each",
    [
        networking("ServiceEntry", addresses=["10.1.2.3", "db"], ports=[PORT]),
        networking("Sidecar", egress=[{"bind": "0.0.0.0"}]),
        networking("Sidecar", ingress=[{"bind": "0.0.0.0", "port": PORT}]),
        networking(
            "EnvoyFilter", configPatches=[{"patch": {"value": {"address": {"socket_address": {"address": "0.0.0.0"}}}}}]
        ),
        patch("0.0.0.0_8080"),
    ],
)
def test_an_ipv4_address_that_the_mesh_matches_by_is_a_warning(each: dict[str, Any]) -> None:
    assert len(messages("MSH001", istio_networking=[each])) == 1


@pytest.mark.parametrize(
    "each",
    [
        networking("ServiceEntry", addresses=["240.240.0.1"], ports=[PORT]),
        networking("ServiceEntry", addresses=["10.1.2.3", "fd00::3"], ports=[PORT]),
        networking("ServiceEntry", hosts=["db.example.com"], addresses=[None, 3], ports=[PORT]),
        networking("ServiceEntry", addresses=["1.1.1.1/32"]),
        networking("ServiceEntry", hosts=["metadata.google.internal"], addresses=["169.254.169.254"], ports=[PORT]),
        networking("Sidecar", egress=[{"bind": "127.0.0.1"}, None], ingress=3),
        patch("[::]_8080"),
        patch("virtualInbound"),
        patch("outbound|80||web.shop.svc.cluster.local"),
        networking("ServiceEntry", hosts=["db.example.com"], resolution="DNS", ports=[PORT]),
        networking("Unknown", addresses=["10.1.2.3"]),
    ],
)
def test_both_families_loopback_and_names_stay_silent(each: dict[str, Any]) -> None:
    assert messages("MSH001", istio_networking=[each]) == []


def linkerd(values: str, name: str = "linkerd-config") -> dict[str, Any]:
    metadata = {"name": name, "namespace": "linkerd"}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"values": values}}


def test_linkerd_with_ipv6_off_or_too_old_is_a_blocker() -> None:
    (off,) = judge("MSH003", config_maps=[linkerd("disableIPv6: true\nlinkerdVersion: edge-24.8.2")]).findings
    (old,) = judge("MSH003", config_maps=[linkerd("linkerdVersion: stable-2.14.10")]).findings
    assert "sets `disableIPv6: true`" in off.message
    assert off.evidence == {"disableIPv6": "true", "linkerdVersion": "edge-24.8.2"}
    assert "stable-2.14.10" in old.message


@pytest.mark.parametrize(
    "each",
    [
        linkerd("disableIPv6: false\nlinkerdVersion: stable-2.16.0"),
        linkerd("# disableIPv6: true\nproxy: {}"),
        linkerd("disableIPv6: 'false'\nlinkerdVersion: edge-24.9.1"),
        linkerd("proxy: {disableIPv6: true}"),
        linkerd("disableIPv6: true", name="other"),
        linkerd("disableIPv6: [true"),
        linkerd("- disableIPv6"),
    ],
)
def test_linkerd_with_ipv6_and_other_config_maps_stay_silent(each: dict[str, Any]) -> None:
    assert messages("MSH003", config_maps=[each]) == []
