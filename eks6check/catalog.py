"""The catalogue: ``rules.yaml`` says what a rule is, a function judges, and here the two become one.

The name joins them: ``subnet-without-ipv6-block`` in YAML is ``subnet_without_ipv6_block`` in ``eks6check.rules``.
Every mismatch is refused with the rule and the place, so that a catalogue that loads is a catalogue that fits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, Generic, ParamSpec

import yaml

from eks6check.errors import CatalogError, UsageError
from eks6check.facts import SECTIONS, Gap
from eks6check.findings import Confidence, Problem, Severity

P = ParamSpec("P")


@dataclass(frozen=True, slots=True)
class Check(Generic[P]):
    """A function marked as a rule; calling it calls the function."""

    function: Callable[P, Iterator[Problem | Gap]]

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Iterator[Problem | Gap]:
        """Judge, as the function itself would."""
        return self.function(*args, **kwargs)


def rule(function: Callable[P, Iterator[Problem | Gap]]) -> Check[P]:
    """Mark a function as a rule. It yields problems, and a gap for what it would have judged and cannot read.

    Its ordinary parameters name the sections it needs; one with a default is used where the run has it. Its
    keyword-only parameters are the settings that the catalogue gives values to.
    """
    return Check(function)


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: all that the catalogue says of it, and the function that judges.

    ``bad`` and ``good`` are YAML in text, since only docs and tests read them: manifests, or sections with their facts.
    """

    id: str
    name: str
    title: str
    severity: Severity
    confidence: Confidence
    category: str
    status: str
    since: str
    why: str
    remedies: Mapping[str, str]
    bad: str
    good: str
    links: tuple[Mapping[str, str], ...]
    needs_all: bool
    follows: Mapping[str, str]
    parameters: Mapping[str, Mapping[str, Any]]
    judge: Callable[..., Iterator[Problem | Gap]]
    required: tuple[str, ...]
    optional: tuple[str, ...]

    @property
    def settings(self) -> dict[str, Any]:
        """The values of the rule's parameters."""
        return {name: parameter["default"] for name, parameter in self.parameters.items()}

    def runs_on(self, available: Iterable[str]) -> bool:
        """Whether a run that can give these sections can judge this rule."""
        have = set(available)
        return set(self.required) <= have and bool(have & {*self.required, *self.optional})


@cache
def load() -> tuple[Rule, ...]:
    """The catalogue of this release, in the order of ``rules.yaml``.

    Raises:
        CatalogError: the file and the functions do not fit.
    """
    from eks6check.rules import MODULES  # noqa: PLC0415  rules import this module for the decorator

    return fuse(read(), MODULES)


def read() -> list[Any]:
    """The entries of ``rules.yaml``: from the installed package, or from the checkout that the package stands in."""
    packaged = Path(__file__).with_name("rules.yaml")
    source = packaged if packaged.is_file() else Path(__file__).parent.parent / "rules.yaml"
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        entries = yaml.load(source.read_text(encoding="utf-8"), Loader=loader)  # noqa: S506  a safe loader, in C if it is there
    except (OSError, yaml.YAMLError) as error:
        raise CatalogError(f"rules.yaml cannot be read: {error}") from error
    if not isinstance(entries, list):
        raise CatalogError("rules.yaml must be a list of rules")
    return entries


def fuse(entries: Iterable[Any], modules: Iterable[ModuleType]) -> tuple[Rule, ...]:
    """Join each entry with the function of its name.

    Raises:
        CatalogError: an entry without a function or the reverse, an id or name used twice, a parameter that differs.
    """
    checks = {name: check for module in modules for name, check in vars(module).items() if isinstance(check, Check)}
    rules: dict[str, Rule] = {}
    for position, entry in enumerate(entries, 1):
        name = str(entry.get("name") if isinstance(entry, dict) else None)
        check, place = checks.pop(name.replace("-", "_"), None), f"rules.yaml, rule {position} ({name})"
        if check is None:
            raise CatalogError(f"{place}: no such function, or the name is used twice")
        fused = _fuse_one(entry, check, place)
        if fused.id in rules:
            raise CatalogError(f"{place}: the id {fused.id} is used twice")
        rules[fused.id] = fused
    if checks:
        raise CatalogError(f"rules.yaml has no entry for: {', '.join(sorted(checks))}")
    return tuple(rules.values())


def _fuse_one(entry: Mapping[str, Any], check: Check[Any], place: str) -> Rule:
    code, defaults = check.function.__code__, check.function.__defaults__ or ()
    facts = code.co_varnames[: code.co_argcount]
    if unknown := set(facts) - SECTIONS.keys():
        raise CatalogError(f"{place}: no such section of facts: {', '.join(sorted(unknown))}")
    parameters = _parameters(entry, code.co_varnames[code.co_argcount :][: code.co_kwonlyargcount], place)
    try:
        return Rule(
            id=entry["id"],
            name=entry["name"],
            title=entry["title"],
            severity=Severity(entry["severity"]),
            confidence=Confidence(entry["confidence"]),
            category=check.function.__module__.rpartition(".")[2],
            status=entry.get("status", "stable"),
            since=entry["since"],
            why=entry["why"].strip(),
            remedies=_remedies(entry["remedy"]),
            bad=entry["bad"].strip(),
            good=entry["good"].strip(),
            links=tuple(entry["links"]),
            needs_all=entry.get("needs_all", False),
            follows=entry.get("follows", {}),
            parameters=parameters,
            judge=check.function,
            required=facts[: len(facts) - len(defaults)],
            optional=facts[len(facts) - len(defaults) :],
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CatalogError(f"{place}: the entry lacks or misstates {error}") from error


def _parameters(entry: Mapping[str, Any], settings: Iterable[str], place: str) -> Mapping[str, Mapping[str, Any]]:
    """The parameters of an entry, if they are the settings of its function."""
    parameters = entry.get("parameters", {})
    if not isinstance(parameters, dict) or not all(isinstance(each, dict) for each in parameters.values()):
        raise CatalogError(f"{place}: parameters must be a mapping of name to default and meaning")
    if different := set(settings) ^ parameters.keys():
        raise CatalogError(f"{place}: parameters differ between rules.yaml and the function: {sorted(different)}")
    if lacking := [name for name, each in parameters.items() if "default" not in each]:
        raise CatalogError(f"{place}: parameters without a default: {', '.join(lacking)}")
    return parameters


def _remedies(remedy: Any) -> Mapping[str, str]:
    return remedy if isinstance(remedy, dict) else {"": str(remedy)}


def select(rules: Iterable[Rule], select: Iterable[str] = (), ignore: Iterable[str] = ()) -> tuple[Rule, ...]:
    """The rules named by id, by the letters an id begins with, or by name; all of them where ``select`` is empty.

    Raises:
        UsageError: a name that fits no rule.
    """
    rules = tuple(rules)
    chosen = [matching(rules, word) for word in select] or [set(rules_by_id(rules))]
    silenced = [matching(rules, word) for word in ignore]
    keep = set().union(*chosen) - set().union(*silenced)
    if not keep:
        raise UsageError("No rule is left to judge.", "--ignore takes away all that --select names.")
    return tuple(rule for rule in rules if rule.id in keep)


def matching(rules: Iterable[Rule], word: str) -> set[str]:
    """The ids that a user's word stands for.

    Raises:
        UsageError: there are none.
    """
    rules = tuple(rules)
    found = {rule.id for rule in rules if rule.name == word.lower() or (word and rule.id.startswith(word.upper()))}
    if not found:
        from difflib import get_close_matches  # noqa: PLC0415  only for the hint

        near = get_close_matches(word, [name for rule in rules for name in (rule.id, rule.name)], n=3)
        hint = f"Did you mean {', '.join(near)}? " if near else ""
        raise UsageError(f"There is no rule {word!r}.", f"{hint}`eks6check rules` lists them all.")
    return found


def rules_by_id(rules: Iterable[Rule]) -> dict[str, Rule]:
    """The same rules, by id."""
    return {rule.id: rule for rule in rules}
