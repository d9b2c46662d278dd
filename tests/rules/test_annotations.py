"""Annotations that nothing reads, values that nothing takes, and the many keys that are none of our business."""

from __future__ import annotations

from typing import Any

import pytest
from build import judge, messages

from eks6check.findings import Confidence

SVC = "service.beta.kubernetes.io/aws-load-balancer-"
ALB = "alb.ingress.kubernetes.io/"
UDP = [{"port": 53, "protocol": "UDP"}]
CONTROLLER = "service.k8s.aws/nlb"


def service(annotations: dict[str, Any], **spec: Any) -> dict[str, Any]:
    metadata = {"name": "web", "namespace": "shop", "annotations": annotations}
    return {"kind": "Service", "metadata": metadata, "spec": {"type": "LoadBalancer", **spec}}


def ingress(annotations: dict[str, Any], name: str = "web") -> dict[str, Any]:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": name, "namespace": "shop", "annotations": annotations},
        "spec": {"ingressClassName": "alb", "defaultBackend": {"service": {"name": "web"}}},
    }


def run(rule: str, *objects: dict[str, Any], **sections: Any) -> list[Any]:
    services = [each for each in objects if each["kind"] == "Service"]
    ingresses = [each for each in objects if each["kind"] == "Ingress"]
    params: dict[str, Any] = {"ingress_class_params": []} if rule == "LBC012" else {}
    return list(judge(rule, **{"services": services, "ingresses": ingresses, **params, **sections}).findings)


SHARED: dict[str, Any] = {
    "ingress_classes": [
        {
            "kind": "IngressClass",
            "metadata": {"name": "alb"},
            "spec": {
                "controller": "ingress.k8s.aws/alb",
                "parameters": {"apiGroup": "elbv2.k8s.aws", "kind": "IngressClassParams", "name": "shared"},
            },
        }
    ],
    "ingress_class_params": [
        {
            "apiVersion": "elbv2.k8s.aws/v1beta1",
            "kind": "IngressClassParams",
            "metadata": {"name": "shared"},
            "spec": {"ipAddressType": "dualstack", "targetType": "ip"},
        }
    ],
}
"""A class whose parameters decide both settings."""

FAMILY = [
    SVC + "ip-address type",
    SVC + "ip_address_type",
    SVC + "IP-Address-Type",
    SVC + "ip-adress-type",
    SVC + "ipaddress-type",
    SVC + "nlb-ip-address-type",
    "service.kubernetes.io/aws-load-balancer-ip-address-type",
    "service.beta.kubernetes.io/ip-address-type",
    "aws-load-balancer-ip-address-type",
    ALB + "ip-address-type",
]
TARGET = [
    SVC + "target-type",
    SVC + "nlb-targettype",
    SVC + "nlb-target-types",
    "service.beta.kubernetes.io/nlb-target-type",
    "service.alpha.kubernetes.io/aws-load-balancer-nlb-target-type",
]


@pytest.mark.parametrize("key", FAMILY)
@pytest.mark.parametrize(
    "spec", [{"loadBalancerClass": CONTROLLER}, {}, {"loadBalancerClass": "eks.amazonaws.com/nlb"}]
)
def test_a_near_miss_of_the_address_type_is_told_with_the_key_that_was_meant(key: str, spec: dict[str, str]) -> None:
    (finding,) = run("LBC011", service({key: "dualstack", SVC + "nlb-target-type": "ip"}, **spec))
    assert (finding.evidence["found"], finding.evidence["key"]) == (key, SVC + "ip-address-type")
    assert f'{SVC}ip-address-type: "dualstack"' in finding.remedy
    assert repr(key) in finding.message


@pytest.mark.parametrize("key", TARGET)
def test_a_near_miss_of_the_target_type_is_told(key: str) -> None:
    (finding,) = run("LBC011", service({key: "ip"}, loadBalancerClass=CONTROLLER))
    assert finding.evidence["key"] == SVC + "nlb-target-type"


def test_a_near_miss_of_source_nat_is_told_and_owns_the_fault() -> None:
    wrong = service({SVC + "enable-prefix-for-ipv6-sourcenat": "on"}, loadBalancerClass=CONTROLLER, ports=UDP)
    (finding,) = run("LBC011", wrong)
    assert finding.evidence["key"] == SVC + "enable-prefix-for-ipv6-source-nat"
    assert messages("LBC008", services=[wrong]) == []


@pytest.mark.parametrize(
    "key",
    [
        ALB + "ip-address type",
        ALB + "ip-address-types",
        ALB + "ipAddressType",
        "alb.ingres.kubernetes.io/ip-address-type",
        "nlb.ingress.kubernetes.io/ip-address-type",
        "alb.ingress.kubernetes.io.ip-address-type",
        "ingress.k8s.aws/ip-address-type",
        SVC + "ip-address-type",
    ],
)
def test_a_near_miss_on_an_ingress_is_told_and_owns_the_fault(key: str) -> None:
    wrong = ingress({key: "dualstack", ALB + "target-type": "ip"})
    (finding,) = run("LBC011", wrong)
    assert finding.evidence["key"] == ALB + "ip-address-type"
    assert finding.confidence is Confidence.MEDIUM
    assert messages("LBC006", ingresses=[wrong]) == []


@pytest.mark.parametrize("key", [SVC + "nlb-target-type", ALB + "targettype", "alb.ingress.kubernetes.io /target-type"])
def test_a_near_miss_of_an_ingresss_target_type_is_told(key: str) -> None:
    wrong = ingress({key: "ip", ALB + "ip-address-type": "dualstack"})
    assert [finding.evidence["key"] for finding in run("LBC011", wrong)] == [ALB + "target-type"]


def test_a_key_with_a_space_is_told_to_be_refused() -> None:
    spaced, other = ingress({ALB + "ip-address type": "dualstack"}), ingress({ALB + "ipaddresstype": "dualstack"})
    assert "API server refuses" in run("LBC011", spaced)[0].message
    assert "API server refuses" not in run("LBC011", other)[0].message


@pytest.mark.parametrize(
    "annotations",
    [
        {"ingress.yandex.cloud/ip-address-type": "dualstack"},
        {"ingress.alb.yc.io/target-type": "ip"},
        {"nginx.ingress.kubernetes.io/target-type": "ip"},
        {"service.beta.kubernetes.io/azure-load-balancer-ip-address-type": "dualstack"},
        {"service.beta.kubernetes.io/azure-load-balancer-internal": "true"},
        {"cloud.google.com/load-balancer-type": "Internal"},
        {"example.com/ip-address-type": "dualstack", "team": "target-type"},
        {ALB + "address-type": "internet"},
        {ALB + "target-node-labels": "ip=ip", SVC + "type": "nlb-ip"},
        {SVC + "private-ipv4-addresses": "10.0.0.9", SVC + "ipv6-addresses": "2001:db8::9"},
        {"target-type": "ip", "ip-address-type": "dualstack"},
        {5: "dualstack", None: "ip", SVC + "ip-address-typ": ["dualstack"]},
        {},
    ],
)
def test_foreign_and_known_keys_are_no_near_misses(annotations: dict[Any, Any]) -> None:
    assert run("LBC011", service(annotations, loadBalancerClass=CONTROLLER, ports=UDP), ingress(annotations)) == []


def test_target_group_keys_on_a_service_are_valid_and_no_target_type_of_its_own_load_balancer() -> None:
    valid = service({ALB + "target-type": "ip", ALB + "healthcheck-path": "/"}, loadBalancerClass=CONTROLLER)
    assert run("LBC011", valid) == []
    assert messages("LBC005", services=[valid])


@pytest.mark.parametrize(
    "spec", [{"type": "ClusterIP"}, {"loadBalancerClass": "metallb"}, {"loadBalancerClass": "service.k8s.azure/nlb"}]
)
def test_objects_that_no_aws_controller_handles_stay_silent(spec: dict[str, str]) -> None:
    assert run("LBC011", service({SVC + "ip-address type": "dualstack"}, **spec)) == []


def test_a_near_miss_is_harmless_beside_the_right_key() -> None:
    both = {ALB + "ip-address-type": "dualstack", SVC + "ip-address-type": "dualstack"}
    typed = {SVC + "nlb-target-type": "ip", ALB + "target-type": "ip"}
    assert run("LBC011", service({**both, **typed}, loadBalancerClass=CONTROLLER), ingress({**both, **typed})) == []


def test_a_near_miss_is_harmless_where_it_could_decide_nothing() -> None:
    wrong = {ALB + "ip-address type": "dualstack", ALB + "group.name": "g", ALB + "target-type": "ip"}
    speaker = ingress({ALB + "ip-address-type": "dualstack", ALB + "group.name": "g", ALB + "target-type": "ip"}, "b")
    assert len(run("LBC011", ingress(wrong))) == 1
    assert run("LBC011", ingress(wrong), speaker) == []
    redirect = ingress(wrong)
    redirect["spec"]["defaultBackend"] = {"service": {"name": "a", "port": {"name": "use-annotation"}}}
    assert run("LBC011", redirect) == []


AWS_CLASS = {"kind": "IngressClass", "metadata": {"name": "alb"}, "spec": {"controller": "ingress.k8s.aws/alb"}}


def test_a_class_in_view_makes_both_rules_sure() -> None:
    spelled, valued = ingress({ALB + "ip-address type": "dualstack"}), ingress({ALB + "ip-address-type": "ipv6"})
    for rule, made in (("LBC011", spelled), ("LBC012", valued)):
        (guess,) = run(rule, made)
        (sure,) = run(rule, made, ingress_classes=[AWS_CLASS])
        assert (guess.confidence, sure.confidence) == (Confidence.MEDIUM, Confidence.HIGH)


def test_a_near_miss_of_what_nobody_wants_there_is_harmless() -> None:
    nat = service({SVC + "enable-prefix-for-ipv6-sourcenat": "on"}, loadBalancerClass=CONTROLLER)
    assert run("LBC011", nat) == []
    container = {"name": "c", "image": "aws-load-balancer-controller:v3.5.0", "args": ["--default-target-type=ip"]}
    deployment = {"kind": "Deployment", "spec": {"template": {"spec": {"containers": [container]}}}}
    typed = ingress({ALB + "targettype": "ip", ALB + "ip-address-type": "dualstack"})
    assert run("LBC011", typed, workloads=[deployment]) == []


def test_auto_mode_needs_neither_target_type_nor_source_nat() -> None:
    auto = {"kind": "IngressClass", "metadata": {"name": "alb"}, "spec": {"controller": "eks.amazonaws.com/alb"}}
    annotations = {
        SVC + "ip-address-type": "dualstack",
        SVC + "target-type": "ip",
        SVC + "enable-prefix-for-ipv6-nat": "on",
    }
    annotations |= {SVC + "enable-prefix-for-ipv6-source nat": "on"}
    assert run("LBC011", service(annotations, loadBalancerClass="eks.amazonaws.com/nlb", ports=UDP)) == []
    wrong = ingress({ALB + "ip-address-type": "dualstack", ALB + "target type": "ip"})
    assert run("LBC011", wrong)
    assert run("LBC011", wrong, ingress_classes=[auto]) == []


def test_a_near_miss_is_harmless_where_something_else_says_the_same() -> None:
    annotations = {ALB + "ip-address type": "dualstack", ALB + "target type": "ip"}
    assert len(run("LBC011", ingress(annotations))) == 2
    assert run("LBC011", ingress(annotations), **SHARED) == []
    assert run("LBC011", service({SVC + "type": "nlb-ip", SVC + "nlb-target type": "ip"})) == []


def test_several_near_misses_on_one_object_are_several_findings() -> None:
    wrong = service({SVC + "ip-address type": "dualstack", SVC + "target-type": "ip"}, loadBalancerClass=CONTROLLER)
    found = run("LBC011", wrong)
    assert len({finding.fingerprint for finding in found}) == 2


@pytest.mark.parametrize("value", ["dualstack-without-public-ipv4", "dualStack", "ipv6", "dual-stack", "", True, 6])
@pytest.mark.parametrize("spec", [{"loadBalancerClass": CONTROLLER}, {}])
def test_a_service_refuses_what_is_not_ipv4_or_dualstack(value: Any, spec: dict[str, str]) -> None:
    wrong = service({SVC + "ip-address-type": value}, **spec)
    (finding,) = run("LBC012", wrong)
    assert finding.message.endswith("which it does not take: ipv4 or dualstack.")
    assert f"{SVC}ip-address-type: dualstack" in finding.remedy
    assert messages("LBC004", services=[wrong]) == []


@pytest.mark.parametrize("value", ["dualStack", "ipv6", "dualstack "])
def test_an_ingress_refuses_them_too_and_no_second_rule_says_so(value: str) -> None:
    wrong = ingress({ALB + "ip-address-type": value})
    assert len(run("LBC012", wrong)) == 1
    assert messages("LBC006", ingresses=[wrong]) == []


@pytest.mark.parametrize("value", ["ipv4", "dualstack", None])
def test_values_that_are_taken_stay_silent(value: str | None) -> None:
    objects = service({SVC + "ip-address-type": value}), ingress({ALB + "ip-address-type": value})
    assert run("LBC012", *objects, ingress({ALB + "ip-address-type": "dualstack-without-public-ipv4"})) == []


def test_a_value_that_the_class_overrules_stays_silent() -> None:
    wrong = ingress({ALB + "ip-address-type": "ipv6"})
    assert run("LBC012", wrong)
    assert run("LBC012", wrong, **SHARED) == []


def test_values_on_objects_of_other_controllers_stay_silent() -> None:
    foreign = service({SVC + "ip-address-type": "ipv6"}, loadBalancerClass="other")
    other = {**ingress({ALB + "ip-address-type": "ipv6"}), "spec": {"ingressClassName": "nginx"}}
    assert run("LBC012", foreign, other) == []


@pytest.mark.parametrize(("value", "count"), [("dualStack", 1), (6, 1), ("dualstack", 0), (None, 0)])
def test_parameters_of_a_class_are_judged_alike(value: Any, count: int) -> None:
    params = {"kind": "IngressClassParams", "metadata": {"name": "shared"}, "spec": {"ipAddressType": value}}
    found = run("LBC012", ingress_class_params=[params])
    assert len(found) == count
    assert all("ipAddressType: dualstack" in finding.remedy for finding in found)
