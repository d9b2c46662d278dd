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
        ("host all all samehost md5\nhost all all 10.0.0.0/8 md5", Severity.BLOCKER),
        ("local all all trust\nhost all all 127.0.0.1/32 trust\nhost all all 10.0.0.0/8 md5", Severity.BLOCKER),
        ("hostnossl all all 0.0.0.0/0 reject\nhostssl all all 0.0.0.0/0 ldap ldapserver=x", Severity.BLOCKER),
        ("host all app1 ::/0 md5\nhost all app1,app2 10.0.0.0/8 md5", Severity.WARNING),
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
        "host all all 2001:db8::/32 md5",
        "host all all ::0/0 md5\nhost all all 0.0.0.0/0 md5",
        "host all app1,app2 ::/0 md5\nhost all app1 10.0.0.0/8 md5",
        "include pg_hba_more.conf",
        "host shop,crm all ::/0 md5\nhost crm app 10.0.0.0/8 md5",
        "host all all .shop.svc.cluster.local md5\nhost all all 10.0.0.0/8 md5",
        "host all all $(POD_CIDR) md5\nhost all all 10.0.0.0/8 md5",
        "local all all trust\nhost all all 127.0.0.1/32 trust",
        "host all all 10.0.0.0/8 reject",
        "# host all all 0.0.0.0/0 md5",
        '# as in "host all all 0.0.0.0/0 md5"',
        "the host of all 0.0.0.0/0 md5 sums",
        "host all all 0.0.0.0/0 whatever",
        "host: 0.0.0.0",
        "",
    ],
)
def test_admitted_clients_loopback_comments_and_other_texts_are_left_alone(text: str) -> None:
    assert not build.messages("APP010", config_maps=[config(text)], workloads=[READER])


def test_the_message_says_who_stays_outside() -> None:
    (nobody,) = build.messages("APP010", config_maps=[config("host all all 10.0.0.0/8 md5")])
    assert "no line admits anybody over IPv6" in nobody
    (one,) = build.messages("APP010", config_maps=[config("host crm crm ::/0 md5\nhost shop app 10.0.0.0/8 md5")])
    assert "no line admits user app on database shop over IPv6" in one


def test_a_file_that_nobody_mounts_in_view_weighs_less() -> None:
    (finding,) = build.judge("APP010", config_maps=[config("host all all 0.0.0.0/0 md5")]).findings
    assert finding.severity is Severity.WARNING


def test_cloudnative_pg_adds_its_own_last_line() -> None:
    labels = {"cnpg.io/cluster": "shop"}
    assert not build.messages("APP010", config_maps=[config("host all all 0.0.0.0/0 md5", **labels)])


SPILO = '{"bootstrap": {"pg_hba": ["local all all trust", "hostssl all all 0.0.0.0/0 md5"]}}'


def test_lines_in_a_variable_of_patroni_are_read() -> None:
    container = {"name": "postgres", "env": [{"name": "SPILO_CONFIGURATION", "value": SPILO}]}
    body = {
        "kind": "StatefulSet",
        "metadata": {"name": "p"},
        "spec": {"template": {"spec": {"containers": [container]}}},
    }
    (finding,) = build.judge("APP010", config_maps=[], workloads=[body]).findings
    assert finding.severity is Severity.BLOCKER
    assert "`hostssl all all 0.0.0.0/0 md5` in variable SPILO_CONFIGURATION" in finding.message


@pytest.mark.parametrize(
    ("kind", "patroni"),
    [
        ("postgresql", {"pg_hba": ["local all all trust", "hostssl all all 0.0.0.0/0 md5"]}),
        ("PostgresCluster", {"dynamicConfiguration": {"postgresql": {"pg_hba": ["hostssl all all 0.0.0.0/0 md5"]}}}),
    ],
)
def test_lines_that_an_operator_writes_are_read(kind: str, patroni: Any) -> None:
    body = {"kind": kind, "metadata": {"name": "p"}, "spec": {"patroni": patroni}}
    (finding,) = build.judge("APP010", config_maps=[], operator_objects=[body]).findings
    assert (finding.severity, finding.evidence["line"]) == (Severity.BLOCKER, "hostssl all all 0.0.0.0/0 md5")


@pytest.mark.parametrize(
    "lines", [["host all all all md5", "host all all 10.0.0.0/8 md5"], [7, None, {}], "host", None]
)
def test_an_operator_that_lets_ipv6_in_or_is_told_nothing_is_left_alone(lines: Any) -> None:
    body = {"kind": "postgresql", "metadata": {"name": "p"}, "spec": {"patroni": {"pg_hba": lines}}}
    assert not build.messages("APP010", config_maps=[], operator_objects=[body])


@pytest.mark.parametrize(
    "script", ["echo 'LINE' >> $PGDATA/pg_hba.conf", "cat >> $PGDATA/pg_hba.conf <<EOF\nLINE\nEOF"]
)
@pytest.mark.parametrize(
    ("line", "severities"),
    [("host replication r 10.0.0.0/8 md5", [Severity.WARNING]), ("host all all 0.0.0.0/0 md5", [])],
)
def test_a_script_adds_to_an_image_that_lets_all_but_replicas_in(
    script: str, line: str, severities: list[Severity]
) -> None:
    judged = build.judge("APP010", config_maps=[config(script.replace("LINE", line))], workloads=[READER])
    assert [finding.severity for finding in judged.findings] == severities


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
