"""FSx for Lustre as a class, as volumes and as a driver that is only there."""

from __future__ import annotations

from typing import Any

import pytest
from build import judge, messages

from eks6check.findings import Severity

FSX = "fsx.csi.aws.com"


def storage_class(name: str = "scratch", provisioner: Any = FSX) -> dict[str, Any]:
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": name},
        "provisioner": provisioner,
    }


def volume(name: str, of: str | None = "scratch", driver: Any = FSX) -> dict[str, Any]:
    spec = {"csi": {"driver": driver, "volumeHandle": "fs-0a1b2c3d"}, "storageClassName": of}
    return {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name}, "spec": spec}


def driver(name: str = FSX) -> dict[str, Any]:
    return {"apiVersion": "storage.k8s.io/v1", "kind": "CSIDriver", "metadata": {"name": name}}


def test_a_class_is_told_once_with_its_volumes() -> None:
    objects = [volume("a"), storage_class(), volume("b"), driver()]
    (finding,) = judge("STO001", storage_classes=objects).findings
    assert finding.severity is Severity.BLOCKER
    assert finding.subject.id == "storage.k8s.io/StorageClass/scratch"
    assert "and 2 volumes" in finding.message
    assert len(finding.locations) == 4


def test_volumes_without_a_class_in_view_stand_for_themselves() -> None:
    assert len(messages("STO001", storage_classes=[volume("a", None), volume("b", None)])) == 2
    assert len(messages("STO001", storage_classes=[volume("a", ""), volume("b"), volume("c")])) == 2


def test_a_driver_that_nothing_in_view_uses_is_a_warning() -> None:
    (finding,) = judge("STO001", storage_classes=[driver()]).findings
    assert finding.severity is Severity.WARNING
    assert finding.message.startswith(f"CSIDriver {FSX} is the CSI driver of FSx for Lustre: EKS does not support")
    (alone,) = messages("STO001", storage_classes=[storage_class()])
    assert alone.startswith("StorageClass scratch is for FSx for Lustre: EKS does not support")


@pytest.mark.parametrize(
    "other",
    [
        storage_class(provisioner="ebs.csi.aws.com"),
        storage_class(provisioner=["fsx.csi.aws.com"]),
        storage_class(name=FSX, provisioner="fsx.openzfs.csi.aws.com"),
        volume(FSX, driver="efs.csi.aws.com"),
        volume("a", driver=None),
        driver("fsx.openzfs.csi.aws.com"),
        {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "a"}, "spec": {"nfs": {"server": FSX}}},
    ],
)
def test_other_storage_is_left_alone(other: dict[str, Any]) -> None:
    assert messages("STO001", storage_classes=[other]) == []
