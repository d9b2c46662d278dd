"""The lists of ranges in policies of Calico, Cilium, Istio and cluster administrators, and what each is for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product
from typing import Any, NamedTuple

from eks6check.facts import Path
from eks6check.facts.kube import Resource, mapping, sequence, text

CILIUM_PEERS = {"ingress": "from", "egress": "to", "ingressDeny": "from", "egressDeny": "to"}
"""Cilium's directions, and how the fields of their peers begin."""

OUTSIDE = frozenset({"all", "world", "world-ipv6"})
"""Cilium's names for what lies outside a cluster, IPv6 included; a list that holds one names no IPv4 alone."""


class Ranges(NamedTuple):
    """A list of ranges in a policy: the path to it, what lists stand for the same, and whether it lets traffic pass.

    ``forwarded`` tells that addresses are those which a proxy in front reports.
    """

    path: Path
    scope: str
    entries: Sequence[object]
    allows: bool = True
    forwarded: bool = False


def _set(resource: Resource) -> Iterator[Ranges]:
    yield Ranges(("spec", "nets"), "nets", resource.list("spec", "nets"))


def _calico(policy: Resource) -> Iterator[Ranges]:
    """Calico wants one family a rule, so all rules of a direction and an action count together."""
    for direction in ("ingress", "egress"):
        for index, entry in enumerate(policy.list("spec", direction)):
            each = mapping(entry)
            action = text(each.get("action")) or "Allow"
            for side, name in product(("source", "destination"), ("nets", "notNets")):
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
                yield from _cilium_entry(mapping(entry), (*path, direction, index), direction, peer)


def _cilium_entry(entry: Mapping[str, Any], path: Path, direction: str, peer: str) -> Iterator[Ranges]:
    for name in (f"{peer}CIDR", f"{peer}CIDRSet"):
        listed = sequence(entry.get(name))
        entries = [mapping(each).get("cidr") if isinstance(each, dict) else each for each in listed]
        yield Ranges((*path, name), direction, entries, not direction.endswith("Deny"))
    outside = OUTSIDE & set(map(text, sequence(entry.get(f"{peer}Entities"))))
    yield Ranges((*path, f"{peer}Entities"), direction, sorted(outside))


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
"""How to find the lists of each kind."""


def lists_of_ranges(policy: Resource) -> Iterator[Ranges]:
    """The lists of a policy that hold anything; none for a kind that has no such lists."""
    if policy.kind in VIEWS:
        yield from (each for each in VIEWS[policy.kind](policy) if each.entries)
