"""Where a workload or a ConfigMap names an address as something to talk to.

The same address stands in proxy bypass lists, deny lists, firewall lines and comments, where it is no fault. Those
places are left out here, so that every rule on an address agrees on them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from eks6check.facts import Path
from eks6check.facts.kube import Resource, containers, mapping, wire
from eks6check.facts.patterns import regex

COMMENT = regex(r"^\s*(?:#|;|//|<!--)|\s#|\s//\s")
"""A comment before the address in the languages of configuration files; ``//`` inside a URL has no space around it."""

GUARD = regex(
    r"\b(?:no ?proxy|non ?proxy ?hosts|bypass|den(?:y|ied|ies)|denylist|block(?:ed|ing|s|list)?(?![-\w])|blacklist|"
    r"blackhole|reject(?:ed|s)?|drop(?:ped|s)?|disallow(?:ed|s)?|forbid(?:den)?|prohibit|unreachable|"
    r"exclud(?:e|ed|es|ing)|ssrf|acl|fd\.\w*ip)\b",
    re.IGNORECASE,
)
"""Words of lists and rules that keep traffic away from the address, or watch for it, rather than send it there.

``acl`` is Squid's and BIND's, ``fd.sip`` and its like are Falco's.
"""

NEAR = 120
"""How many characters on the same line still speak of the address; JSON can hold a whole file in one line."""

EXCEPT = regex(r"\bexcept\b", re.IGNORECASE)
WORD_BORDER = regex(r"(?<=[a-z])(?=[A-Z])|_")


class Mention(NamedTuple):
    """The path to the value, the variable, argument list or file that holds it, and where inside it the text stands.

    That is ``find``, after ``skip`` others that are no mention.
    """

    path: Path
    where: str
    find: str = ""
    skip: int = 0


def address(literal: str) -> re.Pattern[str]:
    """A pattern for an address as a peer: not as part of a longer one, and not as a block such as ``/32``."""
    return re.compile(rf"(?<![\w.]){re.escape(literal)}(?!\w|\.\w)(?!/\d{{1,3}}(?![\w-]))", re.IGNORECASE)


IMDS_IPV4 = address("169.254.169.254")
IMDS_IPV6 = address("fd00:ec2::254")
"""The two endpoints of the instance metadata service."""


def in_workload(workload: Resource, peer: re.Pattern[str]) -> Iterator[Mention]:
    """The first mention in each variable, each command and each argument list of a workload."""
    for container in containers(workload):
        for path, name, value in container.env():
            if not guards(name):
                yield from _first(path, f"variable {name} of container {container.name}", value, peer)
        told = set[str]()
        for path, word in container.arguments():
            where = f"{path[-2]} of container {container.name}"
            if where not in told and (found := list(_first(path, where, word, peer))):
                told.add(where)
                yield from found


def in_config_map(config_map: Resource, peer: re.Pattern[str]) -> Iterator[Mention]:
    """The first mention in each file or value of a ConfigMap."""
    for key, value in mapping(config_map.get("data")).items():
        if isinstance(value, str) and not guards(wire(key)):
            yield from _first(("data", key), f"key {key}", value, peer)


def guards(words: str) -> bool:
    """Whether a name or a line is of the kind that keeps traffic away."""
    return GUARD.search(WORD_BORDER.sub(" ", words)) is not None


class Hit(NamedTuple):
    """A text that a pattern finds outside comments and lists that keep traffic away.

    ``line`` is the line that holds it, ``header`` is the key over the list that it is an item of, and
    ``skip`` counts the same texts before it.
    """

    match: re.Match[str]
    line: str
    header: str
    skip: int

    @property
    def before(self) -> str:
        """The line up to the text."""
        return self.line[: self.match.start()]


def hits(value: str, peer: re.Pattern[str]) -> Iterator[Hit]:
    """Each place of a text that a pattern finds and that speaks of something to talk to."""
    if not peer.search(value):
        return
    lines = value.split("\n")
    start = 0
    for index, line in enumerate(lines):
        for match in peer.finditer(line):
            if not COMMENT.search(line[: match.start()]) and not _guarded(lines, index, match):
                skip = value.count(match[0], 0, start + match.start())
                yield Hit(match, line, _header(lines, index), skip)
        start += len(line) + 1


def _first(path: Path, where: str, value: str, peer: re.Pattern[str]) -> Iterator[Mention]:
    for hit in hits(value, peer):
        yield Mention(path, where, hit.match[0], hit.skip)
        return


def _guarded(lines: list[str], index: int, hit: re.Match[str]) -> bool:
    first = last = index
    while first and lines[first - 1].endswith("\\"):
        first -= 1
    while last + 1 < len(lines) and lines[last].endswith("\\"):
        last += 1
    near = lines[index][max(0, hit.start() - NEAR) : hit.end() + NEAR]
    header = _header(lines, index)
    around = (*lines[first:index], near, *lines[index + 1 : last + 1], header)
    return guards(" ".join(around)) or EXCEPT.search(header) is not None


def _header(lines: list[str], index: int) -> str:
    """The key over an item of a list that runs over several lines, in YAML or with quotes as in JSON; else empty."""
    line = lines[index]
    item = line.lstrip()
    depth = len(line) - len(item)
    if not item.startswith(("-", '"', "'")):
        return ""
    deepest = depth if item.startswith("-") else depth - 1
    for above in reversed(lines[:index]):
        inner = above.lstrip()
        if inner and not inner.startswith(("-", "#")) and len(above) - len(inner) <= deepest:
            return above
    return ""
