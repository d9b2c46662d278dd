"""NetworkPolicies: the rules of each direction, what they open, and which policies add up.

All policies that select a pod count together: traffic passes if one of them lets it. A pod that no policy of a
direction selects is open in that direction.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_network
from typing import Any, NamedTuple

from eks6check.facts import Path
from eks6check.facts.kube import Resource, mapping, sequence, text

INGRESS, EGRESS = "ingress", "egress"
PEERS = {INGRESS: "from", EGRESS: "to"}
"""The field that holds a rule's peers, by direction."""

Network = IPv4Network | IPv6Network


class Block(NamedTuple):
    """An ``ipBlock`` and the path to it; what is no CIDR in it is left out."""

    path: Path
    network: Network
    exceptions: tuple[tuple[int, Network], ...]

    @property
    def excepted(self) -> tuple[Network, ...]:
        """The ranges that the block leaves out."""
        return tuple(network for _, network in self.exceptions)


class Rule(NamedTuple):
    """One rule: its peers as written, those that are blocks, and its ports; no peers or no ports mean all."""

    peers: tuple[Mapping[str, Any], ...]
    blocks: tuple[Block, ...]
    ports: tuple[Mapping[str, Any], ...]


def rules(policy: Resource, direction: str) -> list[Rule]:
    """The rules of a direction; none where the policy does not restrict it."""
    if not restricts(policy, direction):
        return []
    found = []
    for index, entry in enumerate(policy.list("spec", direction)):
        rule = mapping(entry)
        peers = tuple(map(mapping, sequence(rule.get(PEERS[direction]))))
        path = ("spec", direction, index, PEERS[direction])
        found.append(Rule(peers, tuple(_blocks(peers, path)), tuple(map(mapping, sequence(rule.get("ports"))))))
    return found


def restricts(policy: Resource, direction: str) -> bool:
    """Whether a policy speaks of a direction; without ``policyTypes`` of ingress, and of egress if it has rules."""
    types = policy.list("spec", "policyTypes")
    if types:
        return direction.capitalize() in types
    return direction == INGRESS or bool(policy.list("spec", EGRESS))


def _blocks(peers: Sequence[Mapping[str, Any]], path: Path) -> Iterator[Block]:
    for index, peer in enumerate(peers):
        block = mapping(peer.get("ipBlock"))
        whole = network(block.get("cidr"))
        if whole:
            parts = ((position, network(each)) for position, each in enumerate(sequence(block.get("except"))))
            exceptions = tuple((position, part) for position, part in parts if part)
            yield Block((*path, index, "ipBlock"), whole, exceptions)


def network(value: object) -> Network | None:
    """A CIDR as a network; None for what is none, and for an address without a prefix."""
    try:
        return ip_network(value.strip(), strict=False) if isinstance(value, str) and "/" in value else None
    except ValueError:
        return None


def inside(part: Network, whole: Network) -> bool:
    """Whether a range lies in another, or is the same."""
    if isinstance(part, IPv4Network):
        return isinstance(whole, IPv4Network) and part.subnet_of(whole)
    return isinstance(whole, IPv6Network) and part.subnet_of(whole)


def as_wide(ports: Sequence[Mapping[str, Any]], needed: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a rule's ports hold all those of another."""
    return not ports or (bool(needed) and all(any(_holds(port, each) for port in ports) for each in needed))


def _holds(port: Mapping[str, Any], needed: Mapping[str, Any]) -> bool:
    protocols = (port.get("protocol") or "TCP", needed.get("protocol") or "TCP")
    return protocols[0] == protocols[1] and (port.get("port") is None or _spans(port, needed))


def _spans(port: Mapping[str, Any], needed: Mapping[str, Any]) -> bool:
    """Whether the numbers of a port hold those of another; one by its name is the same or another."""
    spans = [(each.get("port"), each.get("endPort") or each.get("port")) for each in (port, needed)]
    match spans:
        case [(int(first), int(last)), (int(lowest), int(highest))]:
            return first <= lowest and highest <= last
    return spans[0] == spans[1]


def is_for_dns(rule: Rule) -> bool:
    """Whether a rule lets questions to name servers through, and nothing else."""
    ports = [str(each.get("port")) for each in rule.ports]
    return bool(ports) and all(port == "53" or port.startswith("dns") for port in ports)


def opens_tcp(rule: Rule, address: IPv6Address, port: int) -> bool:
    """Whether a rule lets TCP through to an address and port by the address, or to everything."""
    if not any(_is_tcp(each, port) for each in rule.ports or ({},)):
        return False
    return not rule.peers or any(
        address in block.network and not any(address in part for part in block.excepted) for block in rule.blocks
    )


def _is_tcp(entry: Mapping[str, Any], port: int) -> bool:
    first, last = entry.get("port"), entry.get("endPort")
    if (entry.get("protocol") or "TCP") != "TCP":
        return False
    if isinstance(first, int) and isinstance(last, int):
        return first <= port <= last
    return first is None or first == port


def by_namespace(policies: Sequence[Resource]) -> Mapping[str, Sequence[Resource]]:
    """The policies of each namespace, those of files first, in an order that does not change."""
    found = defaultdict(list)
    for policy in sorted(policies, key=lambda each: (each.subject.id, each.origin.source != "manifests")):
        found[policy.namespace].append(policy)
    return found


def adding_up(policy: Resource, policies: Sequence[Resource]) -> list[Resource]:
    """Those of a namespace that surely select whatever this one does: itself, and those that ask for no more."""
    own, selector = policy.subject, selector_of(policy)
    return [
        each
        for each in policies
        if each is policy or (each.subject != own and _asks_no_more(selector_of(each), selector))
    ]


def _asks_no_more(selector: Mapping[str, Any], than: Mapping[str, Any]) -> bool:
    """Whether all that a selector asks of a pod is asked by another too, so that it selects what that one does."""
    labels, expressions = mapping(than.get("matchLabels")), sequence(than.get("matchExpressions"))
    return all(
        name in labels and labels[name] == value for name, value in mapping(selector.get("matchLabels")).items()
    ) and all(
        each in expressions or (text(each.get("key")) in labels and _meets(each, labels))
        for each in map(mapping, sequence(selector.get("matchExpressions")))
    )


def selector_of(policy: Resource) -> Mapping[str, Any]:
    """A policy's selector without its empty parts; an empty one selects every pod of the namespace."""
    return {name: part for name, part in mapping(policy.get("spec", "podSelector")).items() if part}


def selects(policy: Resource, labels: Mapping[str, Any]) -> bool:
    """Whether a policy selects pods of its namespace with these labels; an unknown operator selects none."""
    selector = mapping(policy.get("spec", "podSelector"))
    wanted = mapping(selector.get("matchLabels"))
    return all(labels.get(name) == value for name, value in wanted.items()) and all(
        _meets(mapping(each), labels) for each in sequence(selector.get("matchExpressions"))
    )


def _meets(expression: Mapping[str, Any], labels: Mapping[str, Any]) -> bool:
    label, values = labels.get(text(expression.get("key"))), sequence(expression.get("values"))
    met = {
        "In": label is not None and label in values,
        "NotIn": label not in values,
        "Exists": label is not None,
        "DoesNotExist": label is None,
    }
    return met.get(text(expression.get("operator")), False)
