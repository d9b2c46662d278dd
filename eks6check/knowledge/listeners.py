"""Programs, where they are told what to listen on, and which families each form really opens.

``listeners.json`` holds the facts with their sources. ``{port}`` in a form stands for a number or a variable.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any, NamedTuple

from eks6check.knowledge import data

PORT = r"(?P<port>\d+|\$\{\w+:?-\w*\}|\$[({]?\w+[)}]?)"
"""A number, a variable, or a variable of the shell with what stands for it where it is empty."""

SETS = frozenset({"beside", "commands", "images", "subcommand", "variables", "option_variables", "flags"})
LEFT_TO_READERS = frozenset({"both", "ipv6"})
"""What a program's other forms open is there for people, who choose among them."""

PUNCTUATION = " \t\r'\";"


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

    @cached_property
    def _ipv4(self) -> re.Pattern[str]:
        forms = (PORT.join(map(re.escape, form.split("{port}"))) for form in self.ipv4)
        return re.compile("|".join(forms).replace("?P<port>", ""))

    def is_ipv4(self, value: str) -> bool:
        """Whether every address of a value, parted by commas, blanks or semicolons, opens IPv4 alone."""
        parts = [part.strip(PUNCTUATION) for part in re.split(r"[,\s;]+", value.strip(PUNCTUATION))]
        addresses = [part for part in parts if part not in self.beside]
        return value == self.default != "" or (bool(addresses) and all(map(self._ipv4.fullmatch, addresses)))

    def rewritten(self, value: str) -> str:
        """What to write in place of a value, with the same port, or without one where the value has none."""
        if self.beside:
            return self._ipv4.sub(lambda each: self.instead.replace("{port}", each[0].rpartition(":")[2]), value)
        port = re.search(rf":{PORT}(?!.*:)", value)
        if port is None and (address := self.instead.removesuffix(":{port}")):
            return address.replace("{port}", "PORT")
        return self.instead.replace("{port}", port["port"] if port else "PORT")


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
