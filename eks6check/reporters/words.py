"""The sentences of the report for people: the answer, what was judged, what was not, and the counts."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from eks6check.findings import Severity, State, Verdict
from eks6check.reporters.plain import plain

if TYPE_CHECKING:
    from eks6check.facts import Gap
    from eks6check.findings import Outcome, Report, Suppression

LOOKED_AT = {"aws": "the AWS account", "cluster": "the cluster", "manifests": "the files"}
FAMILIES = {"ipv4": "IPv4 today", "ipv6": "IPv6 already"}
ANSWERS = {Verdict.NOT_READY: "bold red", Verdict.READY: "bold green", Verdict.UNDETERMINED: "bold yellow"}
JUDGED = {State.PASSED, State.FAILED, State.INCOMPLETE}
STATES = {
    State.PASSED: "passed",
    State.FAILED: "failed",
    State.NOT_APPLICABLE: "had nothing to judge",
    State.INCOMPLETE: "judged in part",
    State.NOT_EVALUATED: "not evaluated",
    State.ERROR: "broke",
}


@dataclass(frozen=True, slots=True)
class GapGroup:
    """Gaps with the same remedy and the same rules behind them, by id."""

    gaps: tuple[Gap, ...]
    remedy: str
    not_evaluated: tuple[str, ...]
    in_part: tuple[str, ...]


def number(count: int, noun: str) -> str:
    """A count with its noun: ``1 rule``, ``2 rules``."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


def headline(report: Report) -> tuple[tuple[str, str], ...]:
    """The answer with its style, and in the same line what it rests on."""
    return (answer(report), ANSWERS[report.verdict]), (f"{reach(report)}: {reason(report)}", "bold")


def answer(report: Report) -> str:
    """The verdict in capitals."""
    return report.verdict.replace("-", " ").upper()


def reach(report: Report) -> str:
    """How far a READY goes where it does not go all the way. Faults are faults, however little was read."""
    names = report.target.namespaces
    if report.verdict is Verdict.UNDETERMINED:
        return ""
    if report.verdict is Verdict.NOT_READY:
        return " for IPv6"
    narrow = ["the chosen rules"] if report.narrowed else []
    narrow += [f"{'namespace' if len(names) == 1 else 'namespaces'} {plain(', '.join(names))}"] if names else []
    if {"aws", "cluster"} <= set(report.scope) and not narrow:
        return " for IPv6"
    seen = [LOOKED_AT.get(source, source) for source in report.scope]
    *first, last = [*narrow, *seen] or ["this run"]
    return f" as far as {', '.join(first) + ' and ' if first else ''}{last} can tell"


def reason(report: Report) -> str:
    """What the answer rests on."""
    unknown = [outcome for outcome in report.outcomes if outcome.unsure]
    blind = [outcome for outcome in unknown if outcome.severity is Severity.BLOCKER]
    if report.verdict is Verdict.NOT_READY:
        return f"{severities(report)}."
    if report.verdict is Verdict.UNDETERMINED:
        return f"{number(len(blind), 'blocker rule')} without an answer; so far {severities(report)}."
    if not any(outcome.state in JUDGED for outcome in report.outcomes):
        return "nothing was found that a rule could judge."
    lacking = f" {number(len(unknown), 'other rule')} could not see everything." if unknown else ""
    return f"{severities(report)}.{lacking}"


def severities(report: Report) -> str:
    """The findings by severity: ``2 blockers, 1 warning``; always with the blockers."""
    counts = Counter(finding.severity for finding in report.findings)
    parts = [number(counts[Severity.BLOCKER], "blocker") if counts[Severity.BLOCKER] else "no blockers"]
    if counts[Severity.WARNING]:
        parts.append(number(counts[Severity.WARNING], "warning"))
    if counts[Severity.INFO]:
        parts.append(f"{counts[Severity.INFO]} info")
    return ", ".join(parts)


def judged(report: Report) -> str:
    """What was judged and what was not looked at, in one line."""
    seen = [live(report)] if {"aws", "cluster"} & set(report.scope) else []
    if "manifests" in report.scope:
        seen.append(files(report) if seen else f"files only: {files(report)}")
    missing = [LOOKED_AT[source] for source in ("aws", "cluster") if source not in report.scope]
    unseen = f" Not looked at: {' and '.join(missing)} (`eks6check scan` reads the rest)." if missing else ""
    return f"Judged: {'; '.join(seen) or 'nothing'}.{unseen}"


def live(report: Report) -> str:
    """The cluster with its region, account and family, and when it was read."""
    target = report.target
    family = FAMILIES.get(target.ip_family or "", target.ip_family)
    account = f"account {target.account}" if target.account else None
    read = f"read {target.read_at}" if target.read_at else None
    names = f"namespaces {', '.join(target.namespaces)} only" if target.namespaces else None
    known = [plain(part) for part in (target.region, account, family, names, read) if part]
    name = f"cluster {plain(target.cluster)}" if target.cluster else "a cluster without a name"
    details = f" ({', '.join(known)})" if known else ""
    only = [LOOKED_AT[source] for source in ("aws", "cluster") if source in report.scope]
    return f"{name}{details}{f', {only[0]} only' if len(only) == 1 else ''}"


def files(report: Report) -> str:
    """How many files, and of what."""
    nouns = {name: plain(name).replace("_", " ").removesuffix("s") for name in report.inputs}
    counts = [number(count, nouns[name]) for name, count in report.inputs.items() if count]
    return ", ".join(counts) or "none that could be read"


def counted(report: Report) -> str:
    """The answer once more, for those who read from the end."""
    silenced = f" {number(len(report.suppressed), 'finding')} silenced." if report.suppressed else ""
    return f"{answer(report)}{reach(report)}: {reason(report)}{silenced}"


def rules_counted(report: Report) -> str:
    """What became of the rules."""
    counts = Counter(outcome.state for outcome in report.outcomes)
    parts = [f"{counts[state]} {said}" for state, said in STATES.items() if counts[state]]
    return f"{number(len(report.outcomes), 'rule')}: {', '.join(parts)}." if parts else "No rule ran."


def gap_groups(report: Report) -> list[GapGroup]:
    """Every gap once, together with those of the same remedy and the same rules."""
    outcomes = [outcome for outcome in report.outcomes if outcome.gaps]
    states: dict[Gap, tuple[list[str], list[str]]] = defaultdict(lambda: ([], []))
    states.update((gap, ([], [])) for gap in report.gaps)
    for outcome in outcomes:
        for gap in outcome.gaps:
            blind, partly = states[gap]
            if outcome.state is not State.ERROR:
                (blind if outcome.state is State.NOT_EVALUATED else partly).append(outcome.rule)
    groups: dict[tuple[str, tuple[str, ...], tuple[str, ...]], list[Gap]] = {}
    for gap, (blind, partly) in states.items():
        groups.setdefault((gap.remedy, tuple(blind), tuple(partly)), []).append(gap)
    return [GapGroup(tuple(gaps), *shared) for shared, gaps in groups.items()]


def broken(report: Report) -> list[Outcome]:
    """The rules that raised."""
    return [outcome for outcome in report.outcomes if outcome.state is State.ERROR]


def reaching(suppression: Suppression) -> str:
    """The lines that a comment speaks of."""
    first, last = suppression.first, suppression.last
    return "behind it" if not last else f"on line {first}" if first == last else f"on lines {first} to {last}"


def comment(suppression: Suppression) -> str:
    """What a comment that silences does, and what is wrong with it."""
    said = f"ignore[{', '.join(plain(rule) for rule in suppression.rules)}]"
    if not suppression.reason:
        return f"{said} gives no reason, so it silences nothing"
    if not suppression.used:
        return f"{said} finds nothing to silence {reaching(suppression)}: {plain(suppression.reason)}"
    return f"{said} {plain(suppression.reason)}"
