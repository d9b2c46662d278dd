"""AWS's answers as records: what counts, and that no answer, however odd, brings a record down."""

from __future__ import annotations

import base64
import gzip
import inspect
import re
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eks6check.facts import aws as facts
from eks6check.facts.aws import Record, Route
from eks6check.facts.user_data import UNPACKED_LIMIT
from eks6check.sources import aws
from eks6check.sources.aws import eks, endpoints, machines, routes, templates, vpc

MAKERS: Mapping[str, Callable[..., Record]] = {
    name: function
    for topic in aws.TOPICS
    for name, function in vars(topic).items()
    if inspect.isfunction(function) and function.__annotations__.get("body") == "Body"
    if issubclass(getattr(facts, function.__annotations__["return"], type(None)), Record)
}
"""Every function that makes a record of an answer, by name."""

KEYS = sorted({key for topic in aws.TOPICS for key in re.findall(r'"(\w+)"', inspect.getsource(topic))})
"""Every field that the collectors look at."""

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8)
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4)
)


@given(st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=8))
def test_no_answer_brings_a_record_down(body: dict[str, Any]) -> None:
    assert {"cluster", "subnet", "instance"} <= MAKERS.keys()
    for make in MAKERS.values():
        assert isinstance(make(body, *["eu-west-1"] * (make is eks.cluster)).id, str)


@pytest.mark.parametrize(
    ("state", "serves"),
    [
        ("associated", True),
        ("associating", True),
        ("{'State': 'associated'}", True),
        ("a-state-of-2030", True),
        (None, True),
        ("disassociating", False),
        ("disassociated", False),
        ("failing", False),
        ("failed", False),
    ],
)
def test_a_block_counts_unless_it_is_known_to_be_gone(state: str | None, *, serves: bool) -> None:
    block = {"Ipv6CidrBlock": "2001:db8::/64", "Ipv6CidrBlockState": {"State": state}}
    body = {"SubnetId": "subnet-1", "VpcId": "vpc-1", "Ipv6CidrBlockAssociationSet": [block]}
    assert bool(vpc.subnet(body).ipv6_cidr_blocks) is serves
    assert bool(vpc.vpc(body).ipv6_cidr_blocks) is serves


@pytest.mark.parametrize(
    ("fields", "private"),
    [
        ({"Ipv6CidrBlock": "2001:db8::/56"}, False),
        ({"Ipv6CidrBlock": "2001:db8::/56", "Ipv6AddressAttribute": "public", "IpSource": "amazon"}, False),
        ({"Ipv6CidrBlock": "2001:db8::/56", "Ipv6AddressAttribute": "private"}, True),
        ({"Ipv6CidrBlock": "2001:db8::/56", "IpSource": "none"}, True),
        ({"Ipv6CidrBlock": "fd00:1::/56"}, True),
        ({"Ipv6CidrBlock": "fc00::/8"}, True),
        ({"Ipv6CidrBlock": "fe00::/8"}, False),
        ({"Ipv6CidrBlock": "no block"}, False),
        ({"Ipv6CidrBlock": "fd00:1::/56", "Ipv6CidrBlockState": {"State": "disassociated"}}, False),
    ],
)
def test_a_block_is_private_by_what_ec2_says_or_by_its_range(fields: dict[str, Any], *, private: bool) -> None:
    assert bool(vpc.vpc({"Ipv6CidrBlockAssociationSet": [fields]}).private_ipv6_cidr_blocks) is private


def test_fields_that_ec2_leaves_out_are_defaults() -> None:
    bare = vpc.subnet({"SubnetId": "subnet-1"})
    assert (bare.outpost_arn, bare.enable_dns64, bare.internet_gateway_block_mode) == (None, False, "")
    told = {"BlockPublicAccessStates": {"InternetGatewayBlockMode": "block-ingress"}, "EnableDns64": True}
    assert (vpc.subnet(told).internet_gateway_block_mode, vpc.subnet(told).enable_dns64) == ("block-ingress", True)
    assert vpc.vpc(told).internet_gateway_block_mode == "block-ingress"
    assert vpc.availability_zone({"ZoneName": "eu-west-1a"}).zone_type == "availability-zone"


def test_a_nat_gateway_of_a_region_stands_in_no_subnet_and_shows_all_its_addresses() -> None:
    addresses = [{"PublicIp": "192.0.2.1"}, {"PrivateIp": "10.0.0.1"}, {"PublicIp": "192.0.2.2"}]
    gateway = routes.nat_gateway({"AvailabilityMode": "regional", "NatGatewayAddresses": addresses})
    assert (gateway.subnet_id, gateway.availability_mode) == ("", "regional")
    assert gateway.public_ips == ("192.0.2.1", "192.0.2.2")


def test_an_endpoint_is_told_in_either_case() -> None:
    body = {"VpcEndpointId": "vpce-1", "State": "Available", "DnsOptions": {"DnsRecordIpType": "dualstack"}}
    endpoint = endpoints.vpc_endpoint({**body, "IpAddressType": "ipv4", "Groups": [{"GroupId": "sg-1"}, {}]})
    assert (endpoint.state, endpoint.ip_address_type, endpoint.dns_record_ip_type) == ("available", "ipv4", "dualstack")
    assert endpoint.group_ids == ("sg-1",)


def test_dhcp_options_without_name_servers_have_none() -> None:
    configurations = [{"Key": "domain-name", "Values": [{"Value": "example.com"}]}]
    assert vpc.dhcp_options_of({"DhcpConfigurations": configurations}).domain_name_servers == ()


def test_a_vpc_shows_its_secondary_blocks() -> None:
    associations = [{"CidrBlock": "10.0.0.0/16"}, {"CidrBlock": "100.64.0.0/16"}]
    assert vpc.vpc({"CidrBlock": "10.0.0.0/16", "CidrBlockAssociationSet": associations}).cidr_blocks == (
        "10.0.0.0/16",
        "100.64.0.0/16",
    )
    assert vpc.vpc({"CidrBlock": "10.0.0.0/16"}).cidr_blocks == ("10.0.0.0/16",)


@pytest.mark.parametrize(
    ("body", "route"),
    [
        (
            {"DestinationIpv6CidrBlock": "::/0", "EgressOnlyInternetGatewayId": "eigw-1", "State": "blackhole"},
            Route(destination="::/0", target="eigw-1", state="blackhole"),
        ),
        (
            {"DestinationPrefixListId": "pl-1", "GatewayId": "vpce-1", "State": "active"},
            Route(destination="pl-1", target="vpce-1"),
        ),
        (
            {"DestinationCidrBlock": "0.0.0.0/0", "InstanceOwnerId": "111122223333", "NetworkInterfaceId": "eni-1"},
            Route(destination="0.0.0.0/0", target="eni-1"),
        ),
        (
            {"DestinationCidrBlock": "0.0.0.0/0", "CoreNetworkArn": "arn:aws:networkmanager::1:core-network/c"},
            Route(destination="0.0.0.0/0", target="arn:aws:networkmanager::1:core-network/c"),
        ),
        ({"DestinationCidrBlock": "0.0.0.0/0"}, Route(destination="0.0.0.0/0", target="")),
    ],
)
def test_a_route_leads_to_whichever_target_it_names(body: dict[str, str], route: Route) -> None:
    assert routes.route(body) == route


def test_a_route_table_knows_its_subnets_and_whether_it_is_the_main_one() -> None:
    gone = {"SubnetId": "subnet-2", "AssociationState": {"State": "disassociated"}}
    associations = [{"Main": True}, {"SubnetId": "subnet-1"}, gone, {"GatewayId": "igw-1"}]
    table = routes.route_table({"RouteTableId": "rtb-1", "Associations": associations, "Routes": None})
    assert (table.main, table.subnet_ids, table.routes) == (True, ("subnet-1",), ())


@pytest.mark.parametrize(("state", "attached"), [("attached", True), ("attaching", True), ("detached", False)])
def test_a_gateway_that_is_detached_serves_nobody(state: str, *, attached: bool) -> None:
    body = {"EgressOnlyInternetGatewayId": "eigw-1", "Attachments": [{"VpcId": "vpc-1", "State": state}]}
    assert routes.egress_only_gateway(body).attached_vpc_ids == ("vpc-1",) * attached


def test_a_node_group_without_template_version_takes_the_default_one() -> None:
    group = eks.node_group({"launchTemplate": {"id": "lt-1"}, "health": {"issues": [{"code": "AccessDenied"}]}})
    assert (group.launch_template_id, group.launch_template_version) == ("lt-1", "$Default")
    assert group.health_issue_codes == ("AccessDenied",)
    assert eks.node_group({}).launch_template_version is None


def test_interfaces_are_those_of_the_default_network_card() -> None:
    cards = [
        {"NetworkCardIndex": 0, "MaximumNetworkInterfaces": 7},
        {"NetworkCardIndex": 1, "MaximumNetworkInterfaces": 4},
    ]
    network = {"MaximumNetworkInterfaces": 11, "NetworkCards": cards, "DefaultNetworkCardIndex": 1}
    assert machines.instance_type({"NetworkInfo": network}).network_interfaces == 4
    assert machines.instance_type({"NetworkInfo": {"MaximumNetworkInterfaces": 3}}).network_interfaces == 3


def test_account_and_region_are_those_of_the_clusters_arn() -> None:
    cluster = eks.cluster({"name": "c", "arn": "arn:aws-us-gov:eks:us-gov-west-1:111122223333:cluster/c"}, "else")
    assert (cluster.region, cluster.account) == ("us-gov-west-1", "111122223333")
    assert eks.cluster({"name": "c"}, "eu-west-1").region == "eu-west-1"


def test_user_data_does_not_unfold_without_end() -> None:
    bomb = base64.b64encode(gzip.compress(b"a" * (UNPACKED_LIMIT * 4))).decode()
    assert len(templates.user_data(bomb) or "") == UNPACKED_LIMIT
