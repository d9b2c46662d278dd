"""ADR003 and ADR004: addresses of the old cluster, and IPv4 addresses of peers."""

from __future__ import annotations

from typing import Any

import pytest
from written import OLD, config_map, findings, workload

from eks6check.findings import Confidence, Severity


@pytest.mark.parametrize("address", ["10.100.0.1", "10.100.0.10", "172.20.0.1", "172.20.0.10"])
def test_without_ranges_the_first_services_are_told_with_less_certainty(address: str) -> None:
    (found,) = findings("ADR003", workload(value=f"https://{address}:443"))
    assert (found.severity, found.confidence) == (Severity.BLOCKER, Confidence.MEDIUM)
    assert address in found.message


@pytest.mark.parametrize("value", ["10.100.0.11", "172.20.5.10", "10.100.0.10/16", "10.100.0.100", "v10.100.0.1"])
def test_without_ranges_other_addresses_are_silent(value: str) -> None:
    assert findings("ADR003", workload(value=value)) == ()


def test_any_address_of_a_range_that_was_read_is_certain() -> None:
    (found,) = findings("ADR003", config_map("a: 1\nupstream 10.50.7.7;\nb 10.50.7.8"), **OLD)
    assert (found.severity, found.confidence) == (Severity.BLOCKER, Confidence.HIGH)
    assert "10.50.7.7, 10.50.7.8 in key conf.txt" in found.message
    assert found.evidence["old_ranges"] == ["10.50.0.0/16"]
    assert findings("ADR003", workload(value="https://10.100.0.10"), **OLD) == ()


def test_a_block_of_the_range_is_a_warning() -> None:
    (found,) = findings("ADR003", workload("TRUSTED", "10.50.0.0/16"), **OLD)
    assert found.severity is Severity.WARNING
    assert findings("ADR003", workload("TRUSTED", "10.0.0.0/8"), **OLD) == ()


def test_a_peer_in_the_vpc_may_be_a_pod_or_a_database() -> None:
    (found,) = findings("ADR003", workload("DB_HOST", "10.0.3.4"), **OLD)
    assert (found.severity, found.confidence) == (Severity.WARNING, Confidence.MEDIUM)
    assert "describe-network-interfaces" in found.remedy
    assert findings("ADR003", workload("BIND_ADDRESS", "10.0.3.4"), **OLD) == ()
    assert findings("ADR004", workload("DB_HOST", "10.0.3.4"), **OLD) == ()


def test_ranges_of_an_ipv6_cluster_are_not_the_old_ones() -> None:
    new = {
        "clusters": [{**OLD["clusters"][0], "ip_family": "ipv6", "service_cidr": "fd30:1::/108"}],
        "vpcs": OLD["vpcs"],
    }
    assert findings("ADR003", workload("DB_HOST", "10.0.3.4"), **new) == ()


@pytest.mark.parametrize(
    "silent",
    [
        workload("NO_PROXY", "10.100.0.1,.svc"),
        config_map("# kube-dns was 10.100.0.10"),
        config_map("__PILLAR__ 169.254.20.10 10.100.0.10", name="node-local-dns"),
        config_map("nameserver 10.100.0.10", key="resolv.conf"),
        workload(
            containers=[{"image": "registry.k8s.io/dns/k8s-dns-node-cache:1.23", "args": ["-localip", "10.100.0.10"]}]
        ),
        workload(dnsConfig={"nameservers": ["10.100.0.10"]}),
        workload("APP_VERSION", "10.100.0.1"),
    ],
)
def test_what_another_rule_judges_or_nobody_talks_to_is_silent(silent: dict[str, Any]) -> None:
    assert findings("ADR003", silent) == ()
    assert findings("ADR004", silent) == ()


def test_a_peer_is_an_information() -> None:
    (found,) = findings("ADR004", workload("DB_HOST", "10.20.30.40"))
    assert (found.severity, found.confidence) == (Severity.INFO, Confidence.LOW)
    assert found.evidence == {"addresses": ["10.20.30.40"], "in": ["variable DB_HOST of container web"]}
    assert "a pod or a Service" not in findings("ADR004", workload("DB_HOST", "8.8.4.4"))[0].message


def test_volumes_name_peers_too() -> None:
    volumes = [
        {"name": "a", "nfs": {"server": "10.20.30.40"}},
        {"name": "b", "iscsi": {"targetPortal": "10.9.8.7:3260"}},
    ]
    (found,) = findings("ADR004", workload(volumes=volumes))
    assert found.evidence["addresses"] == ["10.20.30.40", "10.9.8.7"]
    assert len(found.locations) == 2


@pytest.mark.parametrize(
    "value",
    [
        "0.0.0.0",
        "127.0.0.1:8080",
        "169.254.169.254",
        "169.254.170.23",
        "198.51.100.1",
        "255.255.255.0",
        "10.0.0.0/8",
        "10.20.30.0",
        "db.example.com",
        "2001:db8::1",
        "",
        7,
        None,
    ],
)
def test_addresses_that_are_no_peers_are_silent(value: Any) -> None:
    assert findings("ADR004", workload("SERVER_HOST", value)) == ()


def test_scrape_targets_and_old_addresses_are_left_to_their_own_rules() -> None:
    assert findings("ADR004", config_map("static_configs:\n  - targets:\n    - 10.20.30.40:9100\n")) == ()
    assert findings("ADR004", workload("API_HOST", "172.20.0.1")) == ()
