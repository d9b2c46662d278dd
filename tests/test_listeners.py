"""The table of programs: well formed, each form judged as it was measured, and the measurements themselves whole."""

from __future__ import annotations

import importlib.util
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from eks6check.knowledge import data
from eks6check.knowledge.listeners import Listener, listeners, named, opens_all_families

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"
each_program = pytest.mark.parametrize("listener", listeners(), ids=lambda each: each.program)
ROWS = {row["program"]: row for row in data("listeners")["programs"]}
OTHERS = {row["program"]: row for row in data("listeners")["others"]}
each_row = pytest.mark.parametrize("row", [*ROWS.values(), *OTHERS.values()], ids=lambda row: str(row["program"]))
MEASURED = {each["program"]: each for each in data("listeners_measured")["programs"]}
OPENED = {name: {form["form"]: form.get("opens") for form in each["forms"]} for name, each in MEASURED.items()}
KEYS = ("ipv4", "both", "ipv6")


def test_every_row_has_a_source_that_is_dated() -> None:
    sources = data("listeners")["sources"]
    assert {row["source"] for row in (*ROWS.values(), *OTHERS.values())} == sources.keys()
    assert all(source["read"] and (source.get("url") or source["how"]) for source in sources.values())


def test_programs_are_sorted_and_no_command_or_image_is_two_programs() -> None:
    for part in ("programs", "others"):
        names = [row["program"].lower() for row in data("listeners")[part]]
        assert names == sorted(set(names))
    for field in ("commands", "images"):
        words = [word for row in (*ROWS.values(), *OTHERS.values()) for word in row.get(field, ())]
        assert len(words) == len(set(words))


@each_row
def test_what_is_called_measured_was_measured_with_that_answer(row: dict[str, Any]) -> None:
    claimed = {form: key for key in KEYS for form in row.get(key, ())}
    measured = {
        form: OPENED.get(row["program"], {}).get(form, row["source"] != "measured" and key)
        for form, key in claimed.items()
    }
    assert measured == claimed


@each_row
def test_what_to_write_instead_opens_both_families(row: dict[str, Any]) -> None:
    assert row["both"][0] == row.get("instead", row["both"][0])


@each_program
def test_what_a_finding_says_to_write_is_a_form_that_opens_both_families(listener: Listener) -> None:
    both = [form.replace("{port}", "8000") for form in ROWS[listener.program]["both"]]
    for form in listener.ipv4:
        value = form.replace("{port}", "8000")
        assert listener.rewritten(value).replace("PORT", "8000") in both


@each_program
def test_what_stands_in_an_older_release_opens_both_families_there(listener: Listener) -> None:
    both = {form.partition(" with ")[0] for form in ROWS[listener.program]["both"]}
    assert all(older["instead"] in both and len(older["before"]) == 2 for older in listener.older.values())
    assert listener.older.keys() <= listener.images
    assert listener.instead_of.keys() <= set(listener.ipv4)


@pytest.mark.parametrize(
    ("program", "value", "instead"),
    [
        ("Kestrel", "https://0.0.0.0:8443", "https://+:8443"),
        ("Kestrel", "http://0.0.0.0:80;https://0.0.0.0:$(TLS)", "http://+:80;https://+:$(TLS)"),
        ("Kestrel", "http://0.0.0.0:80;https://127.0.0.1:81", "http://+:80;https://127.0.0.1:81"),
        ("memcached", "0.0.0.0:11300", "0.0.0.0:11300,[::]:11300"),
        ("PostgreSQL", "'0.0.0.0'", "'*'"),
        ("lighttpd", '"0.0.0.0"', '"[::]" with server.set-v6only = "disable"'),
        ("Kong", "0.0.0.0:80, 0.0.0.0:443 ssl", "[::]:80 ipv6only=off, [::]:443 ipv6only=off ssl"),
        ("Varnish", "0.0.0.0:80,PROXY", ":80,PROXY"),
        ("gunicorn", "[::]:80", "[::]:80"),
        ("uvicorn", "", ""),
    ],
)
def test_each_address_of_a_value_is_rewritten_where_it_stands(program: str, value: str, instead: str) -> None:
    (listener,) = (each for each in listeners() if each.program == program)
    assert listener.rewritten(value) == instead


@each_program
def test_a_default_is_what_was_measured_with_nothing_told(listener: Listener) -> None:
    assert not listener.default or listener.is_ipv4(listener.default)
    if listener.default and listener.source == "measured":
        (form,) = (each for each in MEASURED[listener.program]["forms"] if each["form"] == "default")
        assert (form["opens"], form["sockets"]) == ("ipv4", [listener.default])


@pytest.mark.parametrize(
    "row", [row for row in OTHERS.values() if row.get("commands")], ids=lambda row: str(row["program"])
)
def test_programs_that_open_all_families_are_in_a_language_that_does(row: dict[str, Any]) -> None:
    wildcard = next(form for form in row["both"] if form.startswith("0.0.0.0"))
    assert OPENED[row["program"]][wildcard] == "both"
    assert all(opens_all_families("commands", name) for name in row["commands"])


def test_what_was_measured_has_its_row_or_stands_for_its_language() -> None:
    for program in MEASURED.keys() - ROWS.keys() - OTHERS.keys():
        assert opens_all_families("commands", program) or opens_all_families("images", program)
        assert set(OPENED[program].values()) == {"both"}


@pytest.mark.parametrize("each", MEASURED.values(), ids=MEASURED)
def test_an_answer_is_what_the_connections_say(each: dict[str, Any]) -> None:
    for form in each["forms"]:
        reached = form.get("reached", ())
        assert bool(form.get("error")) is not bool(reached)
        assert (form.get("opens") in {"ipv4", "both"}) is ("169.254.172.2" in reached)
        assert (form.get("opens") in {"ipv6", "both"}) is ("2001:db8::10" in reached)


def test_the_measurements_are_of_a_kernel_with_the_usual_setting() -> None:
    assert data("listeners_measured")["bindv6only"] == 0
    assert data("listeners_measured")["measured"] == data("listeners")["sources"]["measured"]["read"]


@pytest.mark.skipif(not BENCHMARKS.is_dir(), reason="the source distribution has no benchmarks")
def test_the_result_file_holds_what_the_benchmark_starts_and_nothing_else() -> None:
    spec = importlib.util.spec_from_file_location("measuring", BENCHMARKS / "listeners.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    todo = yaml.safe_load((BENCHMARKS / "listeners.yaml").read_text(encoding="utf-8"))["programs"]
    asked = [(each["program"], each["package"], list(module.starts(each["ways"]))) for each in todo]
    keys = ("form", "port", "command", "files")
    told = [
        (name, each["package"], [{key: form[key] for key in keys} for form in each["forms"]])
        for name, each in MEASURED.items()
    ]
    assert told == asked
    assert all(one.lower() < two.lower() for one, two in pairwise(MEASURED))


@each_program
def test_each_form_is_judged_as_the_row_says(listener: Listener) -> None:
    row = ROWS[listener.program]
    assert all(listener.is_ipv4(form.replace("{port}", "8000")) for form in row["ipv4"])
    assert not any(listener.is_ipv4(form.replace("{port}", "8000")) for form in (*row["both"], *row.get("ipv6", ())))


@each_program
def test_a_program_can_be_known_and_told(listener: Listener) -> None:
    assert listener.commands or listener.images or listener.prefix
    assert listener.options or listener.variables or listener.files or listener.default
    assert all(file.setting.groups == 1 for file in listener.files)
    assert all(file.absent.groups == 1 and listener.default for file in listener.files if file.absent)


@given(st.sampled_from(listeners()), st.text())
def test_no_text_raises_and_what_opens_no_ipv4_stays(listener: Listener, value: str) -> None:
    assert any(map(listener.is_ipv4, listener.addresses(value))) or listener.rewritten(value) == value
    assert "{port}" not in listener.rewritten(value) or "{port}" in value


def test_a_name_that_nobody_has_is_no_program() -> None:
    assert named("images", "") is None
