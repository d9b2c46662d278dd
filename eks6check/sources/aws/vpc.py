"""The VPC as EC2 describes it: blocks, subnets, routes, and the gateways that they lead to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from eks6check.facts import Gap, Section
from eks6check.facts.aws import (
    Cluster,
    EgressOnlyInternetGateway,
    NatGateway,
    Route,
    RouteTable,
    Subnet,
    Vpc,
)
from eks6check.facts.kube import mapping, text
from eks6check.facts.network import route_table_of
from eks6check.sources import collector
from eks6check.sources.aws.api import Source, complete, made
from eks6check.sources.aws.bodies import Body, blocks, bodies, gone, live, number, tags, texts


def of_vpcs(source: Source, clusters: Section[Cluster], call: str, key: str, filter_name: str) -> Iterator[Any]:
    """What an EC2 list holds for the clusters' VPCs; nothing where no VPC is known."""
    vpc_ids = sorted({cluster.vpc_id for cluster in clusters.items} - {""})
    if vpc_ids:
        yield from source.account.pages(call, key, **{filter_name: [{"Name": "vpc-id", "Values": vpc_ids}]})


@collector("ec2:DescribeVpcs")
def vpcs(source: Source, clusters: Section[Cluster]) -> Iterator[Vpc | Gap]:
    """The cluster's VPC."""
    call = "ec2:DescribeVpcs"
    found = made(call, of_vpcs(source, clusters, call, "Vpcs", "Filters"), vpc, "VpcId")
    yield from complete(call, (cluster.vpc_id for cluster in clusters.items), found)


def vpc(body: Body) -> Vpc:
    """A VPC of ``ec2:DescribeVpcs``."""
    return Vpc(
        id=text(body.get("VpcId")),
        origin=live(body.get("VpcId")),
        cidr_blocks=blocks(body.get("CidrBlockAssociationSet"), "CidrBlock") or texts([body.get("CidrBlock")]),
        ipv6_cidr_blocks=blocks(body.get("Ipv6CidrBlockAssociationSet"), "Ipv6CidrBlock"),
    )


@collector("ec2:DescribeSubnets")
def subnets(source: Source, clusters: Section[Cluster]) -> Iterator[Subnet | Gap]:
    """All subnets of the cluster's VPC."""
    call = "ec2:DescribeSubnets"
    found = of_vpcs(source, clusters, call, "Subnets", "Filters")
    required = ("SubnetId", "AvailableIpAddressCount", "AssignIpv6AddressOnCreation")
    named = (subnet_id for cluster in clusters.items if cluster.vpc_id for subnet_id in cluster.subnet_ids)
    yield from complete(call, named, made(call, found, subnet, *required))


def subnet(body: Body) -> Subnet:
    """A subnet of ``ec2:DescribeSubnets``."""
    return Subnet(
        id=text(body.get("SubnetId")),
        origin=live(body.get("SubnetArn") or body.get("SubnetId")),
        vpc_id=text(body.get("VpcId")),
        availability_zone=text(body.get("AvailabilityZone")),
        cidr_block=text(body.get("CidrBlock")) or None,
        ipv6_cidr_blocks=blocks(body.get("Ipv6CidrBlockAssociationSet"), "Ipv6CidrBlock"),
        ipv6_native=body.get("Ipv6Native") is True,
        assign_ipv6_address_on_creation=body.get("AssignIpv6AddressOnCreation") is True,
        available_ip_address_count=number(body.get("AvailableIpAddressCount")),
        tags=tags(body),
    )


@collector("ec2:DescribeRouteTables")
def route_tables(source: Source, clusters: Section[Cluster], subnets: Section[Subnet]) -> Iterator[RouteTable | Gap]:
    """All route tables of the cluster's VPC. One that another account owns may not show its main table."""
    call = "ec2:DescribeRouteTables"
    tables: list[RouteTable] = []
    listed = of_vpcs(source, clusters, call, "RouteTables", "Filters")
    for found in made(call, listed, route_table, "RouteTableId"):
        tables += () if isinstance(found, Gap) else (found,)
        yield found
    for subnet in subnets.items:
        if route_table_of(subnet, tables) is None:
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
        connectivity_type=text(body.get("ConnectivityType")) or "public",
    )


@collector("ec2:DescribeEgressOnlyInternetGateways")
def egress_only_gateways(source: Source, clusters: Section[Cluster]) -> Iterator[EgressOnlyInternetGateway | Gap]:
    """The egress-only internet gateways of the cluster's VPC, and those of none. EC2 has no filter for that."""
    vpc_ids = {cluster.vpc_id for cluster in clusters.items} - {""}
    call = "ec2:DescribeEgressOnlyInternetGateways"
    found = source.account.pages(call, "EgressOnlyInternetGateways") if vpc_ids else ()
    for gateway in made(call, found, egress_only_gateway, "EgressOnlyInternetGatewayId"):
        if isinstance(gateway, Gap) or not gateway.attached_vpc_ids or vpc_ids & set(gateway.attached_vpc_ids):
            yield gateway


def egress_only_gateway(body: Body) -> EgressOnlyInternetGateway:
    """A gateway of ``ec2:DescribeEgressOnlyInternetGateways``."""
    attachments = bodies(body.get("Attachments"))
    return EgressOnlyInternetGateway(
        id=text(body.get("EgressOnlyInternetGatewayId")),
        origin=live(body.get("EgressOnlyInternetGatewayId")),
        attached_vpc_ids=texts([each.get("VpcId") for each in attachments if not gone(each.get("State"))]),
    )
