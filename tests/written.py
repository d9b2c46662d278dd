"""Workloads and ConfigMaps with an address or a script written into them, and what a rule says of them."""

from __future__ import annotations

from typing import Any

from build import judge

from eks6check.findings import Finding

OLD: dict[str, Any] = {
    "old_ranges": [
        {"id": "10.50.0.0/16", "role": "service", "cidr_block": "10.50.0.0/16"},
        {"id": "10.0.0.0/16", "role": "vpc", "cidr_block": "10.0.0.0/16"},
    ]
}


def workload(name: str = "PEER", value: Any = "", **spec: Any) -> dict[str, Any]:
    container = {"name": "web", "image": "example.com/web:10.100.0.1", "env": [{"name": name, "value": value}]}
    template = {"spec": {"containers": [container], **spec}}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": {"template": template}}


def config_map(text: str, name: str = "conf", key: str = "conf.txt") -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {key: text}}


def findings(word: str, *objects: dict[str, Any], **more: Any) -> tuple[Finding, ...]:
    config_maps = [each for each in objects if each["kind"] == "ConfigMap"]
    return judge(
        word, workloads=[each for each in objects if each not in config_maps], config_maps=config_maps, **more
    ).findings
