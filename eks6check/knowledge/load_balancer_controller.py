"""The AWS Load Balancer Controller: the annotations it reads, the releases that brought what IPv6 needs, near misses.

``load_balancer_controller.json`` holds the facts with their sources. An annotation that ends in a dot stands for a
family, such as ``actions.`` with the action's name behind it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import NamedTuple

from eks6check.facts.kube import Resource
from eks6check.facts.load_balancing import annotation
from eks6check.knowledge import data

SLIPS = 2
"""How many letters a near miss may differ by."""


class Annotation(NamedTuple):
    """An annotation: the kinds of objects it is read on, and the values it takes where they are a closed list."""

    kinds: frozenset[str]
    values: tuple[str, ...]
    since: str


@cache
def recorded() -> Mapping[str, Annotation]:
    """Every annotation that the controller or the in-tree controller reads, by key. Read on first use."""
    rows = data("load_balancer_controller")["annotations"]
    return {
        row["key"]: Annotation(frozenset(row["kinds"]), tuple(row.get("values", ())), row.get("since", ""))
        for row in rows
    }


@cache
def first_release(feature: str) -> tuple[int, ...]:
    """The first release with a feature, ``ipv6`` or ``subnet_choice``, or the first that reads an annotation."""
    known = recorded().get(feature)
    release = known.since if known else data("load_balancer_controller")["releases"][feature]
    return tuple(int(part) for part in release.split("."))


def dotted(release: Iterable[int]) -> str:
    """A release as people write it."""
    return ".".join(map(str, release))


def values(key: str) -> tuple[str, ...]:
    """The values that an annotation takes."""
    return recorded()[key].values


def is_known(key: str, kind: str) -> bool:
    """Whether a key is read on objects of that kind."""
    family = key[: key.find(".", key.find("/")) + 1]
    return any(kind in recorded()[each].kinds for each in (key, family) if each in recorded())


def for_another_cloud(service: Resource) -> str | None:
    """What a Service says to another provider's load balancers: an annotation, or an address; None if it speaks to AWS.

    The in-tree controller stops at ``loadBalancerIP``: "LoadBalancerIP cannot be specified for AWS ELB"
    (EnsureLoadBalancer of cloud-provider-aws, read 2026-11-25).
    """
    keys = [str(key) for key in service.annotations]
    if any(is_known(key, service.kind) for key in keys):
        return None
    others = (key for key in keys if key.startswith(tuple(data("load_balancer_controller")["other_clouds"])))
    placed = service.get("spec", "loadBalancerIP") and not service.get("spec", "loadBalancerClass")
    return next(others, "loadBalancerIP" if placed else None)


def near_miss(resource: Resource, key: str) -> str | None:
    """A key that was meant as ``key`` and is not read on this object; None where there is none, or the right one is.

    A known key is never a near miss, and neither is one whose value the right key would not take.
    """
    if key in resource.annotations:
        return None
    accepted = {squeeze(value) for value in values(key)}
    for candidate in resource.annotations:
        known = is_known(str(candidate), resource.kind)
        if not known and resembles(str(candidate), key) and squeeze(annotation(resource, candidate) or "") in accepted:
            return str(candidate)
    return None


@cache
def resembles(candidate: str, key: str) -> bool:
    """Whether a key looks like another: a slip of the pen anywhere, or a right suffix behind another AWS prefix."""
    if within(squeeze(candidate), squeeze(key), SLIPS):
        return True
    prefix, _, suffix = candidate.rpartition("/")
    spellings: list[str] = data("load_balancer_controller")["spellings"][key]
    if not prefix:
        return any(within(squeeze(suffix), squeeze(each), SLIPS) for each in spellings if each.startswith("aws"))
    related = any(within(prefix.strip().lower(), each, SLIPS) for each in data("load_balancer_controller")["prefixes"])
    return related and any(within(squeeze(suffix), squeeze(each), SLIPS) for each in spellings)


@cache
def squeeze(words: str) -> str:
    """Letters and digits alone, in lower case: what is left of a key when spaces, dashes and capitals do not count."""
    return re.sub(r"[^a-z0-9]", "", words.lower())


def within(one: str, other: str, slips: int) -> bool:
    """Whether two words are at most so many inserted, missing or changed letters apart."""
    if abs(len(one) - len(other)) > slips:
        return False
    row = list(range(len(other) + 1))
    for index, letter in enumerate(one, 1):
        above, row = row, [index]
        for column, against in enumerate(other, 1):
            row.append(min(above[column] + 1, row[-1] + 1, above[column - 1] + (letter != against)))
        if min(row) > slips:
            return False
    return row[-1] <= slips
