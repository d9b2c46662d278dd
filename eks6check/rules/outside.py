"""What stands outside of the cluster and knows its addresses: peers, and web ACLs in front of its load balancers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from eks6check.catalog import rule
from eks6check.facts import network
from eks6check.facts.kube import Resource, text
from eks6check.facts.phrases import phrase
from eks6check.facts.routes import IPV4_DEFAULT, default_route, route_table_of
from eks6check.findings import Confidence, Problem, Severity

if TYPE_CHECKING:
    from eks6check.facts.aws import (
        Cluster,
        FargateProfile,
        Instance,
        IpSet,
        LoadBalancer,
        NatGateway,
        NodeGroup,
        RouteTable,
        Subnet,
        Vpc,
        WebAcl,
    )

STOPS = frozenset({"block", "captcha", "challenge"})
"""Actions of WAF that keep a request from the load balancer, or put a test before it."""

SAID: Mapping[str, str] = {
    "admitted": "lets in the addresses of {sets} alone, all IPv4: IPv6 clients of a dual-stack one are turned away.",
    "exempt": "makes an exception for the addresses of {sets}, all IPv4: over IPv6 the same clients have none.",
    "kept-out": "keeps out the addresses of {sets}, all IPv4: over IPv6 the same clients come past it.",
}
"""What becomes of clients whose addresses no set holds in the other family, by the role of the sets."""


@rule
def partner_sees_new_address(  # noqa: PLR0913, PLR0917  addresses, the way out, and who takes it
    clusters: Sequence[Cluster],
    vpcs: Sequence[Vpc],
    subnets: Sequence[Subnet],
    route_tables: Sequence[RouteTable],
    nat_gateways: Sequence[NatGateway],
    node_groups: Sequence[NodeGroup] = (),
    instances: Sequence[Instance] = (),
    fargate_profiles: Sequence[FargateProfile] = (),
    services: Sequence[Resource] = (),
) -> Iterator[Problem]:
    """One note for the cluster, before the move and after it: who admits the NAT gateways' addresses, nobody reads."""
    blocks = {vpc.id: sorted(vpc.ipv6_cidr_blocks) for vpc in vpcs}
    serves = network.by_subnet(
        network.node_uses(node_groups, instances),
        network.karpenter_uses(instances, subnets, clusters),
        network.fargate_uses(fargate_profiles),
    )
    for cluster in clusters:
        own = [subnet for subnet in subnets if subnet.id in serves and subnet.vpc_id == cluster.vpc_id]
        gateways = ways_out(own, route_tables, nat_gateways)
        addresses = sorted({address for gateway in gateways for address in gateway.public_ips})
        if addresses:
            ranges = blocks.get(cluster.vpc_id, [])
            from_where = f"in {phrase(ranges)}" if ranges else f"in the IPv6 block that {cluster.vpc_id} will get"
            yield Problem(
                cluster,
                f"Peers know the nodes of {cluster} by {phrase(addresses)}; those with an AAAA record see pods "
                f"of an IPv6 cluster come from addresses {from_where}.",
                evidence={
                    "cluster": cluster.id,
                    "region": cluster.region,
                    "vpc": cluster.vpc_id,
                    "nat_gateways": sorted(gateway.id for gateway in gateways),
                    "public_ips": addresses,
                    "ipv6_cidr_blocks": ranges,
                    "external_names": external_names(services),
                },
                severity=Severity.INFO,
                also=tuple((gateway, ()) for gateway in gateways),
            )


def external_names(services: Sequence[Resource]) -> list[str]:
    """The hosts outside of the cluster that Services stand for: some of the peers, for people to start with."""
    named = (text(each.get("spec", "externalName")) for each in services if each.get("spec", "type") == "ExternalName")
    hosts = {name.rstrip(".").lower() for name in named}
    return sorted(host for host in hosts if "." in host and not host.endswith((".svc", ".cluster.local")))


def ways_out(
    subnets: Sequence[Subnet], route_tables: Sequence[RouteTable], nat_gateways: Sequence[NatGateway]
) -> list[NatGateway]:
    """The working public NAT gateways that the IPv4 default routes of these subnets lead to, by id."""
    tables = filter(None, (route_table_of(subnet, route_tables) for subnet in subnets))
    routes = filter(None, (default_route(table, IPV4_DEFAULT) for table in tables))
    targets = {route.target for route in routes if route.state == "active"}
    working = (each for each in nat_gateways if (each.state, each.connectivity_type) == ("available", "public"))
    return sorted((each for each in working if each.id in targets), key=lambda gateway: gateway.id)


@rule
def web_acl_ip_set_ipv4_only(
    web_acls: Sequence[WebAcl], ip_sets: Sequence[IpSet], load_balancers: Sequence[LoadBalancer]
) -> Iterator[Problem]:
    """A set holds one family. What rules let in, and what they keep out, is judged by itself; an empty set is none."""
    known = {each.id: each for each in ip_sets}
    ours = {each.id: each for each in sorted(load_balancers, key=lambda each: each.id)}
    for acl in web_acls:
        behind = [each for arn, each in ours.items() if arn in acl.load_balancer_arns]
        for role, arns in roles(acl).items():
            named = [known[arn] for arn in sorted(arns) if arn in known]
            full = [each for each in named if each.addresses]
            read = len(named) == len(arns)  # the one that was not may well be the IPv6 one
            if behind and full and read and all(each.ip_address_version == "IPV4" for each in full):
                yield one_family(acl, role, full, behind)


def roles(acl: WebAcl) -> Mapping[str, set[str]]:
    """The ARNs of IP sets by what the rules do for the addresses in them.

    A rule that blocks all but a set lets that set through, and one that allows all but a set keeps it out.
    """
    let_in = "admitted" if acl.default_action == "block" else "exempt"
    found: dict[str, set[str]] = {"admitted": set(), "exempt": set(), "kept-out": set()}
    for each in acl.ip_set_rules:
        if each.action == "allow":
            found[let_in].update(each.ip_set_arns)
            found["kept-out"].update(each.except_ip_set_arns)
        elif each.action in STOPS:
            found["kept-out"].update(each.ip_set_arns)
            found["admitted"].update(each.except_ip_set_arns)
    return found


def one_family(acl: WebAcl, role: str, sets: Sequence[IpSet], behind: Sequence[LoadBalancer]) -> Problem:
    """The problem of a role that only IPv4 sets play; a list of those who may come in matters more than the others."""
    names = phrase([each.name or each.id for each in sets])
    admitted = role == "admitted"
    return Problem(
        acl,
        f"{acl}, in front of {phrase(list(map(str, behind)))}, {SAID[role].format(sets=names)}",
        evidence={
            "web_acl": acl.name,
            "default_action": acl.default_action,
            "role": role,
            "ip_set": sets[0].name,
            "ip_sets": {each.name: each.ip_address_version for each in sets},
            "load_balancers": [each.name for each in behind],
        },
        key=role,
        severity=Severity.WARNING if admitted else Severity.INFO,
        confidence=Confidence.HIGH if admitted else Confidence.MEDIUM,
        also=tuple((each, ()) for each in (*sets, *behind)),
    )
