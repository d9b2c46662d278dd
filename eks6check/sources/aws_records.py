"""AWS's answers as records: one pure function for each, over the mapping that boto3 gives.

A field may be missing, null or of a type that nobody documented. Each function judges what is there and never raises.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

import yaml

from eks6check.facts import Origin
from eks6check.facts.aws import (
    Addon,
    Cluster,
    EgressOnlyInternetGateway,
    FargateProfile,
    Instance,
    InstanceType,
    LaunchTemplate,
    MetadataOptions,
    NatGateway,
    NodeGroup,
    Route,
    RouteTable,
    Subnet,
    Vpc,
)
from eks6check.facts.kube import mapping, sequence, text

Body = Mapping[str, Any]

GONE = frozenset({"disassociating", "disassociated", "failing", "failed", "detaching", "detached"})
"""States of a block or an attachment that no longer serves. A state that AWS adds later counts as serving."""

GZIP = b"\x1f\x8b"

USER_DATA_LIMIT = 1 << 20
"""Bytes that packed user data may unfold to. EC2 takes 16 KiB of it, packed or not."""


def texts(value: object) -> tuple[str, ...]:
    """The strings of a list."""
    return tuple(item for item in sequence(value) if isinstance(item, str))


def number(value: object) -> int:
    """The value if it is a whole number, else 0."""
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def bodies(value: object) -> Iterator[Body]:
    """The mappings of a list."""
    return (item for item in sequence(value) if isinstance(item, dict))


def tags(body: Body) -> Mapping[str, str]:
    """EC2's list of tags as a mapping."""
    return {text(tag.get("Key")): text(tag.get("Value")) for tag in bodies(body.get("Tags"))}


def live(identity: object) -> Origin:
    """The origin of what was read live: an ARN, or an id where there is none."""
    return Origin("aws", id=text(identity))


def cluster(body: Body, region: str, vpc_id: str = "") -> Cluster:
    """A cluster of ``eks:DescribeCluster``. Region and account are its ARN's."""
    arn = [*text(body.get("arn")).split(":"), "", "", "", "", ""]
    network = mapping(body.get("resourcesVpcConfig"))
    return Cluster(
        id=text(body.get("name")),
        origin=live(body.get("arn") or body.get("name")),
        region=arn[3] or region,
        account=arn[4],
        version=text(body.get("version")),
        ip_family=text(mapping(body.get("kubernetesNetworkConfig")).get("ipFamily")) or "ipv4",
        vpc_id=text(network.get("vpcId")) or vpc_id,
        subnet_ids=texts(network.get("subnetIds")),
        auto_mode=mapping(body.get("computeConfig")).get("enabled") is True,
    )


def node_group(body: Body) -> NodeGroup:
    """A node group of ``eks:DescribeNodegroup``. A launch template without a version is the default one."""
    template = mapping(body.get("launchTemplate"))
    return NodeGroup(
        id=text(body.get("nodegroupName")),
        origin=live(body.get("nodegroupArn") or body.get("nodegroupName")),
        ami_type=text(body.get("amiType")),
        instance_types=texts(body.get("instanceTypes")),
        subnet_ids=texts(body.get("subnets")),
        launch_template_id=text(template.get("id")) or None,
        launch_template_version=(text(template.get("version")) or "$Default") if template.get("id") else None,
        health_issue_codes=tuple(text(each.get("code")) for each in bodies(mapping(body.get("health")).get("issues"))),
    )


def metadata_options(body: Body) -> MetadataOptions:
    """The ``MetadataOptions`` of an instance or a launch template."""
    options = mapping(body.get("MetadataOptions"))
    return MetadataOptions(
        http_endpoint=text(options.get("HttpEndpoint")) or None,
        http_tokens=text(options.get("HttpTokens")) or None,
        http_put_response_hop_limit=number(options.get("HttpPutResponseHopLimit")) or None,
        http_protocol_ipv6=text(options.get("HttpProtocolIpv6")) or None,
    )


def launch_template(body: Body) -> LaunchTemplate:
    """A version of ``ec2:DescribeLaunchTemplateVersions``; ``Version`` is the name by which it was asked for."""
    data = mapping(body.get("LaunchTemplateData"))
    return LaunchTemplate(
        id=text(body.get("LaunchTemplateId")),
        origin=live(body.get("LaunchTemplateId")),
        name=text(body.get("LaunchTemplateName")),
        version=text(body.get("Version")),
        image_id=text(data.get("ImageId")) or None,
        instance_type=text(data.get("InstanceType")) or None,
        user_data=user_data(data.get("UserData")),
        metadata_options=metadata_options(data),
    )


def user_data(packed: object) -> str | None:
    """User data as the instance reads it, out of Base64 and gzip; None where there is none, empty if it is no text."""
    if not isinstance(packed, str) or not packed:
        return None
    try:
        plain = base64.b64decode("".join(packed.split()), validate=True)
        if plain.startswith(GZIP):
            plain = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16).decompress(plain, USER_DATA_LIMIT)
        return plain.decode("utf-8")
    except (ValueError, zlib.error):
        return ""


def instance(body: Body) -> Instance:
    """An instance of ``ec2:DescribeInstances``."""
    interfaces = bodies(body.get("NetworkInterfaces"))
    addresses = [each for interface in interfaces for each in bodies(interface.get("Ipv6Addresses"))]
    return Instance(
        id=text(body.get("InstanceId")),
        origin=live(body.get("InstanceId")),
        instance_type=text(body.get("InstanceType")),
        subnet_id=text(body.get("SubnetId")),
        primary_ipv6=any(each.get("IsPrimaryIpv6") is True for each in addresses),
        metadata_options=metadata_options(body),
        tags=tags(body),
    )


def instance_type(body: Body) -> InstanceType:
    """A type of ``ec2:DescribeInstanceTypes``. Interfaces are the default network card's: pods use no other."""
    network = mapping(body.get("NetworkInfo"))
    default = number(network.get("DefaultNetworkCardIndex"))
    cards = [each for each in bodies(network.get("NetworkCards")) if number(each.get("NetworkCardIndex")) == default]
    card = cards[0] if cards else network
    return InstanceType(
        id=text(body.get("InstanceType")),
        origin=live(body.get("InstanceType")),
        hypervisor=text(body.get("Hypervisor")),
        bare_metal=body.get("BareMetal") is True,
        vcpus=number(mapping(body.get("VCpuInfo")).get("DefaultVCpus")),
        memory_mib=number(mapping(body.get("MemoryInfo")).get("SizeInMiB")),
        architectures=texts(mapping(body.get("ProcessorInfo")).get("SupportedArchitectures")),
        network_interfaces=number(card.get("MaximumNetworkInterfaces")),
        ipv4_addresses_per_interface=number(network.get("Ipv4AddressesPerInterface")),
    )


def fargate_profile(body: Body) -> FargateProfile:
    """A profile of ``eks:DescribeFargateProfile``."""
    return FargateProfile(
        id=text(body.get("fargateProfileName")),
        origin=live(body.get("fargateProfileArn") or body.get("fargateProfileName")),
        subnet_ids=texts(body.get("subnets")),
    )


def addon(body: Body) -> Addon:
    """An add-on of ``eks:DescribeAddon``. Configuration values that do not parse are left out."""
    return Addon(
        id=text(body.get("addonName")),
        origin=live(body.get("addonArn") or body.get("addonName")),
        version=text(body.get("addonVersion")),
        status=text(body.get("status")),
        configuration=configuration(body) or {},
    )


def configuration(body: Body) -> Mapping[str, Any] | None:
    """An add-on's configuration values, which EKS takes as JSON or YAML; None where they are no mapping in either."""
    written = text(body.get("configurationValues"))
    for parse in (json.loads, yaml.safe_load):
        with suppress(Exception):  # PyYAML raises a dozen kinds of exception on odd tags
            values = parse(written)
            return {} if values is None else values if isinstance(values, dict) else None
    return None


def vpc(body: Body) -> Vpc:
    """A VPC of ``ec2:DescribeVpcs``."""
    return Vpc(
        id=text(body.get("VpcId")),
        origin=live(body.get("VpcId")),
        cidr_blocks=blocks(body.get("CidrBlockAssociationSet"), "CidrBlock") or texts([body.get("CidrBlock")]),
        ipv6_cidr_blocks=blocks(body.get("Ipv6CidrBlockAssociationSet"), "Ipv6CidrBlock"),
    )


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


def blocks(associations: object, key: str) -> tuple[str, ...]:
    """The blocks that serve."""
    serving = (each for each in bodies(associations) if not gone(mapping(each.get(f"{key}State")).get("State")))
    return tuple(text(each.get(key)) for each in serving if each.get(key))


def gone(state: object) -> bool:
    """Whether a block or an attachment in this state no longer serves."""
    return isinstance(state, str) and state in GONE


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


def egress_only_gateway(body: Body) -> EgressOnlyInternetGateway:
    """A gateway of ``ec2:DescribeEgressOnlyInternetGateways``."""
    attachments = bodies(body.get("Attachments"))
    return EgressOnlyInternetGateway(
        id=text(body.get("EgressOnlyInternetGatewayId")),
        origin=live(body.get("EgressOnlyInternetGatewayId")),
        attached_vpc_ids=texts([each.get("VpcId") for each in attachments if not gone(each.get("State"))]),
    )


def nat_gateway(body: Body) -> NatGateway:
    """A gateway of ``ec2:DescribeNatGateways``."""
    return NatGateway(
        id=text(body.get("NatGatewayId")),
        origin=live(body.get("NatGatewayId")),
        vpc_id=text(body.get("VpcId")),
        state=text(body.get("State")),
        connectivity_type=text(body.get("ConnectivityType")) or "public",
    )
