"""One run from options to report: open the sources, collect, judge, triage. Printing is the command line's part."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from eks6check import catalog, causes, engine, places, triage
from eks6check.catalog import Rule
from eks6check.errors import NothingCheckedError, UsageError
from eks6check.facts import Facts, Gap
from eks6check.findings import Calls, Report, Severity, State, Target, verdict
from eks6check.options import Options
from eks6check.sources import Collectors, collect, manifests
from eks6check.sources.manifests import Files

if TYPE_CHECKING:
    from eks6check.sources.manifests.renderers import Part

Progress = Callable[[str], object]
Reader = tuple[object, Collectors]


class Opened(NamedTuple):
    """The sources of a run: clients with their collectors, what makes the target, their names, and what they called."""

    readers: list[Reader]
    target: Callable[[Facts], Target]
    scope: tuple[str, ...]
    calls: Callable[[], Calls]


def run(options: Options, progress: Progress = str) -> Report:
    """Judge what the options name.

    Raises:
        UsageError: the options name something that is not there.
        NothingCheckedError: nothing could be read at all.
    """
    catalogue = catalog.load()
    rules = catalog.select(catalogue, options.select, options.ignore)
    files = open_files(options)
    readers, target, scope, calls = open_readers(options, files)
    rules = judgeable(rules, readers)
    facts = collect(readers, sections(rules, readers), progress)
    outcomes = causes.link(rules, engine.evaluate(rules, facts))
    reported, suppressed, suppressions = triage.triage(outcomes, files.suppressions)
    misnamed = triage.misnamed(files.suppressions, ((rule.id, rule.name) for rule in catalogue))
    report = Report(
        verdict=verdict(reported, outcomes),
        target=target(facts),
        findings=reported,
        outcomes=outcomes,
        gaps=engine.all_gaps(facts, outcomes),
        notes=(*files.notes, *misnamed),
        suppressed=suppressed,
        suppressions=suppressions,
        scope=scope,
        narrowed=bool(options.select or options.ignore),
        inputs=files.counts,
        calls=calls(),
    )
    return places.in_sources(report, files.sources)


def open_files(options: Options) -> Files:
    """The files that the options name, read.

    Raises:
        NothingCheckedError: they hold no Kubernetes object, as after a rendering that failed.
    """
    if not options.reads_files:
        return Files()
    files = manifests.read(options.manifests, parts=rendered(options))
    named = ["standard input" if path == "-" else path for path in (*options.manifests, *options.rendered)]
    if not files.counts["resources"] and not files.gaps and not options.allow_empty:
        raise NothingCheckedError(
            f"There is no Kubernetes object in {', '.join(named)}.",
            "Look whether they were rendered and are the right ones; where that is fine, add --allow-empty.",
        )
    return files


def rendered(options: Options) -> Iterator[Part | Gap]:
    """What the charts and kustomizations that the options name render to; all charts get the same values.

    Raises:
        UsageError: there is no program that renders them, or no such file of values.
    """
    if options.rendered:
        from eks6check.sources.manifests import charts, kustomizations  # noqa: PLC0415  most runs render nothing

        for path in options.helm:
            yield from charts.chart(path, options.values)
        for folder in options.kustomize:
            yield from kustomizations.kustomization(folder)


def open_readers(options: Options, files: Files) -> Opened:
    """Every source of this run."""
    readers: list[Reader] = []
    target: Callable[[Facts], Target] = no_target
    scope = options.sources
    calls: Callable[[], Calls] = Calls
    if options.snapshot:
        from eks6check.sources import snapshot  # noqa: PLC0415  lint has no time for it

        taken = snapshot.read(options.snapshot)
        readers.append((taken, snapshot.collectors(taken)))
        target, scope = taken.target_of, taken.sources
    elif options.sources:
        from eks6check.sources import live  # noqa: PLC0415  lint has no time for it

        readers, target, ledgers = live.open_sources(options)
        calls = partial(live.calls, ledgers)
    if options.reads_files:
        readers.append((files, manifests.COLLECTORS))
        scope = (*scope, "manifests")
    if options.old_cidrs:
        from eks6check.sources import given  # noqa: PLC0415  few runs are told any

        readers.append((options, given.COLLECTORS))
    return Opened(readers, target, scope, calls)


def no_target(facts: Facts) -> Target:
    """Files alone have no cluster, region or account."""
    del facts
    return Target()


def available(readers: Iterable[Reader]) -> set[str]:
    """The sections that these sources can give."""
    return {each.section for _, collectors in readers for each in collectors}


def judgeable(rules: Iterable[Rule], readers: Iterable[Reader]) -> tuple[Rule, ...]:
    """The rules whose facts these sources can give.

    Raises:
        UsageError: there are none.
    """
    sections = available(readers)
    possible = tuple(rule for rule in rules if rule.runs_on(sections))
    if not possible:
        raise UsageError(
            "None of the chosen rules can be judged from the chosen sources.",
            "`eks6check explain RULE` says what a rule needs; `eks6check scan` reads the account and the cluster.",
        )
    return possible


def sections(rules: Iterable[Rule], readers: Iterable[Reader]) -> set[str]:
    """What to collect: the facts of the rules, and the cluster itself for the report's head."""
    asked = {name for rule in rules for name in (*rule.required, *rule.optional)} | {"clusters"}
    return asked & available(readers)


def exit_code(report: Report, fail_on: Severity | None) -> int:
    """0 fine; 1 findings at or above ``fail_on``; 3 nothing could be judged; 4 something could not be evaluated."""
    if fail_on and any(finding.severity.rank <= fail_on.rank for finding in report.findings):
        return 1
    states = {outcome.state for outcome in report.outcomes}
    unknown = any(outcome.unsure for outcome in report.outcomes)
    judged = states & {State.PASSED, State.FAILED, State.INCOMPLETE}
    if unknown and not judged:
        return 3
    return 4 if unknown else 0
