"""ADR001 and ADR002: an address and a port with nothing but a colon between them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from build import judge, messages
from hypothesis import given
from hypothesis import strategies as st

from eks6check.findings import Confidence, Finding, Severity

FIELD = {"name": "MY_POD_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}


def workload(*env: dict[str, Any], args: Sequence[str] = (), spec: dict[str, Any] | None = None) -> dict[str, Any]:
    container = {"name": "web", "image": "example.com/web:1", "env": [FIELD, *env], "args": list(args)}
    template = {"spec": {"containers": [container], **(spec or {})}}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": {"template": template}}


def config_map(text: str, name: str = "conf") -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"conf.yaml": text}}


def findings(word: str, *workloads: Any, config_maps: Sequence[Any] = ()) -> tuple[Finding, ...]:
    return judge(word, workloads=workloads, config_maps=config_maps).findings


@pytest.mark.parametrize(
    ("value", "instead"),
    [
        ("$(MY_POD_IP):80", "[$(MY_POD_IP)]:80"),
        ("http://$(MY_POD_IP):$(PORT)/x", "[$(MY_POD_IP)]:$(PORT)"),
        ("${env:MY_POD_IP}:4317", "[${env:MY_POD_IP}]:4317"),
        ("exec serve --listen ${MY_POD_IP}:80", "[${MY_POD_IP}]:80"),
        ("exec serve --listen $MY_POD_IP:$PORT", "[$MY_POD_IP]:$PORT"),
        ('echo "listen $MY_POD_IP:80" > /etc/web.conf', "[$MY_POD_IP]:80"),
    ],
)
def test_a_port_behind_an_address_is_told_with_what_it_has_to_be(value: str, instead: str) -> None:
    (found,) = findings("ADR001", workload(args=[value]))
    assert (found.severity, found.confidence) == (Severity.BLOCKER, Confidence.HIGH)
    assert f"has to be {instead} there" in found.message
    assert found.evidence["field"] == "status.podIP"


@pytest.mark.parametrize(
    "value",
    [
        "[$(MY_POD_IP)]:80",
        "$$(MY_POD_IP):80",
        "${MY_POD_IP:-localhost}",
        "${MY_POD_IP:0:3}",
        "host: $(MY_POD_IP)",
        "$(MY_POD_IP)",
        "$(MY_POD_IP):",
        "$(WEB_HOST):80",
        "# serve $MY_POD_IP:80",
        'echo "listening on $MY_POD_IP:80"',
        'if echo $MY_POD_IP | grep -q :; then A="[$MY_POD_IP]:80"; else A="$MY_POD_IP:80"; fi',
    ],
)
def test_what_needs_no_brackets_is_silent(value: str) -> None:
    assert findings("ADR001", workload(args=[value])) == ()


def test_a_variable_that_is_nothing_but_the_address_is_one_too() -> None:
    alias = {"name": "BIND", "value": "$(MY_POD_IP)"}
    assert "BIND holds the pod's address" in findings("ADR001", workload(alias, args=["$(BIND):80"]))[0].message


def test_a_name_alone_is_weaker_and_one_that_somebody_set_is_nothing() -> None:
    (found,) = findings("ADR001", workload(args=["$(HOST_IP):8126"]))
    assert (found.severity, found.confidence) == (Severity.WARNING, Confidence.MEDIUM)
    chosen = {"name": "HOST_IP", "value": "agent.shop"}
    assert findings("ADR001", workload(chosen, args=["$(HOST_IP):8126"])) == ()


def test_a_config_map_is_judged_by_the_variables_of_who_mounts_it() -> None:
    text = "receivers:\n  otlp: {endpoint: '${env:THE_IP}:4317'}\n"
    filled = {"name": "THE_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}
    mount = {"volumes": [{"name": "conf", "configMap": {"name": "conf"}}]}
    (found,) = findings("ADR001", workload(filled, spec=mount), config_maps=[config_map(text)])
    assert found.subject.kind == "ConfigMap"
    assert [place.id for place in found.locations] == ["v1/ConfigMap/default/conf", "apps/Deployment/default/web"]
    assert findings("ADR001", workload(filled), config_maps=[config_map(text)]) == ()
    projected = {"volumes": [{"projected": {"sources": [{"configMap": {"name": "conf"}}]}}]}
    assert findings("ADR001", workload(filled, spec=projected), config_maps=[config_map(text)])


def test_many_places_of_one_object_are_one_finding() -> None:
    (found,) = findings("ADR001", workload({"name": "A", "value": "$(MY_POD_IP):1"}, args=["$(MY_POD_IP):2"]))
    assert "(and 1 more like it)" in found.message
    assert found.evidence["found"] == ["$(MY_POD_IP):1", "$(MY_POD_IP):2"]


def test_the_defaults_that_istio_ships_are_silent() -> None:
    shipped = config_map("", "istio-sidecar-injector") | {"data": {"values": '{"address":"$(HOST_IP):8126"}'}}
    assert findings("ADR001", config_maps=[shipped]) == ()


def test_the_api_server_and_other_services_by_their_variables() -> None:
    url = "https://$KUBERNETES_SERVICE_HOST:$KUBERNETES_SERVICE_PORT/api"
    (found,) = findings("ADR002", workload(args=[url]))
    assert "kubernetes.default.svc" in found.remedy
    assert (found.severity, found.confidence) == (Severity.WARNING, Confidence.MEDIUM)
    default = url.replace("$KUBERNETES_SERVICE_PORT", "${KUBERNETES_SERVICE_PORT:-443}")
    assert (
        "$KUBERNETES_SERVICE_HOST:${KUBERNETES_SERVICE_PORT:-443} in"
        in findings("ADR002", workload(args=[default]))[0].message
    )
    script = "const url = `https://${process.env.KUBERNETES_SERVICE_HOST}:${process.env.KUBERNETES_SERVICE_PORT}`"
    assert findings("ADR002", workload(args=[script]))
    assert messages("ADR002", workloads=[], config_maps=[config_map("to: ${CART_SERVICE_HOST}:80")])
    assert findings("ADR001", workload(args=[url])) == ()


def test_a_service_host_that_somebody_set_is_a_name() -> None:
    chosen = {"name": "CART_SERVICE_HOST", "value": "cart.shop"}
    assert findings("ADR002", workload(chosen, args=["$(CART_SERVICE_HOST):80"])) == ()
    elsewhere = config_map("") | {"data": {"CART_SERVICE_HOST": "cart.shop"}}
    assert findings("ADR002", workload(args=["$(CART_SERVICE_HOST):80"]), config_maps=[elsewhere]) == ()
    assert findings("ADR002", workload(args=["https://[$KUBERNETES_SERVICE_HOST]:$KUBERNETES_SERVICE_PORT"])) == ()


@given(st.text(alphabet="$({})[]:POD_IPenv.0-9\n #\"'>", max_size=40))
def test_no_text_raises(value: str) -> None:
    for word in ("ADR001", "ADR002"):
        findings(word, workload(args=[value]), config_maps=[config_map(value)])
