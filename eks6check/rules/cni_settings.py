"""The VPC CNI's variables: names that it does not read, and values that IPv6 does not bear."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from eks6check.catalog import rule
from eks6check.facts.kube import Resource, mapping, text
from eks6check.facts.patterns import regex
from eks6check.facts.versions import version
from eks6check.facts.vpc_cni import Cni, Setting, configured, reported
from eks6check.findings import Problem, Severity

if TYPE_CHECKING:
    from eks6check.facts.aws import Addon

MISSPELLED: Mapping[str, str] = {"ENABLE_IPV6": "ENABLE_IPv6", "ENABLE_IPV4": "ENABLE_IPv4"}
"""Names that nobody reads, with those that the CNI does: pkg/ipamd of amazon-vpc-cni-k8s 1.23.1, read 2026-11-22."""

EGRESS_SINCE = (1, 15, 1)
"""Before it the CNI does not read ENABLE_V4_EGRESS: its README, read 2026-11-22."""

RESOLVER_IPV6 = "fd00:ec2::253"
FORWARD = regex(r"^[ \t]*forward[ \t]+\.[ \t]+([^\n{]+)", re.MULTILINE)
"""Where CoreDNS sends what it does not know itself."""

MTU = ("AWS_VPC_ENI_MTU", "POD_MTU")
LEAST_MTU = 1280
"""Bytes: RFC 8200, section 5, and cmd/aws-vpc-cni of amazon-vpc-cni-k8s 1.23.1, which exits below."""

WARM = ("WARM_ENI_TARGET", "WARM_IP_TARGET", "WARM_PREFIX_TARGET", "MINIMUM_IP_TARGET")
SHIPPED = {"WARM_ENI_TARGET": "1", "WARM_PREFIX_TARGET": "1"}
"""Values that the CNI's own manifests carry, so that nobody chose them."""

STOPPERS = ("WARM_IP_TARGET", "WARM_PREFIX_TARGET", "MINIMUM_IP_TARGET")


@rule
def ipv6_variable_misspelled(workloads: Sequence[Resource] = (), addons: Sequence[Addon] = ()) -> Iterator[Problem]:
    """The names of the two switches have a small v; with a capital one they are other variables, which nobody reads."""
    wrong = [each for each in configured(workloads, addons) if _misspelled(each)]
    for cni, also in reported(wrong):
        names = _misspelled(cni)
        said = " and ".join(f"{name}={setting.value}" for name, setting in names.items())
        read = " and ".join(MISSPELLED[name] for name in names)
        yield Problem(
            cni.fact,
            f"{cni} sets {said}, which the CNI does not read: it looks for {read}, with a small v.",
            at=next(iter(names.values())).path,
            evidence={name: setting.value for name, setting in names.items()},
            remedy="" if isinstance(cni.fact, Resource) else "add-on",
            also=also,
        )


def _misspelled(cni: Cni) -> dict[str, Setting]:
    """The misspelled switches, but for those whose right name is set beside them to the same."""
    found: dict[str, Setting] = {}
    for part in (cni.init, cni.settings):
        for name, right in MISSPELLED.items():
            if name in part and part.get(right, Setting((), None)).value != part[name].value:
                found[name] = part[name]
    return found


@rule
def warm_targets_all_unset(workloads: Sequence[Resource]) -> Iterator[Problem]:
    """The entrypoint checks them with prefix delegation on, although nothing uses them in IPv6."""
    for cni in configured(workloads, ()):
        unset = all(not cni.unknown(name) and cni.number(name) <= 0 for name in STOPPERS)
        if cni.on("ENABLE_PREFIX_DELEGATION") and unset:
            first = next((name for name in STOPPERS if name in cni.settings), "ENABLE_PREFIX_DELEGATION")
            yield Problem(
                cni.fact,
                f"{cni} turns prefix delegation on and leaves {', '.join(STOPPERS)} unset or 0: the CNI exits.",
                at=cni.at(first),
                evidence={name: cni.settings[name].value if name in cni.settings else None for name in STOPPERS},
            )


@rule
def warm_targets_without_effect(workloads: Sequence[Resource] = (), addons: Sequence[Addon] = ()) -> Iterator[Problem]:
    """One /80 a node, once: there is no pool to keep warm."""
    tuned = [each for each in configured(workloads, addons) if _chosen(each)]
    for cni, also in reported(tuned):
        chosen = _chosen(cni)
        told = ", ".join(f"{name}={value}" for name, value in chosen.items())
        yield Problem(
            cni.fact,
            f"{cni} sets {told}, which does nothing in IPv6.",
            at=cni.at(next(iter(chosen))),
            evidence=dict(chosen),
            also=also,
        )


def _chosen(cni: Cni) -> dict[str, str]:
    values = {name: cni.settings[name].value or "" for name in WARM if cni.number(name) > 0}
    return {name: value for name, value in values.items() if SHIPPED.get(name) != value}


@rule
def ipv4_egress_off(workloads: Sequence[Resource], config_maps: Sequence[Resource] = ()) -> Iterator[Problem]:
    """Pods of an IPv6 cluster reach IPv4 through this egress only, and CoreDNS is one of them."""
    corefiles = sorted(filter(_is_corefile, config_maps), key=lambda each: (each.subject.id, each.origin.file))
    upstreams = [found.strip() for each in corefiles for found in FORWARD.findall(text(each.get("data", "Corefile")))]
    prepared = bool(upstreams) and all(RESOLVER_IPV6 in upstream for upstream in upstreams)
    names = (
        f"CoreDNS asks {RESOLVER_IPV6}, so names outside of the cluster are still found"
        if prepared
        else f"CoreDNS cannot ask {' or '.join(upstreams) or 'its upstream'} either, unless that has an IPv6 address"
    )
    for cni in configured(workloads, ()):
        if cni.off("ENABLE_V4_EGRESS") and (version(cni.version) or EGRESS_SINCE) >= EGRESS_SINCE:
            yield Problem(
                cni.fact,
                f"{cni} sets ENABLE_V4_EGRESS=false: in IPv6 its pods reach no IPv4 address, and {names}.",
                at=cni.at("ENABLE_V4_EGRESS"),
                evidence={"ENABLE_V4_EGRESS": cni.settings["ENABLE_V4_EGRESS"].value, "upstreams": upstreams},
                severity=Severity.INFO if prepared else Severity.WARNING,
                also=() if prepared else tuple((each, ("data", "Corefile")) for each in corefiles),
            )


def _is_corefile(config_map: Resource) -> bool:
    return (config_map.namespace, config_map.name) == ("kube-system", "coredns") and bool(
        mapping(config_map.get("data")).get("Corefile")
    )


@rule
def pod_ipv6_off(workloads: Sequence[Resource]) -> Iterator[Problem]:
    """In an IPv4 cluster it takes nothing from a pod; in an IPv6 one it takes its only address."""
    for cni in configured(workloads, ()):
        if cni.on("DISABLE_POD_V6"):
            yield Problem(
                cni.fact,
                f"{cni} sets DISABLE_POD_V6={cni.settings['DISABLE_POD_V6'].value}, which turns IPv6 off inside every "
                "pod: in an IPv6 cluster that is the only address that others reach it by.",
                at=cni.at("DISABLE_POD_V6"),
                evidence={"DISABLE_POD_V6": cni.settings["DISABLE_POD_V6"].value},
            )


@rule
def mtu_below_ipv6_minimum(workloads: Sequence[Resource]) -> Iterator[Problem]:
    """IPv6 asks every link for 1280 bytes, and in IPv6 the CNI's entrypoint exits below."""
    for cni in configured(workloads, ()):
        for name in MTU:
            value = cni.settings[name].value if name in cni.settings else None
            if value and re.fullmatch(r"[0-9]{1,4}", value) and int(value) < LEAST_MTU:
                yield Problem(
                    cni.fact,
                    f"{cni} sets {name}={value}, and in IPv6 the CNI does not start below {LEAST_MTU}.",
                    at=cni.at(name),
                    evidence={"variable": name, "mtu": value, "least": LEAST_MTU},
                    key=name,
                )


@rule
def both_families_set(workloads: Sequence[Resource]) -> Iterator[Problem]:
    """The CNI serves one family, and validates at its start that exactly one is on.

    ``ENABLE_IPv4`` must be written out for this to be sure: manifests older than the two variables have neither.
    """
    for cni in configured(workloads, ()):
        on = cni.on("ENABLE_IPv6")
        both, neither = on and cni.on("ENABLE_IPv4"), not on and cni.off("ENABLE_IPv4")
        if both or (neither and not cni.unknown("ENABLE_IPv6")):
            said = "true" if both else "false"
            yield Problem(
                cni.fact,
                f"{cni} has ENABLE_IPv4 and ENABLE_IPv6 both {said}, and the CNI starts with exactly one of them.",
                at=cni.at("ENABLE_IPv4"),
                evidence={
                    name: cni.settings[name].value if name in cni.settings else None
                    for name in ("ENABLE_IPv4", "ENABLE_IPv6")
                },
            )
