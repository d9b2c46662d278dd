"""Views on the VPC CNI: the places that configure it, and what each tells it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from eks6check.facts import Path
from eks6check.facts.kube import Container, Resource, containers, mapping, sequence, text, wire

if TYPE_CHECKING:
    from eks6check.facts.aws import Addon

TRUE = frozenset({"1", "t", "T", "TRUE", "true", "True"})
"""What the CNI reads as true (Go's strconv.ParseBool); everything else is false."""

VERSION = re.compile(r"v?([0-9]{1,9})\.([0-9]{1,9})(?:\.([0-9]{1,9}))?")
IMAGE = "amazon-k8s-cni"
NUMBER = re.compile(r"-?[0-9]{1,9}")


class Setting(NamedTuple):
    """A value that the CNI is told, and the path to it; the value is None where something else supplies it."""

    path: Path
    value: str | None


class Cni(NamedTuple):
    """One place that configures the CNI: a DaemonSet or the EKS add-on, with its settings by name.

    ``open`` tells that a setting which is not here can still come from elsewhere: from ``envFrom``, or from the whole
    DaemonSet where this is a patch for it, known by its lack of an image.
    """

    fact: Resource | Addon
    path: Path
    version: str
    settings: Mapping[str, Setting]
    open: bool

    def __str__(self) -> str:
        return str(self.fact) if isinstance(self.fact, Resource) else f"Add-on {self.fact}"

    def on(self, name: str) -> bool:
        """Whether a switch is on."""
        return name in self.settings and self.settings[name].value in TRUE

    def unknown(self, name: str) -> bool:
        """Whether the switch may be set, to a value that cannot be seen here."""
        return self.settings[name].value is None if name in self.settings else self.open

    def number(self, name: str) -> int:
        """A setting as a whole number; 0 where it is none, as the CNI reads it."""
        value = self.settings[name].value if name in self.settings else None
        return int(value) if value and NUMBER.fullmatch(value) else 0

    def at(self, name: str) -> Path:
        """Where a setting stands, or where it would."""
        return self.settings[name].path if name in self.settings else self.path


def daemon_sets(workloads: Sequence[Resource]) -> Iterator[Cni]:
    """Each DaemonSet that runs the VPC CNI, known by its image, or by its name in kube-system."""
    for workload in workloads:
        if workload.kind != "DaemonSet":
            continue
        named = (workload.namespace, workload.name) == ("kube-system", "aws-node")
        for container in containers(workload):
            if _repository(container.image) == IMAGE or (named and container.name == "aws-node"):
                yield _of_container(workload, container)
                break


def _of_container(workload: Resource, container: Container) -> Cni:
    settings = {}
    for index, entry in enumerate(sequence(container.body.get("env"))):
        variable = mapping(entry)
        value, path = variable.get("value"), (*container.path, "env", index)
        if value is not None:
            settings[text(variable.get("name"))] = Setting((*path, "value"), wire(value))
        elif variable.get("valueFrom") is not None:
            settings[text(variable.get("name"))] = Setting(path, None)
    tag = container.image.partition("@")[0].rpartition("/")[2].partition(":")[2]
    if _repository(container.image) != IMAGE:
        tag = ""  # a mirror under another name may count by itself
    outside = not container.image or bool(sequence(container.body.get("envFrom")))
    return Cni(workload, (*container.path, "image"), tag, settings, open=outside)


def _repository(image: str) -> str:
    return image.partition("@")[0].rpartition("/")[2].partition(":")[0]


def add_on(addons: Sequence[Addon]) -> Cni | None:
    """The ``vpc-cni`` add-on. Its configuration overrides defaults, so what it leaves out is not off."""
    for addon in addons:
        if addon.id == "vpc-cni":
            env = mapping(addon.configuration.get("env"))
            settings = {name: Setting((), wire(value)) for name, value in env.items() if value is not None}
            return Cni(addon, (), addon.version, settings, open=True)
    return None


def configured(workloads: Sequence[Resource], addons: Sequence[Addon]) -> list[Cni]:
    """Every place that configures the CNI, the add-on first, then DaemonSets by their origin."""
    found = sorted(daemon_sets(workloads), key=lambda each: (each.fact.subject.id, each.fact.origin.file))
    managed = add_on(addons)
    return [managed, *found] if managed else found


def version(tag: str) -> tuple[int, int, int] | None:
    """The numbers of a version such as ``v1.12.6-eksbuild.2``; None for a tag that is none."""
    found = VERSION.match(tag)
    return (int(found[1]), int(found[2]), int(found[3] or 0)) if found else None
