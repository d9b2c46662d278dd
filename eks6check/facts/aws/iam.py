"""What IAM knows: what a role may do."""

from __future__ import annotations

from dataclasses import dataclass

from eks6check.facts.aws.record import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class RolePermissions(Record):
    """Which of the CNI's actions a role may take; ``id`` is the role's ARN.

    Every action asked for is in one of the three. ``unknown`` holds those that only the moment of the call decides: a
    condition, or a permissions boundary that could not be read. ``evaluated_by`` is ``simulation`` or ``policies``.
    """

    allowed: tuple[str, ...] = ()
    denied: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    evaluated_by: str = "simulation"
