"""YAML read as kubectl reads it, each document for itself, every key and value found at exactly its place."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from eks6check.facts import Path
from eks6check.sources.manifests import yamldoc, yamlfind
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


def test_documents_fail_alone_and_the_rest_keep_their_lines() -> None:
    read = list(
        yamldoc.documents("a: 1\n---\nb: [\n--- # c\nd: 'x\n---\ne: |\n  --- no\n...\n%YAML 1.1\n---\nf: 2\n---\n")
    )
    assert [each.value for each in read] == [{"a": 1}, None, None, {"e": "--- no\n"}, {"f": 2}, None]
    assert [each.line for each in read] == [1, 2, 4, 6, 10, 13]
    assert [bool(each.fault) for each in read] == [False, True, True, False, False, False]
    assert read[4].mark(("f",)) == (12, 1)


def test_a_fault_has_the_parsers_words_and_place() -> None:
    assert faults("a: 1\n---\nkind: x\nb: c: d\n") == [
        None,
        Fault("mapping values are not allowed in this context", 4, 5),
    ]
    assert faults("a: é\nb: \x07") == [Fault("the character U+0007 is not allowed", 2, 4)]


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"\xef\xbb\xbfa: 1", "a: 1"),
        ("a: é".encode("utf-16"), "a: é"),
        (b"\xfe\xff" + "a: é".encode("utf-16-be"), "a: é"),
        (b"a: 1\r\nb: 2\r\n", "a: 1\r\nb: 2\r\n"),
        (b"a: 1\rb: 2\r", "a: 1\nb: 2\n"),
    ],
)
def test_byte_order_marks_and_line_ends_of_all_kinds(data: bytes, text: str) -> None:
    assert yamldoc.decode(data) == text
    assert value(text)["a"] in (1, "é")


def test_carriage_returns_move_neither_lines_nor_columns() -> None:
    document = one("a: |\r\n  x\r\n  listen 80\r\nb:\r\n  - c\r\n")
    assert document.value == {"a": "x\nlisten 80\n", "b": ["c"]}
    assert document.mark(("a",), "80") == (3, 10)
    assert document.mark(("b", 0)) == (5, 5)


def test_json_may_hold_what_yaml_does_not_take() -> None:
    text = '{\n\t"a": "\\ud83d\\ude00 x",\n\t"b": "\x7f",\n\t"c": [{"d": 1}],\n\t"c": 2\n}'
    document = one(text)
    assert document.value == json.loads(text)
    assert document.mark(("b",)) == (3, 2)
    assert document.mark(("a",), "x") == (2, 21)
    assert document.repeated == (("c", 5, 2),)


MARKED = """\
# comment
kind: Service
spec: # more
  ports:
    - name: a
      port: 80
    - &second
      name: é "b"
  same: *second
  list: [x, {k: z}]
"""


@pytest.mark.usefixtures("_either_parser")
@pytest.mark.parametrize(
    ("path", "place"),
    [
        ((), (2, 1)),
        (("kind",), (2, 1)),
        (("spec", "ports"), (4, 3)),
        (("spec", "ports", 0), (5, 7)),
        (("spec", "ports", 0, "port"), (6, 7)),
        (("spec", "ports", 0, "protocol"), (5, 7)),
        (("spec", "ports", 7, "port"), (4, 3)),
        (("spec", "type"), (3, 1)),
        (("metadata", "name"), (2, 1)),
        (("spec", "same"), (9, 3)),
        (("spec", "same", "name"), (8, 7)),
        (("spec", "list", 1, "k"), (10, 14)),
    ],
)
def test_a_path_leads_to_its_key_item_or_nearest_parent(path: Path, place: tuple[int, int]) -> None:
    assert one(MARKED).mark(path) == place


@pytest.mark.parametrize(("path", "place"), [(("spec", "ports", 0, "port"), (6, 13)), (("spec", "same"), (7, 7))])
def test_a_value_has_a_place_of_its_own(path: Path, place: tuple[int, int]) -> None:
    document = one(MARKED)
    start, _ = document.span(path)
    assert document.coordinates(start) == place


FOUND = """\
plain: a listen 80
  and more
single: 'it''s a listen 80'
double: "\\u00e9\\t\\
  a\\"listen 80"
literal: |2-

    server {
      listen 80;
    }
folded: >-
  one
  two
    listen 80

  end
tagged: &a !x 'listen 80'
alias: *a
map:
  k: listen 80
"""


@pytest.mark.usefixtures("_either_parser")
@pytest.mark.parametrize(
    ("key", "place"),
    [
        ("plain", (1, 10)),
        ("single", (3, 18)),
        ("double", (5, 6)),
        ("literal", (9, 7)),
        ("folded", (14, 5)),
        ("tagged", (17, 16)),
        ("alias", (17, 16)),
        ("map", (20, 6)),
    ],
)
def test_a_text_inside_a_value_is_found_through_every_style(key: str, place: tuple[int, int]) -> None:
    assert one(FOUND).mark((key,), "listen 80") == place


def test_leading_spaces_of_a_searched_line_count() -> None:
    assert one(FOUND).mark(("literal",), "    listen") == (9, 3)


@pytest.mark.parametrize(("path", "place"), [(("a",), (3, 11)), ((), (3, 11)), (("b",), (4, 1))])
def test_the_first_places_of_a_text_can_be_passed_over(path: tuple[str], place: tuple[int, int]) -> None:
    document = one("a: |\n  # x=1.2.3.4\n  exec -p x=1.2.3.4\nb: x=1.2.3.4\n")
    assert document.mark(path, "x=1.2.3.4", 1) == place


PIECES = st.sampled_from(
    [
        "a",
        "# ",
        " ",
        "\n",
        "  \n",
        "é",
        "\U0001f600",
        "'",
        '"',
        "\\",
        "\t",
        ": ",
        "- ",
        "some words to fold ",
        "1.2.3.4",
    ]
)


@given(
    st.lists(PIECES, max_size=14).map("".join),
    st.sampled_from([None, '"', "'", "|", ">"]),
    st.sampled_from([20, 1000]),
    st.sampled_from(["\n", "\r\n"]),
)
def test_every_place_of_a_text_is_exact_in_every_style(value: str, style: str | None, width: int, end: str) -> None:
    text = yaml.safe_dump({"a": {"k": f"1.2.3.4{value}"}}, default_style=style, width=width, allow_unicode=True)
    document = one(text.replace("\n", end))
    places = [document.mark(("a", "k"), "1.2.3.4", skip) for skip in range(document.value["a"]["k"].count("1.2.3.4"))]
    lines = text.split("\n")
    assert all(lines[line - 1].startswith("1.2.3.4", column - 1) for line, column in places)
    assert places == sorted(set(places))


def test_json_objects_one_behind_another_are_a_document_each() -> None:
    read = list(yamldoc.documents('{"a": 1}\n{\n"a": 2\n}\n\n  {"a": [3]}\n\n---\n{"a": 4}\n'))
    assert [each.value for each in read] == [{"a": 1}, {"a": 2}, {"a": [3]}, {"a": 4}]
    assert [each.mark(("a",)) for each in read] == [(1, 2), (3, 1), (6, 4), (9, 2)]


@pytest.mark.parametrize("text", ['{"a": 1} {"a": 2}\n', '{"a": 1}\n{"a": \n', '{"a": 1}\nb: 2\n', "{{ .a }}\n{}\n"])
def test_json_objects_that_are_not_stay_one_broken_document(text: str) -> None:
    [document] = yamldoc.documents(text)
    assert document.fault


def test_a_text_that_is_not_there_gives_the_key() -> None:
    assert one(FOUND).mark(("plain",), "nothing") == (1, 1)
    assert one(FOUND).mark(("plain", "x"), "listen") == (1, 1)


KEYS = st.text(st.sampled_from("ab:#'\"é\U0001f600 -{}[],\n\t\\|>&*%!?0~"), max_size=12)
DATA = st.recursive(
    KEYS | st.integers(-(10**6), 10**6) | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


def entries(tree: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    yield path, tree
    children = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, child in children:
        yield from entries(child, (*path, key))


@settings(max_examples=300, deadline=None)
@given(
    tree=DATA,
    flow=st.sampled_from([True, False, None]),
    style=st.sampled_from([None, '"', "'", "|", ">"]),
    width=st.sampled_from([20, 80]),
    wide=st.booleans(),
)
def test_all_that_is_dumped_is_read_again_and_found_where_it_stands(
    *, tree: Any, flow: bool | None, style: str | None, width: int, wide: bool
) -> None:
    text = yaml.safe_dump(tree, default_flow_style=flow, default_style=style, width=width, allow_unicode=wide)
    dumped = next(iter(yamldoc.documents(text)))
    assert dumped.value == yaml.safe_load(text)
    for path, expected in entries(dumped.value):
        place, whole = dumped._place(path)
        assert whole
        if place.raw is not None:
            assert place.style in ("|", ">") or yaml.safe_load(text[place.start : place.end]) == expected
        if isinstance(expected, str):
            for index, character in enumerate(expected):
                if not character.isspace():
                    assert source_character(text, yamlfind.position(text, place, index), place.style) == character
        if path and isinstance(path[-1], str) and text[place.at] not in "|>":
            assert key_at(text, place.at) == path[-1]


def source_character(text: str, position: int, style: str) -> str:
    """The character that the source holds at a position, escapes undone."""
    if style == '"' and text[position] == "\\":
        return str(yaml.safe_load(f'"{text[position : position + yamlfind.width(text, position, style)]}"'))
    return text[position]


def key_at(text: str, position: int) -> object:
    """The scalar that a parser reads at a position, as a key."""
    events = yaml.parse(text[position:], Loader=yaml.SafeLoader)
    return next(event.value for event in events if isinstance(event, yaml.ScalarEvent))


@settings(max_examples=300, deadline=None)
@given(st.text(st.sampled_from("ab: -#'\"[]{}&*<|>\n\r\t\\%,!?.é\x07~1"), max_size=40))
def test_whatever_parses_is_what_the_c_loader_reads(text: str) -> None:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    for document in yamldoc.documents(yamldoc.decode(text.encode())):
        for path, _ in entries(document.value):
            assert document.mark(path, "a") >= (1, 1)
        try:
            expected = [*yaml.load_all(document.text, loader), None]
        except (yaml.YAMLError, ValueError):
            continue
        assert document.fault or same(document.value, expected[0])


def same(ours: Any, theirs: Any) -> bool:
    """Whether two values are equal up to scalars that are no text in one of them, and keys that are text in ours."""
    if isinstance(theirs, dict):
        return all(same(ours[key], theirs[key]) for key in theirs if isinstance(key, str))
    if isinstance(theirs, list):
        return len(ours) == len(theirs) and all(map(same, ours, theirs))
    return ours == theirs or not isinstance(ours, str) or not isinstance(theirs, str)


@settings(deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=60).map(lambda text: text.encode("utf-16")))
def test_arbitrary_bytes_never_raise_but_for_their_encoding(data: bytes) -> None:
    try:
        text = yamldoc.decode(data)
    except UnicodeDecodeError:
        return
    for document in yamldoc.documents(text):
        assert document.fault is None or document.fault.reason
