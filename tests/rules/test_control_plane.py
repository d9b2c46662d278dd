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


def test_the_new_cluster_keeps_the_way_to_log_in() -> None:
    (one, two) = build.judge(
        "CTL001", clusters=[{"id": "a", "authentication_mode": "API"}, {"id": "b", "authentication_mode": ""}]
    ).findings
    assert "authenticationMode=API" in one.remedy
    assert "authenticationMode=CONFIG_MAP" in two.remedy


@pytest.mark.parametrize("region", ["cn-north-1", "cn-northwest-1"])
def test_a_china_region_makes_no_ipv6_cluster(region: str) -> None:
    (message,) = build.messages("CTL003", clusters=[{"id": "prod", "region": region}])
    assert message == f"Cluster prod is in {region}, and EKS makes no IPv6 cluster in a China region."


@pytest.mark.parametrize("region", ["eu-west-1", "us-gov-west-1", "ca-central-1", ""])
def test_every_other_region_does(region: str) -> None:
    assert build.messages("CTL003", clusters=[{"id": "prod", "region": region}]) == []


def test_a_local_cluster_is_told_by_its_outposts_and_others_are_not() -> None:
    outpost = "arn:aws:outposts:eu-west-1:111122223333:outpost/op-0ab1"
    clusters = [{"id": "prod", "outpost_arns": [outpost]}, {"id": "other"}]
    (message,) = build.messages("CTL004", clusters=clusters)
    assert outpost in message


def node(name: str, compute: object) -> dict[str, object]:
    labels = {"eks.amazonaws.com/compute-type": compute}
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name, "labels": labels}}


def test_a_cluster_with_remote_networks_is_one_finding_with_the_nodes_beside_it() -> None:
    clusters = [{"id": "prod", "remote_networks": ["10.85.0.0/16", "10.80.0.0/16"]}]
    (finding,) = build.judge("CTL005", clusters=clusters, nodes=[node("b", "hybrid"), node("a", "hybrid")]).findings
    assert "(10.80.0.0/16, 10.85.0.0/16), and 2 of them in view; hybrid nodes work in IPv4" in finding.message
    assert [place.id for place in finding.locations] == ["prod", "v1/Node/a", "v1/Node/b"]


def test_hybrid_nodes_alone_are_one_finding_at_the_first() -> None:
    (finding,) = build.judge("CTL005", nodes=[node("b", "hybrid"), node("a", "hybrid")]).findings
    assert finding.message.startswith("Node a is a hybrid node, and so are 1 more;")
    assert finding.subject.id == "v1/Node/a"


@pytest.mark.parametrize("compute", ["auto", "fargate", "Hybrid", None, 3, []])
def test_other_nodes_are_not_hybrid(compute: object) -> None:
    assert build.messages("CTL005", clusters=[{"id": "prod"}], nodes=[node("a", compute)]) == []
