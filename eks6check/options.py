"""What the user asked for, frozen. Combinations that make no sense are refused here, before anything is read."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from eks6check.errors import UsageError
from eks6check.findings import Severity

LIVE = ("aws", "cluster")
"""The sources that need a network."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """One run. ``sources`` are live ones; ``fail_on`` is None for ``never``; ``root`` is where SARIF paths begin."""

    sources: tuple[str, ...] = ()
    manifests: tuple[str, ...] = ()
    snapshot: Path | None = None
    cluster: str | None = None
    region: str | None = None
    profile: str | None = None
    context: str | None = None
    namespaces: tuple[str, ...] = ()
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    format: str = "table"
    output: Path | None = None
    root: Path | None = None
    fail_on: Severity | None = Severity.BLOCKER
    allow_empty: bool = False
    verbose: bool = False

    def __post_init__(self) -> None:
        """Refuse what does not fit together.

        Raises:
            UsageError: says which two options, and what to leave out.
        """
        if unknown := set(self.sources) - set(LIVE):
            raise UsageError(f"There is no source {min(unknown)!r}.", "The live sources are aws and cluster.")
        narrowing = (self.sources, self.cluster, self.region, self.profile, self.context, self.namespaces)
        if self.snapshot and any(narrowing):
            raise UsageError(
                "A snapshot stands for the account and the cluster that it was taken of.",
                "With --snapshot leave out --source, --cluster, --region, --profile, --context and --namespace.",
            )
        if self.namespaces and self.sources and "cluster" not in self.sources:
            raise UsageError("--namespace narrows what is read from the cluster.", "Add --source cluster, or drop it.")
        if self.output and os.path.isdir(self.output):  # noqa: PTH112  never raises
            raise UsageError(f"{self.output} is a directory.", "Name a file.")
        if self.root and not os.path.isdir(self.root):  # noqa: PTH112  likewise
            raise UsageError(f"There is no folder {str(self.root)!r}.", "Name the repository's top after --root.")


def words(values: list[str] | None) -> tuple[str, ...]:
    """Repeated and comma-separated values as one tuple: ``--select LBC,VPC001 --select SVC``."""
    return tuple(word.strip() for value in values or () for word in value.split(",") if word.strip())
