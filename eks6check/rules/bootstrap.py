"""How nodes start: in which family user data boots them, and what their launch templates ask EC2 for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from eks6check.catalog import rule
from eks6check.facts import Path, Places
from eks6check.facts.bootstrap import Boot, cluster_dns, ipv4_boot, is_ipv4
from eks6check.facts.karpenter import template_path
from eks6check.facts.kube import Resource, text, wire
from eks6check.facts.machines import all_groups, crowd, grouped, groups_of, machines, of_instance, once, primary
from eks6check.findings import Confidence, Problem, Severity

if TYPE_CHECKING:
    from eks6check.facts.aws import AutoScalingGroup, Cluster, Instance, LaunchTemplate, NodeGroup, Subnet

USER_DATA: Path = ("spec", "userData")
BY_EKSCTL = "eksctl-"
"""How the names of launch templates begin that eksctl writes, and will write anew for a cluster of another family."""


@rule
def bootstrap_without_ipv6(
    launch_templates: Sequence[LaunchTemplate] = (),
    node_classes: Sequence[Resource] = (),
    node_groups: Sequence[NodeGroup] = (),
    clusters: Sequence[Cluster] = (),
) -> Iterator[Problem]:
    """What EKS or eksctl writes follows the family of the cluster; what somebody wrote by hand does not."""
    today = _today(clusters)
    own = [each for each in launch_templates if _boots_by_itself(each, groups_of(each, node_groups))]
    for template in once(each for each in own if ipv4_boot(each.user_data or "")):
        if boot := ipv4_boot(template.user_data or ""):
            yield Problem(
                template,
                f"The user data of launch template {template} boots an IPv4 node{today}: {boot.reason}.",
                evidence={"launch_template": template.id, "version": template.version, "found": boot.find},
                remedy=boot.tool,
                also=tuple((group, ()) for group in groups_of(template, node_groups)),
            )
    for node_class in node_classes:
        if boot := _node_class_boot(node_class):
            yield Problem(
                node_class,
                f"The user data of {node_class} boots an IPv4 node{today}: {boot.reason}.",
                at=USER_DATA,
                find=boot.find,
                evidence={"found": boot.find},
                remedy=boot.tool,
            )


def _today(clusters: Sequence[Cluster]) -> str:
    """What to add where the fault is none yet, and only the new cluster will have it."""
    old = clusters and all(cluster.ip_family == "ipv4" for cluster in clusters)
    return " (right for today's IPv4 cluster, and what must change for the IPv6 one)" if old else ""


def _boots_by_itself(template: LaunchTemplate, groups: Sequence[NodeGroup]) -> bool:
    """Whether user data alone joins the node to its cluster: EKS adds its own where the image is one of EKS."""
    custom = bool(template.image_id) or any(group.ami_type == "CUSTOM" for group in groups)
    return (custom or not groups) and not _by_eksctl(template)


def _by_eksctl(template: LaunchTemplate) -> bool:
    return template.name.startswith(BY_EKSCTL)


def _node_class_boot(node_class: Resource) -> Boot | None:
    """Why a node class boots IPv4.

    Karpenter puts its own settings first, so nodeadm lets a range that the user names win. The rest of what a node is
    told comes from the user alone only where the image is one of no known family.
    """
    boot = ipv4_boot(text(node_class.get(*USER_DATA)))
    if boot and node_class.get("spec", "amiFamily") != "Custom" and boot.tool != "nodeadm":
        return None
    return boot


@rule
def kubelet_dns_is_ipv4(
    launch_templates: Sequence[LaunchTemplate] = (),
    node_classes: Sequence[Resource] = (),
    node_pools: Sequence[Resource] = (),
    node_groups: Sequence[NodeGroup] = (),
    clusters: Sequence[Cluster] = (),
) -> Iterator[Problem]:
    """Only the first name server counts: Karpenter and Bottlerocket take the node's family from it.

    Which name server wins where a node class has one in its user data depends on the image and Karpenter's release.
    """
    today = _today(clusters)
    own = [each for each in launch_templates if not _by_eksctl(each)]
    for template in once(each for each in own if is_ipv4(cluster_dns(each.user_data or ""))):
        address = cluster_dns(template.user_data or "")
        yield Problem(
            template,
            f"The user data of launch template {template} gives kubelet the IPv4 name server {address}{today}.",
            evidence={"launch_template": template.id, "version": template.version, "cluster_dns": address},
            remedy="user_data",
            also=tuple((group, ()) for group in groups_of(template, node_groups)),
        )
    for subject, at, address in _karpenter_dns(node_classes, node_pools):
        in_user_data = at == USER_DATA
        yield Problem(
            subject,
            f"{subject} gives kubelet the IPv4 name server {address}{today}.",
            at=at,
            find=address,
            evidence={"cluster_dns": address},
            key="user data" if in_user_data else "",
            confidence=Confidence.MEDIUM if in_user_data else Confidence.HIGH,
            remedy="user_data" if in_user_data else "",
        )


def _karpenter_dns(
    node_classes: Sequence[Resource], node_pools: Sequence[Resource]
) -> Iterator[tuple[Resource, Path, str]]:
    """Each place where Karpenter is told an IPv4 name server: the object, the path to the value, and the address."""
    places: list[tuple[Resource, Path]] = [(each, ("spec", "kubelet", "clusterDNS", 0)) for each in node_classes]
    for pool in node_pools:
        field = "kubeletConfiguration" if pool.kind == "Provisioner" else "kubelet"
        places.append((pool, (*template_path(pool), field, "clusterDNS", 0)))
    for resource, path in places:
        address = wire(resource.get(*path))
        if is_ipv4(address):
            yield resource, path, address
    for node_class in node_classes:
        address = cluster_dns(text(node_class.get(*USER_DATA)))
        if is_ipv4(address):
            yield node_class, USER_DATA, address


@rule
def launch_template_without_ipv6_address(  # noqa: PLR0913, PLR0917  a rule's parameters are the facts that it needs
    launch_templates: Sequence[LaunchTemplate],
    node_groups: Sequence[NodeGroup] = (),
    auto_scaling_groups: Sequence[AutoScalingGroup] = (),
    subnets: Sequence[Subnet] = (),
    clusters: Sequence[Cluster] = (),
    instances: Sequence[Instance] = (),
) -> Iterator[Problem]:
    """A template without interfaces leaves it to the subnets. With one, their own choice mostly counts still.

    Instances that have got their address show that it works. eksctl always declares the interface.
    """
    groups = all_groups(node_groups, auto_scaling_groups)
    assigning = {subnet.id for subnet in subnets if subnet.assign_ipv6_address_on_creation}
    asking = [each for each in launch_templates if _asks_for_ipv4_only(each) and not _by_eksctl(each)]
    for template in once(each for each in asking if not _gives_ipv6(each, groups_of(each, node_groups), instances)):
        users = groups_of(template, groups)
        used = {subnet_id for group in users for subnet_id in group.subnet_ids}
        assigned = bool(used) and used <= assigning
        rest = " Its subnets assign one on creation, which should not be relied on here." if assigned else ""
        yield Problem(
            template,
            f"Launch template {template} declares its network interface and asks for no IPv6 address"
            f"{_today(clusters)}.{rest}",
            evidence={
                "launch_template": template.id,
                "version": template.version,
                "subnets": sorted(used),
            },
            severity=Severity.WARNING if assigned else Severity.BLOCKER,
            confidence=Confidence.MEDIUM if assigned else Confidence.HIGH,
            also=tuple((group, ()) for group in users),
        )


def _asks_for_ipv4_only(template: LaunchTemplate) -> bool:
    """Whether a template declares the primary interface without an IPv6 address; a prefix is none."""
    interface = primary(template.network_interfaces)
    return interface is not None and not interface.ipv6_address_count


def _gives_ipv6(template: LaunchTemplate, users: Sequence[NodeGroup], instances: Sequence[Instance]) -> bool:
    """Whether this version of a template has launched instances, and all of them hold an IPv6 address.

    EKS launches a managed group's from a copy of the template, so those are known by their group.
    """
    launched = [
        primary(each.network_interfaces)
        for each in instances
        if of_instance(each).managed_group in {group.id for group in users}
        or (
            of_instance(each).template == template.id
            and each.tags.get("aws:ec2launchtemplate:version", template.version) == template.version
        )
    ]
    return bool(launched) and all(interface and interface.ipv6_addresses for interface in launched)


@rule
def launch_template_metadata_off(
    launch_templates: Sequence[LaunchTemplate] = (),
    instances: Sequence[Instance] = (),
    node_groups: Sequence[NodeGroup] = (),
    auto_scaling_groups: Sequence[AutoScalingGroup] = (),
) -> Iterator[Problem]:
    """Instances that no such template explains are told too, by their group."""
    groups = all_groups(node_groups, auto_scaling_groups)
    off = [each for each in launch_templates if each.metadata_options.http_endpoint == "disabled"]
    for template in once(off):
        also: Places = tuple((group, ()) for group in groups_of(template, groups))
        yield Problem(
            template,
            f"Launch template {template} turns instance metadata off, so its nodes cannot learn their addresses.",
            evidence={"launch_template": template.id, "version": template.version, "http_endpoint": "disabled"},
            also=also,
        )
    told = {each.id for each in off} | {group.id for each in off for group in groups_of(each, groups)}
    loose = [
        each for each in machines(instances, ()) if not told & {each.template, each.managed_group, each.scaling_group}
    ]
    silent = {each.id for each in instances if each.metadata_options.http_endpoint == "disabled"}
    for same in grouped((each for each in loose if each.fact.subject.id in silent), lambda each: each.group):
        yield Problem(
            same[0].fact,
            f"{crowd(same)} has instance metadata off, and a node made like it cannot learn its addresses.",
            evidence={"instances": [each.fact.subject.id for each in same], "http_endpoint": "disabled"},
            remedy="instance",
            also=tuple((each.fact, ()) for each in same[1:]),
        )
