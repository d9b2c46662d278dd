"""Those who ask cluster DNS: programs that want A records alone, and pods with a name server of their own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from eks6check.catalog import rule
from eks6check.facts import Gap, Path
from eks6check.facts.addresses import ranges_of
from eks6check.facts.cidrs import is_ipv4
from eks6check.facts.kube import Resource
from eks6check.facts.lookups import Lookup, Names, in_config_map, in_workload, names, nameservers
from eks6check.facts.services import addresses_of
from eks6check.facts.unparsed import unparsed
from eks6check.findings import Problem, Severity

if TYPE_CHECKING:
    from eks6check.facts.aws import OldRange


@rule
def client_asks_ipv4_records_only(
    workloads: Sequence[Resource] = (), config_maps: Sequence[Resource] = (), services: Sequence[Resource] = ()
) -> Iterator[Problem | Gap]:
    """Services of an IPv6 cluster have AAAA records alone, so such a client finds none of them."""
    known = names(services)
    for workload in workloads:
        yield from _problems(workload, in_workload(workload, Names(known, workload.namespace)))
    for config_map in config_maps:
        yield from unparsed(config_map, "Envoy")
        yield from _problems(config_map, in_config_map(config_map, Names(known, config_map.namespace)))


def _problems(subject: Resource, found: Iterable[Lookup]) -> Iterator[Problem]:
    """One for each kind of client: a blocker where it asks for a Service, else a note."""
    for each in {lookup.kind: lookup for lookup in found}.values():
        asked = f" for {each.host}" if each.host else ""
        effect = "finds no Service" if each.inside else "finds no host without IPv4"
        yield Problem(
            subject,
            f"{subject} asks{asked} with {each.what}, for IPv4 records alone; in an IPv6 cluster it {effect}.",
            at=each.path,
            find=each.find,
            skip=each.skip,
            evidence={"client": each.what, "host": each.host},
            key=each.kind,
            severity=Severity.BLOCKER if each.inside else Severity.INFO,
        )


@rule
def pod_nameserver_is_ipv4(
    workloads: Sequence[Resource], services: Sequence[Resource] = (), old_ranges: Sequence[OldRange] = ()
) -> Iterator[Problem]:
    """The old cluster's DNS is gone in the new one; name servers outside are reached through IPv4 egress alone."""
    ranges, own = ranges_of(old_ranges), addresses_of(services)
    for workload in workloads:
        listed = list(nameservers(workload))
        ipv4 = [(path, address) for path, address in listed if is_ipv4(address) and not address.startswith("127.")]
        inside = [(path, address) for path, address in ipv4 if address in own or ranges.gone(address)]
        if ipv4:
            path, address = (inside or ipv4)[0]
            effect = "which does not exist in an IPv6 cluster" if inside else "reached through IPv4 egress alone"
            yield Problem(
                workload,
                f"{workload} gives its pods the name server {address}, {effect}.",
                at=path,
                evidence={"nameservers": [each for _, each in listed], "dnsPolicy": _policy(workload, path)},
                severity=Severity.WARNING if inside else Severity.INFO,
            )


def _policy(workload: Resource, path: Path) -> object:
    return workload.get(*path[:-3], "dnsPolicy")
