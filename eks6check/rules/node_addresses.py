"""Addresses of a node itself: the prefix that its pods share, and the range that the CNI keeps for its own use."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from eks6check.catalog import rule
from eks6check.facts.kube import Resource
from eks6check.facts.machines import all_groups, crowd, grouped, groups_of, machines, once, primary
from eks6check.facts.mentions import in_config_map, in_workload
from eks6check.facts.patterns import regex
from eks6check.findings import Confidence, Problem

if TYPE_CHECKING:
    from eks6check.facts.aws import AutoScalingGroup, Instance, LaunchTemplate, NodeGroup

OWN_RANGE = regex(
    r"""(?<![\w.])169\.254\.(?:
        17[2-5]\.\d{1,3}(?:/(?:1[7-9]|2\d|3[0-2]))?  # inside; all below are blocks that reach as far as it
        |(?:16[89]|17[01])\.\d{1,3}/(?:1[7-9]|2[01])
        |16[0-7]\.\d{1,3}/(?:1[7-9]|20)
        |1(?:7[6-9]|8\d|9[01])\.\d{1,3}/1[789]
        |1(?:2[89]|[345]\d)\.\d{1,3}/1[78]
        |(?:19[2-9]|2\d\d)\.\d{1,3}/17
    )(?!\w|\.\w|/)""",
    re.VERBOSE,
)
"""Addresses of 169.254.172.0/22, and blocks that overlap it down to a /17. 169.254.0.0/16 is no claim: it means all of
link-local, as lists of private ranges have it. The /22 is fixed in the CNI (cmd/aws-vpc-cni/main.go, read 2026-11-22).
"""


@rule
def node_local_range_in_use(
    workloads: Sequence[Resource] = (), config_maps: Sequence[Resource] = ()
) -> Iterator[Problem]:
    """In IPv6 the CNI gives each pod an IPv4 address of that range for its way out; whoever else uses it collides."""
    found = [(each, mention) for each in workloads for mention in in_workload(each, OWN_RANGE)]
    found += [(each, mention) for each in config_maps for mention in in_config_map(each, OWN_RANGE)]
    for resource, mention in found:
        yield Problem(
            resource,
            f"{resource} names {mention.find} in {mention.where}; the CNI of an IPv6 node keeps 169.254.172.0/22 for "
            "the IPv4 egress of pods.",
            at=mention.path,
            find=mention.find,
            skip=mention.skip,
            evidence={"value": mention.find, "in": mention.where},
            key=mention.where,
            confidence=Confidence.MEDIUM,
        )


@rule
def several_prefixes_on_node(
    instances: Sequence[Instance] = (),
    launch_templates: Sequence[LaunchTemplate] = (),
    node_groups: Sequence[NodeGroup] = (),
    auto_scaling_groups: Sequence[AutoScalingGroup] = (),
) -> Iterator[Problem]:
    """Only the primary interface counts, and its first /80 alone holds more pods than any node can run."""
    groups = all_groups(node_groups, auto_scaling_groups)
    told = set[str]()
    for template in once(each for each in launch_templates if _prefixes_asked(each) > 1):
        users = groups_of(template, groups)
        told |= {template.id, *(group.id for group in users)}
        asked = _prefixes_asked(template)
        yield Problem(
            template,
            f"Launch template {template} asks for {asked} IPv6 prefixes on the primary interface; pods use one.",
            evidence={"launch_template": template.id, "ipv6_prefix_count": asked},
            remedy="template",
            also=tuple((group, ()) for group in users),
        )
    interfaces = {each.id: found for each in instances if (found := primary(each.network_interfaces))}
    loose = [
        each
        for each in machines(instances, ())
        if each.fact.subject.id in interfaces
        and len(interfaces[each.fact.subject.id].ipv6_prefixes) > 1
        and not told & {each.template, each.managed_group, each.scaling_group}
    ]
    for same in grouped(loose, lambda each: each.group):
        interface = interfaces[same[0].fact.subject.id]
        own = interface.ipv6_prefixes
        yield Problem(
            same[0].fact,
            f"{crowd(same)} has {len(own)} IPv6 prefixes on its primary interface ({', '.join(own)}); pods use one.",
            evidence={"prefixes": list(own), "spare": own[-1], "interface": interface.id},
            also=tuple((each.fact, ()) for each in same[1:]),
        )


def _prefixes_asked(template: LaunchTemplate) -> int:
    interface = primary(template.network_interfaces)
    return interface.ipv6_prefix_count if interface else 0
