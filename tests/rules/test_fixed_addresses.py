"""Load balancers with IPv4 addresses of choice: a note for a person, and none where IPv6 ones stand beside them."""

from __future__ import annotations

from typing import Any

import pytest
from build import judge, messages

from eks6check.findings import Severity

PREFIX = "service.beta.kubernetes.io/aws-load-balancer-"
FIXED = {"eip-allocations": "eipalloc-1, eipalloc-2"}
GATEWAY = "gateway.networking.k8s.io/v1"


def service(annotations: dict[str, str], **spec: Any) -> dict[str, Any]:
    metadata = {
        "name": "web",
        "namespace": "shop",
        "annotations": {PREFIX + key: annotations[key] for key in annotations},
    }
    spec = {"type": "LoadBalancer", "loadBalancerClass": "service.k8s.aws/nlb", **spec}
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}


@pytest.mark.parametrize("spec", [{}, {"loadBalancerClass": None}, {"loadBalancerClass": "eks.amazonaws.com/nlb"}])
def test_fixed_addresses_are_a_note(spec: dict[str, Any]) -> None:
    (finding,) = judge("LBC018", services=[service(FIXED, **spec)]).findings
    assert finding.severity is Severity.INFO
    assert "Elastic IP addresses eipalloc-1, eipalloc-2" in finding.message


def test_private_addresses_are_too() -> None:
    assert "private IPv4 addresses" in messages("LBC018", services=[service({"private-ipv4-addresses": "10.0.0.9"})])[0]


@pytest.mark.parametrize(
    "other",
    [
        service({**FIXED, "ipv6-addresses": "2001:db8::a"}),
        service({"eip-allocations": ""}),
        service({"scheme": "internal"}),
        service(FIXED, loadBalancerClass="tailscale"),
        service(FIXED, type="ClusterIP"),
    ],
)
def test_both_families_no_addresses_and_others_stay_silent(other: dict[str, Any]) -> None:
    assert messages("LBC018", services=[other]) == []


def of_gateway(*subnets: Any) -> dict[str, Any]:
    reference = {"group": "gateway.k8s.aws", "kind": "LoadBalancerConfiguration", "name": "web"}
    meta = {"name": "web", "namespace": "shop"}
    spec = {"gatewayClassName": "g", "infrastructure": {"parametersRef": reference}}
    settings = {"loadBalancerSubnets": list(subnets)}
    configuration = {"kind": "LoadBalancerConfiguration", "metadata": meta, "spec": settings}
    return {
        "services": [],
        "gateways": [{"apiVersion": GATEWAY, "kind": "Gateway", "metadata": meta, "spec": spec}],
        "load_balancer_configurations": [{"apiVersion": "gateway.k8s.aws/v1", **configuration}],
    }


@pytest.mark.parametrize("field", ["eipAllocation", "privateIPv4Allocation"])
def test_a_gateways_configuration_is_judged_alike(field: str) -> None:
    (finding,) = judge("LBC018", **of_gateway({field: "one"}, {field: "two"})).findings
    assert (finding.subject.kind, len(finding.locations)) == ("LoadBalancerConfiguration", 2)
    assert messages("LBC018", **of_gateway({field: "one", "ipv6Allocation": "2001:db8::a"})) == []
    assert messages("LBC018", **of_gateway({"identifier": "subnet-1"}, "odd")) == []
