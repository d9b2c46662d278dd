"""NetworkPolicies with IPv4 blocks: which of them cut something off, and exceptions that the API server refuses."""

from __future__ import annotations

from typing import Any

import pytest
from build import judge, messages, resource
from hypothesis import given
from hypothesis import strategies as st
from policies import blocks, policy, tcp

from eks6check.facts.network_policies import as_wide, selects
from eks6check.findings import Severity

VPC, VPC6 = "10.0.0.0/16", "2001:db8:1234::/56"


@pytest.mark.parametrize(
    ("direction", "cidrs", "severity"),
    [
        ("ingress", [VPC], Severity.BLOCKER),
        ("ingress", ["203.0.113.0/24"], Severity.BLOCKER),
        ("ingress", ["0.0.0.0/0"], Severity.BLOCKER),
        ("egress", ["0.0.0.0/0"], Severity.BLOCKER),
        ("egress", ["100.64.0.0/10"], Severity.BLOCKER),
        ("egress", ["203.0.113.7/32", "172.20.0.10/32"], Severity.BLOCKER),
        ("egress", ["169.254.20.10/32"], Severity.BLOCKER),
        ("egress", ["203.0.113.7/32"], Severity.WARNING),
        ("egress", ["0.0.0.0/1"], Severity.BLOCKER),
        ("egress", ["16.0.0.0/8"], Severity.WARNING),
        ("egress", ["0.0.0.0/0", "fd00:ec2::23/128"], Severity.BLOCKER),
    ],
)
def test_ipv4_blocks_alone_cut_a_direction_off(direction: str, cidrs: list[str], severity: Severity) -> None:
    peers = {"ingress": "from", "egress": "to"}[direction]
    spec: Any = {direction: [{peers: blocks(*cidrs)}]}
    (finding,) = judge("POL001", network_policies=[policy(**spec)]).findings
    assert finding.severity is severity
    assert set(finding.evidence["blocks"]) == {each for each in cidrs if ":" not in each}


def test_an_old_service_address_beside_selectors_is_a_warning_and_alone_cuts_off() -> None:
    kube_system = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}}}
    peers = ([*blocks("172.20.0.10/32"), kube_system], blocks("172.20.0.10/32"), [*blocks(VPC), kube_system])
    found = [judge("POL001", network_policies=[policy(egress=[{"to": each}])]).findings[0] for each in peers]
    assert [each.severity for each in found] == [Severity.WARNING, Severity.BLOCKER, Severity.BLOCKER]
    assert ["selectors for" in each.message for each in found] == [True, False, False]


def test_a_selector_beside_the_block_opens_the_pods_and_not_what_the_block_held() -> None:
    peers = [*blocks(VPC), {"namespaceSelector": {}}]
    assert len(messages("POL001", network_policies=[policy(ingress=[{"from": peers}])])) == 1


def test_an_ipv4_service_outside_beside_dns_by_selectors_is_no_blocker() -> None:
    dns = {"to": [{"namespaceSelector": {}}], "ports": [{"protocol": "UDP", "port": 53}]}
    made = policy(egress=[{"to": blocks("203.0.113.7/32"), "ports": tcp(443)}, dns])
    assert judge("POL001", network_policies=[made]).findings[0].severity is Severity.WARNING


DNS: Any = {"to": [{"namespaceSelector": {}}], "ports": [{"protocol": "UDP", "port": 53}, {"port": "dns-tcp"}]}
HTTPS6: Any = {"to": blocks("::/0"), "ports": tcp(443)}
API: Any = {"to": [{"podSelector": {"matchLabels": {"app": "api"}}}]}


def of_database(cidr: str) -> dict[str, Any]:
    return policy(egress=[DNS, {"to": blocks(cidr), "ports": tcp(5432)}])


@pytest.mark.parametrize(
    ("cidr", "alone", "beside"),
    [
        ("10.4.4.4/32", Severity.WARNING, Severity.WARNING),
        ("10.4.4.0/28", Severity.WARNING, Severity.WARNING),
        ("100.64.7.7/32", Severity.WARNING, Severity.WARNING),
        ("10.4.4.0/24", Severity.BLOCKER, Severity.WARNING),
        ("172.16.64.0/18", Severity.BLOCKER, Severity.WARNING),
        ("10.4.0.0/16", Severity.BLOCKER, Severity.BLOCKER),
        ("100.64.0.0/10", Severity.BLOCKER, Severity.BLOCKER),
        ("0.0.0.0/0", Severity.BLOCKER, Severity.BLOCKER),
        ("203.0.113.0/24", Severity.WARNING, Severity.WARNING),
    ],
)
def test_egress_to_few_addresses_is_a_warning_and_to_a_subnet_where_ipv6_is_left(
    cidr: str, alone: Severity, beside: Severity
) -> None:
    made = of_database(cidr)
    for others, severity in (([], alone), *(([policy("more", egress=[each])], beside) for each in (HTTPS6, API))):
        (finding,) = judge("POL001", network_policies=[made, *others]).findings
        assert finding.severity is severity
        assert ("IPv6 is cut off" in finding.message) == (severity is Severity.BLOCKER and not others)


def test_what_is_said_of_an_ipv4_database_is_that_it_is_reached_over_ipv4() -> None:
    (finding,) = judge("POL001", network_policies=[of_database("10.4.4.4/32"), policy("web", egress=[HTTPS6])]).findings
    assert "no policy filters, pods reach what is there all the same" in finding.message
    assert "With IPv4 alone: nothing to add" in finding.remedy


def test_the_old_dns_address_beside_selectors_in_another_policy_is_a_warning() -> None:
    old: Any = {"to": blocks("172.20.0.10/32"), "ports": [{"protocol": "UDP", "port": 53}]}
    (finding,) = judge("POL001", network_policies=[policy(egress=[old]), policy("dns", egress=[DNS])]).findings
    assert finding.severity is Severity.WARNING
    assert "Delete the ipBlock" in finding.remedy


def test_each_direction_is_told_once_with_all_its_blocks() -> None:
    both = policy(ingress=[{"from": blocks(VPC, "192.168.0.0/16")}], egress=[{"to": blocks(VPC)}])
    first, second = judge("POL001", network_policies=[both]).findings
    assert {first.evidence["direction"], second.evidence["direction"]} == {"ingress", "egress"}
    assert first.fingerprint != second.fingerprint
    assert f"lets {VPC}, 192.168.0.0/16 in" in first.message


@pytest.mark.parametrize(
    ("cidrs", "variant"),
    [
        (["0.0.0.0/0"], "Beside 0.0.0.0/0"),
        ([VPC], "the IPv6 blocks of the same networks"),
        (["0.0.0.0/0", VPC], "the IPv6 blocks of the same networks"),
    ],
)
def test_the_whole_of_ipv6_is_offered_only_beside_the_whole_of_ipv4(cidrs: list[str], variant: str) -> None:
    (finding,) = judge("POL001", network_policies=[policy(egress=[{"to": blocks(*cidrs)}])]).findings
    assert variant in finding.remedy


def test_the_whole_of_ipv6_is_not_offered_beside_ipv4_with_exceptions() -> None:
    block = {"ipBlock": {"cidr": "0.0.0.0/0", "except": [VPC]}}
    (finding,) = judge("POL001", network_policies=[policy(egress=[{"to": [block]}])]).findings
    assert "the IPv6 blocks of the same networks" in finding.remedy


def test_a_twin_for_some_ports_is_none_for_all_of_them() -> None:
    made = policy(egress=[{"to": blocks(VPC)}, {"to": blocks(VPC6), "ports": tcp(443)}])
    assert len(messages("POL001", network_policies=[made])) == 1


def test_a_file_that_mends_the_policy_does_not_mend_the_live_one() -> None:
    live = resource(policy(egress=[{"to": blocks(VPC)}]))
    file = resource(policy(egress=[{"to": blocks(VPC, VPC6)}]), "manifests")
    (finding,) = judge("POL001", network_policies=[live, file]).findings
    assert finding.locations[0].id.endswith("NetworkPolicy/shop/web")


@pytest.mark.parametrize(
    "spec",
    [
        {"egress": [{"to": blocks("0.0.0.0/0", "::/0")}]},
        {"egress": [{"to": blocks("0.0.0.0/0")}, {"to": blocks("::/0")}]},
        {"egress": [{"to": blocks(VPC), "ports": tcp(443)}, {"to": blocks(VPC6), "ports": tcp(443, 80)}]},
        {"egress": [{"to": blocks(VPC), "ports": tcp(443)}, {"to": blocks(VPC6), "ports": [{}]}]},
        {
            "egress": [
                {"to": blocks(VPC), "ports": tcp(443)},
                {"to": blocks(VPC6), "ports": [{"port": 443, "endPort": 500}]},
            ]
        },
        {"egress": [{"to": blocks(VPC), "ports": tcp("web")}, {"to": blocks(VPC6), "ports": [{"port": "web"}]}]},
        {"ingress": [{"from": blocks(VPC)}, {"from": blocks("::/0")}]},
        {"ingress": [{"from": blocks("127.0.0.1/32")}]},
        {"egress": [{"to": blocks(VPC)}, {}]},
        {"egress": [{"to": blocks("169.254.169.254/32", "169.254.170.23/32")}]},
        {"egress": [{"to": [{"namespaceSelector": {}}]}]},
        {"policyTypes": ["Egress"], "ingress": [{"from": blocks(VPC)}], "egress": [{}]},
        {"policyTypes": ["Ingress"], "egress": [{"to": blocks(VPC)}]},
        {"egress": [{"to": blocks("not-a-range", "10.0.0.1")}]},
    ],
)
def test_blocks_with_a_counterpart_and_blocks_without_effect_are_left_alone(spec: dict[str, Any]) -> None:
    assert messages("POL001", network_policies=[policy(**spec)]) == []


@pytest.mark.parametrize(
    "ports",
    [
        tcp(80),
        tcp("https"),
        [{"protocol": "UDP", "port": 443}],
        [{"protocol": "TCP", "port": 444, "endPort": 500}],
        [{"protocol": "TCP", "port": 400, "endPort": 442}],
    ],
)
def test_a_counterpart_with_other_ports_is_none(ports: list[dict[str, Any]]) -> None:
    spec: Any = {"egress": [{"to": blocks(VPC), "ports": tcp(443)}, {"to": blocks(VPC6), "ports": ports}]}
    assert len(messages("POL001", network_policies=[policy(**spec)])) == 1


def test_policies_for_the_same_pods_add_up_within_a_namespace() -> None:
    web: Any = {"podSelector": {"matchLabels": {"app": "web"}}}
    ipv4 = policy(**web, egress=[{"to": blocks(VPC)}])
    twin = policy("web-ipv6", **web, egress=[{"to": blocks(VPC6)}])
    for_all = policy("all", egress=[{"to": blocks(VPC6)}])
    spelled_out = policy("all", podSelector={"matchLabels": {}}, egress=[{"to": blocks(VPC6)}])
    broader = policy("tier", podSelector={"matchLabels": {"tier": "front"}}, egress=[{"to": blocks(VPC6)}])
    narrow = policy(podSelector={"matchLabels": {"tier": "front", "app": "web"}}, egress=[{"to": blocks(VPC)}])
    assert messages("POL001", network_policies=[narrow, broader]) == []
    assert len(messages("POL001", network_policies=[ipv4, broader])) == 1
    for operator, count in (("In", 0), ("Exists", 0), ("NotIn", 1), ("Like", 1)):
        expression = {"key": "app", "operator": operator, "values": ["web", "api"]}
        either = policy("any", podSelector={"matchExpressions": [expression]}, egress=[{"to": blocks(VPC6)}])
        assert len(messages("POL001", network_policies=[ipv4, either])) == count, operator
    elsewhere = policy("web-ipv6", "other", **web, egress=[{"to": blocks(VPC6)}])
    others = policy("api-ipv6", podSelector={"matchLabels": {"app": "api"}}, egress=[{"to": blocks(VPC6)}])
    assert messages("POL001", network_policies=[ipv4, twin]) == []
    assert messages("POL001", network_policies=[ipv4, for_all]) == []
    assert messages("POL001", network_policies=[ipv4, spelled_out]) == []
    assert len(messages("POL001", network_policies=[ipv4, elsewhere, others])) == 1


def excepting(cidr: str, *exceptions: Any) -> dict[str, Any]:
    return policy(egress=[{"to": [{"ipBlock": {"cidr": cidr, "except": list(exceptions)}}]}])


@pytest.mark.parametrize(
    ("cidr", "exception", "reason"),
    [
        ("::/0", "169.254.169.254/32", "of the other family"),
        ("0.0.0.0/0", "fd00:ec2::254/128", "of the other family"),
        (VPC, "192.168.0.0/24", "does not lie inside"),
        (VPC, VPC, "does not lie inside"),
    ],
)
def test_an_exception_that_is_no_part_of_its_block_is_refused(cidr: str, exception: str, reason: str) -> None:
    (finding,) = judge("POL006", network_policies=[excepting(cidr, exception)]).findings
    assert reason in finding.message
    assert finding.severity is Severity.BLOCKER


@pytest.mark.parametrize(
    "made",
    [
        excepting("0.0.0.0/0", VPC, "169.254.169.254/32"),
        excepting("::/0", VPC6),
        excepting("x", VPC),
        excepting(VPC, 3),
    ],
)
def test_an_exception_inside_its_block_is_left_alone(made: dict[str, Any]) -> None:
    assert messages("POL006", network_policies=[made]) == []


@pytest.mark.parametrize(
    ("selector", "count"),
    [
        ({}, 1),
        ({"matchLabels": {"app": "web"}}, 1),
        ({"matchLabels": {"app": "api"}}, 0),
        ({"matchExpressions": [{"key": "app", "operator": "In", "values": ["web", "api"]}]}, 1),
        ({"matchExpressions": [{"key": "app", "operator": "In", "values": ["api"]}]}, 0),
        ({"matchExpressions": [{"key": "app", "operator": "NotIn", "values": ["web"]}]}, 0),
        ({"matchExpressions": [{"key": "tier", "operator": "DoesNotExist"}]}, 1),
        ({"matchExpressions": [{"key": "tier", "operator": "Exists"}]}, 0),
        ({"matchExpressions": [{"key": "app", "operator": "Like", "values": ["web"]}]}, 0),
    ],
)
def test_a_selector_chooses_as_kubernetes_does(selector: dict[str, Any], count: int) -> None:
    assert selects(resource(policy(podSelector=selector)), {"app": "web"}) == bool(count)


PORTS = st.lists(
    st.fixed_dictionaries({}, optional={"protocol": st.sampled_from(["TCP", "UDP"]), "port": st.integers()})
)


@given(PORTS, PORTS)
def test_ports_are_as_wide_as_themselves_and_as_any_part_of_them(ports: Any, more: Any) -> None:
    assert as_wide(ports, ports)
    assert as_wide([], ports)
    assert as_wide([*ports, *more], ports) or not ports
