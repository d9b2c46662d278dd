"""RabbitMQ's nodes among each other."""

from __future__ import annotations

from typing import Any

import build
import pytest

from eks6check.findings import Severity

SERVER = {"name": "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", "value": "-proto_dist inet6_tcp"}
TOOLS = {"name": "RABBITMQ_CTL_ERL_ARGS", "value": "-proto_dist inet6_tcp"}


def workload(replicas: Any, image: str = "bitnami/rabbitmq:4.1", **container: Any) -> dict[str, Any]:
    body = {"name": "rabbitmq", "image": image, "volumeMounts": [{"name": "conf", "mountPath": "/etc/rabbitmq"}]}
    spec = {"containers": [{**body, **container}], "volumes": [{"name": "conf", "configMap": {"name": "conf"}}]}
    metadata = {"name": "rabbitmq", "namespace": "shop"}
    return {"kind": "StatefulSet", "metadata": metadata, "spec": {"replicas": replicas, "template": {"spec": spec}}}


def config(**data: str) -> dict[str, Any]:
    return {"kind": "ConfigMap", "metadata": {"name": "conf", "namespace": "shop"}, "data": data}


FORMATION = config(**{"rabbitmq.conf": "cluster_formation.peer_discovery_backend = k8s\n"})


@pytest.mark.parametrize(
    ("body", "config_map", "severity"),
    [
        (workload(3), config(), Severity.BLOCKER),
        (workload(1), FORMATION, Severity.BLOCKER),
        (workload(3, env=[TOOLS]), config(), Severity.BLOCKER),
        (workload(3, env=[SERVER]), config(), Severity.WARNING),
        (workload(3, env=[{**SERVER, "value": "+S 2:2"}, TOOLS]), config(), Severity.BLOCKER),
    ],
)
def test_nodes_that_look_for_others_need_ipv6_for_server_and_tools(
    body: Any, config_map: Any, severity: Severity
) -> None:
    judged = build.judge("APP006", workloads=[body], config_maps=[config_map])
    assert [finding.severity for finding in judged.findings] == [severity]


@pytest.mark.parametrize(
    ("body", "config_map"),
    [
        (workload(3, env=[SERVER, TOOLS]), config()),
        (workload(3), config(**{"rabbitmq-env.conf": "SERVER_ADDITIONAL_ERL_ARGS='-proto_dist inet6_tcp'"})),
        (
            workload(3, envFrom=[{"configMapRef": {"name": "conf"}}]),
            config(**{SERVER["name"]: SERVER["value"], TOOLS["name"]: TOOLS["value"]}),
        ),
        (workload(1), config()),
        (workload(1), config(**{"rabbitmq.conf": "# cluster_formation.peer_discovery_backend = k8s"})),
        (workload(None), config()),
        (workload(3, image="kbudde/rabbitmq-exporter:1"), config()),
    ],
)
def test_one_node_alone_settings_that_speak_of_ipv6_and_other_programs_are_left_alone(
    body: Any, config_map: Any
) -> None:
    assert not build.messages("APP006", workloads=[body], config_maps=[config_map])


def operated(**rabbitmq: Any) -> dict[str, Any]:
    return {"kind": "RabbitmqCluster", "metadata": {"name": "q"}, "spec": {"rabbitmq": rabbitmq}}


def test_the_operator_has_its_nodes_look_for_others_whatever_their_number() -> None:
    (finding,) = build.judge("APP006", operator_objects=[operated(additionalConfig="log.console = true")]).findings
    assert finding.severity is Severity.BLOCKER
    assert "erlangInetConfig" in finding.remedy


@pytest.mark.parametrize(
    "body",
    [
        operated(envConfig='SERVER_ADDITIONAL_ERL_ARGS="-proto_dist inet6_tcp"'),
        {"kind": "Kafka", "metadata": {"name": "k"}, "spec": {}},
    ],
)
def test_an_operator_that_is_told_and_others_are_left_alone(body: dict[str, Any]) -> None:
    assert not build.messages("APP006", operator_objects=[body])
