"""The VPC as EC2 describes it: blocks, name resolution, subnets and the zones that they stand in."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import IPv6Network
from typing import Any

from eks6check.facts import Gap, Section
from eks6check.facts.aws import AvailabilityZone, Cluster, DhcpOptions, OldRange, Subnet, Vpc, VpcAttributes
from eks6check.facts.kube import mapping, text
from eks6check.sources import collector
from eks6check.sources.aws.api import Source, complete, each, made
from eks6check.sources.aws.bodies import Body, blocks, bodies, live, number, tags, texts

UNIQUE_LOCAL = IPv6Network("fc00::/7")
"""The range that RFC 4193 keeps out of the internet."""

NO_DHCP_OPTIONS = "default"
"""What EC2 says for the id of the options of a VPC that has none."""


def of_vpcs(source: Source, clusters: Section[Cluster], call: str, key: str, filter_name: str) -> Iterator[Any]:
    """What an EC2 list holds for the clusters' VPCs; nothing where no VPC is known."""
    vpc_ids = vpc_ids_of(clusters)
    if vpc_ids:
        filters: Mapping[str, Any] = {filter_name: [{"Name": "vpc-id", "Values": vpc_ids}]}
        yield from source.account.pages(call, key, **filters)


def vpc_ids_of(clusters: Section[Cluster]) -> list[str]:
    """The VPCs of the clusters, as far as known."""
    return sorted({cluster.vpc_id for cluster in clusters.items} - {""})


@collector("ec2:DescribeVpcs")
def vpcs(source: Source, clusters: Section[Cluster]) -> Iterator[Vpc | Gap]:
    """The cluster's VPC."""
    call = "ec2:DescribeVpcs"
    found = made(call, of_vpcs(source, clusters, call, "Vpcs", "Filters"), vpc, "VpcId")
    yield from complete(call, (cluster.vpc_id for cluster in clusters.items), found)


def vpc(body: Body) -> Vpc:
    """A VPC of ``ec2:DescribeVpcs``."""
    associations = body.get("Ipv6CidrBlockAssociationSet")
    return Vpc(
        id=text(body.get("VpcId")),
        origin=live(body.get("VpcId")),
        cidr_blocks=blocks(body.get("CidrBlockAssociationSet"), "CidrBlock") or texts([body.get("CidrBlock")]),
        ipv6_cidr_blocks=blocks(associations, "Ipv6CidrBlock"),
        private_ipv6_cidr_blocks=blocks([each for each in bodies(associations) if is_private(each)], "Ipv6CidrBlock"),
        dhcp_options_id=text(body.get("DhcpOptionsId")),
        internet_gateway_block_mode=block_mode(body),
    )


@collector()
def old_ranges(source: Source, clusters: Section[Cluster], vpcs: Section[Vpc]) -> Iterator[OldRange]:
    """The IPv4 addresses of the clusters that will be left: of their Services, and of their VPCs."""
    del source
    left = [cluster for cluster in clusters.items if cluster.ip_family == "ipv4"]
    vpc_ids = {cluster.vpc_id for cluster in left}
    blocks = {("service", cluster.service_cidr) for cluster in left if cluster.service_cidr}
    blocks |= {("vpc", block) for vpc in vpcs.items if vpc.id in vpc_ids for block in vpc.cidr_blocks}
    for role, block in sorted(blocks):
        yield OldRange(id=block, origin=live(block), role=role, cidr_block=block)


def is_private(association: Body) -> bool:
    """Whether AWS keeps an IPv6 block to itself: one that is said to be private, or is unique local."""
    if association.get("Ipv6AddressAttribute") == "private" or association.get("IpSource") == "none":
        return True
    try:
        return IPv6Network(text(association.get("Ipv6CidrBlock")), strict=False).subnet_of(UNIQUE_LOCAL)
    except ValueError:
        return False


def block_mode(body: Body) -> str:
    """What Block Public Access does to a VPC or a subnet, exclusions applied."""
    return text(mapping(body.get("BlockPublicAccessStates")).get("InternetGatewayBlockMode"))


@collector("ec2:DescribeVpcAttribute")
def vpc_attributes(source: Source, clusters: Section[Cluster]) -> Iterator[VpcAttributes | Gap]:
    """Name resolution of the cluster's VPC. EC2 tells one attribute a call."""
    call = "ec2:DescribeVpcAttribute"
    keys = ("EnableDnsSupport", "EnableDnsHostnames")

    def attribute(key: str, vpc_id: str) -> object:
        name = f"{key[0].lower()}{key[1:]}"
        return mapping(source.account.call(call, key, VpcId=vpc_id, Attribute=name)).get("Value")

    def attributes(vpc_id: str) -> Mapping[str, object]:
        return {"VpcId": vpc_id, **{key: attribute(key, vpc_id) for key in keys}}

    for body in each(attributes, vpc_ids_of(clusters)):
        yield from (body,) if isinstance(body, Gap) else made(call, [body], vpc_attributes_of, "VpcId", *keys)


def vpc_attributes_of(body: Body) -> VpcAttributes:
    """The values of ``ec2:DescribeVpcAttribute`` by the names of their attributes."""
    return VpcAttributes(
        id=text(body.get("VpcId")),
        origin=live(body.get("VpcId")),
        enable_dns_support=body.get("EnableDnsSupport") is not False,
        enable_dns_hostnames=body.get("EnableDnsHostnames") is not False,
    )


@collector("ec2:DescribeDhcpOptions")
def dhcp_options(source: Source, vpcs: Section[Vpc]) -> Iterator[DhcpOptions | Gap]:
    """The DHCP options of the cluster's VPC."""
    call = "ec2:DescribeDhcpOptions"
    named = sorted({vpc.dhcp_options_id for vpc in vpcs.items} - {"", NO_DHCP_OPTIONS})
    filters = [{"Name": "dhcp-options-id", "Values": named}]
    listed = source.account.pages(call, "DhcpOptions", Filters=filters) if named else ()
    yield from complete(call, named, made(call, listed, dhcp_options_of, "DhcpOptionsId"))


def dhcp_options_of(body: Body) -> DhcpOptions:
    """A set of ``ec2:DescribeDhcpOptions``."""
    settings = {text(each.get("Key")): each.get("Values") for each in bodies(body.get("DhcpConfigurations"))}
    return DhcpOptions(
        id=text(body.get("DhcpOptionsId")),
        origin=live(body.get("DhcpOptionsId")),
        domain_name_servers=texts([each.get("Value") for each in bodies(settings.get("domain-name-servers"))]),
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
        availability_zone_id=text(body.get("AvailabilityZoneId")),
        outpost_arn=text(body.get("OutpostArn")) or None,
        cidr_block=text(body.get("CidrBlock")) or None,
        ipv6_cidr_blocks=blocks(body.get("Ipv6CidrBlockAssociationSet"), "Ipv6CidrBlock"),
        ipv6_native=body.get("Ipv6Native") is True,
        assign_ipv6_address_on_creation=body.get("AssignIpv6AddressOnCreation") is True,
        map_public_ip_on_launch=body.get("MapPublicIpOnLaunch") is True,
        enable_dns64=body.get("EnableDns64") is True,
        available_ip_address_count=number(body.get("AvailableIpAddressCount")),
        internet_gateway_block_mode=block_mode(body),
        tags=tags(body),
    )


@collector("ec2:DescribeAvailabilityZones")
def availability_zones(source: Source) -> Iterator[AvailabilityZone | Gap]:
    """The region's zones, those included that only the owner of a shared subnet has opted in to."""
    call = "ec2:DescribeAvailabilityZones"
    listed = source.account.pages(call, "AvailabilityZones", AllAvailabilityZones=True)
    yield from made(call, listed, availability_zone, "ZoneName")


def availability_zone(body: Body) -> AvailabilityZone:
    """A zone of ``ec2:DescribeAvailabilityZones``."""
    return AvailabilityZone(
        id=text(body.get("ZoneName")),
        origin=live(body.get("ZoneName")),
        zone_id=text(body.get("ZoneId")),
        zone_type=text(body.get("ZoneType")) or "availability-zone",
    )
