"""IPv4 addresses that somebody wrote down: those of the old cluster, and all others that name a peer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from eks6check.catalog import rule
from eks6check.facts.addresses import Literal, Meaning, OldRanges, literals, meaning, old_ranges
from eks6check.facts.kube import Resource, containers, mapping, pod_spec, sequence, text
from eks6check.facts.patterns import regex
from eks6check.facts.texts import Text, texts
from eks6check.facts.versions import repository
from eks6check.findings import Confidence, Problem, Severity

if TYPE_CHECKING:
    from eks6check.facts.aws import Cluster, Vpc

NODE_LOCAL_DNS = "k8s-dns-node-cache"
SCRAPED = regex(r"\btargets\b|static configs")
"""Words that name scrape targets of Prometheus."""

OTHERS_READ = frozenset({"resolv.conf"})
"""Keys of ConfigMaps that a rule of its own judges."""


@rule
def old_cluster_address(
    workloads: Sequence[Resource],
    config_maps: Sequence[Resource],
    clusters: Sequence[Cluster] = (),
    vpcs: Sequence[Vpc] = (),
) -> Iterator[Problem]:
    """Nothing answers there any more: Services get new addresses, and pods IPv6 ones."""
    ranges = old_ranges(clusters, vpcs)
    for resource in (*workloads, *config_maps):
        named = [each for text in places(resource) for each in literals(text)]
        lost = [(each, was) for each in named if (was := _was(each, ranges))]
        for kinds in (("service", "default"), ("pod",)):
            if found := [each for each, was in lost if was in kinds]:
                yield _lost(resource, found, "pod" if kinds == ("pod",) else "service", ranges)


def _was(each: Literal, ranges: OldRanges) -> str:
    """What the address was in the old cluster; a block counts where it lies inside the range of its Services."""
    if each.block:
        return "service" if any(each.block.subnet_of(block) for block in ranges.services) else ""
    was = ranges.holds(each.address)
    return "" if was == "pod" and not each.peer else was


def _lost(resource: Resource, found: Sequence[Literal], was: str, ranges: OldRanges) -> Problem:
    first = min(found, key=lambda each: each.block is not None)
    shown = list(dict.fromkeys(each.find for each in found))
    sure = bool(ranges.services)
    if was == "pod":
        tail = "which is in the old cluster's VPC; if it is a pod's, nothing answers there in the IPv6 cluster."
    elif sure:
        tail = "of the old cluster's Services, and none answers there in the IPv6 cluster."
    else:
        tail = "which EKS gives to a Service by default, and no Service of an IPv6 cluster has."
    return Problem(
        resource,
        f"{resource} names {_listed(shown)} in {first.text.where}, {tail}",
        at=first.text.path,
        find=first.find,
        skip=first.skip,
        evidence={
            "addresses": shown,
            "in": list(dict.fromkeys(each.text.where for each in found)),
            "old_ranges": list(map(str, ranges.pods if was == "pod" else ranges.services)),
        },
        key=was,
        severity=Severity.WARNING if was == "pod" or first.block else Severity.BLOCKER,
        confidence=Confidence.HIGH if sure and was != "pod" else Confidence.MEDIUM,
        remedy="pod" if was == "pod" else "",
        also=_also(resource, found, first),
    )


@rule
def ipv4_literal_target(
    workloads: Sequence[Resource],
    config_maps: Sequence[Resource],
    clusters: Sequence[Cluster] = (),
    vpcs: Sequence[Vpc] = (),
) -> Iterator[Problem]:
    """From an IPv6 pod it is reached through IPv4 egress, if at all; a person has to say what it is."""
    ranges = old_ranges(clusters, vpcs)
    for resource in (*workloads, *config_maps):
        named = (each for text in places(resource) for each in literals(text))
        found = [each for each in named if _is_target(each) and not _was(each, ranges)]
        if found:
            shown = list(dict.fromkeys(each.find for each in found))
            inside = any(meaning(each.address) is Meaning.PRIVATE for each in found)
            yield Problem(
                resource,
                f"{resource} names {_listed(shown)} in {found[0].text.where}; an IPv6 pod reaches what is there "
                f"through IPv4 egress alone{', and not at all if it was a pod or a Service' if inside else ''}.",
                at=found[0].text.path,
                find=found[0].find,
                skip=found[0].skip,
                evidence={"addresses": shown, "in": list(dict.fromkeys(each.text.where for each in found))},
                also=_also(resource, found, found[0]),
            )


def _is_target(each: Literal) -> bool:
    """Whether somebody is talked to there: no scrape target, which OBS002 judges, and no network's own address."""
    scraped, network = SCRAPED.search(each.named), int(each.address) % 256 == 0
    return each.peer and not scraped and not network and meaning(each.address) in {Meaning.PRIVATE, Meaning.PUBLIC}


def _also(
    resource: Resource, found: Sequence[Literal], first: Literal
) -> tuple[tuple[Resource, tuple[str | int, ...]], ...]:
    paths = dict.fromkeys(each.text.path for each in found)
    return tuple((resource, path) for path in paths if path != first.text.path)


def _listed(shown: Sequence[str]) -> str:
    return ", ".join(shown[:3]) + (f" and {len(shown) - 3} more" if len(shown) > 3 else "")  # noqa: PLR2004  fits a line


def places(resource: Resource) -> Iterator[Text]:
    """The texts of an object in which an address may name a peer, without those that a rule of their own judges."""
    if resource.name.startswith("node-local-dns") or _runs_node_local_dns(resource):
        return
    yield from (each for each in texts(resource) if each.name not in OTHERS_READ)
    path, spec = pod_spec(resource)
    for index, volume in enumerate(map(mapping, sequence(spec.get("volumes")))):
        for kind, field in (("nfs", "server"), ("iscsi", "targetPortal")):
            value = text(mapping(volume.get(kind)).get(field))
            name = text(volume.get("name"))
            yield Text((*path, "volumes", index, kind, field), f"volume {name}", "server", value)


def _runs_node_local_dns(resource: Resource) -> bool:
    return any(repository(container.image) == NODE_LOCAL_DNS for container in containers(resource))
