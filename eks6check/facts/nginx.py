"""nginx configuration out of ConfigMaps: its server blocks, and what each listens on."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from eks6check.facts import Gap
from eks6check.facts.kube import Resource
from eks6check.facts.patterns import regex
from eks6check.facts.texts import texts
from eks6check.facts.unread import UNRENDERED, unclosed, unread

TOKEN = regex(
    r"#[^\n]*|\"(?:\\.|[^\"\\])*\"?|'(?:\\.|[^'\\])*'?|[{};]|(?:\$\{[^}\n]*\}|\\.|[^\s{};\"'\\])+|\\", re.DOTALL
)
"""A comment, a quoted word, a mark, or a word; ``${PORT}`` is part of a word."""

CLOSED = regex(r"([\"'])(?:\\.|(?!\1)[^\\])*\1", re.DOTALL)
SERVER = regex(r"\bserver\s*\{")
TEMPLATED = regex(r"^[^\S\n]*listen\s+[\[\]\w.:*]*(?:\{\{|\{%|<%)", re.MULTILINE)
"""A ``listen`` whose address or port is still to be written by a template."""

BEGINNING = regex(
    r"(?:^|\b(?:echo|printf)\s+(?:-\w+\s+)?[\"'])[^\S\n]*(?P<block>http|stream|server)\s*\{", re.MULTILINE
)
"""Where a configuration begins inside a script; what stands before says nothing about servers."""

PARENTS = frozenset({"", "http", "stream"})
IN_SERVERS = frozenset({"location", "root", "return", "proxy_pass", "server_name", "try_files"})
"""Directives that prove a block without ``listen`` to be nginx's own; it then listens on ``*:80``."""

LISTEN = regex(
    r"(?:(?P<host>\[[^\]]*\]|\*|[\w.-]+):)?(?P<port>\d+|\$\{?\w+\}?)$|(?P<only>\[[^\]]*\]|\d+\.\d+\.\d+\.\d+|\*)$"
)
WILDCARDS = frozenset({"", "*", "0.0.0.0"})  # noqa: S104  read, never bound


@dataclass(slots=True)
class Directive:
    """A directive: its words, where it begins and ends in the text, in characters, and what stands in its braces."""

    words: list[str]
    start: int = 0
    end: int = 0
    block: list[Directive] = field(default_factory=list)
    has_block: bool = False


@dataclass(frozen=True, slots=True)
class Listen:
    """A ``listen`` of a server: its address (``[::]``, ``*`` or empty for a bare port), its port, and its text."""

    host: str
    port: str
    text: str
    start: int
    options: tuple[str, ...] = ()

    @property
    def ipv4_wildcard(self) -> bool:
        """Whether it opens every IPv4 address and no other."""
        return self.host in WILDCARDS

    @property
    def ipv6(self) -> bool:
        """Whether it opens an IPv6 address other than loopback."""
        return self.host.startswith("[") and self.host != "[::1]"

    @property
    def twin(self) -> str:
        """The same for IPv6, to be written beside it."""
        return " ".join(("listen", f"[::]:{self.port}", *self.options)) + ";"


def parse(value: str) -> list[Directive]:
    """The directives of a configuration. Braces that do not close end with the text."""
    root = Directive([])
    blocks, words, start = [root], list[str](), 0
    for token in TOKEN.finditer(value):
        word = token[0]
        if word.startswith("#"):
            continue
        if word in (";", "{", "}"):
            if words:
                blocks[-1].block.append(Directive(words, start, token.end(), has_block=word == "{"))
            if word == "{":
                blocks.append(blocks[-1].block[-1] if words else Directive([]))
            elif word == "}" and len(blocks) > 1:
                blocks.pop()
            words = []
        else:
            start = start if words else token.start()
            words.append(word)
    return root.block


def fault(value: str) -> tuple[str, int] | None:
    """Why a configuration with server blocks cannot be read, and where that shows; None where it can be.

    What stands before the place is read all the same, and so is all behind it as far as it goes.
    """
    if not SERVER.search(value) or "listen" not in value:
        return None
    if templated := TEMPLATED.search(value):
        return UNRENDERED, templated.start()
    return unclosed(TOKEN.finditer(value), lambda word: word[0] in "\"'" and not CLOSED.fullmatch(word))


def unparsed(config_map: Resource) -> Iterator[Gap]:
    """A gap for each configuration of a ConfigMap that cannot be read."""
    for each in texts(config_map):
        if wrong := fault(each.value):
            yield unread(config_map, each.path[-1], each.value, *wrong)


def servers(value: str) -> list[list[Listen]]:
    """What each server block of a configuration listens on, in ``http``, in ``stream``, or in a file of its own.

    A script may hold the configuration.
    """
    if not SERVER.search(value):
        return []
    beginning = BEGINNING.search(value)
    if beginning:
        value = " " * beginning.start("block") + value[beginning.start("block") :]
    return [listens for block in _servers(parse(value), "") if (listens := _listens(value, block))]


def _servers(directives: list[Directive], parent: str) -> Iterator[Directive]:
    for each in directives:
        if each.words == ["server"] and each.has_block and parent in PARENTS:
            yield each
        elif each.has_block and each.words[0] in PARENTS:
            yield from _servers(each.block, each.words[0])


def _listens(value: str, server: Directive) -> list[Listen]:
    found = [_listen(value, each) for each in server.block if each.words[0] == "listen" and len(each.words) > 1]
    names = {each.words[0] for each in server.block}
    if not found and "listen" not in names and names & IN_SERVERS:
        return [Listen("", "80", value[server.start : server.end], server.start)]
    return [each for each in found if each]


def _listen(value: str, directive: Directive) -> Listen | None:
    match = LISTEN.match(directive.words[1].strip("\"'"))
    if not match:
        return None
    host, port = match["only"] or match["host"] or "", match["port"] or "80"
    options = tuple(word for word in directive.words[2:] if not word.startswith("ipv6only="))
    return Listen(host, port, value[directive.start : directive.end], directive.start, options)
