"""Where a workload or a ConfigMap names an address as something to talk to.

The same address stands in proxy bypass lists, deny lists, firewall lines and comments, where it is no fault. Those
places are left out here, so that every rule on an address agrees on them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from eks6check.facts import Path
from eks6check.facts.config_maps import entries
from eks6check.facts.kube import Container, Resource, containers
from eks6check.facts.patterns import regex

COMMENT = regex(r"^\s*(?:#|;|//|<!--|/\*|--\s)|\s#|\s//\s|<!--(?!.*-->)")
"""A comment before the address in the languages of configuration files; ``//`` inside a URL has no space around it."""

GUARD = regex(
    r"\b(?:no ?proxy|non ?proxy ?hosts|bypass|den(?:y|ied|ies)|denylist|block(?:ed|list)\b|block(?:ing|s)?(?![-\w])|"
    r"blacklist|"
    r"blackhole|reject(?:ed|s)?|drop(?:ped|s)?|disallow(?:ed|s)?|forbid(?:den)?|prohibit|unreachable|"
    r"exclud(?:e|ed|es|ing)|ssrf|acl|fd\.\w*ip)\b",
    re.IGNORECASE,
)
"""Words of lists and rules that keep traffic away from the address, or watch for it, rather than send it there.

``acl`` is Squid's and BIND's, ``fd.sip`` and its like are Falco's.
"""

NEAR = 120
"""How many characters on the same line still speak of the address; JSON can hold a whole file in one line."""

CONTINUED = 20
"""Lines of one command, joined by backslashes, that are looked at on either side."""

Key = tuple[int, str]
"""How deep a line is indented, and the line."""

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
    """A pattern for an address as a peer: not as part of a longer one, and not as a block such as ``/32``.

    It begins with the address, for which a search leaps through a text; to look behind, it would stop at every sign.
    """
    own = "".join(f"[{sign}{sign.upper()}]" if sign.isalpha() else re.escape(sign) for sign in literal.lower())
    return re.compile(rf"{own}(?<![\w.]{own})(?!\w|\.\w)(?!/\d{{1,3}}(?![\w-]))")


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
        for path, holder, word in _words(container):
            where = f"{holder} of container {container.name}"
            if where not in told and (found := list(_first(path, where, word, peer))):
                told.add(where)
                yield from found


def _words(container: Container) -> Iterator[tuple[Path, str, str]]:
    """Each word that runs in a container: its path, ``args`` or the probe or hook that it is of, and the word."""
    for path, word in container.arguments():
        yield path, str(path[-2]), word
    for hook, words in container.hook_commands():
        for path, word in words:
            yield path, str(hook[-1]), word


def in_config_map(config_map: Resource, peer: re.Pattern[str]) -> Iterator[Mention]:
    """The first mention in each file or value of a ConfigMap."""
    for each in entries(config_map):
        if not guards(each.name):
            yield from _first(("data", each.key), f"key {each.key}", each.value, peer)


def guards(words: str) -> bool:
    """Whether a name or a line is of the kind that keeps traffic away."""
    return GUARD.search(WORD_BORDER.sub(" ", words)) is not None


class Hit(NamedTuple):
    """A text that a pattern finds outside comments and lists that keep traffic away.

    ``line`` is the line that holds it, ``header`` is the key over the list that it is an item of, ``start`` is where
    it stands in the whole, and ``skip`` counts the same texts before it.
    """

    match: re.Match[str]
    line: str
    header: str
    start: int
    skip: int

    @property
    def before(self) -> str:
        """The line up to the text."""
        return self.line[: self.match.start()]


def hits(value: str, peer: re.Pattern[str]) -> Iterator[Hit]:
    """Each place of a text that a pattern finds and that speaks of something to talk to."""
    if not peer.search(value):
        return
    lines = without_xml_comments(value).split("\n")
    start, keys = 0, list[Key]()
    for index, line in enumerate(lines):
        header, comment = _header(line, keys), COMMENT.search(line)
        for match in peer.finditer(line):
            commented = comment is not None and comment.end() <= match.start()
            if not commented and not _guarded(lines, index, match, header):
                at = start + match.start()
                yield Hit(match, line, header, at, value.count(match[0], 0, at))
        start += len(line) + 1


def line_before(value: str, position: int) -> str:
    """The line of a text that a position stands in, up to the position."""
    return value[value.rfind("\n", 0, position) + 1 : position]


def commented(value: str, position: int) -> bool:
    """Whether a comment begins on the line before a position."""
    return COMMENT.search(line_before(value, position)) is not None


def without_xml_comments(value: str) -> str:
    """A text with blanks for its XML comments, which may run over several lines; every other place stays where it is.

    By hand, since a pattern would read on to the end from each of many comments that do not close.
    """
    parts, at = list[str](), 0
    while (start := value.find("<!--", at)) >= 0 and (end := value.find("-->", start)) >= 0:
        parts += (value[at:start], re.sub(r"[^\n]", " ", value[start : end + 3]))
        at = end + 3
    return "".join((*parts, value[at:])) if parts else value


def _first(path: Path, where: str, value: str, peer: re.Pattern[str]) -> Iterator[Mention]:
    for hit in hits(value, peer):
        yield Mention(path, where, hit.match[0], hit.skip)
        return


def _guarded(lines: list[str], index: int, hit: re.Match[str], header: str) -> bool:
    first = last = index
    while max(0, index - CONTINUED) < first and lines[first - 1].endswith("\\"):
        first -= 1
    while last + 1 < min(len(lines), index + CONTINUED) and lines[last].endswith("\\"):
        last += 1
    near = lines[index][max(0, hit.start() - NEAR) : hit.end() + NEAR]
    around = (*lines[first:index], near, *lines[index + 1 : last + 1], header)
    return guards(" ".join(around)) or EXCEPT.search(header) is not None


def _header(line: str, keys: list[Key]) -> str:
    """The key over an item of a list that runs over several lines, in YAML or with quotes as in JSON; else empty.

    ``keys`` are the lines above that are no items, each less deep than the next; the line itself is put among them.
    """
    item = line.lstrip()
    depth = len(line) - len(item)
    header = ""
    if item.startswith(("-", '"', "'")):
        deepest = depth if item.startswith("-") else depth - 1
        header = next((above for inner, above in reversed(keys) if inner <= deepest), "")
    if item and not item.startswith(("-", "#")):
        while keys and keys[-1][0] >= depth:
            keys.pop()
        keys.append((depth, line))
    return header
