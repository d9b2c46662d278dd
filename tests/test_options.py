"""What the user asks for: which combinations make sense, and what is told of the old cluster."""

from __future__ import annotations

from pathlib import Path

import pytest
import whole

from eks6check.errors import UsageError
from eks6check.options import Options
from eks6check.sources import collect, given

MANIFEST = """\
apiVersion: v1
kind: ConfigMap
metadata: {name: shop}
data:
  shop.conf: |
    db_host = 10.9.0.7
"""


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({}, "nothing to judge"),
        ({"values": ("a.yaml",), "manifests": ("k8s",)}, "--values are for a chart"),
        (
            {"manifests": ("k8s",), "old_pod_cidr": ("10.0.0.1/8",)},
            "--old-pod-cidr 10.0.0.1/8",
        ),
        ({"manifests": ("k8s",), "old_service_cidr": ("fd00::/108",)}, "--old-service-cidr fd00::/108"),
        ({"manifests": ("k8s",), "vpc_cidr": ("10.0.0.0/16", "web")}, "--vpc-cidr web"),
        ({"manifests": ("k8s",), "old_service_cidr": ("172.20.0.0",)}, "--old-service-cidr 172.20.0.0"),
        ({"manifests": ("k8s",), "old_pod_cidr": ("0.0.0.0/0",)}, "--old-pod-cidr 0.0.0.0/0"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_hint(options: dict[str, tuple[str, ...]], told: str) -> None:
    with pytest.raises(UsageError) as raised:
        Options(**options)  # type: ignore[arg-type]
    assert told in raised.value.message
    assert raised.value.hint


def test_a_chart_is_something_to_judge() -> None:
    assert Options(helm=("charts/web",)).reads_files
    assert Options(kustomize=("overlays/prod",)).rendered == ("overlays/prod",)


def test_the_ranges_that_are_given_are_facts_with_their_option() -> None:
    options = Options(manifests=("k8s",), vpc_cidr=("10.0.0.0/16", "10.1.0.0/16"), old_pod_cidr=("100.64.0.0/16",))
    found = collect([(options, given.COLLECTORS)], ["old_ranges"])["old_ranges"].items
    assert [(each.role, each.origin.id) for each in found] == [
        ("pod", "--old-pod-cidr 100.64.0.0/16"),
        ("vpc", "--vpc-cidr 10.0.0.0/16"),
        ("vpc", "--vpc-cidr 10.1.0.0/16"),
    ]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ((), {("ADR004", "info")}),
        (("--vpc-cidr", "10.0.0.0/8"), {("ADR003", "warning")}),
        (("--old-pod-cidr", "10.9.0.0/16"), {("ADR003", "blocker")}),
        (("--old-service-cidr", "10.9.0.0/16,10.8.0.0/16", "--vpc-cidr", "10.0.0.0/8"), {("ADR003", "blocker")}),
        (("--old-service-cidr", "172.20.0.0/16"), {("ADR004", "info")}),
    ],
)
def test_what_is_told_of_the_old_cluster_sharpens_the_answer(
    arguments: tuple[str, ...], expected: set[tuple[str, str]], tmp_path: Path
) -> None:
    (tmp_path / "shop.yaml").write_text(MANIFEST, encoding="utf-8")
    report = whole.eks6check("lint", str(tmp_path), *arguments, "--format", "json").report
    assert {(each["rule"], each["severity"]) for each in report["findings"]} == expected
