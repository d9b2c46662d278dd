"""Versions out of tags, and tags out of images."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eks6check.facts.versions import NEWEST, repository, tag, version


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("v1.12.6-eksbuild.2", (1, 12, 6)),
        ("1.12.6", (1, 12, 6)),
        ("v2.4.0", (2, 4, 0)),
        ("v2.4", (2, 4, NEWEST)),
        ("latest", None),
        ("v1", None),
        ("1.2.3.4", None),
        ("release-1.2.3", None),
        ("", None),
    ],
)
def test_a_version_is_read_where_a_text_begins(text: str, expected: tuple[int, int, int] | None) -> None:
    assert version(text, NEWEST) == expected
    assert version(text) == (expected and (*expected[:2], expected[2] % NEWEST))


@pytest.mark.parametrize(
    ("image", "parts"),
    [
        ("cni", ("cni", "")),
        ("registry.example.com:5000/eks/cni", ("cni", "")),
        ("registry.example.com:5000/eks/cni:v1.2.3", ("cni", "v1.2.3")),
        ("eks/cni:v1.2.3@sha256:0a", ("cni", "v1.2.3")),
        ("eks/cni@sha256:0a", ("cni", "")),
        ("", ("", "")),
    ],
)
def test_repository_and_tag_stand_around_the_last_colon_of_the_last_part(image: str, parts: tuple[str, str]) -> None:
    assert (repository(image), tag(image)) == parts


@given(st.text())
def test_no_text_brings_it_down(text: str) -> None:
    assert version(text) is None or len(version(text) or ()) == 3
    assert repository(text) in text
    assert tag(text) in text
