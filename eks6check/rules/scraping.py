"""How Prometheus finds its targets: addresses taken apart for IPv4 alone, and addresses written down."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from eks6check.catalog import rule
from eks6check.facts import Gap
from eks6check.facts.addresses import ranges_of
from eks6check.facts.cidrs import is_ipv4
from eks6check.facts.kube import Resource
from eks6check.facts.patterns import regex
from eks6check.facts.prometheus import Module, Relabelling, Target, documents, ipv4_only_modules, relabellings, targets
from eks6check.facts.services import addresses_of
from eks6check.facts.unparsed import unparsed
from eks6check.findings import Problem, Severity

if TYPE_CHECKING:
    from eks6check.facts.aws import OldRange

ADDRESS = "__address__"
BARE_ADDRESS = regex(r"__meta_kubernetes_(?:pod_ip|pod_host_ip|node_address_\w+|service_cluster_ip)$")
"""Labels that hold an address without brackets and port."""

UNTIL_COLON = regex(r"\[\^[^\]]*:[^\]]*\]")
"""A part of a pattern that ends at the first colon, and so inside an IPv6 address."""

WITH_PORT = regex(r"\$\{?\d\}?:(?:\d+|\$)")
"""A replacement that puts a port behind what a pattern found."""

HOST = regex(r"^(?:https?://)?([0-9.]+)(?::\d+)?(?:/|$)")


@rule
def relabel_regex_is_ipv4_only(
    config_maps: Sequence[Resource] = (),
    scrape_configs: Sequence[Resource] = (),
    operator_objects: Sequence[Resource] = (),
) -> Iterator[Problem | Gap]:
    """A target whose address a pattern does not find keeps its first port, or goes; no error is told."""
    for resource in (*config_maps, *scrape_configs, *operator_objects):
        yield from unparsed(resource, "Prometheus")
        found = [
            each for document in documents(resource) for rules in relabellings(document) for each in _losing(rules)
        ]
        if found:
            first = found[0]
            more = f", and {len(found) - 1} more like it" if found[1:] else ""
            yield Problem(
                resource,
                f"{resource} relabels {', '.join(first.sources)} with `{first.regex}` and `{first.replacement}`, "
                f"which does not fit IPv6 addresses{more}.",
                at=first.place.path,
                find=first.place.find,
                skip=first.place.skip,
                evidence={"rules": [{"regex": each.regex, "replacement": each.replacement} for each in found]},
            )


def _losing(rules: Sequence[Relabelling]) -> list[Relabelling]:
    """Those that lose IPv6 targets; none where another rule of the list writes brackets."""
    if any(each.target == ADDRESS and "[" in each.replacement for each in rules):
        return []
    return [each for each in rules if _takes_apart(each) or _puts_together(each)]


def _takes_apart(each: Relabelling) -> bool:
    decides = (each.action == "replace" and each.target == ADDRESS) or each.action == "keep"
    return decides and ADDRESS in each.sources and bool(UNTIL_COLON.search(each.regex)) and r"\[" not in each.regex


def _puts_together(each: Relabelling) -> bool:
    bare = any(BARE_ADDRESS.match(source) for source in each.sources)
    return each.action == "replace" and each.target == ADDRESS and bare and bool(WITH_PORT.search(each.replacement))


@rule
def scrape_target_is_ipv4(
    config_maps: Sequence[Resource],
    scrape_configs: Sequence[Resource],
    services: Sequence[Resource] = (),
    old_ranges: Sequence[OldRange] = (),
) -> Iterator[Problem | Gap]:
    """Targets by their IPv4 address: gone with the old cluster, or outside and reached through IPv4 egress."""
    ranges, own = ranges_of(old_ranges), addresses_of(services)
    for resource in (*config_maps, *scrape_configs):
        yield from unparsed(resource, "Prometheus")
        for document in documents(resource):
            found = {address: each for each in targets(document) if (address := _ipv4_host(each))}
            inside = {address: each for address, each in found.items() if address in own or ranges.gone(address)}
            yield from _targets(resource, inside, inside=True)
            yield from _targets(resource, {address: found[address] for address in found if address not in inside})
            yield from (_probing_ipv4(resource, module) for module in ipv4_only_modules(document))


def _probing_ipv4(resource: Resource, module: Module) -> Problem:
    return Problem(
        resource,
        f"{resource} has the blackbox exporter's module {module.name} probe over IPv4 alone; in an IPv6 cluster "
        f"Services have no IPv4 address.",
        at=module.place.path,
        find=module.place.find,
        skip=module.place.skip,
        evidence={"module": module.name},
        key=f"module {module.name}",
        remedy="module",
    )


def _ipv4_host(target: Target) -> str:
    """The IPv4 address of a target; empty for a name, and for what leads back to the pod itself."""
    found = HOST.match(target.address)
    return found[1] if found and is_ipv4(found[1]) and not found[1].startswith(("127.", "0.")) else ""


def _targets(resource: Resource, found: dict[str, Target], *, inside: bool = False) -> Iterator[Problem]:
    """One finding for the old cluster's addresses, and one for all others, which IPv4 egress still reaches."""
    if found:
        place = next(iter(found.values())).place
        effect = "which the IPv6 cluster does not have" if inside else "which pods reach through IPv4 egress alone"
        yield Problem(
            resource,
            f"{resource} names the scrape targets {', '.join(found)}, {effect}.",
            at=place.path,
            find=place.find,
            skip=place.skip,
            evidence={"targets": [each.address for each in found.values()]},
            key=f"{'inside' if inside else 'outside'} {place.path[1]}",
            severity=Severity.WARNING if inside else Severity.INFO,
            remedy="inside" if inside else "outside",
        )
