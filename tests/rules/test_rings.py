"""Rings and memberlists: each that is configured needs its switch, unless it inherits one or has an address."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from build import judge, messages

from eks6check.findings import Severity

STORE = {"kvstore": {"store": "memberlist"}}
BOUND = {"join_members": ["gossip"], "bind_addr": ["::"]}


def config(body: Any) -> dict[str, Any]:
    value = body if isinstance(body, str) else yaml.safe_dump(body)
    metadata = {"name": "mimir", "namespace": "monitoring"}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"config.yaml": value}}


@pytest.mark.parametrize(
    ("body", "missing"),
    [
        ({"ingester": {"ring": STORE}}, ["ingester.ring.instance_enable_ipv6"]),
        ({"ingester": {"lifecycler": {"ring": STORE}}}, ["ingester.lifecycler.enable_inet6"]),
        ({"memberlist": {"join_members": ["gossip"]}, "limits": {}}, ["memberlist.bind_addr"]),
        (
            {"common": {"ring": STORE, "instance_interface_names": ["en0"]}, "memberlist": BOUND},
            ["common.ring.instance_enable_ipv6"],
        ),
        ({"index_gateway": {"ring": STORE}, "querier": {}}, ["index_gateway.ring.instance_enable_ipv6"]),
        ({"overrides_exporter": {"ring": STORE}, "limits": {}}, ["overrides_exporter.ring.instance_enable_ipv6"]),
        (
            {"distributor": {"ring": {**STORE, "instance_enable_ipv6": False}}},
            ["distributor.ring.instance_enable_ipv6"],
        ),
        ({"memberlist": {"join_members": ["a"], "bind_addr": ["0.0.0.0"]}, "common": {}}, ["memberlist.bind_addr"]),
        (
            {"compactor": {"sharding_ring": STORE}, "ingester": {"ring": {**STORE, "instance_enable_ipv6": True}}},
            ["compactor.sharding_ring.instance_enable_ipv6"],
        ),
    ],
)
def test_what_lacks_the_switch_is_named(body: Any, missing: list[str]) -> None:
    (finding,) = judge("APP011", config_maps=[config(body)]).findings
    assert finding.evidence["missing"] == missing


@pytest.mark.parametrize(
    "body",
    [
        {"memberlist": BOUND, "ingester": {"ring": {**STORE, "instance_enable_ipv6": True}}},
        {"memberlist": BOUND, "ingester": {"lifecycler": {"ring": STORE, "enable_inet6": True}}},
        {"common": {"ring": {**STORE, "instance_enable_ipv6": True}}, "compactor": {"ring": STORE}},
        {"common": {"instance_addr": "127.0.0.1", "ring": STORE}},
        {"ingester": {"ring": {**STORE, "instance_addr": "${POD_IP}"}}},
        {"memberlist": {"join_members": ["a"], "bind_addr": ["${POD_IP}"]}, "limits": {}},
        {"memberlist": {"join_members": ["a"], "bind_addr": ["::", "0.0.0.0"]}, "limits": {}},
        {"memberlist": BOUND, "ingester": {"ring": {**STORE, "instance_addr": "2001:db8::1"}}},
        {"route": {"receiver": "mail"}, "memberlist": {"join_members": ["a"]}},
        {"limits": {}, "kvstore": {"store": "memberlist"}},
        {"memberlist": {"join_members": ["a"]}, "unknown": {}},
        {"ingester": {"ring": None, "lifecycler": [3]}, "memberlist": 3},
        "# memberlist: {join_members: [a]}\ncommon: {}\n",
        "common: {{ .Values.memberlist }}",
        "common: &a {ring: *a, memberlist: *a, instance_addr: x}",
    ],
)
def test_switched_on_inherited_addressed_and_other_configurations_stay_silent(body: Any) -> None:
    assert messages("APP011", config_maps=[config(body)]) == []


def member(*args: str) -> dict[str, Any]:
    container = {"name": "ingester", "args": list(args)}
    spec = {"containers": [container], "volumes": [{"name": "c", "configMap": {"name": "mimir"}}]}
    metadata = {"name": "ingester", "namespace": "monitoring"}
    return {"kind": "StatefulSet", "metadata": metadata, "spec": {"template": {"spec": spec}}}


@pytest.mark.parametrize(
    ("args", "severity"),
    [
        (["-target=ingester", "-memberlist.join=gossip:7946"], Severity.BLOCKER),
        (["--memberlist.join=gossip:7946", "-config.file=/etc/mimir.yaml"], Severity.WARNING),
    ],
)
def test_a_member_that_joins_by_options_needs_the_switch_there_too(args: list[str], severity: Severity) -> None:
    (finding,) = judge("APP011", config_maps=[], workloads=[member(*args)]).findings
    assert finding.severity is severity


def test_options_that_switch_ipv6_on_speak_for_the_file_as_well() -> None:
    switched = member("-memberlist.join=gossip:7946", "-memberlist.bind-addr=::", "-ingester.ring.instance-enable-ipv6")
    file = config({"memberlist": {"join_members": ["a"]}, "common": {}})
    assert messages("APP011", config_maps=[file], workloads=[switched]) == []
    assert messages("APP011", config_maps=[], workloads=[member("-memberlist.nodename=a"), {"kind": "Pod"}]) == []
