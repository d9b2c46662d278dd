"""The page on what findings are worth, out of the review that the tests keep."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from textwrap import wrap

from eks6check.catalog import Rule
from eks6check.run import available
from eks6check.sources.manifests import COLLECTORS

TESTS = Path(__file__).parent.parent / "tests"

WIDTH = 118

SEVERITIES = ("blocker", "warning", "info")

PAGE = """# What the findings are worth: a review on real manifests

The corpus is 1,844 public manifests out of 30 repositories: examples, release files, charts, and much test data of
other linters. `eks6check lint corpus` finds {whole} things in it. A run takes its files for one cluster, so each
repository was linted by itself as well, which makes {every}, by {rules} rules. Of each rule fifteen of these, or all
where there are fewer, were looked up in their files on 2026-11-25 and judged against what the documents and sources
of EKS, the AWS Load Balancer Controller, the VPC CNI, Karpenter and the programs say.

*True* means: it would be refused, fail or be so in an IPv6 EKS cluster as the message says, at that line and column,
and severity and remedy fit this very object. A *false alarm* is one that a good platform engineer would call wrong or
useless for that file, be the sentence ever so true.

| | judged | right | share | wanted |
|---|---|---|---|---|
{shares}

[`tests/corpus_review.csv`](../tests/corpus_review.csv) has every verdict with its reason.
`tests/test_corpus_review.py` holds it against the corpus: what was judged must be found as it was judged, false
alarms that were mended must stay away, and a finding that comes into the draw must be judged.

Findings of one rule are often alike: all thirteen of LBC002 are release files of one project, and all of NOD011
variations of one example. The shares say how often a reader of such files is misled, not how many kinds of fault
there are.

## How they were drawn

A finding's lot is the SHA-256 of the words `2026-11-25`, rule, file and fingerprint; the fifteen lowest of a rule are
drawn. The lot stays the finding's own whatever else comes or goes, so a better rule does not deal the cards anew.

Before anything was mended, the same lots drew 174 of the 256 findings in the corpus as a whole: 95 of 99 blockers
were right, 47 of 55 warnings, 16 of 20 notes. What was wrong is below.

## By rule

`whole` counts the corpus linted as one, `every` the repositories by themselves as well.

| rule | severity | whole | every | judged | right |
|---|---|---|---|---|---|
{table}

## False alarms that stand

Nothing in these objects tells what makes the finding useless; the rest of the file, or its folder, does.

| rule | place | why |
|---|---|---|
{standing}

## False alarms that were mended

The rule was changed at its root, and a test of the rule keeps it so.

| rule | place | what was wrong |
|---|---|---|
{mended}

Four findings were right and had a slip beside them: a further place of SVC004 was a Service named only for `kubectl
delete`, LBC015 did not point at the configuration that must change, POL005 counted what an administrator's policy
passes on to others, and ADR004 had pods mount the volumes that nodes mount. An earlier review of sixty findings of
the first twelve rules had mended LBC003 (Services made for another provider, or by a Gateway), NOD003 (types that a
pool cannot make, or that reach the advice) and NOD011 (Windows).

## Rules that find nothing here

Of those that `lint` runs:

{silent}

For these the corpus says nothing about precision, neither good nor bad. They rest on the good and bad cases of their
tests. The other rules read what no manifest holds.

## Silence, and a limit

Each repository judged by itself, 48 of its 123 load-balancer Services and Ingresses got no LBC finding in the earlier
review. Twenty of them, drawn with seed 20261125, were opened: 13 Ingresses of an nginx class, 6 with neither class
nor ALB annotation, and one kustomize patch without `type` whose base is reported. The silence was right in all.

In the corpus as a whole, an `IngressClass` named `alb` of one repository decides for the Ingresses of that class in
another, and a Karpenter class named `default` gets the pools of all. Lint the manifests of different clusters in
different runs.
"""


def page(rules: Iterable[Rule]) -> str:
    """The page, with the tables out of the review and the counts beside it."""
    rows, counts = _read("corpus_review.csv"), _read("corpus_found.csv")
    given = available([(None, COLLECTORS)])
    firing = {count["rule"] for count in counts}
    silent = [rule.id for rule in rules if rule.runs_on(given) and rule.id not in firing]
    return PAGE.format(
        whole=sum(int(count["whole"]) for count in counts),
        every=sum(int(count["every"]) for count in counts),
        rules=len(firing),
        shares="\n".join(_share(severity, rows) for severity in SEVERITIES),
        table="\n".join(_row(count, rows) for count in counts),
        standing=_alarms(rows, "false"),
        mended=_alarms(rows, "mended"),
        silent="\n".join(wrap(", ".join(silent), WIDTH)),
    )


def _read(name: str) -> list[dict[str, str]]:
    with (TESTS / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _verdicts(rows: Iterable[dict[str, str]], **fields: str) -> tuple[int, int]:
    """How many of the rows with these fields are of findings that stand, and how many of those are right."""
    found = Counter(row["verdict"] for row in rows if fields.items() <= row.items())
    return found["true"] + found["false"], found["true"]


def _share(severity: str, rows: Sequence[dict[str, str]]) -> str:
    judged, right = _verdicts(rows, severity=severity)
    wanted = {"blocker": "95 %", "warning": "85 %"}.get(severity, "-")
    return f"| {severity} | {judged} | {right} | {100 * right / judged:.0f} % | {wanted} |"


def _row(count: dict[str, str], rows: Sequence[dict[str, str]]) -> str:
    judged, right = _verdicts(rows, rule=count["rule"], severity=count["severity"])
    link = f"[{count['rule']}](rules/{count['rule']}.md)"
    return f"| {link} | {count['severity']} | {count['whole']} | {count['every']} | {judged} | {right} |"


def _alarms(rows: Iterable[dict[str, str]], verdict: str) -> str:
    chosen = [row for row in rows if row["verdict"] == verdict]
    return "\n".join(f"| {row['rule']} | {row['place']} | {row['why']} |" for row in chosen)
