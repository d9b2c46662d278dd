"""Whom PostgreSQL admits."""

from __future__ import annotations

from typing import Any

import build
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eks6check.facts.pg_hba import without_ipv6
from eks6check.findings import Severity

READER = {
    "kind": "StatefulSet",
    "metadata": {"name": "postgres", "namespace": "shop"},
    "spec": {"template": {"spec": {"containers": [], "volumes": [{"name": "c", "configMap": {"name": "conf"}}]}}},
}


def config(text: str, **labels: str) -> dict[str, Any]:
    metadata = {"name": "conf", "namespace": "shop", "labels": labels}
    return {"kind": "ConfigMap", "metadata": metadata, "data": {"pg_hba.conf": text}}


@pytest.mark.parametrize(
    ("text", "severity"),
    [
        ("host all all 0.0.0.0/0 md5", Severity.BLOCKER),
        ("hostssl\tall\tall\t10.0.0.0/8\tscram-sha-256", Severity.BLOCKER),
        ("host all all 10.0.0.0 255.0.0.0 md5", Severity.BLOCKER),
        (
            "postgresql:\n  pg_hba:\n    - host all all 0.0.0.0/0 md5\n    - host replication r 10.0.0.0/8 md5",
            Severity.BLOCKER,
        ),
        ("host all all 0.0.0.0/0 md5\nhost all all ::1/128 trust", Severity.BLOCKER),
        ("host all all 0.0.0.0/0 md5\nhost all all ::/0 reject", Severity.BLOCKER),
        ("host all all 0.0.0.0/0 md5\n# host all all ::/0 md5", Severity.BLOCKER),
        ("host all all ::/0 md5\nhost replication repl 10.0.0.0/8 md5", Severity.WARNING),
        ("host shop shop ::/0 md5\nhost all all 10.0.0.0/8 md5", Severity.WARNING),
    ],
)
def test_a_line_for_ipv4_wants_one_for_ipv6_with_its_database_and_user(text: str, severity: Severity) -> None:
    judged = build.judge("APP010", config_maps=[config(text)], workloads=[READER])
    assert [finding.severity for finding in judged.findings] == [severity]


@pytest.mark.parametrize(
    "text",
    [
        "host all all 0.0.0.0/0 md5\nhost all all ::/0 md5",
        "host all all all scram-sha-256\nhost all all 10.0.0.0/8 md5",
        "host all all samenet md5\nhost shop shop 10.0.0.0/8 md5",
        "host shop,crm all ::/0 md5\nhost crm app 10.0.0.0/8 md5",
        "host all all .shop.svc.cluster.local md5\nhost all all 10.0.0.0/8 md5",
        "host all all $(POD_CIDR) md5\nhost all all 10.0.0.0/8 md5",
        "local all all trust\nhost all all 127.0.0.1/32 trust",
        "host all all 10.0.0.0/8 reject",
        "# host all all 0.0.0.0/0 md5",
        "the host of all 0.0.0.0/0 md5 sums",
        "host all all 0.0.0.0/0 whatever",
        "host: 0.0.0.0",
        "",
    ],
)
def test_admitted_clients_loopback_comments_and_other_texts_are_left_alone(text: str) -> None:
    assert not build.messages("APP010", config_maps=[config(text)], workloads=[READER])


def test_a_file_that_nobody_mounts_in_view_weighs_less() -> None:
    (finding,) = build.judge("APP010", config_maps=[config("host all all 0.0.0.0/0 md5")]).findings
    assert finding.severity is Severity.WARNING


def test_cloudnative_pg_adds_its_own_last_line() -> None:
    labels = {"cnpg.io/cluster": "shop"}
    assert not build.messages("APP010", config_maps=[config("host all all 0.0.0.0/0 md5", **labels)])


@pytest.mark.parametrize(
    ("line", "twin"),
    [
        ("host all all 0.0.0.0/0 md5", "host all all ::/0 md5"),
        ("host all all 0.0.0.0 0.0.0.0 md5", "host all all ::/0 md5"),
        ("host all app1 10.0.0.0/8 md5", "host all app1 POD_IPV6_BLOCK md5"),
    ],
)
def test_the_message_has_the_line_that_is_missing(line: str, twin: str) -> None:
    (message,) = build.messages("APP010", config_maps=[config(line)])
    assert f"`{twin}`" in message


@given(st.text(alphabet="host al0./:1\n,-") | st.text())
def test_no_text_raises(text: str) -> None:
    missing, _ = without_ipv6(f"host all all 10.0.0.0/8 md5\n{text}")
    assert all(line.twin for line in missing)
