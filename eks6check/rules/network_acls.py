"""Network ACLs: what they let through in IPv4 and not in IPv6."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from eks6check.catalog import rule
from eks6check.facts import network
from eks6check.facts.filters import ALL, Admits, Traffic, admits
from eks6check.facts.network import IPV4_DEFAULT, IPV6_DEFAULT, phrase
from eks6check.findings import Problem, Severity

if TYPE_CHECKING:
    from eks6check.facts.aws import Cluster, FargateProfile, Instance, NetworkAcl, NodeGroup, Subnet, Vpc

LAST = 32767
"""The number of the entry that denies the rest, which EC2 adds to every ACL and nobody can take out."""

EPHEMERAL = 40000
"""A port that every Linux kernel takes for the near end of a connection: its range is 32768 to 60999."""

OWN = (
    Traffic("HTTPS out", is_egress=True, protocol="tcp", port=443),
    Traffic("answers in on ephemeral ports", is_egress=False, protocol="tcp", port=EPHEMERAL),
    Traffic("answers out to ephemeral ports", is_egress=True, protocol="tcp", port=EPHEMERAL),
)
"""What every subnet of nodes, pods, load balancers or the control plane sends and gets."""

CLIENTS = Traffic("HTTPS in", is_egress=False, protocol="tcp", port=443)
TOO_BIG = Traffic("Packet Too Big in", is_egress=False, protocol="icmpv6", port=0)


@rule
def network_acl_without_ipv6_entries(  # noqa: PLR0913, PLR0917  what a subnet serves is told by five sections
    network_acls: Sequence[NetworkAcl],
    subnets: Sequence[Subnet],
    clusters: Sequence[Cluster] = (),
    node_groups: Sequence[NodeGroup] = (),
    instances: Sequence[Instance] = (),
    fargate_profiles: Sequence[FargateProfile] = (),
    vpcs: Sequence[Vpc] = (),
) -> Iterator[Problem]:
    """IPv4 is the measure: what an ACL keeps out in both families was locked by somebody who meant it.

    A default ACL that nobody touched gets its entries for IPv6 from EC2, with the VPC's first IPv6 block.
    """
    begun = {vpc.id for vpc in vpcs if vpc.ipv6_cidr_blocks}
    serves = network.all_uses(subnets, clusters, node_groups, instances, fargate_profiles)
    outward = {subnet_id for subnet_id, _ in network.internet_facing_uses(subnets, clusters)}
    for acl in network_acls:
        if acl.vpc_id not in begun and is_untouched(acl):
            continue
        guarded = sorted(subnet_id for subnet_id in acl.subnet_ids if subnet_id in serves)
        wanted = (*OWN, CLIENTS) if outward & {*guarded} else OWN
        shut = [each for each in wanted if guarded and _only_ipv4(acl, each)]
        if shut:
            yield _problem(acl, guarded, shut, serves)
        elif guarded and admits(acl, OWN[0], IPV6_DEFAULT) and not admits(acl, TOO_BIG, IPV6_DEFAULT):
            yield _problem(acl, guarded, [TOO_BIG], serves)


def is_untouched(acl: NetworkAcl) -> bool:
    """Whether a default ACL is as EC2 made it in a VPC of IPv4 alone: all traffic in and out."""
    entries = [each for each in acl.entries if each.allow or each.rule_number < LAST]
    everything = all(each.allow and each.cidr_block == IPV4_DEFAULT and each.protocol == ALL for each in entries)
    return acl.default and everything and {each.is_egress for each in entries} == {True, False}


def _only_ipv4(acl: NetworkAcl, traffic: Traffic) -> bool:
    return admits(acl, traffic, IPV4_DEFAULT) > Admits.NOBODY and not admits(acl, traffic, IPV6_DEFAULT)


def _problem(acl: NetworkAcl, guarded: list[str], shut: Sequence[Traffic], serves: network.Serves) -> Problem:
    uses = sorted({use for subnet_id in guarded for use in serves[subnet_id]}, key=str.lower)
    words = [each.words for each in shut]
    if shut[0] is TOO_BIG:
        said = (
            "admits IPv6 and no ICMPv6, so Packet Too Big never arrives and connections hang where the path is narrower"
        )
    else:
        said = f"admits {phrase(words)} over IPv4 and not over IPv6"
    lesser = all(each in {CLIENTS, TOO_BIG} for each in shut)
    return Problem(
        acl,
        f"{acl}, which guards {phrase(guarded)} ({phrase(uses)}), {said}.",
        evidence={
            "network_acl": acl.id,
            "vpc": acl.vpc_id,
            "subnet": guarded,
            "serves": uses,
            "shut": words,
            "entries": [
                f"{each.rule_number} {'out' if each.is_egress else 'in'} {each.cidr_block} "
                f"{each.protocol} {'allow' if each.allow else 'deny'}"
                for each in sorted(acl.entries, key=lambda each: (each.is_egress, each.rule_number))
            ],
        },
        severity=Severity.WARNING if lesser else Severity.BLOCKER,
        remedy="icmpv6" if shut[0] is TOO_BIG else "",
    )
