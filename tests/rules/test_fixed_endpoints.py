"""ADR005, ADR006 and ADR008: host aliases, webhooks by address, and the old domain of EKS endpoints."""

from __future__ import annotations

from typing import Any

import pytest
from build import judge, messages
from written import OLD, config_map, findings, workload

from eks6check.findings import Confidence, Finding, Severity


def aliases(*entries: Any, **more: Any) -> tuple[Finding, ...]:
    return judge("ADR005", workloads=[workload(hostAliases=list(entries))], **more).findings


def alias(ip: str, *names: str) -> dict[str, Any]:
    return {"ip": ip, "hostnames": list(names or ("db.internal",))}


@pytest.mark.parametrize(
    ("ip", "severity", "confidence"),
    [
        ("10.50.0.9", Severity.WARNING, Confidence.HIGH),
        ("10.0.3.4", Severity.WARNING, Confidence.MEDIUM),
        ("192.168.7.7", Severity.WARNING, Confidence.MEDIUM),
        ("8.8.8.8", Severity.INFO, Confidence.HIGH),
    ],
)
def test_an_alias_is_as_bad_as_what_its_address_was(ip: str, severity: Severity, confidence: Confidence) -> None:
    (found,) = aliases(alias(ip), **OLD)
    assert (found.severity, found.confidence) == (severity, confidence)
    assert f"pins db.internal to {ip}" in found.message


def test_a_range_of_the_old_cluster_need_not_be_a_private_one() -> None:
    vpc = {"old_ranges": [{"id": "v", "role": "vpc", "cidr_block": "11.0.0.0/16"}]}
    (found,) = aliases(alias("11.0.0.9"), **vpc)
    assert (found.severity, found.confidence) == (Severity.WARNING, Confidence.MEDIUM)
    assert aliases(alias("11.0.0.9"))[0].severity is Severity.INFO


def test_an_alias_without_names_is_told_as_such() -> None:
    (found,) = aliases({"ip": "10.1.1.1"}, alias("2001:db8::1"))
    assert "pins names to 10.1.1.1" in found.message
    assert "more of its aliases" not in found.message


def test_without_ranges_a_first_service_is_a_guess() -> None:
    assert aliases(alias("172.20.0.10"))[0].confidence is Confidence.MEDIUM


@pytest.mark.parametrize("ip", ["127.0.0.1", "0.0.0.0", "192.0.2.1", "2001:db8::1", "db", "", 3, None])
def test_aliases_that_lead_nowhere_or_over_ipv6_are_silent(ip: Any) -> None:
    assert aliases({"ip": ip, "hostnames": ["x"]}) == ()


def test_a_name_with_an_ipv6_alias_too_is_silent_and_the_worst_of_several_comes_first() -> None:
    assert aliases(alias("10.1.1.1"), alias("2001:db8::1")) == ()
    (found,) = aliases(alias("8.8.8.8", "a"), alias("10.50.0.9", "b", "c"), **OLD)
    assert "pins b, c to 10.50.0.9" in found.message
    assert "(1 more of its aliases are IPv4)" in found.message
    assert aliases(3, None, {"ip": ["10.0.0.1"]}, {}) == ()


def hook(url: Any, kind: str = "ValidatingWebhookConfiguration") -> dict[str, Any]:
    group = "admissionregistration.k8s.io/v1"
    hooks = [{"name": "a.example.com", "clientConfig": {"url": url}}]
    return {"apiVersion": group, "kind": kind, "metadata": {"name": "policy"}, "webhooks": hooks}


def hooks(*configurations: Any, definitions: Any = (), **more: Any) -> tuple[Finding, ...]:
    sections = {"webhook_configurations": configurations, "custom_resource_definitions": definitions}
    return judge("ADR006", **sections, **more).findings


def test_a_webhook_at_an_old_service_is_a_blocker_and_another_address_a_warning() -> None:
    (lost,) = hooks(hook("https://10.50.0.9/validate"), **OLD)
    assert (lost.severity, lost.confidence) == (Severity.BLOCKER, Confidence.HIGH)
    (guess,) = hooks(hook("https://172.20.0.10/validate"))
    assert (guess.severity, guess.confidence) == (Severity.BLOCKER, Confidence.MEDIUM)
    assert lost.message.endswith("is called at https://10.50.0.9/validate, of the old cluster's Services.")
    (other,) = hooks(hook("https://10.9.9.9:8443/", "MutatingWebhookConfiguration"))
    assert other.message.startswith("Webhook a.example.com of MutatingWebhookConfiguration policy is called")
    assert other.message.endswith("which cannot be a pod or a Service of an IPv6 cluster.")
    assert "conversion:" not in other.remedy
    assert (other.severity, other.evidence["url"]) == (Severity.WARNING, "https://10.9.9.9:8443/")


def test_a_webhook_without_a_name_is_told_by_its_position() -> None:
    body = hook("https://10.9.9.9/")
    del body["webhooks"][0]["name"]
    assert hooks(body)[0].message.startswith("Webhook 0 of ")


def test_the_conversion_of_a_resource_is_a_webhook_too() -> None:
    definition = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "carts.example.com"},
        "spec": {"conversion": {"webhook": {"clientConfig": {"url": "https://10.9.9.9/convert"}}}},
    }
    (found,) = hooks(definitions=[definition])
    assert found.subject.id == "apiextensions.k8s.io/CustomResourceDefinition/carts.example.com"
    assert "conversion:" in found.remedy


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1:23443/mutate",
        "https://hooks.example.com/10.0.0.1",
        "https://[2001:db8::1]/",
        "https://[",
        "",
        3,
        None,
    ],
)
def test_webhooks_on_the_control_plane_by_name_or_over_ipv6_are_silent(url: Any) -> None:
    assert hooks(hook(url)) == ()
    by_name = {"service": {"name": "hooks", "namespace": "shop"}, "caBundle": "MTAuMC4wLjE="}
    assert hooks({**hook(url), "webhooks": [{"name": "a", "clientConfig": by_name}]}) == ()
    assert hooks({"kind": "ValidatingWebhookConfiguration", "webhooks": [None, 3, {"clientConfig": []}]}) == ()


@pytest.mark.parametrize(
    "value",
    [
        "https://ABC123.gr7.eu-west-1.eks.amazonaws.com",
        "*.eks.amazonaws.com",
        ".yl4.us-east-1.eks.amazonaws.com",
        r"^.*\.eks\.amazonaws\.com$",
        r"[A-Z0-9]+\\.gr7\\.[a-z0-9-]+\\.eks\\.amazonaws\\.com",
        "oidc.eks.us-west-2.amazonaws.com/id/ABC",
    ],
)
def test_a_text_that_knows_the_old_domain_alone(value: str) -> None:
    (found,) = findings("ADR008", workload("ALLOWED", value))
    assert found.severity is Severity.WARNING
    assert messages("ADR008", workloads=[], config_maps=[config_map(f"allow:\n  - {value}\n")])


@pytest.mark.parametrize(
    "value",
    [
        "eks.eu-west-1.amazonaws.com",
        "eks.amazonaws.com/role-arn",
        "nodeclass.eks.amazonaws.com",
        "602401143452.dkr.ecr.us-west-2.amazonaws.com/eks/coredns:v1",
        "*.amazonaws.com",
        "*.eks.amazonaws.com,*.api.aws",
        "# *.eks.amazonaws.com",
        "https://kubernetes.default.svc",
    ],
)
def test_other_names_of_aws_are_silent(value: str) -> None:
    assert findings("ADR008", workload("ALLOWED", value), config_map(value)) == ()
