"""The file of instance types: what it holds, and what is read off it."""

from __future__ import annotations

import pytest

from eks6check.knowledge.instance_types import (
    advised_pods,
    karpenter_labels,
    known,
    nitro_equivalents,
    recorded,
    retired,
    xen,
)


def test_every_type_is_nitro_xen_or_bare_metal() -> None:
    kinds = recorded().values()
    assert len(kinds) > 1400
    assert {kind.hypervisor for kind in kinds if not kind.bare_metal} == {"nitro", "xen"}
    assert {kind.hypervisor for kind in kinds if kind.bare_metal} == {""}
    assert all(kind.vcpus and kind.memory_mib and kind.architectures for kind in kinds)


@pytest.mark.parametrize(
    "name", ["m4.large", "t2.micro", "c4.xlarge", "r4.large", "i3.large", "x1e.xlarge", "d2.xlarge"]
)
def test_xen_families_are_xen(name: str) -> None:
    assert xen([name]) == (name,)


@pytest.mark.parametrize("name", ["p2.xlarge", "p3.2xlarge", "g3.4xlarge", "g3s.xlarge", "f1.2xlarge", "cc2.8xlarge"])
def test_retired_xen_types_are_still_recognised(name: str) -> None:
    assert xen([name]) == (name,)
    assert name in retired()


@pytest.mark.parametrize("name", ["i3.metal", "p3dn.24xlarge", "a1.large", "u-6tb1.56xlarge", "", "z9.huge"])
def test_others_are_not(name: str) -> None:
    assert xen([name]) == ()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("m4.large", ("m5.large", "m8i.large")),
        ("t2.micro", ("t3.micro", "t8i.micro")),
        ("t2.large", ("t3.large",)),
        ("i3.large", ("i3en.large", "i7i.large")),
        ("h1.2xlarge", ("m5.2xlarge", "m8i.2xlarge")),
        ("p2.xlarge", ()),
    ],
)
def test_a_nitro_type_of_the_same_shape(old: str, new: tuple[str, ...]) -> None:
    assert nitro_equivalents(old, known()) == new


def test_a_replacement_never_has_less() -> None:
    types = known()
    for name in xen(types):
        for other in nitro_equivalents(name, types):
            assert types[other].memory_mib >= types[name].memory_mib
            assert types[name].vcpus <= types[other].vcpus <= 2 * types[name].vcpus


def test_the_advice_changes_above_30_vcpus() -> None:
    assert [advised_pods(vcpus) for vcpus in (2, 30, 31, 96)] == [110, 110, 250, 250]


def test_labels_are_split_as_karpenter_splits_them() -> None:
    labels = karpenter_labels(recorded()["u-6tb1.112xlarge"])
    names = ("category", "generation", "family", "size")
    assert [labels[f"karpenter.k8s.aws/instance-{name}"] for name in names] == ["u", "1", "u-6tb1", "112xlarge"]
    assert karpenter_labels(recorded()["m7g.large"])["kubernetes.io/arch"] == "arm64"
