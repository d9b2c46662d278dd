"""Views on route tables: which one is in effect for a subnet, and where its default routes go."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from eks6check.facts.aws import EgressOnlyInternetGateway, InternetGateway, Route, RouteTable, Subnet
    from eks6check.facts.network import Serves

IPV4_DEFAULT = "0.0.0.0/0"
IPV6_DEFAULT = "::/0"

EVERYWHERE = {IPV4_DEFAULT: (IPV4_DEFAULT,), IPV6_DEFAULT: (IPV6_DEFAULT, "2000::/3")}
"""Destinations that mean everywhere: all public IPv6 addresses are in 2000::/3, and some route just that."""


def route_table_of(subnet: Subnet, route_tables: Iterable[RouteTable]) -> RouteTable | None:
    """The table in effect for a subnet: the one associated to it, else its VPC's main one, else None."""
    main = None
    for table in route_tables:
        if subnet.id in table.subnet_ids:
            return table
        if table.main and table.vpc_id == subnet.vpc_id:
            main = table
    return main


def tables_in_effect(subnets: Iterable[Subnet], route_tables: Collection[RouteTable]) -> Mapping[str, RouteTable]:
    """The table in effect for each subnet, by the subnet's id; one without a known table is not there."""
    own = {subnet_id: table for table in route_tables for subnet_id in table.subnet_ids}
    main = {table.vpc_id: table for table in route_tables if table.main}
    found = ((subnet.id, own.get(subnet.id) or main.get(subnet.vpc_id)) for subnet in subnets)
    return {subnet_id: table for subnet_id, table in found if table}


def in_effect(
    serves: Serves, subnets: Iterable[Subnet], route_tables: Collection[RouteTable]
) -> Iterator[tuple[Subnet, RouteTable]]:
    """The subnets that serve something, each with the table in effect there, as far as that is known."""
    serving = [subnet for subnet in subnets if subnet.id in serves]
    tables = tables_in_effect(serving, route_tables)
    return ((subnet, tables[subnet.id]) for subnet in serving if subnet.id in tables)


def default_route(table: RouteTable, destination: str) -> Route | None:
    """The table's route to everywhere in one family, an active one before a blackhole; None where it has none."""
    found = [route for route in table.routes if route.destination in EVERYWHERE[destination]]
    return min(found, key=lambda route: (route.state != "active", route.target), default=None)


def is_public(table: RouteTable) -> bool:
    """Whether either family's default route is active and goes to an internet gateway."""
    return any(leads_to(default_route(table, each), "igw-") for each in (IPV4_DEFAULT, IPV6_DEFAULT))


def leads_to(route: Route | None, *kinds: str) -> bool:
    """Whether a route is there and active, and its target is of one of these kinds, told by prefixes of ids."""
    return route is not None and route.state == "active" and route.target.startswith(kinds)


def is_isolated(table: RouteTable) -> bool:
    """Whether there is no default route of either family: a network on VPC endpoints alone looks like this."""
    return not any(default_route(table, each) for each in (IPV4_DEFAULT, IPV6_DEFAULT))


def gateway_of(vpc_id: str, gateways: Iterable[EgressOnlyInternetGateway] | Iterable[InternetGateway]) -> str | None:
    """The id of a gateway attached to a VPC, the first by name; None where there is none."""
    return min((gateway.id for gateway in gateways if vpc_id in gateway.attached_vpc_ids), default=None)
