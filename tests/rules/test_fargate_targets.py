"""Fargate pods behind load balancers: what sends traffic to instances, and how a pod is known to have none."""

from __future__ import annotations

from typing import Any

import pytest
from build import judge, messages, record

from eks6check.findings import Confidence, Severity

TARGET_TYPE = "service.beta.kubernetes.io/aws-load-balancer-nlb-target-type"
PROFILE = "eks.amazonaws.com/fargate-profile"


def service(target_type: str | None = None, **spec: Any) -> dict[str, Any]:
    annotations = {TARGET_TYPE: target_type} if target_type else {}
    spec = {"type": "LoadBalancer", "loadBalancerClass": "service.k8s.aws/nlb", "selector": {"app": "web"}, **spec}
    metadata = {"name": "web", "namespace": "shop", "annotations": annotations}
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}


def workload(kind: str = "Deployment", labels: dict[str, str] | None = None, **spec: Any) -> dict[str, Any]:
    pod_spec = {"containers": [{"name": "web", "image": "web:1"}], **spec}
    template = {"metadata": {"labels": {"app": "web", **(labels or {})}}, "spec": pod_spec}
    metadata = {"name": "web", "namespace": "shop"}
    return {"apiVersion": "apps/v1", "kind": kind, "metadata": metadata, "spec": {"template": template}}


def pod(name: str = "web-1", phase: str = "Running", **labels: str) -> dict[str, Any]:
    """A pod as the live list holds it, in outline."""
    metadata = {"name": name, "namespace": "shop", "labels": {"app": "web", **labels}}
    spec = {"nodeName": "fargate-ip-10-0-0-9", "schedulerName": "fargate-scheduler"}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec, "status": {"phase": phase}}


def profile(namespace: str = "shop", **labels: str) -> Any:
    return record("fargate_profiles", {"id": "web", "selectors": [{"namespace": namespace, "labels": labels}]})


MARKED = workload(labels={PROFILE: "web"})


@pytest.mark.parametrize(
    "found",
    [
        service(),
        service("instance"),
        service(loadBalancerClass=None),
        service("instance", loadBalancerClass="eks.amazonaws.com/nlb"),
    ],
)
def test_services_that_send_to_instances_are_told(found: dict[str, Any]) -> None:
    (finding,) = judge("FGT003", services=[found], workloads=[MARKED]).findings
    assert (finding.severity, finding.confidence) == (Severity.BLOCKER, Confidence.MEDIUM)
    assert "Deployment shop/web behind it runs on Fargate" in finding.message
    assert len(finding.locations) == 2


@pytest.mark.parametrize(
    "found",
    [
        service("ip"),
        service(type="ClusterIP"),
        service(loadBalancerClass="tailscale"),
        service(loadBalancerClass="eks.amazonaws.com/nlb"),
        service(selector={"app": "other"}),
        service(selector={}),
        service(selector=None),
    ],
)
def test_ip_targets_other_controllers_and_other_pods_stay_silent(found: dict[str, Any]) -> None:
    assert messages("FGT003", services=[found], workloads=[MARKED]) == []


@pytest.mark.parametrize(
    ("taken", "profiles"),
    [
        (workload(schedulerName="fargate-scheduler"), []),
        (workload(), [profile()]),
        (workload(), [profile("sh*", app="w?b")]),
        (workload("StatefulSet"), [profile("other"), profile("shop")]),
    ],
)
def test_a_fargate_pod_is_known_by_its_marks_or_by_a_profile(taken: dict[str, Any], profiles: list[Any]) -> None:
    assert len(messages("FGT003", services=[service()], workloads=[taken], fargate_profiles=profiles)) == 1


@pytest.mark.parametrize(
    ("taken", "profiles"),
    [
        (workload(), []),
        (workload(), [profile("other")]),
        (workload(), [profile(app="api")]),
        (workload(), [profile(tier="front")]),
        (workload("DaemonSet"), [profile()]),
        (workload(nodeName="ip-10-0-0-9"), [profile()]),
    ],
)
def test_pods_on_nodes_stay_silent(taken: dict[str, Any], profiles: list[Any]) -> None:
    assert messages("FGT003", services=[service()], workloads=[taken], fargate_profiles=profiles) == []


def test_without_profiles_the_running_pods_tell() -> None:
    pods = [pod("web-1"), pod("web-2"), pod("web-3"), pod("web-4"), pod("web-5", "Succeeded")]
    (message,) = messages("FGT003", services=[service()], workloads=[workload()], pods=pods)
    assert "Pod shop/web-1, Pod shop/web-2 and 2 more behind it run on Fargate" in message


def ingress(**annotations: str) -> dict[str, Any]:
    short = {f"alb.ingress.kubernetes.io/{key.replace('_', '-')}": value for key, value in annotations.items()}
    backend = {"service": {"name": "web", "port": {"number": 80}}}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": "web", "namespace": "shop", "annotations": short},
        "spec": {"ingressClassName": "alb", "defaultBackend": backend},
    }


def test_an_ingress_leads_there_through_its_backends() -> None:
    sections: dict[str, Any] = {"services": [service(type="NodePort")], "workloads": [MARKED]}
    (finding,) = judge("FGT003", ingresses=[ingress()], **sections).findings
    assert finding.subject.kind == "Ingress"
    assert messages("FGT003", ingresses=[ingress(target_type="ip")], **sections) == []
    automatic = [record("clusters", {"id": "prod", "auto_mode": True})]
    assert messages("FGT003", ingresses=[ingress()], clusters=automatic, **sections) == []
    assert len(messages("FGT003", ingresses=[ingress(target_type="instance")], clusters=automatic, **sections)) == 1


@pytest.mark.parametrize(("target_type", "count"), [("instance", 1), ("ip", 0), (None, 0)])
def test_a_target_group_binding_leads_there_through_its_service(target_type: str | None, count: int) -> None:
    binding = {
        "apiVersion": "elbv2.k8s.aws/v1beta1",
        "kind": "TargetGroupBinding",
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"serviceRef": {"name": "web", "port": 80}, "targetType": target_type},
    }
    sections: dict[str, Any] = {"services": [service(type="NodePort")], "workloads": [MARKED]}
    assert len(messages("FGT003", target_group_bindings=[binding], **sections)) == count
