"""The control plane: which family a cluster has, and whether its version knows another."""

from __future__ import annotations

import build
import pytest

from eks6check.findings import Severity, State


def test_an_ipv4_cluster_is_told_that_its_family_stays() -> None:
    outcome = build.judge("CTL001", clusters=[{"id": "prod", "subnet_ids": ["subnet-2", "subnet-1"]}])
    (finding,) = outcome.findings
    assert finding.message == "Cluster prod has the family ipv4 for life: the move is to a new cluster."
    assert finding.severity is Severity.INFO
    assert "subnetIds=subnet-1,subnet-2 " in finding.remedy


def test_an_ipv6_cluster_is_told_nothing() -> None:
    assert build.judge("CTL001", clusters=[{"id": "prod", "ip_family": "ipv6"}]).state is State.PASSED


@pytest.mark.parametrize("version", ["1.20", "1.9", "1.18.9-eks-d1db3c", "0.30"])
def test_a_version_below_1_21_is_refused(version: str) -> None:
    (message,) = build.messages("CTL002", clusters=[{"id": "prod", "version": version}])
    assert message == f"Cluster prod runs Kubernetes {version}, and the IPv6 family needs 1.21 or later."


@pytest.mark.parametrize("version", ["1.21", "1.34", "1.100", "2.0", "", "latest", "v1.20"])
def test_a_later_or_an_unreadable_version_is_left_alone(version: str) -> None:
    assert build.messages("CTL002", clusters=[{"id": "prod", "version": version}]) == []
