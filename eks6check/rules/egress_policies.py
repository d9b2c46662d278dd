"""Egress policies: the IPv4 path that they do not guard, and the Pod Identity agent that they shut off."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from ipaddress import IPv4Network
from typing import TYPE_CHECKING

from eks6check.catalog import rule
from eks6check.facts import Path
from eks6check.facts.addresses import IMDS
from eks6check.facts.kube import Resource, pod_labels
from eks6check.facts.lost_blocks import lost_blocks
from eks6check.facts.network_policies import (
    EGRESS,
    Block,
    Rule,
    adding_up,
    by_namespace,
    inside,
    opens_tcp,
    restricts,
    rules,
    selector_of,
    selects,
)
from eks6check.facts.pod_identity import AGENT_IPV4, AGENT_IPV6, AGENT_PORT, clients, identities, presumed
from eks6check.facts.vpc_cni import configured
from eks6check.findings import Confidence, Problem

if TYPE_CHECKING:
    from eks6check.facts.aws import Addon, PodIdentityAssociation

EVERYWHERE = IPv4Network("0.0.0.0/0")
LINK_LOCAL = IPv4Network("169.254.0.0/16")


@rule
def network_policy_misses_ipv4_egress(
    network_policies: Sequence[Resource], workloads: Sequence[Resource] = (), addons: Sequence[Addon] = ()
) -> Iterator[Problem]:
    """A policy is attached to the pod's first interface, and IPv4 leaves by another one."""
    if without_ipv4_egress(workloads, addons):
        return
    for namespace, policies in by_namespace(network_policies).items():
        confining = [each for each in policies if restricts(each, EGRESS) and not _opens_ipv4(each, policies)]
        if not confining:
            continue
        first, *others = sorted(confining, key=_openness)
        named = sorted({policy.name for policy in confining})
        more = f" (as do {len(named) - 1} more of its namespace)" if len(named) > 1 else ""
        yield Problem(
            first,
            f"{first} confines egress{more}, and that holds for IPv6 alone: pods of an IPv6 cluster have a second, "
            "unguarded way out to every IPv4 address, instance metadata included.",
            at=_spec_of(first),
            evidence={"namespace": namespace, "policies": named},
            also=tuple((policy, _spec_of(policy)) for policy in others),
        )


def without_ipv4_egress(workloads: Sequence[Resource], addons: Sequence[Addon]) -> bool:
    """Whether the VPC CNI is told to give IPv6 pods no way to IPv4."""
    return any(cni.off("ENABLE_V4_EGRESS") for cni in configured(workloads, addons))


def _opens_ipv4(policy: Resource, policies: Sequence[Resource]) -> bool:
    """Whether all of IPv4 is open by intention, metadata aside, of which POL004 speaks."""
    return any(_is_open(each) for one in adding_up(policy, policies) for each in rules(one, EGRESS))


def _is_open(each: Rule) -> bool:
    return not each.ports and (not each.peers or any(map(_is_all_but_metadata, each.blocks)))


def _is_all_but_metadata(block: Block) -> bool:
    return block.network == EVERYWHERE and all(inside(part, LINK_LOCAL) for part in block.excepted)


def _openness(policy: Resource) -> tuple[int, bool, str, bool]:
    """A key to sort by: what lets the least through first, then what selects all pods, then files."""
    selective = bool(selector_of(policy))
    return len(rules(policy, EGRESS)), selective, policy.subject.id, policy.origin.source != "manifests"


def _spec_of(policy: Resource) -> Path:
    return ("spec", "egress") if policy.get("spec", "egress") is not None else ("spec",)


@rule
def metadata_exception_without_effect(
    network_policies: Sequence[Resource], workloads: Sequence[Resource] = (), addons: Sequence[Addon] = ()
) -> Iterator[Problem]:
    """What no policy filters, no exception keeps out."""
    if without_ipv4_egress(workloads, addons):
        return
    for policy in network_policies:
        paths = [
            ((*block.path, "except", index), part)
            for each in rules(policy, EGRESS)
            for block in each.blocks
            for index, part in block.exceptions
            if inside(part, LINK_LOCAL) and IMDS in part and inside(part, block.network)
        ]
        if paths:
            path, part = paths[0]
            yield Problem(
                policy,
                f"{policy} excepts {part}, to keep pods from instance metadata: IPv6 pods reach it over IPv4, which no "
                "policy filters.",
                at=path,
                evidence={"except": str(part)},
                also=tuple((policy, other) for other, _ in paths[1:]),
            )


@rule
def network_policy_blocks_pod_identity(  # noqa: PLR0913, PLR0917  who uses Pod Identity is told by five sections
    network_policies: Sequence[Resource],
    workloads: Sequence[Resource] = (),
    pods: Sequence[Resource] = (),
    service_accounts: Sequence[Resource] = (),
    pod_identity_associations: Sequence[PodIdentityAssociation] = (),
    pod_identity_objects: Sequence[Resource] = (),
) -> Iterator[Problem]:
    """Egress has to reach the agent at the address that pods of an IPv6 cluster ask."""
    known = identities(pod_identity_associations, pod_identity_objects, (*pods, *workloads))
    sure = bool(known or pods)
    served = defaultdict(list)
    for workload in clients(workloads, known if sure else presumed(workloads), service_accounts):
        served[workload.namespace].append(workload)
    for namespace, policies in by_namespace(network_policies).items():
        confining = [each for each in policies if restricts(each, EGRESS)]
        for policy, shut_off in _shutting(confining, served[namespace]):
            yield _unreachable(policy, sorted(shut_off, key=str), sure=sure or not shut_off)


def _shutting(policies: Sequence[Resource], served: Sequence[Resource]) -> Iterator[tuple[Resource, list[Resource]]]:
    """The policies of a namespace that are to open the way to the agent, and the workloads that they keep from it."""
    shut_off = defaultdict(list)
    for workload in served:
        selecting = [each for each in policies if selects(each, pod_labels(workload))]
        if selecting and _shuts(selecting):
            shut_off[min(selecting, key=_specificity).subject].append(workload)
    told = set()
    for policy in policies:
        if policy.subject not in told and (
            policy.subject in shut_off or (_names_agent(policy) and _shuts(adding_up(policy, policies)))
        ):
            told.add(policy.subject)
            yield policy, shut_off[policy.subject]


def _names_agent(policy: Resource) -> bool:
    return any(block.network == IPv4Network(AGENT_IPV4) for each in rules(policy, EGRESS) for block in each.blocks)


def _shuts(policies: Sequence[Resource]) -> bool:
    """Whether policies together keep pods from the agent, and not just by IPv4 blocks, of which POL001 speaks."""
    opened = any(opens_tcp(each, AGENT_IPV6, AGENT_PORT) for policy in policies for each in rules(policy, EGRESS))
    return not opened and not any(lost_blocks(policy, EGRESS, policies) for policy in policies)


def _specificity(policy: Resource) -> tuple[bool, str, bool]:
    """A key to sort by: the policy that names its pods first, as the one to open."""
    return not selector_of(policy), policy.subject.id, policy.origin.source != "manifests"


def _unreachable(policy: Resource, shut_off: Sequence[Resource], *, sure: bool) -> Problem:
    named = list(dict.fromkeys(map(str, shut_off)))
    more = f" and {len(named) - 1} more" if len(named) > 1 else ""
    why = "which Pod Identity gives credentials" if sure else "which Pod Identity may give credentials"
    who = f"{named[0]}{more}, {why}," if named else "the pods that it selects"
    return Problem(
        policy,
        f"{policy} keeps {who} from the Pod Identity agent: pods of an IPv6 cluster ask for credentials at "
        f"[{AGENT_IPV6}]:{AGENT_PORT}, and no egress rule opens it.",
        at=_spec_of(policy),
        evidence={"needed": f"{AGENT_IPV6}/128", "port": AGENT_PORT, "workloads": named},
        confidence=Confidence.HIGH if sure else Confidence.MEDIUM,
        also=tuple((workload, ()) for workload in shut_off),
    )
