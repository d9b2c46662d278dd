"""Programs that others ship as images, and the first release of each that works in pods without an IPv4 address.

``components.json`` holds the facts with their sources. An entry of ``images`` is the end of a repository's path, which
mirrors and pull-through caches keep.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import NamedTuple

from eks6check.facts.patterns import regex
from eks6check.facts.versions import NEWEST, Version, path, tag, version
from eks6check.knowledge import data

OFFICIAL = regex(r"^(?:(?:index\.)?docker\.io/)?([^/]+)$")
"""An image of Docker Hub without a publisher, whose repository is below ``library``."""


class Component(NamedTuple):
    """A program and its first release that works on IPv6 alone.

    ``broken`` is what an earlier one does, and ``setting`` what is needed besides; both go on in a sentence. A pattern
    that is not empty is looked for in options and in variables, as in ``MODE=worker``: an earlier release is at fault
    only with ``only_with``, and not with ``mended_by``. ``links`` are the addresses of the sources.
    """

    name: str
    since: str
    broken: str
    links: tuple[str, ...]
    setting: str = ""
    only_with: str = ""
    mended_by: str = ""
    severity: str = "warning"

    def fails_in(self, image: str) -> bool:
        """Whether an image's tag names an earlier release; never for one without a version."""
        found, first = version(tag(image), NEWEST), version(self.since)
        return bool(found and first and is_release(found) and found < first)

    def is_told(self, words: Iterable[str]) -> bool:
        """Whether a container with these options and variables does what is broken."""
        told = list(words)
        mended = self.mended_by and any(re.search(self.mended_by, word) for word in told)
        return not mended and (not self.only_with or any(re.search(self.only_with, word) for word in told))


def is_release(found: Version) -> bool:
    """Whether a version was ever released: builds of a branch are often called 0.0.0."""
    return found[:2] != (0, 0)


@cache
def components() -> Mapping[str, Component]:
    """Every component by the ends of its images' paths. Read on first use."""
    table = data("components")
    found: dict[str, Component] = {}
    for row in table["components"]:
        links = tuple(table["sources"][source]["url"] for source in row["sources"])
        told = {key: value for key, value in row.items() if key in Component._fields}
        found.update(dict.fromkeys(row["images"], Component(**told, links=links)))
    return found


@cache
def component(image: str) -> Component | None:
    """The component whose image this is, from whichever registry; None where the table knows none."""
    parts = OFFICIAL.sub(r"library/\1", path(image)).split("/")
    ends = ("/".join(parts[start:]) for start in range(len(parts)))
    return next((components()[end] for end in ends if end in components()), None)
