"""Comments that keep findings quiet: which lines they speak of, and what is none of them."""

from __future__ import annotations

import pytest

from eks6check.facts import Gap
from eks6check.findings import Suppression
from eks6check.sources.manifests.comments import suppressions
from eks6check.sources.manifests.yamldoc import documents


def found(text: str) -> list[Suppression | Gap]:
    return list(suppressions(list(documents(text)), "web.yaml"))


def covered(text: str) -> list[tuple[int, int]]:
    return [(each.first, each.last) for each in found(text) if isinstance(each, Suppression)]


def test_a_comment_at_a_lines_end_speaks_of_that_line() -> None:
    text = "kind: Service\nspec:\n  ipFamilies: [IPv4] # eks6check: ignore[SVC001] moves last\n"
    assert found(text) == [Suppression("web.yaml", 3, ("SVC001",), "moves last", first=3, last=3)]


@pytest.mark.parametrize(
    ("comment", "rules", "reason"),
    [
        ("# eks6check: ignore[SVC001]", ("SVC001",), ""),
        ("#eks6check:ignore[SVC001,lbc]  why: [it] # is  ", ("SVC001", "lbc"), "why: [it] # is"),
        ("## eks6check: ignore[ service-pins-ipv4-family , ] x\r", ("service-pins-ipv4-family",), "x"),
    ],
)
def test_rules_are_ids_names_or_prefixes_and_a_reason_may_lack(
    comment: str, rules: tuple[str, ...], reason: str
) -> None:
    [suppression] = found(f"a: 1\nb: 2 {comment}\n")
    assert isinstance(suppression, Suppression)
    assert (suppression.rules, suppression.reason) == (rules, reason)


def test_a_comment_of_its_own_speaks_of_the_next_line_with_content() -> None:
    assert covered("a: 1\n# eks6check: ignore[SVC] x\n# more\n\n  # and more\nb: 2\nc: 3\n") == [(6, 6)]


WHOLE = """\
# eks6check: ignore[SVC] of the first
---
kind: Service
spec: {}
--- # eks6check: ignore[SVC] of the second
# eks6check: ignore[SVC] of the second too
kind: Service
spec:
  a: 1
# eks6check: ignore[SVC] of the third
---
kind: Service
# eks6check: ignore[SVC] of nothing
"""


def test_a_comment_before_the_first_key_speaks_of_the_whole_document() -> None:
    assert covered(WHOLE) == [(2, 4), (5, 10), (5, 10), (11, 13), (0, 0)]


BLOCK = """\
data:
  # eks6check: ignore[APP] moved with the image
  nginx.conf: |
    server {
      listen 80; # eks6check: ignore[APP] no comment of ours

    }

  other: "a # eks6check: ignore[APP] no
    comment" # eks6check: ignore[APP] one
  plain: a#eks6check:ignore[APP]
"""


def test_a_comment_over_an_embedded_file_speaks_of_all_of_it_and_text_holds_none() -> None:
    assert covered(BLOCK) == [(3, 7), (10, 10)]


def test_a_comment_at_the_head_of_a_block_speaks_of_the_block() -> None:
    assert covered("a: 1\nb: |  # eks6check: ignore[APP] x\n  c\n  d\ne: 1\n") == [(2, 4)]


@pytest.mark.parametrize(
    "words", ["ignore", "ignore SVC001", "ignore[]", "ignore[ , ] x", "disable[SVC001]", "ignore[SVC001"]
)
def test_a_comment_that_is_not_understood_is_told(words: str) -> None:
    [gap] = found(f"a: 1\nb: 2 # eks6check: {words}\n")
    assert isinstance(gap, Gap)
    assert (gap.file, gap.line, gap.column) == ("web.yaml", 2, 6)
    assert words in gap.reason


def test_a_broken_document_keeps_its_comments() -> None:
    assert covered("a: b: c # eks6check: ignore[SVC] x\n# eks6check: ignore[SVC] x\n") == [(1, 1), (0, 0)]
