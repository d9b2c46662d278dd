"""Routes as EC2 describes them, and the gateways that they lead to."""

from __future__ import annotations

from collections.abc import Iterator

from eks6check.facts import Gap, Section
from eks6check.facts.aws import (
    Cluster,
    EgressOnlyInternetGateway,
    InternetGateway,
    NatGateway,
    Route,
    RouteTable,
    Subnet,
)
from eks6check.facts.kube import mapping, text
from eks6check.facts.routes import tables_in_effect
from eks6check.sources import collector
from eks6check.sources.aws.api import Source, made
from eks6check.sources.aws.bodies import Body, bodies, gone, live, texts
from eks6check.sources.aws.vpc import of_vpcs, vpc_ids_of


@collector("ec2:DescribeRouteTables")
def route_tables(source: Source, clusters: Section[Cluster], subnets: Section[Subnet]) -> Iterator[RouteTable | Gap]:
    """All route tables of the cluster's VPC. One that another account owns may not show its main table."""
    call = "ec2:DescribeRouteTables"
    tables: list[RouteTable] = []
    listed = of_vpcs(source, clusters, call, "RouteTables", "Filters")
    for found in made(call, listed, route_table, "RouteTableId"):
        tables += () if isinstance(found, Gap) else (found,)
        yield found
    known = tables_in_effect(subnets.items, tables)
    for subnet in subnets.items:
        if subnet.id not in known:
            reason = f"EC2 lists no route table that serves {subnet}, so its routes are not judged."
            yield Gap(call, reason, "If the VPC is shared with this account, ask the account that owns it.")


def route_table(body: Body) -> RouteTable:
    """A table of ``ec2:DescribeRouteTables``."""
    associations = [
        each
        for each in bodies(body.get("Associations"))
        if not gone(mapping(each.get("AssociationState")).get("State"))
    ]
    return RouteTable(
        id=text(body.get("RouteTableId")),
        origin=live(body.get("RouteTableId")),
        vpc_id=text(body.get("VpcId")),
        main=any(each.get("Main") is True for each in associations),
        subnet_ids=texts([each.get("SubnetId") for each in associations]),
        routes=tuple(route(each) for each in bodies(body.get("Routes"))),
    )


def route(body: Body) -> Route:
    """A route. Of its ids and ARNs, one says where it leads; the others are its destination and an owner."""
    destinations = ("DestinationCidrBlock", "DestinationIpv6CidrBlock", "DestinationPrefixListId")
    targets = (text(value) for key, value in body.items() if key.endswith(("Id", "Arn")))
    others = {text(body.get("DestinationPrefixListId")), text(body.get("InstanceOwnerId")), ""}
    return Route(
        destination=next((text(body[key]) for key in destinations if body.get(key)), ""),
        target=next((target for target in targets if target not in others), ""),
        state=text(body.get("State")) or "active",
    )


@collector("ec2:DescribeNatGateways")
def nat_gateways(source: Source, clusters: Section[Cluster]) -> Iterator[NatGateway | Gap]:
    """The NAT gateways of the cluster's VPC, in whatever state."""
    call = "ec2:DescribeNatGateways"
    found = of_vpcs(source, clusters, call, "NatGateways", "Filter")
    yield from made(call, found, nat_gateway, "NatGatewayId", "State")


def nat_gateway(body: Body) -> NatGateway:
    """A gateway of ``ec2:DescribeNatGateways``."""
    return NatGateway(
        id=text(body.get("NatGatewayId")),
        origin=live(body.get("NatGatewayId")),
        vpc_id=text(body.get("VpcId")),
        state=text(body.get("State")),
        subnet_id=text(body.get("SubnetId")),
        connectivity_type=text(body.get("ConnectivityType")) or "public",
        availability_mode=text(body.get("AvailabilityMode")) or "zonal",
        public_ips=texts([each.get("PublicIp") for each in bodies(body.get("NatGatewayAddresses"))]),
    )


@collector("ec2:DescribeInternetGateways")
def internet_gateways(source: Source, clusters: Section[Cluster]) -> Iterator[InternetGateway | Gap]:
    """The internet gateways that are attached to the cluster's VPC."""
    call, vpc_ids = "ec2:DescribeInternetGateways", vpc_ids_of(clusters)
    filters = [{"Name": "attachment.vpc-id", "Values": vpc_ids}]
    listed = source.account.pages(call, "InternetGateways", Filters=filters) if vpc_ids else ()
    yield from made(call, listed, internet_gateway, "InternetGatewayId")


def internet_gateway(body: Body) -> InternetGateway:
    """A gateway of ``ec2:DescribeInternetGateways``."""
    return InternetGateway(
        id=text(body.get("InternetGatewayId")),
        origin=live(body.get("InternetGatewayId")),
        attached_vpc_ids=attached(body),
    )


def attached(body: Body) -> tuple[str, ...]:
    """The VPCs that a gateway is attached to; ``available`` is EC2's word for an internet gateway's."""
    return texts([each.get("VpcId") for each in bodies(body.get("Attachments")) if not gone(each.get("State"))])


@collector("ec2:DescribeEgressOnlyInternetGateways")
def egress_only_gateways(source: Source, clusters: Section[Cluster]) -> Iterator[EgressOnlyInternetGateway | Gap]:
    """The egress-only internet gateways of the cluster's VPC, and those of none. EC2 has no filter for that."""
    call, vpc_ids = "ec2:DescribeEgressOnlyInternetGateways", set(vpc_ids_of(clusters))
    found = source.account.pages(call, "EgressOnlyInternetGateways") if vpc_ids else ()
    for gateway in made(call, found, egress_only_gateway, "EgressOnlyInternetGatewayId"):
        if isinstance(gateway, Gap) or not gateway.attached_vpc_ids or vpc_ids & set(gateway.attached_vpc_ids):
            yield gateway


def egress_only_gateway(body: Body) -> EgressOnlyInternetGateway:
    """A gateway of ``ec2:DescribeEgressOnlyInternetGateways``."""
    return EgressOnlyInternetGateway(
        id=text(body.get("EgressOnlyInternetGatewayId")),
        origin=live(body.get("EgressOnlyInternetGatewayId")),
        attached_vpc_ids=attached(body),
    )
