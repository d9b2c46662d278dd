"""Name resolution in the VPC, which nodes need to find the API server and AWS."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from eks6check.catalog import rule
from eks6check.facts import network
from eks6check.facts.phrases import phrase
from eks6check.findings import Confidence, Problem, Severity

if TYPE_CHECKING:
    from eks6check.facts.aws import Cluster, DhcpOptions, Vpc, VpcAttributes

RESOLVERS = frozenset({"AmazonProvidedDNS", "169.254.169.253", "fd00:ec2::253"})
"""The VPC's own resolver, by the word for it in DHCP options and by the addresses that are the same in every VPC.

https://docs.aws.amazon.com/vpc/latest/userguide/AmazonDNS-concepts.html, read 2026-11-25.
"""

RESOLVER_OFFSET = 2
"""The resolver also answers two above the base of the VPC's primary IPv4 block, which a record does not tell apart."""


@rule
def vpc_dns_off(
    vpcs: Sequence[Vpc],
    vpc_attributes: Sequence[VpcAttributes],
    dhcp_options: Sequence[DhcpOptions] = (),
    clusters: Sequence[Cluster] = (),
) -> Iterator[Problem]:
    """A resolver of one's own may forward to the VPC's, so it is told only where a private endpoint needs that."""
    attributes = {each.id: each for each in vpc_attributes}
    options = {each.id: each for each in dhcp_options}
    for vpc in vpcs:
        if vpc.id in attributes:
            yield from resolution_off(vpc, attributes[vpc.id])
        private = [each for each in clusters if each.vpc_id == vpc.id and each.endpoint_private_access]
        if private and vpc.dhcp_options_id in options:
            yield from another_resolver(vpc, options[vpc.dhcp_options_id], private)


def resolution_off(vpc: Vpc, attributes: VpcAttributes) -> Iterator[Problem]:
    """The problem of a VPC with either of the two switches off."""
    on = {"DNS support": attributes.enable_dns_support, "DNS host names": attributes.enable_dns_hostnames}
    off = [name for name, value in on.items() if not value]
    if off:
        yield Problem(
            vpc,
            f"{vpc} has {phrase(off)} turned off; nodes need both.",
            evidence={
                "vpc": vpc.id,
                "enable_dns_support": attributes.enable_dns_support,
                "enable_dns_hostnames": attributes.enable_dns_hostnames,
            },
            remedy="attributes",
        )


def another_resolver(vpc: Vpc, options: DhcpOptions, private: Sequence[Cluster]) -> Iterator[Problem]:
    """The problem of a VPC whose instances ask other servers, while a cluster there is reached by its private name.

    Whether they forward is not known, and nodes of today may prove that they do: a note. With none at all nothing can.
    """
    own = RESOLVERS | {address for block in vpc.cidr_blocks if (address := resolver_address(block))}
    servers = sorted(options.domain_name_servers)
    only_private = [cluster.id for cluster in private if not cluster.endpoint_public_access]
    if not own & {*servers}:
        asked = phrase(servers) or "no DNS server"
        names = sorted(only_private or (cluster.id for cluster in private))
        forward = "; the others must forward to it" if servers else ""
        yield Problem(
            vpc,
            f"{options}, the DHCP options of {vpc}, give {asked} and not AmazonProvidedDNS, which alone knows the "
            f"private addresses of the API endpoint of {phrase(names)}{forward}.",
            evidence={
                "vpc": vpc.id,
                "dhcp_options": options.id,
                "domain_name_servers": servers,
                "cluster": names[0],
                "region": next(cluster.region for cluster in private if cluster.id == names[0]),
            },
            key="dhcp",
            severity=Severity.WARNING if only_private and not servers else Severity.INFO,
            confidence=Confidence.MEDIUM,
            remedy="resolvers" if servers else "dhcp",
            also=((options, ()),),
        )


def resolver_address(block: str) -> str:
    """The resolver's address in an IPv4 block of the VPC, or nothing where the text is no such block."""
    found = network.ipv4_network(block)
    return str(found.network_address + RESOLVER_OFFSET) if found else ""
