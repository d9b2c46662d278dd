"""The Kubernetes objects of a document, and the section that each belongs to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from eks6check.facts import Origin, Path
from eks6check.facts.kinds import FILES_ONLY, KINDS
from eks6check.facts.kube import Resource, made_by_workload, pod_spec, text
from eks6check.sources.manifests.yamldoc import Document

LIVE_ONLY = frozenset({"pods", "webhooks"})
"""Sections about what runs; a file says only what shall run."""

LEGACY = {("extensions", "Ingress"): "ingresses", ("extensions", "NetworkPolicy"): "network_policies"}
"""Kinds by the API group that they once had. Old workloads are known by their pod template."""

GIVEN = {section: kinds for section, kinds in (*KINDS.items(), *FILES_ONLY.items()) if section not in LIVE_ONLY}

SECTION_OF: Mapping[tuple[str, str], str] = LEGACY | {
    (kind.group, kind.kind): section for section, kinds in GIVEN.items() for kind in kinds
}

PART_OF: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("apiextensions.k8s.io", "CustomResourceDefinition"): ("spec", "conversion", "webhook"),
}
"""Kinds of which rules read one part alone; one without it is left out. Their schemas are the longest of all texts."""


def objects(name: str, document: Document) -> Iterator[Resource]:
    """Every Kubernetes object of a document, the items of lists one by one."""
    waiting: list[tuple[Any, Path]] = [(document.value, ())]
    while waiting:
        body, path = waiting.pop()
        if not isinstance(body, dict) or not text(body.get("apiVersion")) or not text(body.get("kind")):
            continue
        if is_list(body):
            items = enumerate(body["items"])
            waiting.extend(reversed([(typed(item, body), (*path, "items", index)) for index, item in items]))
        else:
            yield Resource(body, Origin("manifests", file=name, path=path, mark=document.mark))


def is_list(body: Mapping[str, Any]) -> bool:
    """Whether an object is a list of others: ``List``, or a typed one such as ``ServiceList``."""
    return body["kind"].endswith("List") and isinstance(body.get("items"), list) and "spec" not in body


def typed(item: Any, parent: Mapping[str, Any]) -> Any:
    """An item of a list with the kind and version that a typed list leaves out."""
    kind = parent["kind"].removesuffix("List")
    if not kind or not isinstance(item, dict) or (item.get("kind") and item.get("apiVersion")):
        return item
    return {**item, "apiVersion": item.get("apiVersion") or parent["apiVersion"], "kind": item.get("kind") or kind}


def section_of(resource: Resource) -> str:
    """The section of an object: by its kind, or ``workloads`` for any that holds a pod template; empty for others."""
    known = resource.group, resource.kind
    section = SECTION_OF.get(known, "")
    if not section and pod_spec(resource)[1]:
        section = "workloads"
    unread = known in PART_OF and resource.get(*PART_OF[known]) is None
    return "" if unread or (section == "workloads" and made_by_workload(resource)) else section
