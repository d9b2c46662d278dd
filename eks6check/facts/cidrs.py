"""Lists of address ranges as people write them into annotations and fields, and the family that they leave out."""

from __future__ import annotations

from collections.abc import Collection
from ipaddress import IPv4Network
from typing import TypeGuard

EVERYWHERE = "0.0.0.0/0"
"""All of IPv4; its twin is ``::/0``."""


def listed(value: str | None) -> list[str]:
    """The entries of a list that commas part, as annotations and ConfigMaps hold it."""
    return [entry.strip() for entry in (value or "").split(",") if entry.strip()]


def ipv4_only(entries: Collection[object]) -> list[str]:
    """The ranges of a list that names IPv4 alone; empty where it names IPv6 too, or anything that is no range.

    A list with a variable or a name in it may come to hold IPv6, so it is left alone.
    """
    ranges = [entry.strip() for entry in entries if is_ipv4(entry)]
    return ranges if len(ranges) == len(entries) else []


def is_ipv4(entry: object) -> TypeGuard[str]:
    """Whether an entry is an IPv4 address or range; bits behind the prefix are no fault."""
    try:
        return isinstance(entry, str) and bool(IPv4Network(entry.strip(), strict=False).version)
    except ValueError:
        return False
