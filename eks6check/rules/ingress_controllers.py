"""Ingress controllers that run as pods: whom nginx, HAProxy, Traefik and Kong let in, said in IPv4 alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from eks6check.catalog import rule
from eks6check.facts import Path
from eks6check.facts.cidrs import ipv4_only, listed
from eks6check.facts.kube import Resource, containers, mapping, text
from eks6check.facts.load_balancing import annotation
from eks6check.facts.source_lists import ADMITS, KEEPS_OUT, SETTINGS, TRUSTS
from eks6check.facts.versions import repository
from eks6check.findings import Confidence, Problem, Severity

NGINX = "nginx.ingress.kubernetes.io/"
ANNOTATIONS: Mapping[str, str] = {
    f"{NGINX}whitelist-source-range": ADMITS,
    f"{NGINX}allowlist-source-range": ADMITS,
    f"{NGINX}denylist-source-range": KEEPS_OUT,
    f"{NGINX}limit-whitelist": ADMITS,
    f"{NGINX}limit-allowlist": ADMITS,
    "haproxy.org/allow-list": ADMITS,
    "haproxy.org/whitelist": ADMITS,
    "haproxy.org/deny-list": KEEPS_OUT,
    "haproxy.org/blacklist": KEEPS_OUT,
    "haproxy-ingress.github.io/allowlist-source-range": ADMITS,
    "haproxy-ingress.github.io/whitelist-source-range": ADMITS,
    "haproxy-ingress.github.io/denylist-source-range": KEEPS_OUT,
}
"""Lists of sources on an Ingress, and what becomes of those listed. The controllers' own pages, read 2026-11-25."""

BELIEVES = ("use-proxy-protocol", "use-forwarded-headers")
"""Settings of the nginx controller's ConfigMap under which it matters whom it trusts."""

FIELDS: Mapping[str, tuple[tuple[Path, str], ...]] = {
    "Middleware": ((("spec", "ipAllowList", "sourceRange"), ADMITS), (("spec", "ipWhiteList", "sourceRange"), ADMITS)),
    "MiddlewareTCP": (
        (("spec", "ipAllowList", "sourceRange"), ADMITS),
        (("spec", "ipWhiteList", "sourceRange"), ADMITS),
    ),
    "KongPlugin": ((("config", "allow"), ADMITS), (("config", "deny"), KEEPS_OUT)),
    "KongClusterPlugin": ((("config", "allow"), ADMITS), (("config", "deny"), KEEPS_OUT)),
}
"""The same in objects of Traefik and of Kong, whose plugin for it is ``ip-restriction``."""

TRUSTED_BY_TRAEFIK = (".forwardedheaders.trustedips", ".proxyprotocol.trustedips")
"""The ends of Traefik's options for whom it believes; doc.traefik.io, EntryPoints, read 2026-11-25."""

EFFECTS = {
    ADMITS: "clients that come over IPv6 are refused",
    KEEPS_OUT: "whom it keeps out comes in over IPv6",
    TRUSTS: "the address of a client is not believed when the load balancer passes it on over IPv6",
}


class SourceList(NamedTuple):
    """A list of sources: the object that holds it, its path, its name there, its entries, and what they are for."""

    holder: Resource
    path: Path
    name: str
    entries: Sequence[object]
    use: str


@rule
def ingress_controller_allow_list_ipv4_only(
    ingresses: Sequence[Resource],
    config_maps: Sequence[Resource] = (),
    ingress_middlewares: Sequence[Resource] = (),
    workloads: Sequence[Resource] = (),
) -> Iterator[Problem]:
    """Behind a dual-stack load balancer these controllers see IPv6 addresses that no range of theirs holds."""
    for each in (
        *_of_ingresses(ingresses),
        *_of_config_maps(config_maps),
        *_of_middlewares(ingress_middlewares),
        *_of_traefik(workloads),
    ):
        if ranges := ipv4_only(each.entries):
            yield Problem(
                each.holder,
                f"{each.holder} {each.use} {', '.join(ranges)} and no IPv6 in {each.name}; {EFFECTS[each.use]}.",
                at=each.path,
                find=ranges[0],
                evidence={"ranges": ranges, "key": each.name, "apiVersion": each.holder.get("apiVersion")},
                key=each.name,
                confidence=Confidence.MEDIUM if each.holder.kind == "ConfigMap" else Confidence.HIGH,
                remedy={"Ingress": "ingress", "ConfigMap": "config-map"}.get(each.holder.kind, "object"),
            )


def _of_ingresses(ingresses: Sequence[Resource]) -> Iterator[SourceList]:
    for ingress in ingresses:
        for key, use in ANNOTATIONS.items():
            path = ("metadata", "annotations", key)
            yield SourceList(ingress, path, key, listed(annotation(ingress, key)), use)


def _of_config_maps(config_maps: Sequence[Resource]) -> Iterator[SourceList]:
    for config_map in config_maps:
        data = mapping(config_map.get("data"))
        believes = any(data.get(key) == "true" for key in BELIEVES)
        for key, use in SETTINGS.items():
            if use != TRUSTS or believes:
                yield SourceList(config_map, ("data", key), key, listed(text(data.get(key))), use)


def _of_middlewares(middlewares: Sequence[Resource]) -> Iterator[SourceList]:
    for each in middlewares:
        for path, use in FIELDS.get(each.kind, ()):
            if path[0] != "config" or each.get("plugin") == "ip-restriction":
                yield SourceList(each, path, ".".join(map(str, path)), each.list(*path), use)


def _of_traefik(workloads: Sequence[Resource]) -> Iterator[SourceList]:
    """The peers that Traefik believes the client's address, by its entry points; those of the pod itself are none."""
    for workload in workloads:
        for container in containers(workload):
            for path, word in container.arguments() if repository(container.image) == "traefik" else ():
                option, _, value = word.partition("=")
                entries = [each for each in listed(value) if not each.startswith("127.")]
                if option.lower().endswith(TRUSTED_BY_TRAEFIK):
                    yield SourceList(workload, path, option, entries, TRUSTS)


IPV6_OFF: Mapping[str, tuple[str, Severity]] = {
    "disable-ipv6": (
        "has nginx open no IPv6 listener, and in an IPv6 cluster nothing comes over IPv4",
        Severity.BLOCKER,
    ),
    "disable-ipv6-dns": (
        "has nginx ask for no AAAA records, and in an IPv6 cluster Services have no others",
        Severity.WARNING,
    ),
}
"""Settings in the ConfigMap of an nginx controller, and what comes of them."""


@rule
def ingress_nginx_ipv6_off(config_maps: Sequence[Resource]) -> Iterator[Problem]:
    """Both settings are of IPv4 clusters; in the IPv6 one the first leaves the controller without a listener."""
    for config_map in config_maps:
        sure = is_of_nginx(config_map)
        for key, (effect, severity) in IPV6_OFF.items():
            value = config_map.get("data", key)
            if isinstance(value, str) and value.strip().lower() == "true":
                yield Problem(
                    config_map,
                    f"{config_map} sets `{key}: {value}`, which {effect}.",
                    at=("data", key),
                    evidence={"key": key, "value": value},
                    key=key,
                    severity=severity if sure else Severity.WARNING,
                    confidence=Confidence.HIGH if sure else Confidence.MEDIUM,
                )


def is_of_nginx(config_map: Resource) -> bool:
    """Whether its name, its namespace or a label says that an nginx controller reads it; the key alone does not."""
    return any("nginx" in text(word) for word in (config_map.name, config_map.namespace, *config_map.labels.values()))
