"""Tags of subnets: by which load balancers find them, and by which the CNI leaves them out."""

from __future__ import annotations

from typing import Any

import build
import pytest

from eks6check.findings import Confidence, Severity

ROLE, INTERNAL = "kubernetes.io/role/elb", "kubernetes.io/role/internal-elb"
CLUSTERS = [{"id": "prod", "vpc_id": "vpc-1"}]


def discovered(*subnets: dict[str, Any]) -> list[Any]:
    full = [
        {"vpc_id": "vpc-1", "available_ip_address_count": 100, "id": f"subnet-{number}", **each}
        for number, each in enumerate(subnets)
    ]
    return [*build.judge("VPC017", subnets=full, vpcs=[{"id": "vpc-1"}, {"id": "vpc-2"}], clusters=CLUSTERS).findings]


@pytest.mark.parametrize(("free", "said"), [(7, "has 7 free IPv4 addresses"), (1, "has 1 free IPv4 address,")])
def test_a_tagged_subnet_that_is_nearly_full_is_passed_over(free: int, said: str) -> None:
    (finding,) = discovered({"tags": {ROLE: "1"}, "available_ip_address_count": free})
    assert said in finding.message
    assert finding.subject.id == "subnet-0"


def test_a_full_subnet_is_passed_over_unharmed_beside_one_of_its_role_and_zone_with_room() -> None:
    full = {"tags": {ROLE: "1"}, "available_ip_address_count": 5, "availability_zone": "eu-west-1a"}
    roomy = {**full, "available_ip_address_count": 100}
    assert discovered(full, roomy) == []
    for other in ({**roomy, "availability_zone": "eu-west-1b"}, {**roomy, "tags": {INTERNAL: "1"}}):
        (finding,) = discovered(full, other)
        assert finding.subject.id == "subnet-0"


def test_a_vpc_where_no_subnet_has_a_role_is_one_finding() -> None:
    (finding,) = discovered({}, {"tags": {ROLE: "0"}}, {"tags": {ROLE: "1", "kubernetes.io/cluster/other": "shared"}})
    assert finding.subject.id == "vpc-1"
    assert (finding.severity, finding.confidence) == (Severity.INFO, Confidence.MEDIUM)
    assert "create-tags" in finding.remedy


@pytest.mark.parametrize(
    "subnets",
    [
        [{"tags": {ROLE: "1"}, "available_ip_address_count": 8}],
        [{"tags": {ROLE: ""}}, {}],
        [{"tags": {INTERNAL: "1"}}, {"available_ip_address_count": 0}],
        [{"tags": {ROLE: "1", "kubernetes.io/cluster/prod": "shared"}}],
        [{"vpc_id": "vpc-2"}],
        [],
    ],
)
def test_one_role_with_room_is_enough_and_other_vpcs_do_not_count(subnets: list[dict[str, Any]]) -> None:
    assert discovered(*subnets) == []


def excluded(version: str | None = "v1.22.0-eksbuild.1", value: str = "0", subnet: str = "subnet-1") -> list[Any]:
    return [
        *build.judge(
            "VPC018",
            subnets=[{"id": "subnet-1", "tags": {"kubernetes.io/role/cni": value}}],
            node_groups=[{"id": "workers", "subnet_ids": [subnet]}],
            addons=[{"id": "vpc-cni", "version": version}] if version is not None else [],
        ).findings
    ]


@pytest.mark.parametrize(
    ("version", "severity", "said"),
    [
        ("v1.22.0-eksbuild.1", Severity.BLOCKER, "the add-on runs v1.22.0-eksbuild.1."),
        ("v1.21.9-eksbuild.1", Severity.INFO, "the add-on runs v1.21.9-eksbuild.1."),
        (None, Severity.WARNING, "which version runs is not known."),
        ("latest", Severity.WARNING, "which version runs is not known."),
    ],
)
def test_the_tag_keeps_nodes_down_from_the_version_on_that_reads_it(
    version: str | None, severity: Severity, said: str
) -> None:
    (finding,) = excluded(version)
    assert finding.message.endswith(said)
    assert finding.severity is severity


def test_another_value_and_a_subnet_without_nodes_are_fine() -> None:
    assert excluded(value="1") == excluded(value="") == []
    assert excluded(subnet="subnet-2") == []


@pytest.mark.parametrize(("value", "count"), [("false", 0), (False, 0), ("true", 1), ("no", 1)])
def test_with_subnet_discovery_off_no_tag_is_read(value: object, count: int) -> None:
    addon = {"id": "vpc-cni", "version": "v1.22.0", "configuration": {"env": {"ENABLE_SUBNET_DISCOVERY": value}}}
    tagged = {"id": "subnet-1", "tags": {"kubernetes.io/role/cni": "0"}}
    groups = [{"id": "workers", "subnet_ids": ["subnet-1"]}]
    assert len(build.messages("VPC018", subnets=[tagged], node_groups=groups, addons=[addon])) == count


@pytest.mark.parametrize(("auto_mode", "count"), [(True, 0), (False, 1)])
def test_nodes_of_auto_mode_have_another_cni(*, auto_mode: bool, count: int) -> None:
    tagged = {"id": "subnet-1", "tags": {"kubernetes.io/role/cni": "0"}}
    node = {"id": "i-1", "subnet_id": "subnet-1", "tags": {"eks:kubernetes-node-pool-name": "general-purpose"}}
    clusters = [{"id": "prod", "auto_mode": auto_mode}]
    assert len(build.messages("VPC018", subnets=[tagged], instances=[node], clusters=clusters)) == count
