"""Fargate: private subnets, and whether they have IPv4 addresses for a second set of pods, with the sum of it."""

from __future__ import annotations

from typing import Any

import build
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eks6check.facts import Gap
from eks6check.findings import Finding, Severity, State

WEB = {"id": "web", "subnet_ids": ["subnet-1", "subnet-2"]}


def pods(count: int, profile: str = "web", phase: str = "Running") -> list[dict[str, Any]]:
    return [
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": f"pod-{index}", "labels": {"eks.amazonaws.com/fargate-profile": profile}},
            "status": {"phase": phase},
        }
        for index in range(count)
    ]


def findings(*free: int, profiles: Any = (WEB,), **sections: Any) -> tuple[Finding, ...]:
    subnets = [
        {"id": f"subnet-{index}", "vpc_id": "vpc-1", "available_ip_address_count": count}
        for index, count in enumerate(free, 1)
    ]
    return build.judge("FGT001", fargate_profiles=profiles, subnets=subnets, **sections).findings


def test_the_message_shows_the_sum() -> None:
    (finding,) = findings(12, 3, pods=pods(20))
    assert finding.message == (
        "Fargate profile web is short of IPv4 addresses: "
        "subnet-1 has 12 free, subnet-2 has 3 free: 15; 20 pods run now x 1.5 = 30 needed."
    )
    assert finding.severity is Severity.BLOCKER
    assert finding.evidence["needed"] == 30


@pytest.mark.parametrize(
    ("free", "severity"),
    [
        ((9, 10), Severity.BLOCKER),
        ((10, 10), Severity.WARNING),
        ((19, 10), Severity.WARNING),
        ((20, 10), None),
        ((0, 200), None),
    ],
)
def test_a_second_set_that_does_not_fit_is_proof_and_growth_is_a_guess(free: Any, severity: Severity | None) -> None:
    assert [finding.severity for finding in findings(*free, pods=pods(20))] == ([severity] if severity else [])


def test_half_an_address_is_a_whole_one() -> None:
    (finding,) = findings(1, 0, pods=pods(1))
    assert finding.message.endswith("1 pod runs now x 1.5 = 2 needed.")
    assert findings(1, 1, pods=pods(1)) == ()


def test_without_pods_in_view_no_free_address_at_all_is_still_told() -> None:
    (finding,) = findings(0, 0)
    assert finding.message.endswith("subnet-1 has 0 free, subnet-2 has 0 free: 0; at least 1 needed.")
    assert finding.severity is Severity.BLOCKER
    assert findings(1, 0) == ()


@pytest.mark.parametrize("others", [pods(20, phase="Succeeded"), pods(20, phase="Failed"), pods(20, profile="batch")])
def test_pods_that_have_ended_or_run_elsewhere_do_not_count(others: Any) -> None:
    assert findings(2, 0, pods=[*pods(1), *others]) == ()


def test_a_pod_that_waits_for_an_address_counts() -> None:
    assert len(findings(2, 0, pods=pods(2, phase="Pending"))) == 1


def test_profiles_with_the_same_subnets_are_judged_as_one() -> None:
    batch = {**WEB, "id": "batch"}
    assert findings(6, 6, profiles=[WEB], pods=pods(4)) == ()
    (finding,) = findings(6, 5, profiles=[WEB, batch], pods=[*pods(4), *pods(4, "batch")])
    assert finding.subject.id == "batch"
    assert [place.id for place in finding.locations] == ["batch", "web"]
    assert finding.message.startswith("Fargate profiles batch and web are short of IPv4 addresses: ")
    assert "8 pods run now x 1.5 = 12 needed" in finding.message


def test_a_profile_inside_anothers_subnets_draws_on_them_too() -> None:
    small = {"id": "small", "subnet_ids": ["subnet-1"]}
    (finding,) = findings(20, 0, profiles=[WEB, small], pods=[*pods(10), *pods(5, "small")])
    assert finding.subject.id == "web"
    assert finding.message.startswith("Fargate profiles small and web are short")
    assert "15 pods run now" in finding.message


def pod(name: str, address: str = "", **spec: str) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "shop", "labels": {"app": "web"}},
        "spec": spec,
        "status": {"phase": "Running", "podIP": address},
    }


@pytest.mark.parametrize(
    ("spec", "counts"),
    [
        ({"nodeName": "fargate-ip-10-0-1-7.eu-west-1.compute.internal"}, True),
        ({"schedulerName": "fargate-scheduler"}, True),
        ({"nodeName": "ip-10-0-1-7.eu-west-1.compute.internal"}, False),
        ({}, False),
    ],
)
def test_a_pod_without_label_is_known_by_its_node_and_counted_by_selector(
    spec: dict[str, str], *, counts: bool
) -> None:
    chosen = {**WEB, "selectors": [{"namespace": "sh?p", "labels": {"app": "w*"}}]}
    others = {**WEB, "id": "all", "subnet_ids": ["subnet-2"], "selectors": [{"namespace": "other-*"}]}
    found = findings(2, 0, profiles=[others, chosen], pods=[pod(f"web-{index}", **spec) for index in range(3)])
    assert [finding.evidence["pods"] for finding in found if finding.subject.id == "web"] == [3] * counts


def test_the_sum_shows_where_the_pods_are_as_far_as_known() -> None:
    labelled = [{**each, "status": {"podIP": address}} for each, address in zip(pods(4), IPS, strict=True)]
    subnets = [
        {"id": f"subnet-{index}", "vpc_id": "vpc-1", "cidr_block": block, "available_ip_address_count": 1}
        for index, block in enumerate(["10.0.1.0/24", None], 1)
    ]
    (finding,) = build.judge("FGT001", fargate_profiles=[WEB], subnets=subnets, pods=labelled).findings
    assert "subnet-1 has 1 free beside 2 of the pods, subnet-2 has 1 free: 2; 4 pods run now" in finding.message
    assert finding.evidence["pods_by_subnet"] == {"subnet-1": 2}


IPS = ("10.0.1.7", "10.0.1.8", "10.0.2.7", "no address")


def test_a_cluster_that_is_ipv6_already_has_no_second_set_to_place() -> None:
    assert findings(2, 0, pods=pods(20), clusters=[{"id": "prod", "ip_family": "ipv6"}]) == ()
    assert len(findings(2, 0, pods=pods(20), clusters=[{"id": "prod", "ip_family": "ipv4"}])) == 1


def test_a_subnet_that_is_not_known_leaves_the_sum_open() -> None:
    assert findings(0, profiles=[WEB], pods=pods(20)) == ()
    assert findings(0, profiles=[{"id": "empty"}], pods=pods(20)) == ()


def test_refused_pods_leave_the_rule_incomplete() -> None:
    subnets = [{"id": name, "available_ip_address_count": 9} for name in ("subnet-1", "subnet-2")]
    known = build.facts({"pods": [Gap("list pods", "refused")]}, fargate_profiles=[WEB], subnets=subnets)
    assert build.judge("FGT001", known).state is State.INCOMPLETE


@given(st.none() | st.integers() | st.text() | st.lists(st.text()) | st.dictionaries(st.text(), st.none()))
def test_a_pod_of_any_shape_is_no_error(value: Any) -> None:
    wild = [
        {"kind": "Pod", "metadata": value, "status": value},
        {"kind": "Pod", "metadata": {"labels": {"eks.amazonaws.com/fargate-profile": value}}},
    ]
    outcome = build.judge("FGT001", fargate_profiles=[WEB], subnets=[{"id": "subnet-1"}, {"id": "subnet-2"}], pods=wild)
    assert outcome.state is State.FAILED


OUT = {"destination": "0.0.0.0/0", "target": "igw-1"}
PRIVATE = {"destination": "0.0.0.0/0", "target": "nat-1"}


def subnets_of_profile(*routes: dict[str, str], profile: Any = WEB) -> tuple[Finding, ...]:
    subnets = [{"id": f"subnet-{index}", "vpc_id": "vpc-1"} for index in (1, 2)]
    tables = [
        {"id": "rtb-1", "vpc_id": "vpc-1", "subnet_ids": ["subnet-1"], "routes": routes},
        {"id": "rtb-2", "vpc_id": "vpc-1", "main": True, "routes": [PRIVATE]},
    ]
    return build.judge("FGT002", fargate_profiles=[profile], subnets=subnets, route_tables=tables).findings


@pytest.mark.parametrize("to", [OUT, {"destination": "::/0", "target": "igw-1"}])
def test_a_public_subnet_of_a_profile_is_told_with_the_route_that_makes_it_so(to: dict[str, str]) -> None:
    (finding,) = subnets_of_profile(to)
    assert finding.message == (
        f"Fargate profile web takes subnet-1, and rtb-1 sends {to['destination']} to igw-1: EKS takes private subnets "
        "only."
    )
    assert [place.id for place in finding.locations] == ["web", "rtb-1"]
    assert finding.severity is Severity.BLOCKER


@pytest.mark.parametrize(
    "to",
    [
        PRIVATE,
        {**OUT, "state": "blackhole"},
        {"destination": "::/0", "target": "eigw-1"},
        {"destination": "10.9.0.0/16", "target": "igw-1"},
    ],
)
def test_a_private_subnet_of_a_profile_is_as_it_should_be(to: dict[str, str]) -> None:
    assert subnets_of_profile(to) == ()


def test_a_public_subnet_that_no_profile_takes_is_left_alone() -> None:
    assert subnets_of_profile(OUT, profile={"id": "web", "subnet_ids": ["subnet-2", "subnet-3"]}) == ()


def test_several_public_subnets_of_a_profile_are_one_finding() -> None:
    table = {"id": "rtb-1", "vpc_id": "vpc-1", "main": True, "routes": [OUT]}
    subnets = [{"id": f"subnet-{index}", "vpc_id": "vpc-1"} for index in (1, 2)]
    (finding,) = build.judge("FGT002", fargate_profiles=[WEB], subnets=subnets, route_tables=[table]).findings
    assert finding.message.startswith("Fargate profile web takes subnet-1 and subnet-2, and rtb-1 sends 0.0.0.0/0 to ")
    assert [place.id for place in finding.locations] == ["web", "rtb-1"]
