"""Storage that the nodes of an IPv6 cluster cannot mount."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from eks6check.catalog import rule
from eks6check.facts import Path
from eks6check.facts.kube import Resource, text
from eks6check.findings import Problem, Severity

FSX_FOR_LUSTRE = "fsx.csi.aws.com"
"""The CSI driver that EKS does not support with IPv6: EKS user guide, read 2026-11-22."""

PLACES: dict[str, Path] = {
    "StorageClass": ("provisioner",),
    "PersistentVolume": ("spec", "csi", "driver"),
    "CSIDriver": ("metadata", "name"),
}
"""Where each kind names its driver."""


@rule
def fsx_lustre_volume(storage_classes: Sequence[Resource]) -> Iterator[Problem]:
    """One finding for each storage class, its volumes being further places; a driver that nothing uses is a warning."""
    named = [each for each in storage_classes if each.kind in PLACES and _driver(each) == FSX_FOR_LUSTRE]
    by_class = defaultdict(list)
    for each in sorted(named, key=_order):
        if each.kind != "CSIDriver":
            by_class[each.name if each.kind == "StorageClass" else _class(each)].append(each)
    drivers = [each for each in sorted(named, key=_order) if each.kind == "CSIDriver"]
    for first, *others in by_class.values():
        yield _problem(first, [*others, *drivers], Severity.BLOCKER)
    if drivers and not by_class:
        yield _problem(drivers[0], drivers[1:], Severity.WARNING)


def _driver(resource: Resource) -> str:
    return text(resource.get(*PLACES[resource.kind]))


def _class(volume: Resource) -> str:
    """The storage class of a volume; a volume without one stands for itself."""
    return text(volume.get("spec", "storageClassName")) or f"volume {volume.name}"


def _order(resource: Resource) -> tuple[bool, str, bool]:
    return resource.kind != "StorageClass", resource.subject.id, resource.origin.source != "manifests"


def _problem(subject: Resource, others: Sequence[Resource], severity: Severity) -> Problem:
    volumes = sum(each.kind == "PersistentVolume" for each in others)
    more = f" (and {volumes} volumes of the same class)" if volumes else ""
    what = "is the CSI driver of" if subject.kind == "CSIDriver" else "is for"
    return Problem(
        subject,
        f"{subject} {what} FSx for Lustre{more}: EKS does not support {FSX_FOR_LUSTRE} in an IPv6 cluster.",
        at=PLACES[subject.kind],
        evidence={"driver": FSX_FOR_LUSTRE},
        severity=severity,
        also=tuple((each, PLACES[each.kind]) for each in others),
    )
