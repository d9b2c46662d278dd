"""Before a scan: which rules it could not evaluate, for want of which permission. AWS and the cluster are asked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from eks6check import catalog
from eks6check.catalog import Rule
from eks6check.facts import Gap
from eks6check.options import Options
from eks6check.permissions import blind, calls
from eks6check.reporters.plain import plain
from eks6check.sources import Collectors, live, refusals
from eks6check.sources.aws.api import Source
from eks6check.sources.cluster.api import Api


class Probed(NamedTuple):
    """What was asked, what is refused, what could not be asked, and the rules that need what is refused."""

    asked: tuple[str, ...]
    refused: tuple[Gap, ...]
    unasked: tuple[Gap, ...]
    blind: tuple[tuple[Rule, list[str]], ...]


def probe(options: Options) -> Probed:
    """Ask for every call that the chosen rules take whether it would be allowed; make none of them.

    Raises:
        UsageError: the options name something that is not there.
        NothingCheckedError: there is no login, or no way to AWS.
    """
    rules = catalog.select(catalog.load(), options.select, options.ignore)
    readers = live.open_sources(options).readers
    graph: Collectors = tuple(each for _, collectors in readers for each in collectors)
    asked: list[str] = []
    refused: list[Gap] = []
    unasked: list[Gap] = []
    for client, collectors in readers:
        wanted = calls(rules, collectors, graph)
        found, unknown = refusals.asked(_answers(client, wanted))
        asked += wanted
        refused += found
        unasked += [unknown] if unknown else []
    possible = tuple(rule for rule in rules if rule.runs_on({each.section for each in graph}))
    return Probed(
        tuple(asked), tuple(refused), tuple(unasked), tuple(blind(possible, graph, [gap.call for gap in refused]))
    )


def _answers(client: object, wanted: Iterable[str]) -> Iterator[Gap]:
    if isinstance(client, Source):
        yield from refusals.of_account(client.account, wanted)
    elif isinstance(client, Api):
        yield from refusals.of_cluster(client, wanted)


def told(probed: Probed) -> str:
    """The answer for people: what is missing, and which rules that costs."""
    return "\n".join(plain(line) for line in _lines(probed))


def _lines(probed: Probed) -> Iterator[str]:
    if not probed.refused and not probed.unasked:
        yield f"All {len(probed.asked)} calls that the chosen rules take are allowed."
        return
    yield from _section("Refused", (gap.reason for gap in probed.refused))
    rows = (f"{rule.id}  {rule.severity:<8}  {rule.name}: {', '.join(needs)}" for rule, needs in probed.blind)
    yield from _section("Rules that a scan would not evaluate in full", rows)
    yield from _section("Could not be asked", (f"{gap.reason} {gap.remedy}" for gap in probed.unasked))
    if probed.refused:
        yield "`eks6check permissions` prints the IAM policy and the ClusterRole that close these."


def _section(title: str, rows: Iterable[str]) -> Iterator[str]:
    rows = list(rows)
    if rows:
        yield f"{title}: {len(rows)}"
        yield from (f"  {row}" for row in rows)
        yield ""


def exit_code(probed: Probed) -> int:
    """0 where everything is allowed, else 4, as a scan ends that could not evaluate something."""
    return 4 if probed.refused or probed.unasked else 0
