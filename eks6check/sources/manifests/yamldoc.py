"""YAML and JSON streams, document by document: a broken one costs only itself, and places are found on demand.

The first reading keeps no places. ``Document.mark`` reads its own text again, with places, for the few paths that a
finding asks for. Lines end with a line feed, a carriage return or both; columns count characters, not bytes.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import yaml

from eks6check.facts import Path
from eks6check.sources.manifests import yamlfind
from eks6check.sources.manifests.yamlbuild import DEEPEST, Built, Place, Places, Refused, build, weigh

BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)

RETURN_ALONE = re.compile(r"\r(?!\n)")

BOUNDARY = re.compile(r"\n(?:(?:%.*\n)*---(?=[ \t\r\n]|\Z)|\.\.\.(?=[ \t\r\n]|\Z).*)")
"""A line that begins a document, with the directives before it, or one that ends one; and the line feed before them.

A pattern that begins with ``^`` is tried at every character of the text, and takes six times as long.
"""

JSON_BEGINS = re.compile(r"\s*^[ \t]*(?=\{)", re.MULTILINE)

UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f]|\ufffe|\uffff")
"""What YAML takes nowhere, not even inside quotes."""

NOT_YAML = re.compile(rf"\\u[dD][89a-fA-F][0-9a-fA-F]{{2}}|{UNPRINTABLE.pattern}|\t")
"""What JSON takes and YAML does not: halves of a surrogate pair, and characters that do not print."""


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a text could not be read, in one line, and where. Line and column count from 1; 0 if there is no place."""

    reason: str
    line: int = 0
    column: int = 0


@dataclass(frozen=True, slots=True)
class Document:
    """One document: its value or its fault, the text it was read from, and the line that the text begins on.

    ``repeated`` are keys that stand twice in one mapping, the last one counts, with the place of the last one.
    """

    text: str
    line: int
    value: Any = None
    fault: Fault | None = None
    repeated: tuple[tuple[str, int, int], ...] = ()

    @property
    def empty(self) -> bool:
        """Whether it holds nothing but comments."""
        return self.value is None and self.fault is None

    @property
    def last_line(self) -> int:
        """The last line of its text."""
        return self.line + self.text.rstrip().count("\n")

    def mark(self, path: Path, find: str = "", skip: int = 0) -> tuple[int, int]:
        """Line and column of the key or list item that a path leads to, or of its nearest parent that is there.

        With ``find``: of that text's place inside the value, behind the ``skip`` first ones. A value behind an alias
        stands at its anchor, an entry that was merged in stands where it was merged from.
        """
        place, whole = self._place(path)
        found = yamlfind.find(self.text, place, find, skip) if find and whole else None
        return self.coordinates(place.at if found is None else found)

    def span(self, path: Path) -> tuple[int, int]:
        """Start and end of a path's value, as positions in the text."""
        place, _ = self._place(path)
        return place.start, place.end

    def coordinates(self, position: int) -> tuple[int, int]:
        """The line in the file and the column of a position in this text."""
        return coordinates(self.text, position, self.line)

    def _place(self, path: Path) -> tuple[Place, bool]:
        root, places = placed(self.text)
        node: Any = root
        place = Place(0, 0, 0)
        for key in (0, *path):
            entry = places.get(id(node), {}).get(key)
            if entry is None:
                return place, False
            place, node = entry, node[key]
        return place, True


@lru_cache(maxsize=4)
def placed(text: str) -> tuple[list[Any], Places]:
    """A text's value in a list, as ``build`` gives it, and the places of its entries; both empty if it is broken."""
    for attempt in (text, NOT_YAML.sub(same_length, text)):
        places: Places = {}
        try:
            return build(attempt, places).root, places
        except (yaml.YAMLError, Refused):
            continue
    return [], {}


def same_length(found: re.Match[str]) -> str:
    """A stand-in that YAML takes, as long as what it stands for."""
    return {1: " ", 6: "\\ufffd"}[len(found[0])]


def decode(data: bytes) -> str:
    """The text of a file, without byte order mark, a carriage return that stands alone turned into a line feed.

    Raises:
        UnicodeDecodeError: it is neither UTF-8 nor marked as UTF-16.
    """
    mark, encoding = next(((mark, name) for mark, name in BOMS if data.startswith(mark)), (b"", "utf-8"))
    text = data[len(mark) :].decode(encoding)
    return RETURN_ALONE.sub("\n", text) if "\r" in text else text


def documents(text: str, glance: Callable[[str], Any] | None = None) -> Iterator[Document]:
    """Every document of a stream, the empty ones included.

    Where ``glance`` gives a value for a document's text, that is its value, and it is not parsed.
    """
    line = 1
    for part in cut(text):
        seen = glance(part) if glance else None
        document = read(part, line) if seen is None else Document(part, line, seen)
        begin = line
        for piece in cut_json(part) if document.fault else (part,):
            yield document if piece == part else read(piece, begin)
            begin += piece.count("\n")
        line += part.count("\n")


def cut(text: str) -> Iterator[str]:
    """The text in parts, one for each document: a line that begins with ``---`` or ``...`` ends one in any case."""
    start = 0
    for boundary in BOUNDARY.finditer(f"\n{text}"):
        end = min(boundary.end(), len(text)) if boundary[0].startswith("\n...") else boundary.start()
        if end > start:
            yield text[start:end]
            start = end
    if start < len(text):
        yield text[start:]


def cut_json(text: str) -> list[str]:
    """The text in parts, one for each JSON object that begins on a line of its own, as jq writes them; else in one."""
    if not JSON_BEGINS.match(text):
        return [text]
    import json  # noqa: PLC0415  YAML's reader takes most JSON

    decoder, parts, end = json.JSONDecoder(), list[str](), 0
    try:
        while found := JSON_BEGINS.match(text, end):
            _, until = decoder.raw_decode(text, found.end())
            parts.append(text[end:until])
            end = until
    except (ValueError, RecursionError):
        return [text]
    return [text] if text[end:].strip() else parts


def read(text: str, line: int) -> Document:
    """The one document of a text that begins on this line of its file."""
    try:
        built = build(text)
    except (yaml.YAMLError, Refused) as error:
        as_json = from_json(text)
        if as_json is None:
            return Document(text, line, fault=explain(error, text, line))
        built = as_json
    repeated = tuple((key, *coordinates(text, position, line)) for key, position in built.repeated)
    return Document(text, line, built.root[0] if built.root else None, repeated=repeated)


def from_json(text: str) -> Built | None:
    """The value of a JSON text, also where YAML 1.1 does not take it; None if it is no JSON."""
    if not text.lstrip().startswith(("{", "[")):
        return None
    try:
        import json  # noqa: PLC0415  YAML's reader takes most JSON

        value = json.loads(text, parse_constant=str)
        weigh(value, len(text), DEEPEST)
        return Built([value], build(NOT_YAML.sub(same_length, text)).repeated)
    except (ValueError, RecursionError, yaml.YAMLError):
        return None


def explain(error: Exception, text: str, line: int) -> Fault:
    """The parser's own words in one line, with the place in the file."""
    if isinstance(error, Refused):
        return Fault(error.reason, *coordinates(text, error.position, line))
    if isinstance(error, yaml.MarkedYAMLError):
        reason = ", ".join(part for part in (error.context, error.problem) if part)
        mark = error.problem_mark or error.context_mark
        return Fault(reason, *coordinates(text, mark.index if mark else 0, line))
    found = UNPRINTABLE.search(text)
    if found:
        return Fault(f"the character U+{ord(found[0]):04X} is not allowed", *coordinates(text, found.start(), line))
    return Fault(" ".join(str(error).split()), line, 1)


def coordinates(text: str, position: int, line: int) -> tuple[int, int]:
    """Line and column of a position in a text that begins on this line."""
    return line + text.count("\n", 0, position), position - text.rfind("\n", 0, position)
