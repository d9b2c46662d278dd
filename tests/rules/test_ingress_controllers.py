"""Lists of sources in nginx, HAProxy, Traefik and Kong: each way to write one, and the lists that may stay."""

from __future__ import annotations

from typing import Any

import pytest
from build import judge, messages

from eks6check.findings import Confidence, Severity
from eks6check.rules.ingress_controllers import ANNOTATIONS

OFFICE, BOTH = "198.51.100.0/24", "198.51.100.0/24, 2001:db8:100::/48"


def ingress(**annotations: str) -> dict[str, Any]:
    metadata = {"name": "web", "namespace": "shop", "annotations": annotations}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": metadata, "spec": {}}


def config_map(**data: str) -> dict[str, Any]:
    short = {key.replace("_", "-"): value for key, value in data.items()}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "nginx", "namespace": "nginx"}, "data": short}


def custom(api: str, kind: str, **parts: Any) -> dict[str, Any]:
    return {"apiVersion": api, "kind": kind, "metadata": {"name": "office", "namespace": "shop"}, **parts}


@pytest.mark.parametrize("key", ANNOTATIONS)
def test_every_annotation_is_judged(key: str) -> None:
    (message,) = messages("LBC021", ingresses=[ingress(**{key: OFFICE})])
    assert ("comes in over IPv6" if "deny" in key or "black" in key else "are refused") in message
    assert messages("LBC021", ingresses=[ingress(**{key: BOTH})]) == []


@pytest.mark.parametrize("value", ["", "patterns/office", "10.0.0.0/8,!10.0.0.1", "{{ .Values.office }}"])
def test_what_is_no_list_of_ranges_stays_silent(value: str) -> None:
    assert messages("LBC021", ingresses=[ingress(**{"haproxy.org/allow-list": value})]) == []


@pytest.mark.parametrize("key", ["whitelist_source_range", "denylist_source_range", "block_cidrs"])
def test_the_settings_of_the_nginx_controller_are_judged(key: str) -> None:
    (finding,) = judge("LBC021", ingresses=[], config_maps=[config_map(**{key: OFFICE})]).findings
    assert finding.confidence is Confidence.MEDIUM
    assert messages("LBC021", ingresses=[], config_maps=[config_map(**{key: BOTH})]) == []


def test_whom_nginx_trusts_matters_where_it_believes_them() -> None:
    trusting = config_map(proxy_real_ip_cidr="10.0.0.0/16", use_proxy_protocol="true")
    assert "trusts 10.0.0.0/16" in messages("LBC021", ingresses=[], config_maps=[trusting])[0]
    for other in ({"use_proxy_protocol": "false"}, {}):
        alone = config_map(proxy_real_ip_cidr="10.0.0.0/16", **other)
        assert messages("LBC021", ingresses=[], config_maps=[alone]) == []
    both = config_map(proxy_real_ip_cidr="0.0.0.0/0,::/0", use_forwarded_headers="true")
    assert messages("LBC021", ingresses=[], config_maps=[both]) == []


@pytest.mark.parametrize(
    "found",
    [
        custom("traefik.io/v1alpha1", "Middleware", spec={"ipAllowList": {"sourceRange": [OFFICE]}}),
        custom("traefik.containo.us/v1alpha1", "Middleware", spec={"ipWhiteList": {"sourceRange": [OFFICE]}}),
        custom("traefik.io/v1alpha1", "MiddlewareTCP", spec={"ipAllowList": {"sourceRange": [OFFICE]}}),
        custom("configuration.konghq.com/v1", "KongPlugin", plugin="ip-restriction", config={"allow": [OFFICE]}),
        custom("configuration.konghq.com/v1", "KongClusterPlugin", plugin="ip-restriction", config={"deny": [OFFICE]}),
    ],
)
def test_objects_of_traefik_and_kong_are_judged(found: dict[str, Any]) -> None:
    (finding,) = judge("LBC021", ingresses=[], ingress_middlewares=[found]).findings
    assert finding.subject.kind == found["kind"]


@pytest.mark.parametrize(
    "found",
    [
        custom("traefik.io/v1alpha1", "Middleware", spec={"ipAllowList": {"sourceRange": BOTH.split(", ")}}),
        custom("traefik.io/v1alpha1", "Middleware", spec={"stripPrefix": {"prefixes": ["/10.0.0.0"]}}),
        custom("configuration.konghq.com/v1", "KongPlugin", plugin="acl", config={"allow": ["10.0.0.1"]}),
        custom("configuration.konghq.com/v1", "KongPlugin", plugin="ip-restriction", config=None),
    ],
)
def test_both_families_and_other_plugins_stay_silent(found: dict[str, Any]) -> None:
    assert messages("LBC021", ingresses=[], ingress_middlewares=[found]) == []


def traefik(*args: str, image: str = "docker.io/traefik:v3.5") -> dict[str, Any]:
    pod = {"containers": [{"name": "traefik", "image": image, "args": list(args)}]}
    meta = {"name": "traefik", "namespace": "edge"}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": {"template": {"spec": pod}}}


@pytest.mark.parametrize(
    "option", ["--entryPoints.web.forwardedHeaders.trustedIPs", "--entrypoints.web.proxyprotocol.trustedips"]
)
def test_the_peers_that_traefik_believes_are_a_list_too(option: str) -> None:
    (finding,) = judge("LBC021", ingresses=[], workloads=[traefik(f"{option}=10.0.0.0/16,127.0.0.1/32")]).findings
    assert "trusts 10.0.0.0/16 and no IPv6" in finding.message
    assert finding.confidence is Confidence.HIGH
    assert option in finding.remedy
    assert messages("LBC021", ingresses=[], workloads=[traefik(f"{option}=10.0.0.0/16,2001:db8::/56")]) == []


@pytest.mark.parametrize(
    "workload",
    [
        traefik("--entryPoints.web.forwardedHeaders.trustedIPs=127.0.0.1/32"),
        traefik("--entryPoints.web.forwardedHeaders.insecure"),
        traefik("--entryPoints.web.address=0.0.0.0:80"),
        traefik("--providers.kubernetesingress.ingressendpoint.ip=10.0.0.9"),
        traefik("--entryPoints.web.forwardedHeaders.trustedIPs=10.0.0.0/16", image="example/other:1"),
    ],
)
def test_traefik_that_believes_nobody_else_stays_silent(workload: dict[str, Any]) -> None:
    assert messages("LBC021", ingresses=[], workloads=[workload]) == []


def nginx_settings(**data: object) -> dict[str, object]:
    metadata = {"name": "ingress-nginx-controller", "namespace": "ingress-nginx"}
    renamed = {key.replace("_", "-"): value for key, value in data.items()}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": renamed}


def test_nginx_without_ipv6_listeners_is_a_blocker_and_without_aaaa_a_warning() -> None:
    off = nginx_settings(disable_ipv6="true", disable_ipv6_dns="True")
    found = {finding.evidence["key"]: finding.severity for finding in judge("APP013", config_maps=[off]).findings}
    assert found == {"disable-ipv6": "blocker", "disable-ipv6-dns": "warning"}


def test_the_key_alone_does_not_prove_a_controller_of_nginx() -> None:
    metadata: dict[str, Any] = {"name": "settings", "namespace": "edge"}
    body = {**nginx_settings(disable_ipv6="true"), "metadata": metadata}
    (finding,) = judge("APP013", config_maps=[body]).findings
    assert (finding.severity, finding.confidence) == (Severity.WARNING, Confidence.MEDIUM)
    metadata["labels"] = {"app.kubernetes.io/name": "ingress-nginx"}
    (sure,) = judge("APP013", config_maps=[body]).findings
    assert (sure.severity, sure.confidence) == (Severity.BLOCKER, Confidence.HIGH)


@pytest.mark.parametrize("value", ["false", "", None, True, "disable-ipv6: true"])
def test_nginx_with_ipv6_stays_silent(value: object) -> None:
    assert messages("APP013", config_maps=[nginx_settings(disable_ipv6=value)]) == []
