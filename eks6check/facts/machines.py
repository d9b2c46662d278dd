"""The machines of a cluster, seen as EC2 instances or as Nodes, and the group that each was made by."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from eks6check.facts.kube import Resource, text

if TYPE_CHECKING:
    from eks6check.facts.aws import (
        AutoScalingGroup,
        Instance,
        InstanceInterface,
        InterfaceRequest,
        LaunchTemplate,
        NodeGroup,
    )

COMPUTE_TYPE = "eks.amazonaws.com/compute-type"
"""The label by which EKS tells hybrid nodes (``hybrid``) from others: EKS user guide, read 2026-11-22."""

AUTO_MODE_TAG = "eks:kubernetes-node-pool-name"
INSTANCE_TYPE_LABELS = ("node.kubernetes.io/instance-type", "beta.kubernetes.io/instance-type")

G = TypeVar("G", bound="NodeGroup | AutoScalingGroup")
I = TypeVar("I", bound="InstanceInterface | InterfaceRequest")  # noqa: E741  an interface

POOL_TAGS = ("karpenter.sh/nodepool", "karpenter.sh/provisioner-name", AUTO_MODE_TAG)


class Machine(NamedTuple):
    """One machine; ``managed_group`` and ``pool`` are empty where EKS or Karpenter did not make it.

    ``template`` is the id of its launch template, which a Node does not tell.
    """

    fact: Instance | Resource
    instance_type: str
    managed_group: str
    pool: str
    scaling_group: str
    template: str = ""

    @property
    def group(self) -> str:
        """Whatever made it, in words; empty where it seems to stand alone."""
        if self.managed_group:
            return f"node group {self.managed_group}"
        if self.pool:
            return f"Karpenter pool {self.pool}"
        return f"group {self.scaling_group}" if self.scaling_group else ""


def of_instance(instance: Instance) -> Machine:
    """An EC2 instance as a machine, by the tags that its maker gave it."""
    tags = instance.tags
    return Machine(
        instance,
        instance.instance_type,
        tags.get("eks:nodegroup-name", ""),
        next(filter(None, (tags.get(tag, "") for tag in POOL_TAGS)), ""),
        tags.get("aws:autoscaling:groupName", ""),
        tags.get("aws:ec2launchtemplate:id", ""),
    )


def of_node(node: Resource) -> Machine:
    """A Node as a machine, by the labels that its maker gave it."""
    labels = node.labels
    return Machine(
        node,
        next(filter(None, (text(labels.get(label)) for label in INSTANCE_TYPE_LABELS)), ""),
        text(labels.get("eks.amazonaws.com/nodegroup")),
        text(labels.get("karpenter.sh/nodepool")) or text(labels.get("karpenter.sh/provisioner-name")),
        text(labels.get("alpha.eksctl.io/nodegroup-name")),
    )


def machines(instances: Sequence[Instance], nodes: Iterable[Resource]) -> list[Machine]:
    """Every machine once: a Node whose instance was read as well is that instance."""
    found = [of_instance(instance) for instance in instances]
    seen = {instance.id for instance in instances}
    return found + [
        of_node(node) for node in nodes if text(node.get("spec", "providerID")).rpartition("/")[2] not in seen
    ]


def grouped(found: Iterable[Machine], key: Callable[[Machine], str]) -> list[list[Machine]]:
    """Machines of the same key together, everything in an order that does not depend on the input's."""
    groups: dict[str, list[Machine]] = {}
    for machine in sorted(found, key=lambda machine: (key(machine), machine.fact.subject.id)):
        groups.setdefault(key(machine), []).append(machine)
    return list(groups.values())


def crowd(same: Sequence[Machine]) -> str:
    """Machines of one group in words: the first by name, and how many more there are."""
    group = f" of {same[0].group}" if same[0].group else ""
    others = f" with {len(same) - 1} more" if len(same) > 1 else ""
    kind = "" if isinstance(same[0].fact, Resource) else "Instance "
    return f"{kind}{same[0].fact}{group}{others}"


def primary(interfaces: Iterable[I]) -> I | None:
    """The primary one of an instance's or a launch template's interfaces, from which pods get their addresses."""
    return next((each for each in interfaces if not (each.device_index or each.network_card_index)), None)


def all_groups(
    node_groups: Iterable[NodeGroup], auto_scaling_groups: Iterable[AutoScalingGroup]
) -> list[NodeGroup | AutoScalingGroup]:
    """Whatever launches nodes from templates, in one list."""
    return [*node_groups, *auto_scaling_groups]


def groups_of(template: LaunchTemplate, groups: Sequence[G]) -> list[G]:
    """Those of the groups that launch from this version of a template."""
    return [
        group
        for group in groups
        if group.launch_template_id == template.id
        and (group.launch_template_version or template.version) == template.version
    ]


def once(templates: Iterable[LaunchTemplate]) -> Iterator[LaunchTemplate]:
    """One version of each launch template: a template is one subject, however many of its versions have the fault."""
    seen = set[str]()
    for template in sorted(templates, key=lambda each: (each.id, each.version)):
        if template.id not in seen:
            seen.add(template.id)
            yield template


def primary_everywhere(instances: Sequence[Instance]) -> bool:
    """Whether every node has a primary IPv6 address: instance targets work there, if not by EKS's word."""
    return bool(instances) and all(each.primary_ipv6 for each in instances)


def primary_note(instances: Sequence[Instance]) -> str:
    """What to add to a sentence about instance targets where they work."""
    told = " Every node of today has a primary IPv6 address; one without it spoils the registration."
    return told if primary_everywhere(instances) else ""
