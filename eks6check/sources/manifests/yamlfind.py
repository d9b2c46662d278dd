"""Where a text inside a scalar stands in the file: through quotes, escapes, folded lines and block indentation.

The scalar's text and its source are walked side by side. The source has more white space and more signs than the
text, never other words, so what differs is skipped.
"""

from __future__ import annotations

import re

from eks6check.sources.manifests.yamlbuild import Place

PROPERTIES = re.compile(r"(?:[&!]\S*\s+)*")
BLANK = " \t\r\n"
QUOTES = ("'", '"')
BLOCKS = ("|", ">")
ESCAPE_LENGTHS = {"x": 4, "u": 6, "U": 10}


def find(text: str, place: Place, wanted: str, skip: int = 0) -> int | None:
    """The position in ``text`` at which the value of an entry holds ``wanted``, after ``skip`` others, or None."""
    inside = text[place.start : place.end] if place.raw is None else place.raw
    before = inside.split(wanted, skip + 1)[:-1]
    if len(before) <= skip:
        return None
    index = len(wanted.join(before))
    return place.start + index if place.raw is None else position(text, place, index)


def position(text: str, place: Place, index: int) -> int:
    """The position in ``text`` of one character of a scalar."""
    raw = place.raw or ""
    at, indent = begin(text, place)
    for character in raw[:index]:
        at = settle(text, at, place, character)
        at += width(text, at, place.style)
        if indent and text[at - 1 : at] == "\n":
            at = past_indent(text, at, indent)
    return settle(text, at, place, raw[index]) if index < len(raw) else at


def begin(text: str, place: Place) -> tuple[int, int]:
    """Where a scalar's content begins behind anchor, tag, quote or block header, and how deep a block is indented."""
    skipped = PROPERTIES.match(text, place.start, place.end)
    at = skipped.end() if skipped else place.start
    if place.style in QUOTES:
        return at + 1, 0
    if place.style not in BLOCKS:
        return at, 0
    at = text.find("\n", at) + 1
    indent = margin(text[at : place.end]) - margin(place.raw or "")
    return past_indent(text, at, indent), indent


def margin(lines: str) -> int:
    """The spaces before the first line that has anything else on it."""
    first = next((line for line in lines.splitlines() if line.strip(" ")), "")
    return len(first) - len(first.lstrip(" "))


def past_indent(text: str, at: int, indent: int) -> int:
    """The position behind up to ``indent`` spaces."""
    end = at
    while end < at + indent and text[end : end + 1] == " ":
        end += 1
    return end


def settle(text: str, at: int, place: Place, character: str) -> int:
    """The next position that stands for this character, behind white space and line ends that stand for nothing."""
    while at < place.end:
        if place.style == '"' and text[at] == "\\":
            if text[at + 1] not in BLANK[2:]:
                break
            at += 1
            while at < place.end and text[at] in BLANK:
                at += 1
        elif text[at] == "\r" or (text[at] in BLANK and character not in BLANK):
            at += 1
        else:
            break
    return at


def width(text: str, at: int, style: str) -> int:
    """How many characters of the source stand for one of the text."""
    if style == '"' and text[at : at + 1] == "\\":
        return ESCAPE_LENGTHS.get(text[at + 1], 2)
    return 2 if style == "'" and text[at : at + 2] == "''" else 1
