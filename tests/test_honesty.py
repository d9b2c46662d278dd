"""Never "ready" over something that could not be read: gaps at the level of facts, and refusals over the wire."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
import servers
import world as worlds
from hypothesis import given, settings
from hypothesis import strategies as st
from whole import Done
from world import ACTIONS, KIND_LIST, OBJECTS, POLICIES, UNSURE, World, path_of, told_as

from eks6check import engine
from eks6check.catalog import load
from eks6check.demo import kube_server
from eks6check.facts import SECTIONS, Gap, Section
from eks6check.facts.cni_roles import ACTIONS as CNI_ACTIONS
from eks6check.facts.kinds import FILES_ONLY, KINDS, Kind
from eks6check.findings import Severity, State, Verdict, verdict
from eks6check.sources import aws, cluster, needed
from eks6check.sources.aws.iam import SIMULATE
from eks6check.sources.cluster.api import call


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with worlds.opened(tmp_path_factory.mktemp("world")) as opened:
        yield opened


def test_every_declared_call_is_made_in_this_world(world: World) -> None:
    assert {*ACTIONS} <= {*world.server.calls}


@pytest.mark.parametrize("name", OBJECTS)
@pytest.mark.parametrize("action", sorted({*ACTIONS} - {SIMULATE}))
def test_one_refused_aws_call_is_named_and_costs_only_the_rules_that_need_it(
    world: World, name: str, action: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(world.server.hooks, action, servers.refused(action))
    done = world.scan(name)
    asked_by = {each.section for each in aws.COLLECTORS if action in each.calls}
    if action == "ec2:DescribeSubnets":
        asked_by.remove("clusters")  # which makes that call only where DescribeCluster names no VPC
    honest(done, world.whole[name], told_as(action), read_with(asked_by))


@pytest.mark.parametrize("name", OBJECTS)
def test_of_two_ways_to_a_roles_rights_one_is_enough(world: World, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody may simulate in this account, so the whole scan has read policies; now it is the other way round."""
    denied = {"old": ["ec2:AssignIpv6Addresses"], "prod": []}[name]
    results = [
        {"EvalActionName": action, "EvalDecision": "implicitDeny" if action in denied else "allowed"}
        for action in CNI_ACTIONS
    ]
    answer = servers.answers(SIMULATE, {"EvaluationResults": results, "IsTruncated": False})
    monkeypatch.setitem(world.server.hooks, SIMULATE, answer)
    for action in POLICIES:
        monkeypatch.setitem(world.server.hooks, action, servers.refused(action))
    done = world.scan(name)
    assert not done.report["gaps"]
    assert done.report["outcomes"] == world.whole[name].report["outcomes"]
    before, after = (
        [(each["fingerprint"], each["severity"], each["message"]) for each in scan.report["findings"]]
        for scan in (world.whole[name], done)
    )
    assert after == before


def read_with(sections: set[str]) -> set[str]:
    """These sections, and all that are read with their help."""
    collectors = (*aws.COLLECTORS, *cluster.COLLECTORS)
    behind = {each.section: {need.section for need in needed(collectors, {each.section})} for each in collectors}
    return {name for name, needs in behind.items() if sections & needs}


@pytest.mark.parametrize("name", OBJECTS)
@pytest.mark.parametrize("kind", KIND_LIST, ids=call)
def test_one_forbidden_list_is_named_and_costs_only_the_rules_that_need_it(world: World, name: str, kind: Kind) -> None:
    kube = world.kubes[name]
    kube.faults[path_of(kube, kind)] = [kube_server.Answer(403, {"kind": "Status", "message": "forbidden"})]
    done = world.scan(name)
    assert not kube.faults.pop(path_of(kube, kind)), "the scan never asked"
    honest(done, world.whole[name], call(kind), read_with({name for name, kinds in KINDS.items() if kind in kinds}))


def test_a_warning_does_not_hide_that_its_rule_saw_only_a_part(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(world.server.hooks, "eks:DescribeAddon", servers.changed(addonVersion="v1.12.6-eksbuild.2"))
    forbidden = {"/apis/apps/v1/daemonsets": [kube_server.Answer(403, {})]}
    monkeypatch.setattr(world.kubes["prod"], "faults", forbidden)
    done = world.scan("prod", "--select", "CNI002")
    assert done.states() == {"CNI002": "failed"}
    assert (done.rules("warning"), done.code, done.report["verdict"]) == ({"CNI002"}, 4, "undetermined")


def honest(done: Done, whole: Done, action: str, hit: set[str]) -> None:
    """Show that a scan with holes in the sections ``hit`` says so, and says the same as before of everything else."""
    assert "Traceback" not in done.err
    assert {gap["call"] for gap in done.report["gaps"]} == {action}
    concerned = {rule.id for rule in load() if hit & {*rule.required, *rule.optional}}
    assert {each["rule"] for each in done.report["outcomes"] if each["gaps"]} == concerned
    assert {state for rule, state in done.states().items() if rule in concerned} <= UNSURE
    for part in ("outcomes", "findings"):
        before, after = (
            [{**each, "cause": None} for each in scan.report[part] if each["rule"] not in concerned]
            for scan in (whole, done)  # a cause that was not found is nobody's cause
        )
        assert after == before
    assert done.rules("blocker") <= whole.rules("blocker")
    if whole.report["verdict"] == "ready":
        blind = any(rule.severity is Severity.BLOCKER for rule in load() if rule.id in concerned)
        assert (done.code, done.report["verdict"]) == (4, "undetermined" if blind else "ready")


@settings(max_examples=15, derandomize=True)
@given(
    actions=st.sets(st.sampled_from(ACTIONS), max_size=3),
    kinds=st.sets(st.sampled_from(KIND_LIST), max_size=3),
)
def test_ready_means_that_every_blocker_was_looked_for_whatever_was_refused(
    world: World, actions: set[str], kinds: set[Kind]
) -> None:
    done = refusing(world, actions, kinds)
    assert "Traceback" not in done.err
    asked = {told_as(action) for action in {*world.server.calls} & actions} | {call(kind) for kind in kinds}
    named = {gap["call"] for gap in done.report["gaps"]}
    assert named <= asked
    unsure = {each["rule"] for each in done.report["outcomes"] if each["gaps"]}
    assert bool(unsure) == bool(named)
    if done.report["verdict"] == "ready":
        assert not unsure & {rule.id for rule in load() if rule.severity is Severity.BLOCKER}
        assert done.states().keys() == world.whole["prod"].states().keys()
    assert done.rules("blocker") <= world.whole["prod"].rules("blocker")


def refusing(world: World, actions: set[str], kinds: set[Kind]) -> Done:
    """A scan of the prepared account and cluster in which these calls are refused."""
    kube = world.kubes["prod"]
    forbidden = kube_server.Answer(403, {"kind": "Status", "message": "forbidden"})
    with pytest.MonkeyPatch.context() as patch:
        for action in actions:
            patch.setitem(world.server.hooks, action, servers.refused(action))
        for kind in kinds:
            patch.setitem(kube.faults, path_of(kube, kind), [forbidden])
        world.server.calls.clear()
        return world.scan("prod")


HOLES = st.dictionaries(st.sampled_from(sorted(SECTIONS.keys() - FILES_ONLY)), st.floats(0, 1))
"""Sections with a gap, and how much of each was read all the same. What operators are told is read in files alone."""


@settings(max_examples=500)
@given(holes=HOLES, warned=st.booleans())
def test_ready_rests_on_facts_without_gaps_and_a_gap_proves_nothing(
    world: World, holes: dict[str, float], *, warned: bool
) -> None:
    known = {name: with_hole(name, section, holes) for name, section in world.facts.items()}
    if warned:
        old = tuple(replace(each, version="v1.12.6-eksbuild.2") for each in known["addons"].items)
        known["addons"] = replace(known["addons"], items=old)
    outcomes = engine.evaluate(load(), known)
    blind = {rule.id for rule in load() if holes.keys() & {*rule.required, *rule.optional}}
    assert {each.rule for each in outcomes if each.gaps} == blind
    assert {each.state for each in outcomes if each.rule in blind} <= UNSURE
    assert {each.state for each in outcomes if each.rule not in blind} <= {*State} - UNSURE | {State.FAILED}
    for each in outcomes:
        ready = each.severity is not Severity.BLOCKER or each.rule not in blind
        assert verdict(each.findings, (each,)) is (Verdict.READY if ready else Verdict.UNDETERMINED)


def with_hole(name: str, section: Section[Any], holes: Mapping[str, float]) -> Section[Any]:
    if name not in holes:
        return section
    kept = round(len(section.items) * holes[name])
    return Section(section.items[:kept], (Gap(f"read {name}", "refused", "Allow it."),))
