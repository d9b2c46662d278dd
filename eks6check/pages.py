"""The catalogue for people: the list of rules, one rule explained, and the permissions, in the terminal and in docs."""

from __future__ import annotations

from collections.abc import Iterable

from eks6check import catalog, tables
from eks6check.catalog import Rule
from eks6check.engine import PLACEHOLDER
from eks6check.permissions import calls, cluster_role, iam_policy
from eks6check.sources import Collectors, aws, cluster, given, manifests, needed


def listing(select: tuple[str, ...], ignore: tuple[str, ...]) -> str:
    """One line a rule: id, severity, name, title."""
    rules = catalog.select(catalog.load(), select, ignore)
    return "\n".join(f"{rule.id}  {rule.severity:<8}  {rule.name:<44}  {rule.title}" for rule in rules)


def explanation(word: str) -> str:
    """All that is known of the one rule that a word names.

    Raises:
        UsageError: no rule or several have that name.
    """
    rules = catalog.load()
    chosen = catalog.select(rules, (word,))
    return "\n\n".join(page(rule) for rule in chosen)


def page(rule: Rule) -> str:
    """A rule's page in Markdown, with the same headings for every rule."""
    parts = [
        f"# {rule.id} {rule.name}",
        f"**{rule.title}.** Severity {rule.severity}, confidence {rule.confidence}, since {rule.since}.",
        f"## Why it matters\n\n{rule.why}",
        *(_remedy(variant, text) for variant, text in rule.remedies.items()),
        *([tables.BESIDE[rule.id]()] if rule.id in tables.BESIDE else []),
        f"## Fires on\n\n{example(rule.bad)}",
        f"## Stays silent on\n\n{example(rule.good)}",
        *([f"## Settings\n\n{_settings(rule)}"] if rule.parameters else []),
        f"## Looks at\n\n{looks_at(rule)}",
        "## Sources\n\n" + "\n".join(f"- <{link['url']}> (read {link['read']})" for link in rule.links),
    ]
    return "\n\n".join(parts)


def _remedy(variant: str, text: str) -> str:
    shown = PLACEHOLDER.sub(lambda found: found[1].upper(), text.strip())
    return f"## How to mend it{f' ({variant})' if variant else ''}\n\n```\n{shown}\n```"


def _settings(rule: Rule) -> str:
    return "\n".join(f"- `{name}` ({each['default']}): {each['meaning']}" for name, each in rule.parameters.items())


def example(text: str) -> str:
    """An example as fenced YAML: manifests, or a mapping of sections to facts."""
    return f"```yaml\n{text.strip()}\n```"


def looks_at(rule: Rule) -> str:
    """Each section of facts that a rule uses, with what reads it live and whether files give it."""
    rows = []
    for name in (*rule.required, *rule.optional):
        live = [each for each in (*aws.COLLECTORS, *cluster.COLLECTORS) if each.section == name]
        ways = [f"`{call}`" for each in live for call in each.calls]
        ways += [need.replace("_", " ") for each in live if not each.calls for need in each.needs]
        ways += ["files" for each in manifests.COLLECTORS if each.section == name]
        ways += ["options" for each in given.COLLECTORS if each.section == name]
        also = "" if name in rule.required else " (where the run has them)"
        rows.append(f"- {name.replace('_', ' ')}{also}: {', '.join(ways)}")
    return "\n".join(rows)


def graph(rules: Iterable[Rule]) -> str:
    """The graph as a Markdown table: each rule, each section of facts that it names, and what reading that takes.

    A section counts with all that it is read with, so that the last two columns are what the rule may not lack.
    """
    rows = ["| rule | facts | AWS: IAM actions | cluster: RBAC | files |", "|---|---|---|---|---|"]
    for rule in rules:
        for name in (*rule.required, *rule.optional):
            shown = name.replace("_", " ") + ("" if name in rule.required else " (if the run has them)")
            cells = (
                f"[{rule.id}](rules/{rule.id}.md)",
                shown,
                _behind(name, aws.COLLECTORS, cluster.COLLECTORS),
                _behind(name, cluster.COLLECTORS, aws.COLLECTORS),
                "yes" if any(each.section == name for each in manifests.COLLECTORS) else "",
            )
            rows.append(f"| {' | '.join(cells)} |")
    return "\n".join(rows)


def _behind(section: str, collectors: Collectors, others: Collectors) -> str:
    needs = {each.section for each in needed((*collectors, *others), {section})}
    calls = {call for each in collectors if each.section in needs for call in each.calls}
    return ", ".join(f"`{call}`" for call in sorted(calls))


def permissions(select: tuple[str, ...], ignore: tuple[str, ...], only: str) -> str:
    """The IAM policy, the ClusterRole, or both, for the chosen rules."""
    rules = catalog.select(catalog.load(), select, ignore)
    policy = iam_policy(calls(rules, aws.COLLECTORS, cluster.COLLECTORS))
    role = cluster_role(calls(rules, cluster.COLLECTORS, aws.COLLECTORS))
    if only != "all":
        return policy if only == "iam" else role.rstrip()
    return f"# IAM policy\n{policy}\n\n# ClusterRole\n{role.rstrip()}"
