"""Kubernetes objects as one class, and the small views that rules share.

A ``Resource`` is the mapping as it stands on the wire, camelCase and all, whether it came from a live list or a file.
Nothing in it can be trusted to have the right type, so the views return only what does.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from eks6check.facts import Origin, Path, Subject
from eks6check.facts.kinds import CLUSTER_SCOPED, WORKLOADS


def mapping(value: object) -> Mapping[str, Any]:
    """The value if it is a mapping, else an empty one."""
    return value if isinstance(value, dict) else {}


def sequence(value: object) -> list[Any]:
    """The value if it is a list, else an empty one."""
    return value if isinstance(value, list) else []


def text(value: object) -> str:
    """The value if it is a string, else an empty one."""
    return value if isinstance(value, str) else ""


@dataclass(frozen=True, slots=True)
class Resource:
    """One Kubernetes object: its raw mapping, and where it was read."""

    body: Mapping[str, Any]
    origin: Origin = field(default=Origin("manifests"))

    @property
    def kind(self) -> str:
        """The object's kind, such as ``Service``."""
        return text(self.body.get("kind"))

    @property
    def group(self) -> str:
        """The API group without the version; empty for the core group."""
        return text(self.body.get("apiVersion")).rpartition("/")[0]

    @property
    def name(self) -> str:
        """The object's name, or its ``generateName`` where it has none yet; ``true`` for a bare ``y``."""
        metadata = mapping(self.body.get("metadata"))
        name = metadata.get("name")
        return wire(name) if isinstance(name, bool | int | float) else text(name) or text(metadata.get("generateName"))

    @property
    def namespace(self) -> str:
        """The object's namespace, ``default`` where none is named; empty for a kind that lives in none."""
        if self.kind in CLUSTER_SCOPED:
            return ""
        return text(self.get("metadata", "namespace")) or "default"

    @property
    def labels(self) -> Mapping[str, Any]:
        """The object's labels."""
        return mapping(self.get("metadata", "labels"))

    @property
    def annotations(self) -> Mapping[str, Any]:
        """The object's annotations; values are strings where the API server has seen them."""
        return mapping(self.get("metadata", "annotations"))

    @property
    def subject(self) -> Subject:
        """Group or version, kind, namespace and name, as in ``v1/Service/shop/web``: the same live and in a file."""
        owner = self.group or "v1"
        return Subject(self.kind, "/".join(part for part in (owner, self.kind, self.namespace, self.name) if part))

    def get(self, *path: str | int) -> Any:
        """The value at a path of keys and positions, or None where the path leads nowhere."""
        value: Any = self.body
        for key in path:
            if isinstance(value, dict):
                value = value.get(key)
            elif isinstance(value, list) and isinstance(key, int) and key < len(value):
                value = value[key]
            else:
                return None
        return value

    def list(self, *path: str | int) -> list[Any]:
        """The list at a path, or an empty one."""
        return sequence(self.get(*path))

    def __str__(self) -> str:
        if not self.name:
            return f"{self.kind} without a name"
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"


HOOKS: tuple[tuple[str, ...], ...] = (
    ("livenessProbe",),
    ("readinessProbe",),
    ("startupProbe",),
    ("lifecycle", "postStart"),
    ("lifecycle", "preStop"),
)
"""What kubelet calls a container for, by the path in it."""


class Container(NamedTuple):
    """A container of a workload and the path to it."""

    path: Path
    body: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The container's name."""
        return text(self.body.get("name"))

    @property
    def image(self) -> str:
        """The image as written."""
        return text(self.body.get("image"))

    def env(self) -> Iterator[tuple[Path, str, str]]:
        """Each variable that has a value: the path to the value, the name, and the value as the process sees it."""
        for index, entry in enumerate(sequence(self.body.get("env"))):
            variable = mapping(entry)
            if variable.get("value") is not None:
                yield (*self.path, "env", index, "value"), text(variable.get("name")), wire(variable["value"])

    def arguments(self) -> Iterator[tuple[Path, str]]:
        """Each word of the command line with its path, ``command`` before ``args``."""
        for field_name in ("command", "args"):
            for index, word in enumerate(sequence(self.body.get(field_name))):
                yield (*self.path, field_name, index), wire(word)

    def hooks(self) -> Iterator[tuple[Path, Mapping[str, Any]]]:
        """Each probe and each hook of the container's life that it has, with the path to it."""
        for hook in HOOKS:
            body = self.body
            for name in hook:
                body = mapping(body.get(name))
            if body:
                yield (*self.path, *hook), body

    def hook_commands(self) -> Iterator[tuple[Path, list[tuple[Path, str]]]]:
        """Each probe and hook that runs a command: the path to it, and the words with the path to each."""
        for path, hook in self.hooks():
            words = sequence(mapping(hook.get("exec")).get("command"))
            yield path, [((*path, "exec", "command", index), wire(word)) for index, word in enumerate(words)]


def wire(value: object) -> str:
    """A scalar as the API server would carry it in a string: ``true`` for a YAML boolean, not ``True``."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def owned_by(resource: Resource) -> str:
    """The object that made this one and keeps it as it is, such as ``Gateway web``; empty where none did."""
    owners = map(mapping, resource.list("metadata", "ownerReferences"))
    names = (f"{text(owner.get('kind'))} {text(owner.get('name'))}".strip() for owner in owners)
    return next(filter(None, names), "")


def made_by_workload(resource: Resource) -> bool:
    """Whether a workload that has a section of its own made this object: a Deployment its ReplicaSets, a Job its Pods.

    What a controller of another kind made (an Argo Rollout, an operator) is not, since nothing else stands for it; but
    for its ReplicaSets without replicas, which are history.
    """
    for owner in map(mapping, resource.list("metadata", "ownerReferences")):
        if owner.get("controller") is True:
            group = text(owner.get("apiVersion")).rpartition("/")[0]
            idle = resource.kind == "ReplicaSet" and resource.get("spec", "replicas") == 0
            return idle or (group, text(owner.get("kind"))) in WORKLOADS
    return False


CONTAINERS, INIT = "containers", "initContainers"
"""The lists of a pod spec by which it is known."""

POD_SPEC_PATHS: tuple[Path, ...] = (
    ("spec", "template", "spec"),
    ("spec", "jobTemplate", "spec", "template", "spec"),
    ("spec", "podTemplate", "spec"),
    ("spec", "deployment", "podTemplate", "spec"),
    ("spec", "daemonSet", "podTemplate", "spec"),
    ("spec", "nodeSets", 0, "podTemplate", "spec"),
    ("spec", "statefulSet", "spec", "template", "spec"),
    ("spec", "jobTargetRef", "template", "spec"),
)
"""Where objects keep a pod spec: built-in kinds, those of Argo and KEDA, and what Elastic's and MongoDB's make pods of.

Of several sets of nodes the first stands for all.
"""


def pod_spec(resource: Resource) -> tuple[Path, Mapping[str, Any]]:
    """The path to a workload's pod spec, and the spec; ``((), {})`` where it holds none.

    Looks where the built-in workloads and most custom ones keep it, so that an Argo Rollout is seen like a Deployment.
    """
    paths = (("spec",),) if resource.kind == "Pod" else POD_SPEC_PATHS
    for path in paths:
        spec = resource.get(*path)
        if isinstance(spec, dict) and (isinstance(spec.get(CONTAINERS), list) or isinstance(spec.get(INIT), list)):
            return path, spec
    return (), {}


def on_host_network(resource: Resource) -> bool:
    """Whether a workload's pods are on their node's own network, and have its addresses."""
    return pod_spec(resource)[1].get("hostNetwork") is True


def pod_labels(resource: Resource) -> Mapping[str, Any]:
    """The labels of a workload's pods: a Pod's own, or those of the template."""
    path, _ = pod_spec(resource)
    return resource.labels if resource.kind == "Pod" else mapping(resource.get(*path[:-1], "metadata", "labels"))


def containers(resource: Resource) -> Iterator[Container]:
    """Every container of a workload, those that only start it included."""
    path, spec = pod_spec(resource)
    for field_name in (INIT, CONTAINERS):
        for index, body in enumerate(sequence(spec.get(field_name))):
            if isinstance(body, dict):
                yield Container((*path, field_name, index), body)
