"""Policies of Calico, Cilium, Istio and cluster administrators: lists of ranges that name IPv4 alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from ipaddress import IPv4Network

from eks6check.catalog import rule
from eks6check.facts.addresses import Meaning, meaning
from eks6check.facts.cidrs import ipv4_only, listed
from eks6check.facts.kube import Resource, mapping, pod_spec, text
from eks6check.facts.phrases import few
from eks6check.facts.policy_ranges import Ranges, lists_of_ranges
from eks6check.findings import Confidence, Problem

INCLUDED = "traffic.sidecar.istio.io/includeOutboundIPRanges"
"""The annotation of a pod that says which addresses its sidecar takes over; all where it is absent."""

CALICO, CALICO_STORAGE = "projectcalico.org", "crd.projectcalico.org"
"""The API groups of Calico's own server, and of the objects that it keeps behind it."""

SHOWN = 3
"""How many ranges a message tells; the evidence has them all."""

SETS = frozenset({"NetworkSet", "GlobalNetworkSet"})
"""Calico's lists of ranges, which policies find by labels; families often have a set each."""

ON_LINK = (Meaning.LOOPBACK, Meaning.METADATA, Meaning.LINK_LOCAL)
"""What addresses mean that lead no further than the node."""


@rule
def other_policy_ipv4_only(
    other_policies: Sequence[Resource] = (), workloads: Sequence[Resource] = ()
) -> Iterator[Problem]:
    """IPv6 traffic matches no IPv4 range: what such ranges let pass is refused, what they refuse passes."""
    twins = _labels_of_ipv6_sets(other_policies)
    for policy in _once(other_policies):
        if policy.kind in SETS and (policy.namespace, _labels(policy)) in twins:
            continue
        by_scope = defaultdict(list)
        for ranges in lists_of_ranges(policy):
            by_scope[ranges.scope].append(ranges)
        faulty = [same for same in by_scope.values() if _are_faulty(same)]
        if faulty:
            yield _ipv4_only(policy, [ranges for same in faulty for ranges in same])
    for workload in workloads:
        yield from _past_sidecar(workload)


def _past_sidecar(workload: Resource) -> Iterator[Problem]:
    """A sidecar of Istio that takes over what goes to some ranges, and none of them of IPv6."""
    template, _ = pod_spec(workload)
    path = ("metadata", "annotations") if workload.kind == "Pod" else (*template[:-1], "metadata", "annotations")
    ranges = ipv4_only(listed(text(mapping(workload.get(*path)).get(INCLUDED)))) if template else []
    if ranges:
        yield Problem(
            workload,
            f"{workload} has its Istio sidecar take over IPv4 ranges alone ({', '.join(ranges[:SHOWN])}), and so "
            f"everything that goes out over IPv6 passes it by.",
            at=(*path, INCLUDED),
            evidence={"ranges": ranges, "in": [INCLUDED]},
        )


def _are_faulty(same: Sequence[Ranges]) -> bool:
    """Whether lists that stand for the same name IPv4 alone, and one range that is more than an example (RFC 5737).

    Where they let traffic pass, the services on the link count for nothing either: pods go on asking them over IPv4.
    """
    idle = {Meaning.DOCUMENTATION, *(ON_LINK if all(ranges.allows for ranges in same) else ())}
    ranges = ipv4_only([each for one in same for each in one.entries])
    return any(meaning(IPv4Network(each, strict=False).network_address) not in idle for each in ranges)


def _once(policies: Sequence[Resource]) -> Sequence[Resource]:
    """Without what Calico's own API server shows a second time in a live cluster, under the group of its storage."""
    if not any(each.origin.source == "cluster" and each.group == CALICO for each in policies):
        return policies
    return [each for each in policies if each.origin.source != "cluster" or each.group != CALICO_STORAGE]


def _ipv4_only(policy: Resource, lists: Sequence[Ranges]) -> Problem:
    named = list(dict.fromkeys(text(each) for ranges in lists for each in ranges.entries))
    means = _means(policy, lists)
    sure = not all(ranges.forwarded for ranges in lists)
    return Problem(
        policy,
        f"{policy} names IPv4 ranges alone ({few(named, SHOWN)}), and so {means}.",
        at=lists[0].path,
        evidence={"ranges": named, "in": list(dict.fromkeys(ranges.scope for ranges in lists))},
        confidence=Confidence.HIGH if sure else Confidence.MEDIUM,
        also=tuple((policy, ranges.path) for ranges in lists[1:]),
    )


def _means(policy: Resource, lists: Sequence[Ranges]) -> str:
    allows, keeps = any(ranges.allows for ranges in lists), not all(ranges.allows for ranges in lists)
    if policy.kind in SETS or (allows and keeps):
        return "matches nothing that comes or goes over IPv6"
    return "lets nothing pass that comes or goes over IPv6" if allows else "keeps nothing away that is IPv6"


def _labels_of_ipv6_sets(policies: Sequence[Resource]) -> set[tuple[str, str]]:
    return {
        (each.namespace, _labels(each))
        for each in policies
        if each.kind in SETS and each.labels and any(":" in text(entry) for entry in each.list("spec", "nets"))
    }


def _labels(resource: Resource) -> str:
    return repr(sorted(resource.labels.items(), key=repr))
