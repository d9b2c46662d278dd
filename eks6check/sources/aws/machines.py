"""Nodes as EC2 describes them: instances, what they are launched from, and what their types can do."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from eks6check.facts import Gap, Section
from eks6check.facts.aws import Instance, InstanceType, LaunchTemplate, MetadataOptions, NodeGroup
from eks6check.facts.kube import mapping, text
from eks6check.sources import Unreadable, collector
from eks6check.sources.aws.api import Source, each, made
from eks6check.sources.aws.bodies import Body, bodies, live, number, tags, texts

CHUNK = 100
"""Values of one filter; EC2 takes 200 at most."""


CLUSTER_NAME_TAGS = ("eks:cluster-name", "aws:eks:cluster-name", "eks:eks-cluster-name", "alpha.eksctl.io/cluster-name")
"""Tags whose value names an instance's cluster; beside them stands the tag that has the name in its key."""


TEMPLATE_TAG = "aws:ec2launchtemplate"


MADE_BY_OTHERS = frozenset(
    {"eks:nodegroup-name", "eks:kubernetes-node-pool-name", "karpenter.sh/nodepool", "karpenter.sh/provisioner-name"}
)
"""Tags of instances whose launch template EKS or Karpenter wrote, and will write anew: not the user's to mend."""


GZIP = b"\x1f\x8b"


USER_DATA_LIMIT = 1 << 20
"""Bytes that packed user data may unfold to. EC2 takes 16 KiB of it, packed or not."""


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
            names = () if isinstance(found, Gap) else (found.tags.get(tag) for tag in CLUSTER_NAME_TAGS)
            if isinstance(found, Gap) or owned in found.tags or source.cluster in names:
                yield found


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


def metadata_options(body: Body) -> MetadataOptions:
    """The ``MetadataOptions`` of an instance or a launch template."""
    options = mapping(body.get("MetadataOptions"))
    return MetadataOptions(
        http_endpoint=text(options.get("HttpEndpoint")) or None,
        http_tokens=text(options.get("HttpTokens")) or None,
        http_put_response_hop_limit=number(options.get("HttpPutResponseHopLimit")) or None,
        http_protocol_ipv6=text(options.get("HttpProtocolIpv6")) or None,
    )


@collector("ec2:DescribeLaunchTemplateVersions")
def launch_templates(
    source: Source, node_groups: Section[NodeGroup], instances: Section[Instance]
) -> Iterator[LaunchTemplate | Gap]:
    """The launch template versions that node groups name, and those that self-managed instances were made from.

    A version has the name by which it is referred to, ``$Latest`` and ``$Default`` included.
    """
    wanted = {(group.launch_template_id or "", group.launch_template_version or "") for group in node_groups.items}
    wanted |= {
        (each.tags.get(f"{TEMPLATE_TAG}:id", ""), each.tags.get(f"{TEMPLATE_TAG}:version", ""))
        for each in instances.items
        if not MADE_BY_OTHERS & each.tags.keys()
    }
    for body in each(partial(template, source), sorted(pair for pair in wanted if all(pair))):
        if isinstance(body, Gap):
            yield body
            continue
        found = launch_template(body)
        yield found
        if found.user_data == "":
            reason = f"The user data of {found.id} version {found.version} is not text, so what it sets is not known."
            yield Gap("ec2:DescribeLaunchTemplateVersions", reason, "Look at it by hand.")


def template(source: Source, reference: tuple[str, str]) -> Mapping[str, Any]:
    """One version of a launch template, under the name that it was asked for by."""
    identity, version = reference
    call = "ec2:DescribeLaunchTemplateVersions"
    found = source.account.call(call, "LaunchTemplateVersions", LaunchTemplateId=identity, Versions=[version])
    for body in bodies(found):
        return {"LaunchTemplateId": identity, **body, "Version": version}
    raise Unreadable(Gap(call, f"EC2 has no version {version} of {identity}.", "See which version the group uses."))


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


@collector("ec2:DescribeInstanceTypes")
def instance_types(
    source: Source,
    node_groups: Section[NodeGroup],
    launch_templates: Section[LaunchTemplate],
    instances: Section[Instance],
) -> Iterator[InstanceType | Gap]:
    """The instance types in use. Asked for by filter, so that a name that EC2 does not know costs no other."""
    names = {name for group in node_groups.items for name in group.instance_types}
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
