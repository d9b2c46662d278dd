"""Cluster DNS: what takes AAAA records away is a blocker, and the same words narrowed or commented out are none."""

from __future__ import annotations

from typing import Any

import pytest
from build import judge, messages
from hypothesis import given
from hypothesis import strategies as st

from eks6check.facts.corefile import holds, servers


def corefile(text: str, name: str = "coredns", key: str = "Corefile", namespace: str = "kube-system") -> dict[str, Any]:
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {key: text}}


def block(*lines: str, zone: str = ".:53", kubernetes: str = "cluster.local in-addr.arpa ip6.arpa") -> str:
    return "\n".join((f"{zone} {{", *lines, f"kubernetes {kubernetes}", "}"))


@pytest.mark.parametrize(
    "line",
    [
        "template ANY AAAA {\nrcode NXDOMAIN\n}",
        "template IN AAAA . {\nrcode NOERROR\n}",
        "template IN AAAA\n",
        "template in aaaa .",
        "template ANY AAAA local {\nrcode NXDOMAIN\n}",
        "template ANY AAAA corp.example cluster.local {\nrcode NXDOMAIN\n}",
        'template ANY AAAA {\nmatch "^x\\.corp\\.example\\.$" .*\nrcode NXDOMAIN\n}',
        "acl cluster.local {\nblock type AAAA\n}",
        "acl corp.example svc.cluster.local {\ndrop type AAAA net 0.0.0.0/0\n}",
        "rewrite continue type AAAA A",
        "template ANY AAAA {\nmatch .*\nrcode NXDOMAIN\n}",
        'template ANY AAAA {\nmatch "\\.cluster\\.local\\.$"\nrcode NXDOMAIN\n}',
        "template IN AAAA svc.cluster.local {\nrcode NOERROR\n}",
        "rewrite stop type AAAA A",
        "rewrite type AAAA A",
        "acl {\nblock type AAAA\n}",
        "acl {\nfilter type AAAA net *\n}",
    ],
)
def test_aaaa_answered_with_nothing_is_a_blocker(line: str) -> None:
    (finding,) = judge("DNS001", config_maps=[corefile(block(line))]).findings
    assert "AAAA" in finding.evidence["lines"][0].upper()


@pytest.mark.parametrize(
    "line",
    [
        "# template ANY AAAA {\n# rcode NXDOMAIN\n# }",
        "errors # template ANY AAAA",
        "template ANY AAAA corp.example {\nrcode NXDOMAIN\n}",
        "template ANY A {\nrcode NXDOMAIN\n}",
        "template ANY AAAA {\nmatch ^.*\\.corp\\.example\\.$\nrcode NXDOMAIN\n}",
        'template IN AAAA {\nanswer "{{ .Name }} 60 IN AAAA fd00::1"\n}',
        "rewrite name old.example new.example",
        "rewrite type ANY HINFO",
        "template ANY AAAA other.local {\nrcode NXDOMAIN\n}",
        "template ANY AAAA {\nmatch ^[^.]+\\.cluster\\.local\\.$\nrcode NXDOMAIN\n}",
        "acl {\nallow type AAAA\nblock type AAAA\n}",
        "acl {\nblock type A\n}",
        "acl {\nallow type AAAA net *\n}",
        "log . {\nclass all\n}",
        "acl {\nblock type AAAA net 10.0.0.0/8\n}",
        "acl {\nallow net *\nblock type AAAA\n}",
        "acl corp.example {\nblock type AAAA\n}",
        "dns64",
    ],
)
def test_what_is_narrowed_or_commented_out_stays_silent(line: str) -> None:
    assert messages("DNS001", config_maps=[corefile(block(line))]) == []


def test_another_block_that_serves_the_cluster_keeps_its_records() -> None:
    outside = ".:53 {\ntemplate ANY AAAA .\nforward . /etc/resolv.conf\n}\n"
    assert messages("DNS001", config_maps=[corefile(outside + block(zone="cluster.local:53"))]) == []


def test_a_snippet_counts_where_it_is_imported() -> None:
    snippet = "(quiet) {\ntemplate ANY AAAA\n}\n"
    assert len(messages("DNS001", config_maps=[corefile(snippet + block("import quiet"))])) == 1
    assert messages("DNS001", config_maps=[corefile(snippet + block())]) == []


def test_fragments_of_coredns_custom_are_read() -> None:
    line = "template ANY AAAA {\nrcode NXDOMAIN\n}"
    assert len(messages("DNS001", config_maps=[corefile(line, "coredns-custom", "quiet.override")])) == 1
    assert (
        messages("DNS001", config_maps=[corefile(f"corp.example:53 {{\n{line}\n}}", "coredns-custom", "a.server")])
        == []
    )


def test_only_fragments_count_and_only_in_coredns_custom() -> None:
    line = "template ANY AAAA {\nrcode NXDOMAIN\n}"
    assert len(messages("DNS001", config_maps=[corefile(f".:53 {{\n{line}\n}}", "coredns-custom", "all.server")])) == 1
    assert messages("DNS001", config_maps=[corefile(line, "coredns-custom", "notes.txt")]) == []
    assert messages("DNS001", config_maps=[corefile(line, "settings", "quiet.override")]) == []


def test_a_block_of_several_zones_answers_for_each() -> None:
    line = "template ANY AAAA {\nrcode NXDOMAIN\n}"
    several = block(line, zone="corp.example:53 cluster.local:53")
    assert len(messages("DNS001", config_maps=[corefile(several)])) == 1
    assert messages("DNS001", config_maps=[corefile(block() + f"\ncorp.example {{\n{line}\n}}")]) == []


def test_an_import_of_a_file_is_no_snippet() -> None:
    assert messages("DNS001", config_maps=[corefile(block("import custom/*.override", "import"))]) == []


def test_a_name_server_for_others_stays_silent() -> None:
    text = ".:53 {\ntemplate ANY AAAA\nforward . 10.0.0.2\n}"
    assert messages("DNS001", config_maps=[corefile(text, "office-dns", namespace="office")]) == []
    assert len(messages("DNS001", config_maps=[corefile(text, "coredns")])) == 1
    assert len(messages("DNS001", config_maps=[corefile(text, "node-local-dns", namespace="dns")])) == 1


def test_the_cluster_has_the_domain_that_its_plugin_names() -> None:
    line = "template ANY AAAA cluster.local {\nrcode NXDOMAIN\n}"
    named = block(line, kubernetes="shop.internal 10.in-addr.arpa 10.0.0.0/8")
    assert messages("DNS001", config_maps=[corefile(named)]) == []
    (finding,) = judge(
        "DNS001", config_maps=[corefile(block(line.replace("cluster.local", "."), kubernetes=""))]
    ).findings
    assert finding.evidence["domain"] == "cluster.local"


def test_a_port_of_its_own_is_a_name_server_of_its_own() -> None:
    quiet = ".:5353 {\ntemplate ANY AAAA\n}\n"
    assert len(messages("DNS001", config_maps=[corefile(quiet + block())])) == 1
    assert messages("DNS001", config_maps=[corefile(".:5353 {\nforward . 1.1.1.1\n}\n" + block())]) == []


def test_the_line_told_is_the_one_behind_its_comment() -> None:
    text = block("# template ANY AAAA", "template ANY AAAA # no IPv6 here", "hosts")
    (finding,) = judge("DNS001", config_maps=[corefile(text)]).findings
    assert finding.evidence["lines"] == ["template ANY AAAA"]


def node_cache(*args: str, image: str = "registry.k8s.io/dns/k8s-dns-node-cache:1.26.4") -> dict[str, Any]:
    containers = [{"name": "node-cache", "image": image, "args": list(args)}]
    metadata = {"name": "node-local-dns", "namespace": "kube-system"}
    return {
        "apiVersion": "apps/v1",
        "kind": "DaemonSet",
        "metadata": metadata,
        "spec": {"template": {"spec": {"containers": containers}}},
    }


BOUND = corefile(".:53 {\nbind 169.254.20.10 172.20.0.10\nforward . __PILLAR__UPSTREAM__SERVERS__\n}", "node-local-dns")


@pytest.mark.parametrize("args", [("-localip", "169.254.20.10,172.20.0.10"), ("--localip=169.254.20.10",)])
def test_a_cache_on_ipv4_is_one_finding_with_its_corefile_as_a_further_place(args: tuple[str, ...]) -> None:
    (finding,) = judge("DNS002", workloads=[node_cache(*args)], config_maps=[BOUND]).findings
    assert finding.subject.kind == "DaemonSet"
    assert "169.254.20.10" in finding.message
    assert len(finding.locations) == 2


def test_the_corefile_alone_is_enough() -> None:
    (finding,) = judge("DNS002", config_maps=[BOUND]).findings
    assert finding.subject.kind == "ConfigMap"


def test_a_corefile_of_another_namespace_or_on_all_addresses_is_not_the_caches() -> None:
    other = {**BOUND, "metadata": {"name": "node-local-dns", "namespace": "other"}}
    findings = judge("DNS002", workloads=[node_cache("-localip", "169.254.20.10")], config_maps=[other]).findings
    assert sorted(finding.subject.kind for finding in findings) == ["ConfigMap", "DaemonSet"]
    wide = corefile(".:53 {\nbind 0.0.0.0\n}", "node-local-dns")
    assert messages("DNS002", config_maps=[wide]) == []


@pytest.mark.parametrize(
    "workload",
    [
        node_cache("-localip", "fd00::10,fd93::a"),
        node_cache("-localip", "__PILLAR__LOCAL__DNS__,__PILLAR__DNS__SERVER__"),
        node_cache("-conf", "169.254.20.10"),
        node_cache("-localip", "169.254.20.10", image="example/other:1"),
    ],
)
def test_an_ipv6_cache_a_placeholder_and_others_stay_silent(workload: dict[str, Any]) -> None:
    other = corefile(".:53 {\nbind 10.0.0.9\n}", "office-dns")
    commented = corefile(".:53 {\n# bind 169.254.20.10\nbind fd00::10\n}", "node-local-dns")
    assert messages("DNS002", workloads=[workload], config_maps=[other, commented]) == []


def external_dns(*args: str, image: str = "external-dns/external-dns:v0.18.0", **env: str) -> dict[str, Any]:
    variables = [{"name": name, "value": value} for name, value in env.items()]
    container = {"name": "external-dns", "image": f"registry.k8s.io/{image}", "args": list(args), "env": variables}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "external-dns", "namespace": "dns"},
        "spec": {"template": {"spec": {"containers": [container]}}},
    }


@pytest.mark.parametrize(
    "workload",
    [
        external_dns("--exclude-record-types=AAAA"),
        external_dns("--exclude-record-types", "AAAA"),
        external_dns("--managed-record-types=A", "--managed-record-types=CNAME"),
        external_dns("--managed-record-types", "A", "--managed-record-types", "CNAME"),
        external_dns("--exclude-record-types=TXT", "--exclude-record-types=AAAA"),
        external_dns(EXTERNAL_DNS_MANAGED_RECORD_TYPES="A\nCNAME"),
        external_dns("--provider=aws", image="bitnami/external-dns:0.14.0-debian-12-r3"),
        external_dns("--source=service", "--provider", "aws", image="external-dns/external-dns:v0.15.1"),
        external_dns("--provider=aws", image="external-dns/external-dns:v0.15.1"),
    ],
)
def test_external_dns_without_aaaa_is_a_warning(workload: dict[str, Any]) -> None:
    assert len(messages("DNS005", workloads=[workload])) == 1


def test_what_external_dns_is_told_is_said() -> None:
    (excludes,) = messages("DNS005", workloads=[external_dns("--exclude-record-types=AAAA")])
    (manages,) = messages("DNS005", workloads=[external_dns("--managed-record-types=A")])
    assert "it excludes AAAA, and" in excludes
    assert "it manages A alone, and" in manages


@pytest.mark.parametrize(
    "workload",
    [
        external_dns("--provider=aws"),
        external_dns("--managed-record-types=A", "--managed-record-types=AAAA"),
        external_dns("--exclude-record-types=TXT"),
        external_dns("--source=service", "--domain-filter=aaaa.example.com", "--txt-owner-id", "AAAA"),
        external_dns("--provider=aws", image="external-dns/external-dns:v0.16.0"),
        external_dns("--source=service", image="external-dns/external-dns:v0.15.1"),
        external_dns("--provider=cloudflare", image="external-dns/external-dns:v0.15.1"),
        external_dns("--provider=aws", image="external-dns/external-dns:latest"),
        external_dns("--exclude-record-types=AAAA", image="other/webhook:v1"),
    ],
)
def test_external_dns_with_aaaa_stays_silent(workload: dict[str, Any]) -> None:
    assert messages("DNS005", workloads=[workload]) == []


@pytest.mark.parametrize(
    ("zones", "told"),
    [
        ("cluster.local in-addr.arpa", 1),
        ("cluster.local in-addr.arpa ip6.arpa", 0),
        ("cluster.local 10.0.0.0/8", 0),
        ("cluster.local in-addr.arpa fd00::/8", 0),
        ("cluster.local in-addr.arpa 10.0.0.0/8", 1),
        ("cluster.local in-addr.arpa 0.0.d.f.ip6.arpa", 0),
        ("cluster.local", 0),
    ],
)
def test_a_reverse_zone_for_ipv4_alone_is_a_note(zones: str, told: int) -> None:
    assert len(messages("DNS006", config_maps=[corefile(block(kubernetes=zones))])) == told


@given(st.text(alphabet='.:{}()"\\# \nabimport53', max_size=80))
def test_no_text_breaks_the_parser(text: str) -> None:
    for server in servers(text):
        for line in server.plugins:
            assert line.text in text
            assert line.skip <= text.count(line.text)


def test_blocks_without_end_and_very_deep_ones_are_read() -> None:
    assert len(servers("a {\n" * 5000)) == 1
    assert holds(".", "svc.cluster.local")
    assert not holds("ocal", "cluster.local")
