"""Application Load Balancers: whose Ingress it is, who decides its address type and targets, and who is left alone."""

from __future__ import annotations

import json
from typing import Any

import pytest
from build import judge, messages, record, resource

from eks6check.findings import Confidence, Severity

PREFIX = "alb.ingress.kubernetes.io/"
GOOD = {"ip-address-type": "dualstack", "target-type": "ip"}
LEGACY = "kubernetes.io/ingress.class"


def ingress(annotations: dict[str, Any] | None = None, /, name: str = "web", **spec: Any) -> dict[str, Any]:
    short = {key if "/" in key else PREFIX + key: value for key, value in (annotations or {}).items()}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": name, "namespace": "shop", "annotations": short},
        "spec": {"ingressClassName": "alb", "defaultBackend": backend("web"), **spec},
    }


def backend(name: str, port: int | str = 80) -> dict[str, Any]:
    return {"service": {"name": name, "port": {"name" if isinstance(port, str) else "number": port}}}


def ingress_class(name: str = "alb", kind: str = "ingress.k8s.aws/alb", params: str = "", **annotations: str) -> Any:
    group = kind.replace("ingress.k8s.aws", "elbv2.k8s.aws").partition("/")[0]
    reference = {"apiGroup": group, "kind": "IngressClassParams", "name": params}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "IngressClass",
        "metadata": {"name": name, "annotations": annotations},
        "spec": {"controller": kind, **({"parameters": reference} if params else {})},
    }


def class_params(name: str = "shared", api: str = "elbv2.k8s.aws/v1beta1", **spec: Any) -> dict[str, Any]:
    return {"apiVersion": api, "kind": "IngressClassParams", "metadata": {"name": name}, "spec": spec}


def service(name: str = "web", target_type: str | None = None, **spec: Any) -> dict[str, Any]:
    annotations = {PREFIX + "target-type": target_type} if target_type else {}
    metadata = {"name": name, "namespace": "shop", "annotations": annotations}
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}


@pytest.mark.parametrize("annotations", [{}, {"ip-address-type": "ipv4"}])
def test_an_alb_that_is_not_dualstack_is_told(annotations: dict[str, str]) -> None:
    (finding,) = judge("LBC006", ingresses=[ingress(annotations)], ingress_classes=[ingress_class()]).findings
    assert (finding.severity, finding.confidence) == (Severity.BLOCKER, Confidence.HIGH)
    assert ("sets" if annotations else "leaves") in finding.message


@pytest.mark.parametrize("value", ["dualstack", "dualstack-without-public-ipv4", "dualStack"])
def test_what_is_dualstack_or_another_rules_fault_stays_silent(value: str) -> None:
    assert messages("LBC006", ingresses=[ingress({"ip-address-type": value})]) == []


@pytest.mark.parametrize(
    ("found", "classes"),
    [
        (ingress(ingressClassName="internal"), [ingress_class("internal")]),
        (ingress({LEGACY: "alb"}, ingressClassName=None), []),
        (ingress({LEGACY: "alb"}, ingressClassName="nginx"), [ingress_class("nginx", "k8s.io/ingress-nginx")]),
        (ingress(ingressClassName=None), [ingress_class(**{"ingressclass.kubernetes.io/is-default-class": "true"})]),
    ],
)
def test_the_class_is_found_where_it_is_said(found: dict[str, Any], classes: list[Any]) -> None:
    (finding,) = judge("LBC006", ingresses=[found], ingress_classes=classes).findings
    assert finding.confidence is Confidence.HIGH


@pytest.mark.parametrize(
    "found",
    [
        ingress(),
        ingress({"scheme": "internal"}, ingressClassName=None),
        ingress({"scheme": "internal"}, ingressClassName="alb-public"),
    ],
)
def test_a_class_out_of_view_lowers_the_confidence(found: dict[str, Any]) -> None:
    for rule in ("LBC006", "LBC007"):
        (finding,) = judge(rule, ingresses=[found], services=[service()]).findings
        assert finding.confidence is Confidence.MEDIUM


def test_parameters_out_of_view_lower_the_confidence() -> None:
    classes = [ingress_class(params="shared")]
    (finding,) = judge("LBC006", ingresses=[ingress()], ingress_classes=classes).findings
    assert finding.confidence is Confidence.MEDIUM


@pytest.mark.parametrize(
    ("found", "classes"),
    [
        (ingress({"scheme": "internal"}, ingressClassName="nginx"), []),
        (ingress({"scheme": "internal", LEGACY: "nginx"}, ingressClassName=None), []),
        (ingress({LEGACY: "nginx"}), [ingress_class()]),
        (ingress(ingressClassName=None), []),
        (ingress(ingressClassName="albatross"), []),
        (ingress(ingressClassName="alb-public"), []),
        (ingress(), [ingress_class(kind="ingress.k8s.alibabacloud/alb")]),
        (ingress(ingressClassName=None), [ingress_class("nginx", "k8s.io/ingress-nginx")]),
    ],
)
def test_ingresses_of_other_controllers_stay_silent(found: dict[str, Any], classes: list[Any]) -> None:
    for rule in ("LBC006", "LBC007", "LBC011", "LBC012"):
        needed: dict[str, Any] = {"services": [], "ingress_class_params": []} if rule in ("LBC011", "LBC012") else {}
        assert messages(rule, ingresses=[found], ingress_classes=classes, **needed) == []


def test_a_class_that_the_controllers_flag_names_counts() -> None:
    container = {"name": "c", "image": "aws-load-balancer-controller:v3.5.0", "args": ["--ingress-class=corp"]}
    deployment = {"kind": "Deployment", "spec": {"template": {"spec": {"containers": [container]}}}}
    found = ingress({LEGACY: "corp"}, ingressClassName=None)
    assert messages("LBC006", ingresses=[found]) == []
    assert messages("LBC006", ingresses=[found], workloads=[deployment])


def test_auto_mode_has_its_own_text_and_no_target_types() -> None:
    sections: dict[str, Any] = {
        "ingresses": [ingress()],
        "ingress_classes": [ingress_class(kind="eks.amazonaws.com/alb")],
    }
    (finding,) = judge("LBC006", **sections).findings
    assert "EKS Auto Mode" in finding.message
    assert "eks.amazonaws.com/v1" in finding.remedy
    assert messages("LBC007", **sections) == []


@pytest.mark.parametrize(
    ("found", "clusters"),
    [
        (ingress({"scheme": "internal"}, ingressClassName="eks-auto-alb"), []),
        (ingress(), [{"id": "c", "auto_mode": True}]),
    ],
)
def test_a_class_out_of_view_is_taken_for_auto_modes_where_that_is_likelier(found: Any, clusters: list[Any]) -> None:
    assert "EKS Auto Mode" in messages("LBC006", ingresses=[found], clusters=clusters)[0]
    assert messages("LBC007", ingresses=[found], clusters=clusters) == []


def test_parameters_of_the_class_win_over_the_annotation() -> None:
    sections: dict[str, Any] = {
        "ingresses": [ingress({"ip-address-type": "ipv4"})],
        "ingress_classes": [ingress_class(params="shared")],
    }
    dual, single = class_params(ipAddressType="dualstack"), class_params(ipAddressType="ipv4")
    assert messages("LBC006", ingress_class_params=[dual], **sections) == []
    (finding,) = judge("LBC006", ingress_class_params=[single], **sections).findings
    assert (finding.subject.kind, len(finding.locations)) == ("IngressClassParams", 2)
    assert "apiVersion: elbv2.k8s.aws/v1beta1" in finding.remedy


def test_parameters_that_force_ipv4_are_told_without_an_ingress_but_not_for_redirects_alone() -> None:
    single, classes = [class_params(ipAddressType="ipv4")], [ingress_class(params="shared")]
    assert messages("LBC006", ingresses=[], ingress_class_params=single)
    redirect = ingress(defaultBackend=backend("away", "use-annotation"))
    assert messages("LBC006", ingresses=[redirect], ingress_classes=classes, ingress_class_params=single) == []


def test_what_will_be_applied_wins_over_the_class_that_runs_today() -> None:
    live = resource(class_params(ipAddressType="ipv4"))
    file = resource(class_params(ipAddressType="dualstack"), "manifests")
    for order in ([live, file], [file, live]):
        found = judge(
            "LBC006",
            ingresses=[ingress()],
            ingress_classes=[ingress_class(params="shared")],
            ingress_class_params=order,
        ).findings
        assert [finding.subject.kind for finding in found] == ["IngressClassParams"]


def test_one_member_speaks_for_its_group() -> None:
    members = [ingress({"group.name": "g"}, name="a"), ingress({"group.name": "g", **GOOD}, name="b")]
    assert messages("LBC006", ingresses=members) == []
    assert len(messages("LBC006", ingresses=[*members, ingress({"group.name": "other"}, name="c")])) == 1


def test_a_group_that_says_nothing_is_one_finding_with_all_places() -> None:
    members = [ingress({"group.name": "g"}, name=name) for name in ("b", "a", "c")]
    (finding,) = judge("LBC006", ingresses=members).findings
    assert finding.subject.id == "networking.k8s.io/Ingress/shop/a"
    assert len(finding.locations) == 3
    assert "no other member of IngressGroup g sets it" in finding.message


def test_an_ipv4_in_a_group_is_told_at_the_member_that_says_it() -> None:
    members = [
        ingress({"group.name": "g"}, name="a"),
        ingress({"group.name": "g", "ip-address-type": "ipv4"}, name="b"),
    ]
    (finding,) = judge("LBC006", ingresses=members).findings
    assert finding.subject.id.endswith("/b")


def test_the_class_puts_its_ingresses_into_a_group() -> None:
    sections: dict[str, Any] = {
        "ingress_classes": [ingress_class(params="shared")],
        "ingress_class_params": [class_params(group={"name": "g"})],
    }
    members = [ingress(name="a"), ingress(GOOD, name="b")]
    assert messages("LBC006", ingresses=members, **sections) == []


def test_auto_mode_reads_no_group_from_an_annotation() -> None:
    members = [ingress({"group.name": "g"}, name="a"), ingress({"group.name": "g", **GOOD}, name="b")]
    assert messages("LBC006", ingresses=members, ingress_classes=[ingress_class(kind="eks.amazonaws.com/alb")])


def test_a_live_ingress_and_its_file_are_one_finding() -> None:
    (finding,) = judge("LBC006", ingresses=[resource(ingress()), resource(ingress(), "manifests")]).findings
    assert [place.source for place in finding.locations] == ["manifests", "cluster"]


REDIRECT = json.dumps({"type": "redirect", "redirectConfig": {"protocol": "HTTPS", "statusCode": "HTTP_301"}})
ELSEWHERE = json.dumps(
    {"type": "forward", "targetGroupARN": "arn:aws:elasticloadbalancing:eu-west-1:1:targetgroup/a/b"}
)
FORWARD = json.dumps({"type": "forward", "forwardConfig": {"targetGroups": [{"serviceName": "api", "weight": 1}]}})


@pytest.mark.parametrize("action", [REDIRECT, ELSEWHERE, "no JSON", 7])
def test_an_ingress_that_leads_to_no_pod_stays_silent(action: Any) -> None:
    paths = [{"path": "/", "backend": backend("act", "use-annotation")}]
    found = ingress({"actions.act": action}, defaultBackend=None, rules=[{"http": {"paths": paths}}])
    for rule in ("LBC006", "LBC007"):
        assert messages(rule, ingresses=[found]) == []


def test_an_action_that_forwards_to_a_service_leads_to_pods() -> None:
    found = ingress({"actions.act": FORWARD}, defaultBackend=backend("act", "use-annotation"))
    assert messages("LBC006", ingresses=[found])
    assert "for api;" in messages("LBC007", ingresses=[found])[0]


@pytest.mark.parametrize("rule", ["LBC006", "LBC007"])
def test_external_name_backends_stay_silent_as_long_as_there_is_no_other(rule: str) -> None:
    outside = service(type="ExternalName", externalName="shop.example.com")
    assert messages(rule, ingresses=[ingress()], services=[outside]) == []
    paths = [{"backend": backend("web")}, {"backend": backend("api")}]
    both = ingress(rules=[{"http": {"paths": paths}}])
    assert messages(rule, ingresses=[both], services=[outside])


@pytest.mark.parametrize("annotations", [{}, {"target-type": "instance"}, {"target-type": "IP"}])
def test_instance_targets_are_told(annotations: dict[str, str]) -> None:
    sections: dict[str, Any] = {"ingress_classes": [ingress_class()], "services": [service()]}
    (finding,) = judge("LBC007", ingresses=[ingress(annotations)], **sections).findings
    assert (finding.severity, finding.confidence) == (Severity.BLOCKER, Confidence.HIGH)
    assert finding.evidence["backends"] == ["web"]


def test_a_backend_service_out_of_view_lowers_the_confidence() -> None:
    (finding,) = judge("LBC007", ingresses=[ingress()], ingress_classes=[ingress_class()]).findings
    assert finding.confidence is Confidence.MEDIUM


@pytest.mark.parametrize(
    "sections",
    [
        {"ingresses": [ingress({"target-type": "ip"})]},
        {"ingresses": [ingress()], "services": [service(target_type="ip")]},
        {
            "ingresses": [ingress({"target-type": "instance"})],
            "ingress_classes": [ingress_class(params="shared")],
            "ingress_class_params": [class_params(targetType="ip")],
        },
        {"ingresses": [ingress({"target-type ": "ip"})]},
    ],
)
def test_ip_targets_stay_silent_whoever_asks_for_them(sections: dict[str, Any]) -> None:
    assert messages("LBC007", **sections) == []


def test_a_backend_service_that_overrules_its_ingresses_is_the_one_to_change() -> None:
    found = [ingress(GOOD, name="a"), ingress(GOOD, name="b")]
    (finding,) = judge("LBC007", ingresses=found, services=[service(target_type="instance")]).findings
    assert (finding.subject.kind, len(finding.locations)) == ("Service", 3)


def test_a_backend_of_another_namespace_does_not_count() -> None:
    stranger = service(target_type="ip")
    stranger["metadata"]["namespace"] = "other"
    assert messages("LBC007", ingresses=[ingress()], services=[stranger])


def test_parameters_of_the_class_overrule_the_target_type() -> None:
    sections: dict[str, Any] = {
        "ingresses": [ingress(GOOD)],
        "ingress_classes": [ingress_class(params="shared")],
        "ingress_class_params": [class_params(targetType="instance")],
    }
    (finding,) = judge("LBC007", **sections).findings
    assert finding.subject.kind == "IngressClassParams"
    assert "targetType: ip" in finding.remedy


def test_parameters_of_auto_mode_have_no_target_type_to_judge() -> None:
    auto = class_params(api="eks.amazonaws.com/v1", targetType="instance")
    assert messages("LBC007", ingresses=[], ingress_class_params=[auto]) == []


def test_backends_of_the_old_api_version_are_seen() -> None:
    old = ingress(defaultBackend=None, backend={"serviceName": "web", "servicePort": 80})
    assert messages("LBC006", ingresses=[old])


def test_primary_ipv6_on_every_node_lowers_it_to_a_warning() -> None:
    instances = [record("instances", {"id": "i-1", "primary_ipv6": True})]
    (finding,) = judge("LBC007", ingresses=[ingress()], instances=instances).findings
    assert finding.severity is Severity.WARNING


def test_the_controllers_default_target_type_counts() -> None:
    container = {"image": "aws-load-balancer-controller:v3.5.0", "args": ["--default-target-type=ip"]}
    deployment = {"kind": "Deployment", "spec": {"template": {"spec": {"containers": [container]}}}}
    assert messages("LBC007", ingresses=[ingress()], workloads=[deployment]) == []
    assert messages("LBC007", ingresses=[ingress({"target-type": "instance"})], workloads=[deployment])
