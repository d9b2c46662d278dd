"""Source ranges of load balancers and conditions of ALB rules: whose list counts, and what names IPv4 alone."""

from __future__ import annotations

import json
from typing import Any

import pytest
from build import judge, messages
from hypothesis import given
from hypothesis import strategies as st

from eks6check.facts.cidrs import ipv4_only, listed
from eks6check.findings import Severity

SERVICE = "service.beta.kubernetes.io/"
INGRESS = "alb.ingress.kubernetes.io/"
OFFICE, OFFICE_V6 = "198.51.100.0/24", "2001:db8:100::/48"


def service(annotations: dict[str, str] | None = None, ranges: Any = None, **spec: Any) -> dict[str, Any]:
    lists = {} if ranges is None else {"loadBalancerSourceRanges": ranges}
    spec = {"type": "LoadBalancer", "loadBalancerClass": "service.k8s.aws/nlb", **lists, **spec}
    metadata = {"name": "web", "namespace": "shop", "annotations": annotations or {}}
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}


def ingress(annotations: dict[str, str] | None = None, name: str = "web", **spec: Any) -> dict[str, Any]:
    short = {f"{INGRESS}{key}": value for key, value in (annotations or {}).items()}
    backend = {"service": {"name": "web", "port": {"number": 80}}}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": name, "namespace": "shop", "annotations": short},
        "spec": {"ingressClassName": "alb", "defaultBackend": backend, **spec},
    }


def params(**spec: Any) -> dict[str, list[Any]]:
    """An IngressClass with its parameters."""
    reference = {"apiGroup": "elbv2.k8s.aws", "kind": "IngressClassParams", "name": "shared"}
    spec_of_class = {"controller": "ingress.k8s.aws/alb", "parameters": reference}
    meta = {"apiVersion": "elbv2.k8s.aws/v1beta1", "kind": "IngressClassParams", "metadata": {"name": "shared"}}
    kind = {"apiVersion": "networking.k8s.io/v1", "kind": "IngressClass", "metadata": {"name": "alb"}}
    return {"ingress_classes": [{**kind, "spec": spec_of_class}], "ingress_class_params": [{**meta, "spec": spec}]}


def gateway(**spec: Any) -> dict[str, list[Any]]:
    """A Gateway with its class and its configuration."""
    reference = {"group": "gateway.k8s.aws", "kind": "LoadBalancerConfiguration", "name": "web"}
    meta = {"name": "web", "namespace": "shop"}
    api = "gateway.networking.k8s.io/v1"
    return {
        "gateway_classes": [
            {
                "apiVersion": api,
                "kind": "GatewayClass",
                "metadata": {"name": "g"},
                "spec": {"controllerName": "gateway.k8s.aws/nlb"},
            }
        ],
        "gateways": [
            {
                "apiVersion": api,
                "kind": "Gateway",
                "metadata": meta,
                "spec": {"gatewayClassName": "g", "infrastructure": {"parametersRef": reference}},
            }
        ],
        "load_balancer_configurations": [
            {"apiVersion": "gateway.k8s.aws/v1", "kind": "LoadBalancerConfiguration", "metadata": meta, "spec": spec}
        ],
    }


def said(services: Any = (), ingresses: Any = (), **sections: Any) -> list[str]:
    return messages("LBC010", services=services, ingresses=ingresses, **sections)


@pytest.mark.parametrize("kind", [{}, {"loadBalancerClass": "eks.amazonaws.com/nlb"}, {"loadBalancerClass": None}])
def test_a_services_list_without_ipv6_shuts_ipv6_out(kind: dict[str, Any]) -> None:
    (finding,) = judge("LBC010", services=[service(ranges=[OFFICE], **kind)], ingresses=[]).findings
    assert (finding.severity, finding.evidence["ranges"]) == (Severity.WARNING, [OFFICE])
    assert "IPV6_RANGE" in finding.remedy


def test_all_of_ipv4_has_a_twin() -> None:
    (finding,) = judge("LBC010", services=[service(ranges=["0.0.0.0/0"])], ingresses=[]).findings
    assert "[0.0.0.0/0,::/0]" in finding.remedy


def test_the_annotation_counts_where_the_field_is_empty() -> None:
    annotated = {f"{SERVICE}load-balancer-source-ranges": f"{OFFICE}, 203.0.113.7/32"}
    assert "203.0.113.7/32" in said([service(annotated)])[0]
    assert said([service(annotated, [OFFICE, OFFICE_V6])]) == []


@pytest.mark.parametrize(
    "other",
    [
        service(ranges=[OFFICE, OFFICE_V6]),
        service(ranges=[OFFICE_V6]),
        service(ranges=[]),
        service(ranges=["$OFFICE"]),
        service(ranges=[OFFICE, 7]),
        service(ranges=[OFFICE], type="ClusterIP"),
        service(ranges=[OFFICE], loadBalancerClass="tailscale"),
        service({f"{SERVICE}aws-load-balancer-security-groups": "sg-1"}, [OFFICE]),
        service({f"{SERVICE}aws-load-balancer-security-group-prefix-lists": "pl-1"}, [OFFICE]),
        service({f"{SERVICE}aws-load-balancer-disable-nlb-sg": "true"}, [OFFICE]),
        service({"cloud.google.com/load-balancer-type": "Internal"}, [OFFICE], loadBalancerClass=None),
    ],
)
def test_services_whose_list_has_both_or_does_not_count_stay_silent(other: dict[str, Any]) -> None:
    assert said([other]) == []


def test_an_ingress_that_names_ipv4_alone_is_told() -> None:
    (message,) = said(ingresses=[ingress({"inbound-cidrs": OFFICE})])
    assert message.startswith(f"Ingress shop/web lets in {OFFICE} and no IPv6")


@pytest.mark.parametrize(
    "annotations",
    [
        {"inbound-cidrs": f"{OFFICE},{OFFICE_V6}"},
        {"inbound-cidrs": "$INBOUND_CIDRS"},
        {"inbound-cidrs": OFFICE, "security-groups": "sg-1"},
        {"inbound-cidrs": OFFICE, "security-group-prefix-lists": "pl-1"},
    ],
)
def test_an_ingress_whose_list_has_both_or_does_not_count_stays_silent(annotations: dict[str, str]) -> None:
    assert said(ingresses=[ingress(annotations)]) == []


def test_security_groups_on_one_member_count_for_its_group() -> None:
    members = [ingress({"group.name": "g", "inbound-cidrs": OFFICE}), ingress({"group.name": "g"}, name="other")]
    assert len(said(ingresses=members)) == 1
    members[1]["metadata"]["annotations"][f"{INGRESS}security-groups"] = "sg-1"
    assert said(ingresses=members) == []


def test_a_redirect_alone_turns_dualstack_only_if_it_says_so() -> None:
    away = {"service": {"name": "away", "port": {"name": "use-annotation"}}}
    assert said(ingresses=[ingress({"inbound-cidrs": OFFICE}, defaultBackend=away)]) == []
    dual = {"inbound-cidrs": OFFICE, "ip-address-type": "dualstack"}
    assert len(said(ingresses=[ingress(dual, defaultBackend=away)])) == 1


def test_the_list_of_the_class_wins() -> None:
    both = [ingress({"inbound-cidrs": OFFICE}), ingress(name="other")]
    assert said(ingresses=both, **params(inboundCIDRs=["0.0.0.0/0", "::/0"])) == []
    (finding,) = judge("LBC010", services=[], ingresses=both, **params(inboundCIDRs=["203.0.113.0/24"])).findings
    assert (finding.subject.kind, len(finding.locations)) == ("IngressClassParams", 3)
    assert said(ingresses=[ingress()], **params(inboundCIDRs=[OFFICE], prefixListsIDs=["pl-1"])) == []


def test_a_gateways_configuration_is_judged_alike() -> None:
    (finding,) = judge("LBC010", services=[], ingresses=[], **gateway(sourceRanges=[OFFICE])).findings
    assert (finding.subject.kind, len(finding.locations)) == ("LoadBalancerConfiguration", 2)
    assert said(**gateway(sourceRanges=[OFFICE, OFFICE_V6])) == []
    for other in ({"securityGroups": ["sg-1"]}, {"securityGroupPrefixes": ["pl-1"]}, {"disableSecurityGroup": True}):
        assert said(**gateway(sourceRanges=[OFFICE], **other)) == []


def condition(*values: Any, field: str = "source-ip", config: str = "sourceIpConfig") -> dict[str, str]:
    return {"conditions.web": json.dumps([{"field": field, config: {"values": list(values)}}])}


@pytest.mark.parametrize("config", ["sourceIpConfig", "SourceIPConfig"])
def test_a_condition_on_ipv4_sources_is_told_whatever_the_capitals(config: str) -> None:
    found = ingress(condition(OFFICE, config=config))
    (message,) = messages("LBC013", ingresses=[found], listener_rule_configurations=[])
    assert f"{INGRESS}conditions.web[0]" in message


def test_each_condition_is_a_finding_of_its_own() -> None:
    one = {"field": "source-ip", "sourceIpConfig": {"values": [OFFICE]}}
    found = ingress({"conditions.web": json.dumps([one, one]), "conditions.api": json.dumps([one])})
    outcome = judge("LBC013", ingresses=[found], listener_rule_configurations=[])
    assert len({finding.fingerprint for finding in outcome.findings}) == 3


@pytest.mark.parametrize(
    "annotations",
    [
        condition(OFFICE, OFFICE_V6),
        condition(OFFICE_V6),
        condition("{{ office }}"),
        condition(),
        condition("198.51.100.7", field="host-header", config="hostHeaderConfig"),
        condition(OFFICE, field="http-header"),
        {"conditions.web": "[{"},
        {"conditions.web": "[" * 5000},
        {"conditions.web": '{"field": "source-ip"}'},
    ],
)
def test_other_conditions_and_what_is_no_json_stay_silent(annotations: dict[str, str]) -> None:
    assert messages("LBC013", ingresses=[ingress(annotations)], listener_rule_configurations=[]) == []


def test_conditions_of_other_controllers_ingresses_stay_silent() -> None:
    other = ingress(condition(OFFICE), ingressClassName="nginx")
    assert messages("LBC013", ingresses=[other], listener_rule_configurations=[]) == []


def test_a_listener_rule_configuration_is_judged_alike() -> None:
    body: dict[str, Any] = {
        "apiVersion": "gateway.k8s.aws/v1beta1",
        "kind": "ListenerRuleConfiguration",
        "metadata": {"name": "office", "namespace": "shop"},
        "spec": {"conditions": [{"field": "source-ip", "sourceIPConfig": {"values": [OFFICE]}}]},
    }
    (finding,) = judge("LBC013", ingresses=[], listener_rule_configurations=[body]).findings
    assert "apiVersion: gateway.k8s.aws/v1beta1" in finding.remedy
    body["spec"]["conditions"][0]["sourceIPConfig"]["values"].append(OFFICE_V6)
    assert messages("LBC013", ingresses=[], listener_rule_configurations=[body]) == []


@given(st.lists(st.none() | st.integers() | st.text() | st.ip_addresses().map(str) | st.just(["x"]), max_size=4))
def test_only_a_list_of_nothing_but_ipv4_counts(entries: list[Any]) -> None:
    found = ipv4_only(entries)
    assert found == [] or (len(found) == len(entries) and not any(":" in each for each in found))


def test_entries_are_parted_by_commas() -> None:
    assert listed(" a, b,,c ") == ["a", "b", "c"]
    assert listed(None) == listed("") == []
