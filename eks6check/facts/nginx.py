"""nginx configuration out of ConfigMaps: its server blocks, and what each listens on."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple

from eks6check.facts import Gap
from eks6check.facts.kube import Resource
from eks6check.facts.patterns import regex
from eks6check.facts.texts import Text, texts
from eks6check.facts.unread import UNRENDERED, unclosed, unread

TOKEN = regex(
    r"""
    \#[^\n]*
    | "(?:\\.|[^"\\])*"?
    | '(?:\\.|[^'\\])*'?
    | [{};]
    | (?: \$\{[^}\n]*\} | \\. | [^\s{};"'\\] )+
    | \\
    """,
    re.DOTALL | re.VERBOSE,
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

SHIPPED = frozenset({"fastcgi.conf", "fastcgi_params", "mime.types", "scgi_params", "uwsgi_params"})
"""Files of the image that people include, none of which says where to listen; nginx 1.29, read 2026-11-25."""

NOT_IN_VIEW = "has a server block whose listen lines are in a file that is not in view: include {}"
NONE: Mapping[str, Text] = MappingProxyType({})
LOOK = "Look in that file for an IPv6 line beside each IPv4 one, such as listen [::]:80; beside listen 80;."

LISTEN = regex(
    r"""
    (?: (?P<host> \[[^\]]*\] | \* | [\w.-]+ ) : )? (?P<port> \d+ | \$\{?\w+\}? ) $
    | (?P<only> \[[^\]]*\] | \d+\.\d+\.\d+\.\d+ | \* ) $
    """,
    re.VERBOSE,
)
"""What follows the word: an address with a port, a port, or an address alone."""

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
    """A ``listen`` of a server: its address (``[::]``, ``*`` or empty for a bare port), its port, and its text.

    ``file`` is the name of the included file that it stands in; empty where it stands in the block itself.
    """

    host: str
    port: str
    text: str
    start: int
    options: tuple[str, ...] = ()
    file: str = ""

    @property
    def ipv4_wildcard(self) -> bool:
        """Whether it opens every IPv4 address and no other."""
        return self.host in WILDCARDS

    @property
    def ipv6(self) -> bool:
        """Whether it opens an IPv6 address other than loopback."""
        return self.host.startswith("[") and self.host != "[::1]"

    @property
    def socket(self) -> tuple[str, bool]:
        """Its port, and whether it is one of UDP."""
        return self.port, "udp" in self.options

    @property
    def twin(self) -> str:
        """The same for IPv6, to be written beside it; both where it is only meant, since the first line ends that."""
        own = "" if self.text.startswith("listen") else f"listen {self.port}; "
        return own + " ".join(("listen", f"[::]:{self.port}", *self.options)) + ";"


class Server(NamedTuple):
    """A server block: where it begins, what it listens on, and the first file that it includes and nobody sees."""

    start: int
    listens: list[Listen]
    unseen: str = ""


@lru_cache(maxsize=16)
def parse(value: str) -> list[Directive]:
    """The directives of a configuration, for no caller to change. Braces that do not close end with the text."""
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
    """A gap for each configuration of a ConfigMap that cannot be read, and each that listens as another file says."""
    files = files_of(config_map)
    for name, each in files.items():
        if wrong := fault(each.value):
            yield unread(config_map, each.path[-1], each.value, *wrong)
        for server in servers(each.value, files, name):
            if server.unseen and not server.listens:
                reason = NOT_IN_VIEW.format(server.unseen)
                yield replace(unread(config_map, each.path[-1], each.value, reason, server.start), remedy=LOOK)
                break


def files_of(config_map: Resource) -> dict[str, Text]:
    """The texts of a ConfigMap by the names of their files."""
    return {each.name: each for each in texts(config_map)}


def servers(value: str, files: Mapping[str, Text] = NONE, name: str = "") -> list[Server]:
    """The server blocks of a configuration, in ``http``, in ``stream``, or in a file of its own.

    A script may hold the configuration. ``files`` are those beside it, its own ``name`` among them, for what it
    includes: of which the folder does not count, since nobody knows where they are mounted.
    """
    if not SERVER.search(value):
        return []
    beginning = BEGINNING.search(value)
    if beginning:
        value = " " * beginning.start("block") + value[beginning.start("block") :]
    found = (_server(value, block, files, name) for block in _servers(parse(value), ""))
    return [each for each in found if each.listens or each.unseen]


def _servers(directives: list[Directive], parent: str) -> Iterator[Directive]:
    for each in directives:
        if each.words == ["server"] and each.has_block and parent in PARENTS:
            yield each
        elif each.has_block and each.words[0] in PARENTS:
            yield from _servers(each.block, each.words[0])


def _server(value: str, block: Directive, files: Mapping[str, Text], name: str) -> Server:
    held = list(_held(block.block, files, name))
    names = {each.words[0] for _, each in held}
    found = [
        _listen(files[file].value if file else value, each, file)
        for file, each in held
        if each.words[0] == "listen" and len(each.words) > 1
    ]
    includes = (_target(each) for _, each in held if each.words[0] == "include")
    unseen = next((target for target in includes if target.rpartition("/")[2] not in SHIPPED), "")
    if "listen" not in names and not unseen and names & IN_SERVERS:
        found = [Listen("", "80", value[block.start : block.end], block.start)]
    listens = [each for each in found if each]
    return Server(block.start, listens, unseen if listens or "listen" not in names else "")


def _held(block: list[Directive], files: Mapping[str, Text], name: str) -> Iterator[tuple[str, Directive]]:
    """The directives of a block, each with the file that it is out of; an include gives way to those of its files.

    Each file is read once, whatever includes it, so that none goes round in circles.
    """
    left = dict(files) if any(each.words[0] == "include" for each in block) else {}
    left.pop(name, None)
    todo = [("", each) for each in reversed(block)]
    while todo:
        file, each = todo.pop()
        included = [other for other in left if _includes(each, left[other])]
        for other in reversed(included):
            todo.extend((other, inner) for inner in reversed(parse(left.pop(other).value)))
        if not included:
            yield file, each


def _includes(directive: Directive, file: Text) -> bool:
    """Whether a file is included, which none with a server block of its own can be in a server block."""
    matches = directive.words[0] == "include" and fnmatchcase(file.name, _target(directive).rpartition("/")[2])
    return matches and not any(each.words[0] in {"http", "server", "stream"} for each in parse(file.value))


def _target(directive: Directive) -> str:
    return directive.words[1].strip("\"'") if len(directive.words) > 1 else ""


def _listen(value: str, directive: Directive, file: str) -> Listen | None:
    match = LISTEN.match(directive.words[1].strip("\"'"))
    if not match:
        return None
    host, port = match["only"] or match["host"] or "", match["port"] or "80"
    options = tuple(word for word in directive.words[2:] if not word.startswith("ipv6only="))
    return Listen(host, port, value[directive.start : directive.end], directive.start, options, file)
