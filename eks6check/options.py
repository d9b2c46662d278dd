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
    helm: tuple[str, ...] = ()
    values: tuple[str, ...] = ()
    kustomize: tuple[str, ...] = ()
    old_service_cidr: tuple[str, ...] = ()
    old_pod_cidr: tuple[str, ...] = ()
    vpc_cidr: tuple[str, ...] = ()
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
        if self.values and not self.helm:
            raise UsageError("--values are for a chart.", "Name it: --helm CHART --values FILE.")
        if not (self.sources or self.snapshot or self.reads_files):
            raise UsageError("There is nothing to judge.", "Name files or folders, --helm CHART or --kustomize DIR.")
        for option, blocks in self.old_cidrs.values():
            refuse_other_than_ipv4(option, blocks)
        if self.output and os.path.isdir(self.output):  # noqa: PTH112  never raises
            raise UsageError(f"{self.output} is a directory.", "Name a file.")
        if self.root and not os.path.isdir(self.root):  # noqa: PTH112  likewise
            raise UsageError(f"There is no folder {str(self.root)!r}.", "Name the repository's top after --root.")

    @property
    def rendered(self) -> tuple[str, ...]:
        """The charts and kustomizations, as they were named."""
        return (*self.helm, *self.kustomize)

    @property
    def reads_files(self) -> bool:
        """Whether there are files among what is judged."""
        return bool(self.manifests or self.rendered)

    @property
    def old_cidrs(self) -> dict[str, tuple[str, tuple[str, ...]]]:
        """The option and its blocks by whose they were; only those that were given."""
        every = {
            "service": ("--old-service-cidr", self.old_service_cidr),
            "pod": ("--old-pod-cidr", self.old_pod_cidr),
            "vpc": ("--vpc-cidr", self.vpc_cidr),
        }
        return {role: given for role, given in every.items() if given[1]}


WIDEST = 8
"""Bits of the widest block that a VPC or a cluster can have: 10.0.0.0/8 is one, and 0.0.0.0/0 is everybody."""


def refuse_other_than_ipv4(option: str, blocks: tuple[str, ...]) -> None:
    """Refuse what is no IPv4 block. An address alone would pass for a block of one, and turn blockers into silence.

    Raises:
        UsageError: says which one.
    """
    from ipaddress import IPv4Network  # noqa: PLC0415  few runs are told any

    for block in blocks:
        try:
            fits = "/" in block and IPv4Network(block).prefixlen >= WIDEST
        except ValueError:
            fits = False
        if not fits:
            raise UsageError(f"{option} {block} is no IPv4 block of a network.", "Write it as 10.100.0.0/16.")


def words(values: list[str] | None) -> tuple[str, ...]:
    """Repeated and comma-separated values as one tuple: ``--select LBC,VPC001 --select SVC``."""
    return tuple(word.strip() for value in values or () for word in value.split(",") if word.strip())
