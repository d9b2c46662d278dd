"""Grafana Alloy's configuration in ConfigMaps: the rules by which it makes targets of what it discovers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from eks6check.facts.config_maps import entries
from eks6check.facts.embedded import Embedded, Word
from eks6check.facts.kube import Resource
from eks6check.facts.patterns import regex

QUOTED = r'"(?:\\.|[^"\\\n])*"|`[^`]*`'
RULE = regex(rf"\bdiscovery\.relabel\s|(?<![\w.])rule\s*\{{(?P<rule>(?:{QUOTED}|[^{{}}\"`])*)\}}")
"""The beginning of a component that rewrites targets, or one of its rules, which hold no blocks of their own."""

FIELD = regex(rf"(?P<name>\w+)\s*=\s*(?P<value>\[[^\]]*\]|{QUOTED})")
STRING = regex(QUOTED)


def relabellings(config_map: Resource) -> Iterator[Embedded]:
    """Each ``discovery.relabel`` as the list of rules that it would be in Prometheus.

    Words are left as they are written, escapes and all.
    """
    for key, _, value in entries(config_map):
        if "discovery.relabel" in value:
            for rules in _components(value):
                yield Embedded(("data", key), value, {"relabel_configs": rules})


def _components(value: str) -> Iterator[list[dict[str, Any]]]:
    rules: list[dict[str, Any]] = []
    for match in RULE.finditer(value):
        if match["rule"] is None:
            yield rules
            rules = []
        else:
            rules.append(_rule(match["rule"], match.start("rule")))
    yield rules


def _rule(body: str, start: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for match in FIELD.finditer(body):
        words = [
            _word(each[0], start + match.start("value") + each.start()) for each in STRING.finditer(match["value"])
        ]
        found[match["name"]] = words if match["value"].startswith("[") else words[0]
    return found


def _word(quoted: str, start: int) -> Word:
    word = Word(quoted[1:-1])
    word.start = start + 1
    return word
