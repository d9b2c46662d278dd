"""The contract of the catalogue: what rules.yaml promises of each rule, the rule keeps."""

from __future__ import annotations

import csv
import inspect
import json
import random
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import build
import jsonschema
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from eks6check import catalog, engine
from eks6check.catalog import Rule
from eks6check.errors import CatalogError, UsageError
from eks6check.facts import SECTIONS, Facts, Section
from eks6check.facts.kube import Resource
from eks6check.findings import Confidence, Finding, Problem, Severity, State
from eks6check.sources import aws, cluster, manifests

HERE = Path(__file__).parent
RULES = catalog.load()
CATALOGUE = {row["id"]: row for row in csv.DictReader((HERE / "catalogue.csv").read_text().splitlines())}
COMMANDS = {"aws", "kubectl", "eksctl", "helm", "eks6check"}
UNFILLED = re.compile(r"(?<!\$)\{\w+\}")

each_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)


def findings(facts: Facts) -> list[Finding]:
    """What all rules together say, with no rule in error."""
    outcomes = engine.evaluate(RULES, facts)
    assert [outcome.error for outcome in outcomes if outcome.state is State.ERROR] == []
    return [finding for outcome in outcomes for finding in outcome.findings]


def test_rules_yaml_fits_its_schema() -> None:
    schema = json.loads((HERE.parent / "eks6check/schemas/rules.schema.json").read_text())
    entries = json.loads(json.dumps(catalog.read(), default=str))
    validator = jsonschema.Draft202012Validator(schema)
    validator.check_schema(schema)
    assert [f"{error.json_path}: {error.message}" for error in validator.iter_errors(entries)] == []


@each_rule
def test_id_name_severity_and_confidence_are_those_of_the_catalogue(rule: Rule) -> None:
    said = {"id": rule.id, "name": rule.name, "severity": rule.severity, "confidence": rule.confidence}
    assert {**said, "inputs": CATALOGUE[rule.id]["inputs"]} == CATALOGUE[rule.id]


def test_rules_stand_in_the_order_of_the_catalogue() -> None:
    order = list(CATALOGUE)
    ids = [rule.id for rule in RULES]
    assert ids == sorted(set(ids), key=order.index)
    assert len({rule.name for rule in RULES}) == len(RULES)


GIVEN = {
    letter: {each.section for each in source.COLLECTORS}
    for letter, source in (("A", aws), ("K", cluster), ("M", manifests))
}
"""What each input of the catalogue gives: the account, the cluster, and manifests."""

OTHERWISE = {
    "CTL005": "AKM",  # a Node object in a file is read like any other
    "NOD006": "KM",  # it takes a pod that needs the metadata service; the account's side is used where it is read
    "NOD007": "AKM",  # a node class in the cluster carries user data as well
    "NOD008": "AKM",  # likewise
    "FGT001": "A",  # pods are counted where the cluster is read, and the account alone tells what is free
    "FGT003": "KM",  # it takes a Service and the pods behind it; profiles are used where they are read
    "LBC016": "KM",  # it takes a binding; target groups are used where they are read
    "SVC003": "KM",  # live addresses are dropped as they are read, so that only what somebody wrote is judged
    "EXT001": "A",  # the address that peers know is the account's
}
"""Rules that run on other inputs than the catalogue's, and why."""


def test_every_rule_that_the_account_or_the_cluster_can_be_judged_by_is_there() -> None:
    live = {row["id"] for row in CATALOGUE.values() if {*"AK"} & {*row["inputs"]}}
    assert {rule.id for rule in RULES} >= live


@each_rule
def test_a_rule_runs_on_the_inputs_of_the_catalogue(rule: Rule) -> None:
    runs = "".join(letter for letter, sections in GIVEN.items() if rule.runs_on(sections))
    listed = "".join(letter for letter in CATALOGUE[rule.id]["inputs"] if letter in GIVEN)
    assert runs == OTHERWISE.get(rule.id, listed)
    assert OTHERWISE.get(rule.id) != listed, "this is no exception any more"


@each_rule
def test_why_is_two_to_four_sentences(rule: Rule) -> None:
    assert re.match(r"[A-Z`]", rule.why)
    assert rule.why.endswith(".")
    assert 2 <= len(re.findall(r"[.?!](?=\s+[A-Z`]|$)", rule.why)) <= 4


@each_rule
def test_a_rule_says_what_it_judges(rule: Rule) -> None:
    assert re.search(r"\w{3}.*\.", inspect.getdoc(rule.judge) or "")


@each_rule
def test_parameters_are_annotated_with_what_their_sections_hold(rule: Rule) -> None:
    for name, parameter in inspect.signature(rule.judge).parameters.items():
        if name in SECTIONS:
            assert parameter.annotation == f"Sequence[{SECTIONS[name]}]"
            assert parameter.default in ((), parameter.empty)
        else:
            default = rule.settings[name]
            assert parameter.annotation == type(default).__name__
            assert parameter.default is parameter.empty, "rules.yaml alone has the value"


@each_rule
def test_bad_fires_this_rule_and_no_other(rule: Rule) -> None:
    assert {finding.rule for finding in findings(build.example(rule.bad))} == {rule.id}


@each_rule
def test_good_leaves_this_rule_silent(rule: Rule) -> None:
    facts = build.example(rule.good)
    assert rule.runs_on(facts)
    assert rule.id not in {finding.rule for finding in findings(facts)}


@each_rule
def test_remedies_are_filled_and_can_be_pasted(rule: Rule) -> None:
    for finding in findings(build.example(rule.bad)):
        assert not UNFILLED.search(finding.remedy), finding.remedy
        assert pasteable(finding.remedy), finding.remedy
        assert re.match(r".*\w.*[.)]$", finding.message, re.DOTALL)


@each_rule
def test_findings_in_manifests_stand_at_a_line_of_theirs(rule: Rule) -> None:
    if "apiVersion" in rule.bad.partition("\n")[0]:
        lines = len(rule.bad.splitlines())
        places = [place for finding in findings(build.example(rule.bad)) for place in finding.locations]
        assert all(1 <= place.line <= lines and place.column >= 1 for place in places)


@each_rule
def test_every_placeholder_of_every_remedy_is_evidence_that_the_module_gives(rule: Rule) -> None:
    source = inspect.getsource(inspect.getmodule(rule.judge) or catalog)
    for remedy in rule.remedies.values():
        for name in UNFILLED.findall(remedy):
            assert f'"{name.strip("{}")}"' in source


def pasteable(remedy: str) -> bool:
    """Whether each part of a remedy is a sentence, a command whose quotes close, or YAML that holds something."""
    return all(_pasteable(part) for part in re.split(r"^---$", remedy, flags=re.MULTILINE))


def _pasteable(part: str) -> bool:
    lines = [line for line in part.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    if not lines:
        return bool(re.match(r"# [A-Z].*\.$", part.strip(), re.DOTALL))
    first = re.sub(r"^\w+=\$\(", "", lines[0]).split()[0]
    if first in COMMANDS:
        return bool(shlex.split("\n".join(lines)))
    if re.match(r"[A-Z].* .*[.:]$", part.strip(), re.DOTALL):
        return True
    return isinstance(yaml.safe_load(part), dict | list)


@each_rule
def test_the_order_of_facts_does_not_matter(rule: Rule) -> None:
    facts = build.example(rule.bad)
    expected = engine.worst_first(findings(facts))
    assert engine.worst_first(findings(facts)) == expected
    for seed in range(3):
        shuffled = {
            name: replace(section, items=tuple(random.Random(seed).sample(section.items, len(section.items))))
            for name, section in facts.items()
        }
        assert engine.worst_first(findings(shuffled)) == expected


SCALARS = st.none() | st.booleans() | st.integers(-1, 2**40) | st.floats(allow_nan=False) | st.text(max_size=8)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def examples() -> dict[str, list[Any]]:
    """Every Kubernetes body of every example, by section."""
    found: dict[str, list[Any]] = {name: [{}] for name, kind in SECTIONS.items() if kind == "Resource"}
    for rule in RULES:
        for example in (rule.bad, rule.good):
            for name, section in build.example(example).items():
                found.get(name, []).extend(item.body for item in section.items if isinstance(item, Resource))
    return found


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every value inside a value."""
    children: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield (*path, key)
        yield from places(child, (*path, key))


ODD: tuple[Any, ...] = (None, True, 3, "x", [], [None], [3], [[3]], {}, {"x": None}, {3: {}})


@each_rule
def test_every_value_of_an_example_may_have_any_type(rule: Rule) -> None:
    for example in (rule.bad, rule.good):
        facts = build.example(example)
        for name in {*rule.required, *rule.optional} & facts.keys():
            items = facts[name].items
            for index, item in enumerate(items):
                for body in spoilt(item.body) if isinstance(item, Resource) else ():
                    wild = Section((*items[:index], build.resource(body), *items[index + 1 :]))
                    assert not engine.judge(rule, {**facts, name: wild}).error, body


def spoilt(body: Any) -> Iterator[Any]:
    """A body with each of its values in turn replaced by things that nobody would write there."""
    return (swapped(body, path, odd) for path in places(body) for odd in ODD)


def swapped(value: Any, path: Sequence[Any], new: Any) -> Any:
    """A copy of a value with another one at a path."""
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = swapped(value[path[0]], path[1:], new)
    return copy


@st.composite
def wild_facts(draw: st.DrawFn) -> Facts:
    """Every section of Kubernetes objects, with bodies that are examples with values swapped for anything at all."""
    sections = {}
    for name, known in EXAMPLES.items():
        body = draw(st.sampled_from(known))
        for _ in range(draw(st.integers(0, 2))):
            paths = list(places(body))
            body = swapped(body, draw(st.sampled_from(paths)), draw(JSON)) if paths else draw(BODIES)
        sections[name] = [body]
    return build.facts(**sections)


EXAMPLES = examples()
BODIES = st.dictionaries(st.sampled_from(["apiVersion", "kind", "metadata", "spec", "data"]), JSON)


@settings(max_examples=200)
@given(wild_facts())
def test_no_rule_raises_on_wild_input(facts: Facts) -> None:
    findings(facts)


def made(*functions: Any) -> ModuleType:
    """A module that holds these functions as rules."""
    module = ModuleType("made")
    for function in functions:
        setattr(module, function.__name__, catalog.rule(function))
    return module


def first(services: Sequence[Resource]) -> Iterator[Problem]:
    for service in services:
        yield Problem(service, "It is there.")


def second(services: Sequence[Resource], *, limit: int) -> Iterator[Problem]:
    yield from first(services[:limit])


def lost(nothing_of_the_kind: Sequence[Resource]) -> Iterator[Problem]:
    yield from first(nothing_of_the_kind)


FIRST: Mapping[str, Any] = {
    "id": "TST001",
    "name": "first",
    "title": "First",
    "severity": "warning",
    "confidence": "medium",
    "since": "0.1.0",
    "why": "Because.",
    "remedy": "Do it.",
    "bad": "x",
    "good": "y",
    "links": [],
}
SECOND = {**FIRST, "id": "TST002", "name": "second", "parameters": {"limit": {"default": 1, "meaning": "How many."}}}


def without(entry: Mapping[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in entry.items() if name != key}


def test_entries_that_fit_become_rules_in_their_order() -> None:
    one, two = catalog.fuse([FIRST, SECOND], [made(first, second)])
    assert (one.id, one.required, one.optional, one.settings) == ("TST001", ("services",), (), {})
    assert (two.id, two.settings, two.remedies) == ("TST002", {"limit": 1}, {"": "Do it."})
    assert (one.severity, one.confidence, one.status) == (Severity.WARNING, Confidence.MEDIUM, "stable")


@pytest.mark.parametrize(
    ("entries", "functions", "said"),
    [
        ([FIRST, {**FIRST, "id": "TST009", "name": "unheard-of"}], [first], "rule 2 (unheard-of)"),
        ([FIRST], [first, second], "no entry for: second"),
        ([FIRST, {**SECOND, "id": "TST001"}], [first, second], "rule 2 (second): the id TST001 is used twice"),
        ([FIRST, {**FIRST, "id": "TST002"}], [first], "rule 2 (first)"),
        ([FIRST, without(SECOND, "parameters")], [first, second], "rule 2 (second): parameters differ"),
        ([{**FIRST, "parameters": {"limit": {"default": 1}}}], [first], "rule 1 (first): parameters differ"),
        ([{**FIRST, "name": "lost"}], [lost], "rule 1 (lost): no such section of facts: nothing_of_the_kind"),
        ([{**FIRST, "severity": "catastrophe"}], [first], "rule 1 (first): the entry lacks or misstates 'catastrophe'"),
        ([{**FIRST, "confidence": None}], [first], "rule 1 (first)"),
        ([{**FIRST, "links": None}], [first], "rule 1 (first)"),
        ([{**FIRST, "parameters": ["limit"]}], [first], "rule 1 (first)"),
        ([{**SECOND, "parameters": {"limit": 1}}], [second], "rule 1 (second)"),
        ([{**SECOND, "parameters": {"limit": {}}}], [second], "rule 1 (second): parameters without a default: limit"),
        (["first"], [first], "rule 1 (None)"),
        ([{**FIRST, "name": ["first"]}], [first], "rule 1"),
        *(
            ([without(FIRST, key)], [first], "rule 1 (first)")
            for key in ("id", "title", "severity", "confidence", "since", "why", "remedy", "bad", "good", "links")
        ),
    ],
)
def test_what_does_not_fit_is_refused_with_rule_and_place(entries: Any, functions: Any, said: str) -> None:
    with pytest.raises(CatalogError, match=re.escape(said)):
        catalog.fuse(entries, [made(*functions)])


def chosen(select: Sequence[str] = (), ignore: Sequence[str] = ()) -> list[str]:
    rules = catalog.fuse([FIRST, SECOND], [made(first, second)])
    return [rule.id for rule in catalog.select(rules, select, ignore)]


def test_rules_are_chosen_by_id_by_the_letters_it_begins_with_and_by_name() -> None:
    assert chosen() == ["TST001", "TST002"]
    assert chosen(["tst002"]) == chosen(["second"]) == chosen(["Second"]) == ["TST002"]
    assert chosen(["TST"]) == chosen(["TST002", "first"]) == ["TST001", "TST002"]


def test_what_is_ignored_is_taken_from_what_is_chosen() -> None:
    assert chosen(ignore=["TST001"]) == ["TST002"]
    with pytest.raises(UsageError, match="No rule is left"):
        chosen(["TST"], ["first", "second"])


@pytest.mark.parametrize(
    ("word", "near"), [("frist", "first"), ("TST004", "TST00"), ("zzz", "eks6check rules"), ("", "")]
)
def test_a_word_that_fits_no_rule_is_refused_with_the_nearest_names(word: str, near: str) -> None:
    with pytest.raises(UsageError) as refused:
        chosen([word])
    assert repr(word) in refused.value.message
    assert near in refused.value.hint
    with pytest.raises(UsageError):
        chosen(ignore=[word])
