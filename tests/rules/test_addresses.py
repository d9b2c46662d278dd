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


def test_each_address_is_told_with_the_key_that_it_stands_in() -> None:
    body = config_map("host: 10.50.7.7")
    body["data"] |= {"b.conf": "host: 10.50.7.8\nother: 10.50.7.9", "c": "host: 10.50.7.7", "d": "host: 10.50.7.6"}
    (found,) = findings("ADR003", body, **OLD)
    assert "names 10.50.7.7 in key conf.txt, and 10.50.7.8, 10.50.7.9 in key b.conf, and 10.50.7.7" in found.message
    assert "in key c, and more in 1 other," in found.message


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


def test_a_peer_in_the_range_of_the_pods_is_certain_to_be_lost() -> None:
    pods = {"old_ranges": [{"id": "p", "role": "pod", "cidr_block": "100.64.0.0/16"}, *OLD["old_ranges"]]}
    (found,) = findings("ADR003", workload("DB_HOST", "100.64.3.4"), **pods)
    assert (found.severity, found.confidence) == (Severity.BLOCKER, Confidence.HIGH)
    assert "of the old cluster's pods" in found.message
    assert found.evidence["old_ranges"] == ["100.64.0.0/16"]
    assert findings("ADR003", workload("BIND_ADDRESS", "100.64.3.4"), **pods) == ()


def test_a_guess_and_a_certainty_have_the_same_fingerprint() -> None:
    usual = {"old_ranges": [{"id": "s", "role": "service", "cidr_block": "10.100.0.0/16"}]}
    (guess,) = findings("ADR003", workload(value="https://10.100.0.10"))
    (sure,) = findings("ADR003", workload(value="https://10.100.0.10"), **usual)
    assert guess.fingerprint == sure.fingerprint


@pytest.mark.parametrize(
    "silent",
    [
        workload("NO_PROXY", "10.100.0.1,.svc"),
        config_map("# kube-dns was 10.100.0.10"),
        config_map("__PILLAR__ 169.254.20.10 10.100.0.10", name="node-local-dns"),
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


@pytest.mark.parametrize(
    ("text", "key"),
    [
        (".:53 {\n    forward . 172.20.0.10\n}", "Corefile"),
        ("server: https://172.20.0.1:443", "kubeconfig"),
        ("trustedProxies: [172.20.0.10]", "config.yaml"),
        ("172.20.0.10 db.shop.svc", "hosts"),
        ("resolver 172.20.0.10 valid=5s;", "default.conf"),
        ("<host>172.20.0.10</host>", "app.xml"),
        ('{"host": "172.20.0.10"}', "app.json"),
    ],
)
def test_an_address_of_the_old_cluster_is_found_in_every_language(text: str, key: str) -> None:
    (found,) = findings("ADR003", config_map(text, key=key))
    assert found.evidence["addresses"] in (["172.20.0.1"], ["172.20.0.10"])


def test_a_probe_or_a_hook_that_asks_the_old_cluster_is_found() -> None:
    asks = {"exec": {"command": ["wget", "-q", "http://172.20.0.10:9153/metrics"]}}
    (found,) = findings("ADR003", workload(containers=[{"name": "web", "lifecycle": {"postStart": asks}}]))
    assert found.evidence["in"] == ["postStart of container web"]


def test_what_helm_runs_as_a_test_alone_is_a_note() -> None:
    body = workload(value="https://10.100.0.10")
    for hook, severity in (("test", Severity.INFO), ("test-success", Severity.INFO), ("pre-install", Severity.BLOCKER)):
        body["metadata"]["annotations"] = {"helm.sh/hook": hook}
        assert findings("ADR003", body)[0].severity is severity


@pytest.mark.parametrize(
    "silent",
    [
        workload() | {"status": {"hostIP": "10.100.0.10"}},
        config_map("") | {"binaryData": {"host": "MTAuMTAwLjAuMTA="}},
        config_map("") | {"metadata": {"name": "c", "annotations": {"checksum/config": "10.100.0.10"}}},
        workload("APP_IMAGE", "registry.example.com/app:10.100.0.10"),
        workload("UPSTREAM", "http://shop.10.100.0.10.nip.io/"),
    ],
)
def test_status_binary_data_annotations_images_and_names_are_silent(silent: dict[str, Any]) -> None:
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
    assert "; the node mounts what is there over its own IPv4 address, and not at all if it was a pod" in found.message


def test_a_pod_on_the_nodes_network_reaches_peers_as_before_but_none_of_the_old_cluster() -> None:
    assert findings("ADR004", workload("DB_HOST", "10.20.30.40", hostNetwork=True)) == ()
    assert len(findings("ADR003", workload("API_HOST", "172.20.0.1", hostNetwork=True))) == 1


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


def test_targets_out_of_reach_of_the_scraping_rule_count_and_old_addresses_do_not() -> None:
    assert findings("ADR004", config_map("static_configs:\n  - targets:\n    - 10.20.30.40:9100\n")) == ()
    assert len(findings("ADR004", config_map('[{"targets": ["10.20.30.40:9100"]}]'))) == 1
    assert findings("ADR004", workload("API_HOST", "172.20.0.1")) == ()


def test_a_name_server_in_a_file_of_its_own_counts() -> None:
    assert len(findings("ADR003", config_map("nameserver 10.100.0.10", key="resolv.conf"))) == 1
