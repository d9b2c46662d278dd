"""Cluster DNS out of Corefiles: the domains that it answers for, and the lines that keep AAAA records back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from eks6check.facts.corefile import CLUSTER_DOMAIN, Directive, Server, holds
from eks6check.facts.kube import Resource, containers
from eks6check.facts.patterns import regex
from eks6check.facts.versions import repository

NODE_CACHE, NODE_LOCAL = "k8s-dns-node-cache", "node-local-dns"
"""The image of NodeLocal DNSCache, and what its objects are called."""

EVERYTHING = regex(r"[.^$*+()\\]*")
"""A pattern that finds every name, or but the names with a dot."""

EVERYONE = {"*", "::/0", "0.0.0.0/0"}
"""Sources of an access list that nobody is left out of."""


def runs_node_cache(workload: Resource) -> bool:
    """Whether a container of a workload is NodeLocal DNSCache."""
    return any(repository(container.image) == NODE_CACHE for container in containers(workload))


def cluster_domains(config_map: Resource, found: Sequence[Server]) -> list[str]:
    """The cluster's domains that a Corefile answers for; none where it is some other name server's."""
    plugins = [line for server in found for line in server.lines("kubernetes")]
    named = {zone.rstrip(".") for line in plugins for zone in line.arguments if not _reverse(zone)}
    ours = config_map.namespace == "kube-system" or config_map.name in ("coredns-custom", NODE_LOCAL)
    return sorted(named - {""}) or ([CLUSTER_DOMAIN] if plugins or ours else [])


def _reverse(zone: str) -> bool:
    return zone.rstrip(".").endswith(".arpa") or "/" in zone


def dropping(server: Server, domain: str) -> Iterator[Directive]:
    """The lines of a server block that keep the AAAA records of a domain's Services back, plugin by plugin."""
    yield from (line for line in server.lines("template") if _answers_nothing(line, domain))
    yield from (line for line in server.lines("rewrite") if _asks_for_another_type(line))
    for acl in server.lines("acl"):
        if _has_services(acl.arguments, domain):
            yield from _refusing(acl)


def _has_services(zones: Sequence[str], domain: str) -> bool:
    """Whether a plugin for these zones is for a domain's Services; one for no zone is for all."""
    return not zones or any(holds(zone, f"svc.{domain}") for zone in zones)


def _answers_nothing(template: Directive, domain: str) -> bool:
    """Whether a template meets AAAA questions for Services and answers with no record."""
    about_aaaa = [word.upper() for word in template.arguments[1:2]] == ["AAAA"]
    matches = [each for match in template.lines("match") for each in match.arguments]
    met = not matches or any(_finds(match, domain) for match in matches)
    return about_aaaa and not template.lines("answer") and met and _has_services(template.arguments[2:], domain)


def _asks_for_another_type(rewrite: Directive) -> bool:
    words = [word.upper() for word in rewrite.arguments if word not in ("stop", "continue")]
    return words[:2] == ["TYPE", "AAAA"]


def _finds(match: str, domain: str) -> bool:
    """Whether a template's pattern is sure to find a Service's name: it finds all, or has the domain in it."""
    return bool(EVERYTHING.fullmatch(match)) or (domain in match.replace("\\", "") and "[^" not in match)


def _refusing(acl: Directive) -> Iterator[Directive]:
    """The lines that refuse AAAA to everyone, up to the first that lets any through."""
    for line in acl.block:
        if line.name == "allow":
            return
        sources = line.arguments[line.arguments.index("net") + 1 :] if "net" in line.arguments else []
        kept_from_all = not sources or bool(EVERYONE & set(sources))
        if line.name in ("block", "filter", "drop") and line.arguments[:2] == ["type", "AAAA"] and kept_from_all:
            yield line
