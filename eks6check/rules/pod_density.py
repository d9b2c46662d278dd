"""Pod density: how many pods kubelet admits, which in IPv6 no longer follows from interfaces and their addresses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from eks6check.catalog import rule
from eks6check.facts import Fact, Path
from eks6check.facts.karpenter import existing, pools_of, requirements, template_path, windows_place
from eks6check.facts.kube import Resource, text, wire
from eks6check.facts.machines import COMPUTE_TYPE, all_groups, crowd, grouped, groups_of, of_node, once
from eks6check.facts.user_data import max_pods
from eks6check.findings import Confidence, Problem
from eks6check.knowledge.instance_types import (
    LARGE_PODS,
    SMALL_PODS,
    SMALL_VCPUS,
    admitted,
    advised_pods,
    known,
    prefix_pods,
    secondary_ip_pods,
)

if TYPE_CHECKING:
    from eks6check.facts.aws import AutoScalingGroup, InstanceType, LaunchTemplate, NodeGroup

MANAGED_LABELS = (
    "eks.amazonaws.com/nodegroup",
    COMPUTE_TYPE,
    "karpenter.sh/nodepool",
    "karpenter.sh/provisioner-name",
)
"""A Node with one of these was made by EKS or Karpenter, which have a setting of their own to change."""

POOLS = ("NodePool", "Provisioner")
USUAL = "m5.large"
"""The type to count on where nothing tells which one it is."""

CLASS_LABELS = ("karpenter.k8s.aws/ec2nodeclass", "karpenter.sh/nodepool", "karpenter.sh/provisioner-name")
"""Labels by which a Karpenter Node names what it was made of: by class, or by the pool that held the setting of old."""


@rule
def max_pods_left_to_ipv4_formula(  # noqa: PLR0913, PLR0917  a rule's parameters are the sections that it reads
    node_groups: Sequence[NodeGroup] = (),
    launch_templates: Sequence[LaunchTemplate] = (),
    node_classes: Sequence[Resource] = (),
    node_pools: Sequence[Resource] = (),
    nodes: Sequence[Resource] = (),
    instance_types: Sequence[InstanceType] = (),
    auto_scaling_groups: Sequence[AutoScalingGroup] = (),
) -> Iterator[Problem]:
    """Nobody sets a maximum, so it follows the IPv4 interfaces, and an IPv6 node stays half empty."""
    for template in once(each for each in launch_templates if _counts_ipv4(each, groups_of(each, node_groups))):
        groups = groups_of(template, all_groups(node_groups, auto_scaling_groups))
        types = _types_of(template, groups)
        short = _short(types, instance_types)
        if not short:
            continue
        yield Problem(
            template,
            f"Launch template {template} brings its own image and its user data sets no maximum of pods, so the node "
            f"counts IPv4 addresses: {_arithmetic(short, types)}.",
            evidence={"max_pods": _advice(types, instance_types, SMALL_PODS)},
            confidence=Confidence.HIGH if template.user_data else Confidence.MEDIUM,
            remedy="user_data",
            also=tuple((group, ()) for group in groups),
        )
    unset = [(subject, path) for subject, path, value in karpenter_max_pods(node_classes, node_pools) if value is None]
    for subject, path in unset:
        types = _offered([subject] if subject.kind in POOLS else pools_of(subject, node_pools), instance_types)
        short = _short(types, instance_types)
        if short:
            yield Problem(
                subject,
                f"{subject} sets no maxPods, so Karpenter counts IPv4 addresses: {_arithmetic(short, types)}.",
                at=path,
                evidence={"maxPods": None},
                remedy="" if subject.kind == "EC2NodeClass" else "old",
            )
    yield from _counting_nodes(nodes, instance_types)


def _counting_nodes(nodes: Sequence[Resource], live: Sequence[InstanceType]) -> Iterator[Problem]:
    own = [of_node(node) for node in nodes if not any(label in node.labels for label in MANAGED_LABELS)]
    types = known(live) if own else {}
    for same in grouped(own, lambda each: f"{each.group}\n{each.instance_type}\n{capacity(each.fact)}"):
        kind, pods = types.get(same[0].instance_type), capacity(same[0].fact)
        if kind and pods == secondary_ip_pods(kind) and pods < advised_pods(kind.vcpus):
            yield Problem(
                same[0].fact,
                f"{crowd(same)} takes {pods} pods, the count of IPv4 addresses: {_arithmetic([kind], [kind.id])}.",
                evidence={"instance_type": kind.id, "pods": pods, "max_pods": advised_pods(kind.vcpus)},
                key=kind.id,
                remedy="user_data",
                also=tuple((each.fact, ()) for each in same[1:]),
            )


def capacity(node: Fact) -> int | None:
    """How many pods a Node says it takes; None where it does not say."""
    pods = wire(node.get("status", "capacity", "pods")) if isinstance(node, Resource) else ""
    return int(pods) if pods.isascii() and pods.isdigit() else None


def _counts_ipv4(template: LaunchTemplate, groups: Sequence[NodeGroup]) -> bool:
    """Whether a template brings an image of its own, so that EKS adds no maximum, and none is set. Not Windows."""
    windows = any(group.ami_type.startswith("WINDOWS") for group in groups)
    custom = bool(template.image_id) or any(group.ami_type == "CUSTOM" for group in groups)
    return custom and not windows and template.user_data != "" and max_pods(template.user_data or "") is None


def karpenter_max_pods(
    node_classes: Sequence[Resource], node_pools: Sequence[Resource]
) -> Iterator[tuple[Resource, Path, object]]:
    """Where Karpenter's maximum of pods belongs: the object, the path to the value or its parent, and the value.

    In v1 that is the EC2NodeClass; before, each NodePool or Provisioner had it. Windows nodes count by themselves.
    """
    for node_class in node_classes:
        users = pools_of(node_class, node_pools)
        if node_class.kind != "EC2NodeClass" or windows_place(node_class):
            continue
        if node_class.get("spec", "kubelet", "maxPods") is not None or not any(map(_pool_kubelet, users)):
            yield node_class, *_place(node_class, ("spec", "kubelet", "maxPods"))
    for pool in node_pools:
        if pool.kind == "Provisioner" or _pool_kubelet(pool):
            field = "kubeletConfiguration" if pool.kind == "Provisioner" else "kubelet"
            yield pool, *_place(pool, (*template_path(pool), field, "maxPods"))


def _pool_kubelet(pool: Resource) -> bool:
    return pool.kind == "NodePool" and pool.get("spec", "template", "spec", "kubelet", "maxPods") is not None


def _place(resource: Resource, path: Path) -> tuple[Path, object]:
    return existing(resource, path), resource.get(*path)


def _types_of(template: LaunchTemplate, groups: Sequence[NodeGroup | AutoScalingGroup]) -> list[str]:
    own = [template.instance_type] if template.instance_type else []
    return sorted({*own, *(name for group in groups for name in group.instance_types)})


def _offered(pools: Sequence[Resource], live: Sequence[InstanceType]) -> list[str]:
    """The types that pools make IPv6 nodes of; none where the usual one is among them and can stand for all."""
    usual = [known(live)[USUAL]]
    if any(list(admitted(requirements(pool), usual)) for pool in pools):
        return []
    return [kind.id for pool in pools for kind in _made_by(pool, live)]


def _made_by(pool: Resource, live: Sequence[InstanceType]) -> Iterator[InstanceType]:
    return admitted(requirements(pool), [kind for kind in known(live).values() if kind.hypervisor != "xen"])


def _short(names: Sequence[str], live: Sequence[InstanceType]) -> list[InstanceType]:
    """Those of the types that the count of IPv4 addresses leaves below the advice; the usual one for unknown ones."""
    types = known(live)
    counted = [types[name] for name in names if name in types and types[name].network_interfaces]
    return [kind for kind in counted or [types[USUAL]] if secondary_ip_pods(kind) < advised_pods(kind.vcpus)]


def _arithmetic(short: Sequence[InstanceType], names: Sequence[str]) -> str:
    kind = min(short, key=lambda each: (secondary_ip_pods(each), each.id))
    interfaces, addresses = kind.network_interfaces, kind.ipv4_addresses_per_interface
    such = "" if kind.id in names else "for example "
    return (
        f"{such}{interfaces} x ({addresses} - 1) + 2 = {secondary_ip_pods(kind)} on {kind.id}, where "
        f"{advised_pods(kind.vcpus)} are advised for IPv6"
    )


def _advice(names: Sequence[str], live: Sequence[InstanceType], otherwise: int) -> int:
    types = known(live) if names else {}
    return min((advised_pods(types[name].vcpus) for name in names if name in types), default=otherwise)


@rule
def max_pods_above_recommended(  # noqa: PLR0913, PLR0917  a rule's parameters are the sections that it reads
    node_groups: Sequence[NodeGroup] = (),
    launch_templates: Sequence[LaunchTemplate] = (),
    node_classes: Sequence[Resource] = (),
    node_pools: Sequence[Resource] = (),
    nodes: Sequence[Resource] = (),
    instance_types: Sequence[InstanceType] = (),
    auto_scaling_groups: Sequence[AutoScalingGroup] = (),
) -> Iterator[Problem]:
    """A /80 holds any number of pods; kubelet and the control loops on the node do not."""
    covered = set[str]()
    for template in sorted(launch_templates, key=lambda each: (each.id, each.version)):
        groups = groups_of(template, all_groups(node_groups, auto_scaling_groups))
        told = max_pods(template.user_data or "")
        limit = _advice(_types_of(template, groups), instance_types, LARGE_PODS)
        if told and (told.value or 0) > limit and template.id not in covered:
            covered |= {template.id, *(group.id for group in groups)}
            yield Problem(
                template,
                f"The user data of launch template {template} sets {told.value} pods; {limit} are advised at most.",
                evidence={"pods": told.value, "max_pods": limit},
                also=tuple((group, ()) for group in groups),
            )
    for subject, path, value in karpenter_max_pods(node_classes, node_pools):
        users = [subject] if subject.kind in POOLS else pools_of(subject, node_pools)
        pods = value if isinstance(value, int) else 0
        limit = SMALL_PODS if SMALL_PODS < pods <= LARGE_PODS and _small(users, instance_types) else LARGE_PODS
        if pods > limit:
            covered.add(subject.name)
            yield Problem(
                subject,
                f"{subject} sets maxPods {pods}; {limit} are advised at most.",
                at=path,
                evidence={"pods": pods, "max_pods": limit},
            )
    yield from _crowded_nodes(nodes, covered, instance_types)


def _small(pools: Sequence[Resource], live: Sequence[InstanceType]) -> bool:
    """Whether one of the pools makes small nodes only."""
    sizes = [[kind.vcpus for kind in _made_by(pool, live)] for pool in pools]
    return any(vcpus and max(vcpus) <= SMALL_VCPUS for vcpus in sizes)


def _crowded_nodes(nodes: Sequence[Resource], covered: set[str], live: Sequence[InstanceType]) -> Iterator[Problem]:
    loose = [
        of_node(node)
        for node in nodes
        if not covered & {text(node.labels.get(label)) for label in ("eks.amazonaws.com/nodegroup", *CLASS_LABELS)}
    ]
    types = known(live) if loose else {}
    for same in grouped(loose, lambda each: f"{each.group}\n{each.instance_type}\n{capacity(each.fact)}"):
        kind, pods = types.get(same[0].instance_type), capacity(same[0].fact) or 0
        if kind and pods > advised_pods(kind.vcpus):
            formula = f"{kind.network_interfaces} x (({kind.ipv4_addresses_per_interface} - 1) x 16) + 2 = {pods}"
            source = f" It is the formula for IPv4 prefixes, {formula}." if pods == prefix_pods(kind) else ""
            yield Problem(
                same[0].fact,
                f"{crowd(same)} takes {pods} pods; {advised_pods(kind.vcpus)} are advised at most for the "
                f"{kind.vcpus} vCPUs of {kind.id}.{source}",
                evidence={"instance_type": kind.id, "pods": pods, "max_pods": advised_pods(kind.vcpus)},
                key=kind.id,
                also=tuple((each.fact, ()) for each in same[1:]),
            )
