"""Other CNIs than Amazon's: Calico and Cilium, whose pools and switches are for IPv4 alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from eks6check.catalog import rule
from eks6check.facts.kube import Resource, mapping, sequence, text, wire
from eks6check.findings import Problem

PRODUCTS = {"IPPool": "Calico", "Installation": "Calico", "CiliumPodIPPool": "Cilium"}


@rule
def other_cni_ipv4_pools(ip_pools: Sequence[Resource] = (), config_maps: Sequence[Resource] = ()) -> Iterator[Problem]:
    """A pod gets an address from a pool, so a CNI with IPv4 pools alone gives none in IPv6."""
    for product in ("Calico", "Cilium"):
        pools = [each for each in ip_pools if PRODUCTS.get(each.kind) == product and not _is_unused(each)]
        if product == "Calico" and any(_leaves_addresses_to_others(each) for each in ip_pools):
            continue
        blocks = {index: _blocks(pool) for index, pool in enumerate(pools)}
        ipv4 = [(pools[index], found) for index, found in blocks.items() if found]
        if ipv4 and not any(":" in block for _, found in ipv4 for block in found):
            ipv4.sort(key=lambda pair: (pair[0].subject.id, pair[0].origin.file))
            first, rest = ipv4[0][0], ipv4[1:]
            named = sorted({block for _, found in ipv4 for block in found})
            yield Problem(
                first,
                f"{first} gives pods {', '.join(named)}, and no pool of {product} in view has an IPv6 block.",
                at=("spec",),
                evidence={"product": product, "blocks": named},
                remedy=product,
                also=tuple((pool, ("spec",)) for pool, _ in rest),
            )
    yield from filter(None, map(_cilium_without_ipv6, config_maps))


def _is_unused(pool: Resource) -> bool:
    return pool.get("spec", "disabled") is True


def _leaves_addresses_to_others(installation: Resource) -> bool:
    """Whether Calico enforces policies only: addresses are the VPC CNI's matter then."""
    return text(installation.get("spec", "cni", "type")) not in ("", "Calico")


def _blocks(pool: Resource) -> list[str]:
    if pool.kind == "IPPool":
        found = [pool.get("spec", "cidr")]
    elif pool.kind == "Installation":
        found = [mapping(each).get("cidr") for each in pool.list("spec", "calicoNetwork", "ipPools")]
    else:
        families = (mapping(pool.get("spec", family)) for family in ("ipv4", "ipv6"))
        found = [block for family in families for block in sequence(family.get("cidrs"))]
    return [block for block in map(text, found) if block]


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
