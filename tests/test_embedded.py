"""YAML inside a ConfigMap: every scalar knows where it begins, and no text breaks or blows up the reading."""

from __future__ import annotations

import re

from build import resource
from hypothesis import given
from hypothesis import strategies as st

from eks6check.facts.embedded import Embedded, Word, embedded, walk

ANY = re.compile("")


def documents(value: str) -> list[Embedded]:
    """The documents of a ConfigMap with that value."""
    return list(embedded(resource({"kind": "ConfigMap", "data": {"file": value}}), ANY))


def test_the_place_of_a_scalar_counts_the_same_texts_before_it() -> None:
    (document,) = documents('# 0.0.0.0\na: "0.0.0.0"\nb: {c: é, d: 0.0.0.0}\n')
    assert document.skip(document.body["a"]) == 1
    assert document.skip(document.body["b"]["d"]) == 2


def test_all_documents_of_a_value_are_read_and_a_broken_value_holds_none() -> None:
    assert [each.body for each in documents("a\n---\nb\n")] == ["a", "b"]
    assert documents("a: [b") == []
    assert documents("[" * 100_000) == []


def test_aliases_and_cycles_are_walked_once() -> None:
    (document,) = documents("a: &a [*a, b]\nc: [*a, *a]\n")
    assert len(list(walk(document.body))) == 3


@given(st.text(alphabet="ab:{}[]&*-\n #!'\"|>é", max_size=80))
def test_every_word_stands_where_it_says(value: str) -> None:
    for document in documents(value):
        for _, item in walk(document.body):
            for child in item.values() if isinstance(item, dict) else item:
                assert not isinstance(child, Word) or 0 <= child.start <= len(value)
                assert document.skip(child) <= max(value.count(str(child)), 0)
