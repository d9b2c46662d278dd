"""The live AWS account: a collector for each section, and beside it the IAM actions that it takes. Reads only.

Lists come whole, page by page; what has to be asked for one by one is asked for several at a time. What AWS refuses
or garbles is a gap of its own section, and of those that are read with its help.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from eks6check.facts import Gap, Section
from eks6check.facts.aws import (
    Addon,
    Cluster,
    EgressOnlyInternetGateway,
    FargateProfile,
    Instance,
    InstanceType,
    LaunchTemplate,
    NatGateway,
    NodeGroup,
    RouteTable,
    Subnet,
    Vpc,
)
from eks6check.facts.kube import mapping, text
from eks6check.facts.network import route_table_of
from eks6check.sources import Collectors, Unreadable, collector
from eks6check.sources import aws_records as records
from eks6check.sources.aws_api import RETRY, Source, complete, each, made

CHUNK = 100
"""Values of one filter; EC2 takes 200 at most."""

CLUSTER_NAME_TAGS = ("eks:cluster-name", "aws:eks:cluster-name", "eks:eks-cluster-name", "alpha.eksctl.io/cluster-name")
"""Tags whose value names an instance's cluster; beside them stands the tag that has the name in its key."""

TEMPLATE_TAG = "aws:ec2launchtemplate"
MADE_BY_OTHERS = frozenset(
    {"eks:nodegroup-name", "eks:kubernetes-node-pool-name", "karpenter.sh/nodepool", "karpenter.sh/provisioner-name"}
)
"""Tags of instances whose launch template EKS or Karpenter wrote, and will write anew: not the user's to mend."""


@collector("eks:DescribeCluster", "ec2:DescribeSubnets")
def clusters(source: Source) -> Iterator[Cluster | Gap]:
    """The cluster. Where the answer names no VPC, it is that of its subnets."""
    body = source.described
    if isinstance(body, Gap):
        yield body
    elif not body.get("name"):
        yield Gap("eks:DescribeCluster", "The answer describes no cluster.", RETRY)
    else:
        record = records.cluster(body, source.account.region)
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
        for subnet in records.bodies(found):
            return text(subnet.get("VpcId"))
    raise Unreadable(Gap("eks:DescribeCluster", "The answer names neither VPC nor subnets of the cluster.", RETRY))


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
        yield body if isinstance(body, Gap) else records.node_group(body)


@collector("eks:ListFargateProfiles", "eks:DescribeFargateProfile")
def fargate_profiles(source: Source) -> Iterator[FargateProfile | Gap]:
    """The Fargate profiles."""
    for body in described(source, "FargateProfile", "fargateProfileNames", "subnets"):
        yield body if isinstance(body, Gap) else records.fargate_profile(body)


@collector("eks:ListAddons", "eks:DescribeAddon")
def addons(source: Source) -> Iterator[Addon | Gap]:
    """The EKS add-ons."""
    for body in described(source, "Addon", "addons", "addonVersion"):
        if isinstance(body, Gap):
            yield body
            continue
        yield records.addon(body)
        if records.configuration(body) is None:
            name = text(body.get("addonName"))
            reason = f"The configuration values of {name} are neither JSON nor YAML of a mapping."
            yield Gap("eks:DescribeAddon", reason, f"Look at them: aws eks describe-addon --addon-name {name}.")


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
        for found in made(call, records.bodies(reservation.get("Instances")), records.instance, "InstanceId"):
            names = () if isinstance(found, Gap) else (found.tags.get(tag) for tag in CLUSTER_NAME_TAGS)
            if isinstance(found, Gap) or owned in found.tags or source.cluster in names:
                yield found


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
        found = records.launch_template(body)
        yield found
        if found.user_data == "":
            reason = f"The user data of {found.id} version {found.version} is not text, so what it sets is not known."
            yield Gap("ec2:DescribeLaunchTemplateVersions", reason, "Look at it by hand.")


def template(source: Source, reference: tuple[str, str]) -> Mapping[str, Any]:
    """One version of a launch template, under the name that it was asked for by."""
    identity, version = reference
    call = "ec2:DescribeLaunchTemplateVersions"
    found = source.account.call(call, "LaunchTemplateVersions", LaunchTemplateId=identity, Versions=[version])
    for body in records.bodies(found):
        return {"LaunchTemplateId": identity, **body, "Version": version}
    raise Unreadable(Gap(call, f"EC2 has no version {version} of {identity}.", "See which version the group uses."))


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
        for found in made(call, listed, records.instance_type, "InstanceType"):
            unknown.discard(found.id if isinstance(found, InstanceType) else "")
            yield found
        for name in sorted(unknown):
            yield Gap(call, f"EC2 knows no instance type {name} in {source.account.region}.", "Check the name.")


def of_vpcs(source: Source, clusters: Section[Cluster], call: str, key: str, filter_name: str) -> Iterator[Any]:
    """What an EC2 list holds for the clusters' VPCs; nothing where no VPC is known."""
    vpc_ids = sorted({cluster.vpc_id for cluster in clusters.items} - {""})
    if vpc_ids:
        yield from source.account.pages(call, key, **{filter_name: [{"Name": "vpc-id", "Values": vpc_ids}]})


@collector("ec2:DescribeVpcs")
def vpcs(source: Source, clusters: Section[Cluster]) -> Iterator[Vpc | Gap]:
    """The cluster's VPC."""
    call = "ec2:DescribeVpcs"
    found = made(call, of_vpcs(source, clusters, call, "Vpcs", "Filters"), records.vpc, "VpcId")
    yield from complete(call, (cluster.vpc_id for cluster in clusters.items), found)


@collector("ec2:DescribeSubnets")
def subnets(source: Source, clusters: Section[Cluster]) -> Iterator[Subnet | Gap]:
    """All subnets of the cluster's VPC."""
    call = "ec2:DescribeSubnets"
    found = of_vpcs(source, clusters, call, "Subnets", "Filters")
    required = ("SubnetId", "AvailableIpAddressCount", "AssignIpv6AddressOnCreation")
    named = (subnet_id for cluster in clusters.items if cluster.vpc_id for subnet_id in cluster.subnet_ids)
    yield from complete(call, named, made(call, found, records.subnet, *required))


@collector("ec2:DescribeRouteTables")
def route_tables(source: Source, clusters: Section[Cluster], subnets: Section[Subnet]) -> Iterator[RouteTable | Gap]:
    """All route tables of the cluster's VPC. One that another account owns may not show its main table."""
    call = "ec2:DescribeRouteTables"
    tables: list[RouteTable] = []
    listed = of_vpcs(source, clusters, call, "RouteTables", "Filters")
    for found in made(call, listed, records.route_table, "RouteTableId"):
        tables += () if isinstance(found, Gap) else (found,)
        yield found
    for subnet in subnets.items:
        if route_table_of(subnet, tables) is None:
            reason = f"EC2 lists no route table that serves {subnet}, so its routes are not judged."
            yield Gap(call, reason, "If the VPC is shared with this account, ask the account that owns it.")


@collector("ec2:DescribeNatGateways")
def nat_gateways(source: Source, clusters: Section[Cluster]) -> Iterator[NatGateway | Gap]:
    """The NAT gateways of the cluster's VPC, in whatever state."""
    call = "ec2:DescribeNatGateways"
    found = of_vpcs(source, clusters, call, "NatGateways", "Filter")
    yield from made(call, found, records.nat_gateway, "NatGatewayId", "State")


@collector("ec2:DescribeEgressOnlyInternetGateways")
def egress_only_gateways(source: Source, clusters: Section[Cluster]) -> Iterator[EgressOnlyInternetGateway | Gap]:
    """The egress-only internet gateways of the cluster's VPC, and those of none. EC2 has no filter for that."""
    vpc_ids = {cluster.vpc_id for cluster in clusters.items} - {""}
    call = "ec2:DescribeEgressOnlyInternetGateways"
    found = source.account.pages(call, "EgressOnlyInternetGateways") if vpc_ids else ()
    for gateway in made(call, found, records.egress_only_gateway, "EgressOnlyInternetGatewayId"):
        if isinstance(gateway, Gap) or not gateway.attached_vpc_ids or vpc_ids & set(gateway.attached_vpc_ids):
            yield gateway


COLLECTORS: Collectors = (
    addons,
    clusters,
    egress_only_gateways,
    fargate_profiles,
    instance_types,
    instances,
    launch_templates,
    nat_gateways,
    node_groups,
    route_tables,
    subnets,
    vpcs,
)
"""A collector for every section that the account gives."""
