"""What the answers of every AWS API have in common: lists, tags, states, and fields of a type that nobody documented.

Each function takes what is there and never raises.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from eks6check.facts import Origin
from eks6check.facts.kube import mapping, sequence, text

Body = Mapping[str, Any]


GONE = frozenset({"disassociating", "disassociated", "failing", "failed", "detaching", "detached"})
"""States of a block or an attachment that no longer serves. A state that AWS adds later counts as serving."""


def texts(value: object) -> tuple[str, ...]:
    """The strings of a list."""
    return tuple(item for item in sequence(value) if isinstance(item, str))


def number(value: object) -> int:
    """The value if it is a whole number, else 0."""
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def bodies(value: object) -> Iterator[Body]:
    """The mappings of a list."""
    return (item for item in sequence(value) if isinstance(item, dict))


def tags(body: Body) -> Mapping[str, str]:
    """EC2's list of tags as a mapping."""
    return {text(tag.get("Key")): text(tag.get("Value")) for tag in bodies(body.get("Tags"))}


def live(identity: object) -> Origin:
    """The origin of what was read live: an ARN, or an id where there is none."""
    return Origin("aws", id=text(identity))


def blocks(associations: object, key: str) -> tuple[str, ...]:
    """The blocks that serve."""
    serving = (each for each in bodies(associations) if not gone(mapping(each.get(f"{key}State")).get("State")))
    return tuple(text(each.get(key)) for each in serving if each.get(key))


def gone(state: object) -> bool:
    """Whether a block or an attachment in this state no longer serves."""
    return isinstance(state, str) and state in GONE
