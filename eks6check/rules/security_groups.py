"""Security groups: rules for IPv4 blocks that have no twin for IPv6."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from eks6check.catalog import rule
from eks6check.facts.filters import ALL, TWINS, Bearer, bearers, has_ipv6, lacking, protocol
from eks6check.facts.machines import all_groups
from eks6check.facts.network import SHARED_SPACE, ipv4_network
from eks6check.facts.routes import IPV4_DEFAULT, IPV6_DEFAULT
from eks6check.findings import Problem, Severity

if TYPE_CHECKING:
    from eks6check.facts.aws import (
        AutoScalingGroup,
        Cluster,
        Instance,
        LaunchTemplate,
        NodeGroup,
        PrefixList,
        SecurityGroup,
        SecurityGroupRule,
        Vpc,
    )

HTTPS = 443


class Lack(NamedTuple):
    """A rule for IPv4 that has no twin, and an interface that feels it."""

    rule: SecurityGroupRule
    bearer: Bearer


@rule
def security_group_without_ipv6_twin(  # noqa: PLR0913, PLR0917  who carries a group is told by five sections
    security_groups: Sequence[SecurityGroup],
    clusters: Sequence[Cluster] = (),
    node_groups: Sequence[NodeGroup] = (),
    instances: Sequence[Instance] = (),
    launch_templates: Sequence[LaunchTemplate] = (),
    auto_scaling_groups: Sequence[AutoScalingGroup] = (),
    prefix_lists: Sequence[PrefixList] = (),
    vpcs: Sequence[Vpc] = (),
) -> Iterator[Problem]:
    """Only groups that nodes, Fargate pods or the control plane carry, and only where no other group makes up for it.

    Rules between groups are of both families. One finding for each group and direction. A group whose rules for the way
    out nobody touched gets the one for IPv6 from EC2, with the VPC's first IPv6 block.
    """
    begun = {vpc.id for vpc in vpcs if vpc.ipv6_cidr_blocks}
    known = {group.id: group for group in security_groups}
    lists = {each.id: each for each in prefix_lists}
    carriers = [*bearers(clusters, instances, launch_templates, all_groups(node_groups, auto_scaling_groups))]
    for group in security_groups:
        lacks = [Lack(*found) for found in lacking(group, carriers, known, lists)]
        for is_egress in (False, True):
            here = [each for each in lacks if each.rule.is_egress is is_egress]
            if here and not (is_egress and group.vpc_id not in begun and is_untouched(group)):
                yield _problem(group, here, known, lists)


def is_untouched(group: SecurityGroup) -> bool:
    """Whether a group's rules for the way out are as EC2 made them in an IPv4 VPC: all, to everywhere."""
    out = [(each.peer, each.protocol) for each in group.rules if each.is_egress]
    return out == [(IPV4_DEFAULT, ALL)]


def _problem(
    group: SecurityGroup,
    lacks: Sequence[Lack],
    known: Mapping[str, SecurityGroup],
    lists: Mapping[str, PrefixList],
) -> Problem:
    is_egress = lacks[0].rule.is_egress
    shut = [each for each in lacks if opens_the_way_out(each, known, lists)]
    told = sorted({written(each.rule) for each in lacks})
    direction = "out" if is_egress else "in"
    if shut:
        bearer = shut[0].bearer.words
        said = f"lets {', '.join(told)} out and no IPv6 range at all, and no other group on {bearer} does"
    else:
        said = (
            f"lets {', '.join(told)} {direction}, and {lacks[0].bearer.words} has no rule for IPv6 that does the same"
        )
    worst = min((severity(each) for each in lacks), key=lambda each: each.rank)
    first = min((each.rule for each in lacks), key=written)
    everybody = all(each.rule.peer == IPV4_DEFAULT for each in lacks)
    return Problem(
        group,
        f"Security group {group}{f' ({group.name})' if group.name else ''} {said}.",
        evidence={
            "security_group": group.id,
            "vpc": group.vpc_id,
            "direction": direction,
            "without_twin": told,
            "carried_by": sorted({each.bearer.words for each in lacks}),
            "protocol": TWINS.get(protocol(first.protocol), first.protocol),
            "from_port": first.from_port,
            "to_port": first.to_port,
            "twin": IPV6_DEFAULT if everybody else "IPV6_CIDR",
        },
        key=direction,
        severity=Severity.BLOCKER if shut else worst,
        remedy=f"{'egress' if is_egress else 'ingress'}{'' if first.from_port is None else '-ports'}",
    )


def opens_the_way_out(lack: Lack, known: Mapping[str, SecurityGroup], lists: Mapping[str, PrefixList]) -> bool:
    """Whether this rule is an interface's way to everywhere over IPv4, while nothing leaves it over IPv6."""
    found = lack.rule
    reaches = protocol(found.protocol) in {ALL, "tcp"} and (
        found.from_port is None or found.to_port is None or found.from_port <= HTTPS <= found.to_port
    )
    everywhere = found.is_egress and found.peer == IPV4_DEFAULT and reaches
    return everywhere and not has_ipv6(lack.bearer, known, lists, is_egress=True)


def severity(lack: Lack) -> Severity:
    """A warning for everybody and for private ranges, which have a twin in IPv6; a public range may have none."""
    block = ipv4_network(lack.rule.peer)
    if block is None or lack.rule.peer == IPV4_DEFAULT or block.is_private or block.subnet_of(SHARED_SPACE):
        return Severity.WARNING
    return Severity.INFO


def written(found: SecurityGroupRule) -> str:
    """A rule in words: ``tcp 443 from 10.0.0.0/8``."""
    name = "all traffic" if found.protocol == ALL else protocol(found.protocol)
    numbered = found.protocol != ALL and not name.startswith("icmp") and found.from_port is not None
    ports = f" {found.from_port}" if numbered else ""
    ports += f"-{found.to_port}" if numbered and found.to_port != found.from_port else ""
    return f"{name}{ports} {'to' if found.is_egress else 'from'} {found.peer}"
