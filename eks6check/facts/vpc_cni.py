"""Views on the VPC CNI: the places that configure it, and what each tells it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from eks6check.facts import Path, Places
from eks6check.facts.kube import Container, Resource, containers, mapping, sequence, text, wire
from eks6check.facts.patterns import regex
from eks6check.facts.versions import repository, tag

if TYPE_CHECKING:
    from eks6check.facts.aws import Addon

TRUE = frozenset({"1", "t", "T", "TRUE", "true", "True"})
FALSE = frozenset({"0", "f", "F", "FALSE", "false", "False"})
"""What the CNI reads as true and as false (Go's strconv.ParseBool); everything else is the switch's default."""

IMAGE = "amazon-k8s-cni"
INIT_IMAGE = "amazon-k8s-cni-init"
NUMBER = regex(r"-?[0-9]{1,9}")


class Setting(NamedTuple):
    """A value that the CNI is told, and the path to it; the value is None where something else supplies it."""

    path: Path
    value: str | None


class Cni(NamedTuple):
    """One place that configures the CNI: a DaemonSet or the EKS add-on, with its settings by name.

    ``init`` are those of the container that prepares the node. ``open`` tells that a setting which is not here can
    still come from elsewhere: from ``envFrom``, or from the whole DaemonSet where this is a patch for it, known by its
    lack of an image.
    """

    fact: Resource | Addon
    path: Path
    version: str
    settings: Mapping[str, Setting]
    open: bool
    init: Mapping[str, Setting] = {}

    def __str__(self) -> str:
        return str(self.fact) if isinstance(self.fact, Resource) else f"Add-on {self.fact}"

    def on(self, name: str) -> bool:
        """Whether a switch is on."""
        return name in self.settings and self.settings[name].value in TRUE

    def off(self, name: str) -> bool:
        """Whether a switch is turned off, and not just left out."""
        return name in self.settings and self.settings[name].value in FALSE

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
            if repository(container.image) == IMAGE or (named and container.name == "aws-node"):
                yield _of_container(workload, container)
                break


def _of_container(workload: Resource, container: Container) -> Cni:
    # A mirror under another name may count by itself.
    release = tag(container.image) if repository(container.image) == IMAGE else ""
    outside = not container.image or bool(sequence(container.body.get("envFrom")))
    init = {
        name: setting
        for each in containers(workload)
        if repository(each.image) == INIT_IMAGE or each.name == "aws-vpc-cni-init"
        for name, setting in _settings(each).items()
    }
    return Cni(workload, (*container.path, "image"), release, _settings(container), open=outside, init=init)


def _settings(container: Container) -> dict[str, Setting]:
    settings = {}
    for index, entry in enumerate(sequence(container.body.get("env"))):
        variable = mapping(entry)
        value, path = variable.get("value"), (*container.path, "env", index)
        if value is not None:
            settings[text(variable.get("name"))] = Setting((*path, "value"), wire(value))
        elif variable.get("valueFrom") is not None:
            settings[text(variable.get("name"))] = Setting(path, None)
    return settings


def add_on(addons: Sequence[Addon]) -> Cni | None:
    """The ``vpc-cni`` add-on. Its configuration overrides defaults, so what it leaves out is not off."""
    for addon in addons:
        if addon.id == "vpc-cni":
            values = addon.configuration
            env, init = mapping(values.get("env")), mapping(mapping(values.get("init")).get("env"))
            return Cni(addon, (), addon.version, _told(env), open=True, init=_told(init))
    return None


def _told(env: Mapping[str, object]) -> dict[str, Setting]:
    return {name: Setting((), wire(value)) for name, value in env.items() if value is not None}


def configured(workloads: Sequence[Resource], addons: Sequence[Addon]) -> list[Cni]:
    """Every place that configures the CNI, the add-on first, then DaemonSets by their origin."""
    found = sorted(daemon_sets(workloads), key=lambda each: (each.fact.subject.id, each.fact.origin.file))
    managed = add_on(addons)
    return [managed, *found] if managed else found


def reported(faulty: Sequence[Cni]) -> Iterator[tuple[Cni, Places]]:
    """The places to report of those with a fault, each with further ones.

    A live DaemonSet follows its add-on where both have it: the add-on is where to mend both.
    """
    followers: Places = tuple((each.fact, each.path) for each in faulty if _follows(each, faulty))
    for cni in faulty:
        if not _follows(cni, faulty):
            yield cni, () if isinstance(cni.fact, Resource) else followers


def _follows(cni: Cni, told: Sequence[Cni]) -> bool:
    live = isinstance(cni.fact, Resource) and cni.fact.origin.source == "cluster"
    return live and any(not isinstance(each.fact, Resource) for each in told)
