"""What platform teams and popular charts write, shape by shape, and all that is said of each: no less, and no more.

A shape in ``tests/shapes`` begins with a line that names it and the rules that find something in it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import build
import pytest
import yaml

from eks6check import engine
from eks6check.catalog import load
from eks6check.sources import manifests

SHAPES = Path(__file__).parent / "shapes"
RULES = tuple(rule for rule in load() if rule.runs_on({each.section for each in manifests.COLLECTORS}))

BY_VERSION = "APP012"
"""What it says of an image is the table's matter, which grows."""


def shapes() -> Iterator[Any]:
    """The text of each shape with what is told of it, by file and name."""
    for path in sorted(SHAPES.glob("*.yaml")):
        for shape in path.read_text(encoding="utf-8").split("# == ")[1:]:
            head, _, text = shape.partition("\n")
            name, _, told = head.rpartition(": ")
            yield pytest.param(text, [] if told == "silent" else told.split(), id=f"{path.stem}: {name}")


each_shape = pytest.mark.parametrize(("text", "told"), list(shapes()))


def found_in(text: str) -> list[str]:
    """The rules that find something, each as often as it does."""
    outcomes = engine.evaluate(RULES, build.example(text))
    assert not [outcome.error for outcome in outcomes if outcome.error]
    found = [finding.rule for outcome in outcomes for finding in outcome.findings]
    return sorted(rule for rule in found if rule != BY_VERSION)


@each_shape
def test_a_shape_is_told_as_it_says(text: str, told: list[str]) -> None:
    assert found_in(text) == told


@each_shape
def test_it_is_told_the_same_as_json_in_a_list_and_in_any_order(text: str, told: list[str]) -> None:
    items = [body for body in yaml.safe_load_all(text) if body]
    assert found_in(json.dumps({"apiVersion": "v1", "kind": "List", "items": items[::-1]})) == told
