"""Endpoints and Service addresses that people write by hand, beside those that Kubernetes makes by itself."""

from __future__ import annotations

from typing import Any

import pytest
from build import judge, messages, resource
from hypothesis import given
from hypothesis import strategies as st

from eks6check.facts.endpoint_slices import addresses, made_by_control_plane
from eks6check.facts.kube import Resource
from eks6check.findings import Severity

MANAGED_BY = "endpointslice.kubernetes.io/managed-by"


def service(name: str = "db", namespace: str = "shop", **spec: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name, "namespace": namespace}, "spec": spec}


def endpoints(*found: str, name: str = "db", namespace: str = "shop") -> dict[str, Any]:
    subsets = [{"addresses": [{"ip": address} for address in found], "ports": [{"port": 5432}]}]
    return {
        "apiVersion": "v1",
        "kind": "Endpoints",
        "metadata": {"name": name, "namespace": namespace},
        "subsets": subsets,
    }


def a_slice(*found: str, kind: str = "IPv4", manager: str = "", **metadata: Any) -> dict[str, Any]:
    labels = {"kubernetes.io/service-name": "db", **({MANAGED_BY: manager} if manager else {})}
    return {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": {"name": f"db-{kind.lower()}", "namespace": "shop", "labels": labels, **metadata},
        "addressType": kind,
        "endpoints": [{"addresses": [address]} for address in found],
    }


@pytest.mark.parametrize("made", [endpoints("10.0.0.5"), a_slice("10.0.0.5"), a_slice("10.0.0.5", manager="staff")])
def test_hand_made_ipv4_endpoints_are_told_at_their_place_with_the_service(made: dict[str, Any]) -> None:
    (finding,) = judge("SVC004", services=[service()], endpoints=[made]).findings
    assert (finding.severity, finding.subject.kind) == (Severity.BLOCKER, made["kind"])
    assert len(finding.locations) == 2
    assert "name: db" in finding.remedy


def test_a_service_in_name_alone_as_kubectl_delete_takes_it_does_not_count() -> None:
    bare = {each: value for each, value in service().items() if each != "spec"}
    (finding,) = judge("SVC004", services=[service(), bare], endpoints=[endpoints("10.0.0.5")]).findings
    assert finding.locations[1].id == "v1/Service/shop/db"
    assert judge("SVC004", services=[bare], endpoints=[endpoints("10.0.0.5")]).findings == ()


def test_many_addresses_are_one_finding() -> None:
    made = endpoints(*(f"10.0.0.{last}" for last in range(1, 9)))
    assert "10.0.0.1, 10.0.0.2, 10.0.0.3 and 5 more" in messages("SVC004", services=[service()], endpoints=[made])[0]
    three = endpoints("10.0.0.1", "10.0.0.2", "10.0.0.3")
    assert "10.0.0.1, 10.0.0.2, 10.0.0.3 behind" in messages("SVC004", services=[service()], endpoints=[three])[0]


def test_an_owner_is_named() -> None:
    made = a_slice("10.0.0.5", ownerReferences=[{"kind": "Tunnel", "name": "hq"}])
    assert "Tunnel hq makes it" in messages("SVC004", services=[service()], endpoints=[made])[0]
    assert "makes it" not in messages("SVC004", services=[service()], endpoints=[a_slice("10.0.0.5")])[0]


@pytest.mark.parametrize(
    ("found", "made"),
    [
        (service(clusterIP="None"), [endpoints("10.0.0.5")]),
        (service(type="ExternalName", externalName="db.example.com"), [endpoints("10.0.0.5")]),
        (service(selector={"app": "db"}), [endpoints("10.0.0.5"), a_slice("10.0.0.5")]),
        (service(), [endpoints("2001:db8::5")]),
        (service(), [a_slice("2001:db8::5", kind="IPv6")]),
        (service(), [a_slice("10.0.0.5"), a_slice("2001:db8::5", kind="IPv6")]),
        (service(), [a_slice("db.example.com", kind="FQDN")]),
        (service(), [a_slice("10.0.0.5", manager="endpointslice-controller.k8s.io")]),
        (service(), [a_slice("10.0.0.5", manager="endpointslicemirroring-controller.k8s.io")]),
        (service(), [endpoints("10.0.0.5", name="other"), endpoints("10.0.0.5", namespace="other"), endpoints()]),
        (
            service("kubernetes", "default"),
            [endpoints("10.0.0.1", name="kubernetes", namespace="default")],
        ),
        (
            service("eks-extension-metrics-api", "kube-system"),
            [endpoints("172.0.32.0", name="eks-extension-metrics-api", namespace="kube-system")],
        ),
    ],
)
def test_what_stays_reachable_or_is_made_anew_stays_silent(found: dict[str, Any], made: list[Any]) -> None:
    assert messages("SVC004", services=[found], endpoints=made) == []


def test_endpoints_that_lead_to_pods_are_the_control_planes() -> None:
    filled = endpoints("10.0.0.5")
    assert not made_by_control_plane(Resource(filled))
    filled["subsets"][0]["addresses"][0]["targetRef"] = {"kind": "Pod", "name": "db-0"}
    assert made_by_control_plane(Resource(filled))


def test_a_file_that_changes_the_service_counts() -> None:
    live, file = resource(service()), resource(service(clusterIP="None"), "manifests")
    assert messages("SVC004", services=[file, live], endpoints=[endpoints("10.0.0.5")]) == []


ANY = st.recursive(st.none() | st.integers() | st.text(max_size=3), lambda inner: st.lists(inner, max_size=2))


@given(st.sampled_from(["Endpoints", "EndpointSlice"]), ANY, ANY, st.dictionaries(st.just(MANAGED_BY), ANY))
def test_no_shape_of_endpoints_raises(kind: str, subsets: Any, found: Any, labels: Any) -> None:
    body = {"kind": kind, "metadata": {"labels": labels}, "subsets": [{"addresses": subsets}], "endpoints": found}
    made_by_control_plane(Resource(body))
    assert all(isinstance(address, str) for _, address in addresses(Resource(body)))


def test_external_ipv4_addresses_are_one_finding() -> None:
    (finding,) = judge(
        "SVC005", services=[service(externalIPs=["198.51.100.7", "2001:db8::7", "203.0.113.9"])]
    ).findings
    assert "198.51.100.7, 203.0.113.9" in finding.message
    assert finding.severity is Severity.WARNING


def test_a_load_balancer_address_of_choice_is_an_aside() -> None:
    (finding,) = judge("SVC005", services=[service(type="LoadBalancer", loadBalancerIP="198.51.100.7")]).findings
    assert finding.severity is Severity.INFO


@pytest.mark.parametrize(
    "spec",
    [
        {"externalIPs": ["2001:db8::7"]},
        {"externalIPs": "198.51.100.7"},
        {"externalIPs": [None, 7]},
        {"type": "ExternalName", "externalIPs": ["198.51.100.7"]},
        {"type": "ClusterIP", "loadBalancerIP": "198.51.100.7"},
        {"type": "LoadBalancer", "loadBalancerIP": ""},
    ],
)
def test_addresses_of_ipv6_or_without_effect_stay_silent(spec: dict[str, Any]) -> None:
    assert messages("SVC005", services=[service(**spec)]) == []


def test_an_address_is_no_external_name() -> None:
    (message,) = messages("SVC006", services=[service(type="ExternalName", externalName="10.20.30.40")])
    assert message.startswith("Service shop/db has the external name 10.20.30.40")


@pytest.mark.parametrize(
    "spec",
    [
        {"type": "ExternalName", "externalName": "10.20.30.40.nip.io"},
        {"type": "ExternalName", "externalName": "10.20.30.0/24"},
        {"type": "ExternalName", "externalName": None},
        {"type": "ClusterIP", "externalName": "10.20.30.40"},
    ],
)
def test_names_stay_silent(spec: dict[str, Any]) -> None:
    assert messages("SVC006", services=[service(**spec)]) == []
