from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import reports
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

import eks6check
from eks6check.facts import Gap
from eks6check.findings import Location
from eks6check.reporters import render
from eks6check.reporters.json import gap_record, jsonable, location_record

SCHEMA = json.loads((Path(eks6check.__file__).parent / "schemas" / "report-v1.schema.json").read_text())


def read(name: str) -> Mapping[str, Any]:
    parsed: Mapping[str, Any] = json.loads(render("json", reports.REPORTS[name]))
    return parsed


def test_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("name", reports.REPORTS)
def test_every_report_keeps_the_schema(name: str) -> None:
    assert [error.message for error in Draft202012Validator(SCHEMA).iter_errors(read(name))] == []


@pytest.mark.parametrize("key", ["verdict", "summary", "findings", "gaps"])
def test_a_report_without_a_promised_key_breaks_the_schema(key: str) -> None:
    broken = {name: value for name, value in read("mixed").items() if name != key}
    assert not Draft202012Validator(SCHEMA).is_valid(broken)


def test_every_key_that_is_written_is_described() -> None:
    report = read("mixed")
    finding, described = report["findings"][0], SCHEMA["$defs"]
    assert set(report) == set(SCHEMA["properties"])
    assert set(finding) == set(described["finding"]["properties"])
    assert set(report["target"]) == set(SCHEMA["properties"]["target"]["properties"])
    assert set(report["outcomes"][0]) == set(SCHEMA["properties"]["outcomes"]["items"]["properties"])
    assert set(report["gaps"][0]) == set(described["gap"]["properties"])


def test_summary_counts_findings_by_severity_and_rules_by_state() -> None:
    assert read("undetermined")["summary"] == {
        "blocker": 0,
        "warning": 1,
        "info": 0,
        "suppressed": 0,
        "not_evaluated": 2,
        "incomplete": 2,
        "error": 1,
    }
    assert read("mixed")["summary"]["suppressed"] == 1


def test_file_and_live_places_look_as_promised() -> None:
    assert read("mixed")["findings"][0]["locations"] == [
        {"source": "manifests", "file": "k8s/shop/web.yaml", "line": 6, "column": 5},
        {"source": "cluster", "id": "v1/Service/shop/web"},
    ]
    assert location_record(Location("manifests", file="a.yaml")) == {
        "source": "manifests",
        "file": "a.yaml",
        "line": None,
        "column": None,
    }
    assert location_record(Location("manifests", file="a.yaml", declares=True))["declares"] is True


def test_gap_of_a_call_has_no_file() -> None:
    assert gap_record(Gap("ec2:DescribeSubnets", "denied")) == {
        "call": "ec2:DescribeSubnets",
        "reason": "denied",
        "remedy": "",
    }


def test_hostile_names_come_back_whole_and_pass_as_ascii() -> None:
    text = render("json", reports.REPORTS["hostile"])
    assert text.isascii()
    assert "\x1b" not in text
    assert text.endswith("}\n")
    assert json.loads(text)["target"]["cluster"] == reports.HOSTILE


def test_evidence_of_odd_types_becomes_json() -> None:
    odd = {1: {"b", "a"}, "t": (1, 2.5, None, True), "nan": float("nan"), "path": Path("x"), "big": 10**30}
    assert jsonable(odd) == {
        "1": ["a", "b"],
        "t": [1, 2.5, None, True],
        "nan": "nan",
        "path": "x",
        "big": 10**30,
    }


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.dates(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner),
        max_leaves=10,
    )
)
def test_any_evidence_can_be_written_and_read_back(value: object) -> None:
    written = jsonable(value)
    assert json.loads(json.dumps(written, allow_nan=False)) == written
