"""Policies of Calico, Cilium, Istio and administrators: lists of one family, and all that only looks like one."""

from __future__ import annotations

from typing import Any

import pytest
from build import judge, messages, resource

from eks6check.findings import Confidence

V4, V6 = "10.0.0.0/8", "2001:db8:1234::/56"
GROUPS = {
    "NetworkPolicy": "projectcalico.org/v3",
    "GlobalNetworkSet": "projectcalico.org/v3",
    "CiliumNetworkPolicy": "cilium.io/v2",
    "CiliumEgressGatewayPolicy": "cilium.io/v2",
    "AdminNetworkPolicy": "policy.networking.k8s.io/v1alpha1",
    "AuthorizationPolicy": "security.istio.io/v1",
}


def made(kind: str, spec: Any, **metadata: Any) -> dict[str, Any]:
    meta = {"name": "p", "namespace": "shop", **metadata}
    return {"apiVersion": GROUPS[kind], "kind": kind, "metadata": meta, "spec": spec}


def calico(*nets: str, action: str = "Allow", side: str = "source", name: str = "nets") -> dict[str, Any]:
    return {"action": action, side: {name: list(nets)}}


def istio(source: dict[str, Any] | None = None, action: str = "ALLOW", **rule: Any) -> dict[str, Any]:
    return made("AuthorizationPolicy", {"action": action, "rules": [{"from": [{"source": source or {}}], **rule}]})


PASSES, KEEPS = "lets nothing pass", "keeps nothing away"


@pytest.mark.parametrize(
    ("policy", "means"),
    [
        (made("NetworkPolicy", {"ingress": [calico(V4)]}), PASSES),
        (made("NetworkPolicy", {"egress": [calico(V4, action="Deny", side="destination")]}), KEEPS),
        (made("NetworkPolicy", {"ingress": [calico(V4, name="notNets")]}), KEEPS),
        (made("GlobalNetworkSet", {"nets": [V4]}), "matches nothing"),
        (made("CiliumNetworkPolicy", {"egress": [{"toCIDR": [V4]}]}), PASSES),
        (made("CiliumNetworkPolicy", {"ingressDeny": [{"fromCIDRSet": [{"cidr": V4}]}]}), KEEPS),
        (made("CiliumEgressGatewayPolicy", {"destinationCIDRs": ["0.0.0.0/0"]}), PASSES),
        (made("AdminNetworkPolicy", {"egress": [{"action": "Allow", "to": [{"networks": [V4]}]}]}), PASSES),
        (made("AdminNetworkPolicy", {"egress": [{"action": "Deny", "to": [{"networks": [V4]}]}]}), KEEPS),
        (istio({"ipBlocks": [V4]}), PASSES),
        (istio({"ipBlocks": [V4]}, action="DENY"), KEEPS),
        (istio({"notIpBlocks": [V4]}, action="DENY"), PASSES),
        (istio(when=[{"key": "source.ip", "values": [V4]}]), PASSES),
    ],
)
def test_a_list_of_ipv4_ranges_is_told_with_what_it_means(policy: dict[str, Any], means: str) -> None:
    (message,) = messages("POL005", other_policies=[policy])
    assert means in message
    assert V4 in message or "0.0.0.0/0" in message


def test_specs_of_a_cilium_policy_are_read_like_its_spec() -> None:
    policy = {**made("CiliumNetworkPolicy", None), "specs": [{"egress": [{"toCIDR": [V4]}]}]}
    (finding,) = judge("POL005", other_policies=[policy]).findings
    assert finding.evidence == {"ranges": [V4], "in": ["egress"]}


def test_what_calico_serves_in_two_groups_is_told_once() -> None:
    policy = made("NetworkPolicy", {"ingress": [calico(V4)]})
    stored = {
        **policy,
        "apiVersion": "crd.projectcalico.org/v1",
        "metadata": {"name": "default.p", "namespace": "shop"},
    }
    assert len(messages("POL005", other_policies=[stored, policy])) == 1
    assert len(messages("POL005", other_policies=[stored])) == 1
    declared = resource(stored, "manifests")
    assert len(messages("POL005", other_policies=[declared, resource(policy)])) == 2


def test_one_policy_is_one_finding_however_many_lists_it_has() -> None:
    policy = made("NetworkPolicy", {"ingress": [calico(V4), calico("192.168.0.0/16", action="Deny")]})
    (message,) = messages("POL005", other_policies=[policy])
    assert "matches nothing" in message


@pytest.mark.parametrize("source", [{"remoteIpBlocks": [V4]}, {"notRemoteIpBlocks": [V4]}])
def test_addresses_that_a_proxy_reports_may_stay_ipv4(source: dict[str, Any]) -> None:
    (finding,) = judge("POL005", other_policies=[istio(source)]).findings
    assert finding.confidence is Confidence.MEDIUM


@pytest.mark.parametrize(
    "policies",
    [
        [made("NetworkPolicy", {"ingress": [calico(V4), calico(V6)]})],
        [made("NetworkPolicy", {"ingress": [calico(V4, action="Log")]})],
        [made("NetworkPolicy", {"ingress": [{"action": "Allow", "source": {"selector": "all()"}}]})],
        [made("GlobalNetworkSet", {"nets": [V4, V6]})],
        [
            made("GlobalNetworkSet", {"nets": [V4]}, labels={"set": "offices"}),
            made("GlobalNetworkSet", {"nets": [V6]}, labels={"set": "offices"}, name="q"),
        ],
        [made("CiliumNetworkPolicy", {"egress": [{"toCIDR": [V4]}, {"toCIDRSet": [{"cidr": V6}]}]})],
        [made("CiliumNetworkPolicy", {"egress": [{"toCIDRSet": [{"cidr": V4}, {"cidrGroupRef": "offices"}]}]})],
        [made("CiliumNetworkPolicy", {"egress": [{"toFQDNs": [{"matchName": "example.com"}]}]})],
        [made("AdminNetworkPolicy", {"egress": [{"action": "Deny", "to": [{"networks": [V4]}, {"networks": [V6]}]}]})],
        [istio({"ipBlocks": [V4, V6]})],
        [istio({"ipBlocks": [V4]}, action="AUDIT")],
        [istio({"namespaces": ["shop"]})],
        [istio(when=[{"key": "request.headers[x]", "values": [V4]}])],
    ],
)
def test_lists_of_both_families_and_other_matches_are_left_alone(policies: list[dict[str, Any]]) -> None:
    assert messages("POL005", other_policies=policies) == []


def test_sets_of_other_labels_are_no_twins() -> None:
    ipv4 = made("GlobalNetworkSet", {"nets": [V4]}, labels={"set": "offices"})
    ipv6 = made("GlobalNetworkSet", {"nets": [V6]}, labels={"set": "partners"}, name="q")
    assert len(messages("POL005", other_policies=[ipv4, ipv6])) == 1
