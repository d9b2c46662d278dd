"""Endpoints that somebody fixed: names in a pod's hosts file, webhooks by address, and the old domain of EKS."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from ipaddress import IPv4Address
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from eks6check.catalog import rule
from eks6check.facts import Path, elsewhere
from eks6check.facts.addresses import Meaning, OldRanges, ipv4, meaning, ranges_of
from eks6check.facts.kube import Resource, mapping, pod_spec, sequence, text
from eks6check.facts.mentions import commented
from eks6check.facts.patterns import regex
from eks6check.facts.texts import Text, texts
from eks6check.findings import Confidence, Problem, Severity

if TYPE_CHECKING:
    from eks6check.facts.aws import OldRange

SILENT = frozenset({Meaning.WILDCARD, Meaning.LOOPBACK, Meaning.DOCUMENTATION, Meaning.MASK, Meaning.RESERVED})
"""What an address may mean that leads nowhere outside the pod, on purpose or as an example."""


class Alias(NamedTuple):
    """One IPv4 entry of a pod's hosts file."""

    path: Path
    address: IPv4Address
    names: tuple[str, ...]


@rule
def host_alias_is_ipv4(workloads: Sequence[Resource], old_ranges: Sequence[OldRange] = ()) -> Iterator[Problem]:
    """The hosts file goes before DNS, so the name leads to that address and to no other."""
    ranges = ranges_of(old_ranges)
    for workload in workloads:
        found = sorted(_aliases(workload), key=lambda alias: list(Severity).index(_aliased(alias, ranges)[0]))
        if not found:
            continue
        first = found[0]
        severity, confidence, what = _aliased(first, ranges)
        more = f" ({len(found) - 1} more of its aliases are IPv4)" if len(found) > 1 else ""
        yield Problem(
            workload,
            f"{workload} pins {', '.join(first.names) or 'names'} to {first.address}, {what}{more}.",
            at=first.path,
            evidence={"hostAliases": {str(alias.address): list(alias.names) for alias in found}},
            severity=severity,
            confidence=confidence,
            also=tuple((workload, alias.path) for alias in found[1:]),
        )


def _aliases(workload: Resource) -> Iterator[Alias]:
    """The IPv4 aliases of a workload that lead anywhere, but for names that have an IPv6 alias as well."""
    path, spec = pod_spec(workload)
    entries = list(map(mapping, sequence(spec.get("hostAliases"))))
    over_ipv6 = {name for entry in entries if ":" in text(entry.get("ip")) for name in _names(entry)}
    for index, entry in enumerate(entries):
        address, names = ipv4(entry.get("ip")), tuple(_names(entry))
        if address and meaning(address) not in SILENT and not (names and over_ipv6.issuperset(names)):
            yield Alias((*path, "hostAliases", index, "ip"), address, names)


def _names(entry: object) -> list[str]:
    return list(filter(None, map(text, sequence(mapping(entry).get("hostnames")))))


def _aliased(alias: Alias, ranges: OldRanges) -> tuple[Severity, Confidence, str]:
    was = ranges.holds(alias.address)
    if was in {"service", "default"}:
        sure = Confidence.HIGH if was == "service" else Confidence.MEDIUM
        return Severity.WARNING, sure, "a Service's address in the old cluster and nobody's in the new one"
    if was in {"pod", "vpc"} or meaning(alias.address) is Meaning.PRIVATE:
        told = "which leads nowhere in an IPv6 cluster if it is a pod or a Service, and else through IPv4 egress alone"
        return Severity.WARNING, Confidence.MEDIUM, told
    return Severity.INFO, Confidence.HIGH, "which an IPv6 pod reaches through IPv4 egress alone"


@rule
def webhook_url_is_ipv4(
    webhook_configurations: Sequence[Resource],
    custom_resource_definitions: Sequence[Resource],
    old_ranges: Sequence[OldRange] = (),
) -> Iterator[Problem]:
    """The API server calls what stands in the URL; the Service that it was reached by has another address."""
    ranges = ranges_of(old_ranges)
    conversion: Path = ("spec", "conversion", "webhook", "clientConfig", "url")
    for definition in custom_resource_definitions:
        yield from _by_address(definition, conversion, "conversion", ranges)
    for configuration in webhook_configurations:
        for index, webhook in enumerate(configuration.list("webhooks")):
            path: Path = ("webhooks", index, "clientConfig", "url")
            yield from _by_address(configuration, path, text(mapping(webhook).get("name")) or str(index), ranges)


def _by_address(resource: Resource, path: Path, webhook: str, ranges: OldRanges) -> Iterator[Problem]:
    url = text(resource.get(*path))
    address = ipv4(_host(url))
    if not address or meaning(address) in SILENT:
        return
    was = ranges.holds(address)
    lost = was in {"service", "default"}
    tail = "of the old cluster's Services" if lost else "which cannot be a pod or a Service of an IPv6 cluster"
    yield Problem(
        resource,
        f"Webhook {webhook} of {resource} is called at {url}, {tail}.",
        at=path,
        find=str(address),
        evidence={"url": url, "webhook": webhook},
        key=webhook,
        severity=Severity.BLOCKER if lost else Severity.WARNING,
        confidence=Confidence.MEDIUM if was == "default" else Confidence.HIGH,
        remedy="conversion" if webhook == "conversion" else "",
    )


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


DOT = r"\\{0,2}\."
REGION = r"[a-z]{2}(?:-[a-z]+)+-\d"
OLD_DOMAIN = regex(
    rf"""
    (?<![\w*])[\w*]* (?:{DOT}\w+)? {DOT}{REGION}{DOT}eks{DOT}amazonaws{DOT}com\b
    | (?: (?<![\w.-])(?:\*|\.\*)? | (?<=[*+\])]) ) {DOT}eks{DOT}amazonaws{DOT}com(?![\w.\\/-])
    | \boidc{DOT}eks{DOT}{REGION}{DOT}amazonaws{DOT}com\b
    """,
    re.IGNORECASE | re.VERBOSE,
)
"""Names of cluster endpoints and issuers of IPv4 clusters. ``eks.REGION.amazonaws.com``, the API of EKS, is none, and
neither are labels and groups such as ``eks.amazonaws.com/role-arn``.
"""

NEW_DOMAIN = regex(r"\bapi\\?\.aws\b", re.IGNORECASE)
"""The domain of both for IPv6 clusters made since October 2024; cluster-endpoint user guide, 2026-11-22."""


@rule
def eks_endpoint_domain_fixed(workloads: Sequence[Resource], config_maps: Sequence[Resource]) -> Iterator[Problem]:
    """A list that knows the old domain alone does not let the new cluster's endpoint through."""
    for resource in (*workloads, *config_maps):
        found = [(each, name) for each in texts(resource) for name in _old_names(each)]
        if any(NEW_DOMAIN.search(each.value) for each in texts(resource)) or not found:
            continue
        first, name = found[0]
        yield Problem(
            resource,
            f"{resource} names {name} in {first.where}; the endpoint of an IPv6 cluster is under api.aws, not under "
            f"eks.amazonaws.com.",
            at=first.path,
            find=name,
            evidence={"names": list(dict.fromkeys(name for _, name in found)), "in": first.where},
            also=elsewhere(resource, (each.path for each, _ in found), first.path),
        )


def _old_names(each: Text) -> Iterator[str]:
    for match in OLD_DOMAIN.finditer(each.value) if "amazonaws" in each.value else ():
        if not commented(each.value, match.start()):
            yield match[0]
