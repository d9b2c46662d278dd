"""Network ACLs: what they let through in IPv4 and not in IPv6."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from eks6check.catalog import rule
from eks6check.facts import network
from eks6check.facts.filters import ALL, Admits, Traffic, admits
from eks6check.facts.phrases import phrase
from eks6check.facts.routes import IPV4_DEFAULT, IPV6_DEFAULT
from eks6check.findings import Problem, Severity

if TYPE_CHECKING:
    from eks6check.facts.aws import (
        AutoScalingGroup,
        Cluster,
        FargateProfile,
        Instance,
        NetworkAcl,
        NetworkAclEntry,
        NodeGroup,
        Subnet,
        Vpc,
    )

LAST = 32767
"""The number of the entry that denies the rest, which EC2 adds to every ACL and nobody can take out."""

EPHEMERAL = (32768, 46000, 60999)
"""Ports that a Linux kernel takes for the near end of a connection: the ends of its range, and one between."""

OWN = (
    Traffic("HTTPS out", is_egress=True, protocol="tcp", ports=(443,)),
    Traffic("answers in on ephemeral ports", is_egress=False, protocol="tcp", ports=EPHEMERAL),
    Traffic("answers out to ephemeral ports", is_egress=True, protocol="tcp", ports=EPHEMERAL),
)
"""What every subnet of nodes, pods, load balancers or the control plane sends and gets."""

CLIENTS = (
    Traffic("HTTP in", is_egress=False, protocol="tcp", ports=(80,)),
    Traffic("HTTPS in", is_egress=False, protocol="tcp", ports=(443,)),
)
TOO_BIG = Traffic("Packet Too Big in", is_egress=False, protocol="icmpv6", ports=(2,))


@rule
def network_acl_without_ipv6_entries(  # noqa: PLR0913, PLR0917  what a subnet serves is told by five sections
    network_acls: Sequence[NetworkAcl],
    subnets: Sequence[Subnet],
    clusters: Sequence[Cluster] = (),
    node_groups: Sequence[NodeGroup] = (),
    instances: Sequence[Instance] = (),
    fargate_profiles: Sequence[FargateProfile] = (),
    vpcs: Sequence[Vpc] = (),
    auto_scaling_groups: Sequence[AutoScalingGroup] = (),
) -> Iterator[Problem]:
    """IPv4 is the measure: what an ACL keeps out in both families was locked by somebody who meant it.

    A default ACL that nobody touched gets its entries for IPv6 from EC2, with the VPC's first IPv6 block.
    """
    begun = {vpc.id for vpc in vpcs if vpc.ipv6_cidr_blocks}
    serves = network.all_uses(subnets, clusters, node_groups, instances, fargate_profiles, auto_scaling_groups)
    outward = {subnet_id for subnet_id, _ in network.internet_facing_uses(subnets, clusters)}
    for acl in network_acls:
        if acl.vpc_id not in begun and is_untouched(acl):
            continue
        guarded = sorted(subnet_id for subnet_id in acl.subnet_ids if subnet_id in serves)
        wanted = (*OWN, *CLIENTS) if outward & {*guarded} else OWN
        shut = [each for each in wanted if guarded and _only_ipv4(acl, each)]
        if shut:
            yield _problem(acl, guarded, shut, serves)
        elif guarded and admits(acl, OWN[0], IPV6_DEFAULT) and not admits(acl, TOO_BIG, IPV6_DEFAULT):
            yield _problem(acl, guarded, [TOO_BIG], serves)


def is_wide_open(acl: NetworkAcl) -> bool:
    """Whether all IPv4 traffic passes in both directions, with nothing denied before."""
    first = [
        min(
            (each for each in acl.entries if each.is_egress is out and ":" not in each.cidr_block),
            key=number,
            default=None,
        )
        for out in (False, True)
    ]
    return all(each and each.allow and each.cidr_block == IPV4_DEFAULT and each.protocol == ALL for each in first)


def number(entry: NetworkAclEntry) -> int:
    """The number that an entry comes in order by."""
    return entry.rule_number


def free_number(acl: NetworkAcl) -> int:
    """The first number from 100 on that no entry has, nor the two behind it."""
    taken = {each.rule_number for each in acl.entries}
    return next(found for found in range(100, LAST) if not taken & {found, found + 1, found + 2})


def is_untouched(acl: NetworkAcl) -> bool:
    """Whether a default ACL is as EC2 made it in a VPC of IPv4 alone: all traffic in and out."""
    entries = [each for each in acl.entries if each.allow or each.rule_number < LAST]
    everything = all(each.allow and each.cidr_block == IPV4_DEFAULT and each.protocol == ALL for each in entries)
    return acl.default and everything and {each.is_egress for each in entries} == {True, False}


def _only_ipv4(acl: NetworkAcl, traffic: Traffic) -> bool:
    return admits(acl, traffic, IPV4_DEFAULT) > admits(acl, traffic, IPV6_DEFAULT)


def _shuts_everybody_out(acl: NetworkAcl, traffic: Traffic) -> bool:
    open_today = admits(acl, traffic, IPV4_DEFAULT) is Admits.EVERYBODY
    return traffic in OWN and open_today and admits(acl, traffic, IPV6_DEFAULT) is Admits.NOBODY


def _problem(acl: NetworkAcl, guarded: list[str], shut: Sequence[Traffic], serves: network.Serves) -> Problem:
    uses = sorted({use for subnet_id in guarded for use in serves[subnet_id]}, key=str.lower)
    words = [each.words for each in shut]
    if shut[0] is TOO_BIG:
        said = (
            "admits IPv6 and no ICMPv6, so Packet Too Big never arrives and connections hang where the path is narrower"
        )
    else:
        some = any(admits(acl, each, IPV6_DEFAULT) for each in shut)
        said = f"admits {phrase(words)} over IPv4 and {'less of it' if some else 'not'} over IPv6"
    return Problem(
        acl,
        f"{acl}, which guards {phrase(guarded)} ({phrase(uses)}), {said}.",
        evidence={
            "network_acl": acl.id,
            "vpc": acl.vpc_id,
            "subnet": guarded,
            "serves": uses,
            "shut": words,
            "rule_number": free_number(acl),
            "entries": [
                f"{each.rule_number} {'out' if each.is_egress else 'in'} {each.cidr_block} "
                f"{each.protocol} {'allow' if each.allow else 'deny'}"
                for each in sorted(acl.entries, key=lambda each: (each.is_egress, each.rule_number))
            ],
        },
        severity=Severity.BLOCKER if any(_shuts_everybody_out(acl, each) for each in shut) else Severity.WARNING,
        remedy="icmpv6" if shut[0] is TOO_BIG else "" if is_wide_open(acl) else "narrow",
    )
