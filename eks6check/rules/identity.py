"""Identity and metadata as workloads use them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from eks6check.catalog import rule
from eks6check.facts import Fact, Path
from eks6check.facts.kube import Container, Resource, containers, mapping, on_host_network, sequence, wire
from eks6check.facts.mentions import IMDS_IPV4, in_config_map, in_workload
from eks6check.facts.versions import repository
from eks6check.findings import Problem, Severity

if TYPE_CHECKING:
    from eks6check.facts.aws import Addon, Cluster

AGENT = "eks-pod-identity-agent"
AGENT_IPV6 = "fd00:ec2::23"
"""Where the Pod Identity agent answers the pods of an IPv6 cluster: EKS user guide, read 2026-11-22."""

BIND = ("-b", "--bind-hosts")
"""The agent's flag for where it listens; left out, it is both families."""


class Bound(NamedTuple):
    """A Pod Identity agent that is told where to listen, and the place that tells it."""

    fact: Fact
    path: Path
    hosts: tuple[str, ...]


@rule
def pod_identity_agent_bound_to_ipv4(
    addons: Sequence[Addon] = (), workloads: Sequence[Resource] = (), clusters: Sequence[Cluster] = ()
) -> Iterator[Problem]:
    """The agent listens in both families, unless somebody made it do for nodes without IPv6."""
    ipv4 = any(cluster.ip_family == "ipv4" for cluster in clusters)
    managed, deployed = (
        list(filter(_misses_ipv6, _of_add_ons(addons))),
        list(filter(_misses_ipv6, _of_workloads(workloads))),
    )
    made = [each for each in deployed if managed and each.fact.origin.source == "cluster"]
    for bound in (*managed, *(each for each in deployed if each not in made)):
        today = ipv4 and bound.fact.origin.source != "manifests"
        means = "; the new cluster must not take that over" if today else ", so pods get no credentials by Pod Identity"
        subject = f"Add-on {bound.fact}" if bound in managed else str(bound.fact)
        yield Problem(
            bound.fact,
            f"{subject} has the Pod Identity agent listen on {', '.join(bound.hosts)} only, and the pods of an IPv6 "
            f"cluster ask [{AGENT_IPV6}]{means}.",
            at=bound.path,
            evidence={"hosts": list(bound.hosts), "needed": AGENT_IPV6},
            severity=Severity.INFO if today else Severity.BLOCKER,
            remedy="" if bound in managed else "daemon-set",
            also=tuple((each.fact, each.path) for each in made) if bound in managed else (),
        )


def _misses_ipv6(bound: Bound) -> bool:
    return bool(bound.hosts) and not any(AGENT_IPV6 in host or host in ("::", "[::]") for host in bound.hosts)


def _of_add_ons(addons: Sequence[Addon]) -> Iterator[Bound]:
    for addon in addons:
        if addon.id == AGENT:
            flags = mapping(mapping(addon.configuration.get("agent")).get("additionalArgs"))
            values = [value for name in BIND for value in (sequence(flags.get(name)) or [flags.get(name)])]
            yield Bound(addon, (), _hosts(wire(value) for value in values if value is not None))


def _of_workloads(workloads: Sequence[Resource]) -> Iterator[Bound]:
    for workload in workloads:
        for container in containers(workload):
            if repository(container.image) == AGENT:
                words = list(_bind_words(container))
                yield Bound(workload, words[0][0] if words else (), _hosts(word for _, word in words))


def _bind_words(container: Container) -> Iterator[tuple[Path, str]]:
    """The values of the flag, written as one word or as two, with their places."""
    before = ""
    for path, word in container.arguments():
        name, equals, value = word.partition("=")
        if before in BIND:
            yield path, word
        elif name in BIND and equals:
            yield path, value
        elif word.startswith("-b") and word not in BIND:
            yield path, word.removeprefix("-b")
        before = word


def _hosts(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(host.strip() for value in values for host in value.split(",") if host.strip())


@rule
def metadata_address_literal(
    workloads: Sequence[Resource] = (), config_maps: Sequence[Resource] = ()
) -> Iterator[Problem]:
    """The address answers a pod through its IPv4 egress only. Pods on the node's own network reach it as ever."""
    found = [
        (workload, mention)
        for workload in workloads
        if not on_host_network(workload)
        for mention in in_workload(workload, IMDS_IPV4)
    ]
    found += [(config_map, mention) for config_map in config_maps for mention in in_config_map(config_map, IMDS_IPV4)]
    for resource, mention in found:
        yield Problem(
            resource,
            f"{resource} names the metadata address 169.254.169.254 in {mention.where}: an IPv6 pod reaches it through "
            "its IPv4 egress only, and with IMDSv2 only at a hop limit of 2 or more.",
            at=mention.path,
            find=mention.find,
            skip=mention.skip,
            evidence={"address": "169.254.169.254", "in": mention.where},
            key=mention.where,
        )
