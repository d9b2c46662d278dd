"""Whole scans of a real API server: with the printed ClusterRole alone, and with one permission less."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from apiserver.admin import allow, put, until, write_kubeconfig
from apiserver.server import ApiServer, request, serve
from whole import Done, eks6check

ASSETS = os.environ.get("KUBEBUILDER_ASSETS")
pytestmark = pytest.mark.skipif(not ASSETS, reason="KUBEBUILDER_ASSETS names no folder with kube-apiserver and etcd")

PATHS = {
    "Service": "/api/v1/namespaces/{}/services",
    "Deployment": "/apis/apps/v1/namespaces/{}/deployments",
    "DaemonSet": "/apis/apps/v1/namespaces/{}/daemonsets",
    "Ingress": "/apis/networking.k8s.io/v1/namespaces/{}/ingresses",
}

OBJECTS = """
apiVersion: v1
kind: Service
metadata: {name: plain, namespace: default}
spec: {type: LoadBalancer, selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: pinned, namespace: default}
spec: {ipFamilies: [IPv4], selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: v1
kind: Service
metadata: {name: nobody-chose, namespace: default}
spec: {selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop, namespace: default}
spec: {ingressClassName: alb, defaultBackend: {service: {name: plain, port: {number: 80}}}}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: aws-node, namespace: kube-system}
spec:
  selector: {matchLabels: {k8s-app: aws-node}}
  template:
    metadata: {labels: {k8s-app: aws-node}}
    spec:
      containers:
        - name: aws-node
          image: example/amazon-k8s-cni:v1.18.3
          env: [{name: AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG, value: "true"}]
"""


@pytest.fixture(scope="module")
def server() -> Iterator[ApiServer]:
    with serve(Path(str(ASSETS))) as running:
        until(lambda: request(running, "GET", "/api/v1/namespaces/kube-system")[0] == 200)
        for body in yaml.safe_load_all(OBJECTS):
            put(running, PATHS[body["kind"]].format(body["metadata"]["namespace"]), body)
        yield running


def scan(server: ApiServer, token: str) -> Done:
    write_kubeconfig(server, token)
    return eks6check("scan", "--source", "cluster", "--format", "json")


def test_the_administrator_finds_what_was_asked_for_and_not_what_the_server_filled_in(server: ApiServer) -> None:
    done = scan(server, server.admin_token)
    assert done.code == 1
    found = {(each["rule"], each["subject"]["id"]) for each in done.report["findings"]}
    assert found >= {
        ("SVC001", "v1/Service/default/pinned"),
        ("LBC003", "v1/Service/default/plain"),
        ("LBC006", "networking.k8s.io/Ingress/default/shop"),
        ("LBC007", "networking.k8s.io/Ingress/default/shop"),
        ("CNI003", "apps/DaemonSet/kube-system/aws-node"),
    }
    assert not [subject for rule, subject in found if rule.startswith("SVC") and "pinned" not in subject]


def test_the_printed_cluster_role_alone_gives_the_same_findings(server: ApiServer) -> None:
    admin = scan(server, server.admin_token)
    role = eks6check("permissions", "--only", "rbac").out
    reader = scan(server, allow(server, "scanner", role))
    assert (reader.code, reader.report["findings"]) == (admin.code, admin.report["findings"])
    assert reader.report["outcomes"] == admin.report["outcomes"]
    assert reader.report["gaps"] == []


def test_with_one_verb_less_the_gap_is_named_and_the_rest_stays(server: ApiServer) -> None:
    role = yaml.safe_load(eks6check("permissions", "--only", "rbac").out)
    for rule in role["rules"]:
        rule["resources"] = [each for each in rule["resources"] if each != "services"]
    role["rules"] = [rule for rule in role["rules"] if rule["resources"]]
    # `allow` waits until the account may list Services, which this one never may: nodes it may.
    done = scan(server, allow(server, "almost-scanner", yaml.safe_dump(role), sign="/api/v1/nodes"))
    (gap,) = done.report["gaps"]
    assert gap["call"] == "list services"
    assert "list on services" in gap["remedy"]
    assert done.states()["SVC001"] == "not-evaluated"
    assert done.rules() >= {"CNI003"}
    assert not {rule for rule in done.rules() if rule.startswith("SVC")}
