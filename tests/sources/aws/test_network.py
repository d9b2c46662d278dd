"""The network as EC2 describes it, over real HTTP: name resolution, zones, gateways and endpoints."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import servers
from servers import REGION, answers, client, failing, refused

from eks6check.demo.aws_server import Server
from eks6check.facts import Gap, Section
from eks6check.sources import aws, collect

STS = f"com.amazonaws.{REGION}.sts"
PARTNER = "com.amazonaws.vpce.eu-west-1.vpce-svc-1"


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[Server, dict[str, list[str]]]]:
    """An account with the cluster ``prod`` in a VPC of both families."""
    with servers.aws() as server:
        ids = servers.network(client("ec2"), ipv6=True)
        servers.endpoint(server, ids, ipv6=True)
        servers.cluster(server, "prod", "ipv6", "1.33", ids)
        yield server, ids


@pytest.fixture
def server(running: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    server: Server = running[0]
    servers.lead_to(server, monkeypatch)
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)
    server.calls.clear()
    yield server
    server.hooks.clear()


@pytest.fixture
def ids(running: Any) -> dict[str, list[str]]:
    ids: dict[str, list[str]] = running[1]
    return ids


def read(section: str) -> Section[Any]:
    return collect([(servers.source(), aws.COLLECTORS)], [section])[section]


def test_name_resolution_is_read_by_attribute(server: Server, ids: dict[str, list[str]]) -> None:
    (found,) = read("vpc_attributes").items
    assert (found.id, found.enable_dns_support, found.enable_dns_hostnames) == (ids["vpc"][0], True, True)
    assert server.calls.count("ec2:DescribeVpcAttribute") == 2
    client("ec2").modify_vpc_attribute(VpcId=ids["vpc"][0], EnableDnsHostnames={"Value": False})
    (found,) = read("vpc_attributes").items
    assert (found.enable_dns_support, found.enable_dns_hostnames) == (True, False)
    client("ec2").modify_vpc_attribute(VpcId=ids["vpc"][0], EnableDnsHostnames={"Value": True})


@pytest.mark.usefixtures("server")
def test_an_ipv6_cluster_leaves_no_old_ranges() -> None:
    assert read("old_ranges") == Section()


def test_the_old_ranges_are_the_services_and_the_vpc_of_an_ipv4_cluster(server: Server, ids: Any) -> None:
    servers.cluster(server, "old", "ipv4", "1.33", ids)
    section = collect([(servers.source("old"), aws.COLLECTORS)], ["old_ranges", "clusters"])
    (cluster,) = section["clusters"].items
    found = [(each.role, each.cidr_block) for each in section["old_ranges"].items]
    assert found == [("service", cluster.service_cidr), ("vpc", "10.0.0.0/16")]


def test_where_the_vpc_is_refused_so_are_the_old_ranges(server: Server) -> None:
    server.hooks["ec2:DescribeVpcs"] = refused("UnauthorizedOperation")
    assert [gap.call for gap in read("old_ranges").gaps] == ["ec2:DescribeVpcs"]


@pytest.mark.parametrize("answer", [{"EnableDnsSupport": {}, "EnableDnsHostnames": {"Value": True}}, {}])
def test_an_attribute_that_is_not_told_is_a_gap(server: Server, answer: dict[str, Any]) -> None:
    server.hooks["ec2:DescribeVpcAttribute"] = answers("ec2:DescribeVpcAttribute", answer)
    section = read("vpc_attributes")
    assert section.items == ()
    assert [gap.call for gap in section.gaps] == ["ec2:DescribeVpcAttribute"]


@pytest.mark.usefixtures("server")
def test_dhcp_options_are_those_of_the_vpc(ids: dict[str, list[str]]) -> None:
    others = [{"Key": "domain-name-servers", "Values": ["10.9.9.9"]}]
    client("ec2").create_dhcp_options(DhcpConfigurations=others)
    (found,) = read("dhcp_options").items
    assert found.domain_name_servers == ("AmazonProvidedDNS",)
    assert [vpc.dhcp_options_id for vpc in read("vpcs").items if vpc.id in ids["vpc"]] == [found.id]


def vpc_with(ids: dict[str, list[str]], **fields: Any) -> Any:
    return answers("ec2:DescribeVpcs", {"Vpcs": [{"VpcId": ids["vpc"][0], **fields}]})


@pytest.mark.parametrize("fields", [{"DhcpOptionsId": "default"}, {}])
def test_a_vpc_without_dhcp_options_is_not_asked_about(
    server: Server, ids: dict[str, list[str]], fields: dict[str, str]
) -> None:
    server.hooks["ec2:DescribeVpcs"] = vpc_with(ids, **fields)
    assert read("dhcp_options") == Section()
    assert "ec2:DescribeDhcpOptions" not in server.calls


def test_dhcp_options_that_ec2_does_not_list_are_a_gap(server: Server, ids: dict[str, list[str]]) -> None:
    server.hooks["ec2:DescribeVpcs"] = vpc_with(ids, DhcpOptionsId="dopt-of-another-account")
    section = read("dhcp_options")
    assert section.items == ()
    assert "dopt-of-another-account" in section.gaps[0].reason


def test_zones_come_with_their_type_those_not_opted_in_to_included(server: Server) -> None:
    asked: list[str] = []

    def note(request: Any, forward: Any) -> Any:
        asked.append(request.get_data(as_text=True))
        return forward()

    server.hooks["ec2:DescribeAvailabilityZones"] = note
    zones = {zone.id: (zone.zone_id, zone.zone_type) for zone in read("availability_zones").items}
    assert zones["eu-west-1a"] == ("euw1-az3", "availability-zone")
    assert "AllAvailabilityZones=true" in asked[0]


@pytest.mark.usefixtures("server")
def test_internet_gateways_are_those_of_the_vpc(ids: dict[str, list[str]]) -> None:
    client("ec2").create_internet_gateway()
    (gateway,) = read("internet_gateways").items
    assert gateway.attached_vpc_ids == tuple(ids["vpc"])


@pytest.mark.usefixtures("server")
def test_a_nat_gateway_tells_where_it_stands_and_what_the_world_sees(ids: dict[str, list[str]]) -> None:
    (gateway,) = read("nat_gateways").items
    assert (gateway.subnet_id, gateway.availability_mode) == (ids["public"][0], "zonal")
    assert len(gateway.public_ips) == 1


@pytest.mark.usefixtures("server")
def test_endpoints_are_those_of_the_vpc_and_only_their_services_are_asked_for(ids: dict[str, list[str]]) -> None:
    (endpoint,) = read("vpc_endpoints").items
    assert (endpoint.vpc_id, endpoint.service_name, endpoint.endpoint_type) == (ids["vpc"][0], STS, "Interface")
    assert endpoint.ip_address_type == "dualstack"
    assert endpoint.subnet_ids == tuple(ids["private"][:1])
    (service,) = read("endpoint_services").items
    assert (service.id, service.supported_ip_address_types) == (STS, ("ipv4", "dualstack"))


def endpoints(*pairs: tuple[str, str]) -> Any:
    bodies = [
        {"VpcEndpointId": f"vpce-{index}", "VpcEndpointType": kind, "ServiceName": name, "IpAddressType": "ipv4"}
        for index, (name, kind) in enumerate(pairs)
    ]
    return answers("ec2:DescribeVpcEndpoints", {"VpcEndpoints": bodies})


def test_a_service_that_shows_itself_to_nobody_costs_no_other(server: Server) -> None:
    server.hooks["ec2:DescribeVpcEndpoints"] = endpoints((PARTNER, "Interface"), (STS, "Interface"))
    listed = [{"ServiceName": STS, "SupportedIpAddressTypes": ["ipv4", "dualstack"]}]
    server.hooks["ec2:DescribeVpcEndpointServices"] = answers(
        "ec2:DescribeVpcEndpointServices", {"ServiceDetails": listed}
    )
    section = read("endpoint_services")
    assert ([service.id for service in section.items], section.gaps) == ([STS], ())


@pytest.mark.parametrize("pairs", [[], [("com.amazonaws.eu-west-1.s3", "Gateway")], [("", "Interface")]])
def test_without_interface_endpoints_no_service_is_asked_for(server: Server, pairs: list[tuple[str, str]]) -> None:
    server.hooks["ec2:DescribeVpcEndpoints"] = endpoints(*pairs)
    assert read("endpoint_services") == Section()
    assert "ec2:DescribeVpcEndpointServices" not in server.calls


def test_many_services_are_asked_for_in_chunks(server: Server) -> None:
    names = [f"com.amazonaws.eu-west-1.service-{index}" for index in range(230)]
    server.hooks["ec2:DescribeVpcEndpoints"] = endpoints(*((name, "Interface") for name in names))
    assert {service.id for service in read("endpoint_services").items} == {*names}
    assert server.calls.count("ec2:DescribeVpcEndpointServices") == 3


@pytest.mark.parametrize("answer", [refused, lambda action: failing(action, "InternalError", 500)])
def test_refused_endpoints_leave_their_services_unknown(server: Server, answer: Any) -> None:
    action = "ec2:DescribeVpcEndpoints"
    server.hooks[action] = answer(action)
    section = read("endpoint_services")
    assert (section.items, [gap.call for gap in section.gaps]) == ((), [action])
    assert all(isinstance(gap, Gap) for gap in section.gaps)
