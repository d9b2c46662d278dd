"""The table of programs: well formed, and each form judged as it was measured."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eks6check.knowledge import data
from eks6check.knowledge.listeners import Listener, listeners, named

each_program = pytest.mark.parametrize("listener", listeners(), ids=lambda each: each.program)
ROWS = {row["program"]: row for row in data("listeners")["programs"]}


def test_every_row_has_a_source_that_is_dated() -> None:
    sources = data("listeners")["sources"]
    assert {row["source"] for row in ROWS.values()} <= sources.keys()
    assert all(source["read"] and (source.get("url") or source["how"]) for source in sources.values())


def test_programs_are_sorted_and_no_command_or_image_is_two_programs() -> None:
    names = [row["program"].lower() for row in data("listeners")["programs"]]
    assert names == sorted(set(names))
    for field in ("commands", "images"):
        words = [word for row in ROWS.values() for word in row.get(field, ())]
        assert len(words) == len(set(words))
        assert not set(words) & set(data("listeners")["all_families"][field])


@each_program
def test_each_form_is_judged_as_the_row_says(listener: Listener) -> None:
    row = ROWS[listener.program]
    assert all(listener.is_ipv4(form.replace("{port}", "8000")) for form in row["ipv4"])
    assert not any(listener.is_ipv4(form.replace("{port}", "8000")) for form in (*row["both"], *row.get("ipv6", ())))
    assert not listener.is_ipv4(listener.rewritten("0.0.0.0:8000"))


@each_program
def test_a_program_can_be_known_and_told(listener: Listener) -> None:
    assert listener.commands or listener.images or listener.prefix
    assert listener.options or listener.variables or listener.files or listener.default
    assert all(file.setting.groups == 1 for file in listener.files)


@given(st.sampled_from(listeners()), st.text())
def test_no_text_raises(listener: Listener, value: str) -> None:
    listener.is_ipv4(value)
    assert "{port}" not in listener.rewritten(value) or "{port}" in value


def test_a_name_that_nobody_has_is_no_program() -> None:
    assert named("images", "") is None
