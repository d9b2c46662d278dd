"""Components: an earlier release is told once for each workload, and what it is told elsewhere can mend it."""

from __future__ import annotations

from typing import Any

import build
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eks6check.findings import Confidence, Finding, Severity
from eks6check.sources.sealing import seal

KEYCLOAK = "quay.io/keycloak/keycloak:21.1.2"
WINDMILL = "ghcr.io/windmill-labs/windmill-ee:1.600.0"


def workload(*containers: dict[str, Any], kind: str = "Deployment", **spec: Any) -> dict[str, Any]:
    pod = {"containers": [{"name": f"c{index}", **each} for index, each in enumerate(containers)], **spec}
    body = pod if kind == "Pod" else {"template": {"spec": pod}}
    return {"kind": kind, "metadata": {"name": "app", "namespace": "shop"}, "spec": body}


def config(**values: str) -> dict[str, Any]:
    return {"kind": "ConfigMap", "metadata": {"name": "conf", "namespace": "shop"}, "data": values}


def judged(*bodies: dict[str, Any], config_maps: Any = ()) -> list[Finding]:
    return list(build.judge("APP012", workloads=bodies, config_maps=config_maps).findings)


@pytest.mark.parametrize(
    ("image", "said"),
    [
        (KEYCLOAK, "Keycloak 21.1.2 in container c0; below 22.0.0, its start script gives Java"),
        ("grafana/mimir:2.10.5", "Grafana Mimir 2.10.5 in container c0; below 2.11.0, its rings put no brackets"),
        ("emissaryingress/emissary:3.3.1", "below 3.4.0, its health checks listen on IPv4 alone"),
        ("rancher/mirrored-longhornio-longhorn-manager:v1.8.1", "Longhorn v1.8.1"),
        ("apache/spark:3.3.2-scala2.12-java11-ubuntu", "Spark 3.3.2-scala2.12-java11-ubuntu"),
    ],
)
def test_an_earlier_release_is_told_with_what_it_does(image: str, said: str) -> None:
    (finding,) = judged(workload({"image": image}))
    assert said in finding.message
    assert (finding.severity, finding.confidence) == (Severity.WARNING, Confidence.MEDIUM)
    assert finding.evidence["image"] == image
    assert all(url.startswith("https://") for url in finding.evidence["sources"])


@pytest.mark.parametrize(
    "image",
    [
        "quay.io/keycloak/keycloak",
        "quay.io/keycloak/keycloak:latest",
        "quay.io/keycloak/keycloak:22.0.0",
        "quay.io/keycloak/keycloak@sha256:0a",
        "example.com/login/keycloak:1.4.2",
        "bitnami/keycloak:26.0.7-debian-12-r4",
        "bitnami/nginx-ingress-controller:1.9.4",
        "apache/spark:3.4.1-scala2.12-java11-ubuntu",
        "strimzi/kafka:0.30.0-kafka-3.2.0",
        "registry.k8s.io/external-dns/external-dns:v0.13.0",
        "cr.l5d.io/linkerd/controller:stable-2.14.0",
        "public.ecr.aws/eks/aws-load-balancer-controller:v2.2.0",
    ],
)
def test_later_releases_other_images_and_those_that_other_rules_judge_are_silent(image: str) -> None:
    assert judged(workload({"image": image})) == []


def test_a_workload_is_told_once_for_each_component_with_all_its_places() -> None:
    images = [KEYCLOAK, "grafana/loki:2.8.0", "keycloak/keycloak:20.0"]
    first, second = sorted(judged(workload(*({"image": image} for image in images))), key=lambda each: each.message)
    assert "Grafana Loki" in first.message
    assert second.evidence["containers"] == ["c0", "c2"]
    assert len(second.locations) == 1 + len(["c2"])


@pytest.mark.parametrize("field", ["initContainers", "ephemeralContainers"])
def test_containers_that_come_before_or_later_count(field: str) -> None:
    body = workload({"image": "busybox"}, kind="Pod", **{field: [{"name": "x", "image": KEYCLOAK}]})
    (finding,) = judged(body)
    assert "in container x" in finding.message


@pytest.mark.parametrize(
    ("container", "config_map"),
    [
        ({"env": [{"name": "JAVA_OPTS_APPEND", "value": "-Djava.net.preferIPv4Stack=false"}]}, config()),
        ({"env": [{"name": "JAVA_OPTS", "value": "-Xmx1g"}]}, config()),
        ({"args": ["start", "-Djava.net.preferIPv4Stack=false"]}, config()),
        ({"envFrom": [{"configMapRef": {"name": "conf"}}]}, config(JAVA_OPTS="-Xmx1g")),
    ],
)
def test_what_a_workload_says_can_mend_an_earlier_release(container: Any, config_map: Any) -> None:
    assert judged(workload({"image": KEYCLOAK, **container}), config_maps=[config_map]) == []
    assert judged(workload({"image": KEYCLOAK}), config_maps=[config_map])


@pytest.mark.parametrize(
    ("image", "env", "told"),
    [
        (WINDMILL, {"MODE": "worker"}, True),
        (WINDMILL, {"MODE": "server"}, False),
        (WINDMILL, {}, False),
        ("n8nio/n8n:1.70.0", {"QUEUE_BULL_REDIS_DUALSTACK": "true"}, True),
        ("n8nio/n8n:1.70.0", {"QUEUE_BULL_REDIS_HOST": "redis"}, False),
        ("n8nio/n8n:1.79.0", {"QUEUE_BULL_REDIS_DUALSTACK": "true"}, False),
    ],
)
def test_some_are_at_fault_in_one_role_alone(image: str, env: dict[str, str], told: bool) -> None:  # noqa: FBT001  a table's column
    variables = [{"name": name, "value": value} for name, value in env.items()]
    assert bool(judged(workload({"image": image, "env": variables}))) is told


@pytest.mark.parametrize(
    ("image", "name", "value"),
    [
        (WINDMILL, "MODE", "worker"),
        (WINDMILL, "MODE", "server"),
        (KEYCLOAK, "JAVA_OPTS", "-Xmx1g"),
        (KEYCLOAK, "X", "y"),
    ],
)
def test_a_snapshot_says_the_same(image: str, name: str, value: str) -> None:
    body = workload({"image": image, "env": [{"name": name, "value": value}]})
    assert len(judged(dict(seal(body)))) == len(judged(body))


def test_what_only_degrades_is_a_note() -> None:
    (finding,) = judged(workload({"image": "quay.io/strimzi/operator:0.30.0"}))
    assert finding.severity is Severity.INFO


def test_a_setting_that_is_needed_besides_stands_in_the_remedy() -> None:
    with_setting, without = judged(workload({"image": "grafana/tempo:2.1.0"}, {"image": KEYCLOAK}))
    assert with_setting.remedy.strip() == (
        "Use Grafana Tempo 2.2.0 or later, in the old cluster first, and tell each ring to use IPv6."
    )
    assert without.remedy.strip() == "Use Keycloak 22.0.0 or later, in the old cluster first."


@pytest.mark.parametrize("image", [None, 21, True, [], {}, ["quay.io/keycloak/keycloak:21.1.2"]])
def test_an_image_of_another_type_is_no_image(image: Any) -> None:
    assert judged(workload({"image": image})) == []


@given(st.text(max_size=20), st.sampled_from(["grafana/loki", "library/spark", "spark", "n8nio/n8n", ""]))
def test_no_tag_raises(label: str, image: str) -> None:
    judged(workload({"image": f"{image}:{label}"}))
