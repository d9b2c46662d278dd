"""The control plane's own interfaces: the addresses that they take, and the way out of the subnets they stand in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from eks6check.catalog import rule
from eks6check.facts import network
from eks6check.facts.phrases import phrase
from eks6check.facts.routes import IPV4_DEFAULT, IPV6_DEFAULT, default_route, route_table_of
from eks6check.findings import Problem, Severity

if TYPE_CHECKING:
    from eks6check.facts.aws import Cluster, RouteTable, Subnet

ADDRESSES_NEEDED = 6
ADDRESSES_ADVISED = 16
"""Free IPv4 addresses of each cluster subnet: EKS user guide, network-reqs, read 2026-11-25."""

SMALLEST = 28
"""The prefix length of the smallest subnet, which has 11 addresses to give: VPC user guide, read 2026-11-25."""

DESTINATIONS = (IPV4_DEFAULT, IPV6_DEFAULT)


@rule
def control_plane_egress_without_ipv6(
    clusters: Sequence[Cluster], subnets: Sequence[Subnet], route_tables: Sequence[RouteTable]
) -> Iterator[Problem]:
    """Where the user routes the control plane's calls, each cluster subnet needs a default route of both families."""
    for cluster in clusters:
        if cluster.control_plane_egress_mode != "CUSTOMER_ROUTED":
            continue
        lacking = _without_way_out(cluster, subnets, route_tables)
        if lacking:
            told = [
                f"{subnet} has no {phrase(missing)} route that works in {table}" for subnet, table, missing in lacking
            ]
            yield Problem(
                cluster,
                f"Calls of cluster {cluster}'s control plane to webhooks and OIDC issuers leave by its own subnets, "
                f"and {'; '.join(told)}.",
                evidence={
                    "cluster": cluster.id,
                    "control_plane_egress_mode": cluster.control_plane_egress_mode,
                    "route_table": lacking[0][1].id,
                    "vpc": lacking[0][1].vpc_id,
                    "missing": {subnet.id: list(missing) for subnet, _, missing in lacking},
                },
                remedy="ipv6" if IPV6_DEFAULT in lacking[0][2] else "ipv4",
                also=tuple((table, ()) for table in dict.fromkeys(table for _, table, _ in lacking)),
            )


def _without_way_out(
    cluster: Cluster, subnets: Sequence[Subnet], route_tables: Sequence[RouteTable]
) -> list[tuple[Subnet, RouteTable, list[str]]]:
    """Cluster subnets with the table in effect, and the default routes that it has not, or not in a state to work."""
    found = []
    for subnet in sorted(subnets, key=lambda subnet: subnet.id):
        table = route_table_of(subnet, route_tables) if subnet.id in cluster.subnet_ids else None
        missing = [each for each in DESTINATIONS if table and not _active(table, each)]
        if table and missing:
            found.append((subnet, table, missing))
    return found


def _active(table: RouteTable, destination: str) -> bool:
    route = default_route(table, destination)
    return route is not None and route.state == "active"


@rule
def cluster_subnet_ipv4_exhausted(clusters: Sequence[Cluster], subnets: Sequence[Subnet]) -> Iterator[Problem]:
    """The new cluster's interfaces come beside those of today; in an IPv6 cluster only an update makes new ones.

    A /28 is a common choice for a subnet of these interfaces alone, and never has as many addresses as are advised.
    """
    for subnet in subnets:
        served = [cluster for cluster in clusters if subnet.id in cluster.subnet_ids]
        free = subnet.available_ip_address_count
        block = network.ipv4_network(subnet.cidr_block)
        advised = ADDRESSES_NEEDED if block and block.prefixlen >= SMALLEST else ADDRESSES_ADVISED
        if not served or free >= advised or subnet.cidr_block is None:
            continue
        running = all(cluster.ip_family == "ipv6" for cluster in served)
        short = free < ADDRESSES_NEEDED
        if running and not short:
            continue
        needed = "needs 6" if short else "should have 16"
        yield Problem(
            subnet,
            f"{subnet}, a subnet of cluster {served[0]}, has {free} free IPv4 address{'' if free == 1 else 'es'}, and "
            f"{needed} for the interfaces of {'an updated' if running else 'a new'} control plane.",
            evidence={
                "subnet": subnet.id,
                "vpc": subnet.vpc_id,
                "availability_zone": subnet.availability_zone,
                "cidr_block": subnet.cidr_block,
                "available_ip_address_count": free,
                "needed": ADDRESSES_NEEDED,
                "advised": advised,
                "cluster": served[0].id,
            },
            severity=Severity.BLOCKER if short and not running else Severity.WARNING,
        )
