"""Comments that keep findings quiet: ``# eks6check: ignore[SVC001] reason``.

One at the end of a line speaks of that line. One on a line of its own speaks of the next line with content. Where that
line begins a text of several lines, such as a ConfigMap's embedded file, it speaks of the whole text. One before a
document's first key speaks of the whole document.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from eks6check.facts import Gap
from eks6check.findings import Suppression
from eks6check.sources.manifests import yamlfind
from eks6check.sources.manifests.yamldoc import Document, placed

Texts = list[tuple[int, int, int]]

WORD = "eks6check:"

COMMENT = re.compile(r"(?:^|(?<=\s))#[# \t]*eks6check:(.*)", re.MULTILINE)

IGNORE = re.compile(r"[ \t]*ignore\[([^\]]*)\](.*)")

CONTENT = re.compile(r"^[ \t]*[^\s#]", re.MULTILINE)
"""The first sign of a line that is neither blank nor a comment alone."""


def suppressions(documents: Sequence[Document], file: str) -> Iterator[Suppression | Gap]:
    """The suppressions in the documents of one file, and a ``Gap`` for each comment of ours that is none.

    A missing reason is an empty one: whether that counts is for triage to say.
    """
    for index, document in enumerate(documents):
        if WORD not in document.text:
            continue
        texts = scalars(document)
        following = next((each for each in documents[index + 1 :] if not each.empty), None)
        for comment in COMMENT.finditer(document.text):
            if any(inner <= comment.start() < end for _, inner, end in texts):
                continue
            line, column = document.coordinates(comment.start())
            order = IGNORE.fullmatch(comment[1].rstrip())
            rules = tuple(word.strip() for word in order[1].split(",") if word.strip()) if order else ()
            if order and rules:
                first, last = lines(document, comment.start(), texts, following)
                yield Suppression(file, line, rules, order[2].strip(), first, last)
            else:
                yield Gap(
                    "read",
                    f"This comment is not understood: {comment[0].strip()}",
                    "Write it as `# eks6check: ignore[SVC001] why`; several rules are separated by commas.",
                    file,
                    line,
                    column,
                )


def scalars(document: Document) -> Texts:
    """Every scalar value: where it starts, from where on a hash sign begins no comment, and where it ends."""
    _, places = placed(document.text)
    return [
        (place.start, yamlfind.begin(document.text, place)[0], place.end)
        for entries in places.values()
        for place in entries.values()
        if place.raw is not None and place.end > place.start
    ]


def lines(document: Document, position: int, texts: Texts, following: Document | None) -> tuple[int, int]:
    """The first and the last line of the file that a comment at this position of a document speaks of."""
    text = document.text
    root, places = placed(text)
    if root and position < places[id(root)][0].start:
        return document.line, document.last_line
    begin = text.rfind("\n", 0, position) + 1
    if not text[begin:position].strip():
        content = CONTENT.search(text, position)
        if content is None:
            return (following.line, following.last_line) if following else (0, 0)
        begin = content.start()
    end = text.find("\n", begin)
    ends = [stop for start, _, stop in texts if begin <= start and (start < end or end < 0)]
    last = max([begin, *(last_sign(text, stop) for stop in ends)])
    return document.coordinates(begin)[0], document.coordinates(last)[0]


def last_sign(text: str, end: int) -> int:
    """The position of the last character before ``end`` that is not white space."""
    return len(text[:end].rstrip()) - 1
