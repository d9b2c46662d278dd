"""One cause, one finding: a listener for IPv4 alone is told once, with all who connect to it."""

from __future__ import annotations

from textwrap import indent
from typing import Any

import build
import pytest
import yaml

from eks6check import catalog, engine
from eks6check.facts.callers import callers, connecting, fronts_of, sentence
from eks6check.facts.kube import Resource, containers

FRONT = """
---
apiVersion: v1
kind: Service
metadata:
  name: web
  namespace: shop
  annotations:
    service.beta.kubernetes.io/aws-load-balancer-nlb-target-type: ip
    service.beta.kubernetes.io/aws-load-balancer-ip-address-type: dualstack
spec:
  type: LoadBalancer
  loadBalancerClass: service.k8s.aws/nlb
  selector: {app: web}
  ports: [{name: http, port: 80, targetPort: 8080}, {name: metrics, port: 9090}]
---
apiVersion: elbv2.k8s.aws/v1beta1
kind: TargetGroupBinding
metadata: {name: web, namespace: shop}
spec:
  serviceRef: {name: web, port: 80}
  targetGroupARN: arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/web/0123456789abcdef
  targetType: ip
  ipAddressType: ipv6
"""

WORKLOAD = """
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
spec:
  template:
    metadata: {labels: {app: web}}
    spec:
      volumes: [{name: conf, configMap: {name: conf}}]
      containers:
        - name: web
          readinessProbe: {httpGet: {port: 8080}}
          livenessProbe: {exec: {command: ["true"]}}
          volumeMounts: [{name: conf, mountPath: /etc/conf}]
"""

NGINX = "server {\n  listen 8080;\n}"
ENVOY = """
static_resources:
  listeners:
    - {name: web, address: {socket_address: {address: 0.0.0.0, port_value: 8080}}}
"""


def workload(**container: Any) -> str:
    body = yaml.safe_load(WORKLOAD)
    body["spec"]["template"]["spec"]["containers"][0] |= container
    return f"---\n{yaml.safe_dump(body)}"


def config_map(key: str, value: str) -> str:
    head = f"---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: conf, namespace: shop}}\ndata:\n  {key}: |\n"
    return head + indent(value.strip("\n"), "    ") + "\n"


OWN = ["its readiness probe", "Service shop/web with its load balancer", "TargetGroupBinding shop/web"]
OTHERS = ["the readiness probe of Deployment shop/web", *OWN[1:]]


@pytest.mark.parametrize(
    ("rule", "manifests", "connected"),
    [
        ("APP001", workload(image="shop/web:1", command=["gunicorn", "-b", "0.0.0.0:8080", "shop"]), OWN),
        ("APP001", workload(image="redis:7") + config_map("redis.conf", "bind 0.0.0.0"), OTHERS),
        ("APP002", workload(image="nginx:1") + config_map("nginx.conf", NGINX), OTHERS),
        ("APP005", workload(image="shop/web:1", args=["--listen=0.0.0.0:8080"]), OWN),
        ("APP007", workload(image="web", command=["gunicorn", "-b", "0.0.0.0:8080", "-b", "[::]:8080", "shop"]), OWN),
        ("MSH002", workload(image="envoyproxy/envoy:v1.34.0") + config_map("envoy.yaml", ENVOY), OTHERS),
    ],
)
def test_a_listener_is_one_finding_with_all_who_connect(rule: str, manifests: str, connected: list[str]) -> None:
    outcomes = engine.evaluate(catalog.load(), build.example(FRONT + manifests))
    (finding,) = [finding for outcome in outcomes for finding in outcome.findings]
    assert finding.rule == rule
    assert finding.evidence["connecting"] == connected
    assert finding.message.endswith(sentence(connected))
    assert {place.line for place in finding.locations} > {14, 21}, "the selector and the reference to the Service"


def test_live_and_in_a_file_it_is_one_finding_as_well() -> None:
    text = FRONT + workload(image="shop/web:1", command=["gunicorn", "-b", "0.0.0.0:8080", "shop"])
    sections = {name: list(section.items) for name, section in build.example(text).items()}
    both = {name: [*(build.resource(each.body) for each in items), *items] for name, items in sections.items()}
    outcomes = engine.evaluate(catalog.load(), build.facts(**both))
    (finding,) = [finding for outcome in outcomes for finding in outcome.findings]
    assert finding.evidence["connecting"] == OWN
    assert [(place.source, place.declares) for place in finding.locations[:2]] == [("manifests", False)] * 2
    assert "cluster" in [place.source for place in finding.locations]


def pod(**container: Any) -> Resource:
    return build.resource(workload(**container))


def reached(of: set[str], *fronts: dict[str, Any], **container: Any) -> list[str]:
    subject = pod(**container)
    bodies = [build.resource(each) for each in fronts]
    known = fronts_of(
        [each for each in bodies if each.kind == "Service"], [each for each in bodies if each.kind != "Service"]
    )
    (each,) = containers(subject)
    return connecting(subject, callers(subject, each, known, of))


def service(**spec: Any) -> dict[str, Any]:
    return {"kind": "Service", "metadata": {"name": "web", "namespace": "shop"}, "spec": spec}


def binding(name: Any = "web", port: Any = 80, namespace: str = "shop") -> dict[str, Any]:
    reference = {"name": name, "port": port}
    metadata = {"name": "web", "namespace": namespace}
    return {"kind": "TargetGroupBinding", "metadata": metadata, "spec": {"serviceRef": reference}}


SERVICE = service(selector={"app": "web"}, ports=[{"port": 80, "targetPort": 8080, "name": "http"}, {"port": 9090}])


@pytest.mark.parametrize(("port", "bound"), [(80, True), ("80", True), ("http", True), (9090, False), (None, False)])
def test_a_binding_connects_by_the_port_that_it_names(port: Any, *, bound: bool) -> None:
    names = reached({"8080"}, SERVICE, binding(port=port), readinessProbe=None)
    assert names == ["Service shop/web", *["TargetGroupBinding shop/web"] * bound]


@pytest.mark.parametrize("other", [binding(name="api"), binding(namespace="lab"), binding(name=None), {"kind": "X"}])
def test_bindings_of_others_do_not_connect(other: dict[str, Any]) -> None:
    assert reached({"8080"}, SERVICE, other, readinessProbe=None) == ["Service shop/web"]


def test_a_binding_of_a_service_that_leads_elsewhere_does_not_connect() -> None:
    elsewhere = service(selector={"app": "api"}, ports=[{"port": 80, "targetPort": 8080}])
    assert reached({"8080"}, elsewhere, binding(), readinessProbe=None) == []


@pytest.mark.parametrize("spec", [{"serviceRef": ["web"]}, {"serviceRef": None}, None, ["x"], "web"])
def test_a_binding_of_odd_shape_connects_to_nobody(spec: Any) -> None:
    assert reached(set(), SERVICE, {**binding(), "spec": spec}, readinessProbe=None) == ["Service shop/web"]


def test_a_sentence_names_a_few_and_counts_the_others() -> None:
    assert sentence([]) == ""
    assert sentence(["its readiness probe"]) == " Its readiness probe connects over IPv6."
    assert sentence([f"Service shop/{name}" for name in "abcdef"]) == (
        " Service shop/a, Service shop/b, Service shop/c, Service shop/d and 2 more connect over IPv6."
    )
