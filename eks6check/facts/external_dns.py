"""external-dns: which record types it makes, and where, by its options and its variables."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from eks6check.facts import Path
from eks6check.facts.kube import Container


def _settings(container: Container) -> Iterator[tuple[Path, str, str]]:
    """Options and variables of external-dns by the option's name: the path, the name, the value."""
    before = ""
    for path, word in container.arguments():
        name, equals, value = word.partition("=")
        if equals and name.startswith("--"):
            yield path, name.lstrip("-"), value
        elif before.startswith("--"):
            yield path, before.lstrip("-"), word
        before = "" if equals else word
    for path, name, value in container.env():
        yield path, name.removeprefix("EXTERNAL_DNS_").lower().replace("_", "-"), value


class RecordTypes(NamedTuple):
    """The types left out, and those managed (none: the default ones), with the path to the setting that matters."""

    path: Path
    excluded: list[str]
    managed: list[str]


def record_types(container: Container) -> RecordTypes:
    """The types of records that a container of external-dns is told to make, and not to make."""
    excluded: list[str] = []
    managed: list[str] = []
    at = container.path
    for path, name, value in _settings(container):
        types = re.findall(r"\w+", value.upper())
        if name == "exclude-record-types":
            excluded += types
            at = path if "AAAA" in types else at
        elif name == "managed-record-types":
            at = at if managed or excluded else path
            managed += types
    return RecordTypes(at, excluded, managed)


def provider(container: Container) -> str:
    """Where the records are made, such as ``aws``; empty where nothing says so."""
    return next((value.lower() for _, name, value in _settings(container) if name == "provider"), "")
