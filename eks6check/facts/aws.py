"""Records of AWS resources, with the names that AWS gives their fields, and units where there are any.

A default means "read, and not there". The same records come from the live account and, in time, from infrastructure
files, so no rule knows which it has.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from eks6check.facts import Origin, Subject

LIVE = Origin("aws")


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """The part that all AWS records share."""

    id: str
    origin: Origin = LIVE

    @property
    def subject(self) -> Subject:
        """The record's class and id, which together name it in every report."""
        return Subject(type(self).__name__, self.id)

    def __str__(self) -> str:
        return self.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster(Record):
    """An EKS cluster; ``id`` is its name."""

    region: str = ""
    account: str = ""
    version: str = ""
    ip_family: str = "ipv4"
    vpc_id: str = ""
    subnet_ids: tuple[str, ...] = ()
    auto_mode: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeGroup(Record):
    """A managed node group; ``id`` is its name. The launch template is named by id and version."""

    ami_type: str = ""
    instance_types: tuple[str, ...] = ()
    subnet_ids: tuple[str, ...] = ()
    launch_template_id: str | None = None
    launch_template_version: str | None = None
    health_issue_codes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class MetadataOptions:
    """Settings of the instance metadata service; ``None`` where a launch template leaves one to EC2's default."""

    http_endpoint: str | None = None
    http_tokens: str | None = None
    http_put_response_hop_limit: int | None = None
    http_protocol_ipv6: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchTemplate(Record):
    """One version of an EC2 launch template; ``user_data`` is decoded from Base64, and gzip where it was packed.

    It is empty, not None, where there is some that is no text: a gap says so, and nothing follows from it.
    """

    name: str = ""
    version: str = ""
    image_id: str | None = None
    instance_type: str | None = None
    user_data: str | None = None
    metadata_options: MetadataOptions = field(default_factory=MetadataOptions)


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance(Record):
    """An EC2 instance that serves the cluster as a node."""

    instance_type: str = ""
    subnet_id: str = ""
    primary_ipv6: bool = False
    metadata_options: MetadataOptions = field(default_factory=MetadataOptions)
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceType(Record):
    """An EC2 instance type; ``id`` is its name. ``hypervisor`` is ``nitro``, ``xen`` or, on bare metal, empty."""

    hypervisor: str = ""
    bare_metal: bool = False
    vcpus: int = 0
    memory_mib: int = 0
    architectures: tuple[str, ...] = ()
    network_interfaces: int = 0
    ipv4_addresses_per_interface: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FargateProfile(Record):
    """A Fargate profile; ``id`` is its name."""

    subnet_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Addon(Record):
    """An EKS add-on; ``id`` is its name, ``configuration`` its parsed configuration values."""

    version: str = ""
    status: str = ""
    configuration: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Vpc(Record):
    """A VPC with its associated blocks of both families."""

    cidr_blocks: tuple[str, ...] = ()
    ipv6_cidr_blocks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Subnet(Record):
    """A subnet. ``available_ip_address_count`` counts free IPv4 addresses only, as EC2 does."""

    vpc_id: str = ""
    availability_zone: str = ""
    cidr_block: str | None = None
    ipv6_cidr_blocks: tuple[str, ...] = ()
    ipv6_native: bool = False
    assign_ipv6_address_on_creation: bool = False
    available_ip_address_count: int = 0
    tags: Mapping[str, str] = field(default_factory=dict)


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
class EgressOnlyInternetGateway(Record):
    """An egress-only internet gateway and the VPCs it is attached to."""

    attached_vpc_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class NatGateway(Record):
    """A NAT gateway; only ``available`` and ``public`` ones reach the internet."""

    vpc_id: str = ""
    state: str = ""
    connectivity_type: str = "public"
