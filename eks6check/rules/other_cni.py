"""Other CNIs than Amazon's: Calico and Cilium, whose pools and switches are for IPv4 alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from eks6check.catalog import rule
from eks6check.facts.kube import Resource, containers, mapping, pod_spec, sequence, text, wire
from eks6check.facts.machines import COMPUTE_TYPE
from eks6check.findings import Problem

FELIX = "FELIX_IPV6SUPPORT"
"""The switch of Calico's agent, which wins over a FelixConfiguration; docs.tigera.io, Felix, read 2026-11-25."""

PRODUCTS = {"IPPool": "Calico", "Installation": "Calico", "CiliumPodIPPool": "Cilium"}
"""Whose pools they are, by the kind of object that holds them."""


@rule
def other_cni_ipv4_pools(
    ip_pools: Sequence[Resource] = (), config_maps: Sequence[Resource] = (), workloads: Sequence[Resource] = ()
) -> Iterator[Problem]:
    """A pod gets an address from a pool, so a CNI with IPv4 pools alone gives none in IPv6."""
    for product in ("Calico", "Cilium"):
        if product == "Cilium" or not any(map(_leaves_addresses_to_others, ip_pools)):
            yield from _without_ipv6(product, [each for each in ip_pools if PRODUCTS.get(each.kind) == product])
    hybrid = {each.namespace for each in workloads if each.name == "cilium" and _runs_on_hybrid_nodes(each)}
    yield from filter(None, (_cilium_without_ipv6(each) for each in config_maps if each.namespace not in hybrid))
    for workload in workloads:
        yield from _felix_without_ipv6(workload)


def _without_ipv6(product: str, pools: Sequence[Resource]) -> Iterator[Problem]:
    """One finding for all pools of a product, where there are blocks in them and none is IPv6."""
    giving = [each for each in pools if _blocks(each) and not _is_unused(each)]
    blocks = sorted({block for pool in giving for block in _blocks(pool)})
    if giving and not any(":" in block for block in blocks):
        first, *others = sorted(giving, key=lambda pool: (pool.subject.id, pool.origin.file))
        yield Problem(
            first,
            f"{first} gives pods {', '.join(blocks)}, and no pool of {product} in view has an IPv6 block.",
            at=("spec",),
            evidence={"product": product, "blocks": blocks},
            remedy=product,
            also=tuple((pool, ("spec",)) for pool in others),
        )


def _runs_on_hybrid_nodes(workload: Resource) -> bool:
    """Whether its pods are bound to hybrid nodes, which only IPv4 clusters have."""
    affinity = mapping(mapping(pod_spec(workload)[1].get("affinity")).get("nodeAffinity"))
    required = mapping(affinity.get("requiredDuringSchedulingIgnoredDuringExecution"))
    terms = [sequence(mapping(term).get("matchExpressions")) for term in sequence(required.get("nodeSelectorTerms"))]
    wanted = {"key": COMPUTE_TYPE, "operator": "In", "values": ["hybrid"]}
    return bool(terms) and all(wanted in expressions for expressions in terms)


def _is_unused(pool: Resource) -> bool:
    """Whether pods get no address of a pool: it is off, or Calico's for load balancers and tunnels."""
    uses = pool.list("spec", "allowedUses")
    return pool.get("spec", "disabled") is True or bool(uses and "Workload" not in uses)


def _leaves_addresses_to_others(installation: Resource) -> bool:
    """Whether Calico enforces policies only: addresses are the VPC CNI's matter then."""
    return text(installation.get("spec", "cni", "type")) not in ("", "Calico")


def _blocks(pool: Resource) -> list[str]:
    """The blocks out of which a pool, or an installation of Calico, gives addresses."""
    if pool.kind == "IPPool":
        found = [pool.get("spec", "cidr")]
    elif pool.kind == "Installation":
        found = [mapping(each).get("cidr") for each in pool.list("spec", "calicoNetwork", "ipPools")]
    else:
        families = (mapping(pool.get("spec", family)) for family in ("ipv4", "ipv6"))
        found = [block for family in families for block in sequence(family.get("cidrs"))]
    return [block for block in map(text, found) if block]


def _felix_without_ipv6(workload: Resource) -> Iterator[Problem]:
    """Calico's agent with its IPv6 turned off, as the manifests of its IPv4 set-ups have it."""
    for container in containers(workload):
        for path, name, value in container.env():
            if name == FELIX and value.lower() == "false":
                yield Problem(
                    workload,
                    f"{workload} sets {FELIX}={value}: Calico leaves IPv6 alone, and its policies do not hold for pods "
                    "of an IPv6 cluster.",
                    at=path,
                    evidence={"product": "Calico", FELIX: value, "container": container.name},
                    key=container.name,
                    remedy="felix",
                )


def _cilium_without_ipv6(config_map: Resource) -> Problem | None:
    data = mapping(config_map.get("data"))
    if config_map.name != "cilium-config" or wire(data.get("enable-ipv6")) != "false":
        return None
    ipam = text(data.get("ipam"))
    told = f", and takes addresses in {ipam} mode" if ipam else ""
    return Problem(
        config_map,
        f"{config_map} says enable-ipv6: false{told}: Cilium leaves IPv6 packets of pods alone, or gives none.",
        at=("data", "enable-ipv6"),
        evidence={"product": "Cilium", "enable-ipv6": "false", "ipam": ipam},
        remedy="switch",
    )
