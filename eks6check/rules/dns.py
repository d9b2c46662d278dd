"""Cluster DNS: whether CoreDNS, NodeLocal DNSCache and external-dns know AAAA records and IPv6 addresses."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from eks6check.catalog import rule
from eks6check.facts import Gap
from eks6check.facts.cidrs import is_ipv4
from eks6check.facts.corefile import CLUSTER_DOMAIN, Directive, Server, corefiles, holds, servers, serving
from eks6check.facts.kube import Container, Resource, containers
from eks6check.facts.patterns import regex
from eks6check.facts.unparsed import unparsed
from eks6check.facts.versions import repository, tag, version
from eks6check.findings import Problem

NODE_CACHE = "k8s-dns-node-cache"
NODE_LOCAL = "node-local-dns"
"""The image of NodeLocal DNSCache, and what its objects are called."""

EVERYTHING = regex(r"[.^$*+()\\]*")
"""A pattern that finds every name, or but the names with a dot."""

EVERYONE = {"*", "::/0", "0.0.0.0/0"}
EXTERNAL_DNS_WITH_AAAA = (0, 16, 0)
"""From 0.16.0 on every alias in Route 53 gets an AAAA record (kubernetes-sigs/external-dns#5111, read 2026-11-22)."""


@rule
def coredns_drops_aaaa(config_maps: Sequence[Resource]) -> Iterator[Problem | Gap]:
    """In an IPv6 cluster every Service has an AAAA record alone; who takes those away takes all names away."""
    for config_map in config_maps:
        yield from unparsed(config_map, "Corefile")
        for key, value in corefiles(config_map):
            found = servers(value)
            for domain in _domains(config_map, found):
                dropping = [line for server in serving(found, domain) for line in _dropping(server, domain)]
                if dropping:
                    first = dropping[0]
                    yield Problem(
                        config_map,
                        f"{config_map} answers AAAA questions for {domain} with nothing, in `{first.text}`; in an IPv6 "
                        f"cluster Services have no other records.",
                        at=("data", key),
                        find=first.text,
                        skip=first.skip,
                        evidence={"key": str(key), "domain": domain, "lines": [line.text for line in dropping]},
                        key=f"{key} {domain}",
                    )


def _domains(config_map: Resource, found: Sequence[Server]) -> list[str]:
    """The cluster's domains that a Corefile answers for; none where it is some other name server's."""
    plugins = [line for server in found for line in server.lines("kubernetes")]
    named = {zone.rstrip(".") for line in plugins for zone in line.arguments if not _reverse(zone)}
    ours = config_map.namespace == "kube-system" or config_map.name in ("coredns-custom", NODE_LOCAL)
    return sorted(named - {""}) or ([CLUSTER_DOMAIN] if plugins or ours else [])


def _reverse(zone: str) -> bool:
    return zone.rstrip(".").endswith(".arpa") or "/" in zone


def _dropping(server: Server, domain: str) -> Iterator[Directive]:
    for line in server.lines("template"):
        zones, matches = line.arguments[2:], [each for match in line.lines("match") for each in match.arguments]
        if (
            [word.upper() for word in line.arguments[1:2]] == ["AAAA"]
            and not line.lines("answer")
            and (not zones or any(holds(zone, f"svc.{domain}") for zone in zones))
            and (not matches or any(_finds(match, domain) for match in matches))
        ):
            yield line
    for line in server.lines("rewrite"):
        words = [word for word in line.arguments if word not in ("stop", "continue")]
        if [word.upper() for word in words[:2]] == ["TYPE", "AAAA"]:
            yield line
    for line in server.lines("acl"):
        if not line.arguments or any(holds(zone, f"svc.{domain}") for zone in line.arguments):
            yield from _refusing(line)


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


@rule
def node_local_dns_is_ipv4(
    workloads: Sequence[Resource] = (), config_maps: Sequence[Resource] = ()
) -> Iterator[Problem | Gap]:
    """The cache listens on an address of its own and on that of cluster DNS; both must be of the cluster's family."""
    judged: set[str] = set()
    for workload in workloads:
        for container in containers(workload):
            if repository(container.image) == NODE_CACHE and (found := _local_addresses(container)):
                places = [each for each in config_maps if each.namespace == workload.namespace and _bound(each)]
                judged |= {each.subject.id for each in places}
                path, addresses = found
                yield Problem(
                    workload,
                    f"{workload} has NodeLocal DNSCache listen on {', '.join(addresses)}; in an IPv6 cluster cluster "
                    f"DNS has an IPv6 address, and the cache does not mix families.",
                    at=path,
                    find=addresses[0],
                    evidence={"addresses": addresses, "container": container.name},
                    also=tuple((each, ("data", _bound(each)[0][0])) for each in places),
                )
    for config_map in config_maps:
        if config_map.name.startswith(NODE_LOCAL):
            yield from unparsed(config_map, "Corefile")
        if config_map.subject.id not in judged and (bound := _bound(config_map)):
            key, line, addresses = bound[0]
            yield Problem(
                config_map,
                f"{config_map} binds NodeLocal DNSCache to {', '.join(addresses)}; in an IPv6 cluster cluster DNS has "
                f"an IPv6 address, and the cache does not mix families.",
                at=("data", key),
                find=line.text,
                skip=line.skip,
                evidence={"addresses": addresses, "key": str(key)},
            )


def _local_addresses(container: Container) -> tuple[tuple[str | int, ...], list[str]] | None:
    before = ""
    for path, word in container.arguments():
        name, _, value = word.partition("=")
        option = name if value else before
        listed = (value or word).split(",")
        ipv4 = [each.strip() for each in listed if is_ipv4(each)]
        if option.lstrip("-") == "localip" and ipv4:
            return path, ipv4
        before = word
    return None


def _bound(config_map: Resource) -> list[tuple[str, Directive, list[str]]]:
    """The first line that binds the cache to IPv4 in each of its Corefiles, with the addresses."""
    found = []
    for key, value in corefiles(config_map) if config_map.name.startswith(NODE_LOCAL) else ():
        for line in [line for server in servers(value) for line in server.lines("bind")]:
            if ipv4 := [word for word in line.arguments if is_ipv4(word) and word != "0.0.0.0"]:  # noqa: S104  Go opens both families for it
                found.append((key, line, ipv4))
                break
    return found


@rule
def external_dns_hides_ipv6(workloads: Sequence[Resource]) -> Iterator[Problem]:
    """Without an AAAA record nobody outside finds the IPv6 side of a load balancer."""
    for workload in workloads:
        for container in containers(workload):
            if repository(container.image) == "external-dns":
                yield from _external_dns(workload, container)


def _external_dns(workload: Resource, container: Container) -> Iterator[Problem]:
    at, excluded, managed = _record_types(container)
    found, provider = version(tag(container.image)), _provider(container)
    if "AAAA" in excluded or (managed and "AAAA" not in managed):
        said = f"excludes {', '.join(excluded)}" if "AAAA" in excluded else f"manages {', '.join(managed)} alone"
        yield Problem(
            workload,
            f"{workload} has external-dns make no AAAA records: it {said}, and IPv6 clients do not find the names.",
            at=at,
            evidence={"excluded": excluded, "managed": managed, "container": container.name},
            key="types",
            remedy="types",
        )
    elif found and found < EXTERNAL_DNS_WITH_AAAA and provider == "aws":
        yield Problem(
            workload,
            f"{workload} runs external-dns {'.'.join(map(str, found))}; below 0.16.0 a dual-stack load balancer may "
            f"get an A record alone in Route 53.",
            at=(*container.path, "image"),
            evidence={"image": container.image, "needed": "0.16.0", "container": container.name},
            key="version",
            remedy="version",
        )


def _settings(container: Container) -> Iterator[tuple[tuple[str | int, ...], str, str]]:
    """Options and variables of external-dns by the option's name: the path, the name, the value."""
    before = ""
    for path, word in container.arguments():
        name, equals, value = word.partition("=")
        if equals and name.startswith("--"):
            yield path, name.lstrip("-"), value
        elif before.startswith("--"):
            yield path, before.lstrip("-"), word
        before = "" if equals else word
    for path, name, value in container.env():
        yield path, name.removeprefix("EXTERNAL_DNS_").lower().replace("_", "-"), value


def _record_types(container: Container) -> tuple[tuple[str | int, ...], list[str], list[str]]:
    """The path to the setting that matters, the types left out, and the types managed (none: the default ones)."""
    excluded: list[str] = []
    managed: list[str] = []
    at: tuple[str | int, ...] = container.path
    for path, name, value in _settings(container):
        types = re.findall(r"\w+", value.upper())
        if name == "exclude-record-types":
            excluded += types
            at = path if "AAAA" in types else at
        elif name == "managed-record-types":
            at = at if managed or excluded else path
            managed += types
    return at, excluded, managed


def _provider(container: Container) -> str:
    return next((value.lower() for _, name, value in _settings(container) if name == "provider"), "")


@rule
def coredns_without_ipv6_reverse_zone(config_maps: Sequence[Resource]) -> Iterator[Problem | Gap]:
    """Names of pods and Services out of their addresses come from the reverse zone of the cluster's family."""
    for config_map in config_maps:
        yield from unparsed(config_map, "Corefile")
        for key, value in corefiles(config_map):
            for line in [line for server in servers(value) for line in server.lines("kubernetes")]:
                zones = [zone.rstrip(".").lower() for zone in line.arguments]
                ipv6 = any(zone.endswith("ip6.arpa") or (":" in zone and "/" in zone) for zone in zones)
                if any(zone.endswith("in-addr.arpa") for zone in zones) and not ipv6:
                    yield Problem(
                        config_map,
                        f"{config_map} has the kubernetes plugin answer for {' '.join(line.arguments)}; names for "
                        f"IPv6 addresses need ip6.arpa beside in-addr.arpa.",
                        at=("data", key),
                        find=line.text,
                        skip=line.skip,
                        evidence={"key": str(key), "zones": line.arguments},
                        key=f"{key} {line.skip}",
                    )
