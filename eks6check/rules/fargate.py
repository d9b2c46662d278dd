"""Fargate: the private subnets that it takes, and the IPv4 addresses that its pods still need."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import ceil
from typing import TYPE_CHECKING

from eks6check.catalog import rule
from eks6check.facts import network
from eks6check.facts.fargate import placed, profile_of
from eks6check.facts.kube import text
from eks6check.facts.phrases import phrase
from eks6check.facts.routes import IPV4_DEFAULT, IPV6_DEFAULT, default_route, is_public, leads_to, tables_in_effect
from eks6check.findings import Problem, Severity

if TYPE_CHECKING:
    from eks6check.facts.aws import Cluster, FargateProfile, RouteTable, Subnet
    from eks6check.facts.kube import Resource


@rule
def fargate_subnet_not_private(
    fargate_profiles: Sequence[FargateProfile], subnets: Sequence[Subnet], route_tables: Sequence[RouteTable]
) -> Iterator[Problem]:
    """Public is a subnet whose default route goes to an internet gateway, whatever addresses it hands out."""
    tables = tables_in_effect(subnets, route_tables)
    for profile in fargate_profiles:
        named = (each for each in sorted({*profile.subnet_ids}) if each in tables)
        public = {each: tables[each] for each in named if is_public(tables[each])}
        routes = {each: public_route(table) for each, table in public.items()}
        if public:
            said = phrase(sorted({*routes.values()}))
            yield Problem(
                profile,
                f"Fargate profile {profile} takes {phrase(list(public))}, and {said}: EKS takes private subnets only.",
                evidence={"profile": profile.id, "subnets": list(public), "routes": routes},
                also=tuple((table, ()) for table in {table.id: table for table in public.values()}.values()),
            )


def public_route(table: RouteTable) -> str:
    """The route that makes a table public, in words."""
    routes = (default_route(table, each) for each in (IPV4_DEFAULT, IPV6_DEFAULT))
    found = next(filter(None, (route for route in routes if leads_to(route, "igw-"))), None)
    return f"{table} sends {found.destination} to {found.target}" if found else ""


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
    migrated = any(each.ip_family == "ipv6" for each in clusters)
    running = {} if migrated else running_pods(pods, fargate_profiles)
    by_id = {subnet.id: subnet for subnet in subnets}
    for pool, (first, *others) in pools(fargate_profiles).items():
        if not pool <= by_id.keys():
            continue
        known = [by_id[subnet_id] for subnet_id in sorted(pool)]
        inside = sorted(each.id for each in fargate_profiles if each.subnet_ids and set(each.subnet_ids) <= pool)
        addresses = [address for name in inside for address in running.get(name, ())]
        free, count = sum(subnet.available_ip_address_count for subnet in known), len(addresses)
        needed = max(ceil(count * growth_factor), reserve)
        if free < needed:
            who = f"Fargate profile {first} is" if len(inside) == 1 else f"Fargate profiles {phrase(inside)} are"
            held = placed_in(addresses, known)
            yield Problem(
                first,
                f"{who} short of IPv4 addresses: {supply(known, held)}; {demand(count, growth_factor, needed)}.",
                evidence={
                    "profile": first.id,
                    "profiles": inside,
                    "vpc": known[0].vpc_id,
                    "free": {subnet.id: subnet.available_ip_address_count for subnet in known},
                    "pods": count,
                    "pods_by_subnet": held,
                    "growth_factor": growth_factor,
                    "needed": needed,
                },
                severity=Severity.BLOCKER if free < max(count, reserve) else Severity.WARNING,
                also=tuple((other, ()) for other in others),
            )


def running_pods(pods: Iterable[Resource], profiles: Iterable[FargateProfile]) -> Mapping[str, list[str]]:
    """The addresses of pods that hold one, empty for those that wait for it, by Fargate profile.

    Pods that have ended hold none.
    """
    profiles, found = tuple(profiles), defaultdict[str, list[str]](list)
    for pod in pods:
        if placed(pod) and pod.get("status", "phase") not in ("Succeeded", "Failed"):
            found[profile_of(pod, profiles)].append(text(pod.get("status", "podIP")))
    return found


def placed_in(addresses: Iterable[str], subnets: Iterable[Subnet]) -> Mapping[str, int]:
    """How many of these addresses each subnet holds, as far as they tell."""
    blocks = [(subnet.id, block) for subnet in subnets if (block := network.ipv4_network(subnet.cidr_block))]
    known = filter(None, map(network.ipv4_network, addresses))
    held = Counter(subnet_id for address in known for subnet_id, block in blocks if address.subnet_of(block))
    return dict(sorted(held.items()))


def pools(profiles: Iterable[FargateProfile]) -> Mapping[frozenset[str], list[FargateProfile]]:
    """The profiles by the set of subnets that they draw on, each group in the order of names."""
    found: dict[frozenset[str], list[FargateProfile]] = defaultdict(list)
    for profile in sorted(profiles, key=lambda profile: profile.id):
        if profile.subnet_ids:
            found[frozenset(profile.subnet_ids)].append(profile)
    return found


def supply(subnets: Sequence[Subnet], held: Mapping[str, int]) -> str:
    """The free addresses of each subnet and together: ``subnet-1 has 12 free beside 8 of the pods, ...: 15``."""
    each = ", ".join(
        f"{subnet} has {subnet.available_ip_address_count} free"
        + (f" beside {held[subnet.id]} of the pods" if subnet.id in held else "")
        for subnet in subnets
    )
    free = sum(subnet.available_ip_address_count for subnet in subnets)
    return each if len(subnets) == 1 else f"{each}: {free}"


def demand(count: int, growth_factor: float, needed: int) -> str:
    """The addresses needed, and out of what: ``20 pods run now x 1.5 = 30 needed``, or the reserve alone."""
    if ceil(count * growth_factor) < needed:
        return f"at least {needed} needed"
    return f"{count} {'pod runs' if count == 1 else 'pods run'} now x {growth_factor:g} = {needed} needed"
