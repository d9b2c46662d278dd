"""Who connects to a container: kubelet's probes, and the Services that select its pods."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from eks6check.facts import Path
from eks6check.facts.kube import Container, Resource, mapping, pod_labels, sequence

PROBES = ("startupProbe", "readinessProbe", "livenessProbe")
HANDLERS = ("httpGet", "tcpSocket", "grpc")
"""Probes that kubelet makes over the network; ``exec`` runs inside the container."""

Place = tuple[Resource, Path]


def callers(workload: Resource, container: Container, services: Iterable[Resource], of: Collection[str]) -> list[Place]:
    """The network probes of a container, then the Services that lead to it; ``of`` are the ports asked for.

    A port that is no number is taken to be any.
    """
    asked = {port for port in of if port.isdigit()} if all(port.isdigit() for port in of) else set()
    found: list[Place] = [
        (workload, path) for path, port in _probes(container) if not asked or _number(container, port) in asked
    ]
    found.extend((service, ("spec", "selector")) for service in services if _leads(service, workload, container, asked))
    return found


def _probes(container: Container) -> Iterator[tuple[Path, object]]:
    for probe in PROBES:
        for handler in HANDLERS:
            body = mapping(container.body.get(probe)).get(handler)
            if isinstance(body, dict):
                yield (*container.path, probe, handler), body.get("port")


def _leads(service: Resource, workload: Resource, container: Container, asked: Collection[str]) -> bool:
    selector, labels = mapping(service.get("spec", "selector")), pod_labels(workload)
    if not selector or service.namespace != workload.namespace:
        return False
    if any(labels.get(key) != value for key, value in selector.items()):
        return False
    targets = {_target(port) for port in map(mapping, service.list("spec", "ports"))}
    numbers = {_number(container, target) for target in targets}
    declared = {number for number, _ in ports(container)}
    wanted = asked or declared
    return not targets or not (asked or declared) or not numbers.isdisjoint(wanted)


def _target(port: object) -> str:
    wanted = mapping(port).get("targetPort")
    return str(mapping(port).get("port") if wanted is None else wanted)


def _number(container: Container, port: object) -> str:
    """A port by number; one by name as the container declares it, and ``other`` where another container does."""
    name = str(port)
    return name if name.isdigit() else next((number for number, each in ports(container) if each == name), "other")


def ports(container: Container) -> list[tuple[str, str]]:
    """The ports that a container declares, each by number and name."""
    declared = map(mapping, sequence(container.body.get("ports")))
    return [(str(port.get("containerPort")), str(port.get("name"))) for port in declared]
