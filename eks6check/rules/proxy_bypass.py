"""HTTP proxies: lists of what goes past them, and the IPv6 addresses of the cluster that are not on them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Network, ip_network
from typing import TYPE_CHECKING, NamedTuple

from eks6check.catalog import rule
from eks6check.facts import Path
from eks6check.facts.addresses import IMDS, INTERNAL
from eks6check.facts.cidrs import listed
from eks6check.facts.kube import Resource, containers, mapping, text, wire
from eks6check.facts.mounts import ConfigMaps, by_name, variables
from eks6check.facts.pod_identity import AGENT_IPV4, AGENT_IPV6, clients, identities
from eks6check.findings import Problem

if TYPE_CHECKING:
    from eks6check.facts.aws import PodIdentityAssociation

HTTP = frozenset({"HTTP_PROXY", "ALL_PROXY"})
"""The variables that send plain HTTP, such as the agent speaks, through a proxy; both spellings count."""

PROXIES = HTTP | {"HTTPS_PROXY"}

NO_IPV6 = (
    "and no IPv6 address is there: calls to the Services and the VPC over IPv6, and to the Pod Identity agent at "
    f"[{AGENT_IPV6}], go to the proxy"
)
NO_AGENT = f"and the Pod Identity agent at [{AGENT_IPV6}] is not there: calls for credentials go to the proxy"


class Bypass(NamedTuple):
    """A list of what goes past a proxy: its path, where it stands, its entries, and whether plain HTTP is proxied."""

    path: Path
    where: str
    entries: Sequence[str]
    http: bool


@rule
def proxy_bypass_without_ipv6(  # noqa: PLR0913, PLR0917  where a proxy is set and who asks the agent: seven sections
    workloads: Sequence[Resource],
    config_maps: Sequence[Resource] = (),
    auto_mode_node_classes: Sequence[Resource] = (),
    pods: Sequence[Resource] = (),
    service_accounts: Sequence[Resource] = (),
    pod_identity_associations: Sequence[PodIdentityAssociation] = (),
    pod_identity_objects: Sequence[Resource] = (),
) -> Iterator[Problem]:
    """Whatever the list does not name goes to the proxy, which cannot reach the addresses of a cluster's inside."""
    given = by_name(config_maps)
    for resource in (*workloads, *config_maps):
        lists = list(_of_workload(resource, given) if resource.kind != "ConfigMap" else _of_config_map(resource))
        yield from _missing(resource, [each for each in lists if names_ipv4_alone(each.entries)], NO_IPV6)
    for node_class in auto_mode_node_classes:
        lists = [each for each in _of_node_class(node_class) if names_ipv4_alone(each.entries, also=(IMDS,))]
        yield from _missing(node_class, lists, NO_IPV6, remedy="node-class")
    known = identities(pod_identity_associations, pod_identity_objects, (*pods, *workloads))
    for workload in clients(workloads, known, service_accounts):
        found = [each for each in _of_workload(workload, given) if each.http and not names_ipv4_alone(each.entries)]
        yield from _missing(workload, [each for each in found if not _may_name_agent(each.entries)], NO_AGENT)


def _missing(resource: Resource, lists: Sequence[Bypass], lack: str, remedy: str = "") -> Iterator[Problem]:
    if lists:
        first = lists[0]
        named = list(dict.fromkeys(entry for each in lists for entry in each.entries if _network(entry)))
        yield Problem(
            resource,
            f"{resource} lists what goes past its proxy in {first.where}, {lack}.",
            at=first.path,
            evidence={"in": [each.where for each in lists], "addresses": named, "needed": str(AGENT_IPV6)},
            remedy=remedy,
            also=tuple((resource, each.path) for each in lists[1:]),
        )


def _of_workload(workload: Resource, given: ConfigMaps) -> Iterator[Bypass]:
    """The lists among a workload's own variables; the proxy may come out of a ConfigMap, whatever it is there."""
    for container in containers(workload):
        told = [each for each in variables(workload, container, given) if each.value or each.config_map is not workload]
        proxies = {each.name.upper() for each in told} & PROXIES
        for path, name, value in container.env():
            if name.upper() == "NO_PROXY" and proxies:
                where = f"variable {name} of container {container.name}"
                yield Bypass(path, where, listed(value), bool(proxies & HTTP))


def _of_config_map(config_map: Resource) -> Iterator[Bypass]:
    """The lists in a ConfigMap that becomes the environment of containers, known by its keys."""
    data = mapping(config_map.get("data"))
    proxies = {wire(key).upper() for key in data} & PROXIES
    for key, value in data.items():
        if wire(key).upper() == "NO_PROXY" and proxies:
            yield Bypass(("data", key), f"key {key}", listed(text(value)), bool(proxies & HTTP))


def _of_node_class(node_class: Resource) -> Iterator[Bypass]:
    path = ("spec", "advancedNetworking", "noProxy")
    entries = [text(each) for each in node_class.list(*path)]
    if node_class.get("spec", "advancedNetworking", "httpsProxy") and entries:
        yield Bypass(path, "noProxy", entries, http=False)


def names_ipv4_alone(entries: Sequence[str], also: Sequence[IPv4Address] = ()) -> bool:
    """Whether a list names internal ranges or the agent over IPv4, nothing over IPv6, and nothing that is unknown."""
    networks = [_network(entry) for entry in entries]
    ipv4 = [each for each in networks if isinstance(each, IPv4Network)]
    inside = any(each.prefixlen < each.max_prefixlen and _is_internal(each) for each in ipv4)
    named = inside or any(IPv4Network(address) in ipv4 for address in (AGENT_IPV4, *also))
    return named and not _may_name_more(entries)


def _may_name_more(entries: Sequence[str]) -> bool:
    """Whether an entry is IPv6, stands for everything, or is a variable."""
    return any(
        isinstance(_network(each), IPv6Network) or each == "*" or "$" in each or "{{" in each for each in entries
    )


def _may_name_agent(entries: Sequence[str]) -> bool:
    networks = [_network(entry) for entry in entries]
    return any(isinstance(each, IPv6Network) and AGENT_IPV6 in each for each in networks) or any(
        each == "*" or "$" in each or "{{" in each for each in entries
    )


def _is_internal(network: IPv4Network) -> bool:
    return any(network.subnet_of(internal) for internal in INTERNAL)


def _network(entry: str) -> IPv4Network | IPv6Network | None:
    try:
        return ip_network(entry.replace("[", "").replace("]", ""), strict=False)
    except ValueError:
        return None
