"""Rings and memberlists: each that is configured needs its switch, unless it inherits one or has an address."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from build import judge, messages

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
        {"memberlist": {"join_members": ["a"]}, "unknown": {}},
        {"ingester": {"ring": None, "lifecycler": [3]}, "memberlist": 3},
        "# memberlist: {join_members: [a]}\ncommon: {}\n",
        "common: {{ .Values.memberlist }}",
        "common: &a {ring: *a, memberlist: *a, instance_addr: x}",
    ],
)
def test_switched_on_inherited_addressed_and_other_configurations_stay_silent(body: Any) -> None:
    assert messages("APP011", config_maps=[config(body)]) == []
