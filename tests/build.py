"""Builders: facts for a test in as few words as the test needs, everything else as a default."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from functools import cache
from io import BytesIO
from typing import Any

import yaml
from pydantic import TypeAdapter

from eks6check import engine
from eks6check.catalog import Rule, load
from eks6check.facts import SECTIONS, Facts, Gap, Origin, Section, aws
from eks6check.facts.kube import Resource
from eks6check.findings import Outcome
from eks6check.sources import collect, manifests


def rule(word: str) -> Rule:
    """The catalogue's rule of that id or name."""
    return next(each for each in load() if word in (each.id, each.name))


def resource(body: str | Mapping[str, Any], source: str = "cluster") -> Resource:
    """A Kubernetes object out of YAML or a mapping, live by default."""
    parsed = yaml.safe_load(body) if isinstance(body, str) else body
    made = Resource(parsed, Origin(source, file="test.yaml" if source == "manifests" else ""))
    return Resource(parsed, Origin(source, id=made.subject.id, file=made.origin.file))


def record(section: str, values: Mapping[str, Any]) -> Any:
    """A fact of that section: an AWS record out of its fields, or a Resource out of its body."""
    if SECTIONS[section] == "Resource":
        return resource(values)
    return _adapter(section).validate_python({"origin": Origin("aws", id=str(values["id"])), **values})


@cache
def _adapter(section: str) -> TypeAdapter[Any]:
    return TypeAdapter(getattr(aws, SECTIONS[section]))


def facts(gaps: Mapping[str, Iterable[Gap]] | None = None, /, **sections: Iterable[Any]) -> Facts:
    """Sections out of field mappings, records or Resources; ``gaps`` adds gaps by section."""
    gaps = gaps or {}
    names = [*sections, *(name for name in gaps if name not in sections)]
    return {
        name: Section(
            tuple(
                record(name, item) if isinstance(item, Mapping) else resource(item) if isinstance(item, str) else item
                for item in sections.get(name, ())
            ),
            tuple(gaps.get(name, ())),
        )
        for name in names
    }


def example(text: str) -> Facts:
    """An example of rules.yaml as facts: sections as they stand, or manifests as `lint` reads them."""
    bodies = list(yaml.safe_load_all(text))
    if len(bodies) == 1 and bodies[0].keys() <= SECTIONS.keys():
        return facts(**bodies[0])
    files = manifests.read(["-"], BytesIO(text.encode()))
    assert (files.gaps, files.notes) == ((), ())
    return collect([(files, manifests.COLLECTORS)], SECTIONS)


def judge(word: str, known: Facts | None = None, /, **sections: Iterable[Any]) -> Outcome:
    """The outcome of one rule over these sections; a rule that raises fails the test."""
    outcome = engine.judge(rule(word), known if known is not None else facts(**sections))
    assert not outcome.error, outcome.error
    return outcome


def messages(word: str, **sections: Iterable[Any]) -> list[str]:
    """What one rule says about these sections."""
    return [finding.message for finding in judge(word, **sections).findings]


def field_names(kind: type) -> set[str]:
    """The fields of a record class."""
    return {each.name for each in fields(kind)}
