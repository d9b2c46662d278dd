"""VPC endpoints as EC2 describes them, and what the services behind them could do."""

from __future__ import annotations

from collections.abc import Iterator

from eks6check.facts import Gap, Section
from eks6check.facts.aws import Cluster, EndpointService, VpcEndpoint
from eks6check.facts.kube import mapping, text
from eks6check.sources import collector
from eks6check.sources.aws.api import Source, made
from eks6check.sources.aws.bodies import Body, bodies, live, texts
from eks6check.sources.aws.vpc import of_vpcs

CHUNK = 100
"""Values that one filter of EC2 is given; it takes 200 at the most."""


@collector("ec2:DescribeVpcEndpoints")
def vpc_endpoints(source: Source, clusters: Section[Cluster]) -> Iterator[VpcEndpoint | Gap]:
    """The endpoints of the cluster's VPC, of every type and in whatever state."""
    call = "ec2:DescribeVpcEndpoints"
    listed = of_vpcs(source, clusters, call, "VpcEndpoints", "Filters")
    yield from made(call, listed, vpc_endpoint, "VpcEndpointId")


def vpc_endpoint(body: Body) -> VpcEndpoint:
    """An endpoint of ``ec2:DescribeVpcEndpoints``. EC2 writes states and types of DNS records in either case."""
    return VpcEndpoint(
        id=text(body.get("VpcEndpointId")),
        origin=live(body.get("VpcEndpointId")),
        vpc_id=text(body.get("VpcId")),
        service_name=text(body.get("ServiceName")),
        endpoint_type=text(body.get("VpcEndpointType")) or "Interface",
        state=text(body.get("State")).lower() or "available",
        ip_address_type=text(body.get("IpAddressType")).lower(),
        dns_record_ip_type=text(mapping(body.get("DnsOptions")).get("DnsRecordIpType")).lower(),
        private_dns_enabled=body.get("PrivateDnsEnabled") is True,
        subnet_ids=texts(body.get("SubnetIds")),
        group_ids=texts([each.get("GroupId") for each in bodies(body.get("Groups"))]),
    )


@collector("ec2:DescribeVpcEndpointServices")
def endpoint_services(source: Source, vpc_endpoints: Section[VpcEndpoint]) -> Iterator[EndpointService | Gap]:
    """The services of the interface endpoints, those of other accounts as far as they show themselves to this one.

    Asked for by filter, so that a name that EC2 does not know costs no other.
    """
    call = "ec2:DescribeVpcEndpointServices"
    names = sorted({each.service_name for each in vpc_endpoints.items if each.endpoint_type == "Interface"} - {""})
    for start in range(0, len(names), CHUNK):
        filters = [{"Name": "service-name", "Values": names[start : start + CHUNK]}]
        listed = source.account.pages(call, "ServiceDetails", Filters=filters)
        yield from made(call, listed, endpoint_service, "ServiceName")


def endpoint_service(body: Body) -> EndpointService:
    """A service of ``ec2:DescribeVpcEndpointServices``."""
    return EndpointService(
        id=text(body.get("ServiceName")),
        origin=live(body.get("ServiceName")),
        supported_ip_address_types=texts(body.get("SupportedIpAddressTypes")),
    )
