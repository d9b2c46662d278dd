"""Policies of Calico, Cilium, Istio and administrators: lists of one family, and all that only looks like one."""

from __future__ import annotations

from typing import Any

import pytest
from build import judge, messages, resource

from eks6check.findings import Confidence

V4, V6 = "10.0.0.0/8", "2001:db8:1234::/56"
GROUPS = {
    "NetworkPolicy": "projectcalico.org/v3",
    "GlobalNetworkPolicy": "projectcalico.org/v3",
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
        (made("NetworkPolicy", {"ingress": [{"source": {"nets": [V4]}}]}), PASSES),
        (made("GlobalNetworkSet", {"nets": [V4]}), "matches nothing"),
        (made("CiliumNetworkPolicy", {"egress": [{"toCIDR": [V4]}]}), PASSES),
        (made("CiliumNetworkPolicy", {"ingressDeny": [{"fromCIDRSet": [{"cidr": V4}]}]}), KEEPS),
        (made("CiliumEgressGatewayPolicy", {"destinationCIDRs": ["0.0.0.0/0"]}), PASSES),
        (made("AdminNetworkPolicy", {"egress": [{"action": "Allow", "to": [{"networks": [V4]}]}]}), PASSES),
        (made("AdminNetworkPolicy", {"egress": [{"action": "Deny", "to": [{"networks": [V4]}]}]}), KEEPS),
        (istio({"ipBlocks": [V4]}), PASSES),
        (made("AuthorizationPolicy", {"rules": [{"from": [{"source": {"ipBlocks": [V4]}}]}]}), PASSES),
        (istio(when=[{"key": "source.ip", "notValues": [V4]}]), KEEPS),
        (istio(when=[{"key": "remote.ip", "values": [V4]}]), PASSES),
        (istio({"ipBlocks": [V4]}, action="DENY"), KEEPS),
        (istio({"notIpBlocks": [V4]}, action="DENY"), PASSES),
        (istio(when=[{"key": "source.ip", "values": [V4]}]), PASSES),
    ],
)
def test_a_list_of_ipv4_ranges_is_told_with_what_it_means(policy: dict[str, Any], means: str) -> None:
    (message,) = messages("POL005", other_policies=[policy])
    assert means in message
    assert V4 in message or "0.0.0.0/0" in message


@pytest.mark.parametrize("entity", ["cluster", "kube-apiserver", "world-ipv4"])
def test_entities_inside_the_cluster_are_no_twin_of_a_range(entity: str) -> None:
    policy = made("CiliumNetworkPolicy", {"egress": [{"toCIDR": [V4]}, {"toEntities": [entity]}]})
    assert len(messages("POL005", other_policies=[policy])) == 1


def test_a_list_that_keeps_pods_from_metadata_is_no_less_a_list_of_ipv4() -> None:
    policy = made("CiliumNetworkPolicy", {"egressDeny": [{"toCIDR": ["169.254.169.254/32"]}]})
    assert KEEPS in messages("POL005", other_policies=[policy])[0]


def test_passing_on_counts_only_before_a_denial() -> None:
    everything: dict[str, Any] = {"action": "Deny", "to": [{"namespaces": {}}]}
    entries = [{"action": "Pass", "to": [{"networks": [V4]}]}, everything]
    (finding,) = judge("POL005", other_policies=[made("AdminNetworkPolicy", {"egress": entries})]).findings
    assert finding.evidence == {"ranges": [V4], "in": ["egress Pass"]}


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
    (seen,) = judge("POL005", other_policies=[istio({"ipBlocks": [V4], **source})]).findings
    assert seen.confidence is Confidence.HIGH


@pytest.mark.parametrize(
    "policies",
    [
        [made("NetworkPolicy", {"ingress": [calico(V4), calico(V6)]})],
        [made("NetworkPolicy", {"ingress": [calico(V4), {"source": {"nets": [V6]}}]})],
        [made("GlobalNetworkSet", {"nets": ["192.0.2.0/24", "198.51.100.7", "203.0.113.128/25"]})],
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
        [made("CiliumNetworkPolicy", {"egress": [{"toCIDR": [V4]}, {"toEntities": ["world"]}]})],
        [made("CiliumNetworkPolicy", {"ingress": [{"fromCIDR": [V4], "fromEntities": ["all"]}]})],
        [made("CiliumNetworkPolicy", {"egress": [{"toEntities": ["world"]}]})],
        [made("CiliumNetworkPolicy", {"egress": [{"toCIDR": ["169.254.169.254/32", "127.0.0.0/8"]}]})],
        [istio(to=[{"operation": {"paths": ["/10.0.0.0/8"]}}])],
        [made("AdminNetworkPolicy", {"egress": [{"action": "Deny", "to": [{"networks": [V4]}, {"networks": [V6]}]}]})],
        [made("AdminNetworkPolicy", {"egress": [{"action": "Deny"}, {"action": "Pass", "to": [{"networks": [V4]}]}]})],
        [istio({"ipBlocks": [V4, V6]})],
        [istio({"ipBlocks": [V4]}, action="AUDIT")],
        [istio({"namespaces": ["shop"]})],
        [istio(when=[{"key": "request.headers[x]", "values": [V4]}])],
    ],
)
def test_lists_of_both_families_and_other_matches_are_left_alone(policies: list[dict[str, Any]]) -> None:
    assert messages("POL005", other_policies=policies) == []


def test_a_long_list_is_told_by_its_first_ranges() -> None:
    ranges = [f"10.{number}.0.0/16" for number in range(5)]
    (message,) = messages("POL005", other_policies=[made("GlobalNetworkSet", {"nets": ranges})])
    assert "(10.0.0.0/16, 10.1.0.0/16, 10.2.0.0/16 and 2 more)" in message
    (message,) = messages("POL005", other_policies=[made("GlobalNetworkSet", {"nets": ranges[:3]})])
    assert "(10.0.0.0/16, 10.1.0.0/16, 10.2.0.0/16)," in message


def test_labels_make_twins_of_sets_alone() -> None:
    labels = {"set": "offices"}
    ipv6 = made("GlobalNetworkSet", {"nets": [V6]}, labels=labels)
    policy = made("GlobalNetworkPolicy", {"ingress": [calico(V4)]}, labels=labels)
    assert len(messages("POL005", other_policies=[ipv6, policy])) == 1
    both = made("GlobalNetworkSet", {"nets": [V6, V4]}, labels=labels)
    assert messages("POL005", other_policies=[both, made("GlobalNetworkSet", {"nets": [V4]}, labels=labels)]) == []
    bare = [made("GlobalNetworkSet", {"nets": [nets]}, name=nets[0]) for nets in (V4, V6)]
    assert len(messages("POL005", other_policies=bare)) == 1


def test_sets_of_other_labels_are_no_twins() -> None:
    ipv4 = made("GlobalNetworkSet", {"nets": [V4]}, labels={"set": "offices"})
    ipv6 = made("GlobalNetworkSet", {"nets": [V6]}, labels={"set": "partners"}, name="q")
    assert len(messages("POL005", other_policies=[ipv4, ipv6])) == 1


def injected(ranges: Any) -> dict[str, Any]:
    annotations = {"traffic.sidecar.istio.io/includeOutboundIPRanges": ranges}
    template = {"metadata": {"annotations": annotations}, "spec": {"containers": []}}
    return {"kind": "Deployment", "metadata": {"name": "web"}, "spec": {"template": template}}


def test_a_sidecar_that_takes_over_ipv4_ranges_alone_is_passed_by() -> None:
    (finding,) = judge("POL005", workloads=[injected("10.100.0.0/16,10.0.0.0/8")]).findings
    assert finding.evidence["ranges"] == ["10.100.0.0/16", "10.0.0.0/8"]


@pytest.mark.parametrize("ranges", ["*", "", "10.0.0.0/8,2001:db8::/56", "$(RANGES)", None, 7, ["10.0.0.0/8"]])
def test_a_sidecar_that_takes_over_all_nothing_or_both_families_is_left_alone(ranges: Any) -> None:
    assert not messages("POL005", workloads=[injected(ranges)])
