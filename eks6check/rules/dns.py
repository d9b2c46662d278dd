"""Cluster DNS: whether CoreDNS, NodeLocal DNSCache and external-dns know AAAA records and IPv6 addresses."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from eks6check.catalog import rule
from eks6check.facts import Gap, Path
from eks6check.facts.cidrs import is_ipv4
from eks6check.facts.cluster_dns import NODE_CACHE, NODE_LOCAL, cluster_domains, dropping
from eks6check.facts.corefile import Directive, corefiles, servers, serving
from eks6check.facts.external_dns import provider, record_types
from eks6check.facts.kube import Container, Resource, containers
from eks6check.facts.unparsed import unparsed
from eks6check.facts.versions import repository, tag, version
from eks6check.findings import Problem

EXTERNAL_DNS_WITH_AAAA = (0, 16, 0)
"""From 0.16.0 on every alias in Route 53 gets an AAAA record (kubernetes-sigs/external-dns#5111, read 2026-11-22)."""


@rule
def coredns_drops_aaaa(config_maps: Sequence[Resource]) -> Iterator[Problem | Gap]:
    """In an IPv6 cluster every Service has an AAAA record alone; who takes those away takes all names away."""
    for config_map in config_maps:
        yield from unparsed(config_map, "Corefile")
        for key, value in corefiles(config_map):
            found = servers(value)
            for domain in cluster_domains(config_map, found):
                lines = [line for server in serving(found, domain) for line in dropping(server, domain)]
                if lines:
                    first = lines[0]
                    yield Problem(
                        config_map,
                        f"{config_map} answers AAAA questions for {domain} with nothing, in `{first.text}`; in an IPv6 "
                        f"cluster Services have no other records.",
                        at=("data", key),
                        find=first.text,
                        skip=first.skip,
                        evidence={"key": str(key), "domain": domain, "lines": [line.text for line in lines]},
                        key=f"{key} {domain}",
                    )


@rule
def node_local_dns_is_ipv4(
    workloads: Sequence[Resource] = (), config_maps: Sequence[Resource] = ()
) -> Iterator[Problem | Gap]:
    """The cache listens on an address of its own and on that of cluster DNS; both must be of the cluster's family."""
    judged: set[str] = set()
    for workload in workloads:
        for container in containers(workload):
            if repository(container.image) == NODE_CACHE and (found := _local_addresses(container)):
                same = [each for each in config_maps if each.namespace == workload.namespace]
                bound = [(each, bind) for each in same if (bind := _bind(each))]
                judged |= {each.subject.id for each, _ in bound}
                yield _cache_of_workload(workload, container, *found, bound)
    for config_map in config_maps:
        if config_map.name.startswith(NODE_LOCAL):
            yield from unparsed(config_map, "Corefile")
        if config_map.subject.id not in judged and (bind := _bind(config_map)):
            yield _cache_of_config_map(config_map, bind)


class CacheBind(NamedTuple):
    """The line of a Corefile that binds the cache to IPv4, the key that holds it, and the addresses."""

    key: str
    line: Directive
    addresses: list[str]


def _cache_of_workload(
    workload: Resource,
    container: Container,
    path: Path,
    addresses: list[str],
    bound: Sequence[tuple[Resource, CacheBind]],
) -> Problem:
    return Problem(
        workload,
        f"{workload} has NodeLocal DNSCache listen on {', '.join(addresses)}; in an IPv6 cluster cluster DNS has an "
        f"IPv6 address, and the cache does not mix families.",
        at=path,
        find=addresses[0],
        evidence={"addresses": addresses, "container": container.name},
        also=tuple((config_map, ("data", bind.key)) for config_map, bind in bound),
    )


def _cache_of_config_map(config_map: Resource, bind: CacheBind) -> Problem:
    return Problem(
        config_map,
        f"{config_map} binds NodeLocal DNSCache to {', '.join(bind.addresses)}; in an IPv6 cluster cluster DNS has an "
        f"IPv6 address, and the cache does not mix families.",
        at=("data", bind.key),
        find=bind.line.text,
        skip=bind.line.skip,
        evidence={"addresses": bind.addresses, "key": str(bind.key)},
    )


def _local_addresses(container: Container) -> tuple[Path, list[str]] | None:
    """The IPv4 addresses after ``-localip``, and the path to them; None where there are none."""
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


def _bind(config_map: Resource) -> CacheBind | None:
    """The first line that binds the cache to IPv4 addresses."""
    for key, value in corefiles(config_map) if config_map.name.startswith(NODE_LOCAL) else ():
        for line in [line for server in servers(value) for line in server.lines("bind")]:
            if ipv4 := [word for word in line.arguments if is_ipv4(word) and word != "0.0.0.0"]:  # noqa: S104  Go opens both families for it
                return CacheBind(key, line, ipv4)
    return None


@rule
def external_dns_hides_ipv6(workloads: Sequence[Resource]) -> Iterator[Problem]:
    """Without an AAAA record nobody outside finds the IPv6 side of a load balancer."""
    for workload in workloads:
        for container in containers(workload):
            if repository(container.image) == "external-dns":
                yield from _external_dns(workload, container)


def _external_dns(workload: Resource, container: Container) -> Iterator[Problem]:
    at, excluded, managed = record_types(container)
    found = version(tag(container.image))
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
    elif found and found < EXTERNAL_DNS_WITH_AAAA and provider(container) == "aws":
        yield Problem(
            workload,
            f"{workload} runs external-dns {'.'.join(map(str, found))}; below 0.16.0 a dual-stack load balancer may "
            f"get an A record alone in Route 53.",
            at=(*container.path, "image"),
            evidence={"image": container.image, "needed": "0.16.0", "container": container.name},
            key="version",
            remedy="version",
        )


@rule
def coredns_without_ipv6_reverse_zone(config_maps: Sequence[Resource]) -> Iterator[Problem | Gap]:
    """Names of pods and Services out of their addresses come from the reverse zone of the cluster's family."""
    for config_map in config_maps:
        yield from unparsed(config_map, "Corefile")
        for key, value in corefiles(config_map):
            for line in [line for server in servers(value) for line in server.lines("kubernetes")]:
                if _reverses_ipv4_alone(line.arguments):
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


def _reverses_ipv4_alone(zones: Sequence[str]) -> bool:
    """Whether zones hold the names of IPv4 addresses, and of no IPv6 ones: by ``ip6.arpa``, or as a block."""
    names = [zone.rstrip(".").lower() for zone in zones]
    ipv6 = any(name.endswith("ip6.arpa") or (":" in name and "/" in name) for name in names)
    return any(name.endswith("in-addr.arpa") for name in names) and not ipv6
