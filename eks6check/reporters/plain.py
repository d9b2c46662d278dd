"""Names and values out of a cluster or a file, made safe to print."""

from __future__ import annotations

import re

COMMAND = re.compile(r"^((?:\s|\x1b\[[0-9;]*m)*):(?=:[A-Za-z][^\n]*::)|#(?=#\w*\[)", re.MULTILINE)
"""Where GitHub Actions and Azure Pipelines see a command in a log: ``::error::``, ``##[group]``, ``##vso[...]``.

Colours may stand before it.
"""


def plain(value: object) -> str:
    r"""The value as text on one line, with everything that has no glyph of its own written as ``\x1b`` or ``\u202e``.

    That takes terminal escapes, line breaks, changes of direction, what has no width and lone surrogates.
    """
    text = str(value)
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def plain_lines(text: str) -> list[str]:
    """The lines of a text that is meant to have several, each made safe."""
    return [plain(line.rstrip()) for line in text.expandtabs(4).split("\n")]


def without_commands(text: str) -> str:
    """The text with every command to a CI system made harmless: the character that begins it is escaped."""
    return COMMAND.sub(lambda found: f"{found[1]}\\x3a" if found[1] is not None else "\\x23", text)
