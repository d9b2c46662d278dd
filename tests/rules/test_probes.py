"""Hosts of probes and addresses of host ports: IPv4 literals, and what is none."""

from __future__ import annotations

from typing import Any

import pytest
from build import judge, messages


def workload(container: dict[str, Any], **spec: Any) -> dict[str, Any]:
    pod = {"containers": [{"name": "app", "image": "app:1", **container}], **spec}
    meta = {"name": "web", "namespace": "shop"}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": {"template": {"spec": pod}}}


def http(host: Any) -> dict[str, Any]:
    return {"httpGet": {"host": host, "port": 8080}}


@pytest.mark.parametrize(
    ("container", "words"),
    [
        ({"livenessProbe": http("127.0.0.1")}, "livenessProbe of container app ask 127.0.0.1, which is the node's own"),
        ({"readinessProbe": {"tcpSocket": {"host": "10.0.3.7", "port": 1}}}, "10.0.3.7, which is no address of a pod"),
        ({"startupProbe": http(" 127.0.0.1 ")}, "startupProbe"),
        ({"lifecycle": {"preStop": http("127.0.0.1")}}, "preStop"),
    ],
)
def test_a_probe_of_an_ipv4_address_is_told(container: dict[str, Any], words: str) -> None:
    (message,) = messages("APP008", workloads=[workload(container)])
    assert words in message


@pytest.mark.parametrize(
    "container",
    [
        {"livenessProbe": {"httpGet": {"port": 8080}}},
        {"livenessProbe": http("localhost")},
        {"livenessProbe": http("::1")},
        {"livenessProbe": http("web.example.com")},
        {"livenessProbe": {"httpGet": {"port": 80, "httpHeaders": [{"name": "Host", "value": "127.0.0.1"}]}}},
        {"livenessProbe": {"exec": {"command": ["curl", "http://127.0.0.1:8080"]}}},
        {"livenessProbe": {"grpc": {"port": 1, "service": "127.0.0.1"}}},
        {"livenessProbe": http(3)},
        {"lifecycle": {"preStop": "127.0.0.1"}},
    ],
)
def test_probes_that_leave_the_host_to_kubelet_are_left_alone(container: dict[str, Any]) -> None:
    assert messages("APP008", workloads=[workload(container)]) == []


def test_pods_on_the_nodes_network_are_rightly_probed_at_its_loopback() -> None:
    assert messages("APP008", workloads=[workload({"livenessProbe": http("127.0.0.1")}, hostNetwork=True)]) == []


def test_a_control_plane_that_eks_runs_itself_is_left_alone() -> None:
    pod = {"containers": [{"name": "kube-apiserver", "livenessProbe": http("127.0.0.1")}]}
    labels = {"component": "kube-apiserver", "tier": "control-plane"}
    kubeadm = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "api", "labels": labels}, "spec": pod}
    assert messages("APP008", workloads=[kubeadm]) == []
    assert len(messages("APP008", workloads=[{**kubeadm, "metadata": {"name": "api", "labels": [labels]}}])) == 1


def test_a_workload_is_told_once_with_each_of_its_probes() -> None:
    probes = {"livenessProbe": http("127.0.0.1"), "readinessProbe": http("127.0.0.1")}
    (finding,) = judge("APP008", workloads=[workload(probes)]).findings
    assert len(finding.evidence["hosts"]) == 2


def port(host: Any, number: Any = 8125) -> dict[str, Any]:
    return {"containerPort": 8125, "hostPort": number, "hostIP": host}


@pytest.mark.parametrize("host", ["0.0.0.0", "127.0.0.1", "10.0.3.7"])
def test_a_host_port_at_an_ipv4_address_is_told(host: str) -> None:
    (message,) = messages("APP009", workloads=[workload({"ports": [port(host)]})])
    assert f"binds hostPort 8125 of container app to {host}" in message


@pytest.mark.parametrize(
    "ports",
    [
        [port("")],
        [port(None)],
        [port("::")],
        [port("0.0.0.0"), port("::")],
        [port("10.0.3.7", None)],
        [port("$(HOST_IP)")],
        [port(3)],
        "x",
    ],
)
def test_host_ports_of_any_or_both_families_are_left_alone(ports: Any) -> None:
    assert messages("APP009", workloads=[workload({"ports": ports})]) == []


def test_a_port_of_a_pod_on_the_nodes_network_is_bound_by_its_program() -> None:
    assert messages("APP009", workloads=[workload({"ports": [port("127.0.0.1")]}, hostNetwork=True)]) == []
