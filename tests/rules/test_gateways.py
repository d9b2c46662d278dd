"""Gateways of the AWS Load Balancer Controller: whose they are, which configuration decides, and what IPv6 asks."""

from __future__ import annotations

from typing import Any

import pytest
from build import judge, messages, record

from eks6check.findings import Confidence, Severity

API = "gateway.networking.k8s.io/v1"
AWS = "gateway.k8s.aws/v1"


def named(kind: str, name: str, api: str = AWS, **spec: Any) -> dict[str, Any]:
    metadata = {"name": name} if kind == "GatewayClass" else {"name": name, "namespace": "shop"}
    return {"apiVersion": api, "kind": kind, "metadata": metadata, "spec": spec}


def configuration(name: str = "own", **spec: Any) -> dict[str, Any]:
    return named("LoadBalancerConfiguration", name, **spec)


def gateway(own: str | None = "own", *, of: str = "aws", protocol: str = "HTTP") -> dict[str, Any]:
    reference = {"group": "gateway.k8s.aws", "kind": "LoadBalancerConfiguration", "name": own}
    infrastructure: dict[str, Any] = {"infrastructure": {"parametersRef": reference}} if own else {}
    listeners = [{"name": "one", "protocol": protocol, "port": 80}]
    return named("Gateway", "web", API, gatewayClassName=of, listeners=listeners, **infrastructure)


def gateway_class(kind: str = "alb", shared: str = "") -> dict[str, Any]:
    reference = {"group": "gateway.k8s.aws", "kind": "LoadBalancerConfiguration", "name": shared, "namespace": "shop"}
    parameters: dict[str, Any] = {"parametersRef": reference} if shared else {}
    return named("GatewayClass", "aws", API, controllerName=f"gateway.k8s.aws/{kind}", **parameters)


def route(kind: str = "HTTPRoute", /, service: str = "web", **parent: str) -> dict[str, Any]:
    rules = [{"backendRefs": [{"name": service, "port": 80}]}]
    return named(kind, "web", API, parentRefs=[{"name": "web", **parent}], rules=rules)


def targets(target_type: str | None = "ip", service: str = "web", **spec: Any) -> dict[str, Any]:
    default: dict[str, Any] = {"defaultConfiguration": {"targetType": target_type}} if target_type else {}
    return named("TargetGroupConfiguration", "tg", targetReference={"name": service}, **default, **spec)


def world(*configurations: dict[str, Any], **sections: Any) -> dict[str, Any]:
    """A Gateway with a route and IP targets, and these LoadBalancerConfigurations."""
    return {
        "gateways": [gateway()],
        "gateway_classes": [gateway_class()],
        "gateway_routes": [route()],
        "target_group_configurations": [targets()],
        "load_balancer_configurations": configurations,
        **sections,
    }


def said(*configurations: dict[str, Any], **sections: Any) -> list[str]:
    return messages("LBC015", **world(*configurations, **sections))


@pytest.mark.parametrize("value", ["dualstack", "dualstack-without-public-ipv4"])
def test_a_prepared_gateway_stays_silent(value: str) -> None:
    assert said(configuration(ipAddressType=value)) == []


def test_the_default_is_ipv4() -> None:
    (finding,) = judge("LBC015", **world(configuration(scheme="internal"))).findings
    assert (finding.severity, finding.confidence, finding.subject.kind) == (
        Severity.BLOCKER,
        Confidence.HIGH,
        "Gateway",
    )
    assert finding.locations[1].id == "gateway.k8s.aws/LoadBalancerConfiguration/shop/own"
    assert "at its default, ipv4 in LoadBalancerConfiguration shop/own;" in finding.message
    assert "parametersRef" not in finding.remedy
    (bare,) = judge("LBC015", **world(gateways=[gateway(None)])).findings
    assert "having no LoadBalancerConfiguration" in bare.message
    assert "the Gateway names it in spec.infrastructure.parametersRef" in bare.remedy


def test_a_route_that_only_redirects_beside_one_with_pods_changes_nothing() -> None:
    away = named("HTTPRoute", "away", API, parentRefs=[{"name": "web"}], rules=[{"filters": [{}]}])
    assert len(said(configuration(), gateway_routes=[away, route()])) == 1


def test_what_is_said_wrong_is_told_where_it_is_said_with_all_that_it_decides() -> None:
    second = {**gateway(), "metadata": {"name": "api", "namespace": "shop"}}
    (finding,) = judge("LBC015", **world(configuration(ipAddressType="ipv4"), gateways=[gateway(), second])).findings
    assert finding.subject.kind == "LoadBalancerConfiguration"
    assert len(finding.locations) == 3
    assert "Gateway shop/api and Gateway shop/web" in finding.message
    assert finding.confidence is Confidence.HIGH
    (guess,) = judge("LBC015", **world(configuration(ipAddressType="ipv4"), gateway_classes=[])).findings
    assert guess.confidence is Confidence.MEDIUM


def test_the_class_wins_unless_it_yields() -> None:
    own, shared = configuration(ipAddressType="ipv4"), configuration("shared", ipAddressType="dualstack")
    of_class = [gateway_class(shared="shared")]
    assert said(own, shared, gateway_classes=of_class) == []
    shared["spec"]["mergingMode"] = "prefer-gateway"
    assert len(said(own, shared, gateway_classes=of_class)) == 1
    own["spec"] = {}
    assert said(own, shared, gateway_classes=of_class) == []


def test_a_network_load_balancer_needs_both_families() -> None:
    only = configuration(ipAddressType="dualstack-without-public-ipv4")
    assert len(said(only, gateway_classes=[gateway_class("nlb")])) == 1


@pytest.mark.parametrize(
    "sections",
    [
        {"gateway_classes": [named("GatewayClass", "aws", API, controllerName="istio.io/gateway-controller")]},
        {"gateway_classes": [], "gateways": [gateway(None)]},
        {"gateways": [gateway(None, of="other")]},
        {"gateway_routes": [named("HTTPRoute", "away", API, parentRefs=[{"name": "web"}], rules=[{"filters": [{}]}])]},
        {"gateways": [gateway("elsewhere")]},
    ],
)
def test_other_controllers_routes_without_pods_and_unseen_configurations_stay_silent(sections: dict[str, Any]) -> None:
    assert said(configuration(), **sections) == []


def test_a_class_out_of_view_lowers_the_confidence() -> None:
    (finding,) = judge("LBC015", **world(configuration(), gateway_classes=[])).findings
    assert finding.confidence is Confidence.MEDIUM
    assert said(configuration(ipAddressType="dualstack"), gateway_classes=[]) == []


def test_without_a_route_in_view_the_confidence_is_lower() -> None:
    (finding,) = judge("LBC015", **world(configuration(), gateway_routes=[])).findings
    assert finding.confidence is Confidence.MEDIUM


DUAL = configuration(ipAddressType="dualstack")


def test_the_default_target_type_is_instance() -> None:
    (finding,) = judge("LBC015", **world(DUAL, target_group_configurations=[])).findings
    assert finding.message == (
        "Gateway shop/web leaves the target type at its default, instance, for shop/web; IPv6 needs ip."
    )
    assert len(finding.locations) == 2
    assert finding.confidence is Confidence.HIGH


def test_nodes_with_primary_ipv6_addresses_lower_the_severity() -> None:
    nodes = [record("instances", {"id": "i-1", "primary_ipv6": True})]
    (finding,) = judge("LBC015", **world(DUAL, target_group_configurations=[], instances=nodes)).findings
    assert finding.severity is Severity.WARNING


def test_the_controllers_flag_is_the_default() -> None:
    container = {"name": "c", "image": "aws-load-balancer-controller:v3.5.0", "args": ["--default-target-type=ip"]}
    deployment = {"kind": "Deployment", "spec": {"template": {"spec": {"containers": [container]}}}}
    assert said(DUAL, target_group_configurations=[], workloads=[deployment]) == []


def test_a_services_own_configuration_wins_and_in_it_the_routes_entry() -> None:
    (finding,) = judge("LBC015", **world(DUAL, target_group_configurations=[targets("instance")])).findings
    assert finding.subject.kind == "TargetGroupConfiguration"

    def of_route(name: str) -> dict[str, Any]:
        identifier = {"kind": "HTTPRoute", "name": name}
        entry = {"routeIdentifier": identifier, "targetGroupProps": {"targetType": "ip"}}
        return targets("instance", routeConfigurations=[entry])

    assert said(DUAL, target_group_configurations=[of_route("web")]) == []
    assert len(said(DUAL, target_group_configurations=[of_route("other")])) == 1


def test_a_default_that_the_gateways_configuration_names_counts_for_all() -> None:
    default = named("TargetGroupConfiguration", "all", defaultConfiguration={"targetType": "ip"})
    pointing = configuration(ipAddressType="dualstack", defaultTargetGroupConfiguration={"name": "all"})
    assert said(pointing, target_group_configurations=[default]) == []
    assert said(pointing, target_group_configurations=[default, targets(None)]) == []
    assert len(said(pointing, target_group_configurations=[default, targets("instance")])) == 1


UDP: dict[str, Any] = {"gateways": [gateway(protocol="UDP")], "gateway_classes": [gateway_class("nlb")]}


def test_udp_needs_a_source_nat_prefix_on_every_subnet() -> None:
    (finding,) = judge("LBC015", **world(DUAL, **UDP)).findings
    assert "takes UDP" in finding.message
    assert finding.confidence is Confidence.HIGH
    subnets = [{"identifier": "subnet-1", "sourceNatIPv6Prefix": "auto_assigned"}, {"identifier": "subnet-2"}]
    half = configuration(ipAddressType="dualstack", loadBalancerSubnets=subnets)
    (finding,) = judge("LBC015", **world(half, **UDP)).findings
    assert finding.locations[-1].id == "gateway.k8s.aws/LoadBalancerConfiguration/shop/own"
    subnets[1]["sourceNatIPv6Prefix"] = "auto_assigned"
    assert said(configuration(ipAddressType="dualstack", loadBalancerSubnets=subnets), **UDP) == []


def test_udp_on_an_alb_and_configurations_out_of_view_say_nothing_of_source_nat() -> None:
    assert said(DUAL, gateways=[gateway(protocol="UDP")]) == []
    unseen = {**UDP, "gateways": [gateway("elsewhere", protocol="UDP")]}
    assert said(DUAL, **unseen) == []
    bare = judge("LBC015", **world(DUAL, **{**UDP, "gateway_classes": []})).findings
    assert [finding.confidence for finding in bare] == [Confidence.MEDIUM]


def test_a_default_of_instance_is_as_sure_as_all_that_decides_is_in_view() -> None:
    sections: dict[str, Any] = {"target_group_configurations": []}
    assert said(DUAL, gateways=[gateway("elsewhere")], **sections) == []
    (finding,) = judge("LBC015", **world(DUAL, gateway_classes=[], **sections)).findings
    assert finding.confidence is Confidence.MEDIUM


def test_references_to_other_kinds_and_without_a_name_are_no_backends() -> None:
    rules = [{"backendRefs": [{"name": "pool", "kind": "InferencePool"}, {"kind": "Service"}, None]}]
    other = named("HTTPRoute", "web", API, parentRefs=[{"name": "web"}], rules=rules)
    assert said(configuration(), gateway_routes=[other], target_group_configurations=[]) == []
    away = route(service="api")
    away["spec"]["rules"][0]["backendRefs"][0] |= {"kind": "Service", "namespace": "other"}
    (message,) = said(DUAL, gateway_routes=[away])
    assert "for other/api;" in message


def test_a_udp_route_asks_for_udp_too() -> None:
    network = [gateway_class("nlb")]
    assert len(said(DUAL, gateway_routes=[route("UDPRoute")], gateway_classes=network)) == 1
    assert said(DUAL, gateway_routes=[route("TCPRoute")], gateway_classes=network) == []


def test_a_route_to_another_gateway_or_to_a_listener_set_is_not_this_ones() -> None:
    for parent in ({"namespace": "other"}, {"kind": "ListenerSet"}, {"name": "api"}):
        assert said(DUAL, gateway_routes=[route("UDPRoute", **parent)], gateway_classes=[gateway_class("nlb")]) == []
