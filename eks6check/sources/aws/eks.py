"""The cluster and its parts as EKS describes them: node groups, Fargate profiles and add-ons."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

import yaml

from eks6check.facts import Gap
from eks6check.facts.aws import Addon, Cluster, FargateProfile, NodeGroup
from eks6check.facts.kube import mapping, text
from eks6check.sources import Unreadable, collector
from eks6check.sources.aws.api import RETRY, Source, each
from eks6check.sources.aws.bodies import Body, bodies, live, texts


@collector("eks:DescribeCluster", "ec2:DescribeSubnets")
def clusters(source: Source) -> Iterator[Cluster | Gap]:
    """The cluster. Where the answer names no VPC, it is that of its subnets."""
    body = source.described
    if isinstance(body, Gap):
        yield body
    elif not body.get("name"):
        yield Gap("eks:DescribeCluster", "The answer describes no cluster.", RETRY)
    else:
        record = cluster(body, source.account.region)
        if not record.version:
            yield Gap("eks:DescribeCluster", f"{record} came without its Kubernetes version.", RETRY)
        try:
            yield record if record.vpc_id else replace(record, vpc_id=vpc_of(source, record))
        except Unreadable as unreadable:
            yield record
            yield unreadable.gap


def vpc_of(source: Source, cluster: Cluster) -> str:
    """The VPC of the cluster's subnets.

    Raises:
        Unreadable: they lead to none.
    """
    if cluster.subnet_ids:
        found = source.account.call("ec2:DescribeSubnets", "Subnets", SubnetIds=list(cluster.subnet_ids))
        for subnet in bodies(found):
            return text(subnet.get("VpcId"))
    raise Unreadable(Gap("eks:DescribeCluster", "The answer names neither VPC nor subnets of the cluster.", RETRY))


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


def described(source: Source, kind: str, listed: str, required: str) -> Iterator[Mapping[str, Any] | Gap]:
    """What EKS says of each ``Nodegroup``, ``FargateProfile`` or ``Addon`` of the cluster, in the list's order.

    One that comes without the field ``required`` is given all the same, with a gap beside it.
    """
    call, answer = f"eks:Describe{kind}", f"{kind[0].lower()}{kind[1:]}"
    parameter = f"{answer}Name"

    def describe(name: str) -> Mapping[str, Any]:
        found = source.account.call(call, answer, clusterName=source.cluster, **{parameter: name})
        return {parameter: name, **mapping(found)}

    names: list[str] = []
    try:
        names.extend(source.account.pages(f"eks:List{kind}s", listed, clusterName=source.cluster))
    except Unreadable as unreadable:
        yield unreadable.gap
    for body in each(describe, names):
        yield body
        if not isinstance(body, Gap) and body.get(required) is None:
            yield Gap(call, f"{body[parameter]} came without {required}, so not all of it is judged.", RETRY)


@collector("eks:ListNodegroups", "eks:DescribeNodegroup")
def node_groups(source: Source) -> Iterator[NodeGroup | Gap]:
    """The managed node groups."""
    for body in described(source, "Nodegroup", "nodegroups", "subnets"):
        yield body if isinstance(body, Gap) else node_group(body)


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


@collector("eks:ListFargateProfiles", "eks:DescribeFargateProfile")
def fargate_profiles(source: Source) -> Iterator[FargateProfile | Gap]:
    """The Fargate profiles."""
    for body in described(source, "FargateProfile", "fargateProfileNames", "subnets"):
        yield body if isinstance(body, Gap) else fargate_profile(body)


def fargate_profile(body: Body) -> FargateProfile:
    """A profile of ``eks:DescribeFargateProfile``."""
    return FargateProfile(
        id=text(body.get("fargateProfileName")),
        origin=live(body.get("fargateProfileArn") or body.get("fargateProfileName")),
        subnet_ids=texts(body.get("subnets")),
    )


@collector("eks:ListAddons", "eks:DescribeAddon")
def addons(source: Source) -> Iterator[Addon | Gap]:
    """The EKS add-ons."""
    for body in described(source, "Addon", "addons", "addonVersion"):
        if isinstance(body, Gap):
            yield body
            continue
        yield addon(body)
        if configuration(body) is None:
            name = text(body.get("addonName"))
            reason = f"The configuration values of {name} are neither JSON nor YAML of a mapping."
            yield Gap("eks:DescribeAddon", reason, f"Look at them: aws eks describe-addon --addon-name {name}.")


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
