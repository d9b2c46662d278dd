"""Services that an API server with one family refuses, and the ones beside them that it takes."""

from __future__ import annotations

from typing import Any

import pytest
from build import judge, messages, resource

from eks6check.findings import Confidence, Severity, State

AZURE = "service.beta.kubernetes.io/azure-load-balancer-internal"


def service(**spec: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "shop"}, "spec": spec}


def test_a_service_that_asks_for_ipv4_is_told_with_the_values_seen() -> None:
    assert messages("SVC001", services=[service(ipFamilies=["IPv4"], ipFamilyPolicy="SingleStack")]) == [
        "Service shop/web asks for ipFamilies ['IPv4'], and an IPv6 cluster has only IPv6 to give."
    ]


@pytest.mark.parametrize("families", [["IPv4", "IPv6"], ["IPv6", "IPv4"]])
def test_any_ipv4_among_the_families_is_enough(families: list[str]) -> None:
    assert messages("SVC001", services=[service(ipFamilies=families, ipFamilyPolicy="PreferDualStack")])


@pytest.mark.parametrize(
    "spec",
    [
        {"ipFamilies": ["IPv6"]},
        {"ipFamilyPolicy": "PreferDualStack"},
        {"ipFamilies": ["IPv4"], "clusterIP": "None"},
        {"ipFamilies": ["IPv4"], "clusterIP": "None", "selector": {}},
        {"ipFamilies": ["IPv4"], "type": "ExternalName", "externalName": "db.example.com"},
        {"ipFamilies": None},
        {"ipFamilies": "IPv4"},
        {},
    ],
)
def test_what_an_ipv6_cluster_takes_stays_silent_about_families(spec: dict[str, Any]) -> None:
    assert judge("SVC001", services=[service(**spec)]).state is State.PASSED


@pytest.mark.parametrize(
    ("annotations", "spec"), [({AZURE: "true"}, {}), (None, {"loadBalancerIP": "104.154.109.191"})]
)
def test_a_file_for_another_clouds_load_balancer_is_an_aside(annotations: Any, spec: dict[str, Any]) -> None:
    body = service(type="LoadBalancer", ipFamilies=["IPv4"], **spec)
    body["metadata"]["annotations"] = annotations
    (aside,) = judge("SVC001", services=[resource(body, "manifests")]).findings
    (live,) = judge("SVC001", services=[resource(body)]).findings
    assert (aside.severity, aside.confidence) == (Severity.INFO, Confidence.LOW)
    assert aside.message.endswith("which is for other load balancers.")
    assert (live.severity, live.confidence) == (Severity.BLOCKER, Confidence.HIGH)


def test_annotations_of_another_cloud_say_nothing_where_no_load_balancer_is_asked_for() -> None:
    body = service(ipFamilies=["IPv4"])
    body["metadata"]["annotations"] = {"cloud.google.com/neg": "{}"}
    (finding,) = judge("SVC001", services=[resource(body, "manifests")]).findings
    assert finding.severity is Severity.BLOCKER


def test_a_headless_service_with_a_selector_is_still_refused() -> None:
    spec = {"ipFamilies": ["IPv4"], "clusterIP": "None", "selector": {"app": "web"}}
    assert messages("SVC001", services=[service(**spec)])


def test_a_required_dual_stack_is_told() -> None:
    assert messages("SVC002", services=[service(ipFamilyPolicy="RequireDualStack")]) == [
        "Service shop/web has ipFamilyPolicy RequireDualStack, and an EKS cluster has a single family."
    ]


@pytest.mark.parametrize(
    "spec",
    [
        {"ipFamilyPolicy": "PreferDualStack"},
        {"ipFamilyPolicy": "SingleStack"},
        {"ipFamilyPolicy": "RequireDualStack", "clusterIP": "None"},
        {"ipFamilyPolicy": ["RequireDualStack"]},
    ],
)
def test_other_policies_stay_silent(spec: dict[str, Any]) -> None:
    assert messages("SVC002", services=[service(**spec)]) == []


@pytest.mark.parametrize("spec", [{"clusterIP": "10.100.3.4"}, {"clusterIPs": ["10.100.3.4"]}])
def test_a_literal_ipv4_cluster_ip_is_told_once(spec: dict[str, Any]) -> None:
    assert messages("SVC003", services=[service(**spec)]) == [
        "Service shop/web carries the cluster IP 10.100.3.4, which no IPv6 cluster can assign."
    ]
    assert len(messages("SVC003", services=[service(clusterIP="10.100.3.4", clusterIPs=["10.100.3.4"])])) == 1


@pytest.mark.parametrize(
    "spec",
    [
        {"clusterIP": "None"},
        {"clusterIP": ""},
        {"clusterIP": "fd3b:7a1c::a"},
        {"clusterIP": "10.100.3.4", "type": "ExternalName"},
        {"clusterIP": 10},
        {"clusterIPs": [None, ["10.1.1.1"]]},
    ],
)
def test_other_cluster_ips_stay_silent(spec: dict[str, Any]) -> None:
    assert messages("SVC003", services=[service(**spec)]) == []


@pytest.mark.parametrize("rule", ["SVC001", "SVC002", "SVC003"])
def test_the_api_servers_own_service_is_not_the_users_fault(rule: str) -> None:
    spec = service(clusterIP="10.100.0.1", ipFamilies=["IPv4"], ipFamilyPolicy="RequireDualStack")
    assert messages(rule, services=[{**spec, "metadata": {"name": "kubernetes", "namespace": "default"}}]) == []


def test_a_service_of_another_api_group_is_not_looked_at_by_name_alone() -> None:
    knative = resource("{apiVersion: serving.knative.dev/v1, kind: Service, metadata: {name: web}}")
    assert knative.subject.id == "serving.knative.dev/Service/default/web"


def kafka(**template: Any) -> dict[str, Any]:
    spec = {"kafka": {"template": {"bootstrapService": template, "brokersService": template}}}
    return {"apiVersion": "kafka.strimzi.io/v1beta2", "kind": "Kafka", "metadata": {"name": "log"}, "spec": spec}


@pytest.mark.parametrize(
    ("rule", "template"), [("SVC001", {"ipFamilies": ["IPv4"]}), ("SVC002", {"ipFamilyPolicy": "RequireDualStack"})]
)
def test_services_that_an_operator_is_to_make_are_one_finding(rule: str, template: Any) -> None:
    (finding,) = judge(rule, services=[], operator_objects=[kafka(**template)]).findings
    assert finding.message.startswith("Kafka default/log has its operator make Services with ")
    assert finding.evidence == template


@pytest.mark.parametrize(
    "template", [{"ipFamilies": ["IPv6"]}, {"ipFamilies": "IPv4"}, {"ipFamilyPolicy": "PreferDualStack"}]
)
def test_what_an_operator_may_ask_for_is_left_alone(template: Any) -> None:
    for rule in ("SVC001", "SVC002"):
        assert not messages(rule, services=[], operator_objects=[kafka(**template)])
