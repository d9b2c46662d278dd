"""Programs, where they are told what to listen on, and which families each form really opens.

``listeners.json`` holds the facts with their sources. ``{port}`` in a form stands for a number or a variable.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Any, NamedTuple

from eks6check.knowledge import data

PORT = r"(?P<port>\d+|\$\{\w+:?-\w*\}|\$[({]?\w+[)}]?)"
"""A number, a variable, or a variable of the shell with what stands for it where it is empty."""

SETS = frozenset({"beside", "commands", "images", "subcommand", "variables", "option_variables", "flags"})
LEFT_TO_READERS = frozenset({"both", "ipv6"})
"""What a program's other forms open is there for people, who choose among them."""

WORD = re.compile(r"[^,\s;'\"]+")
"""A part of a value: lists are parted by commas, blanks or semicolons, and may stand in quotes."""

WITH = " with "
"""What parts an address, in a form, from the setting that has to stand beside it."""

EMPTY = '""'
"""The empty text, as it is written."""


class File(NamedTuple):
    """A configuration file by its name, the setting in it with the address as a group, and what to write instead.

    ``absent`` matches where a file lacks the setting and leaves it to no other: there the program's default counts.
    """

    name: re.Pattern[str]
    setting: re.Pattern[str]
    instead: str = ""
    absent: re.Pattern[str] | None = None


@dataclass(frozen=True)
class Listener:
    """A program. ``tags`` is what its image's tag must contain, ``subcommand`` the words of which its command has one.

    ``instead`` opens both families, but where ``instead_of`` has another text for the form that was found, or
    ``instead_of_variable`` one for variables; images ``older`` than a release (major, minor) want what stands there.
    ``options``, ``variables`` and ``files`` are where it is told what to listen on; ``option_variables`` hold options,
    ``flags`` are options that say it by themselves, and with ``many`` an option takes all words behind it. ``unless``
    opens IPv6 all the same, or nothing, wherever it stands; ``default`` is what it listens on where it is told nothing,
    by its command or else by its file. With ``clashes`` an address of each family on one port is one too many. A value
    may have the words ``beside`` its addresses, and then several of those.
    """

    program: str
    instead: str
    ipv4: tuple[str, ...]
    source: str
    commands: frozenset[str] = frozenset()
    images: frozenset[str] = frozenset()
    tags: str = ""
    subcommand: frozenset[str] = frozenset()
    prefix: str = ""
    options: tuple[str, ...] = ()
    variables: frozenset[str] = frozenset()
    option_variables: frozenset[str] = frozenset()
    flags: frozenset[str] = frozenset()
    many: bool = False
    clashes: bool = False
    beside: frozenset[str] = frozenset()
    files: tuple[File, ...] = ()
    unless: str = ""
    default: str = ""
    instead_of: Mapping[str, str] = field(default_factory=dict)
    instead_of_variable: str = ""
    older: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @cached_property
    def _forms(self) -> Mapping[str, re.Pattern[str]]:
        return {form: re.compile(PORT.join(map(re.escape, form.split("{port}")))) for form in self.ipv4}

    def _opens_ipv4(self, address: str) -> bool:
        return address == self.default != "" or any(form.fullmatch(address) for form in self._forms.values())

    def addresses(self, value: str) -> list[str]:
        """The addresses of a value, which may be several, parted by commas, blanks or semicolons."""
        if self._opens_ipv4(value):
            return [value]
        return [word for word in WORD.findall(value) if word not in self.beside]

    def is_ipv4(self, value: str) -> bool:
        """Whether every address of a value opens IPv4 alone."""
        addresses = self.addresses(value)
        return bool(addresses) and all(map(self._opens_ipv4, addresses))

    def rewritten(self, value: str) -> str:
        """A value with what to write in place of each address that opens IPv4 alone; all else in it stays."""
        both = {word: self._both(word) for word in self.addresses(value) if self._opens_ipv4(word)}
        if value in both:
            return both[value]
        beside = {each.partition(WITH)[2]: None for each in both.values()}
        told = WORD.sub(lambda word: both.get(word[0], word[0]).partition(WITH)[0], value)
        return WITH.join((told, *filter(None, beside)))

    def _both(self, address: str) -> str:
        """What opens both families on the same port, or without one where the address has none."""
        for form, pattern in self._forms.items():
            if found := pattern.fullmatch(address):
                port = found["port"] if "{port}" in form else "PORT"
                bare = self.instead if "{port}" in form else self.instead.removesuffix(":{port}") or self.instead
                return self.instead_of.get(form, bare).replace("{port}", port)
        return self.instead


@cache
def listeners() -> tuple[Listener, ...]:
    """Every program of the table. Read on first use."""
    return tuple(map(_listener, data("listeners")["programs"]))


def _listener(row: Mapping[str, Any]) -> Listener:
    made: dict[str, Any] = {key: _field(key, value) for key, value in row.items() if key not in LEFT_TO_READERS}
    return Listener(**made)


def _field(key: str, value: Any) -> Any:
    if key == "files":
        return tuple(
            File(
                re.compile(file["name"]),
                re.compile(rf"^[^\S\n]*{file['setting']}", re.MULTILINE),
                file.get("instead", ""),
                re.compile(file["absent"], re.MULTILINE) if "absent" in file else None,
            )
            for file in value
        )
    return frozenset(value) if key in SETS else tuple(value) if isinstance(value, list) else value


@cache
def named(field: str, name: str) -> Listener | None:
    """The program with that name among its ``commands`` or ``images``."""
    return next((each for each in listeners() if name in getattr(each, field)), None)


@cache
def opens_all_families(field: str, name: str) -> bool:
    """Whether that command or image is of a program in Go or Java, to which ``0.0.0.0`` means IPv6 as well."""
    return any(name in row.get(field, ()) for row in data("listeners")["others"])
