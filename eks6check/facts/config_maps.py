"""The texts of a ConfigMap that programs are given, which is all of it but what is written for people."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from eks6check.facts.kube import Resource, mapping, wire
from eks6check.facts.patterns import regex

FOR_PEOPLE = regex(
    r"^readme\b|^(?:notes|changelog|licen[cs]e|notice|contributing)\.txt$|\.(?:md|markdown|mdx|rst|adoc|asciidoc)$|\.schema\.json$",
    re.IGNORECASE,
)
"""Keys of documentation, and of schemas: commands and addresses in it are examples, which nobody runs."""


class Entry(NamedTuple):
    """A key as it stands in ``data``, which may be no string, its name as the API server has it, and its text."""

    key: str
    name: str
    value: str


def entries(config_map: Resource) -> Iterator[Entry]:
    """Each text of a ConfigMap that is no documentation."""
    for key, value in mapping(config_map.get("data")).items():
        if isinstance(value, str) and not FOR_PEOPLE.search(name := wire(key)):
            yield Entry(key, name, value)
