"""Accounts for tests: the loopback AWS server, two ways to fill it, and ways to make it misbehave."""

from __future__ import annotations

import base64
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

import boto3
import pytest
from botocore.validate import validate_parameters
from moto.core.loaders import create_loader
from moto.core.model import ServiceModel
from moto.core.serialize import get_serializer_class
from werkzeug.wrappers import Request, Response

from eks6check.demo import aws_server
from eks6check.demo.aws_server import Hook, Server, action_of, in_json
from eks6check.sources.aws.api import SERVICES, Account, Source, connect, identify

REGION = "eu-west-1"
ZONES = ("eu-west-1a", "eu-west-1b", "eu-west-1c")
ROLE = "arn:aws:iam::123456789012:role/eks"
CNI_ROLE = "arn:aws:iam::123456789012:role/cni-"
CNI_ACTIONS = (
    "ec2:AssignIpv6Addresses",
    "ec2:DescribeInstances",
    "ec2:DescribeInstanceTypes",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSecurityGroups",
    "ec2:DescribeSubnets",
    "ec2:DescribeTags",
)
IMAGE = "ami-04681a1dbd79675a5"
SECRET = "encoded-authorization-message-4f1c"

NODE_CONFIG = """\
apiVersion: node.eks.aws/v1alpha1
kind: NodeConfig
spec:
  cluster:
    name: prod
    cidr: 10.100.0.0/16
"""


XML_ERRORS = {
    "ec2": "<Response><Errors>{}</Errors></Response>",
    **dict.fromkeys(("autoscaling", "elasticloadbalancing", "iam", "sts"), "<ErrorResponse>{}</ErrorResponse>"),
}
"""How the services that answer in XML wrap an error; all others answer in JSON."""

READS = re.compile(r"\w+:(Describe|List|Get|Simulate)\w+")


@contextmanager
def aws() -> Iterator[Server]:
    """An empty account, with the environment that leads boto3 to it. The program under test may only read it.

    The program's calls are known by their user agent; a test's own may build what it likes.
    """
    changes: list[str] = []

    def watched(request: Request) -> str:
        action = action_of(request)
        if "eks6check/" in request.headers.get("User-Agent", "") and not READS.fullmatch(action):
            changes.append(action)
        return action

    with aws_server.serve() as server, pytest.MonkeyPatch.context() as patch:
        patch.setattr(aws_server, "action_of", watched)
        lead_to(server, patch)
        yield server
    assert changes == [], "the program did more than read"


def lead_to(server: Server, patch: pytest.MonkeyPatch) -> None:
    """Set the environment that leads boto3 to this server."""
    for name, value in server.environment.items():
        patch.setenv(name, value)


@cache
def account(url: str) -> Account:
    """The account behind this server, as the program sees it: made once, as clients take most of a test's time."""
    assert url
    return connect(REGION)


def source(cluster: str = "prod") -> Source:
    """What collectors read from: a cluster of the account under test."""
    return identify(account(os.environ["AWS_ENDPOINT_URL"]), cluster)


def client(service: str) -> Any:
    """A boto3 client of the account under test."""
    return boto3.client(service, region_name=REGION)


def ipv4_account(server: Server, name: str = "prod") -> dict[str, list[str]]:
    """An account that nobody prepared: IPv4 only, one group on Xen with an image of its own. Ids by what they are."""
    ids = network(client("ec2"), ipv6=False)
    endpoint(server, ids, ipv6=False)
    cluster(server, name, "ipv4", "1.31", ids)
    template = launch_template({"ImageId": IMAGE, "UserData": packed(NODE_CONFIG)})
    node_group(name, "general", ids["private"][:2], instanceTypes=["m5.large"], amiType="AL2023_x86_64_STANDARD")
    node_group(
        name,
        "legacy",
        ids["private"][2:],
        instanceTypes=["m4.large"],
        amiType="CUSTOM",
        launchTemplate={"id": template, "version": "1"},
    )
    instance = run_instance(name, ids["private"][2], "m4.large", {"eks:nodegroup-name": "legacy"})
    own = run_instance(name, ids["private"][0], "m5.large", {}, IamInstanceProfile={"Name": f"cni-{name}"})
    server.addons[name] = {"vpc-cni": {"addonVersion": "v1.12.6-eksbuild.2"}}
    front(server, name, ids, ipv6=False)
    return {**ids, "template": [template], "instance": [instance], "self_managed": [own]}


def ipv6_account(server: Server, name: str = "prod") -> dict[str, list[str]]:
    """An account that is ready: every subnet and route in both families, Nitro only. Ids by what they are."""
    ids = network(client("ec2"), ipv6=True)
    endpoint(server, ids, ipv6=True)
    cluster(server, name, "ipv6", "1.33", ids)
    node_group(name, "general", ids["private"], instanceTypes=["m6i.large"], amiType="AL2023_x86_64_STANDARD")
    instance = run_instance(name, ids["private"][0], "m6i.large", {"eks:nodegroup-name": "general"})
    run_instance(name, ids["private"][0], "m6i.large", {}, IamInstanceProfile={"Name": f"cni-{name}"})
    self_managed(name, ids["private"])
    front(server, name, ids, ipv6=True)
    configuration = json.dumps({"env": {"ENABLE_PREFIX_DELEGATION": "true"}})
    server.addons[name] = {
        "coredns": {"addonVersion": "v1.12.1-eksbuild.2"},
        "vpc-cni": {"addonVersion": "v1.19.5-eksbuild.1", "configurationValues": configuration},
    }
    return {**ids, "instance": [instance]}


def network(ec2: Any, *, ipv6: bool) -> dict[str, list[str]]:
    """A VPC of two public and three private subnets, an internet gateway and a NAT gateway; both families if asked."""
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16", AmazonProvidedIpv6CidrBlock=ipv6)["Vpc"]["VpcId"]
    name_resolution(ec2, vpc)
    made = [subnet(ec2, vpc, position, ipv6=ipv6) for position in range(5)]
    public, private = made[:2], made[2:]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    nat = ec2.create_nat_gateway(SubnetId=public[0], AllocationId=address)["NatGateway"]["NatGatewayId"]
    outward = route_table(ec2, vpc, public, GatewayId=gateway)
    inward = route_table(ec2, vpc, private, NatGatewayId=nat)
    ids = {"vpc": [vpc], "public": public, "private": private, "nat": [nat], "route_tables": [outward, inward]}
    if ipv6:
        egress = ec2.create_egress_only_internet_gateway(VpcId=vpc)["EgressOnlyInternetGateway"]
        ids["egress"] = [egress["EgressOnlyInternetGatewayId"]]
        everywhere = {"DestinationIpv6CidrBlock": "::/0"}
        ec2.create_route(RouteTableId=outward, GatewayId=gateway, **everywhere)
        ec2.create_route(RouteTableId=inward, EgressOnlyInternetGatewayId=ids["egress"][0], **everywhere)
        aws_server.complete_acl(ec2, vpc)
    return {**ids, "cluster_group": [aws_server.cluster_security_group(ec2, vpc)]}


def endpoint(server: Server, ids: Mapping[str, list[str]], *, ipv6: bool) -> str:
    """An interface endpoint for STS in a private subnet, dual-stack if asked."""
    (vpc,), subnets = ids["vpc"], ids["private"][:1]
    sts = f"com.amazonaws.{REGION}.sts"
    made = client("ec2").create_vpc_endpoint(VpcId=vpc, ServiceName=sts, VpcEndpointType="Interface", SubnetIds=subnets)
    identity: str = made["VpcEndpoint"]["VpcEndpointId"]
    server.dualstack.update({identity} if ipv6 else ())
    return identity


def name_resolution(ec2: Any, vpc: str) -> None:
    """What EKS asks for: DNS host names, and the VPC's own resolver."""
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
    servers = [{"Key": "domain-name-servers", "Values": ["AmazonProvidedDNS"]}]
    options = ec2.create_dhcp_options(DhcpConfigurations=servers)["DhcpOptions"]["DhcpOptionsId"]
    ec2.associate_dhcp_options(VpcId=vpc, DhcpOptionsId=options)


def subnet(ec2: Any, vpc: str, position: int, *, ipv6: bool) -> str:
    """A subnet; the first two carry the role of public load balancers, the others that of internal ones."""
    role = "elb" if position < 2 else "internal-elb"
    parameters = {
        "CidrBlock": f"10.0.{position}.0/24",
        "AvailabilityZone": ZONES[position % 2 if position < 2 else position - 2],
        "TagSpecifications": tagged("subnet", {f"kubernetes.io/role/{role}": "1"}),
    }
    if ipv6:
        block = ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"][0]["Ipv6CidrBlockAssociationSet"][0]["Ipv6CidrBlock"]
        parameters["Ipv6CidrBlock"] = block.replace("00::/56", f"{position:02x}::/64")
    identity: str = ec2.create_subnet(VpcId=vpc, **parameters)["Subnet"]["SubnetId"]
    if ipv6:
        ec2.modify_subnet_attribute(SubnetId=identity, AssignIpv6AddressOnCreation={"Value": True})
    return identity


def route_table(ec2: Any, vpc: str, subnets: list[str], **target: str) -> str:
    """A route table of these subnets whose IPv4 default route leads to the target."""
    identity: str = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    ec2.create_route(RouteTableId=identity, DestinationCidrBlock="0.0.0.0/0", **target)
    for each in subnets:
        ec2.associate_route_table(RouteTableId=identity, SubnetId=each)
    return identity


def cluster(server: Server, name: str, family: str, version: str, ids: Mapping[str, list[str]]) -> None:
    """A cluster over all subnets, with what moto leaves out, and a Fargate profile in the private ones."""
    eks = client("eks")
    eks.create_cluster(
        name=name,
        roleArn=ROLE,
        version=version,
        resourcesVpcConfig={"subnetIds": [*ids["public"], *ids["private"]]},
        kubernetesNetworkConfig={"ipFamily": family},
    )
    range_of = {"ipv4": {"serviceIpv4Cidr": "10.100.0.0/16"}, "ipv6": {"serviceIpv6Cidr": "fd74:3c3f:d5a0::/108"}}
    host = {"ipv4": f"0123abcd.gr7.{REGION}.eks.amazonaws.com", "ipv6": f"0123abcd.gr7.eks-cluster.{REGION}.api.aws"}
    everyone = {"ipv4": ["0.0.0.0/0"], "ipv6": ["0.0.0.0/0", "::/0"]}
    server.clusters[name] = {
        "endpoint": f"https://{host[family]}",
        "resourcesVpcConfig": {
            "vpcId": ids["vpc"][0],
            "clusterSecurityGroupId": ids["cluster_group"][0],
            "endpointPublicAccess": True,
            "endpointPrivateAccess": True,
            "publicAccessCidrs": everyone[family],
        },
        "kubernetesNetworkConfig": {"ipFamily": family, **range_of[family]},
    }
    vpc_cni = {"namespace": "kube-system", "serviceAccount": "aws-node", "roleArn": cni_role(name, family)}
    reporter = {"namespace": "shop", "serviceAccount": "report", "roleArn": ROLE}
    server.pod_identities[name] = {"a-1": vpc_cni, "a-2": reporter}
    eks.create_fargate_profile(
        fargateProfileName="batch",
        clusterName=name,
        podExecutionRoleArn=ROLE,
        subnets=list(ids["private"]),
        selectors=[{"namespace": "batch"}],
    )


def node_group(cluster: str, name: str, subnets: list[str], **parameters: Any) -> None:
    """A managed node group."""
    client("eks").create_nodegroup(
        clusterName=cluster, nodegroupName=name, subnets=subnets, nodeRole=f"{CNI_ROLE}{cluster}", **parameters
    )


def self_managed(cluster: str, subnets: Sequence[str]) -> str:
    """An Auto Scaling group of nodes that start in IPv6 from an image of their own; none of them runs yet."""
    config = NODE_CONFIG.replace("10.100.0.0/16", "fd74:3c3f:d5a0::/108")
    kubelet = "  kubelet:\n    config:\n      maxPods: 110\n"
    data = {"ImageId": IMAGE, "InstanceType": "m6i.large", "UserData": packed(config + kubelet)}
    template = launch_template(data, f"own-{cluster}")
    name = f"own-{cluster}"
    client("autoscaling").create_auto_scaling_group(
        AutoScalingGroupName=name,
        MinSize=0,
        MaxSize=3,
        LaunchTemplate={"LaunchTemplateId": template, "Version": "$Latest"},
        VPCZoneIdentifier=",".join(subnets),
        Tags=[{"Key": f"kubernetes.io/cluster/{cluster}", "Value": "owned", "PropagateAtLaunch": True}],
    )
    return name


def cni_role(cluster: str, family: str) -> str:
    """A role with the CNI's policy for a family, attached and written into it, and an instance profile of its name."""
    iam, name = client("iam"), f"cni-{cluster}"
    role: str = iam.create_role(RoleName=name, AssumeRolePolicyDocument="{}")["Role"]["Arn"]
    actions = CNI_ACTIONS if family == "ipv6" else CNI_ACTIONS[1:]
    policy = iam.create_policy(PolicyName=name, PolicyDocument=allowing(actions))["Policy"]["Arn"]
    iam.attach_role_policy(RoleName=name, PolicyArn=policy)
    interfaces = "arn:aws:ec2:*:*:network-interface/*"
    iam.put_role_policy(RoleName=name, PolicyName="tags", PolicyDocument=allowing(["ec2:CreateTags"], interfaces))
    iam.create_instance_profile(InstanceProfileName=name)
    iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=name)
    return role


def allowing(actions: Sequence[str], resource: str = "*") -> str:
    """A policy document."""
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": resource}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def front(server: Server, name: str, ids: Mapping[str, list[str]], *, ipv6: bool) -> None:
    """A load balancer of today behind a web ACL, an old one without IPv6, and a file system; both families if asked."""
    elb, own = client("elbv2"), [{"Key": "elbv2.k8s.aws/cluster", "Value": name}]
    family, address_type = ("ipv6", "dualstack") if ipv6 else ("ipv4", "ipv4")
    facing = {"Scheme": "internet-facing", "IpAddressType": address_type}
    made = elb.create_load_balancer(Name=f"{name}-web", Subnets=ids["public"], Tags=own, **facing)
    group = {"Protocol": "HTTP", "Port": 80, "TargetType": "ip", "VpcId": ids["vpc"][0], "IpAddressType": family}
    elb.create_target_group(Name=f"{name}-web", **group)
    web_acl(name, made["LoadBalancers"][0]["LoadBalancerArn"], ["IPV4", "IPV6"] if ipv6 else ["IPV4"])
    if not ipv6:
        classic_load_balancer(f"{name}-classic", ids["public"], {f"kubernetes.io/cluster/{name}": "owned"})
    efs = client("efs")
    files = efs.create_file_system(CreationToken=name)["FileSystemId"]
    target = efs.create_mount_target(FileSystemId=files, SubnetId=ids["private"][0])["MountTargetId"]
    if ipv6:
        server.mount_targets[target] = {"Ipv6Address": "2001:db8:1234:2::7"}


def classic_load_balancer(name: str, subnets: list[str], tags: Mapping[str, str]) -> None:
    """A load balancer as the in-tree controller makes it."""
    listener = {"Protocol": "TCP", "LoadBalancerPort": 80, "InstancePort": 30080}
    marks = tagged("", tags)[0]["Tags"]
    client("elb").create_load_balancer(LoadBalancerName=name, Listeners=[listener], Subnets=subnets, Tags=marks)


def web_acl(name: str, guarded: str, families: Sequence[str]) -> str:
    """A web ACL that lets in the addresses of one IP set of each family alone, before a load balancer. Its ARN."""
    waf = client("wafv2")
    blocks = {"IPV4": "203.0.113.0/24", "IPV6": "2001:db8:7::/48"}
    unseen = {"SampledRequestsEnabled": False, "CloudWatchMetricsEnabled": False, "MetricName": name}
    rules = []
    for priority, family in enumerate(families):
        offices = {"Name": f"{name}-{family}", "IPAddressVersion": family, "Addresses": [blocks[family]]}
        arn = waf.create_ip_set(Scope="REGIONAL", **offices)["Summary"]["ARN"]
        statement = {"IPSetReferenceStatement": {"ARN": arn}}
        rule = {"Name": family, "Priority": priority, "Action": {"Allow": {}}, "VisibilityConfig": unseen}
        rules.append({**rule, "Statement": statement})
    settings = {"Name": name, "DefaultAction": {"Block": {}}, "VisibilityConfig": unseen, "Rules": rules}
    made: str = waf.create_web_acl(Scope="REGIONAL", **settings)["Summary"]["ARN"]
    waf.associate_web_acl(WebACLArn=made, ResourceArn=guarded)
    return made


def launch_template(data: Mapping[str, Any], name: str = "nodes") -> str:
    """A launch template of one version."""
    made = client("ec2").create_launch_template(LaunchTemplateName=name, LaunchTemplateData=data)
    identity: str = made["LaunchTemplate"]["LaunchTemplateId"]
    return identity


def run_instance(cluster: str, subnet: str, kind: str, tags: Mapping[str, str], **parameters: Any) -> str:
    """A running node."""
    made = client("ec2").run_instances(
        ImageId=IMAGE,
        MinCount=1,
        MaxCount=1,
        InstanceType=kind,
        SubnetId=subnet,
        MetadataOptions={"HttpTokens": "required", "HttpPutResponseHopLimit": 1},
        TagSpecifications=tagged("instance", {f"kubernetes.io/cluster/{cluster}": "owned", **tags}),
        **parameters,
    )
    identity: str = made["Instances"][0]["InstanceId"]
    return identity


def tagged(kind: str, tags: Mapping[str, str]) -> list[dict[str, Any]]:
    """``TagSpecifications`` of EC2."""
    return [{"ResourceType": kind, "Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}]


def packed(text: str | bytes) -> str:
    """User data as EC2 holds it."""
    return base64.b64encode(text.encode() if isinstance(text, str) else text).decode()


def refused(action: str) -> Hook:
    """A hook that says no as IAM does, with the blob that must not be shown."""
    code = "UnauthorizedOperation" if action.startswith("ec2:") else "AccessDeniedException"
    return failing(action, code, 403, f"You are not authorized. Encoded authorization failure message: {SECRET}")


def failing(action: str, code: str, status: int = 400, message: str = "no") -> Hook:
    """A hook that answers with an error in the words of the action's service."""
    service, error = action.partition(":")[0], f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    if service in XML_ERRORS:
        return lambda _, __: Response(XML_ERRORS[service].format(error), status, content_type="text/xml")
    return lambda _, __: Response(
        json.dumps({"message": message}), status, {"x-amzn-errortype": code}, content_type="application/json"
    )


def page_of_html(status: int) -> Hook:
    """A hook that answers as a proxy would."""
    return lambda _, __: Response("<html><body>Bad gateway</body></html>", status, content_type="text/html")


def forwarded(_: Request, forward: Callable[[], Response]) -> Response:
    """A hook that changes nothing."""
    return forward()


def first(times: int, hook: Hook, then: Hook = forwarded) -> Hook:
    """A hook that counts for the first calls only; the other one follows."""
    left = iter(range(times))

    def turn(request: Request, forward: Callable[[], Response]) -> Response:
        return then(request, forward) if next(left, None) is None else hook(request, forward)

    return turn


def cut(*, told: bool = True) -> Hook:
    """A hook that sends half of the answer, with the length of the whole, or without saying so."""

    def half(_: Any, forward: Any) -> Response:
        whole = forward()
        data = whole.get_data()
        length = {"Content-Length": str(len(data))} if told else {}
        return Response(data[: len(data) // 2], 200, length, content_type=whole.content_type)

    return half


def changed(**fields: Any) -> Hook:
    """A hook that puts these fields into each object of a JSON answer; ``...`` takes one out."""

    def change(_: Any, forward: Any) -> Response:
        body = json.loads(forward().get_data())
        merged = {key: {**value, **fields} if isinstance(value, dict) else value for key, value in body.items()}
        return in_json({key: without(value) for key, value in merged.items()})

    return change


def without(value: Any) -> Any:
    """A mapping without the keys whose value is ``...``."""
    return {key: each for key, each in value.items() if each is not ...} if isinstance(value, dict) else value


@cache
def model_of(service: str) -> Any:
    """A service's model; EC2's takes a sixth of a second to read."""
    return ServiceModel(create_loader().load_service_model(service, "service-2"), service)


def answers(action: str, *bodies: Mapping[str, Any]) -> Hook:
    """A hook that gives these answers in turn, the last one again and again, written as AWS writes them."""
    prefix, _, name = action.partition(":")
    service = SERVICES.get(prefix, prefix)
    model = model_of(service)
    operation = model.operation_model(name)
    written = []
    for body in bodies:
        validate_parameters(body, operation.output_shape)
        written.append(get_serializer_class(service, model.metadata["protocol"])(operation).serialize(body))
    turn = iter(written)

    def give(_: Any, __: Any) -> Response:
        answer = next(turn, written[-1])
        return Response(answer["body"], answer["status_code"], dict(answer["headers"]))

    return give
