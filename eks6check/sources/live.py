"""Open the live sources of a run: which cluster, which account, and the way into each."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any, NamedTuple

from eks6check.errors import UsageError
from eks6check.facts import Facts, Gap
from eks6check.facts.kube import mapping, text
from eks6check.findings import Calls, Target
from eks6check.options import Options
from eks6check.sources import Collectors, aws, cluster, collect
from eks6check.sources import snapshot as snapshots
from eks6check.sources.aws.api import Source, connect, identify
from eks6check.sources.cluster import login
from eks6check.sources.cluster.answers import Failure
from eks6check.sources.cluster.api import Api
from eks6check.sources.ledger import Ledger
from eks6check.sources.target import Choice, choose

SYSTEM = "kube-system"
"""Read whichever namespaces are chosen: the CNI and controllers there decide what becomes of objects everywhere."""


class Opened(NamedTuple):
    """The live sources of a run: clients with their collectors, what makes the target, and the ledgers of calls."""

    readers: list[tuple[object, Collectors]]
    target: Callable[[Facts], Target]
    ledgers: tuple[Ledger, ...]


def open_sources(options: Options) -> Opened:
    """The live sources that the options name, each with its collectors, and what makes the report's target.

    Raises:
        UsageError: no such cluster, region, context or profile, or one of them is missing.
        NothingCheckedError: there is no login, or no way to AWS.
    """
    choice = choose(options.cluster, options.region, options.profile, options.context, options.sources)
    source = None
    if "aws" in options.sources or choice.context is None:
        source = identify(connect(choice.region, options.profile), choice.name or "")
    readers: list[tuple[object, Collectors]] = []
    ledgers = [source.account.ledger] if source else []
    if source and "aws" in options.sources:
        readers.append((source, aws.COLLECTORS))
    if "cluster" in options.sources:
        namespaces = (*dict.fromkeys((*options.namespaces, SYSTEM)),) if options.namespaces else ()
        api = way_in(choice, source, namespaces)
        if missing := api.missing(options.namespaces):
            raise UsageError(f"The cluster has no namespace {missing[0]!r}.", "`kubectl get namespaces` lists them.")
        readers.append((api, cluster.COLLECTORS))
        ledgers.append(api.ledger)
    read_at = datetime.now(UTC).isoformat(timespec="seconds")
    return Opened(readers, lambda facts: target(choice, read_at, options.namespaces, facts), tuple(ledgers))


def calls(ledgers: Iterable[Ledger]) -> Calls:
    """What all sources have called so far."""
    ledgers = tuple(ledgers)
    made = {call: count for ledger in ledgers for call, count in ledger.calls.items()}
    return Calls(made, sum(ledger.waited_seconds for ledger in ledgers))


def way_in(choice: Choice, source: Source | None, namespaces: tuple[str, ...]) -> Api:
    """The cluster's API: through the kubeconfig context where one is for this cluster, else with a token from STS."""
    if choice.context is not None:
        return login.from_kubeconfig(choice.context, namespaces)
    if source is None or isinstance(source.described, Gap):
        return Api(no_endpoint, namespaces)
    return login.from_eks(
        source.account.session,
        source.cluster,
        region=source.account.region,
        endpoint=text(source.described.get("endpoint")),
        certificate_authority=text(mapping(source.described.get("certificateAuthority")).get("data")),
        namespaces=namespaces,
    )


def no_endpoint() -> Any:
    """Refuse to connect: neither a kubeconfig nor DescribeCluster says where the cluster is."""
    raise Failure(
        "Neither the kubeconfig nor eks:DescribeCluster says where the cluster's API is.",
        "Allow eks:DescribeCluster, or run `aws eks update-kubeconfig`.",
    )


def target(choice: Choice, read_at: str, namespaces: tuple[str, ...], facts: Facts) -> Target:
    """The report's target: the cluster as it was read, or as it was asked for where it could not be."""
    for each in facts["clusters"].items if "clusters" in facts else ():
        return Target(each.id, each.region, each.account or None, each.ip_family, read_at, namespaces)
    return Target(choice.name, choice.region, read_at=read_at, namespaces=namespaces)


def snapshot(options: Options, progress: Callable[[str], object]) -> tuple[str, str]:
    """Everything that the sources give, as the text of a snapshot, and in a few words what it holds."""
    readers, made, _ = open_sources(options)
    sections = {each.section for _, collectors in readers for each in collectors}
    facts = collect(readers, sections, progress)
    items = sum(len(section.items) for section in facts.values())
    gaps = {gap for section in facts.values() for gap in section.gaps}
    held = f"{items} facts, {len(gaps)} gaps" if gaps else f"{items} facts"
    return snapshots.dumps(facts, made(facts), options.sources), held
