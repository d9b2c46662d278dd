"""Live load balancers, QUIC, and target group bindings: what an IPv6 cluster cannot take over, and what it can."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import build
import pytest

from eks6check.findings import Confidence, Finding, Severity

PREFIX = "service.beta.kubernetes.io/aws-load-balancer-"
GROUP = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/web/73e2d6bc24d8a067"
NLB: Mapping[str, Any] = {
    "id": "arn:nlb",
    "name": "k8s-shop-web",
    "type": "network",
    "scheme": "internal",
    "tags": {"service.k8s.aws/stack": "shop/web"},
}
UDP = {"port": 443, "name": "http3", "protocol": "UDP"}
TCP = {"port": 443, "name": "http2", "protocol": "TCP"}


def service(quic: str | None = "443", *ports: Mapping[str, Any], **spec: Any) -> dict[str, Any]:
    annotations = {} if quic is None else {f"{PREFIX}quic-enabled-ports": quic}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web", "namespace": "shop", "annotations": annotations},
        "spec": {
            "type": "LoadBalancer",
            "loadBalancerClass": "service.k8s.aws/nlb",
            "ports": ports or [TCP, UDP],
            **spec,
        },
    }


def quic_group(protocol: str = "TCP_QUIC", arn: str = "arn:nlb") -> dict[str, Any]:
    return {"id": "arn:tg", "name": "k8s-shop-http3", "protocol": protocol, "load_balancer_arns": [arn]}


@pytest.mark.parametrize("quic", ["443", "http3", "80, 443", " http3 ,"])
def test_a_udp_port_that_becomes_quic_is_refused_by_a_dual_stack_load_balancer(quic: str) -> None:
    (message,) = build.messages("LBC009", services=[service(quic)])
    assert message == (
        "Service shop/web asks for QUIC on port 443; its load balancer must be dual-stack in an IPv6 cluster, and no "
        "dual-stack one takes QUIC."
    )


@pytest.mark.parametrize(
    "harmless",
    [
        service(None),
        service(""),
        service("8443"),
        service("443", TCP),
        service("http2"),
        service(type="ClusterIP"),
        service(loadBalancerClass="tailscale"),
        service(loadBalancerClass="eks.amazonaws.com/nlb"),
    ],
)
def test_other_ports_and_other_controllers_are_left_alone(harmless: Any) -> None:
    assert build.messages("LBC009", services=[harmless]) == []


@pytest.mark.parametrize("protocol", ["QUIC", "TCP_QUIC"])
def test_a_live_load_balancer_tells_by_its_target_group(protocol: str) -> None:
    (finding,) = build.judge("LBC009", load_balancers=[NLB], target_groups=[quic_group(protocol)]).findings
    assert finding.message == (
        f"k8s-shop-web has the {protocol} target group k8s-shop-http3; it must be dual-stack in an IPv6 cluster, and "
        f"no dual-stack load balancer takes QUIC."
    )
    assert [place.id for place in finding.locations] == ["arn:nlb", "arn:tg"]


def test_a_service_and_its_live_load_balancer_are_one_fault() -> None:
    other = {**NLB, "id": "arn:other", "name": "k8s-shop-dns", "tags": {"service.k8s.aws/stack": "shop/dns"}}
    groups = [quic_group(), {**quic_group(arn="arn:other"), "id": "arn:tg-2"}]
    outcome = build.judge("LBC009", services=[service()], load_balancers=[NLB, other], target_groups=groups)
    assert {each.subject.id: [place.id for place in each.locations] for each in outcome.findings} == {
        "v1/Service/shop/web": ["v1/Service/shop/web", "arn:nlb"],
        "arn:other": ["arn:other", "arn:tg-2"],
    }


@pytest.mark.parametrize("group", [quic_group("UDP"), quic_group("TCP"), quic_group(arn="arn:of-others")])
def test_other_protocols_and_load_balancers_of_others_are_left_alone(group: Any) -> None:
    assert build.messages("LBC009", load_balancers=[NLB], target_groups=[group]) == []


CLASS = {"kind": "GatewayClass", "metadata": {"name": "nlb"}, "spec": {"controllerName": "gateway.k8s.aws/nlb"}}


def gateway(name: str = "edge") -> dict[str, Any]:
    parameters = {"group": "gateway.k8s.aws", "kind": "LoadBalancerConfiguration", "name": "quic"}
    spec = {"gatewayClassName": "nlb", "infrastructure": {"parametersRef": parameters}}
    return {"kind": "Gateway", "metadata": {"name": name, "namespace": "shop"}, "spec": spec}


def configuration(*listeners: Any) -> dict[str, Any]:
    return {
        "apiVersion": "gateway.k8s.aws/v1beta1",
        "kind": "LoadBalancerConfiguration",
        "metadata": {"name": "quic", "namespace": "shop"},
        "spec": {"listenerConfigurations": list(listeners)},
    }


QUIC_LISTENER = {"protocolPort": "UDP:443", "quicEnabled": True}


def test_a_gateways_configuration_can_ask_for_quic_too() -> None:
    parts = {"gateway_classes": [CLASS], "load_balancer_configurations": [configuration({}, QUIC_LISTENER)]}
    (finding,) = build.judge("LBC009", gateways=[gateway(), gateway("other")], **parts).findings
    assert finding.message == (
        "LoadBalancerConfiguration shop/quic turns UDP:443 into QUIC for Gateway shop/edge and Gateway shop/other; the "
        "load balancer must be dual-stack in an IPv6 cluster, and no dual-stack one takes QUIC."
    )
    assert len(finding.locations) == 3


@pytest.mark.parametrize(
    ("gateways", "classes", "listeners"),
    [
        ([gateway()], [CLASS], [{**QUIC_LISTENER, "quicEnabled": False}]),
        ([gateway()], [CLASS], [None, "x"]),
        ([gateway()], [{**CLASS, "spec": {"controllerName": "gateway.k8s.aws/alb"}}], [QUIC_LISTENER]),
        ([gateway()], [{**CLASS, "spec": {"controllerName": "example.net/envoy"}}], [QUIC_LISTENER]),
        ([], [CLASS], [QUIC_LISTENER]),
    ],
)
def test_configurations_without_quic_or_without_a_network_load_balancer_are_left_alone(
    gateways: Any, classes: Any, listeners: Any
) -> None:
    parts = {"gateway_classes": classes, "load_balancer_configurations": [configuration(*listeners)]}
    assert build.messages("LBC009", gateways=gateways, **parts) == []


def binding(labels: Mapping[str, str] | None = None, **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "elbv2.k8s.aws/v1beta1",
        "kind": "TargetGroupBinding",
        "metadata": {"name": "web", "namespace": "shop", "labels": labels or {}},
        "spec": {"targetGroupARN": GROUP, "serviceRef": {"name": "web", "port": 80}, **spec},
    }


def owned(body: dict[str, Any]) -> dict[str, Any]:
    """The same binding as some operator made it."""
    owner = {"apiVersion": "example.com/v1", "kind": "Fleet", "name": "web", "controller": True}
    return {**body, "metadata": {**body["metadata"], "ownerReferences": [owner]}}


def group(family: str = "ipv4", target_type: str = "ip") -> dict[str, Any]:
    return {"id": GROUP, "name": "web", "ip_address_type": family, "target_type": target_type}


def judged(body: Any, *groups: Any, **sections: Any) -> tuple[Finding, ...]:
    return build.judge("LBC016", target_group_bindings=[body], target_groups=groups, **sections).findings


@pytest.mark.parametrize(
    ("spec", "groups", "said"),
    [
        ({"ipAddressType": "ipv4"}, [], "has ipAddressType ipv4"),
        ({"ipAddressType": "ipv4"}, [group("ipv6")], "has ipAddressType ipv4"),
        ({}, [group()], "binds the target group web, which is ipv4"),
        ({"targetGroupARN": None, "targetGroupName": "web"}, [group()], "binds the target group web, which is ipv4"),
        ({"ipAddressType": "ipv6"}, [group()], "binds the target group web, which is ipv4"),
    ],
)
def test_an_ipv4_binding_or_group_takes_no_pod_of_an_ipv6_cluster(spec: Any, groups: Any, said: str) -> None:
    (finding,) = judged(binding(**spec), *groups)
    assert finding.message == f"TargetGroupBinding shop/web {said}; the pods of an IPv6 cluster fit only an ipv6 one."
    assert (finding.severity, finding.confidence) == (Severity.BLOCKER, Confidence.HIGH)
    assert finding.evidence["ipAddressType"] == spec.get("ipAddressType")
    assert finding.evidence["target_group_ip_address_type"] == (groups[0]["ip_address_type"] if groups else None)
    assert len(finding.locations) == 1 + len(groups)


def test_what_neither_binding_nor_account_tells_is_a_warning() -> None:
    (finding,) = judged(binding(targetGroupARN=None, targetGroupName="web"))
    assert (finding.severity, finding.confidence) == (Severity.WARNING, Confidence.MEDIUM)
    assert "names no ipAddressType for the target group web, which then counts as ipv4" in finding.message


@pytest.mark.parametrize(
    ("body", "groups"),
    [
        (binding(ipAddressType="ipv6"), []),
        (binding(ipAddressType="ipv6", targetType="ip"), [group("ipv6")]),
        (binding(), [group("ipv6")]),
        (binding({"ingress.k8s.aws/stack": "shop"}, ipAddressType="ipv4"), [group()]),
        (binding({"service.k8s.aws/stack-name": "web"}, ipAddressType="ipv4", targetType="instance"), [group()]),
        (binding(targetGroupARN=None), []),
        (owned(binding(ipAddressType="ipv4", targetType="instance")), [group()]),
    ],
)
def test_ipv6_bindings_and_those_of_the_controller_are_left_alone(body: Any, groups: Any) -> None:
    assert judged(body, *groups) == ()


@pytest.mark.parametrize(
    ("body", "groups"),
    [
        (binding(ipAddressType="ipv6", targetType="instance"), []),
        (binding(), [group("ipv6", "instance")]),
    ],
)
def test_instances_need_a_primary_ipv6_address(body: Any, groups: Any) -> None:
    (finding,) = judged(body, *groups)
    assert finding.message.startswith(
        "TargetGroupBinding shop/web registers instances; IPv6 needs a target group of type ip."
    )
    assert finding.severity is Severity.BLOCKER
    (finding,) = judged(body, *groups, instances=[{"id": "i-1", "primary_ipv6": True}])
    assert finding.severity is Severity.WARNING


def opened(*peers: Any) -> dict[str, Any]:
    return {"ipAddressType": "ipv6", "networking": {"ingress": [{"from": list(peers), "ports": [{"port": 80}]}]}}


def block(cidr: str) -> dict[str, Any]:
    return {"ipBlock": {"cidr": cidr}}


def test_a_binding_that_opens_the_pods_to_ipv4_blocks_alone_is_a_warning() -> None:
    (finding,) = judged(binding(**opened(block("10.0.1.0/24"), block("10.0.2.0/24"))))
    assert finding.severity is Severity.WARNING
    assert "opens the pods' security group to 10.0.1.0/24, 10.0.2.0/24 alone" in finding.message
    assert "securityGroup: {groupID: SECURITY_GROUP_OF_THE_LOAD_BALANCER}" in finding.remedy


@pytest.mark.parametrize(
    "spec",
    [
        opened(block("10.0.1.0/24"), block("2001:db8::/64")),
        opened(block("10.0.1.0/24"), {"securityGroup": {"groupID": "sg-1"}}),
        opened({"securityGroup": {"groupID": "sg-1"}}),
        opened(None, 3),
        {"ipAddressType": "ipv6", "networking": {"ingress": [{"ports": [{"port": 80}]}, None]}},
        {"ipAddressType": "ipv6", "networking": "x"},
    ],
)
def test_a_binding_that_opens_them_to_ipv6_or_to_a_group_is_left_alone(spec: dict[str, Any]) -> None:
    assert judged(binding(**spec)) == ()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "k8s-shop-web, made for shop/web, is an internal network load balancer with ip-address-type ipv4"),
        (
            {"type": "application", "scheme": "internet-facing", "tags": {}},
            "k8s-shop-web is an internet-facing application load balancer with ip-address-type ipv4",
        ),
        (
            {"type": "classic", "tags": {"kubernetes.io/service-name": "shop/web"}},
            "k8s-shop-web, made for shop/web, is a classic load balancer, a type that has no IPv6 in a VPC",
        ),
        ({"type": "", "scheme": "", "tags": {}}, "k8s-shop-web is a load balancer with ip-address-type ipv4"),
    ],
)
def test_an_ipv4_load_balancer_is_noted(changes: Any, said: str) -> None:
    (finding,) = build.judge("LBC020", load_balancers=[{**NLB, **changes}]).findings
    assert finding.message == f"{said}, so its clients have no IPv6 way in."
    assert finding.severity is Severity.INFO
    assert ("alb.ingress.kubernetes.io" in finding.remedy) is (changes.get("type") == "application")
    assert ("loadBalancerClass" in finding.remedy) is (changes.get("type") == "classic")


@pytest.mark.parametrize("family", ["dualstack", "dualstack-without-public-ipv4", "a-type-of-2030"])
def test_any_other_address_type_is_left_alone(family: str) -> None:
    assert build.messages("LBC020", load_balancers=[{**NLB, "ip_address_type": family}]) == []


@pytest.mark.parametrize(
    ("tag", "kind"),
    [("service.k8s.aws/stack", "Service"), ("ingress.k8s.aws/stack", "Ingress"), ("x/y", None)],
)
def test_what_it_was_made_for_is_a_further_place_from_a_file_where_one_declares_it(tag: str, kind: str | None) -> None:
    metadata = {"name": "web", "namespace": "shop"}
    sections = {
        section: [
            build.resource({"apiVersion": api, "kind": each, "metadata": metadata}, source)
            for source in ("manifests", "cluster")
        ]
        for section, api, each in (
            ("services", "v1", "Service"),
            ("ingresses", "networking.k8s.io/v1", "Ingress"),
        )
    }
    balancer = {**NLB, "ip_address_type": "ipv4", "tags": {tag: "shop/web"}}
    (finding,) = build.judge("LBC020", load_balancers=[balancer], **sections).findings
    assert [place.file for place in finding.locations[1:]] == (["test.yaml"] if kind else [])
