"""The engine: the states of a rule, and what stamping makes of a problem. The rules here are made up."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import build
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eks6check import engine
from eks6check.catalog import Rule
from eks6check.facts import Facts, Gap, Origin, Path, Places, Section, Subject, aws
from eks6check.facts.kube import Resource
from eks6check.findings import Confidence, Finding, Location, Outcome, Problem, Severity, State, fingerprint

GAP = Gap("ec2:DescribeSubnets", "refused", "Allow ec2:DescribeSubnets.")
TEXT_GAP = Gap("read", "is no YAML", "Mend it.", "edge.yaml", 7, 3)
OTHER_GAP = Gap("list services", "refused")
FINE = {"id": "subnet-1"}
FAULTY = {"id": "subnet-2", "ipv6_native": True}
SERVICE = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "shop"}}


def native(subnets: Sequence[aws.Subnet], services: Sequence[Resource] = ()) -> Iterator[Problem]:
    del services
    return (Problem(subnet, f"{subnet} is native.") for subnet in subnets if subnet.ipv6_native)


def optional(subnets: Sequence[aws.Subnet] = (), services: Sequence[Resource] = ()) -> Iterator[Problem]:
    return itertools.chain(native(subnets), (Problem(service, "It is there.") for service in services))


def crashing(subnets: Sequence[aws.Subnet]) -> Iterator[Problem]:
    for subnet in subnets:
        yield Problem(subnet, "So far, so good.")
        raise LookupError(subnet.id)


def made(
    judge: Callable[..., Iterator[Problem | Gap]] = native,
    required: tuple[str, ...] = ("subnets",),
    optional: tuple[str, ...] = ("services",),
    **values: Any,
) -> Rule:
    defaults: Mapping[str, Any] = {
        "id": "TST001",
        "name": "made-up",
        "title": "Made up",
        "severity": Severity.WARNING,
        "confidence": Confidence.MEDIUM,
        "category": "tests",
        "status": "stable",
        "since": "0.1.0",
        "why": "Because.",
        "remedies": {"": "Mend {what} of ${HOME} and {braces: kept}.", "other": "Leave it.\n"},
        "bad": "",
        "good": "",
        "links": ({"url": "https://example.com/", "read": "2026-11-22"},),
        "needs_all": False,
        "follows": {},
        "parameters": {},
    }
    return Rule(judge=judge, required=required, optional=optional, **{**defaults, **values})


def state(rule: Rule, known: Facts) -> State:
    return engine.judge(rule, known).state


@pytest.mark.parametrize(
    ("needs_all", "items", "gaps", "expected"),
    [
        (False, [], [], State.NOT_APPLICABLE),
        (False, [FINE], [], State.PASSED),
        (False, [FINE, FAULTY], [], State.FAILED),
        (False, [FINE], [GAP], State.INCOMPLETE),
        (False, [FINE, FAULTY], [GAP], State.FAILED),
        (False, [], [GAP], State.NOT_EVALUATED),
        (True, [], [], State.NOT_APPLICABLE),
        (True, [FINE], [], State.PASSED),
        (True, [FAULTY], [], State.FAILED),
        (True, [FINE], [GAP], State.NOT_EVALUATED),
        (True, [FAULTY], [GAP], State.NOT_EVALUATED),
        (True, [], [GAP], State.NOT_EVALUATED),
    ],
)
def test_the_state_follows_from_facts_gaps_and_problems(
    *, needs_all: bool, items: Any, gaps: Any, expected: State
) -> None:
    outcome = engine.judge(made(needs_all=needs_all), build.facts({"subnets": gaps}, subnets=items))
    assert outcome.state is expected
    assert outcome.gaps == tuple(gaps)
    assert bool(outcome.findings) == (expected is State.FAILED)
    assert (outcome.rule, outcome.name, outcome.severity) == ("TST001", "made-up", Severity.WARNING)


def test_a_gap_among_optional_facts_leaves_a_rule_incomplete() -> None:
    known = build.facts({"services": [OTHER_GAP]}, subnets=[FINE])
    assert state(made(), known) is State.INCOMPLETE
    assert state(made(needs_all=True), known) is State.NOT_EVALUATED


def test_only_the_subjects_decide_whether_there_was_something_to_judge() -> None:
    assert state(made(), build.facts(subnets=[], services=[SERVICE])) is State.NOT_APPLICABLE
    assert state(made(), build.facts({"subnets": [GAP]}, services=[SERVICE])) is State.NOT_EVALUATED


def test_a_rule_with_optional_facts_alone_judges_what_the_run_has() -> None:
    rule = made(optional, required=(), optional=("subnets", "services"))
    assert state(rule, build.facts(services=[SERVICE])) is State.FAILED
    assert state(rule, build.facts(subnets=[FINE])) is State.PASSED
    assert state(rule, build.facts(subnets=[])) is State.NOT_APPLICABLE
    assert state(rule, build.facts({"subnets": [GAP]}, services=[])) is State.NOT_EVALUATED


def test_one_gap_in_two_sections_is_told_once() -> None:
    outcome = engine.judge(made(), build.facts({"subnets": [GAP], "services": [GAP, OTHER_GAP]}, subnets=[FINE]))
    assert outcome.gaps == (GAP, OTHER_GAP)


@pytest.mark.parametrize(
    ("required", "optional", "available", "runs"),
    [
        (("subnets",), (), {"subnets"}, True),
        (("subnets",), (), {"services"}, False),
        (("subnets", "vpcs"), (), {"subnets"}, False),
        (("subnets",), ("vpcs",), {"vpcs"}, False),
        ((), ("subnets", "vpcs"), {"vpcs"}, True),
        ((), ("subnets", "vpcs"), {"services"}, False),
    ],
)
def test_a_rule_runs_where_its_facts_can_be_had(required: Any, optional: Any, available: Any, *, runs: bool) -> None:
    rule = made(required=required, optional=optional)
    assert rule.runs_on(available) is runs
    outcomes = engine.evaluate([rule], {name: Section() for name in available})
    assert [outcome.rule for outcome in outcomes] == (["TST001"] if runs else [])


def test_a_rule_that_raises_is_an_error_and_the_others_go_on() -> None:
    crash, sound = engine.evaluate([made(crashing), made(id="TST002")], build.facts(subnets=[FAULTY]))
    assert (crash.state, crash.findings, crash.error) == (State.ERROR, (), "LookupError: subnet-2")
    assert (sound.rule, sound.state) == ("TST002", State.FAILED)


def test_a_remedy_that_the_catalogue_does_not_have_is_an_error_too() -> None:
    def wrong(subnets: Sequence[aws.Subnet]) -> Iterator[Problem]:
        return (Problem(subnet, "It is.", remedy="unheard-of") for subnet in subnets)

    assert state(made(wrong), build.facts(subnets=[FINE])) is State.ERROR


def test_settings_reach_the_function() -> None:
    def counting(subnets: Sequence[aws.Subnet], *, limit: int) -> Iterator[Problem]:
        return (Problem(subnet, f"Over {limit}.") for subnet in subnets[limit:])

    rule = made(counting, optional=(), parameters={"limit": {"default": 1, "meaning": "How many."}})
    assert [finding.message for finding in engine.judge(rule, build.facts(subnets=[FINE, FAULTY])).findings] == [
        "Over 1."
    ]


def stamped(*problems: Problem, **values: Any) -> tuple[Finding, ...]:
    return engine.stamp(made(**values), problems)


@given(st.sampled_from(Severity), st.sampled_from(Severity), st.sampled_from(Confidence), st.sampled_from(Confidence))
def test_a_problem_lowers_severity_and_confidence_and_never_raises_them(
    most: Severity, own: Severity, surest: Confidence, own_confidence: Confidence
) -> None:
    problem = Problem(aws.Subnet(id="subnet-1"), "It is.", severity=own, confidence=own_confidence)
    (finding,) = stamped(problem, severity=most, confidence=surest)
    assert finding.severity.rank == max(most.rank, own.rank)
    order = list(Confidence)
    assert order.index(finding.confidence) == max(order.index(surest), order.index(own_confidence))


def test_a_finding_carries_what_the_catalogue_says_of_its_rule() -> None:
    (finding,) = stamped(Problem(aws.Subnet(id="subnet-1"), "It is.", evidence={"what": "it"}))
    assert (finding.rule, finding.name, finding.title, finding.why) == ("TST001", "made-up", "Made up", "Because.")
    assert finding.links == ("https://example.com/",)
    assert finding.subject == Subject("Subnet", "subnet-1")
    assert finding.evidence == {"what": "it"}


def test_a_remedy_is_filled_with_evidence_and_its_other_braces_stay() -> None:
    subnet = aws.Subnet(id="subnet-1")
    plain, other = stamped(Problem(subnet, "It is.", evidence={"what": 3}), Problem(subnet, "It is.", remedy="other"))
    assert plain.remedy == "Mend 3 of ${HOME} and {braces: kept}."
    assert other.remedy == "Leave it."


@pytest.mark.parametrize(
    "value", ["$(reboot)", "a; b", "`id`", "a\nb", "{HOME}", "a'b", 'a"b', "a|b", "a>b", "a&b", "$HOME"]
)
def test_a_value_that_a_shell_would_act_on_is_not_pasted(value: str) -> None:
    problem = Problem(aws.Subnet(id="subnet-1"), "It is.", evidence={"what": value, "HOME": "no"})
    assert engine.fill("aws {what}", problem) == "aws {what}"


def live(name: str = "web") -> Resource:
    return build.resource({**SERVICE, "metadata": {"name": name, "namespace": "shop"}})


def mark(path: Path, find: str, skip: int) -> tuple[int, int]:
    """A line for each step of the path, and a column for each letter of the text and each place passed over."""
    return 1 + len(path), 1 + len(find) + skip


def in_file(file: str, name: str = "web", path: Path = ()) -> Resource:
    return Resource(live(name).body, Origin("manifests", file=file, path=path, mark=mark))


def test_live_and_in_a_file_is_one_finding_with_both_places_the_file_first() -> None:
    for order in itertools.permutations([Problem(live(), "Live."), Problem(in_file("web.yaml"), "In a file.")]):
        (finding,) = stamped(*order)
        assert finding.message == "In a file."
        assert finding.locations == (
            Location("manifests", file="web.yaml", line=1, column=1),
            Location("cluster", id="v1/Service/shop/web"),
        )


def test_two_files_stay_two_findings_and_each_gets_the_live_place() -> None:
    files = [Problem(in_file(name), "In a file.") for name in ("a.yaml", "b.yaml")]
    found = stamped(Problem(live(), "Live."), *files)
    assert [[place.file for place in each.locations] for each in found] == [["a.yaml", ""], ["b.yaml", ""]]
    assert len({each.fingerprint for each in found}) == 1


def test_a_fault_of_the_live_object_alone_stands_first_where_files_declare_it() -> None:
    at: Path = ("spec", "ports", 0, "protocol")
    known = {"v1/Service/shop/web": [in_file("a.yaml"), in_file("list.yaml", path=("items", 3))]}
    (finding,) = engine.stamp(made(), [Problem(live(), "Live.", at=at, find="TCP")], known)
    assert finding.locations == (
        Location("manifests", file="a.yaml", line=3, column=1, declares=True),
        Location("manifests", file="list.yaml", line=5, column=1, declares=True),
        Location("cluster", id="v1/Service/shop/web"),
    ), "the keys up to the list, whose items need not be the same ones"


def test_a_file_that_has_the_fault_itself_does_not_just_declare_the_object() -> None:
    known = {"v1/Service/shop/web": [in_file("web.yaml")]}
    (finding,) = engine.stamp(made(), [Problem(live(), "Live."), Problem(in_file("web.yaml"), "In a file.")], known)
    assert [place.declares for place in finding.locations] == [False, False]


def test_a_rule_that_joins_both_by_itself_has_the_file_first_as_well() -> None:
    file, other = in_file("web.yaml"), in_file("other.yaml", "db")
    also: Places = ((other, ()), (file, ("spec",)))
    (finding,) = engine.stamp(made(), [Problem(live(), "Both.", also=also)], {"v1/Service/shop/web": [file]})
    assert [str(place) for place in finding.locations] == ["web.yaml:2:1", "v1/Service/shop/web", "other.yaml:1:1"]
    assert not any(place.declares for place in finding.locations)


def test_only_live_objects_have_files_that_declare_them() -> None:
    known = build.facts(services=[live("db"), in_file("web.yaml")], workloads=[], nodes=[in_file("web.yaml", "db")])
    assert {name: len(found) for name, found in engine.declared(known).items()} == {
        "v1/Service/shop/web": 1,
        "v1/Service/shop/db": 1,
    }
    assert engine.declared(build.facts(services=[in_file("web.yaml")])) == {}


def test_different_objects_and_different_keys_stay_apart() -> None:
    file = in_file("web.yaml")
    found = stamped(Problem(live("db"), "Live."), Problem(file, "One.", key="1"), Problem(file, "Two.", key="2"))
    assert [each.message for each in found] == ["One.", "Two.", "Live."]
    assert len({each.fingerprint for each in found}) == 3


def test_further_places_follow_the_first() -> None:
    other = in_file("other.yaml", "db")
    (finding,) = stamped(Problem(in_file("web.yaml"), "It is.", at=("spec",), also=((other, ("spec", "ports")),)))
    assert [str(place) for place in finding.locations] == ["web.yaml:2:1", "other.yaml:3:1"]


def test_a_place_counts_from_where_the_fact_begins_in_its_document() -> None:
    item = in_file("list.yaml", path=("items", 3))
    assert engine.locate(item, ("spec", "type"), "Load") == Location("manifests", file="list.yaml", line=5, column=5)
    assert engine.locate(live(), ("spec", "type")) == Location("cluster", id="v1/Service/shop/web")


def test_a_fingerprint_knows_rule_subject_and_key_and_neither_message_nor_line() -> None:
    here, there = in_file("web.yaml"), in_file("web.yaml", path=("items", 40))
    (before,) = stamped(Problem(here, "Old wording.", at=("spec",), evidence={"seen": 1}))
    (after,) = stamped(Problem(there, "New wording.", severity=Severity.INFO), severity=Severity.BLOCKER, title="New")
    assert before.fingerprint == after.fingerprint
    names = [("TST001", "web", ""), ("TST002", "web", ""), ("TST001", "db", ""), ("TST001", "web", "key")]
    assert len({fingerprint(rule, Subject("Service", name), key) for rule, name, key in names}) == 4


def test_every_gap_of_a_run_is_told_once() -> None:
    known = build.facts({"subnets": [GAP], "vpcs": [GAP, OTHER_GAP]})
    found = Outcome("TST001", Severity.INFO, State.INCOMPLETE, gaps=(GAP, TEXT_GAP))
    assert engine.all_gaps(known) == (GAP, OTHER_GAP)
    assert engine.all_gaps(known, [found]) == (GAP, OTHER_GAP, TEXT_GAP)


@pytest.mark.parametrize(("subnets", "state"), [([FINE], State.INCOMPLETE), ([FINE, FAULTY], State.FAILED)])
def test_a_rule_that_comes_upon_what_it_cannot_read_says_so_itself(subnets: list[Any], state: State) -> None:
    def reading(subnets: Sequence[aws.Subnet]) -> Iterator[Problem | Gap]:
        return itertools.chain((TEXT_GAP, TEXT_GAP), native(subnets))

    outcome = engine.judge(made(reading, optional=()), build.facts({"subnets": [GAP]}, subnets=subnets))
    assert (outcome.state, outcome.gaps, len(outcome.findings)) == (state, (GAP, TEXT_GAP), len(subnets) - 1)
