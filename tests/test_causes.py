"""Causes: which findings hang under which, and which stand by themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import build
import pytest

from eks6check import causes
from eks6check.catalog import Rule, load
from eks6check.facts import Subject
from eks6check.findings import Finding, Outcome, Severity, State

VPC, SUBNET, NODES = "VPC001", "VPC002", "VPC004"


def rule(identity: str, **follows: str) -> Rule:
    return replace(build.rule("VPC001"), id=identity, follows=follows)


RULES = (rule(VPC), rule(SUBNET, VPC001="vpc"), rule(NODES, VPC002="subnet", VPC001="vpc"))


def finding(
    rule: str, subject: str, severity: Severity = Severity.BLOCKER, evidence: Mapping[str, Any] | None = None
) -> Finding:
    known = {"vpcs": [{"id": "vpc-1"}], "clusters": [{"id": "prod", "vpc_id": "vpc-1"}]}
    (made,) = build.judge("VPC001", **known).findings
    return replace(
        made,
        rule=rule,
        subject=Subject("Thing", subject),
        severity=severity,
        evidence=evidence or {},
        fingerprint=f"{rule}/{subject}",
    )


def linked(*findings: Finding, rules: tuple[Rule, ...] = RULES) -> dict[str, str | None]:
    """The cause of each finding, by fingerprint."""
    outcomes = [Outcome(each.rule, each.severity, State.FAILED, (each,)) for each in findings]
    return {each.fingerprint: each.cause for outcome in causes.link(rules, outcomes) for each in outcome.findings}


def test_a_finding_follows_from_the_cause_that_its_evidence_names() -> None:
    vpc, other = finding(VPC, "vpc-1"), finding(VPC, "vpc-2")
    subnet = finding(SUBNET, "subnet-1", evidence={"vpc": "vpc-1"})
    assert linked(subnet, other, vpc) == {
        "VPC002/subnet-1": "VPC001/vpc-1",
        "VPC001/vpc-1": None,
        "VPC001/vpc-2": None,
    }
    assert linked(subnet, other)["VPC002/subnet-1"] is None


def test_a_cause_that_has_a_cause_passes_it_on() -> None:
    subnet = finding(SUBNET, "subnet-1", evidence={"vpc": "vpc-1"})
    nodes = finding(NODES, "subnet-1", evidence={"subnet": "subnet-1"})
    assert linked(finding(VPC, "vpc-1"), subnet, nodes)["VPC004/subnet-1"] == "VPC001/vpc-1"
    assert linked(subnet, nodes)["VPC004/subnet-1"] == "VPC002/subnet-1"


def test_of_several_subjects_every_one_must_have_the_cause() -> None:
    one, two = finding(SUBNET, "subnet-1"), finding(SUBNET, "subnet-2")
    both = finding(NODES, "x", evidence={"subnet": ["subnet-1", "subnet-2"]})
    assert linked(one, two, both)["VPC004/x"] == "VPC002/subnet-1"
    assert linked(one, both)["VPC004/x"] is None
    assert linked(one, finding(NODES, "x", evidence={"subnet": []}))["VPC004/x"] is None


def test_nothing_hides_under_a_cause_that_is_less_severe() -> None:
    mild = finding(VPC, "vpc-1", Severity.INFO)
    assert linked(mild, finding(SUBNET, "subnet-1", evidence={"vpc": "vpc-1"}))["VPC002/subnet-1"] is None


@pytest.mark.parametrize("odd", [None, 3, {}, [None], "vpc-9", [["vpc-1"]]])
def test_evidence_that_names_no_subject_leads_to_no_cause(odd: Any) -> None:
    assert linked(finding(VPC, "vpc-1"), finding(SUBNET, "subnet-1", evidence={"vpc": odd}))["VPC002/subnet-1"] is None


def test_causes_are_rules_of_the_catalogue_and_go_in_no_circle() -> None:
    follows = {each.id: set(each.follows) for each in load()}
    assert set().union(*follows.values()) <= follows.keys()
    while follows:
        first = {each for each, needs in follows.items() if not needs & follows.keys()}
        assert first, f"a circle among {sorted(follows)}"
        follows = {each: needs for each, needs in follows.items() if each not in first}
