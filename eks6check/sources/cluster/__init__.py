"""Collectors of a live cluster: the objects that a file could hold, without what the API server wrote into them.

A rule must find the same in an object that is live and in the manifest it was made from, so what nobody asked for goes:
status, bookkeeping, and the addresses and families that the server chose by itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from eks6check.facts import Gap, Origin
from eks6check.facts.endpoint_slices import made_by_control_plane
from eks6check.facts.kinds import KINDS, Kind
from eks6check.facts.kube import Resource, made_by_workload, mapping, sequence, text
from eks6check.sources import Collector, Collectors, Unreadable
from eks6check.sources.cluster.api import Api, call

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"

STATUS_KEPT: Mapping[str, tuple[str, ...]] = {"Node": ("addresses", "capacity", "nodeInfo"), "Pod": ("phase",)}
"""The parts of a status that rules look at; a file has none of them."""

SETTINGS_KEPT: Mapping[str, tuple[str, ...]] = {
    "Middleware": ("ipAllowList", "ipWhiteList"),
    "MiddlewareTCP": ("ipAllowList", "ipWhiteList"),
    "KongPlugin": ("allow", "deny"),
    "KongClusterPlugin": ("allow", "deny"),
    "CustomResourceDefinition": ("conversion",),
    "EnvoyProxy": ("ipFamily",),
    "Istio": ("components", "profile", "values"),
    "IstioOperator": ("components", "profile", "values"),
    "PodMonitor": ("podMetricsEndpoints",),
    "ScrapeConfig": ("relabelings", "staticConfigs"),
    "ServiceEntry": ("addresses", "hosts", "ports"),
    "ServiceMonitor": ("endpoints",),
    "Sidecar": ("egress", "ingress"),
    "VMNodeScrape": ("relabelConfigs",),
    "VMPodScrape": ("podMetricsEndpoints",),
    "VMScrapeConfig": ("relabelConfigs", "staticConfigs"),
    "VMServiceScrape": ("endpoints",),
}
"""The settings that rules look at of a proxy's plugins, where others may hold passwords, and of what has long schemas.

The rest is let go at once.
"""

FAMILY_FIELDS = ("ipFamilies", "ipFamilyPolicy")
"""Fields of a Service that the API server fills in from the cluster's own family."""

WIDTH = 4
"""Lists of one section that run at the same time."""


def collector_of(section: str) -> Collector:
    """The collector of one section, which lists every kind that the section holds."""
    calls = tuple(call(kind) for kind in KINDS[section])
    return Collector(section, partial(read, section=section), (), calls)


def read(api: Api, section: str) -> Iterator[Resource | Gap]:
    """The objects of a section, and a gap for each kind that could not be listed."""
    with ThreadPoolExecutor(WIDTH) as pool:
        for objects, gap in pool.map(partial(listed, api), KINDS[section]):
            for body in objects:
                if section == "pods":
                    yield resource(outline(body))
                elif section != "workloads" or not made_by_workload(Resource(body)):
                    yield resource(body)
            if gap:
                yield gap


def listed(api: Api, kind: Kind) -> tuple[list[dict[str, Any]], Gap | None]:
    """The tidied objects of a kind, and the gap where there is one."""
    objects: list[dict[str, Any]] = []
    try:
        objects.extend(api.objects(kind, tidy))
    except Unreadable as unreadable:
        return objects, unreadable.gap
    return objects, None


def resource(body: Mapping[str, Any]) -> Resource:
    """A live object as a fact that knows its own id."""
    return Resource(body, Origin("cluster", id=Resource(body).subject.id))


def tidy(body: Mapping[str, Any]) -> dict[str, Any]:
    """An object as its owner wrote it. What a controller made of another is kept in outline, to fit in memory."""
    if made_by_workload(Resource(body)) or made_by_control_plane(Resource(body)):
        return outline(body)
    kept = {name: value for name, value in body.items() if name not in {"metadata", "spec", "status"}}
    annotations = mapping(mapping(body.get("metadata")).get("annotations"))
    kept["metadata"] = without(body.get("metadata"), "managedFields", "resourceVersion", "uid", "generation")
    if LAST_APPLIED in annotations:
        kept["metadata"]["annotations"] = without(annotations, LAST_APPLIED)
    if "spec" in body:
        kept["spec"] = service_spec(body) if body.get("kind") == "Service" else body["spec"]
    if settings := SETTINGS_KEPT.get(text(body.get("kind"))):
        kept.update({name: only(body.get(name), *settings) for name in ("spec", "config") if name in body})
    if status := only(body.get("status"), *STATUS_KEPT.get(text(body.get("kind")), ())):
        kept["status"] = status
    return kept


def service_spec(body: Mapping[str, Any]) -> Any:
    """A Service's spec without the addresses and families that the API server gave it."""
    spec = body["spec"]
    headless = mapping(spec).get("clusterIP") == "None"
    addresses = () if headless else ("clusterIP", "clusterIPs")
    families = [name for name in FAMILY_FIELDS if not set_by_user(body, name)]
    return without(spec, *addresses, *families) if isinstance(spec, dict) else spec


def set_by_user(body: Mapping[str, Any], field: str) -> bool:
    """Whether somebody wrote this field of the spec, rather than the API server's defaults.

    Managed fields name the fields that each writer sent; the families that the server adds are not among them, and
    neither is a field that an update left as it was. What ``kubectl apply`` last sent counts likewise.
    """
    metadata = mapping(body.get("metadata"))
    for entry in map(mapping, sequence(metadata.get("managedFields"))):
        if f"f:{field}" in mapping(mapping(entry.get("fieldsV1")).get("f:spec")):
            return True
    try:
        applied = json.loads(text(mapping(metadata.get("annotations")).get(LAST_APPLIED)) or "null")
    except (ValueError, RecursionError):
        return False
    return field in mapping(mapping(applied).get("spec"))


def outline(body: Mapping[str, Any]) -> dict[str, Any]:
    """What remains of an object that is only counted and placed, such as one Pod of ten thousand."""
    return {
        "apiVersion": body.get("apiVersion"),
        "kind": body.get("kind"),
        "metadata": only(body.get("metadata"), "name", "namespace", "labels", "ownerReferences"),
        "spec": only(body.get("spec"), "nodeName", "schedulerName", "replicas"),
        "status": only(body.get("status"), "phase", "podIP"),
    }


def only(value: object, *names: str) -> dict[str, Any]:
    """The named keys of a mapping, those that are there."""
    return {name: mapping(value)[name] for name in names if name in mapping(value)}


def without(value: object, *names: str) -> dict[str, Any]:
    """A mapping without the named keys."""
    return {name: each for name, each in mapping(value).items() if name not in names}


COLLECTORS: Collectors = tuple(map(collector_of, KINDS))
"""One collector for each Kubernetes section. Secrets are in none of them."""
