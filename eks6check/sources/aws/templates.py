"""What nodes are launched from: launch templates, and the Auto Scaling groups of self-managed nodes."""

from __future__ import annotations

import base64
import zlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import partial

from eks6check.facts import Gap, Section
from eks6check.facts.aws import AutoScalingGroup, Instance, InterfaceRequest, LaunchTemplate, NodeGroup
from eks6check.facts.kube import mapping, text
from eks6check.facts.machines import all_groups
from eks6check.facts.user_data import unpacked
from eks6check.sources import Unreadable, collector
from eks6check.sources.aws.api import Source, attempt, each, made
from eks6check.sources.aws.bodies import Body, bodies, live, number, tags, texts
from eks6check.sources.aws.machines import CLUSTER_NAME_TAGS, MADE_BY_OTHERS, belongs, metadata_options

TEMPLATE_TAG = "aws:ec2launchtemplate"
VERSIONS = "ec2:DescribeLaunchTemplateVersions"


@collector("autoscaling:DescribeAutoScalingGroups")
def auto_scaling_groups(source: Source) -> Iterator[AutoScalingGroup | Gap]:
    """The cluster's Auto Scaling groups, known by the tags that its instances have; not those of managed groups."""
    owned = [f"kubernetes.io/cluster/{source.cluster}", f"k8s.io/cluster-autoscaler/{source.cluster}"]
    filters = [{"Name": "tag-key", "Values": [*owned, *CLUSTER_NAME_TAGS]}]
    call = "autoscaling:DescribeAutoScalingGroups"
    listed = source.account.pages(call, "AutoScalingGroups", Filters=filters)
    for found in made(call, listed, auto_scaling_group, "AutoScalingGroupName"):
        if isinstance(found, Gap) or (belongs(source, found.tags, *owned) and not MADE_BY_OTHERS & found.tags.keys()):
            yield found


def auto_scaling_group(body: Body) -> AutoScalingGroup:
    """A group of ``autoscaling:DescribeAutoScalingGroups``. A template without a version is the default one."""
    mixed = mapping(mapping(body.get("MixedInstancesPolicy")).get("LaunchTemplate"))
    template = mapping(mixed.get("LaunchTemplateSpecification") or body.get("LaunchTemplate"))
    named = text(template.get("LaunchTemplateId")) or None
    types = (text(override.get("InstanceType")) for override in bodies(mixed.get("Overrides")))
    return AutoScalingGroup(
        id=text(body.get("AutoScalingGroupName")),
        origin=live(body.get("AutoScalingGroupARN") or body.get("AutoScalingGroupName")),
        instance_types=tuple(filter(None, types)),
        subnet_ids=tuple(filter(None, text(body.get("VPCZoneIdentifier")).replace(" ", "").split(","))),
        launch_template_id=named,
        launch_template_version=(text(template.get("Version")) or "$Default") if named else None,
        tags=tags(body),
    )


@collector(VERSIONS)
def launch_templates(
    source: Source,
    node_groups: Section[NodeGroup],
    instances: Section[Instance],
    auto_scaling_groups: Section[AutoScalingGroup],
) -> Iterator[LaunchTemplate | Gap]:
    """The launch template versions that groups name, and those that self-managed instances were made from.

    A version has the name by which it is referred to, ``$Latest`` and ``$Default`` included.
    """
    wanted: dict[str, set[str]] = defaultdict(set)
    for group in all_groups(node_groups.items, auto_scaling_groups.items):
        wanted[group.launch_template_id or ""].add(group.launch_template_version or "")
    for instance in instances.items:
        if not MADE_BY_OTHERS & instance.tags.keys():
            tagged = instance.tags
            wanted[tagged.get(f"{TEMPLATE_TAG}:id", "")].add(tagged.get(f"{TEMPLATE_TAG}:version", ""))
    asked = ((identity, sorted(names - {""})) for identity, names in sorted(wanted.items()) if identity)
    for answer in each(partial(versions, source), [pair for pair in asked if pair[1]]):
        for body in [answer] if isinstance(answer, Gap) else answer:
            yield from [body] if isinstance(body, Gap) else told(launch_template(body))


def told(template: LaunchTemplate) -> Iterator[LaunchTemplate | Gap]:
    """A template, and the gap beside it where its user data is no text."""
    yield template
    if template.user_data == "":
        reason = f"The user data of {template} version {template.version} is not text, so what it sets is not known."
        yield Gap(VERSIONS, reason, "Look at it by hand.")


def versions(source: Source, reference: tuple[str, Sequence[str]]) -> list[Body | Gap]:
    """These versions of one launch template, each under the name that it was asked for by.

    They come in one call. EC2 refuses it whole for one that it does not have, so then each is asked for alone.
    """
    identity, names = reference
    try:
        listed = source.account.call(
            VERSIONS, "LaunchTemplateVersions", LaunchTemplateId=identity, Versions=list(names)
        )
    except Unreadable:
        if len(names) == 1:
            raise
        parts = [attempt(partial(versions, source), (identity, [name])) for name in names]
        return [body for part in parts for body in ([part] if isinstance(part, Gap) else part)]
    return [_named(identity, name, list(bodies(listed))) for name in names]


def _named(identity: str, name: str, found: Sequence[Body]) -> Body | Gap:
    latest = max((number(body.get("VersionNumber")) for body in found), default=0)
    for body in found:
        own = number(body.get("VersionNumber"))
        is_named = {"$Default": body.get("DefaultVersion") is True, "$Latest": own == latest}
        if is_named.get(name, str(own) == name):
            return {"LaunchTemplateId": identity, **body, "Version": name}
    return Gap(VERSIONS, f"EC2 has no version {name} of {identity}.", "See which version the group uses.")


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
        network_interfaces=tuple(map(interface_request, bodies(data.get("NetworkInterfaces")))),
        security_group_ids=texts(data.get("SecurityGroupIds")),
    )


def interface_request(body: Mapping[str, object]) -> InterfaceRequest:
    """A network interface of a launch template; addresses and prefixes that it names count like those it counts."""
    return InterfaceRequest(
        device_index=number(body.get("DeviceIndex")),
        network_card_index=number(body.get("NetworkCardIndex")),
        ipv6_address_count=number(body.get("Ipv6AddressCount")) or len([*bodies(body.get("Ipv6Addresses"))]),
        ipv6_prefix_count=number(body.get("Ipv6PrefixCount")) or len([*bodies(body.get("Ipv6Prefixes"))]),
        primary_ipv6=body.get("PrimaryIpv6") is True,
        group_ids=texts(body.get("Groups")),
    )


def user_data(packed: object) -> str | None:
    """User data as the instance reads it, out of Base64 and gzip; None where there is none, empty if it is no text."""
    if not isinstance(packed, str) or not packed:
        return None
    try:
        return unpacked(base64.b64decode("".join(packed.split()), validate=True)).decode("utf-8")
    except (ValueError, zlib.error):
        return ""
