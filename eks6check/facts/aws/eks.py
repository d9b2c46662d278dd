"""What EKS knows: the cluster, its node groups, Fargate profiles, add-ons and Pod Identity associations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from eks6check.facts.aws.record import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster(Record):
    """An EKS cluster; ``id`` is its name. ``created_at`` is in UTC, ISO 8601, empty where EKS did not say.

    ``remote_networks`` are the ranges of hybrid nodes and of their pods, ``outpost_arns`` the Outposts that a local
    cluster stands on.
    """

    region: str = ""
    account: str = ""
    version: str = ""
    created_at: str = ""
    ip_family: str = "ipv4"
    service_cidr: str = ""
    endpoint: str = ""
    endpoint_private_access: bool = False
    endpoint_public_access: bool = True
    public_access_cidrs: tuple[str, ...] = ()
    control_plane_egress_mode: str = ""
    vpc_id: str = ""
    subnet_ids: tuple[str, ...] = ()
    security_group_ids: tuple[str, ...] = ()
    cluster_security_group_id: str = ""
    remote_networks: tuple[str, ...] = ()
    outpost_arns: tuple[str, ...] = ()
    authentication_mode: str = ""
    auto_mode: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeGroup(Record):
    """A managed node group; ``id`` is its name. The launch template is named by id and version.

    ``node_role`` is an ARN; ``auto_scaling_groups`` are the names of those that EKS made for it.
    """

    ami_type: str = ""
    instance_types: tuple[str, ...] = ()
    subnet_ids: tuple[str, ...] = ()
    node_role: str = ""
    auto_scaling_groups: tuple[str, ...] = ()
    launch_template_id: str | None = None
    launch_template_version: str | None = None
    health_issue_codes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Selector:
    """Which pods a Fargate profile takes: a namespace and labels, both of which may hold ``*`` and ``?``."""

    namespace: str
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class FargateProfile(Record):
    """A Fargate profile; ``id`` is its name."""

    subnet_ids: tuple[str, ...] = ()
    selectors: tuple[Selector, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Addon(Record):
    """An EKS add-on; ``id`` is its name, ``configuration`` its parsed configuration values.

    ``service_account_role_arn`` is the IRSA role that EKS annotates its service account with, None where it has none.
    """

    version: str = ""
    status: str = ""
    configuration: Mapping[str, Any] = field(default_factory=dict)
    service_account_role_arn: str | None = None
    health_issue_codes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PodIdentityAssociation(Record):
    """A role that EKS Pod Identity gives to a service account; ``role_arn`` is empty where nobody could ask for it."""

    namespace: str = ""
    service_account: str = ""
    role_arn: str = ""
