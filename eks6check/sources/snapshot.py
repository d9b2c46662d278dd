"""A snapshot: the live facts of one moment in a file, with their gaps, to be judged again anywhere, by any later rule.

It holds no value of an environment variable and no line of a ConfigMap beyond those that rules look at; ``sealing``
sees to that.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import eks6check
from eks6check.errors import UsageError
from eks6check.facts import SECTIONS, Facts, Gap, Origin, Section, aws
from eks6check.facts.kinds import FILES_ONLY
from eks6check.facts.kube import Resource, mapping
from eks6check.findings import Target
from eks6check.sources import Collector, Collectors
from eks6check.sources.sealing import seal, seal_template

SCHEMA = "eks6check/snapshot/v1"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A snapshot as read: its target, the sources it was taken of, and its facts."""

    target: Target
    sources: tuple[str, ...]
    facts: Facts

    def target_of(self, facts: Facts) -> Target:
        """The target as it was written down, whatever else the run has read."""
        del facts
        return self.target


@cache
def _adapter(section: str) -> Any:
    from pydantic import TypeAdapter  # noqa: PLC0415  a third of a second, and only for snapshots

    records: Any = tuple.__class_getitem__((getattr(aws, SECTIONS[section]), ...))
    return TypeAdapter(records)


@cache
def _head_adapter() -> Any:
    from pydantic import TypeAdapter  # noqa: PLC0415  likewise

    return TypeAdapter(Target), TypeAdapter(tuple[Gap, ...])


def dumps(facts: Facts, target: Target, sources: tuple[str, ...]) -> str:
    """The snapshot's text: JSON, the same for the same facts."""
    target_adapter, gaps_adapter = _head_adapter()
    sections = {
        name: {"items": _dump_items(name, section), "gaps": gaps_adapter.dump_python(section.gaps, mode="json")}
        for name, section in sorted(facts.items())
    }
    head = {
        "schema": SCHEMA,
        "tool": {"name": "eks6check", "version": eks6check.__version__},
        "target": target_adapter.dump_python(target, mode="json"),
        "sources": list(sources),
    }
    return json.dumps({**head, "sections": sections}, indent=1) + "\n"


def _dump_items(name: str, section: Section[Any]) -> Any:
    if SECTIONS[name] == "Resource":
        return [seal(resource.body) for resource in section.items]
    items = map(seal_template, section.items) if name == "launch_templates" else section.items
    return _adapter(name).dump_python(tuple(items), mode="json", exclude_defaults=True)


def read(path: Path) -> Snapshot:
    """The snapshot in a file.

    Raises:
        UsageError: there is no such file, or it is no snapshot that this release can read.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"The snapshot {path} cannot be read: {error.strerror}.", "Check the path.") from error
    except ValueError as error:
        raise UsageError(f"{path} is not a snapshot: it is not JSON.", "`eks6check snapshot` writes one.") from error
    if not isinstance(content, dict) or content.get("schema") != SCHEMA:
        found = mapping(content).get("schema") or "no schema"
        raise UsageError(f"{path} says {found!r}, and this release reads {SCHEMA}.", "Take a new snapshot with it.")
    try:
        return _parse(content)
    except (KeyError, TypeError, ValueError) as error:
        raise UsageError(f"{path} is damaged: {_first_line(error)}.", "Take a new snapshot.") from error


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]


def _parse(content: Mapping[str, Any]) -> Snapshot:
    target_adapter, gaps_adapter = _head_adapter()
    facts = {
        name: Section(_load_items(name, section["items"]), gaps_adapter.validate_python(section["gaps"]))
        for name, section in content["sections"].items()
        if name in SECTIONS
    }
    return Snapshot(target_adapter.validate_python(content["target"]), tuple(content["sources"]), facts)


def _load_items(name: str, items: Any) -> tuple[Any, ...]:
    if SECTIONS[name] != "Resource":
        loaded: tuple[Any, ...] = _adapter(name).validate_python(items)
        return loaded
    resources = [Resource(body) for body in items if isinstance(body, dict)]
    return tuple(replace(each, origin=Origin("cluster", id=each.subject.id)) for each in resources)


def collectors(taken: Snapshot) -> Collectors:
    """A collector for every section that the snapshot's sources give. What it does not hold is a gap, no absence."""
    return tuple(
        Collector(name, partial(_held, name), (), ())
        for name, kind in SECTIONS.items()
        if name not in FILES_ONLY and ("cluster" if kind == "Resource" else "aws") in taken.sources
    )


def _held(name: str, taken: Snapshot) -> Iterator[Any]:
    if name not in taken.facts:
        yield Gap("read", f"The snapshot does not hold {name}.", "Take a new snapshot with this release.")
        return
    yield from taken.facts[name].items
    yield from taken.facts[name].gaps
