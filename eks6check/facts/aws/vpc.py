"""What EC2 knows of a network: blocks, subnets and zones, routes with what they lead to, and endpoints."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from eks6check.facts.aws.record import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Vpc(Record):
    """A VPC with its associated blocks of both families; ``private_ipv6_cidr_blocks`` are those that AWS announces not.

    ``internet_gateway_block_mode`` is what Block Public Access does here: ``off``, ``block-ingress`` or
    ``block-bidirectional``; empty where EC2 says nothing of it.
    """

    cidr_blocks: tuple[str, ...] = ()
    ipv6_cidr_blocks: tuple[str, ...] = ()
    private_ipv6_cidr_blocks: tuple[str, ...] = ()
    dhcp_options_id: str = ""
    internet_gateway_block_mode: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OldRange(Record):
    """IPv4 addresses of a cluster that will be left; ``role`` is whose they were: ``service``, ``pod`` or ``vpc``."""

    role: str = ""
    cidr_block: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class VpcAttributes(Record):
    """What ``ec2:DescribeVpcAttribute`` alone tells of a VPC, under the VPC's id."""

    enable_dns_support: bool = True
    enable_dns_hostnames: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class DhcpOptions(Record):
    """A set of DHCP options; ``AmazonProvidedDNS`` among its servers stands for the VPC's own resolver."""

    domain_name_servers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Subnet(Record):
    """A subnet. ``available_ip_address_count`` counts free IPv4 addresses only, as EC2 does.

    ``availability_zone`` is a name (``eu-west-1a``), ``availability_zone_id`` the same in every account
    (``euw1-az1``). ``internet_gateway_block_mode`` as for a VPC, exclusions applied.
    """

    vpc_id: str = ""
    availability_zone: str = ""
    availability_zone_id: str = ""
    outpost_arn: str | None = None
    cidr_block: str | None = None
    ipv6_cidr_blocks: tuple[str, ...] = ()
    ipv6_native: bool = False
    assign_ipv6_address_on_creation: bool = False
    map_public_ip_on_launch: bool = False
    enable_dns64: bool = False
    available_ip_address_count: int = 0
    internet_gateway_block_mode: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class AvailabilityZone(Record):
    """A zone; ``id`` is its name. ``zone_type`` is ``availability-zone``, ``local-zone`` or ``wavelength-zone``."""

    zone_id: str = ""
    zone_type: str = "availability-zone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A route: the destination block, the id of its target, and ``active`` or ``blackhole``."""

    destination: str
    target: str
    state: str = "active"


@dataclass(frozen=True, slots=True, kw_only=True)
class RouteTable(Record):
    """A route table with the subnets associated to it; ``main`` serves the subnets that name no other."""

    vpc_id: str = ""
    main: bool = False
    subnet_ids: tuple[str, ...] = ()
    routes: tuple[Route, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class InternetGateway(Record):
    """An internet gateway and the VPCs it is attached to."""

    attached_vpc_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EgressOnlyInternetGateway(Record):
    """An egress-only internet gateway and the VPCs it is attached to."""

    attached_vpc_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NatGateway(Record):
    """A NAT gateway; only ``available`` and ``public`` ones reach the internet, from their ``public_ips``.

    A zonal one stands in ``subnet_id``; a regional one serves every zone and has none.
    """

    vpc_id: str = ""
    subnet_id: str = ""
    state: str = ""
    connectivity_type: str = "public"
    availability_mode: str = "zonal"
    public_ips: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class VpcEndpoint(Record):
    """A VPC endpoint. ``ip_address_type`` is ``ipv4``, ``dualstack`` or ``ipv6``; gateway endpoints have none."""

    vpc_id: str = ""
    service_name: str = ""
    endpoint_type: str = "Interface"
    state: str = "available"
    ip_address_type: str = ""
    dns_record_ip_type: str = ""
    private_dns_enabled: bool = False
    subnet_ids: tuple[str, ...] = ()
    group_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointService(Record):
    """A service that endpoints of the VPC lead to; ``id`` is its name, as in ``com.amazonaws.eu-west-1.sts``."""

    supported_ip_address_types: tuple[str, ...] = ()
