"""Addresses in texts: which strings are IPv4 addresses, what each stands for, and where it names somebody to talk to.

Versions, image tags, checksums and identifiers of objects look alike, and most addresses that are real are harmless.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from eks6check.facts.mentions import WORD_BORDER, guards, hits
from eks6check.facts.patterns import regex
from eks6check.facts.texts import Text

if TYPE_CHECKING:
    from eks6check.facts.aws import OldRange

OCTET = r"(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)"

IPV4 = regex(
    rf"(?<![\w.\-\\])(?P<address>{OCTET}(?:\.{OCTET}){{3}})(?P<prefix>/\d{{1,2}}(?![\w./-]))?(?!\w|\.\w|-\w|\\|\.\*)"
)
"""An address, with its prefix length where it is a block; no part of a version, a name, a range or a pattern."""

QUICK = regex(r"[0-9]\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]")
"""What a text holds that has any address, found many times faster."""

GENERATED = regex(r'"(?:panels|pluginVersion)"\s*:|openAPIV3Schema|last-applied-configuration')
"""What dashboards, schemas and dumps hold: texts in which nobody chose an address."""

VERSIONED = regex(
    r"\b(?:versions?|ver|release|build|tag|image|digest|chart|checksum|sha\d*|revision|oid|serial|user-?agent|agent|"
    r"server version|description|summary|regex|pattern|netmask|subnet ?mask|mask)\b",
    re.IGNORECASE,
)
"""Names of values that look like addresses, or in which an address is but an example."""

NEAR = 40
"""How many characters before an address still name it."""

NETWORK = regex(
    r"\b(?:\w*hosts?|\w*addr(?:s|ess|esses)?|ips?|servers?|end ?points?|url|uri|peers?|prox(?:y|ies)|resolvers?|"
    r"(?:name ?)servers?|upstreams?|dns|brokers?|gateway|targets?|master|replicas?|remote|backend|nodes?|seeds?|"
    r"connect|dsn|replicaof|slaveof)\b",
    re.IGNORECASE,
)
"""Names of values that say whom to talk to."""

OWN_OR_ALLOWED = regex(
    r"\b(?:bind\w*|listen\w*|advertise\w*|announce\w*|allow\w*|white ?list\w*|trust\w*|permit\w*|real ip|source|src|"
    r"from|cidrs?|ranges?|subnets?|networks?|local ip|external ip|public ip|pool|router id)\b",
    re.IGNORECASE,
)
"""Names of values that say where to listen, or who may come: no one to talk to."""

URL = regex(r"[a-z][a-z0-9+.-]*://(?:[^\s/@\"']*@)?$", re.IGNORECASE)
PORT = regex(r":\d{2,5}(?!\d|\.\d)")


MOST = 50
"""How many addresses of one text are looked at; what has more of them is data."""


class Meaning(StrEnum):
    """What an IPv4 address stands for, wherever it is written."""

    WILDCARD = "wildcard"
    LOOPBACK = "loopback"
    METADATA = "metadata"
    NODE_LOCAL_DNS = "node-local DNS"
    CNI = "VPC CNI"
    LINK_LOCAL = "link-local"
    DOCUMENTATION = "documentation"
    MASK = "mask"
    RESERVED = "reserved"
    PRIVATE = "private"
    PUBLIC = "public"


BLOCKS: tuple[tuple[IPv4Network, Meaning], ...] = tuple(
    (IPv4Network(block), meaning)
    for block, meaning in (
        ("0.0.0.0/8", Meaning.WILDCARD),
        ("127.0.0.0/8", Meaning.LOOPBACK),
        ("169.254.169.254/32", Meaning.METADATA),
        ("169.254.169.253/32", Meaning.METADATA),
        ("169.254.169.123/32", Meaning.METADATA),
        ("169.254.170.2/32", Meaning.METADATA),
        ("169.254.170.23/32", Meaning.METADATA),
        ("169.254.20.10/32", Meaning.NODE_LOCAL_DNS),
        ("169.254.172.0/22", Meaning.CNI),
        ("169.254.0.0/16", Meaning.LINK_LOCAL),
        ("192.0.2.0/24", Meaning.DOCUMENTATION),
        ("198.51.100.0/24", Meaning.DOCUMENTATION),
        ("203.0.113.0/24", Meaning.DOCUMENTATION),
        ("224.0.0.0/3", Meaning.RESERVED),
        ("10.0.0.0/8", Meaning.PRIVATE),
        ("172.16.0.0/12", Meaning.PRIVATE),
        ("192.168.0.0/16", Meaning.PRIVATE),
        ("100.64.0.0/10", Meaning.PRIVATE),
    )
)
"""The first block that holds an address says what it means. RFC 6890 of April 2013, and AWS's link-local services."""

INTERNAL = tuple(block for block, named in BLOCKS if named is Meaning.PRIVATE)
"""Where pods, Services and the VPC have their IPv4 addresses: RFC 1918 and RFC 6598."""

DEFAULT_SERVICES = (IPv4Network("10.100.0.0/16"), IPv4Network("172.20.0.0/16"))
"""The two ranges that EKS takes Service addresses from where nobody chose one; cni-ipv6 user guide, 2026-11-22."""

IMDS = IPv4Address("169.254.169.254")
"""The instance metadata service."""

FIRST_SERVICES = frozenset(net[host] for net in DEFAULT_SERVICES for host in (1, 10))
"""The addresses of ``kubernetes`` and of cluster DNS in them, which every cluster has and people write down."""


def meaning(address: IPv4Address) -> Meaning:
    """What an address stands for."""
    if int(address) >> 24 == 0xFF:  # noqa: PLR2004  every mask that people write begins with 255
        return Meaning.MASK
    return next((named for block, named in BLOCKS if address in block), Meaning.PUBLIC)


def ipv4(value: object) -> IPv4Address | None:
    """The address that a value is, if it is one."""
    try:
        return IPv4Address(value.strip()) if isinstance(value, str) else None
    except ValueError:
        return None


class Literal(NamedTuple):
    """An IPv4 address, or a block of them, in a text.

    ``start``, or ``find`` behind ``skip`` others, is where it stands inside the text. ``peer`` says that its form, or
    what names it there, speaks of somebody to talk to.
    """

    text: Text
    address: IPv4Address
    block: IPv4Network | None
    find: str
    start: int
    skip: int
    peer: bool


def literals(text: Text) -> Iterator[Literal]:
    """Every address of a text that is no comment, no version, and in no list that keeps traffic away."""
    if not QUICK.search(text.value) or guards(text.name) or GENERATED.search(text.value):
        return
    alone = "\n" not in text.value.strip()
    for hit in islice(hits(text.value, IPV4), MOST):
        name = words(text.name) if alone else ""
        named = f"{name} {words(hit.header)} {words(hit.before[-NEAR:])}"
        if VERSIONED.search(named) or _part_of_another(hit.before):
            continue
        address = IPv4Address(hit.match["address"])
        block = _block(address, hit.match["prefix"])
        after = hit.line[hit.match.end() :]
        peer = not block and not OWN_OR_ALLOWED.search(named) and _is_peer(hit.before, after, named)
        yield Literal(text, address, block, hit.match[0], hit.start, hit.skip, peer)


def _block(address: IPv4Address, prefix: str | None) -> IPv4Network | None:
    """The block of a prefix such as ``/24``; None for an address alone, and for what is no prefix."""
    wide = prefix and int(prefix.removeprefix("/")) < address.max_prefixlen
    return IPv4Network(f"{address}{prefix}", strict=False) if wide else None


def words(name: str) -> str:
    """A name in words: ``dbHost`` and ``DB_HOST`` become ``db Host`` and ``DB HOST``."""
    return WORD_BORDER.sub(" ", name).replace("-", " ").replace(".", " ")


def _part_of_another(before: str) -> bool:
    """Whether the address is a tag (``nginx:1.2.3.4``), a product's version (``Chrome/91.0.0.1``) or IPv6's end."""
    return bool(re.search(r"[\w)\]}]:$|[\w)]/$", before))


def _is_peer(before: str, after: str, named: str) -> bool:
    return bool(URL.search(before) or PORT.match(after) or NETWORK.search(named))


class OldRanges(NamedTuple):
    """The IPv4 ranges of the cluster that is left: of its Services, its pods and its VPC. Empty where nobody knows."""

    service: tuple[IPv4Network, ...] = ()
    pod: tuple[IPv4Network, ...] = ()
    vpc: tuple[IPv4Network, ...] = ()

    def holds(self, address: IPv4Address) -> str:
        """Whose an address was there: a ``service``, a ``pod``, anybody in the ``vpc``; ``default`` for a guess."""
        for whose, blocks in self._asdict().items():
            if any(address in block for block in blocks):
                return whose
        return "default" if not self.service and address in FIRST_SERVICES else ""

    def gone(self, value: str) -> bool:
        """Whether a text is an address that a cluster gives out itself: to a Service, a pod, or NodeLocal DNSCache."""
        address = ipv4(value)
        if address is None:
            return False
        return meaning(address) is Meaning.NODE_LOCAL_DNS or self.holds(address) in {"service", "default", "pod"}


def ranges_of(known: Sequence[OldRange]) -> OldRanges:
    """The old ranges in view, by whose they are."""
    blocks = [(each.role, block) for each in known if (block := network(each.cidr_block))]
    return OldRanges(*(tuple(block for role, block in blocks if role == whose) for whose in OldRanges._fields))


def network(block: str) -> IPv4Network | None:
    """The block, or None where it is none of IPv4."""
    try:
        return IPv4Network(block, strict=False)
    except ValueError:
        return None
