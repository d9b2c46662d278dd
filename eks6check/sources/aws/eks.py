"""The cluster and its parts as EKS describes them: node groups, Fargate profiles, add-ons and Pod Identity."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any

import yaml

from eks6check.facts import Gap, Section
from eks6check.facts.aws import Addon, Cluster, FargateProfile, NodeGroup, PodIdentityAssociation, Selector, Subnet
from eks6check.facts.kube import mapping, text
from eks6check.sources import Unreadable, collector
from eks6check.sources.aws.api import RETRY, Source, attempt, each, made
from eks6check.sources.aws.bodies import Body, bodies, live, texts

ROLES_ASKED_FOR = frozenset({("kube-system", "aws-node")})
"""Service accounts, by namespace and name, whose Pod Identity role a rule looks at: that of the VPC CNI."""


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
    network, services = mapping(body.get("resourcesVpcConfig")), mapping(body.get("kubernetesNetworkConfig"))
    return Cluster(
        id=text(body.get("name")),
        origin=live(body.get("arn") or body.get("name")),
        region=arn[3] or region,
        account=arn[4],
        version=text(body.get("version")),
        created_at=instant(body.get("createdAt")),
        ip_family=text(services.get("ipFamily")) or "ipv4",
        service_cidr=text(services.get("serviceIpv6Cidr")) or text(services.get("serviceIpv4Cidr")),
        endpoint=text(body.get("endpoint")),
        endpoint_private_access=network.get("endpointPrivateAccess") is True,
        endpoint_public_access=network.get("endpointPublicAccess") is not False,
        public_access_cidrs=texts(network.get("publicAccessCidrs")),
        control_plane_egress_mode=text(network.get("controlPlaneEgressMode")),
        vpc_id=text(network.get("vpcId")) or vpc_id,
        subnet_ids=texts(network.get("subnetIds")),
        security_group_ids=texts(network.get("securityGroupIds")),
        cluster_security_group_id=text(network.get("clusterSecurityGroupId")),
        remote_networks=remote_networks(mapping(body.get("remoteNetworkConfig"))),
        outpost_arns=texts(mapping(body.get("outpostConfig")).get("outpostArns")),
        authentication_mode=text(mapping(body.get("accessConfig")).get("authenticationMode")),
        auto_mode=mapping(body.get("computeConfig")).get("enabled") is True,
    )


def instant(value: object) -> str:
    """A moment in UTC, ISO 8601 to the second; empty for what is none."""
    with suppress(OverflowError):  # a moment of the year 1 or 9999 may have none in UTC
        if isinstance(value, datetime) and value.tzinfo:
            return value.astimezone(UTC).isoformat(timespec="seconds")
    return ""


def remote_networks(body: Body) -> tuple[str, ...]:
    """The ranges of a ``remoteNetworkConfig``, those of hybrid nodes before those of their pods."""
    networks = [each for key in ("remoteNodeNetworks", "remotePodNetworks") for each in bodies(body.get(key))]
    return tuple(cidr for each in networks for cidr in texts(each.get("cidrs")))


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
    groups = bodies(mapping(body.get("resources")).get("autoScalingGroups"))
    return NodeGroup(
        id=text(body.get("nodegroupName")),
        origin=live(body.get("nodegroupArn") or body.get("nodegroupName")),
        ami_type=text(body.get("amiType")),
        instance_types=texts(body.get("instanceTypes")),
        subnet_ids=texts(body.get("subnets")),
        node_role=text(body.get("nodeRole")),
        auto_scaling_groups=tuple(text(each["name"]) for each in groups if each.get("name")),
        launch_template_id=text(template.get("id")) or None,
        launch_template_version=(text(template.get("version")) or "$Default") if template.get("id") else None,
        health_issue_codes=issue_codes(body),
    )


def issue_codes(body: Body) -> tuple[str, ...]:
    """The codes of the health issues that EKS reports of a node group or an add-on."""
    return tuple(text(each["code"]) for each in bodies(mapping(body.get("health")).get("issues")) if each.get("code"))


@collector("eks:ListFargateProfiles", "eks:DescribeFargateProfile")
def fargate_profiles(source: Source, subnets: Section[Subnet]) -> Iterator[FargateProfile | Gap]:
    """The Fargate profiles, with a gap for each that names a subnet which EC2 does not list."""
    listed = {subnet.id for subnet in subnets.items}
    for body in described(source, "FargateProfile", "fargateProfileNames", "subnets"):
        if isinstance(body, Gap):
            yield body
            continue
        found = fargate_profile(body)
        yield found
        if not subnets.gaps and (unlisted := sorted({*found.subnet_ids} - listed)):
            reason = f"Fargate profile {found} names {', '.join(unlisted)}, and EC2 does not list that in the VPC."
            yield Gap(
                "ec2:DescribeSubnets", reason, "See whether it still exists, or is still shared with this account."
            )


def fargate_profile(body: Body) -> FargateProfile:
    """A profile of ``eks:DescribeFargateProfile``."""
    return FargateProfile(
        id=text(body.get("fargateProfileName")),
        origin=live(body.get("fargateProfileArn") or body.get("fargateProfileName")),
        subnet_ids=texts(body.get("subnets")),
        selectors=tuple(selector(each) for each in bodies(body.get("selectors"))),
    )


def selector(body: Body) -> Selector:
    """A selector of a profile. A label whose value is no text selects nothing that Kubernetes could hold."""
    labels = mapping(body.get("labels"))
    return Selector(
        namespace=text(body.get("namespace")),
        labels={key: value for key, value in labels.items() if isinstance(value, str)},
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
        service_account_role_arn=text(body.get("serviceAccountRoleArn")) or None,
        health_issue_codes=issue_codes(body),
    )


def configuration(body: Body) -> Mapping[str, Any] | None:
    """An add-on's configuration values, which EKS takes as JSON or YAML; None where they are no mapping in either."""
    written = text(body.get("configurationValues"))
    for parse in (json.loads, yaml.safe_load):
        with suppress(Exception):  # PyYAML raises a dozen kinds of exception on odd tags
            values = parse(written)
            return {} if values is None else values if isinstance(values, dict) else None
    return None


@collector("eks:ListPodIdentityAssociations", "eks:DescribePodIdentityAssociation")
def pod_identity_associations(source: Source) -> Iterator[PodIdentityAssociation | Gap]:
    """The Pod Identity associations. The list names no role, so that is asked for where a rule looks at it."""
    call = "eks:ListPodIdentityAssociations"
    listed = source.account.pages(call, "associations", clusterName=source.cluster)
    for body in made(call, listed, dict, "associationId", "namespace", "serviceAccount"):
        if isinstance(body, Gap):
            yield body
            continue
        found = pod_identity_association(body)
        if (found.namespace, found.service_account) in ROLES_ASKED_FOR:
            role = attempt(partial(role_of, source), found.id)
            if isinstance(role, Gap):
                yield role
            else:
                found = replace(found, role_arn=role)
        yield found


def role_of(source: Source, association: str) -> str:
    """The role of a Pod Identity association.

    Raises:
        Unreadable: EKS did not tell.
    """
    call = "eks:DescribePodIdentityAssociation"
    found = source.account.call(call, "association", clusterName=source.cluster, associationId=association)
    if role := text(mapping(found).get("roleArn")):
        return role
    raise Unreadable(Gap(call, f"{association} came without roleArn, so its role is not judged.", RETRY))


def pod_identity_association(body: Body) -> PodIdentityAssociation:
    """An association of ``eks:ListPodIdentityAssociations``; only the description of one has a role."""
    return PodIdentityAssociation(
        id=text(body.get("associationId")),
        origin=live(body.get("associationArn") or body.get("associationId")),
        namespace=text(body.get("namespace")),
        service_account=text(body.get("serviceAccount")),
        role_arn=text(body.get("roleArn")),
    )
