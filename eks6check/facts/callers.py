"""Who connects to a container: kubelet's probes, the Services that select its pods, and their target groups."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from eks6check.facts import Path
from eks6check.facts.kube import Container, Resource, containers, mapping, pod_labels, sequence, wire
from eks6check.facts.mounts import ConfigMaps, Users, by_name, files
from eks6check.facts.phrases import phrase

PROBES: Mapping[str, str] = {
    "startupProbe": "startup probe",
    "readinessProbe": "readiness probe",
    "livenessProbe": "liveness probe",
}
HANDLERS = ("httpGet", "tcpSocket", "grpc")
"""Probes that kubelet makes over the network; ``exec`` runs inside the container."""

MOST = 4
"""How many callers a sentence names."""

Place = tuple[Resource, Path]


class Fronts(NamedTuple):
    """What stands in front of pods: Services by namespace, and TargetGroupBindings, which put their pods in groups."""

    services: Mapping[str, Sequence[Resource]]
    bindings: Sequence[Resource] = ()


def fronts_of(services: Iterable[Resource], bindings: Sequence[Resource] = ()) -> Fronts:
    """What stands in front of pods, ordered so that a pod need not look at what is elsewhere."""
    by_namespace: dict[str, list[Resource]] = {}
    for service in services:
        by_namespace.setdefault(service.namespace, []).append(service)
    return Fronts(by_namespace, bindings)


def callers(workload: Resource, container: Container, fronts: Fronts, of: Collection[str]) -> list[Place]:
    """The network probes of a container, the Services that lead to it, their bindings; ``of`` are the ports asked for.

    A port that is no number is taken to be any.
    """
    asked = {port for port in of if port.isdigit()} if all(port.isdigit() for port in of) else set()
    found: list[Place] = [
        (workload, path) for path, port in _probes(container) if not asked or _number(container, port) in asked
    ]
    labels = pod_labels(workload)
    for service in fronts.services.get(workload.namespace, ()):
        led = _leading(service, labels, container, asked)
        if led is not None:
            found.append((service, ("spec", "selector")))
            found.extend((each, ("spec", "serviceRef")) for each in fronts.bindings if _binds(each, service, led))
    return found


def callers_of_file(config_map: Resource, key: str, of: Collection[str], users: Users, fronts: Fronts) -> list[Place]:
    """Those who connect to the containers that are given a file out of a ConfigMap."""
    known = by_name([config_map])
    return [
        place
        for workload in users.get((config_map.namespace, config_map.name), ())
        for container in containers(workload)
        if _is_given(workload, container, config_map, key, known)
        for place in callers(workload, container, fronts, of)
    ]


def _is_given(workload: Resource, container: Container, config_map: Resource, key: str, known: ConfigMaps) -> bool:
    """Whether a container mounts the file, or is told the ConfigMap's name as controllers are."""
    mounted = any(given.path[-1] == key for given in files(workload, container, known))
    return mounted or any(word.endswith(f"/{config_map.name}") for _, word in container.arguments())


def connecting(holder: Resource, places: Iterable[Place]) -> list[str]:
    """Those who connect, in words, such as ``its readiness probe`` and ``Service shop/web``."""
    return list(dict.fromkeys(_word(holder, *place) for place in places))


def sentence(names: Sequence[str]) -> str:
    """Who connects, as a sentence with a blank before it; empty for nobody."""
    if not names:
        return ""
    listed = phrase(names, MOST)
    return f" {listed[0].upper()}{listed[1:]} {'connect' if len(names) > 1 else 'connects'} over IPv6."


def _word(holder: Resource, resource: Resource, path: Path) -> str:
    if path[-1] not in HANDLERS:
        return f"{resource}{' with its load balancer' if resource.get('spec', 'type') == 'LoadBalancer' else ''}"
    probe = PROBES[str(path[-2])]
    return f"its {probe}" if resource.subject == holder.subject else f"the {probe} of {resource}"


def _probes(container: Container) -> Iterator[tuple[Path, object]]:
    for probe in PROBES:
        for handler in HANDLERS:
            body = mapping(container.body.get(probe)).get(handler)
            if isinstance(body, dict):
                yield (*container.path, probe, handler), body.get("port")


def _leading(
    service: Resource, labels: Mapping[str, Any], container: Container, asked: Collection[str]
) -> list[Mapping[str, Any]] | None:
    """The ports of a Service that lead to the container, none where it has no ports; None where it leads elsewhere."""
    selector = mapping(service.get("spec", "selector"))
    if not selector or any(labels.get(key) != value for key, value in selector.items()):
        return None
    every = list(map(mapping, service.list("spec", "ports")))
    wanted = asked or {number for number, _ in ports(container)}
    leading = [port for port in every if not wanted or _number(container, _target(port)) in wanted]
    return leading if leading or not every else None


def _target(port: Mapping[str, Any]) -> str:
    wanted = port.get("targetPort")
    return str(port.get("port") if wanted is None else wanted)


def _binds(binding: Resource, service: Resource, led: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a binding is of this Service, and of one of its ports that lead to the container."""
    reference = mapping(binding.get("spec", "serviceRef"))
    if binding.namespace != service.namespace or reference.get("name") != service.name:
        return False
    return not led or any(
        wire(reference.get("port")) in {wire(each.get("port")), wire(each.get("name"))} for each in led
    )


def _number(container: Container, port: object) -> str:
    """A port by number; one by name as the container declares it, and ``other`` where another container does."""
    name = str(port)
    return name if name.isdigit() else next((number for number, each in ports(container) if each == name), "other")


def ports(container: Container) -> list[tuple[str, str]]:
    """The ports that a container declares, each by number and name."""
    declared = map(mapping, sequence(container.body.get("ports")))
    return [(str(port.get("containerPort")), str(port.get("name"))) for port in declared]
