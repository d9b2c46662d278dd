"""What EC2 knows of nodes: instances, what they are launched from, and what their types and images are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from eks6check.facts.aws.record import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class MetadataOptions:
    """Settings of the instance metadata service; ``None`` where a launch template leaves one to EC2's default."""

    http_endpoint: str | None = None
    http_tokens: str | None = None
    http_put_response_hop_limit: int | None = None
    http_protocol_ipv6: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InterfaceRequest:
    """A network interface that a launch template asks for; ``ipv6_address_count`` counts named addresses likewise."""

    device_index: int = 0
    network_card_index: int = 0
    ipv6_address_count: int = 0
    ipv6_prefix_count: int = 0
    primary_ipv6: bool = False
    group_ids: tuple[str, ...] = ()


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
    network_interfaces: tuple[InterfaceRequest, ...] = ()
    security_group_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AutoScalingGroup(Record):
    """An Auto Scaling group of self-managed nodes; ``id`` is its name.

    ``instance_types`` are the overrides of a mixed group. A group made from a launch configuration, which AWS no longer
    lets anyone create, names no template.
    """

    instance_types: tuple[str, ...] = ()
    subnet_ids: tuple[str, ...] = ()
    launch_template_id: str | None = None
    launch_template_version: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class InstanceInterface:
    """A network interface of an instance; device 0 of card 0 is the primary one, the only one that pods use in IPv6."""

    id: str
    device_index: int = 0
    network_card_index: int = 0
    group_ids: tuple[str, ...] = ()
    ipv6_addresses: tuple[str, ...] = ()
    ipv6_prefixes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance(Record):
    """An EC2 instance that serves the cluster as a node. ``platform`` is ``windows`` or empty."""

    instance_type: str = ""
    image_id: str = ""
    platform: str = ""
    subnet_id: str = ""
    instance_profile_arn: str | None = None
    primary_ipv6: bool = False
    network_interfaces: tuple[InstanceInterface, ...] = ()
    security_group_ids: tuple[str, ...] = ()
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
class Image(Record):
    """A machine image that nodes are launched from. ``platform`` is ``windows`` or empty."""

    name: str = ""
    platform: str = ""
