"""The VPC CNI: its version, and the two modes that decide whether it starts in IPv6."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from ipaddress import IPv4Network, ip_network
from typing import TYPE_CHECKING

from eks6check.catalog import rule
from eks6check.facts import Places
from eks6check.facts.kube import Resource, text, wire
from eks6check.facts.network import SHARED_SPACE
from eks6check.facts.versions import version
from eks6check.facts.vpc_cni import configured, reported
from eks6check.findings import Confidence, Problem, Severity

if TYPE_CHECKING:
    from eks6check.facts.aws import Addon, Cluster, Instance, Subnet, Vpc

FLOOR = (1, 10, 1)
ADVISED = (1, 16, 0)

CHINA = ".amazonaws.com.cn/"
"""What image registries of the China regions have in their names; there are no IPv6 clusters, so nothing to keep."""


@rule
def prefix_delegation_off(
    workloads: Sequence[Resource] = (), addons: Sequence[Addon] = (), clusters: Sequence[Cluster] = ()
) -> Iterator[Problem]:
    """In IPv6 the CNI refuses to start without it. EKS turns it on itself in a new IPv6 cluster: today a note."""
    family = any(cluster.ip_family == "ipv6" for cluster in clusters)
    off = [
        each
        for each in configured(workloads, addons)
        if not each.on("ENABLE_PREFIX_DELEGATION") and not each.unknown("ENABLE_PREFIX_DELEGATION")
    ]
    for cni, also in reported(off):
        ipv6 = family or cni.on("ENABLE_IPv6")
        if not ipv6 and isinstance(cni.fact, Resource) and CHINA in text(cni.fact.get(*cni.path)):
            continue
        setting = cni.settings.get("ENABLE_PREFIX_DELEGATION")
        value = setting.value if setting else None
        said = f"has ENABLE_PREFIX_DELEGATION={value}" if setting else "does not set ENABLE_PREFIX_DELEGATION"
        means = (
            ", and in IPv6 the CNI does not start without prefix delegation."
            if ipv6
            else ", as IPv4 clusters do; EKS sets it to true in an IPv6 cluster, and this must not undo that."
        )
        yield Problem(
            cni.fact,
            f"{cni} {said}{means}",
            at=cni.at("ENABLE_PREFIX_DELEGATION"),
            evidence={"ENABLE_PREFIX_DELEGATION": value},
            severity=Severity.BLOCKER if ipv6 else Severity.INFO,
            remedy="today" if not ipv6 else "" if isinstance(cni.fact, Resource) else "add-on",
            also=also,
        )


@rule
def cni_version_below_ipv6(workloads: Sequence[Resource] = (), addons: Sequence[Addon] = ()) -> Iterator[Problem]:
    """IPv6 begins with 1.10.1; before 1.16.0 it lacks security groups for pods and years of repairs."""
    old = [each for each in configured(workloads, addons) if (version(each.version) or ADVISED) < ADVISED]
    for cni, also in reported(old):
        too_old = (version(cni.version) or ADVISED) < FLOOR
        need = "needs 1.10.1 at least" if too_old else "should have 1.16.0 or newer"
        yield Problem(
            cni.fact,
            f"{cni} runs the VPC CNI {cni.version}; an IPv6 cluster {need}.",
            at=cni.path,
            evidence={"version": cni.version, "floor": "1.10.1", "advised": "1.16.0"},
            severity=Severity.BLOCKER if too_old else Severity.WARNING,
            remedy="daemon-set" if isinstance(cni.fact, Resource) else "",
            also=also,
        )


@rule
def custom_networking_in_use(  # noqa: PLR0913, PLR0917  what it serves is told by subnets and groups together
    workloads: Sequence[Resource] = (),
    addons: Sequence[Addon] = (),
    eni_configs: Sequence[Resource] = (),
    subnets: Sequence[Subnet] = (),
    vpcs: Sequence[Vpc] = (),
    instances: Sequence[Instance] = (),
) -> Iterator[Problem]:
    """The CNI refuses to start with it in IPv6, where a node's /80 does what most had it for."""
    cnis = configured(workloads, addons)
    on = [each for each in cnis if each.on("AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG")]
    configs = sorted(eni_configs, key=lambda each: (each.subject.id, each.origin.file))
    purpose, sentence, evidence = purpose_of(configs, subnets, vpcs, instances)
    evidence = {**evidence, "eni_configs": [each.name for each in configs]}
    places: Places = tuple((each, ("spec",)) for each in configs)
    for cni, also in reported(on):
        yield Problem(
            cni.fact,
            f"{cni} turns custom networking on, and in IPv6 the CNI does not start with it. {sentence}",
            at=cni.at("AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG"),
            evidence={"AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG": True, **evidence},
            remedy=purpose,
            also=(*also, *places),
        )
    if configs and not on:
        yield Problem(
            configs[0],
            f"{configs[0]} is made for custom networking, which no CNI in view turns on; IPv6 has none. {sentence}",
            at=("spec",),
            evidence=evidence,
            severity=Severity.INFO if cnis else Severity.WARNING,
            confidence=Confidence.MEDIUM,
            remedy=purpose,
            also=places[1:],
        )


def purpose_of(
    configs: Sequence[Resource], subnets: Sequence[Subnet], vpcs: Sequence[Vpc], instances: Sequence[Instance]
) -> tuple[str, str, dict[str, object]]:
    """What custom networking seems to serve: the remedy for it, a sentence, and what speaks for it.

    Pod subnets outside the VPC's first block, or in 100.64.0.0/10, speak for a lack of addresses; security groups of
    the pods' own for isolation, though every example of an ENIConfig carries some: the groups that nodes have as well
    isolate nothing.
    """
    chosen = {text(config.get("spec", "subnet")) for config in configs}
    primary = [vpc.cidr_blocks[0] for vpc in vpcs if vpc.cidr_blocks]
    added = sorted(
        subnet.cidr_block or "" for subnet in subnets if subnet.id in chosen and _is_added(subnet.cidr_block, primary)
    )
    shared = {group for instance in instances for group in instance.security_group_ids}
    groups = sorted({wire(group) for config in configs for group in config.list("spec", "securityGroups")} - shared)
    isolated = f" Its security groups ({', '.join(groups)}) isolate pods besides: reassess that." if groups else ""
    if added:
        return (
            "exhaustion",
            f"It seems to serve a lack of addresses (pod subnets {', '.join(added)}), which IPv6 ends.{isolated}",
            {"subnets": added, "security_groups": groups},
        )
    if groups:
        seems = "seems to serve" if any(subnet.id in chosen for subnet in subnets) else "may serve"
        return (
            "isolation",
            f"It {seems} isolation (security groups {', '.join(groups)}), which needs another answer in IPv6.",
            {"security_groups": groups},
        )
    return "", "If it served a lack of addresses, IPv6 ends that; if isolation, choose another way.", {}


def _is_added(block: str | None, primary: Sequence[str]) -> bool:
    try:
        network = ip_network(block or "", strict=False)
        inside = [ip_network(each, strict=False) for each in primary]
    except ValueError:
        return False
    if not isinstance(network, IPv4Network):
        return False
    mine = [each for each in inside if isinstance(each, IPv4Network)]
    return network.subnet_of(SHARED_SPACE) or (bool(mine) and not any(network.subnet_of(each) for each in mine))
