"""Clients that want A records alone: a blocker where they ask for a Service, a note or silence where they do not."""

from __future__ import annotations

import json
from typing import Any

import pytest
from build import judge, messages

from eks6check.findings import Severity

WEB = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "shop"}, "spec": {}}


def pod(container: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    containers = [{"name": "app", "image": "example/app:1", **(container or {})}]
    metadata = {"name": "app", "namespace": "shop"}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": {"containers": containers, **spec}}


def config_map(value: str, key: str = "file") -> dict[str, Any]:
    metadata = {"name": "app", "namespace": "shop"}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {key: value}}


@pytest.mark.parametrize(
    "command",
    [
        ["curl", "-4", "http://web.shop.svc.cluster.local/"],
        ["curl", "-sf4", "http://web/"],
        ["curl", "--ipv4", "-s", "http://web.shop:8080/"],
        ["sh", "-c", "until wget -4 -q web.shop.svc; do sleep 1; done"],
        ["sh", "-c", "sleep 1\nnc -4 -z web 80"],
        ["getent", "ahostsv4", "web"],
        ["nslookup", "-type=a", "web.shop.svc.cluster.local."],
        ["dig", "+short", "-t", "A", "web.shop.svc.cluster.local"],
        ["dig", "A", "web.shop.svc.cluster.local"],
        ["dig", "+short", "web.shop.svc.cluster.local"],
        ["nslookup", "-q=a", "web"],
        ["host", "-t", "A", "web.shop.svc.cluster.local"],
        ["ping", "-4", "-c1", "web"],
        ["wget", "--inet4-only", "http://web"],
    ],
)
def test_a_command_for_ipv4_and_a_service_is_a_blocker(command: list[str]) -> None:
    for container in ({"command": command}, {"livenessProbe": {"exec": {"command": command}}}):
        (finding,) = judge("DNS003", workloads=[pod(container)], services=[WEB]).findings
        assert finding.severity is Severity.BLOCKER
        assert finding.evidence["host"].startswith("web")


@pytest.mark.parametrize(
    "command",
    [
        ["curl", "http://web.shop.svc.cluster.local/"],
        ["curl", "-4", "https://checkip.amazonaws.com"],
        ["curl", "-4", "http://localhost:8080/"],
        ["curl", "-m", "4", "http://web/"],
        ["sh", "-c", "curl -4 https://example.com | tee web"],
        ["sh", "-c", "# curl -4 http://web/\nsleep 1"],
        ["nslookup", "web.shop.svc.cluster.local"],
        ["nslookup", "-type=aaaa", "web"],
        ["dig", "AAAA", "web.shop.svc.cluster.local"],
        ["dig", "web.shop.svc.cluster.local", "ANY"],
        ["dig", "-t", "SRV", "web.shop.svc.cluster.local"],
        ["dig", "+short", "example.com"],
        ["getent", "hosts", "web"],
        ["sh", "-c", "digest web.shop.svc"],
        ["node", "--dns-result-order=ipv4first", "http://web/"],
        [3, None, {"curl": "-4"}],
    ],
)
def test_other_commands_and_hosts_outside_stay_silent(command: list[Any]) -> None:
    assert messages("DNS003", workloads=[pod({"command": command})], services=[WEB]) == []


def test_the_resolver_option_no_aaaa_is_a_blocker() -> None:
    (message,) = messages("DNS003", workloads=[pod(dnsConfig={"options": [{"name": "ndots"}, {"name": "no-aaaa"}]})])
    assert "no-aaaa" in message
    others = [{"name": "ndots", "value": "2"}, {"name": "single-request-reopen"}, {"name": "edns0"}]
    assert messages("DNS003", workloads=[pod(dnsConfig={"options": others})]) == []


def test_a_short_name_is_a_service_of_the_same_namespace() -> None:
    elsewhere = {**WEB, "metadata": {"name": "web", "namespace": "other"}}
    short, long = ["curl", "-4", "http://web/"], ["curl", "-4", "http://web.other/"]
    assert messages("DNS003", workloads=[pod({"command": short})], services=[elsewhere]) == []
    (message,) = messages("DNS003", workloads=[pod({"command": long})], services=[elsewhere])
    assert "asks for web.other with `curl -4 http://web.other/`" in message


def program(image: str, **env: str) -> dict[str, Any]:
    return pod({"image": image, "env": [{"name": name, "value": value} for name, value in env.items()]})


@pytest.mark.parametrize(
    ("workload", "severity"),
    [
        (program("n8nio/n8n:1.80.0", QUEUE_BULL_REDIS_HOST="redis.shop.svc"), "blocker"),
        (program("kong:3.4", KONG_DNS_ORDER="LAST,A,CNAME", KONG_PG_HOST="web"), "blocker"),
        (program("kong:3.4", KONG_DNS_ORDER="LAST,A,CNAME"), "info"),
        (program("oneuptime/app:7", REDIS_IP_FAMILY="4", REDIS_HOST="web"), "blocker"),
    ],
)
def test_programs_are_known_by_their_settings(workload: dict[str, Any], severity: str) -> None:
    (finding,) = judge("DNS003", workloads=[workload], services=[WEB]).findings
    assert finding.severity == severity


@pytest.mark.parametrize(
    "workload",
    [
        program("n8nio/n8n:1.80.0", QUEUE_BULL_REDIS_HOST="redis.shop.svc", QUEUE_BULL_REDIS_DUALSTACK="true"),
        program("n8nio/n8n:1.80.0", QUEUE_BULL_REDIS_HOST="redis.example.com"),
        program("kong:3.4", KONG_DNS_ORDER="LAST,SRV,AAAA,A,CNAME"),
        program("kong:3.4", KONG_DNS_ORDER="LAST,SRV,CNAME"),
        program("oneuptime/app:7", REDIS_IP_FAMILY="6", REDIS_HOST="web"),
        program("oneuptime/app:7", REDIS_IP_FAMILY="4", REDIS_HOST="redis.example.com"),
        program("example/worker:1", QUEUE_BULL_REDIS_HOST="web"),
        program("node:22", NODE_OPTIONS="--dns-result-order=ipv4first"),
    ],
)
def test_programs_that_ask_for_both_stay_silent(workload: dict[str, Any]) -> None:
    assert messages("DNS003", workloads=[workload], services=[WEB]) == []


RESOLVER = "resolver 172.20.0.10 valid=5s ipv6=off;\n"


def test_nginx_without_aaaa_is_a_blocker_where_it_looks_services_up() -> None:
    upstream = "set $up web.shop.svc.cluster.local;\nproxy_pass http://$up;\n"
    (blocker,) = judge("DNS003", config_maps=[config_map(RESOLVER + upstream)]).findings
    (note,) = judge("DNS003", config_maps=[config_map(RESOLVER + "proxy_pass http://example.com;\n")]).findings
    assert (blocker.severity, note.severity) == (Severity.BLOCKER, Severity.INFO)
    fixed = "proxy_pass http://web.shop.svc.cluster.local;\n"
    (once,) = judge("DNS003", config_maps=[config_map(RESOLVER + fixed)]).findings
    assert once.severity is Severity.INFO


@pytest.mark.parametrize("line", ["  dns-lookup-family: v4", "dns_order = LAST,A,CNAME"])
def test_settings_of_programs_for_whichever_host_are_a_note(line: str) -> None:
    (finding,) = judge("DNS003", config_maps=[config_map(f"a: b\n{line}\n")]).findings
    assert finding.severity is Severity.INFO
    assert f"asks with `{line.strip()}` of " in finding.message
    other = line.replace("v4", "auto").replace("A,", "AAAA,A,")
    assert messages("DNS003", config_maps=[config_map(f"#{line}\n{other}\n")]) == []


def test_what_a_client_finds_is_told() -> None:
    upstream = "set $up http://web.shop.svc;\nproxy_pass $up;\n"
    (inside,) = messages("DNS003", config_maps=[config_map(RESOLVER + upstream)])
    (outside,) = messages("DNS003", config_maps=[config_map(RESOLVER + "proxy_pass http://$host;\n")])
    assert inside.endswith("it finds no Service.")
    assert outside.endswith("it finds no host without IPv4.")


def test_comments_resolvers_with_both_and_scripts_for_hosts_outside_stay_silent() -> None:
    for value in (
        f"# {RESOLVER}",
        "resolver [fd00::a] valid=5s;",
        "curl -4 https://example.com",
        "# curl -4 http://web",
    ):
        assert messages("DNS003", config_maps=[config_map(value)], services=[WEB]) == []


def test_a_script_in_a_config_map_is_read() -> None:
    (finding,) = judge(
        "DNS003", config_maps=[config_map("#!/bin/sh\ncurl -4 http://web/ok\n")], services=[WEB]
    ).findings
    assert finding.severity is Severity.BLOCKER


@pytest.mark.parametrize(
    ("host", "family", "severity"),
    [
        ("web.shop.svc", "V4_ONLY", ["blocker"]),
        ("db.example.com", "V4_ONLY", ["info"]),
        ("web.shop.svc", "ALL", []),
        ("web.shop.svc", "AUTO", []),
    ],
)
def test_envoy_asks_for_the_family_it_is_told(host: str, family: str, severity: list[str]) -> None:
    text = json.dumps({"static_resources": {"clusters": [cluster(host, family)]}})
    assert [each.severity for each in judge("DNS003", config_maps=[config_map(text)]).findings] == severity


def test_the_clusters_of_a_file_are_one_finding_about_the_worst() -> None:
    clusters = [cluster(host, "V4_ONLY") for host in ("db.example.com", "web.shop.svc", "api.shop.svc")]
    text = json.dumps({"static_resources": {"clusters": clusters}})
    (finding,) = judge("DNS003", config_maps=[config_map(text)]).findings
    assert (finding.severity, finding.evidence["host"]) == (Severity.BLOCKER, "web.shop.svc")
    assert "cluster web.shop.svc and 2 more with V4_ONLY" in finding.message


def cluster(host: str, family: str) -> dict[str, Any]:
    endpoint = {"endpoint": {"address": {"socket_address": {"address": host, "port_value": 80}}}}
    assignment = {"endpoints": [{"lb_endpoints": [endpoint]}]}
    return {"name": host, "dns_lookup_family": family, "load_assignment": assignment}


@pytest.mark.parametrize(
    ("nameservers", "severity"),
    [
        (["172.20.0.10"], ["warning"]),
        (["169.254.20.10", "10.0.0.2"], ["warning"]),
        (["10.0.0.2"], ["info"]),
        (["169.254.169.253"], ["info"]),
        (["fd00::a", "172.20.0.10"], ["warning"]),
        (["127.0.0.1"], []),
        (["fd00::a"], []),
        ([None, 3, "x"], []),
        ("172.20.0.10", []),
    ],
)
def test_name_servers_of_the_old_cluster_are_a_warning_and_others_a_note(nameservers: Any, severity: list[str]) -> None:
    workload = pod(dnsConfig={"nameservers": nameservers})
    found = judge("DNS004", workloads=[workload]).findings
    assert [each.severity for each in found] == severity
    assert all(("does not exist in an IPv6 cluster" in each.message) is (severity == ["warning"]) for each in found)


def test_a_service_in_view_is_the_old_clusters_too() -> None:
    workload, service = pod(dnsConfig={"nameservers": ["10.96.0.10"]}), {**WEB, "spec": {"clusterIP": "10.96.0.10"}}
    assert judge("DNS004", workloads=[workload], services=[service]).findings[0].severity is Severity.WARNING
    old = {"id": "10.96.0.0/12", "role": "service", "cidr_block": "10.96.0.0/12"}
    assert judge("DNS004", workloads=[workload], old_ranges=[old]).findings[0].severity is Severity.WARNING
