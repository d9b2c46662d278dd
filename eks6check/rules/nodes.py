"""Nodes: the instance types that can carry IPv6 pods."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from eks6check.catalog import rule
from eks6check.facts import Fact, Path, Places
from eks6check.facts.karpenter import Requirement, existing, is_auto_mode, requirements, template_path
from eks6check.facts.kube import Resource, mapping, pod_spec, sequence, wire
from eks6check.facts.machines import (
    INSTANCE_TYPE_LABELS,
    Machine,
    all_groups,
    crowd,
    grouped,
    groups_of,
    machines,
    once,
)
from eks6check.findings import Confidence, Problem, Severity
from eks6check.knowledge.instance_types import (
    admitted,
    examples,
    karpenter_labels,
    known,
    nitro_equivalents,
    retired,
    xen,
)

if TYPE_CHECKING:
    from eks6check.facts.aws import AutoScalingGroup, Instance, InstanceType, LaunchTemplate, NodeGroup

NAMING = ("node.kubernetes.io/instance-type", "karpenter.k8s.aws/instance-family")
"""Requirements that name hardware outright, rather than describe it."""


@rule
def non_nitro_instance_type(  # noqa: PLR0913, PLR0917  a rule's parameters are the sections that it reads
    node_groups: Sequence[NodeGroup] = (),
    launch_templates: Sequence[LaunchTemplate] = (),
    instances: Sequence[Instance] = (),
    nodes: Sequence[Resource] = (),
    workloads: Sequence[Resource] = (),
    instance_types: Sequence[InstanceType] = (),
    auto_scaling_groups: Sequence[AutoScalingGroup] = (),
) -> Iterator[Problem]:
    """Xen has no prefix delegation, so the CNI refuses to start there in IPv6. Bare metal is fine.

    A type that a group names takes the place of its template's.
    """
    groups = all_groups(node_groups, auto_scaling_groups)
    for group in node_groups:
        if names := xen(group.instance_types, instance_types):
            yield _on_xen(group, f"Node group {group} launches", names, instance_types)
    for mixed in auto_scaling_groups:
        if names := xen(mixed.instance_types, instance_types):
            yield _on_xen(mixed, f"Auto Scaling group {mixed} launches", names, instance_types, remedy="overrides")
    typed = [
        each for each in launch_templates if each.instance_type and _counts(each, node_groups, auto_scaling_groups)
    ]
    for template in once(each for each in typed if xen([each.instance_type or ""], instance_types)):
        also: Places = tuple((group, ()) for group in groups_of(template, groups))
        names = (str(template.instance_type),)
        said = f"Launch template {template} launches"
        yield _on_xen(template, said, names, instance_types, also=also, remedy="template")
    told = {group.id for group in groups if group.instance_types} | {each.id for each in typed}
    told |= {group.id for each in typed for group in groups_of(each, groups)}
    yield from _machines_on_xen(machines(instances, nodes), told, instance_types)
    for workload in workloads:
        for path, chosen in demanded_types(workload):
            names = xen(chosen, instance_types)
            if names and len(names) == len(set(chosen)):
                yield _on_xen(workload, f"{workload} runs only on", names, instance_types, at=path, remedy="pod")
                break


def _counts(
    template: LaunchTemplate, node_groups: Sequence[NodeGroup], auto_scaling_groups: Sequence[AutoScalingGroup]
) -> bool:
    """Whether a node can get the type that a template names: not where mixed groups alone use it, with their own."""
    mixed = groups_of(template, auto_scaling_groups)
    only_mixed = bool(mixed) and all(group.instance_types for group in mixed)
    return not only_mixed or bool(groups_of(template, node_groups))


def _machines_on_xen(found: Sequence[Machine], told: set[str], live: Sequence[InstanceType]) -> Iterator[Problem]:
    """Machines whose group or template names no type; Karpenter's are its pools' business."""
    loose = [
        each for each in found if not each.pool and not told & {each.managed_group, each.scaling_group, each.template}
    ]
    for same in grouped(loose, lambda each: f"{each.group}\n{each.instance_type}"):
        if names := xen([same[0].instance_type], live):
            also = tuple((each.fact, ()) for each in same[1:])
            yield _on_xen(same[0].fact, f"{crowd(same)} runs on", names, live, also=also, key=names[0])


def _on_xen(subject: Fact, sentence: str, names: Sequence[str], live: Sequence[InstanceType], **more: Any) -> Problem:
    types = known(live)
    nitro = {name: list(nitro_equivalents(name, types)) for name in names}
    offers = [(types[old], types[new[0]]) for old, new in nitro.items() if new]
    advice = _offer("Of the same shape", [pair for pair in offers if _same_shape(*pair)])
    advice += _offer("Nearest in shape", [pair for pair in offers if not _same_shape(*pair)])
    first = next((new for new in nitro.values() if new), [])
    return Problem(
        subject,
        f"{sentence} {', '.join(names)}, which {_runs(names)} on Xen; IPv6 pods need Nitro or bare metal.{advice}",
        evidence={
            "instance_types": list(names),
            "subject": subject.subject.id,
            "nitro": nitro,
            "instance_type": names[0],
            "replacement": first[0] if first else "NITRO_TYPE",
            "replacements": " or ".join(first) or "none known",
        },
        **more,
    )


def _same_shape(old: InstanceType, new: InstanceType) -> bool:
    """Whether the newer type has exactly the older one's vCPUs and memory; a shared architecture it has anyway."""
    return (old.vcpus, old.memory_mib) == (new.vcpus, new.memory_mib)


def _offer(words: str, pairs: Sequence[tuple[InstanceType, InstanceType]]) -> str:
    named = ", ".join(f"{new} in place of {old}" for old, new in pairs)
    return f" {words}: {named}." if named else ""


def _runs(names: Sequence[str]) -> str:
    return "runs" if len(names) == 1 else "run"


def demanded_types(workload: Resource) -> Iterator[tuple[Path, tuple[str, ...]]]:
    """Instance types outside which a workload's pods cannot run, with the path to them.

    The terms of a node affinity are alternatives, so they are taken together, and only if every one of them names
    types. A ``NotIn`` or a preference demands nothing.
    """
    path, spec = pod_spec(workload)
    for label in INSTANCE_TYPE_LABELS:
        if value := mapping(spec.get("nodeSelector")).get(label):
            yield (*path, "nodeSelector", label), (wire(value),)
    required = ("affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution", "nodeSelectorTerms")
    terms = sequence(_at(spec, required))
    named = [_named_types(mapping(term)) for term in terms]
    if named and all(named):
        yield (*path, *required), tuple(name for names in named for name in names)


def _named_types(term: Mapping[str, Any]) -> tuple[str, ...]:
    for entry in sequence(term.get("matchExpressions")):
        expression = mapping(entry)
        if expression.get("key") in INSTANCE_TYPE_LABELS and expression.get("operator") == "In":
            return tuple(wire(value) for value in sequence(expression.get("values")))
    return ()


def _at(value: object, path: Sequence[str]) -> object:
    for key in path:
        value = mapping(value).get(key)
    return value


@rule
def karpenter_admits_non_nitro(
    node_pools: Sequence[Resource], instance_types: Sequence[InstanceType] = ()
) -> Iterator[Problem]:
    """Karpenter takes the cheapest type that the requirements admit, and nothing here keeps Xen out.

    Auto Mode chooses its own hardware; its pools are judged only by the types that they name.
    """
    types = known(instance_types) if node_pools else {}
    for pool in node_pools:
        wanted = list(requirements(pool))
        if problem := _naming_xen(pool, wanted, types) or _open_to_xen(pool, wanted, types):
            yield problem


def _naming_xen(pool: Resource, wanted: Sequence[Requirement], types: Mapping[str, InstanceType]) -> Problem | None:
    slow = [kind for kind in types.values() if kind.hypervisor == "xen"]
    reached = [karpenter_labels(kind) for kind in admitted(wanted, slow)]
    for requirement in wanted:
        names = [value for value in requirement.values if value in {labels.get(requirement.key) for labels in reached}]
        if requirement.key in NAMING and requirement.operator == "In" and names:
            at = (*requirement.path, "values", requirement.values.index(names[0]))
            return Problem(
                pool,
                f"{pool} names {', '.join(names)}, which {_runs(names)} on Xen; IPv6 pods need Nitro or bare metal.",
                at=at if pool.get(*at) is not None else requirement.path,
                evidence={"requirement": requirement.key, "xen": names, "names": ", ".join(names)},
                severity=Severity.WARNING if is_auto_mode(pool) else Severity.BLOCKER,
                confidence=Confidence.MEDIUM if is_auto_mode(pool) else Confidence.HIGH,
                remedy="named",
            )
    return None


def _open_to_xen(pool: Resource, wanted: Sequence[Requirement], types: Mapping[str, InstanceType]) -> Problem | None:
    on_offer = [kind for name, kind in types.items() if name not in retired()]
    slow = sorted(kind.id for kind in admitted(wanted, [kind for kind in on_offer if kind.hypervisor == "xen"]))
    if not slow or is_auto_mode(pool):
        return None
    some = examples(slow, types)
    only = next(admitted(wanted, [kind for kind in on_offer if kind.hypervisor != "xen"]), None) is None
    labels = karpenter_labels(types[slow[0]])
    vague = any(each.key.startswith("karpenter.k8s.aws/instance-") and each.key not in labels for each in wanted)
    return Problem(
        pool,
        f"{pool} admits {'only' if only else len(slow)} Xen types, such as {', '.join(some)}, and no requirement asks "
        "for the Nitro hypervisor; IPv6 pods need Nitro or bare metal.",
        at=existing(pool, (*template_path(pool), "requirements")),
        evidence={"xen": slow},
        severity=Severity.BLOCKER if only else Severity.WARNING,
        confidence=Confidence.MEDIUM if vague else Confidence.HIGH,
    )
