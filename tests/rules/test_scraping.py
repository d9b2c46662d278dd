"""Relabelling that fits IPv4 alone, and targets by address; patterns that know brackets stay silent."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from build import judge, messages

from eks6check.findings import Finding, Severity

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
        relabel(["__meta_kubernetes_node_address_InternalIP"], "(.*)", "$1:9100"),
        relabel(["__meta_kubernetes_pod_host_ip"], "(.+)", "$1:9100"),
        relabel(["__address__", PORT], r"([^:;]+)(?::\d+)?;(\d+)"),
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
        [relabel([POD_IP], "(.*)", "$1:8080", target_label="instance")],
        [relabel([POD_IP], "(.*)", "$1")],
        [relabel([POD_IP], "(.*)", "$1:8080", action="hashmod")],
        [relabel(["__address__"], r"([^:]+):\d+", "$1:9100", action="lowercase")],
        [{"source_labels": ["__address__"], "regex": "[^:]+:9100", "action": "drop"}],
        [{"source_labels": ["__address__"], "target_label": "__address__"}],
        [relabel(["__address__", PORT], r"(.+?)(?::\d+)?;(\d+)")],
        [None, 3, {"source_labels": "__address__", "regex": 3}],
    ],
)
def test_rules_for_both_families_and_for_other_labels_stay_silent(rules: list[Any]) -> None:
    assert messages("OBS001", config_maps=[job(*rules)]) == []


def test_brackets_for_another_label_are_no_twin() -> None:
    other = relabel([POD_IP], "(.*)", "[$1]", target_label="instance")
    assert len(messages("OBS001", config_maps=[job(USUAL, other)])) == 1


def test_one_object_is_one_finding_with_all_its_rules() -> None:
    (finding,) = judge("OBS001", config_maps=[job(USUAL, relabel([POD_IP], "(.*)", "$1:80"))]).findings
    assert "and 1 more like it" in finding.message
    assert len(finding.evidence["rules"]) == 2
    assert "more like it" not in messages("OBS001", config_maps=[job(USUAL)])[0]


def test_a_rule_without_a_pattern_takes_the_whole_address() -> None:
    rule = {"source_labels": [POD_IP], "replacement": "$1:9100", "target_label": "__address__"}
    (message,) = messages("OBS001", config_maps=[job(rule)])
    assert "with `(.*)` and `$1:9100`" in message


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


def fixed(**sections: Any) -> tuple[Finding, ...]:
    return judge("OBS002", **{"config_maps": (), "scrape_configs": (), **sections}).findings


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
    found = fixed(config_maps=[targets(*addresses)])
    assert [each.severity for each in found] == severities


def test_the_old_clusters_targets_are_told_apart_from_those_outside() -> None:
    inside, outside = fixed(config_maps=[targets("10.100.0.1:443", "192.0.2.1")])
    assert inside.message.endswith("names the scrape targets 10.100.0.1, which the IPv6 cluster does not have.")
    assert outside.message.endswith("192.0.2.1, which pods reach through IPv4 egress alone.")
    assert inside.remedy != outside.remedy
    assert inside.fingerprint != outside.fingerprint


def test_a_service_in_view_is_a_target_of_the_old_cluster() -> None:
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"}, "spec": {"clusterIP": "10.96.3.4"}}
    (finding,) = fixed(config_maps=[targets("10.96.3.4:80")], services=[service])
    assert finding.severity is Severity.WARNING


@pytest.mark.parametrize(
    ("preferred", "fallback", "told"), [("ip4", "false", 1), ("ip4", "true", 0), ("ip6", "false", 0)]
)
def test_a_blackbox_module_for_ipv4_alone(preferred: str, fallback: str, told: int) -> None:
    http = f"{{preferred_ip_protocol: {preferred}, ip_protocol_fallback: {fallback}}}"
    text = f"modules:\n  http_2xx:\n    http: {http}\n"
    assert len(fixed(config_maps=[prometheus(text, "blackbox.yml")])) == told


@pytest.mark.parametrize(("cidr", "severity"), [("10.96.0.0/12", "warning"), ("192.168.0.0/16", "info")])
def test_a_range_of_the_old_cluster_tells_its_addresses_from_others(cidr: str, severity: str) -> None:
    old = {"id": cidr, "role": "service", "cidr_block": cidr}
    (finding,) = fixed(config_maps=[targets("10.96.3.4:80")], old_ranges=[old])
    assert finding.severity == severity


def alloy(rule: str) -> dict[str, Any]:
    pods = 'discovery.kubernetes "pods" { role = "pod" }'
    value = f'{pods}\ndiscovery.relabel "pods" {{\n  targets = discovery.kubernetes.pods.targets\n{rule}\n}}\n'
    return prometheus(value, "config.alloy")


ALLOY = """  rule {{
    source_labels = ["__address__", "__meta_kubernetes_pod_annotation_prometheus_io_port"]
    regex         = "{}"
    replacement   = "{}"
    target_label  = "__address__"
  }}
"""


def test_alloy_s_rules_are_read_as_those_of_prometheus() -> None:
    (finding,) = judge("OBS001", config_maps=[alloy(ALLOY.format(r"([^:]+)(?::\\d+)?;(\\d+)", "$1:$2"))]).findings
    assert finding.evidence["rules"] == [{"regex": r"([^:]+)(?::\\d+)?;(\\d+)", "replacement": "$1:$2"}]


@pytest.mark.parametrize(
    "rule",
    [
        ALLOY.format(r"(\\[[0-9A-Fa-f:.]+\\]|[^:]+)(?::\\d+)?;(\\d+)", "$1:$2"),
        ALLOY.format("([^:]+);(.+)", "$1:$2") + ALLOY.format("(.+):(.+);(.+)", "[$1]:$3"),
        ALLOY.format("([^:]+)", "$1").replace("__address__", "instance"),
        "rule {",
        "rule { regex = }",
        "",
    ],
)
def test_alloy_s_rules_that_know_brackets_and_broken_ones_are_left_alone(rule: str) -> None:
    assert not messages("OBS001", config_maps=[alloy(rule)])


def collector(config: Any) -> dict[str, Any]:
    metadata = {"name": "otel", "namespace": "monitoring"}
    return {"apiVersion": "opentelemetry.io/v1beta1", "kind": "OpenTelemetryCollector", "metadata": metadata} | {
        "spec": {"config": config}
    }


RECEIVER = {"receivers": {"prometheus": {"config": {"scrape_configs": [{"relabel_configs": [USUAL]}]}}}}


@pytest.mark.parametrize("config", [RECEIVER, yaml.safe_dump(RECEIVER)])
def test_the_opentelemetry_operator_s_configuration_is_read_as_yaml_and_as_text(config: Any) -> None:
    assert len(messages("OBS001", operator_objects=[collector(config)])) == 1


@pytest.mark.parametrize("config", [None, 7, [], "relabel_configs: [", {"receivers": None}])
def test_a_collector_s_configuration_of_any_type_is_judged(config: Any) -> None:
    assert not messages("OBS001", operator_objects=[collector(config)])
