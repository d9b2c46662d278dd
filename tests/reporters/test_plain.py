from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eks6check.reporters.plain import plain, plain_lines, without_commands


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("web", "web"),
        ("日本語 100 %", "日本語 100 %"),
        ("[red]x[/red]", "[red]x[/red]"),
        ("a\x1b[31mb", r"a\x1b[31mb"),
        ("a\x9b2Jb", r"a\x9b2Jb"),
        ("a\nb\r\tc", r"a\nb\r\tc"),
        ("a\u202eb\u2066", r"a\u202eb\u2066"),
        ("a\u200b\ufeff\u2028b\u2029", r"a\u200b\ufeff\u2028b\u2029"),
        ("a\x7f\x00", r"a\x7f\x00"),
        ("\udcff", r"\udcff"),
        ("\U000e0041", r"\U000e0041"),
        (7, "7"),
    ],
)
def test_only_what_has_a_glyph_passes(value: object, shown: str) -> None:
    assert plain(value) == shown


@given(st.text(st.characters(categories=["Cc", "Cf", "Cs", "Zl", "Zp", "Lu", "Nd"])))
def test_whatever_comes_in_one_printable_line_comes_out(text: str) -> None:
    assert plain(text).isprintable()
    plain(text).encode()


def test_lines_stay_lines_and_lose_only_their_ends() -> None:
    assert plain_lines("a:\n\tb  \n\n  c\x1b\u2028") == ["a:", "    b", "", "  c\\x1b"]


@pytest.mark.parametrize(
    "line", ["::error::x", "  ::Add-mask::x", "::warning file=a,line=1::x", "a ##[group]x", "##vso[task.complete]x"]
)
def test_ci_commands_are_made_harmless(line: str) -> None:
    safe = without_commands(f"first\n{line}\n")
    assert safe != f"first\n{line}\n"
    assert without_commands(safe) == safe
    assert not any(row.lstrip().startswith("::") for row in safe.splitlines())
    assert "##" not in safe


@pytest.mark.parametrize("line", ["::/0 and fd00::1", "::1", "route ::/0::", "a ::error::b", "# spec:", "## head [x]"])
def test_addresses_and_comments_stay_as_they_are(line: str) -> None:
    assert without_commands(line) == line
