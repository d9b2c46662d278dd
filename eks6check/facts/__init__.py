"""What a run knows: facts in sections, each with its origin, beside the gaps that say what could not be read.

A *section* holds all facts of one kind. A rule names sections as parameters; a collector fills them. A gap is data: an
empty section without gaps means "read, and there are none"; an empty section with a gap means nothing of the sort.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar

Path = tuple[str | int, ...]
"""Keys and list positions that lead to a value inside a document, such as ``("spec", "ports", 0, "protocol")``."""

Mark = Callable[[Path, str, int], tuple[int, int]]
"""Turns a path into a line and a column, both counted from 1.

Behind the path: a text to look for inside its value (or ""), and how many of its places there to pass over.
"""

T_co = TypeVar("T_co", covariant=True)

SECTIONS: Mapping[str, str] = {
    "addons": "Addon",
    "auto_scaling_groups": "AutoScalingGroup",
    "availability_zones": "AvailabilityZone",
    "clusters": "Cluster",
    "dhcp_options": "DhcpOptions",
    "efs_mount_targets": "MountTarget",
    "egress_only_gateways": "EgressOnlyInternetGateway",
    "endpoint_services": "EndpointService",
    "fargate_profiles": "FargateProfile",
    "images": "Image",
    "instance_types": "InstanceType",
    "instances": "Instance",
    "internet_gateways": "InternetGateway",
    "ip_sets": "IpSet",
    "launch_templates": "LaunchTemplate",
    "load_balancers": "LoadBalancer",
    "nat_gateways": "NatGateway",
    "network_acls": "NetworkAcl",
    "network_interfaces": "NetworkInterface",
    "node_groups": "NodeGroup",
    "old_ranges": "OldRange",
    "pod_identity_associations": "PodIdentityAssociation",
    "prefix_lists": "PrefixList",
    "role_permissions": "RolePermissions",
    "route_tables": "RouteTable",
    "security_groups": "SecurityGroup",
    "subnets": "Subnet",
    "target_groups": "TargetGroup",
    "vpc_attributes": "VpcAttributes",
    "vpc_endpoints": "VpcEndpoint",
    "vpcs": "Vpc",
    "web_acls": "WebAcl",
    "auto_mode_node_classes": "Resource",
    "config_maps": "Resource",
    "custom_resource_definitions": "Resource",
    "endpoints": "Resource",
    "eni_configs": "Resource",
    "envoy_proxies": "Resource",
    "gateway_classes": "Resource",
    "gateway_routes": "Resource",
    "gateways": "Resource",
    "ingress_class_params": "Resource",
    "ingress_classes": "Resource",
    "ingress_middlewares": "Resource",
    "ingresses": "Resource",
    "ip_pools": "Resource",
    "istio_installations": "Resource",
    "istio_networking": "Resource",
    "listener_rule_configurations": "Resource",
    "load_balancer_configurations": "Resource",
    "network_policies": "Resource",
    "node_classes": "Resource",
    "node_pools": "Resource",
    "nodes": "Resource",
    "operator_objects": "Resource",
    "other_policies": "Resource",
    "pod_identity_objects": "Resource",
    "pods": "Resource",
    "scrape_configs": "Resource",
    "security_group_policies": "Resource",
    "service_accounts": "Resource",
    "services": "Resource",
    "storage_classes": "Resource",
    "target_group_bindings": "Resource",
    "target_group_configurations": "Resource",
    "webhook_configurations": "Resource",
    "webhooks": "Resource",
    "workloads": "Resource",
}
"""Every section by name, with the class of its facts: from ``facts.aws``, or ``facts.kube.Resource``."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What a finding is about: the kind as AWS or Kubernetes calls it, and an id that does not change between runs."""

    kind: str
    id: str


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a fact was read: a live object's id or ARN, or a file and the place inside it.

    ``source`` is ``aws``, ``cluster``, ``manifests`` or ``options``. ``path`` is where the fact begins inside its
    document (an item of a ``kind: List`` begins at ``("items", 3)``). ``mark`` finds line and column, and is asked only
    for findings.
    """

    source: str
    id: str = ""
    file: str = ""
    path: Path = ()
    mark: Mark | None = field(default=None, compare=False, repr=False)


class Fact(Protocol):
    """Anything a rule may report on."""

    @property
    def origin(self) -> Origin:
        """Where it was read."""

    @property
    def subject(self) -> Subject:
        """What it is."""


Places = tuple[tuple[Fact, Path], ...]
"""Facts, each with the path to a place inside it."""


def elsewhere(fact: Fact, paths: Iterable[Path], first: Path) -> Places:
    """The places of a fact other than the first, each once."""
    return tuple((fact, path) for path in dict.fromkeys(paths) if path != first)


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that could not be read: what, why, and what would close it.

    ``call`` is an IAM action (``ec2:DescribeSubnets``), a list in kubectl's words (``list services``) or ``read`` for
    a file. ``remedy`` is an action for the reader: a permission, a flag, a command. Lines and columns count from 1.
    """

    call: str
    reason: str
    remedy: str = ""
    file: str = ""
    line: int = 0
    column: int = 0


@dataclass(frozen=True, slots=True)
class Section(Generic[T_co]):
    """All facts of one kind in a run, and why some may be missing."""

    items: tuple[T_co, ...] = ()
    gaps: tuple[Gap, ...] = ()


Facts = Mapping[str, Section[Any]]
"""Sections by name. A name that is not there was not asked for in this run, which is not the same as a gap."""
