"""Fargate: IPv4 addresses that its pods still need."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import ceil
from typing import TYPE_CHECKING

from eks6check.catalog import rule
from eks6check.facts.network import phrase
from eks6check.findings import Problem, Severity

if TYPE_CHECKING:
    from eks6check.facts.aws import Cluster, FargateProfile, Subnet
    from eks6check.facts.kube import Resource


@rule
def fargate_ipv4_headroom_low(  # noqa: PLR0913  a rule's parameters are the facts and settings that it needs
    fargate_profiles: Sequence[FargateProfile],
    subnets: Sequence[Subnet],
    clusters: Sequence[Cluster] = (),
    pods: Sequence[Resource] = (),
    *,
    growth_factor: float,
    reserve: int,
) -> Iterator[Problem]:
    """Profiles that draw on the same addresses are judged together, on the first with just these subnets.

    Too few for the pods that run now is proof. Too few only for their growth is a warning. A cluster that is IPv6
    already has nothing to move, so there only the reserve counts.
    """
    running = Counter[str]() if any(each.ip_family == "ipv6" for each in clusters) else running_pods(pods)
    by_id = {subnet.id: subnet for subnet in subnets}
    for pool, (first, *others) in pools(fargate_profiles).items():
        if not pool <= by_id.keys():
            continue
        free = {subnet_id: by_id[subnet_id].available_ip_address_count for subnet_id in sorted(pool)}
        vpc_id = min(by_id[subnet_id].vpc_id for subnet_id in pool)
        inside = sorted(each.id for each in fargate_profiles if each.subnet_ids and set(each.subnet_ids) <= pool)
        count = sum(running[name] for name in inside)
        needed = max(ceil(count * growth_factor), reserve)
        if sum(free.values()) < needed:
            who = f"Fargate profile {first} is" if len(inside) == 1 else f"Fargate profiles {phrase(inside)} are"
            yield Problem(
                first,
                f"{who} short of IPv4 addresses: {supply(free)}; {demand(count, growth_factor, needed)}.",
                evidence={"profile": first.id, "vpc": vpc_id, "free": free, "pods": count, "needed": needed},
                severity=Severity.BLOCKER if sum(free.values()) < max(count, reserve) else Severity.WARNING,
                also=tuple((other, ()) for other in others),
            )


def running_pods(pods: Iterable[Resource]) -> Counter[str]:
    """How many pods hold an address, or wait for one, by Fargate profile; pods that have ended hold none."""
    return Counter(
        str(pod.labels.get("eks.amazonaws.com/fargate-profile"))
        for pod in pods
        if pod.get("status", "phase") not in ("Succeeded", "Failed")
    )


def pools(profiles: Iterable[FargateProfile]) -> Mapping[frozenset[str], list[FargateProfile]]:
    """The profiles by the set of subnets that they draw on, each group in the order of names."""
    found: dict[frozenset[str], list[FargateProfile]] = defaultdict(list)
    for profile in sorted(profiles, key=lambda profile: profile.id):
        if profile.subnet_ids:
            found[frozenset(profile.subnet_ids)].append(profile)
    return found


def supply(free: Mapping[str, int]) -> str:
    """The free addresses of each subnet and together: ``subnet-1 has 12 free, subnet-2 has 3 free: 15``."""
    each = ", ".join(f"{subnet_id} has {count} free" for subnet_id, count in free.items())
    return each if len(free) == 1 else f"{each}: {sum(free.values())}"


def demand(count: int, growth_factor: float, needed: int) -> str:
    """The addresses needed, and out of what: ``20 pods run now x 1.5 = 30 needed``, or the reserve alone."""
    if ceil(count * growth_factor) < needed:
        return f"at least {needed} needed"
    return f"{count} {'pod runs' if count == 1 else 'pods run'} now x {growth_factor:g} = {needed} needed"
