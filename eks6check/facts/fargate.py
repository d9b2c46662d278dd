"""Views on Fargate: which pods run there, why, and by which profile."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from eks6check.facts.kube import mapping, pod_labels, pod_spec, text, wire

if TYPE_CHECKING:
    from eks6check.facts.aws import FargateProfile, Selector
    from eks6check.facts.kube import Resource

PROFILE_LABEL = "eks.amazonaws.com/fargate-profile"
"""The label by which EKS notes a pod's profile, or a user chooses one."""

NODE_PREFIX = "fargate-"
SCHEDULER = "fargate-scheduler"


def why_on_fargate(workload: Resource, profiles: Iterable[FargateProfile]) -> str:
    """What puts a workload's pods on Fargate, such as ``profile batch selects it``; empty where nothing does.

    A pod that runs on another node is not there, whatever selects it: EKS places a pod once.
    """
    said = placed(workload)
    if said or text(_spec(workload).get("nodeName")):
        return said
    selecting = min((profile.id for profile in profiles if selects(profile, workload)), default="")
    return f"profile {selecting} selects it" if selecting else ""


def placed(workload: Resource) -> str:
    """What a workload itself says of running on Fargate, in words; empty where it says nothing."""
    profile, node = text(pod_labels(workload).get(PROFILE_LABEL)), text(_spec(workload).get("nodeName"))
    if profile:
        return f"label {PROFILE_LABEL}={profile}"
    if _spec(workload).get("schedulerName") == SCHEDULER:
        return f"schedulerName {SCHEDULER}"
    return f"node {node}" if node.startswith(NODE_PREFIX) else ""


def profile_of(pod: Resource, profiles: Iterable[FargateProfile]) -> str:
    """The profile of a pod on Fargate: the one that its label names, else the first by name that selects it."""
    named = text(pod_labels(pod).get(PROFILE_LABEL))
    return named or min((profile.id for profile in profiles if selects(profile, pod)), default="")


def selects(profile: FargateProfile, workload: Resource) -> bool:
    """Whether any selector of a profile takes the pods of a workload."""
    return any(_takes(selector, workload) for selector in profile.selectors)


def _spec(workload: Resource) -> Mapping[str, Any]:
    return mapping(workload.get("spec")) if workload.kind == "Pod" else pod_spec(workload)[1]


def _takes(selector: Selector, workload: Resource) -> bool:
    labels = {key: wire(value) for key, value in pod_labels(workload).items()}
    return _fits(selector.namespace, workload.namespace) and all(
        key in labels and _fits(value, labels[key]) for key, value in selector.labels.items()
    )


def _fits(pattern: str, value: str) -> bool:
    """Whether a value fits, ``*`` standing for any text and ``?`` for one letter."""
    parts = (re.escape(part).replace(r"\?", ".") for part in pattern.split("*"))
    return re.fullmatch(".*".join(parts), value, re.DOTALL) is not None
