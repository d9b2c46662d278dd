"""SDKs that refuse the agent's IPv6 address, proxies for metadata, and everything that only resembles them."""

from __future__ import annotations

from typing import Any

import pytest
from build import judge, messages, resource

from eks6check.findings import Confidence, Severity

ASSOCIATION = {"id": "a-1", "namespace": "shop", "service_account": "web"}


def workload(annotations: Any = None, account: Any = "web", **container: Any) -> dict[str, Any]:
    pod = {"serviceAccountName": account, "containers": [{"name": "app", "image": "app:1", **container}]}
    template = {"metadata": {"annotations": annotations}, "spec": pod}
    meta = {"name": "web", "namespace": "shop"}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": {"template": template}}


def by_oidc(name: str = "web") -> dict[str, Any]:
    annotations = {"eks.amazonaws.com/role-arn": "arn:aws:iam::111122223333:role/web"}
    meta = {"name": name, "namespace": "shop", "annotations": annotations}
    return {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta}


def refused(made: dict[str, Any], **sections: Any) -> list[str]:
    return messages("IDN003", workloads=[made], pod_identity_associations=[ASSOCIATION], **sections)


JAVA = {"command": ["java", "-jar", "/app.jar"]}


@pytest.mark.parametrize(
    "container",
    [
        JAVA,
        {"command": ["/opt/jdk/bin/java"], "args": ["-Xmx1g", "Main"]},
        {"args": ["sh", "-c", "exec java -Xmx1g Main"]},
        {"env": [{"name": "JAVA_TOOL_OPTIONS", "value": "-Xmx1g"}]},
        {"image": "public.ecr.aws/docker/library/amazoncorretto:21"},
    ],
)
def test_java_with_an_association_is_told(container: dict[str, Any]) -> None:
    (message,) = refused(workload(**container))
    assert "container app runs Java" in message


@pytest.mark.parametrize(
    ("image", "count"),
    [
        ("fluent/fluent-bit:3.2.10", 1),
        ("public.ecr.aws/aws-observability/aws-for-fluent-bit:2.32.5.20250327", 1),
        ("fluent/fluent-bit:4.2.0", 0),
        ("fluent/fluent-bit:latest", 0),
        ("aws-for-fluent-bit:3.0.0", 0),
        ("python:3.12", 0),
        ("javascript-app:1", 0),
    ],
)
def test_fluent_bit_is_told_up_to_the_report(image: str, count: int) -> None:
    assert len(refused(workload(image=image))) == count


@pytest.mark.parametrize(
    "container",
    [
        {"command": ["node", "java.js"]},
        {"args": ["--with-java", "javac"]},
        {"env": [{"name": "JAVA_HOME_HINT", "value": "-Xmx1g"}]},
        {"image": "golang:1.25"},
        {**JAVA, "env": [{"name": "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE", "value": "IPv6"}]},
    ],
)
def test_other_runtimes_and_a_client_told_to_accept_it_are_left_alone(container: dict[str, Any]) -> None:
    assert refused(workload(**container)) == []


def test_without_an_association_or_with_a_role_by_oidc_java_is_left_alone() -> None:
    assert messages("IDN003", workloads=[workload(**JAVA)]) == []
    assert refused(workload(account="api", **JAVA)) == []
    assert refused(workload(**JAVA), service_accounts=[by_oidc()]) == []
    assert len(refused(workload(**JAVA), service_accounts=[by_oidc("api")])) == 1


@pytest.mark.parametrize(
    ("container", "place"),
    [
        (JAVA, "command"),
        ({"env": [{"name": "JAVA_OPTS", "value": "-Xmx1g"}]}, "env"),
        ({"image": "tomcat:10"}, "image"),
    ],
)
def test_the_place_is_what_shows_the_client(container: dict[str, Any], place: str) -> None:
    seen: list[Any] = []

    def mark(path: Any, *_: Any) -> tuple[int, int]:
        seen.append(path)
        return 1, 1

    made = resource(workload(**container), "manifests")
    placed = type(made)(made.body, type(made.origin)("manifests", file="a.yaml", mark=mark))
    judge("IDN003", workloads=[placed], pod_identity_associations=[ASSOCIATION])
    assert place in seen[0]


def test_the_remedy_names_the_service_account_and_warns_of_the_endpoint_mode() -> None:
    found = judge("IDN003", workloads=[workload(**JAVA)], pod_identity_associations=[ASSOCIATION]).findings
    assert "--namespace shop --name web" in found[0].remedy
    assert "no way out" in found[0].remedy


ROLE = {"iam.amazonaws.com/role": "web"}


@pytest.mark.parametrize("image", ["jtblin/kube2iam:0.11.2", "quay.io/uswitch/kiam:v4.2", "mirror/kiam@sha256:0a"])
def test_a_metadata_proxy_is_told_with_those_that_use_it(image: str) -> None:
    proxy = {**workload(image=image), "metadata": {"name": "proxy", "namespace": "kube-system"}}
    (finding,) = judge("IDN004", workloads=[workload(ROLE), proxy]).findings
    assert (finding.severity, finding.confidence) == (Severity.BLOCKER, Confidence.MEDIUM)
    assert "for Deployment shop/web: it takes over" in finding.message
    assert len(finding.locations) == 2
    two = [{**workload(ROLE), "metadata": {"name": name, "namespace": "shop"}} for name in ("a", "b", "c")]
    assert "for Deployment shop/a and 2 more: it takes" in messages("IDN004", workloads=[*two, proxy])[0]
    assert "runs kube2iam: it takes" in messages("IDN004", workloads=[workload(image="kube2iam:1")])[0]


def test_a_pod_has_the_annotation_on_itself() -> None:
    pod = {"kind": "Pod", "metadata": {"name": "p", "annotations": ROLE}, "spec": {"containers": []}}
    assert len(messages("IDN004", workloads=[pod])) == 1
    owner = workload()
    owner["metadata"]["annotations"] = ROLE
    assert messages("IDN004", workloads=[owner]) == []


def test_the_annotation_alone_is_a_weaker_sign() -> None:
    (finding,) = judge("IDN004", workloads=[workload(ROLE)]).findings
    assert (finding.severity, finding.confidence) == (Severity.WARNING, Confidence.LOW)


@pytest.mark.parametrize(
    "made",
    [
        workload({"iam.amazonaws.com/role": ""}),
        workload({"iam.amazonaws.com/permitted": ".*"}),
        workload("iam.amazonaws.com/role"),
        workload(image="example.com/kiam-exporter:1"),
        workload(args=["kube2iam"]),
    ],
)
def test_other_annotations_and_images_are_left_alone(made: dict[str, Any]) -> None:
    assert messages("IDN004", workloads=[made]) == []


def test_an_annotation_beside_a_role_by_oidc_is_a_leftover() -> None:
    assert messages("IDN004", workloads=[workload(ROLE)], service_accounts=[by_oidc()]) == []
    plain = {**by_oidc(), "metadata": {"name": "web", "namespace": "shop"}}
    assert len(messages("IDN004", workloads=[workload(ROLE)], service_accounts=[plain])) == 1
