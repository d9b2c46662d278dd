"""Policies of Calico, Cilium, Istio and cluster administrators: lists of ranges that name IPv4 alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from ipaddress import IPv4Network
from typing import Any, NamedTuple

from eks6check.catalog import rule
from eks6check.facts import Path
from eks6check.facts.addresses import Meaning, meaning
from eks6check.facts.cidrs import ipv4_only, listed
from eks6check.facts.kube import Resource, mapping, pod_spec, sequence, text
from eks6check.findings import Confidence, Problem

INCLUDED = "traffic.sidecar.istio.io/includeOutboundIPRanges"
"""The annotation of a pod that says which addresses its sidecar takes over; all where it is absent."""


class Ranges(NamedTuple):
    """A list of ranges in a policy: the path to it, what lists stand for the same, and whether it lets traffic pass.

    ``forwarded`` tells that addresses are those which a proxy in front reports.
    """

    path: Path
    scope: str
    entries: Sequence[object]
    allows: bool = True
    forwarded: bool = False


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
        for ranges in VIEWS[policy.kind](policy) if policy.kind in VIEWS else ():
            if ranges.entries:
                by_scope[ranges.scope].append(ranges)
        faulty = [same for same in by_scope.values() if _are_real(_ranges(same), all(one.allows for one in same))]
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


def _ranges(same: Sequence[Ranges]) -> list[str]:
    return ipv4_only([each for one in same for each in one.entries])


def _are_real(ranges: Sequence[str], allows: bool) -> bool:  # noqa: FBT001  what the list does with its ranges
    """Whether one is more than an example: from the ranges of RFC 5737 nobody comes, and nothing is there.

    Where it lets traffic pass, the services on the link are none either: pods go on asking them over IPv4.
    """
    idle = {Meaning.DOCUMENTATION, *(ON_LINK if allows else ())}
    return any(meaning(IPv4Network(each, strict=False).network_address) not in idle for each in ranges)


ON_LINK = (Meaning.LOOPBACK, Meaning.METADATA, Meaning.LINK_LOCAL)
"""What addresses mean that lead no further than the node."""


def _once(policies: Sequence[Resource]) -> Sequence[Resource]:
    """Without what Calico's own API server shows a second time in a live cluster, under the group of its storage."""
    if not any(each.origin.source == "cluster" and each.group == CALICO for each in policies):
        return policies
    return [each for each in policies if each.origin.source != "cluster" or each.group != CALICO_STORAGE]


def _ipv4_only(policy: Resource, lists: Sequence[Ranges]) -> Problem:
    named = list(dict.fromkeys(text(each) for ranges in lists for each in ranges.entries))
    more = f" and {len(named) - SHOWN} more" if len(named) > SHOWN else ""
    means = _means(policy, lists)
    sure = not all(ranges.forwarded for ranges in lists)
    return Problem(
        policy,
        f"{policy} names IPv4 ranges alone ({', '.join(named[:SHOWN])}{more}), and so {means}.",
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


CALICO, CALICO_STORAGE = "projectcalico.org", "crd.projectcalico.org"

SHOWN = 3
"""How many ranges a message tells; the evidence has them all."""

SETS = frozenset({"NetworkSet", "GlobalNetworkSet"})
"""Calico's lists of ranges, which policies find by labels; families often have a set each."""


def _labels_of_ipv6_sets(policies: Sequence[Resource]) -> set[tuple[str, str]]:
    return {
        (each.namespace, _labels(each))
        for each in policies
        if each.kind in SETS and each.labels and any(":" in text(entry) for entry in each.list("spec", "nets"))
    }


def _labels(resource: Resource) -> str:
    return repr(sorted(resource.labels.items(), key=repr))


def _set(resource: Resource) -> Iterator[Ranges]:
    yield Ranges(("spec", "nets"), "nets", resource.list("spec", "nets"))


def _calico(policy: Resource) -> Iterator[Ranges]:
    """Calico wants one family a rule, so all rules of a direction and an action count together."""
    for direction in ("ingress", "egress"):
        for index, entry in enumerate(policy.list("spec", direction)):
            each = mapping(entry)
            action = text(each.get("action")) or "Allow"
            for side in ("source", "destination"):
                for name in ("nets", "notNets"):
                    path = ("spec", direction, index, side, name)
                    entries = sequence(mapping(each.get(side)).get(name)) if action != "Log" else []
                    allows = (action != "Deny") is (name == "nets")
                    yield Ranges(path, f"{direction} {action} {side} {name}", entries, allows)


def _cilium(policy: Resource) -> Iterator[Ranges]:
    specs: list[tuple[Path, object]] = [(("spec",), policy.get("spec"))]
    specs += [(("specs", index), spec) for index, spec in enumerate(policy.list("specs"))]
    for path, spec in specs:
        for direction, peer in CILIUM_PEERS.items():
            for index, entry in enumerate(sequence(mapping(spec).get(direction))):
                for name in (f"{peer}CIDR", f"{peer}CIDRSet"):
                    entries = [
                        mapping(each).get("cidr") if isinstance(each, dict) else each
                        for each in sequence(mapping(entry).get(name))
                    ]
                    yield Ranges((*path, direction, index, name), direction, entries, not direction.endswith("Deny"))
                world = OUTSIDE & set(map(text, sequence(mapping(entry).get(f"{peer}Entities"))))
                yield Ranges((*path, direction, index, f"{peer}Entities"), direction, sorted(world))


CILIUM_PEERS = {"ingress": "from", "egress": "to", "ingressDeny": "from", "egressDeny": "to"}

OUTSIDE = frozenset({"all", "world", "world-ipv6"})
"""Cilium's names for what lies outside a cluster, IPv6 included; a list that holds one names no IPv4 alone."""


def _egress_gateway(policy: Resource) -> Iterator[Ranges]:
    path = ("spec", "destinationCIDRs")
    yield Ranges(path, "destinationCIDRs", policy.list(*path))


def _admin(policy: Resource) -> Iterator[Ranges]:
    """What no entry names is left to the policies of namespaces, so a Pass matters only where a Deny comes after it."""
    actions = [text(mapping(entry).get("action")) for entry in policy.list("spec", "egress")]
    for index, entry in enumerate(policy.list("spec", "egress")):
        action = actions[index]
        if action == "Pass" and "Deny" not in actions[index:]:
            continue
        for position, peer in enumerate(sequence(mapping(entry).get("to"))):
            networks = sequence(mapping(peer).get("networks"))
            path = ("spec", "egress", index, "to", position, "networks")
            yield Ranges(path, f"egress {action}", networks, action in ("Allow", "Accept", "Pass"))


def _istio(policy: Resource) -> Iterator[Ranges]:
    action = text(policy.get("spec", "action")) or "ALLOW"
    allows = action == "ALLOW"
    for index, entry in enumerate(policy.list("spec", "rules") if action != "AUDIT" else ()):
        each, path = mapping(entry), ("spec", "rules", index)
        for position, origin in enumerate(sequence(each.get("from"))):
            source = mapping(mapping(origin).get("source"))
            for name in ("ipBlocks", "remoteIpBlocks", "notIpBlocks", "notRemoteIpBlocks"):
                at = (*path, "from", position, "source", name)
                passes, forwarded = allows is not name.startswith("not"), "remote" in name.lower()
                yield Ranges(at, name, sequence(source.get(name)), passes, forwarded)
        yield from _istio_conditions(each, path, allows=allows)


def _istio_conditions(each: Mapping[str, Any], path: Path, *, allows: bool) -> Iterator[Ranges]:
    for position, condition in enumerate(map(mapping, sequence(each.get("when")))):
        key = text(condition.get("key"))
        if key in ("source.ip", "remote.ip"):
            for name, passes in (("values", allows), ("notValues", not allows)):
                at = (*path, "when", position, name)
                yield Ranges(at, f"{key} {name}", sequence(condition.get(name)), passes, key == "remote.ip")


VIEWS: Mapping[str, Callable[[Resource], Iterator[Ranges]]] = {
    "NetworkPolicy": _calico,
    "GlobalNetworkPolicy": _calico,
    "NetworkSet": _set,
    "GlobalNetworkSet": _set,
    "CiliumNetworkPolicy": _cilium,
    "CiliumClusterwideNetworkPolicy": _cilium,
    "CiliumEgressGatewayPolicy": _egress_gateway,
    "AdminNetworkPolicy": _admin,
    "BaselineAdminNetworkPolicy": _admin,
    "ClusterNetworkPolicy": _admin,
    "AuthorizationPolicy": _istio,
}
"""How to find the ranges of each kind."""
