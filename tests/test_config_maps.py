"""Texts of ConfigMaps that are for people: no rule takes their examples for what somebody runs."""

from __future__ import annotations

from typing import Any

import build
import pytest

from eks6check.facts.config_maps import entries

EXAMPLES = {
    "ADR001": "http://$POD_IP:8080/health",
    "ADR003": "The API server was at https://172.20.0.1 before.",
    "ADR004": "postgres://app@10.20.30.40/app",
    "ADR007": "hostname -i",
    "APP002": "server { listen 80; }",
    "APP003": "-Djava.net.preferIPv4Stack=true",
    "DNS003": "curl -4 http://api.shop.svc/health",
    "IDN002": "curl http://169.254.169.254/latest/meta-data/",
    "MSH002": "static_resources: {listeners: [{address: {socket_address: {address: 0.0.0.0, port_value: 80}}}]}",
}


def config(key: Any, value: Any) -> dict[str, Any]:
    return {"kind": "ConfigMap", "metadata": {"name": "conf", "namespace": "shop"}, "data": {key: value}}


@pytest.mark.parametrize("rule", EXAMPLES)
def test_an_example_in_a_page_for_people_is_none_of_a_program(rule: str) -> None:
    def said(key: str) -> int:
        return len(build.judge(rule, config_maps=[config(key, EXAMPLES[rule])], workloads=[]).findings)

    assert said("app") == 1
    for key in ("README.md", "README", "NOTES.txt", "runbook.md", "guide.adoc", "values.schema.json"):
        assert said(key) == 0, key


@pytest.mark.parametrize("key", ["readmes.conf", "notes", "notes.sh", "md", "app.md.conf", "licensing.yaml"])
def test_other_names_are_read(key: str) -> None:
    assert [each.value for each in entries(build.resource(config(key, "x")))] == ["x"]


@pytest.mark.parametrize("key", [True, 1, None, 1.5])
def test_keys_of_any_type_have_the_name_that_the_api_server_knows(key: Any) -> None:
    (entry,) = entries(build.resource(config(key, "x")))
    assert (entry.key, type(entry.name)) == (key, str)


@pytest.mark.parametrize("data", [None, [], "x", {"a": 1}, {"a": None}])
def test_what_is_no_text_is_left_out(data: Any) -> None:
    assert list(entries(build.resource({"kind": "ConfigMap", "data": data}))) == []
