"""EC2 instance types: which hypervisor they run on, their shape, and the pod counts that tools derive from it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING

from eks6check.facts.patterns import regex
from eks6check.knowledge import data

if TYPE_CHECKING:
    from eks6check.facts.aws import InstanceType
    from eks6check.facts.karpenter import Requirement

NAME = regex(r"(?P<category>[a-z]+)(?:-[0-9]+tb)?(?P<generation>[0-9]+)(?P<attributes>[a-z0-9-]*)\.(?P<size>.+)")
"""The parts of a type's name, split where Karpenter splits them: ``c7gd.large`` is c, 7, gd and large."""

SMALL_VCPUS = 30
SMALL_PODS = 110
LARGE_PODS = 250
"""AWS advises 110 pods at most up to 30 vCPUs, and 250 above (max-pods-calculator.sh of the EKS AMI)."""


@cache
def recorded() -> Mapping[str, InstanceType]:
    """Every type in ``instance_types.json`` by name, the retired ones included. Read on first use."""
    held = data("instance_types")
    rows = {**held["types"], **held["absent_types"]}
    return MappingProxyType({name: _made(name, row) for name, row in rows.items()})


@cache
def retired() -> frozenset[str]:
    """The types that EC2 no longer lists: good to recognise, not on offer."""
    return frozenset(data("instance_types")["absent_types"])


def _made(name: str, row: list[str | int]) -> InstanceType:
    from eks6check.facts.aws import InstanceType  # noqa: PLC0415  files that name no type shall not pay for it

    hypervisor, vcpus, memory, architectures, interfaces, addresses = row
    metal = hypervisor == "metal"
    return InstanceType(
        id=name,
        hypervisor="" if metal else str(hypervisor),
        bare_metal=metal,
        vcpus=int(vcpus),
        memory_mib=int(memory),
        architectures=tuple(str(architectures).split()),
        network_interfaces=int(interfaces),
        ipv4_addresses_per_interface=int(addresses),
    )


def known(live: Iterable[InstanceType] = ()) -> Mapping[str, InstanceType]:
    """All known types by name; what EC2 said in this run wins over the file."""
    fresh = {each.id: each for each in live}
    return {**recorded(), **fresh} if fresh else recorded()


def xen(names: Iterable[str], live: Iterable[InstanceType] = ()) -> tuple[str, ...]:
    """Those of the names that are known to run on Xen, sorted. A type that nobody knows is not among them."""
    wanted = {name for name in names if name}
    types = known(live) if wanted else {}
    return tuple(sorted(name for name in wanted if name in types and types[name].hypervisor == "xen"))


def secondary_ip_pods(kind: InstanceType) -> int:
    """Pods by the IPv4 formula that nodeadm, Karpenter and Bottlerocket use: interfaces x (addresses - 1) + 2.

    0 where the interfaces are not known.
    """
    return kind.network_interfaces * (kind.ipv4_addresses_per_interface - 1) + 2 if kind.network_interfaces else 0


def prefix_pods(kind: InstanceType) -> int:
    """Pods by the IPv4 prefix formula, before any cap: interfaces x ((addresses - 1) x 16) + 2; 434 for m5.large.

    It counts /28 prefixes of 16 addresses and says nothing of an IPv6 node with its /80. 0 where nothing is known.
    """
    interfaces, addresses = kind.network_interfaces, kind.ipv4_addresses_per_interface
    return interfaces * ((addresses - 1) * 16) + 2 if interfaces else 0


def advised_pods(vcpus: int) -> int:
    """How many pods AWS advises at most for a node of that many vCPUs."""
    return SMALL_PODS if vcpus <= SMALL_VCPUS else LARGE_PODS


ACCELERATED = frozenset({"f", "g", "p"})
"""Categories whose types carry a GPU or FPGA: a type of another category is no replacement."""


def nitro_equivalents(name: str, types: Mapping[str, InstanceType]) -> tuple[str, ...]:
    """Up to two Nitro types that can stand in: the nearest in age, and the newest. Empty where none is near.

    Near is: same architecture, at least the memory, the same vCPUs or at most double, and the same category where it
    has any; among those the smallest step in vCPUs and memory.
    """
    old = types[name]
    category = _parts(name)[0]
    near = [each for each in types.values() if _fits(each, old)]
    same = [each for each in near if _parts(each.id)[0] == category]
    pool = same or ([] if category in ACCELERATED else [each for each in near if _parts(each.id)[0] in ("c", "m", "r")])
    if not pool:
        return ()
    step = min((each.vcpus, each.memory_mib) for each in pool)
    closest = [each.id for each in pool if (each.vcpus, each.memory_mib) == step]
    oldest = min(closest, key=lambda each: (_parts(each)[1], _plainness(each)))
    newest = min(closest, key=lambda each: (-_parts(each)[1], _plainness(each)))
    return tuple(dict.fromkeys((oldest, newest)))


def _fits(new: InstanceType, old: InstanceType) -> bool:
    shared = set(new.architectures) & set(old.architectures) & {"x86_64", "arm64"}
    enough = new.memory_mib >= old.memory_mib and old.vcpus <= new.vcpus <= old.vcpus * 2
    return new.hypervisor == "nitro" and bool(shared) and enough and new.id not in retired()


def _parts(name: str) -> tuple[str, int]:
    found = NAME.fullmatch(name)
    return (found["category"], int(found["generation"])) if found else (name, 0)


def _plainness(name: str) -> tuple[int, bool, str]:
    attributes = name.partition(".")[0].lstrip("abcdefghijklmnopqrstuvwxyz").lstrip("0123456789")
    return len(attributes), attributes != "i", name


GPU_LABELS = (
    "accelerator-count",
    "accelerator-manufacturer",
    "accelerator-name",
    "gpu-count",
    "gpu-manufacturer",
    "gpu-memory",
    "gpu-name",
)


def karpenter_labels(kind: InstanceType) -> Mapping[str, str | None]:
    """The labels by which Karpenter chooses a type, as far as they are known; None where it has no such label.

    The nodes count as Linux, because Windows has no IPv6 pods on any type.
    """
    found = NAME.fullmatch(kind.id)
    architecture = {"x86_64": "amd64", "arm64": "arm64"}
    labels: dict[str, str | None] = {
        "node.kubernetes.io/instance-type": kind.id,
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": next((architecture[each] for each in kind.architectures if each in architecture), None),
        "karpenter.k8s.aws/instance-cpu": str(kind.vcpus),
        "karpenter.k8s.aws/instance-family": kind.id.partition(".")[0],
        "karpenter.k8s.aws/instance-hypervisor": kind.hypervisor,
        "karpenter.k8s.aws/instance-memory": str(kind.memory_mib),
        "karpenter.k8s.aws/instance-size": kind.id.partition(".")[2],
    }
    for part in ("category", "generation"):
        labels[f"karpenter.k8s.aws/instance-{part}"] = found[part] if found else None
    return labels | (_xen_labels(kind) if kind.hypervisor == "xen" else {})


def admitted(wanted: Iterable[Requirement], types: Iterable[InstanceType]) -> Iterator[InstanceType]:
    """Those of the types that meet every requirement of a Karpenter pool, as far as their labels are known."""
    wanted = tuple(wanted)
    for kind in types:
        labels = karpenter_labels(kind)
        if all(requirement.admits(labels) for requirement in wanted):
            yield kind


def examples(names: Iterable[str], types: Mapping[str, InstanceType], count: int = 3) -> list[str]:
    """A few of the types: the smallest of each family, newest generation first."""
    families: dict[str, str] = {}
    for name in sorted(names, key=lambda name: (types[name].vcpus, types[name].memory_mib, name)):
        families.setdefault(name.partition(".")[0], name)
    return sorted(families.values(), key=lambda name: (-_parts(name)[1], name))[:count]


def _xen_labels(kind: InstanceType) -> dict[str, str | None]:
    category = _parts(kind.id)[0]
    labels: dict[str, str | None] = {
        "karpenter.k8s.aws/instance-cpu-manufacturer": "intel",
        "karpenter.k8s.aws/instance-encryption-in-transit-supported": "false",
    }
    if category not in ACCELERATED:
        labels |= dict.fromkeys(f"karpenter.k8s.aws/instance-{name}" for name in GPU_LABELS)
    if category not in ("f", "i"):
        labels["karpenter.k8s.aws/instance-local-nvme"] = None
    return labels
