"""Every way to fail, on every class of call, over the wire: a run ends as if nothing was, or it names the call."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from threading import Event
from typing import Any

import boto3
import faults
import pytest
import servers
import world as worlds
from botocore import xform_name
from whole import Done
from world import World, path_of, told_as

from eks6check.catalog import load
from eks6check.demo.aws_server import Hook
from eks6check.facts.kinds import KINDS, Kind
from eks6check.sources import aws, cluster, needed
from eks6check.sources.aws.api import SERVICES, Account, connect
from eks6check.sources.cluster import login
from eks6check.sources.cluster.api import call

ASKED = {"clusters", *(name for rule in load() for name in (*rule.required, *rule.optional))}
NEEDED = needed((*aws.COLLECTORS, *cluster.COLLECTORS), ASKED)
ACTIONS = sorted({action for each in NEEDED for action in each.calls if ":" in action})
KIND_LIST = [kind for each in NEEDED for kind in KINDS.get(each.section, ())]


def class_of(action: str) -> tuple[str, bool]:
    """What decides how an action's answer is read: the service, and whether it comes in pages."""
    prefix, _, operation = action.partition(":")
    client = boto3.client(SERVICES.get(prefix, prefix), region_name=servers.REGION)
    return prefix, client.can_paginate(xform_name(operation))


@cache
def examples() -> list[str]:
    """One action of each class, and the one that comes before all others."""
    return sorted({*{class_of(action): action for action in reversed(ACTIONS)}.values(), "eks:DescribeCluster"})


def kinds() -> dict[str, Kind]:
    """A kind of the core group, one of another built-in group, and a custom one."""
    return {
        "core": next(kind for kind in KIND_LIST if not kind.group),
        "group": next(kind for kind in KIND_LIST if kind.group == "apps"),
        "custom": next(kind for kind in KIND_LIST if kind.group == "karpenter.sh"),
    }


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with worlds.opened(tmp_path_factory.mktemp("world")) as opened:
        yield opened


@pytest.fixture(scope="module")
def calm(world: World) -> Iterator[dict[str, Hook]]:
    """The account's answers, recorded by a scan that nothing disturbs."""
    with faults.recorded(world.server, ACTIONS) as hooks:
        world.scan("prod")
        yield dict(hooks)


@pytest.fixture(autouse=True)
def _without_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    """No waits between tries; and tries without an end to their budget, since all scans share one account here."""
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)
    monkeypatch.setattr("botocore.retries.quota.RetryQuota.acquire", lambda *_: True)
    monkeypatch.setattr(login, "BACKOFF_SECONDS", 0)


def timeless(done: Done) -> dict[str, Any]:
    """A report without what no two runs share: the time, and how often a call was made."""
    report = {key: value for key, value in done.report.items() if key not in {"calls", "target"}}
    return {**report, "code": done.code}


def told(done: Done, calm: Done, *calls: str) -> None:
    """Show that a run says the same as the calm one, or names the calls that failed and says less."""
    assert "Traceback" not in done.out + done.err
    assert servers.SECRET not in done.out + done.err
    if done.code == 3 and not done.out:
        assert done.err.startswith("error: ")
        assert "eks:DescribeCluster" in calls
        return
    gaps = [gap for gap in done.report["gaps"] if gap not in calm.report["gaps"]]
    assert {gap["call"] for gap in gaps} <= {*calls}
    assert all(gap["reason"] and gap["remedy"] for gap in gaps)
    if gaps:
        assert findings(done) <= findings(calm)
        blocked = bool(done.rules("blocker"))
        assert (done.code, done.report["verdict"] == "not-ready") == (1 if blocked else 4, blocked)
    else:
        assert timeless(done) == timeless(calm)


def findings(done: Done) -> set[str]:
    """The fingerprints of all findings."""
    return {each["fingerprint"] for each in done.report["findings"]}


def scan_with(world: World, calm: dict[str, Hook], action: str, fault: Hook) -> Done:
    """A scan during which this action fails."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(world.server.hooks, action, faults.on(calm.get(action, servers.forwarded), fault))
        return world.scan("prod")


def test_some_call_of_every_service_is_made_in_this_world(world: World, calm: dict[str, Hook]) -> None:
    assert calm
    made = {action.partition(":")[0] for action in {*world.server.calls} & {*examples()}}
    assert made == {action.partition(":")[0] for action in ACTIONS}


@pytest.mark.parametrize("fault", faults.PASSING.values(), ids=faults.PASSING)
@pytest.mark.parametrize("action", examples())
def test_what_aws_says_at_a_second_try_is_as_good_as_at_the_first(
    world: World, calm: dict[str, Hook], action: str, fault: Callable[[str], Hook]
) -> None:
    done = scan_with(world, calm, action, fault(action))
    assert timeless(done) == timeless(world.whole["prod"])


@pytest.mark.parametrize("fault", faults.LASTING.values(), ids=faults.LASTING)
@pytest.mark.parametrize("action", examples())
def test_an_aws_call_that_fails_is_named(
    world: World, calm: dict[str, Hook], action: str, fault: Callable[[str], Hook]
) -> None:
    done = scan_with(world, calm, action, fault(action))
    told(done, world.whole["prod"], told_as(action))


@cache
def impatient(url: str, region: str | None, profile: str | None) -> Account:
    """An account of which every client is made while little patience is set."""
    assert url
    return connect(region, profile)


@pytest.mark.parametrize("action", examples())
def test_an_aws_call_that_does_not_answer_in_time_is_named(
    world: World, calm: dict[str, Hook], action: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("eks6check.sources.aws.api.READ_SECONDS", 0.5)
    monkeypatch.setattr("eks6check.sources.aws.api.ATTEMPTS", 2)
    monkeypatch.setattr(worlds, "account", impatient)
    over = Event()
    try:
        done = scan_with(world, calm, action, faults.held(over))
    finally:
        over.set()
    told(done, world.whole["prod"], told_as(action))


@pytest.mark.parametrize("fault", faults.KUBE_PASSING.values(), ids=faults.KUBE_PASSING)
@pytest.mark.parametrize("place", [*kinds(), "discovery"])
@pytest.mark.usefixtures("calm")
def test_what_the_cluster_says_at_a_second_try_is_as_good_as_at_the_first(world: World, place: str, fault: Any) -> None:
    path, _ = at(world, place)
    with faults.scripted(world.kubes["prod"], path, fault, 1):
        done = world.scan("prod")
    assert timeless(done) == timeless(world.whole["prod"])


@pytest.mark.parametrize("fault", faults.KUBE_LASTING.values(), ids=faults.KUBE_LASTING)
@pytest.mark.parametrize("place", [*kinds(), "discovery"])
@pytest.mark.usefixtures("calm")
def test_a_list_that_fails_is_named(world: World, place: str, fault: Any) -> None:
    path, calls = at(world, place)
    with faults.scripted(world.kubes["prod"], path, fault, 9):
        done = world.scan("prod")
        assert len(world.kubes["prod"].faults[path]) < 9, "the scan never asked"
    told(done, world.whole["prod"], *calls)
    assert done.report["gaps"]


@pytest.mark.parametrize("place", [*kinds(), "discovery"])
@pytest.mark.usefixtures("calm")
def test_a_list_that_does_not_come_in_time_is_named(world: World, place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("eks6check.sources.cluster.api.TIMEOUTS_SECONDS", (5.0, 0.5))
    over = Event()
    path, calls = at(world, place)
    try:
        with faults.scripted(world.kubes["prod"], path, faults.kube_held(over), 9):
            done = world.scan("prod")
    finally:
        over.set()
    told(done, world.whole["prod"], *calls)
    assert done.report["gaps"]


def at(world: World, place: str) -> tuple[str, list[str]]:
    """The path of a place, and the calls that fail with it."""
    if place != "discovery":
        return path_of(world.kubes["prod"], kinds()[place]), [call(kinds()[place])]
    return "/apis", [call(kind) for kind in KIND_LIST]
