"""Corefiles: the configuration of CoreDNS and of NodeLocal DNSCache, out of the ConfigMaps that hold them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from eks6check.facts import Gap
from eks6check.facts.config_maps import entries
from eks6check.facts.kube import Resource
from eks6check.facts.patterns import regex
from eks6check.facts.unread import TEMPLATE, UNRENDERED, unclosed, unread

TOKEN = regex(r'#[^\n]*|\n|"(?:\\.|[^"\\])*"?|[^\s]+', re.DOTALL)
"""A comment, the end of a line, a quoted word, or a word. A brace counts where it stands alone, not in ``{$ENV}``."""

FRAGMENT = regex(r"\.(?:server|override)$")
"""Keys of the ConfigMap ``coredns-custom``: whole server blocks, and plugins for the block ``.:53``."""

CLUSTER_DOMAIN = "cluster.local"
"""The domain of Services where no ``kubernetes`` plugin says otherwise; EKS always has this one."""


@dataclass(slots=True)
class Directive:
    """A line of a Corefile: its words, the lines in its braces, its text, and where in the whole that begins."""

    words: list[str]
    text: str = ""
    start: int = 0
    whole: str = field(default="", repr=False)
    block: list[Directive] = field(default_factory=list)

    @property
    def skip(self) -> int:
        """How many of the same texts stand before it."""
        return self.whole.count(self.text, 0, self.start)

    @property
    def name(self) -> str:
        """The plugin or property that the line is about; of a server block, its first zone."""
        return self.words[0] if self.words else ""

    @property
    def arguments(self) -> list[str]:
        """The words behind the name."""
        return self.words[1:]

    def lines(self, name: str) -> list[Directive]:
        """The lines of that name in its braces."""
        return [each for each in self.block if each.name == name]


def parse(value: str) -> list[Directive]:
    """The server blocks and snippets of a Corefile. Braces that do not close end with the text."""
    root = Directive([])
    open_blocks, line, start = [root], list[str](), 0
    last = root
    for token in (*TOKEN.finditer(value), None):
        word = token[0] if token else "\n"
        if word == "\n" or word in ("{", "}"):
            if line:
                end = token.start() if token else len(value)
                last = _directive(value, line, start, end)
                open_blocks[-1].block.append(last)
                line = []
            if word == "{":
                open_blocks.append(last)
            elif word == "}" and len(open_blocks) > 1:
                open_blocks.pop()
        elif token and not word.startswith("#"):
            start = start if line else token.start()
            line.append(word.strip('"') if word.startswith('"') else word)
    return root.block


def fault(value: str) -> tuple[str, int] | None:
    """Why a Corefile cannot be read, and where that shows; None where it can be."""
    if wrong := unclosed(TOKEN.finditer(value), _is_open):
        return wrong
    plugins = [line for server in servers(value) for line in server.plugins]
    return next(((UNRENDERED, line.start) for line in plugins if TEMPLATE.search(line.text)), None)


def _is_open(word: str) -> bool:
    return word.startswith('"') and (len(word) == 1 or not word.endswith('"'))


def unparsed(config_map: Resource) -> Iterator[Gap]:
    """A gap for each Corefile of a ConfigMap that cannot be read."""
    for key, name, value in entries(config_map):
        if "corefile" in name.lower() and (wrong := fault(value)):
            yield unread(config_map, key, value, *wrong)


def _directive(value: str, words: list[str], start: int, end: int) -> Directive:
    text = value[start:end].partition("#")[0].partition("\n")[0].rstrip()
    return Directive(words, text, start, value)


@dataclass(frozen=True, slots=True)
class Server:
    """A server block: its zones as ``(zone, port)``, and its plugins, those of imported snippets included."""

    zones: tuple[tuple[str, str], ...]
    plugins: tuple[Directive, ...]

    def lines(self, name: str) -> list[Directive]:
        """The plugins of that name."""
        return [each for each in self.plugins if each.name == name]


def servers(value: str) -> list[Server]:
    """The server blocks of a Corefile, with its snippets where they are imported."""
    blocks = parse(value)
    snippets = {block.name: block.block for block in blocks if block.name.startswith("(")}
    return [_server(block, snippets) for block in blocks if block.words and not block.name.startswith("(")]


def _server(block: Directive, snippets: Mapping[str, Sequence[Directive]]) -> Server:
    plugins: list[Directive] = []
    for line in block.block:
        snippet = snippets.get(f"({line.arguments[0]})") if line.name == "import" and line.arguments else None
        plugins.extend(snippet or [line])
    return Server(tuple(_zone(word) for word in block.words), tuple(plugins))


def _zone(word: str) -> tuple[str, str]:
    zone, _, port = word.removeprefix("dns://").strip(",").rpartition(":")
    return (zone, port) if zone and port.isdigit() else (word.strip(","), "53")


def holds(zone: str, name: str) -> bool:
    """Whether a name is a zone's own or below it; ``.`` holds every name."""
    zone, name = zone.rstrip(".").lower(), name.rstrip(".").lower()
    return not zone or name == zone or name.endswith(f".{zone}")


def serving(found: Sequence[Server], domain: str) -> list[Server]:
    """The server blocks that answer for a domain: on each port, those with the longest zone that holds it."""
    best: dict[str, str] = {}
    for zone, port in (each for server in found for each in server.zones):
        if holds(zone, domain) and len(zone.strip(".")) >= len(best.get(port, "")):
            best[port] = zone.strip(".")
    return [server for server in found if any(best.get(port) == zone.strip(".") for zone, port in server.zones)]


def corefiles(config_map: Resource) -> Iterator[tuple[str, str]]:
    """The key and the text of each Corefile of a ConfigMap, and of each fragment of ``coredns-custom``.

    A fragment that goes into the block ``.:53`` comes with that block around it.
    """
    for key, name, value in entries(config_map):
        if "corefile" in name.lower():
            yield key, value
        elif config_map.name == "coredns-custom" and FRAGMENT.search(name):
            yield key, value if name.endswith(".server") else f".:53 {{\n{value}\n}}"
