"""IPv4 addresses that somebody wrote down: those of the old cluster, and all others that name a peer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from eks6check.catalog import rule
from eks6check.facts import elsewhere
from eks6check.facts.addresses import Literal, Meaning, OldRanges, literals, meaning, ranges_of
from eks6check.facts.cluster_dns import NODE_LOCAL, runs_node_cache
from eks6check.facts.kube import Resource, mapping, on_host_network, pod_spec, sequence, text
from eks6check.facts.owned import owned
from eks6check.facts.phrases import few
from eks6check.facts.texts import Text, texts
from eks6check.findings import Confidence, Problem, Severity

if TYPE_CHECKING:
    from eks6check.facts.aws import OldRange

LOST = {
    "service": (
        Severity.BLOCKER,
        Confidence.HIGH,
        "of the old cluster's Services, and none answers there in the IPv6 cluster.",
    ),
    "default": (
        Severity.BLOCKER,
        Confidence.MEDIUM,
        "which EKS gives to a Service by default, and no Service of an IPv6 cluster has.",
    ),
    "pod": (
        Severity.BLOCKER,
        Confidence.HIGH,
        "of the old cluster's pods, and none answers there in the IPv6 cluster.",
    ),
    "vpc": (
        Severity.WARNING,
        Confidence.MEDIUM,
        "which is in the old cluster's VPC; if it is a pod's, nothing answers there in the IPv6 cluster.",
    ),
}
"""What it means that an address was a Service's, a pod's, anybody's in the VPC, or a Service's by a good guess."""

MOST_PLACES = 3
"""How many places a sentence names."""


@rule
def old_cluster_address(
    workloads: Sequence[Resource],
    config_maps: Sequence[Resource],
    old_ranges: Sequence[OldRange] = (),
) -> Iterator[Problem]:
    """Nothing answers there any more: Services get new addresses, and pods IPv6 ones."""
    ranges = ranges_of(old_ranges)
    for resource in (*workloads, *config_maps):
        lost = [(each, was) for each in named(resource) if (was := _was(each, ranges))]
        for whose in LOST:
            if found := [each for each, was in lost if was == whose]:
                yield _lost(resource, found, whose, ranges)


def _was(each: Literal, ranges: OldRanges) -> str:
    """Whose the address was in the old cluster; a block counts where it lies inside the range of its Services."""
    if each.block:
        return "service" if any(each.block.subnet_of(block) for block in ranges.service) else ""
    was = ranges.holds(each.address)
    return "" if was in {"pod", "vpc"} and not each.peer else was


def _lost(resource: Resource, found: Sequence[Literal], was: str, ranges: OldRanges) -> Problem:
    found = sorted(found, key=lambda each: each.block is not None)
    first = found[0]
    shown = list(dict.fromkeys(each.find for each in found))
    severity, confidence, tail = LOST[was]
    return Problem(
        resource,
        f"{resource} names {_named(found)}, {tail}",
        at=first.text.path,
        find=first.find,
        skip=first.skip,
        evidence={
            "addresses": shown,
            "in": list(dict.fromkeys(each.text.where for each in found)),
            "old_ranges": list(map(str, getattr(ranges, was, ()))),
        },
        key="service" if was == "default" else was,
        severity=Severity.INFO if _is_a_test(resource) else Severity.WARNING if first.block else severity,
        confidence=confidence,
        remedy="vpc" if was == "vpc" else "",
        also=elsewhere(resource, (each.text.path for each in found), first.text.path),
    )


def _named(found: Sequence[Literal]) -> str:
    """The addresses with the place of each, as in ``A in key a, and B, C in key b``."""
    by_place: dict[str, dict[str, None]] = {}
    for each in found:
        by_place.setdefault(each.text.where, {})[each.find] = None
    named = [f"{few([*shown])} in {where}" for where, shown in by_place.items()]
    left = len(named) - MOST_PLACES
    more = [f"more in {left} {'others' if left > 1 else 'other'}"] if left > 0 else []
    return ", and ".join((*named[:MOST_PLACES], *more))


def _is_a_test(resource: Resource) -> bool:
    """Whether ``helm test`` alone runs it, so that nothing of the application depends on it."""
    return text(resource.annotations.get("helm.sh/hook")).startswith("test")


@rule
def ipv4_literal_target(
    workloads: Sequence[Resource],
    config_maps: Sequence[Resource],
    old_ranges: Sequence[OldRange] = (),
) -> Iterator[Problem]:
    """From an IPv6 pod it is reached through IPv4 egress, if at all; a person has to say what it is.

    A pod on the node's own network has the node's IPv4 address, and goes where it always went.
    """
    ranges = ranges_of(old_ranges)
    for resource in (*workloads, *config_maps):
        if on_host_network(resource):
            continue
        found = [each for each in named(resource) if _is_target(each) and not _was(each, ranges)]
        if found:
            shown = list(dict.fromkeys(each.find for each in found))
            yield Problem(
                resource,
                f"{resource} names {_named(found)}; {_reached(found)}.",
                at=found[0].text.path,
                find=found[0].find,
                skip=found[0].skip,
                evidence={"addresses": shown, "in": list(dict.fromkeys(each.text.where for each in found))},
                also=elsewhere(resource, (each.text.path for each in found), found[0].text.path),
            )


def _reached(found: Sequence[Literal]) -> str:
    mounted = all("volumes" in each.text.path for each in found)
    inside = any(meaning(each.address) is Meaning.PRIVATE for each in found)
    way = "the node mounts what is there over" if mounted else "an IPv6 pod reaches what is there through"
    own = "its own IPv4 address" if mounted else "IPv4 egress alone"
    return f"{way} {own}{', and not at all if it was a pod or a Service' if inside else ''}"


def _is_target(each: Literal) -> bool:
    """Whether somebody is talked to there; a network's own address is nobody's."""
    network = int(each.address) % 256 == 0
    return each.peer and not network and meaning(each.address) in {Meaning.PRIVATE, Meaning.PUBLIC}


def named(resource: Resource) -> list[Literal]:
    """The addresses that an object names, without those in a field that has a rule of its own."""
    found = [each for text in places(resource) for each in literals(text)]
    taken = list(owned(resource)) if found else []
    return [each for each in found if not any(span.holds(each.text.path, each.start) for span in taken)]


def places(resource: Resource) -> Iterator[Text]:
    """The texts of an object in which an address may name a peer, without those that a rule of their own judges."""
    if resource.name.startswith(NODE_LOCAL) or runs_node_cache(resource):
        return
    yield from texts(resource)
    path, spec = pod_spec(resource)
    for index, volume in enumerate(map(mapping, sequence(spec.get("volumes")))):
        for kind, field in (("nfs", "server"), ("iscsi", "targetPortal")):
            value = text(mapping(volume.get(kind)).get(field))
            name = text(volume.get("name"))
            yield Text((*path, "volumes", index, kind, field), f"volume {name}", "server", value)
