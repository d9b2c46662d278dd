"""Views on Gateways that the AWS Load Balancer Controller serves: their settings, their routes, and their targets.

The order of precedence is the controller's own: docs/guide/gateway of its repository, read 2026-11-25.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from eks6check.facts import Path
from eks6check.facts.ingresses import files_last
from eks6check.facts.kube import Resource, mapping, sequence, text

GROUP = "gateway.k8s.aws"
CONTROLLERS = {f"{GROUP}/alb": "application", f"{GROUP}/nlb": "network"}
"""The type of load balancer that a GatewayClass stands for, by its ``spec.controllerName``."""

VERSION = f"{GROUP}/v1"
"""The API version of its kinds since they are stable."""

CONFIGURATION = ("spec", "infrastructure", "parametersRef")
"""Where a Gateway names its LoadBalancerConfiguration."""


class Managed(NamedTuple):
    """A Gateway that becomes a load balancer.

    ``type`` is ``application`` or ``network``, empty where the class is out of view. ``configurations`` are its
    LoadBalancerConfigurations, the one that wins first; ``complete`` says whether all that are named were in view.
    """

    gateway: Resource
    type: str
    configurations: tuple[Resource, ...] = ()
    complete: bool = True

    @property
    def certain(self) -> bool:
        """Whether all that decides was in view: the class, and every configuration that it or the Gateway names."""
        return self.complete and bool(self.type)


Named = Mapping[tuple[str, str], Resource]
"""Objects of one kind by namespace and name."""


def managed(
    gateways: Iterable[Resource], gateway_classes: Iterable[Resource], configurations: Iterable[Resource]
) -> list[Managed]:
    """The Gateways of the AWS Load Balancer Controller, by class, or by their configuration's kind without one."""
    classes = {each.name: each for each in files_last(gateway_classes)}
    known = {(each.namespace, each.name): each for each in files_last(configurations)}
    wanted = sorted(gateways, key=lambda each: each.subject.id)
    found = (_resolve(gateway, classes.get(text(gateway.get("spec", "gatewayClassName"))), known) for gateway in wanted)
    return [each for each in found if each is not None]


def _resolve(gateway: Resource, of_class: Resource | None, known: Named) -> Managed | None:
    own = mapping(gateway.get(*CONFIGURATION))
    if of_class is None:
        if own.get("group") != GROUP:
            return None
        found = known.get((gateway.namespace, text(own.get("name"))))
        return Managed(gateway, "", (found,) if found else (), complete=found is not None)
    made = CONTROLLERS.get(text(of_class.get("spec", "controllerName")))
    if made is None:
        return None
    shared = mapping(of_class.get("spec", "parametersRef"))
    wanted = [(text(shared.get("namespace")), shared), (gateway.namespace, own)]
    keys = [(namespace, text(reference.get("name"))) for namespace, reference in wanted if reference]
    found_all = [known[key] for key in keys if key in known]
    first = known.get(keys[0]) if shared else None
    if first is not None and first.get("spec", "mergingMode") == "prefer-gateway":
        found_all.reverse()
    return Managed(gateway, made, tuple(found_all), complete=len(found_all) == len(keys))


def configured_at(gateway: Resource) -> Path:
    """The place where a Gateway names its configuration, or its class where it names none."""
    return CONFIGURATION if gateway.get(*CONFIGURATION) else ("spec", "gatewayClassName")


def version(each: Managed) -> Any:
    """The API version in which to write a Gateway's configurations: that of one in view, else the stable one."""
    return each.configurations[0].get("apiVersion") if each.configurations else VERSION


def setting(each: Managed, *field: str) -> tuple[Any, Resource | None]:
    """A field of the spec from the configuration that decides it, with that configuration; ``(None, None)`` without."""
    for configuration in each.configurations:
        value = configuration.get("spec", *field)
        if value is not None:
            return value, configuration
    return None, None


def attached(each: Managed, routes: Iterable[Resource]) -> list[Resource]:
    """The routes that name this Gateway as a parent. Those that come in through a ListenerSet are not followed."""
    wanted = (each.gateway.namespace, each.gateway.name)
    return sorted((route for route in routes if wanted in _parents(route)), key=lambda route: route.subject.id)


def _parents(route: Resource) -> list[tuple[str, str]]:
    parents = [mapping(parent) for parent in route.list("spec", "parentRefs")]
    return [
        (text(parent.get("namespace")) or route.namespace, text(parent.get("name")))
        for parent in parents
        if (text(parent.get("kind")) or "Gateway") == "Gateway"
    ]


def backends(route: Resource) -> Iterator[tuple[Path, tuple[str, str]]]:
    """The Services that a route sends traffic to: the path to each reference, and namespace and name."""
    for rule, body in enumerate(route.list("spec", "rules")):
        for index, reference in enumerate(sequence(mapping(body).get("backendRefs"))):
            backend = mapping(reference)
            if (text(backend.get("kind")) or "Service") == "Service" and text(backend.get("name")):
                namespace = text(backend.get("namespace")) or route.namespace
                yield ("spec", "rules", rule, "backendRefs", index), (namespace, text(backend.get("name")))


def udp_place(each: Managed, routes: Iterable[Resource]) -> tuple[Resource, Path] | None:
    """Where UDP is asked for: a listener of the Gateway, or a UDPRoute to it; None where nobody does."""
    for index, listener in enumerate(each.gateway.list("spec", "listeners")):
        if mapping(listener).get("protocol") == "UDP":
            return each.gateway, ("spec", "listeners", index, "protocol")
    return next(((route, ("kind",)) for route in routes if route.kind == "UDPRoute"), None)


class TargetType(NamedTuple):
    """The target type of a backend and the place that says it; no place where it is the controller's default."""

    value: str
    said: Resource | None = None
    path: Path = ()


def target_type(
    each: Managed, route: Resource, service: tuple[str, str], known: Iterable[Resource], default: str
) -> TargetType:
    """What the controller registers for a Service behind a route.

    The Service's own TargetGroupConfiguration wins, and in it the entry for this route; then the one that the Gateway's
    configurations name as their default; then the controller's flag.
    """
    configurations = files_last(known)
    for configuration in configurations:
        if (configuration.namespace, text(configuration.get("spec", "targetReference", "name"))) == service:
            for path in _places(configuration, route):
                value = configuration.get(*path)
                if isinstance(value, str):
                    return TargetType(value, configuration, path)
    by_name = {(configuration.namespace, configuration.name): configuration for configuration in configurations}
    for owner in each.configurations:
        name = text(owner.get("spec", "defaultTargetGroupConfiguration", "name"))
        found = by_name.get((owner.namespace, name))
        path = ("spec", "defaultConfiguration", "targetType")
        if found is not None and isinstance(found.get(*path), str):
            return TargetType(text(found.get(*path)), found, path)
    return TargetType(default)


def _places(configuration: Resource, route: Resource) -> Iterator[Path]:
    for index, entry in enumerate(configuration.list("spec", "routeConfigurations")):
        identifier = mapping(mapping(entry).get("routeIdentifier"))
        if all(_fits(identifier.get(key), value) for key, value in _identity(route).items()):
            yield ("spec", "routeConfigurations", index, "targetGroupProps", "targetType")
    yield ("spec", "defaultConfiguration", "targetType")


def _identity(route: Resource) -> dict[str, str]:
    return {"kind": route.kind, "namespace": route.namespace, "name": route.name}


def _fits(wanted: object, value: str) -> bool:
    return not text(wanted) or wanted == value
