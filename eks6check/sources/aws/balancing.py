"""Load balancers and target groups as Elastic Load Balancing describes them, in both generations of its API.

Listeners are never asked for: that takes a call for each load balancer, and the target groups tell the protocols.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from eks6check.facts import Gap, Section
from eks6check.facts.aws import Cluster, LoadBalancer, TargetGroup
from eks6check.facts.kube import text
from eks6check.sources import collector
from eks6check.sources.aws.api import Source, each, gathered, made
from eks6check.sources.aws.bodies import Body, bodies, live, number, tags, texts

AT_ONCE = 20
"""Load balancers whose tags one call may ask for (API reference of both, DescribeTags)."""


class Generation(NamedTuple):
    """The words of one of the two APIs: boto3's client, the list's key, its fields, and those of ``DescribeTags``."""

    service: str
    key: str
    identity: str
    vpc: str
    asked_as: str
    told_as: str


GENERATIONS = (
    Generation("elbv2", "LoadBalancers", "LoadBalancerArn", "VpcId", "ResourceArns", "ResourceArn"),
    Generation("elb", "LoadBalancerDescriptions", "LoadBalancerName", "VPCId", "LoadBalancerNames", "LoadBalancerName"),
)
"""IAM knows the actions of both by the same names."""

CLUSTER_TAGS = ("elbv2.k8s.aws/cluster", "eks:eks-cluster-name")
"""Tags in which the AWS Load Balancer Controller and Auto Mode name the cluster; the in-tree one has it in the key."""


@collector("elasticloadbalancing:DescribeLoadBalancers", "elasticloadbalancing:DescribeTags")
def load_balancers(source: Source, clusters: Section[Cluster]) -> Iterator[LoadBalancer | Gap]:
    """The load balancers that the cluster's controllers made, known by their tags; classic ones among them."""
    vpc_ids = {cluster.vpc_id for cluster in clusters.items} - {""}
    for api in GENERATIONS if vpc_ids else ():
        make = load_balancer if api.service == "elbv2" else classic_load_balancer
        for body in tagged(source, api, vpc_ids):
            if isinstance(body, Gap):
                yield body
            elif serves(source.cluster, tags(body)):
                yield make(body)


def tagged(source: Source, api: Generation, vpc_ids: set[str]) -> Iterator[Mapping[str, Any] | Gap]:
    """The load balancers of these VPCs, each with its ``Tags`` as EC2 writes them."""
    call = "elasticloadbalancing:DescribeLoadBalancers"
    listed, gaps = gathered(made(call, source.account.pages(call, api.key, api.service), dict, api.identity, api.vpc))
    yield from gaps
    found = {text(body[api.identity]): body for body in listed if text(body[api.vpc]) in vpc_ids}

    def ask(identities: list[str]) -> list[Any]:
        parameters = {api.asked_as: identities}
        call = "elasticloadbalancing:DescribeTags"
        return list(source.account.pages(call, "TagDescriptions", api.service, **parameters))

    for described in each(ask, chunks(list(found))):
        if isinstance(described, Gap):
            yield described
        else:
            yield from ({**found.get(text(body.get(api.told_as)), {}), **body} for body in bodies(described))


def chunks(identities: list[str]) -> Iterable[list[str]]:
    """The ids, as many at a time as one call takes."""
    return (identities[start : start + AT_ONCE] for start in range(0, len(identities), AT_ONCE))


def serves(cluster: str, tags: Mapping[str, str]) -> bool:
    """Whether a load balancer with these tags was made for the cluster."""
    return f"kubernetes.io/cluster/{cluster}" in tags or cluster in (tags.get(key) for key in CLUSTER_TAGS)


def load_balancer(body: Body) -> LoadBalancer:
    """A load balancer of ``elbv2``, with its tags."""
    zones = bodies(body.get("AvailabilityZones"))
    return LoadBalancer(
        id=text(body.get("LoadBalancerArn")),
        origin=live(body.get("LoadBalancerArn")),
        name=text(body.get("LoadBalancerName")),
        type=text(body.get("Type")),
        scheme=text(body.get("Scheme")),
        ip_address_type=text(body.get("IpAddressType")) or "ipv4",
        vpc_id=text(body.get("VpcId")),
        subnet_ids=texts([zone.get("SubnetId") for zone in zones]),
        group_ids=texts(body.get("SecurityGroups")),
        tags=tags(body),
    )


def classic_load_balancer(body: Body) -> LoadBalancer:
    """A load balancer of ``elb``, with its tags. In a VPC these have IPv4 only, so nothing tells of it."""
    return LoadBalancer(
        id=text(body.get("LoadBalancerName")),
        origin=live(body.get("LoadBalancerName")),
        name=text(body.get("LoadBalancerName")),
        type="classic",
        scheme=text(body.get("Scheme")),
        vpc_id=text(body.get("VPCId")),
        subnet_ids=texts(body.get("Subnets")),
        group_ids=texts(body.get("SecurityGroups")),
        tags=tags(body),
    )


@collector("elasticloadbalancing:DescribeTargetGroups")
def target_groups(source: Source, clusters: Section[Cluster]) -> Iterator[TargetGroup | Gap]:
    """The target groups of the cluster's VPC. Those of Lambda functions belong to none."""
    vpc_ids = {cluster.vpc_id for cluster in clusters.items} - {""}
    call = "elasticloadbalancing:DescribeTargetGroups"
    listed = source.account.pages(call, "TargetGroups") if vpc_ids else ()
    for found in made(call, listed, target_group, "TargetGroupArn"):
        if isinstance(found, Gap) or found.vpc_id in vpc_ids:
            yield found


def target_group(body: Body) -> TargetGroup:
    """A target group of ``elasticloadbalancing:DescribeTargetGroups``."""
    return TargetGroup(
        id=text(body.get("TargetGroupArn")),
        origin=live(body.get("TargetGroupArn")),
        name=text(body.get("TargetGroupName")),
        protocol=text(body.get("Protocol")),
        port=number(body.get("Port")),
        target_type=text(body.get("TargetType")) or "instance",
        ip_address_type=text(body.get("IpAddressType")) or "ipv4",
        vpc_id=text(body.get("VpcId")),
        load_balancer_arns=texts(body.get("LoadBalancerArns")),
    )
