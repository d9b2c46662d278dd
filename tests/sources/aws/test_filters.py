"""What EC2 lets through, over real HTTP: groups and ACLs entry by entry, and what EC2 does not list."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import servers
from servers import answers, client

from eks6check.demo.aws_server import Server
from eks6check.facts import Section
from eks6check.facts.aws import NetworkAclEntry, SecurityGroupRule
from eks6check.sources import aws, collect
from eks6check.sources.aws import filters

GROUPS, ACLS = "ec2:DescribeSecurityGroups", "ec2:DescribeNetworkAcls"


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[Server, dict[str, list[str]]]]:
    """An account with the cluster ``prod`` in a VPC of both families."""
    with servers.aws() as server:
        ids = servers.network(client("ec2"), ipv6=True)
        servers.cluster(server, "prod", "ipv6", "1.33", ids)
        yield server, ids


@pytest.fixture
def server(running: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    server: Server = running[0]
    servers.lead_to(server, monkeypatch)
    yield server
    server.hooks.clear()


@pytest.fixture
def ids(running: Any) -> dict[str, list[str]]:
    ids: dict[str, list[str]] = running[1]
    return ids


def read(section: str) -> Section[Any]:
    return collect([(servers.source(), aws.COLLECTORS)], [section])[section]


@pytest.mark.usefixtures("server")
def test_groups_are_those_of_the_vpc_in_both_directions(ids: dict[str, list[str]]) -> None:
    section = read("security_groups")
    assert not section.gaps
    (own,) = (group for group in section.items if group.id == ids["cluster_group"][0])
    assert {group.vpc_id for group in section.items} == {ids["vpc"][0]}
    assert {rule.peer for rule in own.rules if rule.is_egress} == {"0.0.0.0/0", "::/0"}


def test_a_group_of_the_control_plane_that_ec2_does_not_list_is_a_gap(
    server: Server, ids: dict[str, list[str]]
) -> None:
    server.hooks[GROUPS] = answers(GROUPS, {"SecurityGroups": [{"GroupId": "sg-1", "VpcId": ids["vpc"][0]}]})
    section = read("security_groups")
    assert [group.id for group in section.items] == ["sg-1"]
    assert [gap.call for gap in section.gaps] == [GROUPS]
    assert ids["cluster_group"][0] in section.gaps[0].reason


@pytest.mark.usefixtures("server")
def test_so_is_a_group_of_a_node(ids: dict[str, list[str]]) -> None:
    node = servers.run_instance("prod", ids["private"][0], "m6i.large", {})
    shared = client("ec2").create_security_group(GroupName="shared", Description="of another VPC")["GroupId"]
    client("ec2").modify_instance_attribute(InstanceId=node, Groups=[shared])
    gaps = read("security_groups").gaps
    client("ec2").terminate_instances(InstanceIds=[node])
    assert [(gap.call, shared in gap.reason) for gap in gaps] == [(GROUPS, True)]


def test_a_permission_for_several_peers_is_a_rule_for_each() -> None:
    web = {
        "IpProtocol": "tcp",
        "FromPort": 443,
        "ToPort": 443,
        "IpRanges": [{"CidrIp": "10.0.0.0/8"}, {"CidrIp": "10.1.0.0/16"}],
        "Ipv6Ranges": [{"CidrIpv6": "::/0"}],
        "PrefixListIds": [{"PrefixListId": "pl-1"}],
        "UserIdGroupPairs": [{"GroupId": "sg-2"}, {}],
    }
    group = filters.security_group({"GroupId": "sg-1", "IpPermissions": [web]})
    assert [rule.peer for rule in group.rules] == ["10.0.0.0/8", "10.1.0.0/16", "::/0", "pl-1", "sg-2"]
    assert {(rule.is_egress, rule.protocol, rule.from_port, rule.to_port) for rule in group.rules} == {
        (False, "tcp", 443, 443)
    }


@pytest.mark.parametrize("ports", [{}, {"FromPort": -1, "ToPort": -1}, {"FromPort": None, "ToPort": "443"}])
def test_no_ports_are_all_ports(ports: dict[str, Any]) -> None:
    permission = {"IpProtocol": "icmp", "IpRanges": [{"CidrIp": "0.0.0.0/0"}], **ports}
    group = filters.security_group({"GroupId": "sg-1", "IpPermissionsEgress": [permission]})
    assert group.rules == (SecurityGroupRule(peer="0.0.0.0/0", is_egress=True, protocol="icmp"),)


@pytest.mark.usefixtures("server")
def test_every_subnet_of_the_vpc_has_an_acl(ids: dict[str, list[str]]) -> None:
    section = read("network_acls")
    assert not section.gaps
    (acl,) = section.items
    assert (acl.default, {*acl.subnet_ids}) == (True, {*ids["public"], *ids["private"]})


def test_a_subnet_whose_acl_is_not_shown_is_a_gap(server: Server, ids: dict[str, list[str]]) -> None:
    shown = [{"SubnetId": each} for each in (*ids["public"], *ids["private"][1:])]
    server.hooks[ACLS] = answers(ACLS, {"NetworkAcls": [{"NetworkAclId": "acl-1", "Associations": shown}]})
    (gap,) = read("network_acls").gaps
    assert (gap.call, ids["private"][0] in gap.reason) == (ACLS, True)


@pytest.mark.parametrize(
    ("body", "entry"),
    [
        (
            {"RuleNumber": 90, "CidrBlock": "10.0.0.0/8", "Egress": True, "RuleAction": "deny", "Protocol": "-1"},
            NetworkAclEntry(rule_number=90, cidr_block="10.0.0.0/8", is_egress=True, allow=False),
        ),
        (
            {
                "RuleNumber": 100,
                "Ipv6CidrBlock": "::/0",
                "RuleAction": "allow",
                "Protocol": "6",
                "PortRange": {"From": 0, "To": 65535},
            },
            NetworkAclEntry(rule_number=100, cidr_block="::/0", protocol="6", from_port=0, to_port=65535),
        ),
        ({"CidrBlock": "10.0.0.0/8"}, NetworkAclEntry(rule_number=1 << 15, cidr_block="10.0.0.0/8", allow=False)),
    ],
)
def test_an_entry_of_an_acl(body: dict[str, Any], entry: NetworkAclEntry) -> None:
    assert filters.entry(body) == entry


@pytest.mark.usefixtures("server")
def test_interfaces_are_those_of_data_stores_alone(ids: dict[str, list[str]]) -> None:
    stores = ["RDSNetworkInterface", "ElastiCache sessions-001", "ES search"]
    for description in (*stores, "aws-K8S-i-1", "ELB app/web/1", "ElastiCachelike"):
        client("ec2").create_network_interface(
            SubnetId=ids["private"][0], Description=description, Groups=ids["cluster_group"]
        )
    found = read("network_interfaces").items
    assert sorted(each.description for each in found) == sorted(stores)
    assert {each.group_ids for each in found} == {tuple(ids["cluster_group"])}


@pytest.mark.usefixtures("server")
def test_prefix_lists_come_with_their_family() -> None:
    made = client("ec2").create_managed_prefix_list(
        PrefixListName="offices", AddressFamily="IPv6", MaxEntries=1, Entries=[{"Cidr": "2001:db8::/48"}]
    )["PrefixList"]
    families = {each.id: each.address_family for each in read("prefix_lists").items}
    assert families[made["PrefixListId"]] == "IPv6"
