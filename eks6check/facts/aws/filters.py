"""What EC2 lets through: security groups, network ACLs, and the prefix lists that both kinds of tables name."""

from __future__ import annotations

from dataclasses import dataclass

from eks6check.facts.aws.record import Record

ALL_PROTOCOLS = "-1"


@dataclass(frozen=True, slots=True, kw_only=True)
class SecurityGroupRule:
    """One permission of a security group, to or from one peer.

    ``protocol`` is ``tcp``, ``udp``, ``icmp``, ``icmpv6``, a number or ``-1`` for all; ports are those of TCP and UDP,
    or ICMP's type and code, and None for all. ``peer`` is a block of either family, a prefix list (``pl-...``) or a
    group (``sg-...``).
    """

    peer: str
    is_egress: bool = False
    protocol: str = ALL_PROTOCOLS
    from_port: int | None = None
    to_port: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SecurityGroup(Record):
    """A security group with its permissions in both directions."""

    name: str = ""
    vpc_id: str = ""
    rules: tuple[SecurityGroupRule, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkAclEntry:
    """One entry of a network ACL; the lowest ``rule_number`` that fits decides.

    ``protocol`` is a number in text (``6`` is TCP, ``58`` ICMPv6) or ``-1`` for all; ports, or ICMP's type in both of
    them, are None for all.
    """

    rule_number: int
    cidr_block: str
    is_egress: bool = False
    allow: bool = True
    protocol: str = ALL_PROTOCOLS
    from_port: int | None = None
    to_port: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkAcl(Record):
    """A network ACL with the subnets that it guards."""

    vpc_id: str = ""
    default: bool = False
    subnet_ids: tuple[str, ...] = ()
    entries: tuple[NetworkAclEntry, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PrefixList(Record):
    """A managed prefix list; ``address_family`` is ``IPv4`` or ``IPv6``."""

    name: str = ""
    address_family: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkInterface(Record):
    """A network interface that AWS made for one of its services, known by its description; blocks and plain addresses.

    Interfaces of nodes stand in their ``Instance``.
    """

    description: str = ""
    vpc_id: str = ""
    subnet_id: str = ""
    group_ids: tuple[str, ...] = ()
    ipv6_addresses: tuple[str, ...] = ()
