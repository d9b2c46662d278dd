"""The part that all AWS records share."""

from __future__ import annotations

from dataclasses import dataclass

from eks6check.facts import Origin, Subject

LIVE = Origin("aws")


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """An AWS resource by its id: a name, an id or an ARN, whichever AWS asks for in its calls."""

    id: str
    origin: Origin = LIVE

    @property
    def subject(self) -> Subject:
        """The record's class and id, which together name it in every report."""
        return Subject(type(self).__name__, self.id)

    def __str__(self) -> str:
        return self.id
