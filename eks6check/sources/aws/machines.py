"""Nodes as EC2 describes them: instances, and what their types and images are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from eks6check.facts import Gap, Section
from eks6check.facts.aws import (
    AutoScalingGroup,
    Image,
    Instance,
    InstanceInterface,
    InstanceType,
    LaunchTemplate,
    MetadataOptions,
    NodeGroup,
)
from eks6check.facts.kube import mapping, text
from eks6check.facts.machines import POOL_TAGS, all_groups
from eks6check.sources import collector
from eks6check.sources.aws.api import Source, made
from eks6check.sources.aws.bodies import Body, bodies, live, number, tags, texts

CHUNK = 100
"""Values of one filter; EC2 takes 200 at most."""

CLUSTER_NAME_TAGS = ("eks:cluster-name", "aws:eks:cluster-name", "eks:eks-cluster-name", "alpha.eksctl.io/cluster-name")
"""Tags whose value names an instance's cluster; beside them stands the tag that has the name in its key."""

MADE_BY_OTHERS = frozenset({"eks:nodegroup-name", *POOL_TAGS})
"""Tags of instances whose launch template EKS or Karpenter wrote, and will write anew: not the user's to mend."""


@collector("ec2:DescribeInstances")
def instances(source: Source) -> Iterator[Instance | Gap]:
    """The cluster's instances that run or will in a moment, known by the tags that EKS, eksctl and Karpenter give."""
    owned = f"kubernetes.io/cluster/{source.cluster}"
    filters = [
        {"Name": "instance-state-name", "Values": ["pending", "running"]},
        {"Name": "tag-key", "Values": [owned, *CLUSTER_NAME_TAGS]},
    ]
    call = "ec2:DescribeInstances"
    for reservation in source.account.pages(call, "Reservations", Filters=filters):
        for found in made(call, bodies(reservation.get("Instances")), instance, "InstanceId"):
            if isinstance(found, Gap) or belongs(source, found.tags, owned):
                yield found


def belongs(source: Source, tags: Mapping[str, str], *keys: str) -> bool:
    """Whether tags say that something is the cluster's: one of these keys, or its name as the value of another."""
    return bool({*keys} & tags.keys()) or source.cluster in {tags.get(tag) for tag in CLUSTER_NAME_TAGS}


def instance(body: Body) -> Instance:
    """An instance of ``ec2:DescribeInstances``."""
    interfaces = list(bodies(body.get("NetworkInterfaces")))
    addresses = [each for interface in interfaces for each in bodies(interface.get("Ipv6Addresses"))]
    return Instance(
        id=text(body.get("InstanceId")),
        origin=live(body.get("InstanceId")),
        instance_type=text(body.get("InstanceType")),
        image_id=text(body.get("ImageId")),
        platform=text(body.get("Platform")).lower(),
        subnet_id=text(body.get("SubnetId")),
        instance_profile_arn=text(mapping(body.get("IamInstanceProfile")).get("Arn")) or None,
        primary_ipv6=any(each.get("IsPrimaryIpv6") is True for each in addresses),
        network_interfaces=tuple(map(instance_interface, interfaces)),
        security_group_ids=_values(body, "SecurityGroups", "GroupId"),
        metadata_options=metadata_options(body),
        tags=tags(body),
    )


def instance_interface(body: Mapping[str, object]) -> InstanceInterface:
    """A network interface of an instance."""
    attachment = mapping(body.get("Attachment"))
    return InstanceInterface(
        id=text(body.get("NetworkInterfaceId")),
        device_index=number(attachment.get("DeviceIndex")),
        network_card_index=number(attachment.get("NetworkCardIndex")),
        group_ids=_values(body, "Groups", "GroupId"),
        ipv6_addresses=_values(body, "Ipv6Addresses", "Ipv6Address"),
        ipv6_prefixes=_values(body, "Ipv6Prefixes", "Ipv6Prefix"),
    )


def _values(body: Mapping[str, object], listed: str, key: str) -> tuple[str, ...]:
    return tuple(filter(None, (text(item.get(key)) for item in bodies(body.get(listed)))))


def metadata_options(body: Body) -> MetadataOptions:
    """The ``MetadataOptions`` of an instance or a launch template."""
    options = mapping(body.get("MetadataOptions"))
    return MetadataOptions(
        http_endpoint=text(options.get("HttpEndpoint")) or None,
        http_tokens=text(options.get("HttpTokens")) or None,
        http_put_response_hop_limit=number(options.get("HttpPutResponseHopLimit")) or None,
        http_protocol_ipv6=text(options.get("HttpProtocolIpv6")) or None,
    )


@collector("ec2:DescribeInstanceTypes")
def instance_types(
    source: Source,
    node_groups: Section[NodeGroup],
    launch_templates: Section[LaunchTemplate],
    instances: Section[Instance],
    auto_scaling_groups: Section[AutoScalingGroup],
) -> Iterator[InstanceType | Gap]:
    """The instance types in use. Asked for by filter, so that a name that EC2 does not know costs no other."""
    groups = all_groups(node_groups.items, auto_scaling_groups.items)
    names = {name for group in groups for name in group.instance_types}
    names |= {template.instance_type or "" for template in launch_templates.items}
    names |= {instance.instance_type for instance in instances.items}
    wanted = sorted(names - {""})
    call = "ec2:DescribeInstanceTypes"
    for start in range(0, len(wanted), CHUNK):
        chunk = wanted[start : start + CHUNK]
        unknown = set(chunk)
        filters = [{"Name": "instance-type", "Values": chunk}]
        listed = source.account.pages(call, "InstanceTypes", Filters=filters)
        for found in made(call, listed, instance_type, "InstanceType"):
            unknown.discard(found.id if isinstance(found, InstanceType) else "")
            yield found
        for name in sorted(unknown):
            yield Gap(call, f"EC2 knows no instance type {name} in {source.account.region}.", "Check the name.")


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


@collector("ec2:DescribeImages")
def images(
    source: Source, launch_templates: Section[LaunchTemplate], instances: Section[Instance]
) -> Iterator[Image | Gap]:
    """The images that templates name and self-managed instances were made from, the deprecated ones included.

    They are asked for by filter, so that one that is gone costs no other. That is a gap where a template would launch
    it; an instance tells its platform itself.
    """
    named = {template.image_id or "" for template in launch_templates.items}
    used = {instance.image_id for instance in instances.items if not MADE_BY_OTHERS & instance.tags.keys()}
    wanted = sorted(identity for identity in named | used if identity.startswith("ami-"))
    call = "ec2:DescribeImages"
    for start in range(0, len(wanted), CHUNK):
        chunk = wanted[start : start + CHUNK]
        gone = named & {*chunk}
        filters = [{"Name": "image-id", "Values": chunk}]
        listed = source.account.pages(call, "Images", Filters=filters, IncludeDeprecated=True)
        for found in made(call, listed, image, "ImageId"):
            gone.discard(found.id if isinstance(found, Image) else "")
            yield found
        for identity in sorted(gone):
            reason = (
                f"A launch template names {identity}, and EC2 does not list that image, so its system is not known."
            )
            yield Gap(call, reason, "See whether it still exists and is shared with this account.")


def image(body: Body) -> Image:
    """An image of ``ec2:DescribeImages``."""
    return Image(
        id=text(body.get("ImageId")),
        origin=live(body.get("ImageId")),
        name=text(body.get("Name")),
        platform=text(body.get("Platform")).lower(),
    )
