"""What runs on top of the VPC CNI: security groups for pods, and the network policy agent beside it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from eks6check.catalog import rule
from eks6check.facts import Fact, Places
from eks6check.facts.cluster_dns import runs_node_cache
from eks6check.facts.kube import Container, Resource, containers, text
from eks6check.facts.load_balancing import flag
from eks6check.facts.patterns import regex
from eks6check.facts.versions import repository, version
from eks6check.facts.vpc_cni import TRUE, Cni, configured, daemon_sets, reported
from eks6check.findings import Problem, Severity

if TYPE_CHECKING:
    from eks6check.facts.aws import Addon, Cluster, Instance

POD_GROUPS_FLOOR = (1, 16, 0)
"""Security groups for pods in IPv6: changelog of amazon-vpc-cni-k8s and EKS user guide, read 2026-11-22."""

MODE = "POD_SECURITY_GROUP_ENFORCING_MODE"
EARLY_DEMUX = "DISABLE_TCP_EARLY_DEMUX"

BURSTABLE = regex(r"t[0-9]\w*\.")
"""The t families have no trunk interface, in any generation: EKS user guide, security groups for pods, 2026-11-22."""

INSTANCE_TYPE = "node.kubernetes.io/instance-type"
KUBE_PROXY_MODE = regex(r"^mode:[ \t]*[\"']?(\w+)", re.MULTILINE)
AGENT_IMAGE = "aws-network-policy-agent"


@rule
def security_groups_for_pods_limits(  # noqa: PLR0913, PLR0917  each section holds one of the limits
    workloads: Sequence[Resource] = (),
    addons: Sequence[Addon] = (),
    security_group_policies: Sequence[Resource] = (),
    config_maps: Sequence[Resource] = (),
    nodes: Sequence[Resource] = (),
    instances: Sequence[Instance] = (),
) -> Iterator[Problem]:
    """In IPv6 they take CNI 1.16.0, instance types with a trunk, and in strict mode much of the node's own set-up."""
    cnis = configured(workloads, addons)
    policies = [each.name for each in sorted(security_group_policies, key=lambda each: each.subject.id)]
    using = [each for each in cnis if each.on("ENABLE_POD_ENI")]
    old = [
        each
        for each in cnis
        if (version(each.version) or POD_GROUPS_FLOOR) < POD_GROUPS_FLOOR
        and (each in using or (policies and each.unknown("ENABLE_POD_ENI")))
    ]
    for cni, also in reported(old):
        yield Problem(
            cni.fact,
            f"{cni} runs the VPC CNI {cni.version}, and security groups for pods need 1.16.0 or newer in IPv6.",
            at=cni.path,
            evidence={"version": cni.version, "floor": "1.16.0", "policies": policies},
            key="version",
            remedy="version",
            also=also,
        )
    for cni in filter(_is_strict, using):
        faults = list(_against_strict_mode(cni, workloads, addons, config_maps))
        if faults:
            yield Problem(
                cni.fact,
                f"{cni} enforces security groups for pods in strict mode, and {'; '.join(said for said, _ in faults)}.",
                at=cni.at("ENABLE_POD_ENI"),
                evidence={"mode": "strict", "faults": [said for said, _ in faults], "policies": policies},
                key="strict",
                also=tuple(place for _, places in faults for place in places),
            )
    if using:
        yield from _without_trunk(nodes, instances, policies)


def _is_strict(cni: Cni) -> bool:
    """Strict is the default, in force unless the setting says otherwise or can still come from elsewhere."""
    return cni.settings[MODE].value == "strict" if MODE in cni.settings else not cni.open


def _against_strict_mode(
    cni: Cni, workloads: Sequence[Resource], addons: Sequence[Addon], config_maps: Sequence[Resource]
) -> Iterator[tuple[str, Places]]:
    demux = cni.init.get(EARLY_DEMUX)
    if (demux is None and not cni.open) or (demux and demux.value is not None and demux.value not in TRUE):
        yield f"{EARLY_DEMUX} is not true on its init container, so kubelet's probes do not reach such pods", ()
    for fact, mode in _proxy_modes(config_maps, addons):
        if mode not in ("", "iptables"):
            yield f"kube-proxy runs in {mode} mode, where strict mode needs iptables", ((fact, ()),)
            break
    caches = [each for each in workloads if runs_node_cache(each)]
    if caches:
        yield "such pods do not reach NodeLocal DNS", tuple((each, ()) for each in caches)


def _proxy_modes(config_maps: Sequence[Resource], addons: Sequence[Addon]) -> Iterator[tuple[Fact, str]]:
    for addon in addons:
        if addon.id == "kube-proxy":
            yield addon, text(addon.configuration.get("mode"))
    for config_map in config_maps:
        if (config_map.namespace, config_map.name) == ("kube-system", "kube-proxy-config"):
            found = KUBE_PROXY_MODE.search(text(config_map.get("data", "config")))
            yield config_map, found[1] if found else ""


def _without_trunk(
    nodes: Sequence[Resource], instances: Sequence[Instance], policies: Sequence[str]
) -> Iterator[Problem]:
    """One problem where no node in view can have a trunk: a few that cannot are left out by the scheduler."""
    labelled: list[tuple[Fact, str]] = [(node, text(node.labels.get(INSTANCE_TYPE))) for node in nodes]
    typed: list[tuple[Fact, str]] = [(instance, instance.instance_type) for instance in instances]
    known = sorted(((fact, name) for fact, name in labelled or typed if name), key=lambda found: found[0].subject.id)
    if known and all(BURSTABLE.match(name) for _, name in known):
        names = sorted({name for _, name in known})
        yield Problem(
            known[0][0],
            f"{known[0][0]} is of type {known[0][1]}, as all nodes in view are of a t family ({', '.join(names)}): "
            "none can have the trunk interface that security groups for pods need.",
            evidence={"instance_types": names, "policies": list(policies)},
            key="trunk",
            remedy="trunk",
            also=tuple((fact, ()) for fact, _ in known[1:]),
        )


@rule
def policy_agent_without_ipv6(workloads: Sequence[Resource], clusters: Sequence[Cluster] = ()) -> Iterator[Problem]:
    """The agent filters the family that it is told; EKS tells it itself, a CNI of one's own must."""
    ipv6 = {each.fact.subject for each in daemon_sets(workloads) if each.on("ENABLE_IPv6")}
    family = any(cluster.ip_family == "ipv6" for cluster in clusters)
    for workload in workloads:
        agent = next(filter(_is_agent, containers(workload)), None)
        if agent and (workload.subject in ipv6 or (family and workload.origin.source == "cluster")):
            told = _switch(agent, "--enable-ipv6")
            if told not in TRUE:
                policies = _switch(agent, "--enable-network-policy") in TRUE
                does = "network policies leave IPv6 alone" if policies else "once network policies are on, IPv6 is left"
                yield Problem(
                    workload,
                    f"{workload} runs the network policy agent {'without' if told is None else 'with'} "
                    f"--enable-ipv6{'' if told is None else f'={told}'} in an IPv6 cluster, so {does}.",
                    at=agent.path,
                    evidence={"enable-ipv6": told, "enable-network-policy": policies},
                    severity=Severity.WARNING if policies else Severity.INFO,
                )


def _is_agent(container: Container) -> bool:
    return repository(container.image) == AGENT_IMAGE


def _switch(container: Container, name: str) -> str | None:
    """The value of a Go switch, which the bare name turns on; None where it is not given."""
    bare = any(word == name for _, word in container.arguments())
    return "true" if bare else flag(container, name)
