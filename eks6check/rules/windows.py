"""Windows: nodes and pods that have no place in an IPv6 cluster."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from eks6check.catalog import rule
from eks6check.facts import Path
from eks6check.facts.karpenter import windows_place
from eks6check.facts.kube import Container, Resource, containers, mapping, pod_spec, sequence, text
from eks6check.facts.machines import all_groups, crowd, grouped, groups_of, machines, once
from eks6check.findings import Confidence, Problem

if TYPE_CHECKING:
    from eks6check.facts.aws import AutoScalingGroup, Image, Instance, LaunchTemplate, NodeGroup

OS_LABELS = ("kubernetes.io/os", "beta.kubernetes.io/os")
TERMS = ("affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution", "nodeSelectorTerms")


@rule
def windows_node_or_workload(  # noqa: PLR0913, PLR0917  a rule's parameters are the sections that it reads
    node_groups: Sequence[NodeGroup] = (),
    launch_templates: Sequence[LaunchTemplate] = (),
    images: Sequence[Image] = (),
    auto_scaling_groups: Sequence[AutoScalingGroup] = (),
    instances: Sequence[Instance] = (),
    nodes: Sequence[Resource] = (),
    node_classes: Sequence[Resource] = (),
    workloads: Sequence[Resource] = (),
) -> Iterator[Problem]:
    """A DaemonSet is left alone: add-ons bring one for Windows to every cluster, and it runs where such nodes are."""
    told = set[str]()
    for group in node_groups:
        if group.ami_type.startswith("WINDOWS"):
            told |= {group.id, group.launch_template_id or ""}
            yield _windows(group, f"Node group {group} makes Windows nodes", ami_type=group.ami_type)
    windows = {image.id for image in images if image.platform == "windows"}
    groups = all_groups(node_groups, auto_scaling_groups)
    for template in once(each for each in launch_templates if each.image_id in windows and each.id not in told):
        users = groups_of(template, groups)
        told |= {template.id, *(group.id for group in users)}
        said = f"Launch template {template} makes Windows nodes"
        yield _windows(template, said, image=template.image_id, also=tuple((group, ()) for group in users))
    for node_class in node_classes:
        if place := windows_place(node_class):
            said = f"{node_class} makes Windows nodes"
            yield _windows(node_class, said, at=place, found=str(node_class.get(*place)))
    yield from _running(instances, nodes, told, classes=bool(node_classes))
    for workload in workloads:
        if workload.kind != "DaemonSet" and (found := windows_pod(workload)):
            path, sure = found
            confidence = Confidence.HIGH if sure else Confidence.MEDIUM
            said = f"{workload} runs on Windows"
            yield _windows(workload, said, at=path, remedy="workload", confidence=confidence)


def _windows(subject: Any, sentence: str, **more: Any) -> Problem:
    shown: dict[str, Any] = {key: more.pop(key) for key in ("ami_type", "image", "found") if key in more}
    return Problem(
        subject,
        f"{sentence}, and an IPv6 cluster has none: Windows pods get no IPv6 address.",
        evidence=shown,
        **more,
    )


def _running(
    instances: Sequence[Instance], nodes: Sequence[Resource], told: set[str], *, classes: bool
) -> Iterator[Problem]:
    """Windows machines whose group, template or node class has not been told of already."""
    found = machines(
        [each for each in instances if each.platform == "windows"],
        [each for each in nodes if any(each.labels.get(label) == "windows" for label in OS_LABELS)],
    )
    loose = [
        each
        for each in found
        if not told & {each.managed_group, each.scaling_group, each.template} and not (classes and each.pool)
    ]
    for same in grouped(loose, lambda each: each.group):
        also = tuple((each.fact, ()) for each in same[1:])
        yield _windows(same[0].fact, f"{crowd(same)} is a Windows node", also=also)


def windows_pod(workload: Resource) -> tuple[Path, bool] | None:
    """The place where a workload asks for Windows, and whether that settles it; None where it does not ask.

    The terms of a node affinity are alternatives, so all of them must ask for Windows and nothing else. Options for
    Windows settle it only beside something that does; on their own they are a hint, and beside Linux they are idle.
    """
    path, spec = pod_spec(workload)
    chosen = {label: mapping(spec.get("nodeSelector")).get(label) for label in OS_LABELS}
    for label, value in chosen.items():
        if value == "windows":
            return (*path, "nodeSelector", label), True
    system = mapping(spec.get("os")).get("name")
    if system == "windows":
        return (*path, "os", "name"), True
    terms = [mapping(term) for term in sequence(_at(spec, TERMS))]
    if terms and all(map(_asks_for_windows, terms)):
        return (*path, *TERMS), True
    if any(chosen.values()) or system or terms:
        return None
    for place, body in (Container(path, spec), *containers(workload)):
        if mapping(mapping(body.get("securityContext")).get("windowsOptions")):
            return (*place, "securityContext", "windowsOptions"), False
    return None


def _asks_for_windows(term: Mapping[str, Any]) -> bool:
    return any(
        text(expression.get("key")) in OS_LABELS
        and expression.get("operator") == "In"
        and expression.get("values") == ["windows"]
        for expression in map(mapping, sequence(term.get("matchExpressions")))
    )


def _at(value: object, path: Sequence[str]) -> object:
    for key in path:
        value = mapping(value).get(key)
    return value
