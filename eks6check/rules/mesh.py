"""Service meshes: what Istio and Linkerd need to be told before their proxies carry IPv6."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from eks6check.catalog import rule
from eks6check.facts import Gap, Path
from eks6check.facts.cidrs import is_ipv4
from eks6check.facts.embedded import Embedded, embedded, walk
from eks6check.facts.kube import Resource, containers, mapping, sequence, text, wire
from eks6check.facts.patterns import regex
from eks6check.facts.unparsed import LINKERD, unparsed
from eks6check.facts.versions import repository
from eks6check.findings import Problem

OUTBOUND = "ISTIO_ENABLE_IPV4_OUTBOUND_LISTENER_FOR_IPV6_CLUSTERS"
DUAL_STACK = "ISTIO_DUAL_STACK"
AMBIENT = "PILOT_ENABLE_AMBIENT"
"""Variables of istiod. The first has it give sidecars a listener for IPv4 peers too (istio/istio#46800, 1.20)."""

LISTENER_NAME = regex(r"^0\.0\.0\.0(?:_\d+)?$")
"""What Istio calls a listener in an IPv4 cluster; in an IPv6 one it is ``[::]_8080``."""

ALLOCATED = "240.240."
"""Addresses that Istio allocates by itself, which stand for a host and are no peer's."""

GOOGLE_METADATA = "metadata.google.internal"
"""The metadata server of Google's instances, which no node of EKS has."""

Found = list[tuple[Path, str]]
"""Addresses with the paths to them."""


@rule
def istio_egress_ipv4(
    istio_installations: Sequence[Resource] = (),
    istio_networking: Sequence[Resource] = (),
    workloads: Sequence[Resource] = (),
) -> Iterator[Problem]:
    """Sidecars of an IPv6 cluster listen for IPv6 peers alone, unless told, and know nobody by an IPv4 address."""
    for installation in istio_installations:
        yield from _of_installation(installation)
    for workload in () if istio_installations else workloads:
        yield from _of_istiod(workload)
    for each in istio_networking:
        yield from _of_networking(each)


def _of_installation(installation: Resource) -> Iterator[Problem]:
    """An IstioOperator, or an Istio of the Sail operator, that installs a control plane."""
    spec = mapping(installation.get("spec"))
    pilot = mapping(mapping(spec.get("components")).get("pilot"))
    entries = map(mapping, sequence(mapping(pilot.get("k8s")).get("env")))
    values = mapping(mapping(mapping(spec.get("values")).get("pilot")).get("env"))
    env = {**values, **{text(entry.get("name")): entry.get("value") for entry in entries}}
    without = spec.get("profile") in ("ambient", "empty", "minimal-remote", "remote") or pilot.get("enabled") is False
    if not without and not _has_outbound(env):
        yield _outbound(installation, ("spec",), env)


def _of_istiod(workload: Resource) -> Iterator[Problem]:
    for container in containers(workload):
        env = {name: value for _, name, value in container.env()}
        if repository(container.image) == "pilot" and container.name == "discovery" and not _has_outbound(env):
            yield _outbound(workload, container.path, env)


def _has_outbound(env: Mapping[str, Any]) -> bool:
    return any(wire(env.get(name)).lower() == "true" for name in (OUTBOUND, DUAL_STACK, AMBIENT))


def _outbound(subject: Resource, at: Path, env: Mapping[str, Any]) -> Problem:
    return Problem(
        subject,
        f"{subject} does not set {OUTBOUND} to true; in an IPv6 cluster sidecars then have no listener for IPv4 peers, "
        f"and connections to them fail.",
        at=at,
        evidence={"variable": OUTBOUND, "value": env.get(OUTBOUND)},
        key="outbound",
        remedy="outbound",
    )


def _of_networking(resource: Resource) -> Iterator[Problem]:
    read = {"ServiceEntry": _of_entry, "Sidecar": _of_sidecar, "EnvoyFilter": _of_filter}.get(resource.kind)
    if found := read(resource) if read else []:
        path, _ = found[0]
        listed = ", ".join(dict.fromkeys(address for _, address in found))
        yield Problem(
            resource,
            f"{resource} names {listed}; in an IPv6 cluster sidecars know neither listeners nor peers by an IPv4 "
            f"address, and what it says does not apply.",
            at=path,
            evidence={"addresses": [address for _, address in found]},
            key="addresses",
            remedy="addresses",
        )


def _of_entry(entry: Resource) -> Found:
    """The addresses that stand for its hosts, where no IPv6 one stands beside them, and a port makes a listener."""
    if not entry.list("spec", "ports") or entry.list("spec", "hosts") == [GOOGLE_METADATA]:
        return []
    addresses = list(map(text, entry.list("spec", "addresses")))
    found: Found = [(("spec", "addresses", index), each) for index, each in enumerate(addresses) if is_ipv4(each)]
    both = any(":" in each for each in addresses)
    return [] if both else [(path, each) for path, each in found if not each.startswith(ALLOCATED)]


def _of_sidecar(sidecar: Resource) -> Found:
    found: Found = []
    for field in ("ingress", "egress"):
        for index, listener in enumerate(map(mapping, sidecar.list("spec", field))):
            bind = text(listener.get("bind"))
            if is_ipv4(bind) and not bind.startswith("127."):
                found.append((("spec", field, index, "bind"), bind))
    return found


def _of_filter(envoy_filter: Resource) -> Found:
    """Listener names and addresses of an EnvoyFilter's patches."""
    inside = walk(envoy_filter.get("spec"), ("spec",))
    pairs = [((*path, key), item) for path, body in inside if isinstance(body, dict) for key, item in body.items()]
    return [(path, item) for path, item in pairs if isinstance(item, str) and LISTENER_NAME.match(item)]


@rule
def linkerd_ipv6_off(config_maps: Sequence[Resource]) -> Iterator[Problem | Gap]:
    """Linkerd carries IPv6 from 2.16 on, and only where `disableIPv6` is false; it is true by default."""
    for config_map in config_maps:
        if config_map.name == "linkerd-config":
            yield from unparsed(config_map, "Linkerd")
            for each in embedded(config_map, LINKERD):
                yield from _of_linkerd(config_map, each)


def _of_linkerd(config_map: Resource, values: Embedded) -> Iterator[Problem]:
    body = mapping(values.body)
    said, version = text(body.get("disableIPv6")), text(body.get("linkerdVersion"))
    if said.lower() == "true" or ("disableIPv6" not in body and version):
        what = "sets `disableIPv6: true`" if said else f"is of Linkerd {version} and does not set `disableIPv6`"
        yield Problem(
            config_map,
            f"{config_map} {what}; proxies then carry IPv4 alone, and in an IPv6 cluster nothing reaches pods of "
            f"the mesh.",
            at=values.path,
            find="disableIPv6" if said else "linkerdVersion",
            evidence={"disableIPv6": said, "linkerdVersion": version},
        )
