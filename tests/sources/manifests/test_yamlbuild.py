"""Mappings and lists as kubectl reads them: keys, merges, anchors, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from eks6check.sources.manifests import yamldoc
from eks6check.sources.manifests.yamldoc import Document, Fault


def one(text: str) -> Document:
    [document] = [each for each in yamldoc.documents(text) if not each.empty]
    return document


def value(text: str) -> Any:
    document = one(text)
    assert document.fault is None
    return document.value


def faults(text: str) -> list[Fault | None]:
    return [each.fault for each in yamldoc.documents(text)]


def test_keys_are_text_as_in_json() -> None:
    assert value("{1.10: a, y: b, 0644: c, 1e3: d, ~: e}") == {
        "1.1": "a",
        "true": "b",
        "420": "c",
        "1000": "d",
        "null": "e",
    }


@pytest.mark.usefixtures("_either_parser")
@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("[fd00::]", ["fd00::"]),
        ("[a, fd00::, b]", ["a", "fd00::", "b"]),
        ("{a: fd00::}", {"a": "fd00::"}),
        ("['x::]', \"::]\"]", ["x::]", "::]"]),
        ("[2001:db8::1]", ["2001:db8::1"]),
        ("- x::] # ::]", ["x::]"]),
    ],
)
def test_an_ipv6_address_in_brackets_is_read_as_kubectl_reads_it(written: str, expected: object) -> None:
    assert value(written) == expected


@pytest.mark.usefixtures("_either_parser")
def test_merge_keys_fill_in_what_the_mapping_lacks() -> None:
    text = "x: &x {p: 1, q: 2}\na: {<<: *x, q: 3}\nb: {q: 3, <<: [*x, {p: 9, z: 4}]}\nc: {'<<': 1}\nd: <<\n"
    document = one(text)
    assert document.value["a"] == {"p": 1, "q": 3}
    assert document.value["b"] == {"p": 1, "q": 3, "z": 4}
    assert (document.value["c"], document.value["d"]) == ({"<<": 1}, "<<")
    assert document.repeated == ()
    assert document.mark(("a", "p")) == (1, 8)
    assert document.mark(("b", "z")) == (3, 27)


def test_an_anchor_may_be_set_again() -> None:
    assert value("a: &x 1\nb: *x\nc: &x 2\nd: *x\n") == {"a": 1, "b": 1, "c": 2, "d": 2}


def test_of_a_key_that_stands_twice_the_last_counts_and_is_told() -> None:
    document = one("a: 1\nb:\n  c: 1\n  c: 2\na: 3\n")
    assert document.value == {"a": 3, "b": {"c": 2}}
    assert document.repeated == (("c", 4, 3), ("a", 5, 1))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a: *x", "the alias *x has no anchor before it"),
        ("a: &x [*x]", "the alias *x has no anchor before it"),
        ("<<: 3", "a merge key takes a mapping or a list of mappings"),
        ("a: {{ .Values.a }}", "a mapping key must be a scalar"),
        ("? [a]\n: b", "a mapping key must be a scalar"),
    ],
)
def test_what_kubectl_refuses_is_a_fault(text: str, reason: str) -> None:
    [fault] = faults(text)
    assert fault
    assert fault.reason == reason


def bomb(width: int, height: int) -> str:
    rows = [f"a{row}: &a{row} [{', '.join([f'*a{row - 1}'] * width)}]" for row in range(1, height)]
    return "\n".join(["a0: &a0 [x]", *rows])


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        "{a: " * 100_000,
        "- " * 100_000,
        '{"a":' * 2000,
        "[" * 300 + "]" * 300,
        bomb(10, 12),
        bomb(1, 2000),
    ],
)
def test_neither_depth_nor_aliases_exhaust_anything(text: str) -> None:
    [fault] = faults(text)
    assert fault
    assert any(word in fault.reason for word in ("deep", "nesting", "aliases"))
