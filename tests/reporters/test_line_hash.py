from __future__ import annotations

import pytest

from eks6check.reporters.line_hash import line_hashes

GREETINGS = [
    "e9496ae3ebfced30:1",
    "fb7c023a8b9ccb3f:1",
    "ce8ba1a563dcdaca:1",
    "e20e36e16fcb0cc8:1",
    "b3edc88f2938467e:1",
    "c8e28b0b4002a3a0:1",
    "c129715d7a2bc9a3:1",
]

VECTORS = {
    "": ["c129715d7a2bc9a3:1"],
    " a\nb\n  \t\tc\n d": ["271789c17abda88f:1", "54703d4cd895b18:1", "180aee12dab6264:1", "a23a3dc5e078b07b:1"],
    " hello; \t\nworld!!!\n\n\n  \t\tGreetings\n End\n": GREETINGS,
    " hello; \t\nworld!!!\r\r\r  \t\tGreetings\r End\r": GREETINGS,
    " hello; \t\r\nworld!!!\r\n\r\n\r\n  \t\tGreetings\r\n End\r\n": GREETINGS,
    " hello; \t\nworld!!!\r\n\n\r  \t\tGreetings\r End\r\n": GREETINGS,
    "Lorem ipsum dolor sit amet.\n" * 10: [
        *(f"a7f2ff13bc495cf2:{count}" for count in range(1, 7)),
        "a7f2ff1481e87703:1",
        "a9cf91f7bbf1862b:1",
        "55ec222b86bcae53:1",
        "cc97dc7b1d7d8f7b:1",
        "c129715d7a2bc9a3:1",
    ],
}
"""Texts with the values that github/codeql-action expects of them in src/fingerprints.test.ts, read 2026-11-22."""


@pytest.mark.parametrize("text", VECTORS)
def test_lines_hash_as_the_upload_action_hashes_them(text: str) -> None:
    assert line_hashes(text) == VECTORS[text]


def test_a_line_keeps_its_hash_when_lines_before_it_come_and_go() -> None:
    end = "spec:\n" + "  ipFamilies: [IPv4]\n" * 20
    assert line_hashes(f"a: 1\nb: 2\n{end}")[2] == line_hashes(end)[0]


def test_indentation_does_not_matter() -> None:
    assert line_hashes("a:\n  b: c\n") == line_hashes("a:\n\tb:  c\n")


def test_characters_beyond_the_basic_plane_and_lone_surrogates_are_hashed() -> None:
    assert len(line_hashes("\U0001f600\n\ud800\n")) == 3
