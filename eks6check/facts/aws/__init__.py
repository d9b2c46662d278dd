"""Records of AWS resources, with the names that AWS gives their fields, and units where there are any.

A default means "read, and not there". The same records come from the live account and, in time, from infrastructure
files, so no rule knows which it has.
"""

from eks6check.facts.aws.balancing import IpSet, IpSetRule, LoadBalancer, TargetGroup, WebAcl
from eks6check.facts.aws.eks import Addon, Cluster, FargateProfile, NodeGroup, PodIdentityAssociation, Selector
from eks6check.facts.aws.filters import (
    NetworkAcl,
    NetworkAclEntry,
    NetworkInterface,
    PrefixList,
    SecurityGroup,
    SecurityGroupRule,
)
from eks6check.facts.aws.iam import RolePermissions
from eks6check.facts.aws.machines import (
    AutoScalingGroup,
    Image,
    Instance,
    InstanceInterface,
    InstanceType,
    InterfaceRequest,
    LaunchTemplate,
    MetadataOptions,
)
from eks6check.facts.aws.record import Record
from eks6check.facts.aws.storage import MountTarget
from eks6check.facts.aws.vpc import (
    AvailabilityZone,
    DhcpOptions,
    EgressOnlyInternetGateway,
    EndpointService,
    InternetGateway,
    NatGateway,
    OldRange,
    Route,
    RouteTable,
    Subnet,
    Vpc,
    VpcAttributes,
    VpcEndpoint,
)

__all__ = [
    "Addon",
    "AutoScalingGroup",
    "AvailabilityZone",
    "Cluster",
    "DhcpOptions",
    "EgressOnlyInternetGateway",
    "EndpointService",
    "FargateProfile",
    "Image",
    "Instance",
    "InstanceInterface",
    "InstanceType",
    "InterfaceRequest",
    "InternetGateway",
    "IpSet",
    "IpSetRule",
    "LaunchTemplate",
    "LoadBalancer",
    "MetadataOptions",
    "MountTarget",
    "NatGateway",
    "NetworkAcl",
    "NetworkAclEntry",
    "NetworkInterface",
    "NodeGroup",
    "OldRange",
    "PodIdentityAssociation",
    "PrefixList",
    "Record",
    "RolePermissions",
    "Route",
    "RouteTable",
    "SecurityGroup",
    "SecurityGroupRule",
    "Selector",
    "Subnet",
    "TargetGroup",
    "Vpc",
    "VpcAttributes",
    "VpcEndpoint",
    "WebAcl",
]
