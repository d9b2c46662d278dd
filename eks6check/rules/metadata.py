"""Instance metadata as nodes offer it: over which family, and how many hops away."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from eks6check.catalog import rule
from eks6check.facts import Fact, Path, Places
from eks6check.facts.karpenter import existing
from eks6check.facts.kube import Container, Resource, containers, mapping, on_host_network, sequence, text, wire
from eks6check.facts.machines import (
    AUTO_MODE_TAG,
    Machine,
    all_groups,
    crowd,
    grouped,
    groups_of,
    machines,
    of_instance,
    once,
)
from eks6check.facts.mentions import IMDS_IPV4, IMDS_IPV6, Mention, in_config_map, in_workload
from eks6check.facts.patterns import regex
from eks6check.findings import Problem

if TYPE_CHECKING:
    from eks6check.facts.aws import AutoScalingGroup, Instance, LaunchTemplate, NodeGroup

ENDPOINT_MODE = "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE"
MODE_IPV6 = regex(r"(?:aws_)?ec2_metadata_service_endpoint_mode\s*[=:]\s*[\"']?ipv6\b", re.IGNORECASE)
"""The same choice in a script or in the AWS configuration file."""


@rule
def depends_on_ipv6_metadata_endpoint(  # noqa: PLR0913, PLR0917  a rule's parameters are the sections that it reads
    launch_templates: Sequence[LaunchTemplate] = (),
    instances: Sequence[Instance] = (),
    node_groups: Sequence[NodeGroup] = (),
    node_classes: Sequence[Resource] = (),
    workloads: Sequence[Resource] = (),
    config_maps: Sequence[Resource] = (),
    auto_scaling_groups: Sequence[AutoScalingGroup] = (),
) -> Iterator[Problem]:
    """fd00:ec2::254 is not supported with EKS: keep nodes and pods on the IPv4 endpoint."""
    covered = set[str]()
    for template in once(each for each in launch_templates if _serves_ipv6(each)):
        groups = groups_of(template, all_groups(node_groups, auto_scaling_groups))
        covered |= {group.id for group in groups}
        also = tuple((group, ()) for group in groups)
        yield _switched_on(template, f"Launch template {template} turns", also=also)
    for node_class in node_classes:
        path = ("spec", "metadataOptions", "httpProtocolIPv6")
        if node_class.get(*path) == "enabled":
            yield _switched_on(node_class, f"{node_class} turns", at=path)
    told = {template.id for template in launch_templates}
    loose = [
        each
        for each in instances
        if _serves_ipv6(each)
        and not made_elsewhere(each, told, node_classes)
        and each.tags.get("eks:nodegroup-name") not in covered
    ]
    for same in grouped(machines(loose, ()), lambda each: each.group):
        subject, places = place(same, node_groups)
        yield _switched_on(subject, f"{crowd(same)} has", also=places)
    yield from _relying(workloads, config_maps)


def _serves_ipv6(fact: LaunchTemplate | Instance) -> bool:
    return fact.metadata_options.http_protocol_ipv6 == "enabled"


def _switched_on(subject: Fact, sentence: str, at: Path = (), also: Places = ()) -> Problem:
    return Problem(
        subject,
        f"{sentence} the IPv6 endpoint of instance metadata on, which EKS does not support; nothing may come to rely "
        "on it.",
        at=at,
        evidence={"http_protocol_ipv6": "enabled"},
        also=also,
    )


def _relying(workloads: Sequence[Resource], config_maps: Sequence[Resource]) -> Iterator[Problem]:
    for words, pattern in ((f"{ENDPOINT_MODE}=IPv6", MODE_IPV6), ("fd00:ec2::254", IMDS_IPV6)):
        found = [(each, mention) for each in workloads for mention in in_workload(each, pattern)]
        found += [(each, mention) for each in config_maps for mention in in_config_map(each, pattern)]
        if pattern is MODE_IPV6:
            found += [pair for each in (*workloads, *config_maps) for pair in _chosen_mode(each)]
        for resource, mention in found:
            yield Problem(
                resource,
                f"{resource} says {words} in {mention.where}, and EKS does not support the IPv6 metadata endpoint.",
                at=mention.path,
                find=mention.find,
                skip=mention.skip,
                evidence={"value": words, "in": mention.where},
                key=f"{words} {mention.where}",
                remedy="workload",
            )


def _chosen_mode(resource: Resource) -> Iterator[tuple[Resource, Mention]]:
    """The variable itself, in a container or in a ConfigMap that becomes the environment of one."""
    if text(resource.get("data", ENDPOINT_MODE)).lower() == "ipv6":
        yield resource, Mention(("data", ENDPOINT_MODE), f"key {ENDPOINT_MODE}")
    for container in containers(resource):
        for path, name, value in container.env():
            if name == ENDPOINT_MODE and value.lower() == "ipv6":
                yield resource, Mention(path, f"variable {name} of container {container.name}")


@rule
def metadata_hop_limit_hides_imds(  # noqa: PLR0913, PLR0917  a rule's parameters are the sections that it reads
    workloads: Sequence[Resource],
    launch_templates: Sequence[LaunchTemplate] = (),
    instances: Sequence[Instance] = (),
    node_groups: Sequence[NodeGroup] = (),
    node_classes: Sequence[Resource] = (),
    auto_scaling_groups: Sequence[AutoScalingGroup] = (),
) -> Iterator[Problem]:
    """A pod is one hop further away than its node, and an answer with hop limit 1 does not get there."""
    needing = sorted(
        ((workload, *need) for workload in workloads for need in imds_needs(workload)),
        key=lambda each: (each[0].origin.source != "manifests", each[0].subject.id, str(each[1])),
    )
    if not needing:
        return
    workload, _, reason = needing[0]
    more = f" ({len(needing) - 1} more need it)" if len(needing) > 1 else ""
    also = tuple((each, path) for each, path, _ in needing)
    for subject, at, sentence, places in _one_hop(
        launch_templates, instances, node_groups, node_classes, auto_scaling_groups
    ):
        yield Problem(
            subject,
            f"{sentence} a metadata hop limit of 1, and {workload} needs instance metadata: {reason}{more}.",
            at=at,
            evidence={"http_put_response_hop_limit": 1, "workloads": sorted({str(each[0]) for each in needing})},
            remedy="karpenter" if isinstance(subject, Resource) else "",
            also=(*places, *also),
        )


def imds_needs(workload: Resource) -> Iterator[tuple[Path, str]]:
    """Why a workload's pods need instance metadata, each with its place; nothing for pods on the node's own network."""
    if on_host_network(workload):
        return
    for container in containers(workload):
        missing = _missing_flags(container)
        if missing:
            yield (*container.path, "image"), f"the load balancer controller runs without {' and '.join(missing)}"
    for mention in in_workload(workload, IMDS_IPV4):
        yield mention.path, f"it names 169.254.169.254 in {mention.where}"


def _missing_flags(container: Container) -> list[str]:
    image = container.image.rpartition("/")[2].partition("@")[0].partition(":")[0]
    if image != "aws-load-balancer-controller":
        return []
    words = [word.lstrip("-") for _, word in container.arguments()]
    given = {word.partition("=")[0] for word in words if not word.endswith("=")}
    given |= {text(mapping(entry).get("name")) for entry in sequence(container.body.get("env"))}
    wanted = {
        "--aws-vpc-id": {"aws-vpc-id", "aws-vpc-tags"},
        "--aws-region": {"aws-region", "AWS_REGION", "AWS_DEFAULT_REGION"},
    }
    return [flag for flag, sources in wanted.items() if not given & sources]


def _one_hop(
    launch_templates: Sequence[LaunchTemplate],
    instances: Sequence[Instance],
    node_groups: Sequence[NodeGroup],
    node_classes: Sequence[Resource],
    auto_scaling_groups: Sequence[AutoScalingGroup],
) -> Iterator[tuple[Fact, Path, str, Places]]:
    """Each thing that must change, the path to the limit, a sentence's beginning, and further places."""
    for node_class in node_classes:
        if gives_one_hop(node_class):
            path = ("spec", "metadataOptions", "httpPutResponseHopLimit")
            yield node_class, existing(node_class, path), f"{node_class} has", ()
    told = {each.id for each in launch_templates if each.metadata_options.http_put_response_hop_limit is not None}
    for template in once(each for each in launch_templates if _is_near(each)):
        also = tuple((group, ()) for group in groups_of(template, all_groups(node_groups, auto_scaling_groups)))
        yield template, (), f"Launch template {template} sets", also
    covered = {group.id for each in launch_templates if each.id in told for group in groups_of(each, node_groups)}
    loose = [
        each
        for each in instances
        if _is_near(each)
        and not made_elsewhere(each, told, node_classes)
        and each.tags.get("eks:nodegroup-name") not in covered
    ]
    for same in grouped(machines(loose, ()), lambda each: each.group):
        subject, places = place(same, node_groups)
        yield subject, (), f"{crowd(same)} has", places


def _is_near(fact: LaunchTemplate | Instance) -> bool:
    options = fact.metadata_options
    return options.http_put_response_hop_limit == 1 and options.http_endpoint != "disabled"


def gives_one_hop(node_class: Resource) -> bool:
    """Whether Karpenter gives its nodes a hop limit of 1, as it does since v1 where none is set; before, that was 2."""
    options = mapping(node_class.get("spec", "metadataOptions"))
    limit = options.get("httpPutResponseHopLimit")
    if options.get("httpEndpoint") == "disabled":
        return False
    return node_class.kind == "EC2NodeClass" if limit is None else wire(limit) == "1"


def made_elsewhere(instance: Instance, templates: set[str], node_classes: Sequence[Resource]) -> bool:
    """Whether an instance follows a launch template or node class that is judged itself, or Auto Mode's own choice."""
    if instance.tags.get("aws:ec2launchtemplate:id") in templates or AUTO_MODE_TAG in instance.tags:
        return True
    return bool(node_classes and of_instance(instance).pool)


def place(same: Sequence[Machine], node_groups: Sequence[NodeGroup]) -> tuple[Fact, Places]:
    """What stands for machines of one group, and the further places: their node group, else the first of them."""
    group = next((group for group in node_groups if group.id == same[0].managed_group), None)
    members: list[Fact] = [machine.fact for machine in same]
    first, *others = [group, *members] if group else members
    return first, tuple((other, ()) for other in others)
