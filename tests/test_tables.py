"""Data files as tables: whole, aligned, and narrow enough for a terminal."""

from __future__ import annotations

import re
from typing import Any

import pytest

from eks6check import catalog, pages, tables
from eks6check.knowledge import data

KNOWN = data("listeners")
CELLS = [re.split(r" *\| *", line)[1:-1] for line in tables.listeners().splitlines() if line.startswith("|")]
ROWS = [
    [" ".join(column).replace("`", "").split() for column in zip(*CELLS[start:end], strict=True)]
    for start in range(len(CELLS))
    for end in range(start + 1, min(start + 9, len(CELLS) + 1))
]
"""Whatever a few lines in a row say together, column by column: a table's row is some of them."""


def test_only_rules_that_exist_have_a_table_and_their_pages_show_it() -> None:
    rules = {rule.id: rule for rule in catalog.load()}
    for rule, table in tables.BESIDE.items():
        assert f"\n\n{table()}\n\n## Fires on" in pages.page(rules[rule])
    assert "What opens what" not in pages.page(rules["APP002"])


@pytest.mark.parametrize("row", [*KNOWN["programs"], *KNOWN["others"]], ids=lambda row: str(row["program"]))
def test_every_form_of_every_program_is_told_under_what_it_opens(row: dict[str, Any]) -> None:
    forms = [row["program"], *(" ".join(row.get(key, ())).replace("{port}", "80") for key in tables.OPENS)]
    assert any(told == [form.split() for form in forms] for told in ROWS)


def test_the_lines_fit_a_terminal_but_for_links() -> None:
    long = [line for line in tables.listeners().splitlines() if len(line) > tables.WIDTH]
    assert not [line for line in long if not line.startswith("<https://")]


def test_programs_that_open_all_families_are_told_by_their_language() -> None:
    shown = " ".join(tables.listeners().split())
    assert "Go: addon-resizer, alertmanager, alloy, argocd," in shown
    assert re.search(r"Java: .*\btomcat\b", shown)


def test_columns_stand_under_one_another_and_a_cell_may_have_several_lines() -> None:
    shown = tables.aligned(("a", "b"), [[["one"], ["1", "22222"]], [["two"], []]])
    assert shown.splitlines() == [
        "| a   | b     |",
        "| --- | ----- |",
        "| one | 1     |",
        "|     | 22222 |",
        "| two |       |",
    ]
