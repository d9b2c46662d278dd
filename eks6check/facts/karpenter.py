"""Views on Karpenter's objects: what a NodePool, or the Provisioner of old, requires of an instance type."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from eks6check.facts import Path
from eks6check.facts.kube import Resource, mapping, text, wire

AUTO_MODE = "eks.amazonaws.com"
"""The API group of EKS Auto Mode's node class, and the prefix of its own labels."""

ALIASES = {
    "beta.kubernetes.io/instance-type": "node.kubernetes.io/instance-type",
    "beta.kubernetes.io/arch": "kubernetes.io/arch",
}


class Requirement(NamedTuple):
    """One condition on a node's labels, as Karpenter reads it, and the path to it."""

    path: Path
    key: str
    operator: str
    values: tuple[str, ...]

    def admits(self, labels: Mapping[str, str | None]) -> bool:
        """Whether an instance type with these labels meets it.

        A label of value None is known not to be there. One that is missing says nothing, and so admits.
        """
        if self.key not in labels:
            return True
        value = labels[self.key]
        if value is None or self.operator in ("Exists", "DoesNotExist"):
            return (self.operator in ("NotIn", "DoesNotExist")) is (value is None)
        if self.operator in ("In", "NotIn"):
            return (value in self.values) is (self.operator == "In")
        return self._compares(value)

    def _compares(self, value: str) -> bool:
        try:
            have, bound = int(value), int(self.values[0])
        except (ValueError, IndexError):
            return True
        results = {"Gt": have > bound, "Lt": have < bound, "Gte": have >= bound, "Lte": have <= bound}
        return results.get(self.operator, True)


def template_path(pool: Resource) -> Path:
    """Where a pool describes its nodes: a Provisioner does so right in its spec."""
    return ("spec",) if pool.kind == "Provisioner" else ("spec", "template", "spec")


def requirements(pool: Resource) -> Iterator[Requirement]:
    """Every requirement of a pool; the labels that it gives its nodes count as requirements too."""
    path = (*template_path(pool), "requirements")
    for index, entry in enumerate(pool.list(*path)):
        each = mapping(entry)
        values = each.get("values")
        words = tuple(wire(value) for value in values) if isinstance(values, list) else ()
        yield Requirement((*path, index), _key(text(each.get("key"))), text(each.get("operator")), words)
    path = ("spec", "labels") if pool.kind == "Provisioner" else ("spec", "template", "metadata", "labels")
    for key, value in mapping(pool.get(*path)).items():
        yield Requirement((*path, key), _key(text(key)), "In", (wire(value),))


def _key(key: str) -> str:
    if key.startswith(f"{AUTO_MODE}/instance-"):
        return key.replace(AUTO_MODE, "karpenter.k8s.aws", 1)
    return ALIASES.get(key, key)


def is_auto_mode(pool: Resource) -> bool:
    """Whether EKS Auto Mode runs this pool's nodes."""
    return text(pool.get(*template_path(pool), "nodeClassRef", "group")) == AUTO_MODE


def pools_of(node_class: Resource, pools: Sequence[Resource]) -> list[Resource]:
    """The pools that make their nodes of this class."""
    if node_class.kind == "AWSNodeTemplate":
        return [pool for pool in pools if pool.get("spec", "providerRef", "name") == node_class.name]
    return [
        pool
        for pool in pools
        if pool.kind == "NodePool"
        and not is_auto_mode(pool)
        and pool.get(*template_path(pool), "nodeClassRef", "name") == node_class.name
    ]


def windows_place(node_class: Resource) -> Path | None:
    """Where a node class says that its nodes run Windows; None where it does not."""
    aliases = enumerate(node_class.list("spec", "amiSelectorTerms"))
    places: list[tuple[Path, object]] = [(("spec", "amiFamily"), node_class.get("spec", "amiFamily"))]
    places += [(("spec", "amiSelectorTerms", index, "alias"), mapping(term).get("alias")) for index, term in aliases]
    return next((path for path, value in places if text(value).lower().startswith("windows")), None)


def existing(resource: Resource, path: Path) -> Path:
    """The path itself, or its nearest parent that is there: the place to point at for a missing key."""
    while path and resource.get(*path) is None:
        path = path[:-1]
    return path
