"""Texts inside ConfigMaps that a rule would have judged and could not read: each becomes a gap with its place."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from eks6check.facts import Gap
from eks6check.facts.kube import Resource, wire
from eks6check.facts.patterns import regex

TEMPLATE = regex(r"\{\{|\{%|<%")
"""What Go, Jinja and ERB templates have in them until somebody renders them."""

UNRENDERED = "is a template that was not rendered"
RENDER = "Judge what the program gets: render the template first."
MEND = "Mend the text if a program reads it, or judge it by hand."


def unclosed(tokens: Iterable[re.Match[str]], is_open: Callable[[str], bool]) -> tuple[str, int] | None:
    """Which quote or brace among a configuration's words has no other end, and where that shows; None where all have.

    ``is_open`` tells of a word whether it is a quote without its end.
    """
    opened: list[int] = []
    for token in tokens:
        if is_open(token[0]):
            return "has a quote that does not end", token.start()
        if token[0] == "{":
            opened.append(token.start())
        elif token[0] == "}":
            if not opened:
                return "has a brace too many", token.start()
            opened.pop()
    return ("has a brace that does not close", opened[-1]) if opened else None


def unread(config_map: Resource, key: object, value: str, reason: str, at: int = 0) -> Gap:
    """The gap of a ConfigMap's value, at the line that a position in it stands in, or the last one before with a text.

    The reason goes on behind the name of the key: ``is no YAML``.
    """
    start = value.rfind("\n", 0, at) + 1
    if not value[start:].partition("\n")[0].strip():
        start = value.rfind("\n", 0, len(value[:start].rstrip())) + 1
    line = value[start:].partition("\n")[0].strip()
    mark, path = config_map.origin.mark, (*config_map.origin.path, "data", str(key))
    place = mark(path, line, value.count(line, 0, start) if line else 0) if mark else (0, 0)
    remedy = RENDER if TEMPLATE.search(value) else MEND
    return Gap("read", f"In {config_map}, {wire(key)} {reason}.", remedy, config_map.origin.file, *place)
