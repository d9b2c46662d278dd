"""Identity and metadata as workloads use them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from eks6check.catalog import rule
from eks6check.facts.kube import Resource, pod_spec
from eks6check.facts.mentions import IMDS_IPV4, in_config_map, in_workload
from eks6check.findings import Problem


@rule
def metadata_address_literal(
    workloads: Sequence[Resource] = (), config_maps: Sequence[Resource] = ()
) -> Iterator[Problem]:
    """The address answers a pod through its IPv4 egress only. Pods on the node's own network reach it as ever."""
    found = [
        (workload, mention)
        for workload in workloads
        if pod_spec(workload)[1].get("hostNetwork") is not True
        for mention in in_workload(workload, IMDS_IPV4)
    ]
    found += [(config_map, mention) for config_map in config_maps for mention in in_config_map(config_map, IMDS_IPV4)]
    for resource, mention in found:
        yield Problem(
            resource,
            f"{resource} names the metadata address 169.254.169.254 in {mention.where}: an IPv6 pod reaches it through "
            "its IPv4 egress only, and with IMDSv2 only at a hop limit of 2 or more.",
            at=mention.path,
            find=mention.find,
            skip=mention.skip,
            evidence={"address": "169.254.169.254", "in": mention.where},
            key=mention.where,
        )
