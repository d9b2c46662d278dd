"""PostgreSQL's ``pg_hba`` lines, out of a file of that name or a list in an operator's YAML."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from dataclasses import dataclass

from eks6check.facts.patterns import regex

METHODS = "trust|reject|scram-sha-256|md5|password|gss|sspi|ident|peer|ldap|radius|cert|pam|bsd|oauth"  # PostgreSQL 18
LINE = regex(
    r"^[^\S\n]*(?:-[^\S\n]+)?[\"']?(?P<type>host(?:no)?(?:ssl|gssenc)?)[^\S\n]+(?P<database>\S+)[^\S\n]+(?P<user>\S+)"
    rf"[^\S\n]+(?P<address>\S+)(?:[^\S\n]+(?P<mask>[\d.]+))?[^\S\n]+(?P<method>{METHODS})\b",
    re.MULTILINE,
)
"""A line for clients over the network. A comment does not begin with its type."""

IPV4_ADDRESS = regex(r"(?<!\S)\d+(?:\.\d+){3}(?:/\d+|[^\S\n]+[\d.]+)?(?!\S)")


@dataclass(frozen=True, slots=True)
class HbaLine:
    """A line: databases and users as written, the address with its mask, the method, and its text with its place."""

    database: str
    user: str
    address: str
    method: str
    text: str
    start: int

    @property
    def admits(self) -> bool:
        """Whether it lets anybody in."""
        return self.method != "reject"

    @property
    def ipv4(self) -> bool:
        """Whether it is about IPv4 clients beyond the pod itself."""
        network = _network(self.address)
        return network is not None and network.version == 4 and not network.is_loopback  # noqa: PLR2004  a family

    @property
    def ipv6(self) -> bool:
        """Whether it is about IPv6 clients beyond the pod itself; a name may be about either."""
        network = _network(self.address)
        return self.address != "samehost" and (network is None or (network.version == 6 and not network.is_loopback))  # noqa: PLR2004  a family

    def covers(self, other: HbaLine) -> bool:
        """Whether it is about all databases and users of another line; ``all`` is all databases but ``replication``."""
        everything = self.database == "all" and other.database != "replication"
        databases = everything or set(other.database.split(",")) <= set(self.database.split(","))
        return databases and (self.user == "all" or set(other.user.split(",")) <= set(self.user.split(",")))

    @property
    def twin(self) -> str:
        """The same line for IPv6: all addresses for all addresses, else a block that its owner has to name."""
        network = _network(self.address)
        wide = network is not None and network.prefixlen == 0
        return IPV4_ADDRESS.sub("::/0" if wide else "POD_IPV6_BLOCK", self.text, count=1)


def _network(address: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(address, strict=False)
    except ValueError:
        return None


def lines(value: str) -> Iterator[HbaLine]:
    """The network lines of a text, in their order."""
    if "host" not in value:
        return
    for match in LINE.finditer(value):
        address = f"{match['address']}/{match['mask']}" if match["mask"] else match["address"]
        text = match[0].lstrip(" \t-\"'")
        yield HbaLine(match["database"], match["user"], address, match["method"], text, match.end() - len(text))


def without_ipv6(value: str) -> tuple[list[HbaLine], bool]:
    """The lines whose clients come over IPv4 alone, and whether any line at all admits clients over IPv6."""
    found = [line for line in lines(value) if line.admits]
    over_ipv6 = [line for line in found if line.ipv6]
    missing = [line for line in found if line.ipv4 and not any(other.covers(line) for other in over_ipv6)]
    return missing, bool(over_ipv6)
