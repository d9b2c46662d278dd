"""Never "ready" over something that could not be read: gaps at the level of facts, and refusals over the wire."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import servers
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from test_scan import LIVE, READY, UNTOUCHED
from whole import Done, eks6check

from eks6check import engine, run
from eks6check.catalog import load
from eks6check.demo import kube_server
from eks6check.demo.aws_server import Server
from eks6check.facts import SECTIONS, Facts, Gap, Section
from eks6check.facts.kube import KINDS, Kind
from eks6check.findings import Severity, State, Verdict, verdict
from eks6check.options import Options
from eks6check.sources import aws, collect, needed
from eks6check.sources.aws.api import Account, connect
from eks6check.sources.cluster.api import call

CUSTOM = """
apiVersion: karpenter.k8s.aws/v1
kind: EC2NodeClass
metadata: {name: default}
spec: {kubelet: {maxPods: 110}}
---
apiVersion: karpenter.sh/v1
kind: NodePool
metadata: {name: default}
spec:
  template:
    spec:
      nodeClassRef: {group: karpenter.k8s.aws, kind: EC2NodeClass, name: default}
      requirements: [{key: karpenter.k8s.aws/instance-hypervisor, operator: In, values: [nitro]}]
---
apiVersion: elbv2.k8s.aws/v1beta1
kind: IngressClassParams
metadata: {name: alb}
spec: {ipAddressType: dualstack, targetType: ip}
---
apiVersion: eks.amazonaws.com/v1
kind: IngressClassParams
metadata: {name: auto}
spec: {ipAddressType: dualstack}
"""

ENI_CONFIG = """
apiVersion: crd.k8s.amazonaws.com/v1alpha1
kind: ENIConfig
metadata: {name: eu-west-1a}
spec: {subnet: subnet-1}
"""

BESIDES = """
apiVersion: v1
kind: Node
metadata: {name: ip-10-0-2-7, labels: {node.kubernetes.io/instance-type: m6i.large}}
status: {capacity: {pods: "110"}}
---
apiVersion: v1
kind: Pod
metadata: {name: report, namespace: batch, labels: {eks.amazonaws.com/fargate-profile: batch}}
spec: {containers: [{name: report, image: "report:1"}]}
status: {phase: Running}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: shop}
data: {color: green}
"""

OBJECTS = {"prod": f"{READY}---{CUSTOM}---{BESIDES}", "old": f"{UNTOUCHED}---{CUSTOM}---{BESIDES}---{ENI_CONFIG}"}
"""What runs in the prepared cluster ``prod`` and in the untouched one, ``old``."""

ACTIONS = sorted({action for each in aws.COLLECTORS for action in each.calls})
KIND_LIST = sorted({kind for kinds in KINDS.values() for kind in kinds})
UNSURE = {State.INCOMPLETE, State.NOT_EVALUATED, State.FAILED}


@cache
def account(region: str | None, profile: str | None) -> Account:
    """The account behind the server. Its clients are made once: they take most of a scan's time."""
    return connect(region, profile)


@dataclass(frozen=True, repr=False)
class World:
    """An account with both clusters, and what a scan says of each while nobody refuses anything."""

    server: Server
    kubes: Mapping[str, kube_server.Server]
    home: Path
    whole: Mapping[str, Done]
    facts: Facts

    @contextmanager
    def environment(self, name: str) -> Iterator[None]:
        """What leads to the account and to one of the two clusters."""
        context = f"arn:aws:eks:{servers.REGION}:123456789012:cluster/{name}"
        kube_server.write_kubeconfig(self.home / "kubeconfig", self.kubes[name].url, context)
        with pytest.MonkeyPatch.context() as patch:
            servers.lead_to(self.server, patch)
            patch.setenv("KUBECONFIG", str(self.home / "kubeconfig"))
            patch.setattr("eks6check.sources.live.connect", account)
            yield

    def scan(self, name: str, *arguments: str) -> Done:
        """One scan of one of the two."""
        with self.environment(name):
            return eks6check("scan", *LIVE[2:], "--cluster", name, *arguments)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    home = tmp_path_factory.mktemp("world")
    objects = {name: list(yaml.safe_load_all(text)) for name, text in OBJECTS.items()}
    with (
        servers.aws() as server,
        kube_server.serve(objects["prod"]) as prod,
        kube_server.serve(objects["old"]) as old,
    ):
        ids = servers.ipv6_account(server)
        template = servers.launch_template({"InstanceType": "m6i.large"}, "prod")
        named = {"id": template, "version": "$Latest"}
        servers.node_group("prod", "named", ids["private"], amiType="AL2023_x86_64_STANDARD", launchTemplate=named)
        servers.ipv4_account(server, "old")
        for kube in (prod, old):
            for kind in KIND_LIST:
                if not path_of(kube, kind):
                    kube.objects[f"/apis/{kind.group}/v1/{kind.plural}"] = []
        world = World(server, {"prod": prod, "old": old}, home, {}, {})
        whole = {name: world.scan(name) for name in OBJECTS}
        assert {*ACTIONS} == {*server.calls} & {*ACTIONS}
        yield replace(world, whole=whole, facts=collected(world))
        assert not server.hooks


def path_of(kube: kube_server.Server, kind: Kind) -> str:
    """Where this server lists a kind; empty where it does not know it."""
    ends = f"/apis/{kind.group}/" if kind.group else "/api/", f"/{kind.plural}"
    return next((path for path in kube.objects if path.startswith(ends[0]) and path.endswith(ends[1])), "")


def collected(world: World) -> Facts:
    """Every section of the prepared account and cluster."""
    with world.environment("prod"):
        options = Options(cluster="prod", region=servers.REGION, sources=("aws", "cluster"))
        readers = run.open_readers(options, run.open_files(options)).readers
        return collect(readers, run.given(readers))


@pytest.mark.parametrize("name", OBJECTS)
@pytest.mark.parametrize("action", ACTIONS)
def test_one_refused_aws_call_is_named_and_costs_only_the_rules_that_need_it(
    world: World, name: str, action: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(world.server.hooks, action, servers.refused(action))
    done = world.scan(name)
    asked_by = {each.section for each in aws.COLLECTORS if action in each.calls}
    if action == "ec2:DescribeSubnets":
        asked_by.remove("clusters")  # which makes that call only where DescribeCluster names no VPC
    hit = {each.section for each in aws.COLLECTORS if asked_by & sections_behind(each.section)}
    honest(done, world.whole[name], action, hit)


def sections_behind(section: str) -> set[str]:
    """A section of the account with those that it is read with."""
    return {each.section for each in needed(aws.COLLECTORS, {section})}


@pytest.mark.parametrize("name", OBJECTS)
@pytest.mark.parametrize("kind", KIND_LIST, ids=call)
def test_one_forbidden_list_is_named_and_costs_only_the_rules_that_need_it(world: World, name: str, kind: Kind) -> None:
    kube = world.kubes[name]
    kube.faults[path_of(kube, kind)] = [kube_server.Answer(403, {"kind": "Status", "message": "forbidden"})]
    done = world.scan(name)
    assert not kube.faults.pop(path_of(kube, kind)), "the scan never asked"
    honest(done, world.whole[name], call(kind), {section for section, kinds in KINDS.items() if kind in kinds})


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
            [each for each in scan.report[part] if each["rule"] not in concerned] for scan in (whole, done)
        )
        assert after == before
    assert done.rules("blocker") <= whole.rules("blocker")
    if whole.report["verdict"] == "ready":
        blind = any(rule.severity is Severity.BLOCKER for rule in load() if rule.id in concerned)
        assert (done.code, done.report["verdict"]) == (4, "undetermined" if blind else "ready")


HOLES = st.dictionaries(st.sampled_from(sorted(SECTIONS)), st.floats(0, 1))
"""Sections with a gap, and how much of each was read all the same."""


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
