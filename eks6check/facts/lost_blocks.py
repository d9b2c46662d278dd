"""What IPv4 blocks of NetworkPolicies let through, and nothing lets through over IPv6."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network
from typing import NamedTuple

from eks6check.facts.kube import Resource
from eks6check.facts.network_policies import Block, Rule, adding_up, as_wide, inside, rules

NODE_LOCAL = (IPv4Network("169.254.0.0/16"), IPv4Network("127.0.0.0/8"))
"""Metadata, the Pod Identity agent and the like: POL003 and POL004 speak of them."""

CLUSTER_DNS = IPv4Network("169.254.20.10/32")
"""NodeLocal DNSCache as its manifest has it, which a node has under an IPv6 address in an IPv6 cluster."""

AMAZON_LOCAL = IPv6Network("fd00:ec2::/32")
"""The same services over IPv6; a block for one of them is no counterpart of anything else."""


class Lost(NamedTuple):
    """An IPv4 block for which nothing stands in over IPv6, and its rule."""

    rule: Rule
    block: Block


def lost_blocks(policy: Resource, direction: str, policies: Sequence[Resource]) -> list[Lost]:
    """The IPv4 blocks of a direction beside which no IPv6 block with the same or more ports stands.

    It may stand in another of the namespace's policies for the same pods.
    """
    others = [each for one in adding_up(policy, policies) for each in rules(one, direction)]
    return [
        Lost(each, block)
        for each in rules(policy, direction)
        for block in each.blocks
        if isinstance(block.network, IPv4Network)
        and (block.network == CLUSTER_DNS or not any(inside(block.network, local) for local in NODE_LOCAL))
        and not any(opens_ipv6(other) and as_wide(other.ports, each.ports) for other in others)
    ]


def opens_ipv6(each: Rule) -> bool:
    """Whether a rule lets anything through over IPv6 that is no service of the node's own."""
    networks = [block.network for block in each.blocks if isinstance(block.network, IPv6Network)]
    return not each.peers or any(not inside(network, AMAZON_LOCAL) for network in networks)
