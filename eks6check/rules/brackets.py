"""Addresses put together with a port: what needs brackets as soon as the address is IPv6."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from eks6check.catalog import rule
from eks6check.facts.kube import Resource, mapping, wire
from eks6check.facts.mounts import readers
from eks6check.facts.patterns import regex
from eks6check.facts.texts import Text, texts
from eks6check.facts.variables import USUAL_NAMES, Environment, Joined, environment, joined, together
from eks6check.findings import Confidence, Problem, Severity

SERVICE_HOST = regex(r"[A-Z][A-Z0-9_]*_SERVICE_HOST")
"""The variables in which kubelet gives a container the addresses of the Services of its namespace."""

WHOSE = {
    "status.podIP": "the pod's address",
    "status.podIPs": "the pod's addresses",
    "status.hostIP": "the node's address",
    "status.hostIPs": "the node's addresses",
}


@rule
def pod_ip_without_brackets(
    workloads: Sequence[Resource], config_maps: Sequence[Resource], operator_objects: Sequence[Resource] = ()
) -> Iterator[Problem]:
    """Of an IPv6 address and a port behind a plain colon, nobody can tell where the one ends."""
    for workload in workloads:
        yield from _unbracketed(workload, environment(workload), [])
    reading = readers(workloads)
    for config_map in config_maps:
        users = reading.get((config_map.namespace, config_map.name), [])
        yield from _unbracketed(config_map, together(map(environment, users)), users)
    for resource in operator_objects:
        yield from _unbracketed(resource, environment(resource), [])


def _unbracketed(resource: Resource, known: Environment, users: Sequence[Resource]) -> Iterator[Problem]:
    looked_at = [text for text in texts(resource) if not _shipped(resource, text)]
    found = [each for text in looked_at for each in joined(text, lambda variable: _is_address(variable, known))]
    found.sort(key=lambda each: each.variable not in known.addresses)
    if not found:
        return
    first, *others = found
    field = known.addresses.get(first.variable)
    filled = f"holds {WHOSE[field]}" if field else "by its name holds an address"
    yield Problem(
        resource,
        f"{resource} writes {first.find} in {first.text.where}, and {first.variable} {filled}, which is IPv6 in an "
        f"IPv6 cluster: it has to be {first.instead} there{_more(others)}.",
        at=first.text.path,
        find=first.find,
        skip=first.skip,
        evidence=_evidence(found) | {"field": field},
        severity=Severity.BLOCKER if field else Severity.WARNING,
        confidence=Confidence.HIGH if field else Confidence.MEDIUM,
        remedy="url" if first.url else "",
        also=(*((resource, each.text.path) for each in others), *((user, ("spec",)) for user in users)),
    )


def _shipped(resource: Resource, text: Text) -> bool:
    """Istio's defaults, which name a Datadog agent that few have."""
    return resource.name.startswith("istio-sidecar-injector") and text.name == "values"


def _is_address(variable: str, known: Environment) -> bool:
    usual = variable in USUAL_NAMES and variable not in known.others
    return (variable in known.addresses or usual) and not SERVICE_HOST.fullmatch(variable)


def _more(others: Sequence[Joined]) -> str:
    return f" (and {len(others)} more like it)" if others else ""


def _evidence(found: Sequence[Joined]) -> dict[str, object]:
    seen = list(dict.fromkeys(each.find for each in found))
    return {"variable": found[0].variable, "in": found[0].text.where, "found": seen, "instead": found[0].instead}


def _is_service(variable: str, others: frozenset[str]) -> bool:
    return SERVICE_HOST.fullmatch(variable) is not None and variable not in others


@rule
def service_variable_without_brackets(
    workloads: Sequence[Resource], config_maps: Sequence[Resource]
) -> Iterator[Problem]:
    """Kubelet writes brackets into ``X_PORT=tcp://[..]`` alone; ``X_SERVICE_HOST`` is the bare address."""
    chosen: dict[str, set[str]] = {}
    for config_map in config_maps:
        chosen.setdefault(config_map.namespace, set()).update(map(wire, mapping(config_map.get("data"))))
    for resource in (*workloads, *config_maps):
        names = environment(resource).others | chosen.get(resource.namespace, set())
        found = [each for text in texts(resource) for each in joined(text, partial(_is_service, others=names))]
        if found:
            first, *more = found
            yield Problem(
                resource,
                f"{resource} writes {first.find} in {first.text.where}, and {first.variable} is a bare IPv6 address in "
                f"an IPv6 cluster: it has to be a name or {first.instead} there{_more(more)}.",
                at=first.text.path,
                find=first.find,
                skip=first.skip,
                evidence=_evidence(found),
                remedy="api-server" if first.variable == "KUBERNETES_SERVICE_HOST" else "",
                also=tuple((resource, each.text.path) for each in more),
            )
