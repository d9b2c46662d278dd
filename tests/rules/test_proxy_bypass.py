"""NO_PROXY: lists that know the cluster by IPv4 alone, and lists that say enough or nothing."""

from __future__ import annotations

from typing import Any

import pytest
from build import judge, messages

from eks6check.sources.sealing import seal

PROXY = "http://proxy.example.com:3128"


def workload(no_proxy: Any, name: str = "NO_PROXY", proxy: str = "HTTP_PROXY") -> dict[str, Any]:
    env = [{"name": proxy, "value": PROXY}, {"name": name, "value": no_proxy}]
    pod = {"serviceAccountName": "web", "containers": [{"name": "app", "image": "app:1", "env": env}]}
    meta = {"name": "web", "namespace": "shop"}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": {"template": {"spec": pod}}}


def config_map(**data: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "proxy", "namespace": "shop"}, "data": data}


@pytest.mark.parametrize(
    "no_proxy", ["10.0.0.0/16", "localhost, .svc, 172.20.0.0/16", "169.254.170.23,.svc", "100.64.0.0/10,host:8080"]
)
def test_a_list_of_internal_ipv4_addresses_is_told(no_proxy: str) -> None:
    for name in ("NO_PROXY", "no_proxy"):
        (message,) = messages("IDN005", workloads=[workload(no_proxy, name)])
        assert f"variable {name} of container app" in message


@pytest.mark.parametrize(
    "no_proxy",
    [
        "localhost,127.0.0.1,.svc,.cluster.local",
        "169.254.169.254,.svc",
        "10.0.3.7,.svc",
        "203.0.113.0/24",
        "10.0.0.0/16,fd00:ec2::23",
        "10.0.0.0/16,[fd00:ec2::23]",
        "10.0.0.0/16,2001:db8:1234::/56",
        "10.0.0.0/16,*",
        "10.0.0.0/16,$(SERVICE_RANGE)",
        "10.0.0.0/16,{{ .Values.noProxy }}",
        "",
        3,
    ],
)
def test_lists_with_ipv6_names_or_unknown_entries_are_left_alone(no_proxy: Any) -> None:
    assert messages("IDN005", workloads=[workload(no_proxy)]) == []


def test_a_list_without_a_proxy_is_left_alone() -> None:
    assert messages("IDN005", workloads=[workload("10.0.0.0/16", proxy="OTHER")]) == []
    assert messages("IDN005", workloads=[], config_maps=[config_map(NO_PROXY="10.0.0.0/16")]) == []
    assert messages("IDN005", workloads=[], config_maps=[config_map(HTTP_PROXY=PROXY, OTHER="10.0.0.0/16")]) == []
    unset = workload("10.0.0.0/16")
    unset["spec"]["template"]["spec"]["containers"][0]["env"][0]["value"] = ""
    assert messages("IDN005", workloads=[unset]) == []


def test_the_proxy_may_come_out_of_a_config_map() -> None:
    body = workload("10.0.0.0/16", proxy="OTHER")
    body["spec"]["template"]["spec"]["containers"][0]["envFrom"] = [{"configMapRef": {"name": "proxy"}}]
    for given in (config_map(HTTPS_PROXY=PROXY), seal(config_map(HTTPS_PROXY=PROXY))):
        assert len(messages("IDN005", workloads=[body], config_maps=[given])) == 1
    assert not messages("IDN005", workloads=[body], config_maps=[config_map(COLOR="green")])


def test_a_config_map_for_the_environment_is_told_at_its_key() -> None:
    made = config_map(HTTPS_PROXY=PROXY, no_proxy="10.0.0.0/16")
    (finding,) = judge("IDN005", workloads=[], config_maps=[made]).findings
    assert finding.evidence["in"] == ["key no_proxy"]
    assert finding.evidence["addresses"] == ["10.0.0.0/16"]
    (finding,) = judge("IDN005", workloads=[workload(".svc, 10.0.0.0/16, 10.0.3.7")]).findings
    assert finding.evidence["addresses"] == ["10.0.0.0/16", "10.0.3.7"]


ASSOCIATION = {"id": "a-1", "namespace": "shop", "service_account": "web"}


@pytest.mark.parametrize(
    ("no_proxy", "proxy", "count"),
    [
        (".svc,localhost", "HTTP_PROXY", 1),
        (".svc,2001:db8:1234::/56", "HTTP_PROXY", 1),
        ("10.0.0.0/16", "HTTP_PROXY", 1),
        (".svc,localhost", "HTTPS_PROXY", 0),
        (".svc,[fd00:ec2::23]", "HTTP_PROXY", 0),
        (".svc,fd00::/8", "HTTP_PROXY", 0),
        ("*", "HTTP_PROXY", 0),
        (".svc,$(MORE)", "HTTP_PROXY", 0),
        (".svc,{{ .Values.noProxy }}", "HTTP_PROXY", 0),
    ],
)
def test_a_client_of_pod_identity_has_to_name_the_agent(no_proxy: str, proxy: str, count: int) -> None:
    made = workload(no_proxy, proxy=proxy)
    assert len(messages("IDN005", workloads=[made], pod_identity_associations=[ASSOCIATION])) == count


def node_class(**networking: Any) -> dict[str, Any]:
    spec = {"advancedNetworking": networking}
    return {"apiVersion": "eks.amazonaws.com/v1", "kind": "NodeClass", "metadata": {"name": "default"}, "spec": spec}


@pytest.mark.parametrize(
    ("networking", "count"),
    [
        ({"httpsProxy": PROXY, "noProxy": ["169.254.169.254", ".svc"]}, 1),
        ({"httpsProxy": PROXY, "noProxy": ["10.0.0.0/16"]}, 1),
        ({"httpsProxy": PROXY, "noProxy": ["10.0.0.0/16", "[fd00:ec2::254]"]}, 0),
        ({"httpsProxy": PROXY}, 0),
        ({"noProxy": ["10.0.0.0/16"]}, 0),
    ],
)
def test_a_node_class_of_auto_mode_is_judged_alike(networking: dict[str, Any], count: int) -> None:
    found = judge("IDN005", workloads=[], auto_mode_node_classes=[node_class(**networking)]).findings
    assert len(found) == count
    assert all("advancedNetworking" in finding.remedy for finding in found)


@pytest.mark.parametrize("no_proxy", [".svc,*", ".svc,$(MORE)", ".svc,localhost"])
def test_a_snapshot_keeps_what_no_proxy_is_for(no_proxy: str) -> None:
    made = workload(no_proxy)
    before, after = (
        messages("IDN005", workloads=[each], pod_identity_associations=[ASSOCIATION]) for each in (made, seal(made))
    )
    assert before == after
    assert PROXY not in str(seal(made))
