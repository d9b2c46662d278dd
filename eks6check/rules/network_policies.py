"""NetworkPolicies: what they still let through, and what they still keep out, where pods speak IPv6."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from eks6check.catalog import rule
from eks6check.facts import Path
from eks6check.facts.addresses import FIRST_SERVICES, INTERNAL
from eks6check.facts.kube import Resource
from eks6check.facts.lost_blocks import CLUSTER_DNS, Lost, lost_blocks, opens_ipv6
from eks6check.facts.network_policies import (
    EGRESS,
    INGRESS,
    Block,
    Rule,
    adding_up,
    as_wide,
    by_namespace,
    inside,
    is_for_dns,
    rules,
)
from eks6check.findings import Problem, Severity

EVERYTHING = 8
"""A prefix shorter than this holds far more than any network of one's own."""

VPC, SUBNET = 16, 24
"""Private blocks up to the first are whole networks, and up to the second whole subnets; longer ones single peers."""


class Effect(NamedTuple):
    """What comes of the lost blocks of a policy: the rest of the sentence, how bad it is, and which remedy fits."""

    sentence: str
    severity: Severity
    remedy: str


BARRED = "lets {} in by IPv4 blocks alone: an IPv6 cluster ignores them, and nothing from there gets in."
CUT_OFF = (
    "lets pods out to {} by IPv4 blocks alone: an IPv6 cluster ignores them, and IPv6 is cut off, DNS at most aside."
)
CONFINED = (
    "lets pods out to {} by IPv4 blocks alone: an IPv6 cluster ignores them, and over IPv6 nothing is let through but "
    "what other rules name."
)
PEERS = (
    "lets pods out to {} by IPv4 blocks alone, which an IPv6 cluster ignores: over IPv4 egress, which no policy "
    "filters, pods reach what is there all the same, and over IPv6 they do not."
)
LEFT_TO_SELECTORS = "lets pods out to {}, which no IPv6 cluster has: what is left are selectors for the same ports."


@rule
def network_policy_ipv4_only(network_policies: Sequence[Resource]) -> Iterator[Problem]:
    """IPv4 blocks are ignored, so what only they let through is let through no more.

    Ingress comes over IPv6 alone, so there that is a blocker. Pods start IPv4 connections whatever a policy says, so
    egress is one only by blocks that stand for the inside or for everything: up to ``/16`` of the private ranges; up to
    ``/24``, where the policies of the same pods together let nothing out over IPv6 but DNS; and the old addresses of
    cluster DNS and of the API server. Any other is a database or the like, reached as before.
    """
    for policies in by_namespace(network_policies).values():
        for policy in policies:
            for direction in (INGRESS, EGRESS):
                if lost := lost_blocks(policy, direction, policies):
                    adding = [each for one in adding_up(policy, policies) for each in rules(one, direction)]
                    effect = _of_egress(lost, adding) if direction == EGRESS else _of_ingress(lost)
                    yield _ignored(policy, direction, lost, effect)


def _has_selectors(each: Rule) -> bool:
    """Whether a rule names pods by selectors, which have IPv6 addresses."""
    return any(peer and "ipBlock" not in peer for peer in each.peers)


def _of_ingress(lost: Sequence[Lost]) -> Effect:
    return Effect(BARRED, Severity.BLOCKER, "ingress-everywhere" if _are_everywhere(lost) else "ingress")


def _of_egress(lost: Sequence[Lost], adding: Sequence[Rule]) -> Effect:
    """``adding`` are the rules of all policies for the same pods."""
    some = any((opens_ipv6(each) or _has_selectors(each)) and not is_for_dns(each) for each in adding)
    doubled = [_is_doubled(each, adding) for each in lost]
    if any(_is_inside(each.block, some=some) and not other for each, other in zip(lost, doubled, strict=True)):
        remedy = "egress-everywhere" if _are_everywhere(lost) else "egress"
        return Effect(CONFINED if some else CUT_OFF, Severity.BLOCKER, remedy)
    if all(doubled):
        return Effect(LEFT_TO_SELECTORS, Severity.WARNING, "egress-selectors")
    return Effect(PEERS, Severity.WARNING, "egress-peers")


def _are_everywhere(lost: Sequence[Lost]) -> bool:
    return all(each.block.network.prefixlen == 0 and not each.block.exceptions for each in lost)


def _is_inside(block: Block, *, some: bool) -> bool:
    """Whether a block holds destinations that will be IPv6; a subnet counts unless ``some`` IPv6 egress is left."""
    network = block.network
    longest = VPC if some else SUBNET
    near = network.prefixlen <= longest and any(inside(network, internal) for internal in INTERNAL)
    return near or network.prefixlen < EVERYTHING or _is_old_service(block)


def _is_old_service(block: Block) -> bool:
    """Whether a block is the old cluster's DNS or API server by its address."""
    network = block.network
    return network == CLUSTER_DNS or (network.num_addresses == 1 and network.network_address in FIRST_SERVICES)


def _is_doubled(lost: Lost, adding: Sequence[Rule]) -> bool:
    """Whether a block is one of the old cluster's Services, and selectors let the same out to pods.

    The CNI's policies want a Service's own address only where nothing selects the pods behind it.
    """
    ports = lost.rule.ports
    return _is_old_service(lost.block) and any(_has_selectors(each) and as_wide(each.ports, ports) for each in adding)


def _ignored(policy: Resource, direction: str, lost: Sequence[Lost], effect: Effect) -> Problem:
    named = list(dict.fromkeys(str(each.block.network) for each in lost))
    paths = [(*each.block.path, "cidr") for each in lost]
    return Problem(
        policy,
        f"{policy} {effect.sentence.format(', '.join(named))}",
        at=paths[0],
        evidence={"direction": direction, "blocks": named},
        key=direction,
        severity=effect.severity,
        remedy=effect.remedy,
        also=tuple((policy, path) for path in paths[1:]),
    )


@rule
def policy_exception_of_other_family(network_policies: Sequence[Resource]) -> Iterator[Problem]:
    """The API server wants an exception to lie inside its block, and not to fill it."""
    for policy in network_policies:
        for path, block, position in _exceptions(policy):
            whole, part = block.network, block.excepted[position]
            if not inside(part, whole) or part == whole:
                reason = "is of the other family" if part.version != whole.version else "does not lie inside it"
                yield Problem(
                    policy,
                    f"{policy} excepts {part} from {whole}, which {reason}; the API server refuses such a policy.",
                    at=path,
                    evidence={"cidr": str(whole), "except": str(part)},
                    key=f"{whole} {part}",
                )


def _exceptions(policy: Resource) -> Iterator[tuple[Path, Block, int]]:
    """Each exception of a policy: its path, its block, and its position in ``excepted``."""
    for direction in (INGRESS, EGRESS):
        for each in rules(policy, direction):
            for block in each.blocks:
                for position, (index, _) in enumerate(block.exceptions):
                    yield (*block.path, "except", index), block, position
