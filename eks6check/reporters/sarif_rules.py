"""The rules of a SARIF run, with the texts that GitHub shows beside an alert."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from eks6check.findings import Severity

if TYPE_CHECKING:
    from eks6check.catalog import Rule

TEXT_LIMIT = 1024
"""Characters of a rule's descriptions that GitHub accepts."""

LEVELS = {Severity.BLOCKER: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
PROBLEM_SEVERITIES = {Severity.BLOCKER: "error", Severity.WARNING: "warning", Severity.INFO: "recommendation"}


def descriptor(rule: Rule) -> dict[str, Any]:
    """One rule as a ``reportingDescriptor``."""
    described: dict[str, Any] = {
        "id": rule.id,
        "name": "".join(word.capitalize() for word in rule.name.split("-")),
        "shortDescription": {"text": cut(f"{rule.title}.")},
        "fullDescription": {"text": cut(rule.why)},
        "help": {"text": help_text(rule), "markdown": help_markdown(rule)},
        "defaultConfiguration": {"level": LEVELS[rule.severity]},
        "properties": {
            "tags": ["eks", "ipv6", "kubernetes", rule.category.replace("_", "-")],
            "precision": rule.confidence.value,
            "problem.severity": PROBLEM_SEVERITIES[rule.severity],
        },
    }
    if rule.links:
        described["helpUri"] = rule.links[0]["url"]
    return described


def cut(text: str) -> str:
    """The text within the limit, with three dots where it was longer."""
    return text if len(text) <= TEXT_LIMIT else f"{text[: TEXT_LIMIT - 3]}..."


def help_text(rule: Rule) -> str:
    """Why, how to mend it, and where that is written, for viewers without Markdown."""
    parts = [rule.why]
    for variant, remedy in rule.remedies.items():
        parts.append(f"{mend(variant)}:\n\n{remedy.strip()}")
    parts.append("\n".join(["Sources:", *(link["url"] for link in rule.links)]))
    return "\n\n".join(parts)


def help_markdown(rule: Rule) -> str:
    """The same in Markdown, the remedy as a block of code."""
    parts = [rule.why]
    for variant, remedy in rule.remedies.items():
        fence = "`" * max(3, 1 + max(map(len, re.findall("`+", remedy)), default=0))
        parts.append(f"### {mend(variant)}\n\n{fence}\n{remedy.strip()}\n{fence}")
    parts.append("\n".join(["### Sources\n", *(f"- <{link['url']}>" for link in rule.links)]))
    return "\n\n".join(parts)


def mend(variant: str) -> str:
    """The heading of a remedy."""
    return f"How to mend it ({variant})" if variant else "How to mend it"
