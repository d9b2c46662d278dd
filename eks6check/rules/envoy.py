"""Envoy as people configure it themselves, and the Gateway controllers that configure it for them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from eks6check.catalog import rule
from eks6check.facts import Gap, Path
from eks6check.facts.callers import Fronts, callers_of_file, connecting, fronts_of, sentence
from eks6check.facts.cidrs import is_ipv4
from eks6check.facts.envoy import Listener, listeners
from eks6check.facts.kube import Resource, containers, mapping, text
from eks6check.facts.load_balancing import flag
from eks6check.facts.mounts import Users, users
from eks6check.facts.unparsed import unparsed
from eks6check.facts.versions import repository
from eks6check.findings import Problem, Severity

ENVOY_GATEWAY = "gateway.envoyproxy.io/gatewayclass-controller"
WITH_IPV6 = ("IPv6", "DualStack")
"""What ``EnvoyProxy.spec.ipFamily`` must be; IPv4 where it is absent (envoyproxy/gateway#4565, read 2026-11-22)."""

CONTOUR_FLAGS = ("envoy-service-http-address", "envoy-service-https-address", "stats-address")
"""Where Contour has its Envoys listen; 0.0.0.0 by default (projectcontour/contour#7034, read 2026-11-22)."""

PARAMETERS: Path = ("spec", "parametersRef")


@rule
def envoy_listener_is_ipv4(  # noqa: PLR0913, PLR0917  configurations and Gateways, and those who connect
    config_maps: Sequence[Resource] = (),
    workloads: Sequence[Resource] = (),
    gateway_classes: Sequence[Resource] = (),
    gateways: Sequence[Resource] = (),
    envoy_proxies: Sequence[Resource] = (),
    services: Sequence[Resource] = (),
    target_group_bindings: Sequence[Resource] = (),
) -> Iterator[Problem | Gap]:
    """Envoy opens 0.0.0.0 for IPv4 alone, and Services, probes and load balancers come over IPv6."""
    fronts, using = fronts_of(services, target_group_bindings), users(workloads)
    for config_map in config_maps:
        yield from _of_configuration(config_map, using, fronts)
        yield from unparsed(config_map, "Envoy")
    for workload in workloads:
        yield from _of_contour(workload)
    for proxy in envoy_proxies:
        yield from _of_proxy(proxy)
    for gateway_class in gateway_classes:
        yield from _of_class(gateway_class, gateways)


def _of_configuration(config_map: Resource, using: Users, fronts: Fronts) -> Iterator[Problem]:
    """One finding for each ConfigMap; a blocker, unless only the admin's address is IPv4."""
    found = [each for each in listeners(config_map) if all(_outside_ipv4(address) for address in each.addresses)]
    if not found:
        return
    first = min(found, key=_is_admin)
    address, key = first.addresses[0], str(first.source.path[-1])
    names = sorted({each.name for each in found})
    serving = [each for each in found if not _is_admin(each)]
    asked = {port for each in serving for port in each.ports}
    reached = callers_of_file(config_map, key, asked, using, fronts) if serving else []
    connected = connecting(config_map, reached)
    yield Problem(
        config_map,
        f"{config_map} has Envoy listen on {address} for {', '.join(names)}; in an IPv6 cluster nothing comes over "
        f"IPv4.{sentence(connected)}",
        at=first.source.path,
        find=address,
        skip=first.source.skip(address),
        evidence={
            "listeners": {each.name: list(each.addresses) for each in found},
            "key": key,
            "connecting": connected,
        },
        severity=Severity.BLOCKER if serving else Severity.WARNING,
        remedy="bootstrap",
        also=tuple(reached),
    )


def _is_admin(listener: Listener) -> bool:
    return listener.name == "admin"


def _outside_ipv4(address: str) -> bool:
    return is_ipv4(address) and not address.startswith("127.")


def _of_contour(workload: Resource) -> Iterator[Problem]:
    for container in containers(workload):
        words = [word for _, word in container.arguments()]
        own = repository(container.image) == "contour" and "serve" in words
        if not own or any(word.startswith("--contour-config-name") for word in words):
            continue
        values = {name: flag(container, f"--{name}") for name in CONTOUR_FLAGS}
        ipv4 = {name: value for name, value in values.items() if value is None or _outside_ipv4(value)}
        if ipv4:
            said = ", ".join(f"--{name} is {value or 'not given, so 0.0.0.0'}" for name, value in ipv4.items())
            yield Problem(
                workload,
                f"{workload} has Contour open Envoy's listeners on IPv4 alone: {said}; it needs `::`.",
                at=(*container.path, "args"),
                evidence={"flags": ipv4, "container": container.name},
                key="contour",
                remedy="contour",
            )


def _of_proxy(proxy: Resource) -> Iterator[Problem]:
    family = proxy.get("spec", "ipFamily")
    if family is None or family == "IPv4":
        yield Problem(
            proxy,
            f"{proxy} has {'`ipFamily: IPv4`' if family else 'no `ipFamily`, which is IPv4'}; in an IPv6 cluster "
            f"Envoy Gateway's proxies need IPv6 or DualStack.",
            at=("spec", "ipFamily") if family else ("spec",),
            evidence={"ipFamily": family, "needed": list(WITH_IPV6)},
            remedy="proxy",
        )


def _of_class(gateway_class: Resource, gateways: Sequence[Resource]) -> Iterator[Problem]:
    """A class of Envoy Gateway that names no EnvoyProxy, where some Gateway of it names none either."""
    users = [each for each in gateways if each.get("spec", "gatewayClassName") == gateway_class.name]
    bare = [each for each in users if not mapping(each.get("spec", "infrastructure")).get("parametersRef")]
    ours = text(gateway_class.get("spec", "controllerName")) == ENVOY_GATEWAY
    if ours and not gateway_class.get(*PARAMETERS) and (bare or not users):
        yield Problem(
            gateway_class,
            f"{gateway_class} names no EnvoyProxy, so Envoy Gateway's proxies listen on IPv4; in an IPv6 cluster they "
            f"need one with `ipFamily` IPv6 or DualStack.",
            at=("spec", "controllerName"),
            evidence={"gateways": sorted(each.name for each in bare), "needed": list(WITH_IPV6)},
            remedy="class",
            also=tuple((each, ("spec", "gatewayClassName")) for each in bare),
        )
