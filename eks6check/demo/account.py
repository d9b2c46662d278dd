"""The made-up account of the demo: an IPv4 production cluster whose VPC somebody has half prepared for IPv6.

Planted: an Xen type among the nodes, a private subnet that was forgotten, a node group with an image of its own, and a
Fargate subnet that is nearly full. The rest is as it should be.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any

from eks6check.demo import aws_server
from eks6check.demo.aws_server import Server
from eks6check.facts.cni_roles import ACTIONS

CLUSTER = "prod"
REGION = "eu-west-1"
ROLE = "arn:aws:iam::123456789012:role/eks-prod"
IMAGE = "ami-04681a1dbd79675a5"

SUBNETS: Mapping[str, tuple[str, str, str | None]] = {
    "public-a": ("eu-west-1a", "10.0.0.0/24", "00"),
    "public-b": ("eu-west-1b", "10.0.1.0/24", "01"),
    "private-a": ("eu-west-1a", "10.0.16.0/20", "10"),
    "private-b": ("eu-west-1b", "10.0.32.0/20", "11"),
    "private-c": ("eu-west-1c", "10.0.48.0/20", None),
    "fargate-a": ("eu-west-1a", "10.0.2.0/28", "20"),
    "pods-a": ("eu-west-1a", "100.64.0.0/18", None),
    "pods-b": ("eu-west-1b", "100.64.64.0/18", None),
}
"""Zone, IPv4 block, and which /64 of the VPC's IPv6 block; None where there is none."""

FARGATE_PODS = 8
"""Pods that run on Fargate, each with an address of its subnet."""

USER_DATA = """\
apiVersion: node.eks.aws/v1alpha1
kind: NodeConfig
spec:
  cluster: {name: prod, cidr: 10.100.0.0/16}
"""


def build(server: Server, session: Any) -> dict[str, str]:
    """Fill the server's empty account; the ids of its subnets by name."""
    ec2, eks = session.client("ec2", region_name=REGION), session.client("eks", region_name=REGION)
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16", AmazonProvidedIpv6CidrBlock=True)["Vpc"]["VpcId"]
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
    ec2.associate_vpc_cidr_block(VpcId=vpc, CidrBlock="100.64.0.0/16")
    aws_server.complete_acl(ec2, vpc)
    ids = {name: subnet(ec2, vpc, name) for name in SUBNETS}
    routes(ec2, vpc, ids)
    for _ in range(FARGATE_PODS):
        ec2.create_network_interface(SubnetId=ids["fargate-a"], Description="Fargate pod")
    node_role(session.client("iam", region_name=REGION))
    cluster(server, eks, vpc, aws_server.cluster_security_group(ec2, vpc), ids)
    node_groups(ec2, eks, ids)
    eks.create_fargate_profile(
        fargateProfileName="jobs",
        clusterName=CLUSTER,
        podExecutionRoleArn=ROLE,
        subnets=[ids["fargate-a"]],
        selectors=[{"namespace": "jobs"}],
    )
    return ids


def subnet(ec2: Any, vpc: str, name: str) -> str:
    """One subnet, with the role tag of its tier and, where it has one, its IPv6 block."""
    zone, block, number = SUBNETS[name]
    parameters: dict[str, Any] = {"VpcId": vpc, "AvailabilityZone": zone, "CidrBlock": block}
    if number:
        whole = ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"][0]["Ipv6CidrBlockAssociationSet"][0]["Ipv6CidrBlock"]
        parameters["Ipv6CidrBlock"] = whole.replace("00::/56", f"{number}::/64")
    tags = {"Name": f"prod-{name}"}
    if name.startswith("public"):
        tags["kubernetes.io/role/elb"] = "1"
    identity: str = ec2.create_subnet(**parameters, TagSpecifications=tagged("subnet", tags))["Subnet"]["SubnetId"]
    if number:
        ec2.modify_subnet_attribute(SubnetId=identity, AssignIpv6AddressOnCreation={"Value": True})
    return identity


def routes(ec2: Any, vpc: str, ids: Mapping[str, str]) -> None:
    """Gateways and route tables: the forgotten subnet has a table of its own, which nobody gave an IPv6 route."""
    outward = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=outward, VpcId=vpc)
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    nat = ec2.create_nat_gateway(SubnetId=ids["public-a"], AllocationId=address)["NatGateway"]["NatGatewayId"]
    made = ec2.create_egress_only_internet_gateway(VpcId=vpc)["EgressOnlyInternetGateway"]
    egress = {"EgressOnlyInternetGatewayId": made["EgressOnlyInternetGatewayId"]}
    table(ec2, vpc, [ids["public-a"], ids["public-b"]], {"GatewayId": outward}, {"GatewayId": outward})
    table(ec2, vpc, [ids["private-a"], ids["private-b"], ids["fargate-a"]], {"NatGatewayId": nat}, egress)
    table(ec2, vpc, [ids["private-c"], ids["pods-a"], ids["pods-b"]], {"NatGatewayId": nat}, None)


def table(ec2: Any, vpc: str, subnets: list[str], ipv4: Mapping[str, str], ipv6: Mapping[str, str] | None) -> None:
    """A route table of these subnets with a default route of each family, or of IPv4 alone."""
    identity = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    ec2.create_route(RouteTableId=identity, DestinationCidrBlock="0.0.0.0/0", **ipv4)
    if ipv6:
        ec2.create_route(RouteTableId=identity, DestinationIpv6CidrBlock="::/0", **ipv6)
    for each in subnets:
        ec2.associate_route_table(RouteTableId=identity, SubnetId=each)


def node_role(iam: Any) -> None:
    """The role of the nodes, with what the VPC CNI needs in IPv6."""
    statement = {"Effect": "Allow", "Action": list(ACTIONS), "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    name = ROLE.rpartition("/")[2]
    iam.create_role(RoleName=name, AssumeRolePolicyDocument="{}")
    iam.put_role_policy(RoleName=name, PolicyName="cni", PolicyDocument=document)


def cluster(server: Server, eks: Any, vpc: str, group: str, ids: Mapping[str, str]) -> None:
    """The cluster and its add-ons."""
    eks.create_cluster(
        name=CLUSTER,
        roleArn=ROLE,
        version="1.33",
        resourcesVpcConfig={"subnetIds": [ids[name] for name in ("public-a", "public-b", "private-a", "private-b")]},
        kubernetesNetworkConfig={"ipFamily": "ipv4"},
    )
    server.clusters[CLUSTER] = {
        "resourcesVpcConfig": {"vpcId": vpc, "clusterSecurityGroupId": group},
        "kubernetesNetworkConfig": {"ipFamily": "ipv4", "serviceIpv4Cidr": "10.100.0.0/16"},
    }
    server.addons[CLUSTER] = {
        "coredns": {"addonVersion": "v1.12.1-eksbuild.2"},
        "vpc-cni": {"addonVersion": "v1.18.3-eksbuild.2"},
    }


def node_groups(ec2: Any, eks: Any, ids: Mapping[str, str]) -> None:
    """Two managed node groups, and a node of each."""
    data = {"ImageId": IMAGE, "UserData": base64.b64encode(USER_DATA.encode()).decode()}
    made = ec2.create_launch_template(LaunchTemplateName="prod-batch", LaunchTemplateData=data)
    template = {"id": made["LaunchTemplate"]["LaunchTemplateId"], "version": "1"}
    shared = {"clusterName": CLUSTER, "nodeRole": ROLE}
    eks.create_nodegroup(
        nodegroupName="general",
        subnets=[ids["private-a"], ids["private-b"], ids["private-c"]],
        instanceTypes=["m5.large", "m4.large"],
        amiType="AL2023_x86_64_STANDARD",
        **shared,
    )
    eks.create_nodegroup(
        nodegroupName="batch",
        subnets=[ids["private-a"], ids["private-b"]],
        instanceTypes=["c5.xlarge"],
        amiType="CUSTOM",
        launchTemplate=template,
        **shared,
    )
    for group, kind, place in (("general", "m5.large", "private-a"), ("batch", "c5.xlarge", "private-b")):
        tags = {f"kubernetes.io/cluster/{CLUSTER}": "owned", "eks:nodegroup-name": group}
        ec2.run_instances(
            ImageId=IMAGE,
            MinCount=1,
            MaxCount=1,
            InstanceType=kind,
            SubnetId=ids[place],
            MetadataOptions={"HttpTokens": "required", "HttpPutResponseHopLimit": 2},
            TagSpecifications=tagged("instance", tags),
        )


def tagged(kind: str, tags: Mapping[str, str]) -> list[dict[str, Any]]:
    """``TagSpecifications`` of EC2."""
    return [{"ResourceType": kind, "Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}]
