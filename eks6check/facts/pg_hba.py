"""PostgreSQL's ``pg_hba`` lines, out of a file of that name or a list in an operator's YAML."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from itertools import product

from eks6check.facts import Gap
from eks6check.facts.config_maps import entries
from eks6check.facts.kube import Resource
from eks6check.facts.mentions import COMMENT, line_before
from eks6check.facts.patterns import regex
from eks6check.facts.unread import TEMPLATE, UNRENDERED, unread

METHODS = "trust|reject|scram-sha-256|md5|password|gss|sspi|ident|peer|ldap|radius|cert|pam|bsd|oauth"  # PostgreSQL 18
LINE = regex(
    rf"""
    (?: ^[^\S\n]* (?:-[^\S\n]+)? | (?=["']) ) ["']?
    (?P<type> host(?:no)?(?:ssl|gssenc)? )
    [^\S\n]+ (?P<database>\S+)
    [^\S\n]+ (?P<user>\S+)
    [^\S\n]+ (?P<address>\S+) (?: [^\S\n]+ (?P<mask>[\d.]+) )?
    [^\S\n]+ (?P<method>{METHODS}) \b
    """,
    re.MULTILINE | re.VERBOSE,
)
"""A line for clients over the network, or one in quotes inside JSON or a script."""

NETWORK_LINE = regex(r"^[^\S\n]*host(?:no)?(?:ssl|gssenc)?[^\S\n]+\S.*$", re.MULTILINE)

ADDED = regex(r"\b(?:echo|printf|sed)\b[^\n]*[\"']$|>>[^\n]*pg_hba\.conf")
"""A script that adds lines to those of its image, which let all clients but replicas in."""

IPV4_ADDRESS = regex(r"(?<!\S)\d+(?:\.\d+){3}(?:/\d+|[^\S\n]+[\d.]+)?(?!\S)")


@dataclass(frozen=True, slots=True)
class HbaLine:
    """A line: databases and users as written, the address with its mask, the method, and its text with its place.

    ``added`` tells that a script adds it to those of its image.
    """

    database: str
    user: str
    address: str
    method: str
    text: str
    start: int
    added: bool = False

    @property
    def admits(self) -> bool:
        """Whether it lets anybody in."""
        return self.method != "reject"

    @property
    def ipv4(self) -> bool:
        """Whether it is about IPv4 clients beyond the pod itself."""
        network = _network(self.address)
        return isinstance(network, IPv4Network) and not network.is_loopback

    @property
    def ipv6(self) -> bool:
        """Whether it is about IPv6 clients beyond the pod itself; a name may be about either."""
        network = _network(self.address)
        beyond = network is None or (isinstance(network, IPv6Network) and not network.is_loopback)
        return beyond and self.address != "samehost"

    def pairs(self) -> Iterator[tuple[str, str]]:
        """Each database with each user that it is about."""
        return product(self.database.split(","), self.user.split(","))

    @property
    def twin(self) -> str:
        """The same line for IPv6: all addresses for all addresses, else a block that its owner has to name."""
        network = _network(self.address)
        wide = network is not None and network.prefixlen == 0
        return IPV4_ADDRESS.sub("::/0" if wide else "POD_IPV6_BLOCK", self.text, count=1)


def _network(address: str) -> IPv4Network | IPv6Network | None:
    try:
        return ip_network(address, strict=False)
    except ValueError:
        return None


def lines(value: str) -> Iterator[HbaLine]:
    """The network lines of a text, in their order."""
    if "host" not in value:
        return
    adds = ">>" in value and ADDED.search(value) is not None
    for match in LINE.finditer(value):
        before = line_before(value, match.start("type"))
        if COMMENT.search(before):
            continue
        address = f"{match['address']}/{match['mask']}" if match["mask"] else match["address"]
        text = match[0].lstrip(" \t-\"'")
        added = adds or ADDED.search(before) is not None
        yield HbaLine(match["database"], match["user"], address, match["method"], text, match.end() - len(text), added)


def unparsed(config_map: Resource) -> Iterator[Gap]:
    """A gap for each file whose name is that of the list and in which a line for network clients is not understood."""
    for key, name, value in entries(config_map):
        if "pg_hba" in name:
            odd = next((line for line in NETWORK_LINE.finditer(value) if not LINE.match(value, line.start())), None)
            if odd:
                said = UNRENDERED if TEMPLATE.search(odd[0]) else "has a line that is not understood"
                yield unread(config_map, key, value, said, odd.start())


def without_ipv6(value: str) -> tuple[list[HbaLine], bool]:
    """The lines whose clients come over IPv4 alone, and whether any line at all admits clients over IPv6."""
    found = [line for line in lines(value) if line.admits]
    over_ipv6 = {pair for line in found if line.ipv6 for pair in line.pairs()}
    over_ipv6 |= {("all", "all") for line in found if line.added}
    missing = [line for line in found if line.ipv4 and not all(_comes_in(*pair, over_ipv6) for pair in line.pairs())]
    return missing, bool(over_ipv6)


def _comes_in(database: str, user: str, admitted: Collection[tuple[str, str]]) -> bool:
    """Whether a line admits a user to a database; ``all`` is all databases but ``replication``."""
    databases = {database, "all"} if database != "replication" else {database}
    return any((each, name) in admitted for each in databases for name in (user, "all"))
