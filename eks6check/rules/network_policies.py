"""NetworkPolicies: what they still let through, and what they still keep out, where pods speak IPv6."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from ipaddress import IPv4Network, IPv6Network

from eks6check.catalog import rule
from eks6check.facts import Path
from eks6check.facts.addresses import FIRST_SERVICES
from eks6check.facts.kube import Resource, mapping
from eks6check.facts.network_policies import (
    EGRESS,
    INGRESS,
    Block,
    Rule,
    adding_up,
    as_wide,
    by_namespace,
    inside,
    rules,
)
from eks6check.findings import Problem, Severity

INTERNAL = tuple(map(IPv4Network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")))
"""Where pods, Services and the VPC have their IPv4 addresses: RFC 1918 and RFC 6598."""

NODE_LOCAL = (IPv4Network("169.254.0.0/16"), IPv4Network("127.0.0.0/8"))
"""Metadata, the Pod Identity agent and the like: POL003 and POL004 speak of them."""

CLUSTER_DNS = IPv4Network("169.254.20.10/32")
"""NodeLocal DNSCache as its manifest has it, which a node has under an IPv6 address in an IPv6 cluster."""

AMAZON_LOCAL = IPv6Network("fd00:ec2::/32")
"""The same services over IPv6; a block for one of them is no counterpart of anything else."""

EVERYTHING = 8
"""A prefix shorter than this holds far more than any network of one's own."""

SENTENCES = {
    INGRESS: "lets {} in by IPv4 blocks alone: an IPv6 cluster ignores them, and nothing from there gets in.",
    EGRESS: "lets pods out to {} by IPv4 blocks alone: an IPv6 cluster ignores them, and IPv6 is cut off.",
}
LEFT_TO_SELECTORS = "lets pods out to {}, which no IPv6 cluster has: what is left are the selectors beside it."


@rule
def network_policy_ipv4_only(network_policies: Sequence[Resource]) -> Iterator[Problem]:
    """IPv4 blocks are ignored, so what only they let through is let through no more."""
    for policies in by_namespace(network_policies).values():
        for policy in policies:
            for direction in SENTENCES:
                if lost := lost_blocks(policy, direction, policies):
                    yield _ignored(policy, direction, lost)


def lost_blocks(policy: Resource, direction: str, policies: Sequence[Resource]) -> list[Block]:
    """The IPv4 blocks of a direction beside which no IPv6 block with the same or more ports stands.

    It may stand in another of the namespace's policies for the same pods.
    """
    others = [each for one in adding_up(policy, policies) for each in rules(one, direction)]
    return [
        block
        for each in rules(policy, direction)
        for block in each.blocks
        if isinstance(block.network, IPv4Network)
        and (block.network == CLUSTER_DNS or not any(inside(block.network, local) for local in NODE_LOCAL))
        and not any(_opens_ipv6(other) and as_wide(other.ports, each.ports) for other in others)
    ]


def _opens_ipv6(each: Rule) -> bool:
    networks = [block.network for block in each.blocks if isinstance(block.network, IPv6Network)]
    return not each.peers or any(not inside(network, AMAZON_LOCAL) for network in networks)


def _ignored(policy: Resource, direction: str, lost: Sequence[Block]) -> Problem:
    named = list(dict.fromkeys(str(block.network) for block in lost))
    doubled = all(_is_doubled(policy, block) for block in lost)
    certain = direction == INGRESS or any(_is_near(block) and not _is_doubled(policy, block) for block in lost)
    sentence = LEFT_TO_SELECTORS if doubled and not certain else SENTENCES[direction]
    plain = all(block.network.prefixlen == 0 and not block.exceptions for block in lost)
    paths = [(*block.path, "cidr") for block in lost]
    return Problem(
        policy,
        f"{policy} {sentence.format(', '.join(named))}",
        at=paths[0],
        evidence={"direction": direction, "blocks": named},
        key=direction,
        severity=Severity.BLOCKER if certain else Severity.WARNING,
        remedy=f"{direction}-everywhere" if plain else direction,
        also=tuple((policy, path) for path in paths[1:]),
    )


def _is_near(block: Block) -> bool:
    """Whether a block holds destinations that will be IPv6: the VPC's own, or everything."""
    network = block.network
    return network.prefixlen < EVERYTHING or any(inside(network, internal) for internal in (*INTERNAL, CLUSTER_DNS))


def _is_doubled(policy: Resource, block: Block) -> bool:
    """Whether a block is the old cluster's DNS or API server by its address, beside selectors for pods and Services.

    The CNI's policies want a Service's own address only where nothing selects the pods behind it.
    """
    beside = policy.list(*block.path[:-2])
    single = block.network.num_addresses == 1
    is_service = block.network == CLUSTER_DNS or (single and block.network.network_address in FIRST_SERVICES)
    return is_service and any("ipBlock" not in mapping(peer) for peer in beside)


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
