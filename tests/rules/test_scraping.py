"""Relabelling that fits IPv4 alone, and targets by address; patterns that know brackets stay silent."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from build import judge, messages

from eks6check.findings import Severity

PORT = "__meta_kubernetes_pod_annotation_prometheus_io_port"
POD_IP = "__meta_kubernetes_pod_ip"


def prometheus(config: Any, key: str = "prometheus.yml") -> dict[str, Any]:
    value = config if isinstance(config, str) else yaml.safe_dump(config)
    metadata = {"name": "prometheus", "namespace": "monitoring"}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {key: value}}


def job(*rules: dict[str, Any]) -> dict[str, Any]:
    return prometheus({"scrape_configs": [{"job_name": "pods", "relabel_configs": list(rules)}]})


def relabel(sources: list[str], regex: str, replacement: str = "$1:$2", **more: str) -> dict[str, Any]:
    return {
        "source_labels": sources,
        "regex": regex,
        "replacement": replacement,
        "target_label": "__address__",
        **more,
    }


def monitor(kind: str, **spec: Any) -> dict[str, Any]:
    metadata = {"name": "web", "namespace": "shop"}
    return {"apiVersion": "monitoring.coreos.com/v1", "kind": kind, "metadata": metadata, "spec": spec}


USUAL = relabel(["__address__", PORT], r"([^:]+)(?::\d+)?;(\d+)")
SAFE = relabel(["__address__", PORT], r"(\[[0-9A-Fa-f:.]+\]|[^:]+)(?::\d+)?;(\d+)")


@pytest.mark.parametrize(
    "rule",
    [
        USUAL,
        relabel(["__address__"], r"([^:]+):\d+", "$1:9100"),
        relabel([PORT, POD_IP], r"(\d+);((([0-9]+?)(\.|$)){4})", "$2:$1"),
        relabel([POD_IP], "(.*)", "${1}:8080"),
        {"source_labels": ["__address__"], "regex": "[^:]+:9100", "action": "keep"},
    ],
)
def test_a_rule_that_loses_ipv6_targets_is_a_warning(rule: dict[str, Any]) -> None:
    (finding,) = judge("OBS001", config_maps=[job(rule)]).findings
    assert finding.evidence["rules"][0]["regex"] == rule["regex"]


@pytest.mark.parametrize(
    "rules",
    [
        [SAFE],
        [relabel(["__address__"], r"(.*):10250", "${1}:9100")],
        [relabel([POD_IP], "(.*)", "[$1]:8080")],
        [relabel([PORT, POD_IP], r"(\d+);(.*::?.*)", "[$2]:$1"), relabel([PORT, POD_IP], r"(\d+);([0-9.]+)", "$2:$1")],
        [relabel(["__address__"], r"([^:]+):\d+", "$1", target_label="instance")],
        [relabel(["__meta_kubernetes_pod_name"], r"([^:]+)", "$1:80")],
        [None, 3, {"source_labels": "__address__", "regex": 3}],
    ],
)
def test_rules_for_both_families_and_for_other_labels_stay_silent(rules: list[Any]) -> None:
    assert messages("OBS001", config_maps=[job(*rules)]) == []


def test_comments_and_metric_relabelling_stay_silent() -> None:
    commented = "scrape_configs:\n- job_name: a\n  relabel_configs: []\n  # regex: ([^:]+)(?::\\d+)?;(\\d+)\n"
    metrics = {"scrape_configs": [{"metric_relabel_configs": [USUAL]}], "x": {"relabel_configs": []}}
    assert messages("OBS001", config_maps=[prometheus(commented), prometheus(metrics)]) == []


def test_objects_of_the_operator_are_read() -> None:
    rule = {"sourceLabels": USUAL["source_labels"], "targetLabel": "__address__", **USUAL}
    rule = {key: rule[key] for key in ("sourceLabels", "regex", "replacement", "targetLabel")}
    pods = monitor("PodMonitor", podMetricsEndpoints=[{"port": "web", "relabelings": [rule]}])
    services = monitor("ServiceMonitor", endpoints=[{"port": "web", "metricRelabelings": [rule]}])
    assert len(messages("OBS001", scrape_configs=[pods, services])) == 1


def targets(*addresses: Any) -> dict[str, Any]:
    return prometheus({"scrape_configs": [{"job_name": "a", "static_configs": [{"targets": list(addresses)}]}]})


@pytest.mark.parametrize(
    ("addresses", "severities"),
    [
        (["172.20.0.10:9153"], ["warning"]),
        (["10.0.4.7:9100", "http://10.0.4.8/health"], ["info"]),
        (["10.100.0.1:443", "192.0.2.1"], ["warning", "info"]),
        (["localhost:9090", "127.0.0.1:9090", "[fd00::1]:80", "web.shop.svc:80", "1.2.3:80", None, 3], []),
    ],
)
def test_targets_by_address(addresses: list[Any], severities: list[str]) -> None:
    found = judge("OBS002", config_maps=[targets(*addresses)]).findings
    assert [each.severity for each in found] == severities


def test_a_service_in_view_is_a_target_of_the_old_cluster() -> None:
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"}, "spec": {"clusterIP": "10.96.3.4"}}
    (finding,) = judge("OBS002", config_maps=[targets("10.96.3.4:80")], services=[service]).findings
    assert finding.severity is Severity.WARNING


@pytest.mark.parametrize(("fallback", "told"), [("false", 1), ("true", 0)])
def test_a_blackbox_module_for_ipv4_alone(fallback: str, told: int) -> None:
    text = f"modules:\n  http_2xx:\n    http: {{preferred_ip_protocol: ip4, ip_protocol_fallback: {fallback}}}\n"
    assert len(messages("OBS002", config_maps=[prometheus(text, "blackbox.yml")])) == told
