"""What EC2 lets through the VPC: security groups, network ACLs, prefix lists, and the interfaces of data stores."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from eks6check.facts import Gap, Section
from eks6check.facts.aws import (
    Cluster,
    Instance,
    NetworkAcl,
    NetworkAclEntry,
    NetworkInterface,
    PrefixList,
    SecurityGroup,
    SecurityGroupRule,
    Subnet,
)
from eks6check.facts.filters import DATA_STORES
from eks6check.facts.kube import mapping, text
from eks6check.sources import collector
from eks6check.sources.aws.api import Source, complete, made
from eks6check.sources.aws.bodies import Body, bodies, live, texts
from eks6check.sources.aws.vpc import of_vpcs, vpc_ids_of

PEERS = (
    ("IpRanges", "CidrIp"),
    ("Ipv6Ranges", "CidrIpv6"),
    ("PrefixListIds", "PrefixListId"),
    ("UserIdGroupPairs", "GroupId"),
)
"""Where a permission names its peers: the list, and the field of each of its items."""


@collector("ec2:DescribeSecurityGroups")
def security_groups(
    source: Source, clusters: Section[Cluster], instances: Section[Instance]
) -> Iterator[SecurityGroup | Gap]:
    """All security groups of the cluster's VPC. Nodes may carry one that is shared, or of another VPC."""
    call = "ec2:DescribeSecurityGroups"
    found = of_vpcs(source, clusters, call, "SecurityGroups", "Filters")
    yield from complete(call, carried(clusters.items, instances.items), made(call, found, security_group, "GroupId"))


def carried(clusters: Iterable[Cluster], instances: Iterable[Instance]) -> Iterator[str]:
    """The ids of the groups on the control plane and on running nodes, as far as the VPC is known."""
    for cluster in clusters:
        if cluster.vpc_id:
            yield from (cluster.cluster_security_group_id, *cluster.security_group_ids)
            yield from (identity for each in instances for identity in each.security_group_ids)


def security_group(body: Body) -> SecurityGroup:
    """A group of ``ec2:DescribeSecurityGroups``; a permission for several peers is a rule for each."""
    rules = [
        rule
        for key, is_egress in (("IpPermissions", False), ("IpPermissionsEgress", True))
        for permission in bodies(body.get(key))
        for rule in rules_of(permission, is_egress=is_egress)
    ]
    return SecurityGroup(
        id=text(body.get("GroupId")),
        origin=live(body.get("SecurityGroupArn") or body.get("GroupId")),
        name=text(body.get("GroupName")),
        vpc_id=text(body.get("VpcId")),
        rules=tuple(rules),
    )


def rules_of(permission: Body, *, is_egress: bool) -> Iterator[SecurityGroupRule]:
    """The rules of an ``IpPermission``."""
    for key, field in PEERS:
        for peer in bodies(permission.get(key)):
            if named := text(peer.get(field)):
                yield SecurityGroupRule(
                    peer=named,
                    is_egress=is_egress,
                    protocol=text(permission.get("IpProtocol")) or "-1",
                    from_port=port(permission.get("FromPort")),
                    to_port=port(permission.get("ToPort")),
                )


def port(value: object) -> int | None:
    """A port, or ICMP's type or code; EC2 leaves it out, or writes -1, for all."""
    known = isinstance(value, int) and not isinstance(value, bool) and value >= 0
    return value if known and isinstance(value, int) else None


@collector("ec2:DescribeNetworkAcls")
def network_acls(source: Source, clusters: Section[Cluster], subnets: Section[Subnet]) -> Iterator[NetworkAcl | Gap]:
    """All network ACLs of the cluster's VPC. One that another account owns may not be shown."""
    call = "ec2:DescribeNetworkAcls"
    guarded = set[str]()
    for found in made(call, of_vpcs(source, clusters, call, "NetworkAcls", "Filters"), network_acl, "NetworkAclId"):
        guarded |= set() if isinstance(found, Gap) else {*found.subnet_ids}
        yield found
    for subnet in subnets.items:
        if subnet.id not in guarded:
            reason = f"EC2 lists no network ACL that guards {subnet}, so what it lets through is not judged."
            yield Gap(call, reason, "If the VPC is shared with this account, ask the account that owns it.")


def network_acl(body: Body) -> NetworkAcl:
    """An ACL of ``ec2:DescribeNetworkAcls``."""
    return NetworkAcl(
        id=text(body.get("NetworkAclId")),
        origin=live(body.get("NetworkAclId")),
        vpc_id=text(body.get("VpcId")),
        default=body.get("IsDefault") is True,
        subnet_ids=texts([each.get("SubnetId") for each in bodies(body.get("Associations"))]),
        entries=tuple(entry(each) for each in bodies(body.get("Entries"))),
    )


def entry(body: Body) -> NetworkAclEntry:
    """An entry. The number of one that came without counts as the last."""
    ports, icmp = mapping(body.get("PortRange")), port(mapping(body.get("IcmpTypeCode")).get("Type"))
    number = body.get("RuleNumber")
    return NetworkAclEntry(
        rule_number=number if isinstance(number, int) else 1 << 15,
        cidr_block=text(body.get("CidrBlock")) or text(body.get("Ipv6CidrBlock")),
        is_egress=body.get("Egress") is True,
        allow=body.get("RuleAction") == "allow",
        protocol=text(body.get("Protocol")) or "-1",
        from_port=port(ports.get("From")) if ports else icmp,
        to_port=port(ports.get("To")) if ports else icmp,
    )


@collector("ec2:DescribeManagedPrefixLists")
def prefix_lists(source: Source) -> Iterator[PrefixList | Gap]:
    """All prefix lists that the account sees, its own and AWS's."""
    call = "ec2:DescribeManagedPrefixLists"
    yield from made(call, source.account.pages(call, "PrefixLists"), prefix_list, "PrefixListId", "AddressFamily")


def prefix_list(body: Body) -> PrefixList:
    """A list of ``ec2:DescribeManagedPrefixLists``."""
    return PrefixList(
        id=text(body.get("PrefixListId")),
        origin=live(body.get("PrefixListArn") or body.get("PrefixListId")),
        name=text(body.get("PrefixListName")),
        address_family=text(body.get("AddressFamily")),
    )


@collector("ec2:DescribeNetworkInterfaces")
def network_interfaces(source: Source, clusters: Section[Cluster]) -> Iterator[NetworkInterface | Gap]:
    """The interfaces of data stores in the cluster's VPC, which AWS describes by the service that made them."""
    call, vpc_ids = "ec2:DescribeNetworkInterfaces", vpc_ids_of(clusters)
    if vpc_ids:
        filters: Mapping[str, Any] = {
            "Filters": [
                {"Name": "vpc-id", "Values": vpc_ids},
                {"Name": "description", "Values": [store.description for store in DATA_STORES]},
            ]
        }
        found = source.account.pages(call, "NetworkInterfaces", **filters)
        yield from made(call, found, network_interface, "NetworkInterfaceId")


def network_interface(body: Body) -> NetworkInterface:
    """An interface of ``ec2:DescribeNetworkInterfaces``."""
    return NetworkInterface(
        id=text(body.get("NetworkInterfaceId")),
        origin=live(body.get("NetworkInterfaceId")),
        description=text(body.get("Description")),
        vpc_id=text(body.get("VpcId")),
        subnet_id=text(body.get("SubnetId")),
        group_ids=texts([each.get("GroupId") for each in bodies(body.get("Groups"))]),
        ipv6_addresses=texts([each.get("Ipv6Address") for each in bodies(body.get("Ipv6Addresses"))]),
    )
