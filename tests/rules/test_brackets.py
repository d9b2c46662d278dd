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
        ('exec serve --listen "$MY_POD_IP":80', '[$MY_POD_IP]":80'),
        ("exec serve --listen ${MY_POD_IP:-0.0.0.0}:80", "[${MY_POD_IP:-0.0.0.0}]:80"),
        ("a: '[${env:MY_POD_IP}]:4317'\nb: '${env:MY_POD_IP}:4318'", "[${env:MY_POD_IP}]:4318"),
        ("$(MY_POD_IP):$(MY_POD_IP)", "[$(MY_POD_IP)]:$(MY_POD_IP)"),
    ],
)
def test_a_port_behind_an_address_is_told_with_what_it_has_to_be(value: str, instead: str) -> None:
    (found,) = findings("ADR001", workload(args=[value]))
    assert (found.severity, found.confidence) == (Severity.BLOCKER, Confidence.HIGH)
    assert f"has to be {instead} there" in found.message
    assert ("Brackets around the variable in the URL" in found.remedy) is ("://" in value)
    assert found.evidence["field"] == "status.podIP"


@pytest.mark.parametrize(
    "value",
    [
        "[$(MY_POD_IP)]:80",
        "$$(MY_POD_IP):80",
        "${MY_POD_IP:-localhost}",
        "${MY_POD_IP:0:3}",
        r"\$MY_POD_IP:80",
        "http://$(MY_POD_IP)/health",
        "cat > f <<E\nip: $MY_POD_IP\nport: 80\nE",
        '{"ip":"$MY_POD_IP","port":"80"}',
        'IP="[$MY_POD_IP]"; serve $IP:80 || serve $MY_POD_IP:81',
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


@pytest.mark.parametrize("field", ["status.podIP", "status.podIPs", "status.hostIP", "status.hostIPs"])
def test_every_field_that_is_an_address_counts_and_no_other(field: str) -> None:
    for path, count in ((field, 1), ("metadata.name", 0), ("spec.nodeName", 0), ("status.phase", 0)):
        filled = {"name": "WHERE", "valueFrom": {"fieldRef": {"fieldPath": path}}}
        assert len(findings("ADR001", workload(filled, args=["$(WHERE):80"]))) == count


def test_what_kubelet_runs_inside_the_container_is_read_too() -> None:
    body = workload()
    command = {"exec": {"command": ["sh", "-c", "curl http://$MY_POD_IP:80"]}}
    container = body["spec"]["template"]["spec"]["containers"][0]
    container |= {"livenessProbe": command, "lifecycle": {"preStop": command}}
    (found,) = findings("ADR001", body)
    assert found.evidence["in"] == "livenessProbe of container web"
    assert len(found.locations) == 2


def test_a_client_that_brackets_by_itself_wants_the_bare_address() -> None:
    agent = {"name": "DD_AGENT_HOST", "valueFrom": {"fieldRef": {"fieldPath": "status.hostIP"}}}
    assert findings("ADR001", workload(agent)) == ()
    assert findings("ADR001", workload(agent, {"name": "DD_TRACE_AGENT_URL", "value": "http://$(DD_AGENT_HOST):8126"}))


def test_a_variable_that_is_nothing_but_the_address_is_one_too() -> None:
    alias = {"name": "BIND", "value": "$(MY_POD_IP)"}
    assert "BIND holds the pod's address" in findings("ADR001", workload(alias, args=["$(BIND):80"]))[0].message


def test_a_variable_in_a_longer_text_is_no_address() -> None:
    for value in ("tcp://$(MY_POD_IP)", "$(MY_POD_IP)/32", "x$(MY_POD_IP)"):
        assert findings("ADR001", workload({"name": "BIND", "value": value}, args=["$(BIND):80"])) == ()


def test_what_one_reader_fills_wins_over_what_another_sets() -> None:
    mount = {"volumes": [{"name": "conf", "configMap": {"name": "conf"}}]}
    readers = [workload({"name": "HOST_IP", "value": "agent.shop"}, spec=mount)]
    text = config_map("to: $(HOST_IP):8126")
    assert findings("ADR001", *readers, config_maps=[text]) == ()
    filled = {"name": "HOST_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.hostIP"}}}
    assert len(findings("ADR001", *readers, workload(filled, spec=mount), config_maps=[text])) == 1


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
    own = config_map("", "istio-sidecar-injector") | {"data": {"config": "$(HOST_IP):8126"}}
    assert len(findings("ADR001", config_maps=[own])) == 1
    elsewhere = shipped | {"metadata": {"name": "tracing"}}
    assert len(findings("ADR001", config_maps=[elsewhere])) == 1


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
    (other,) = findings("ADR002", workload(args=["$(CART_SERVICE_HOST):80", "$(CART_SERVICE_HOST):81"]))
    assert "kubernetes.default.svc" not in other.remedy
    assert "(and 1 more like it)" in other.message
    address = {"name": "CART_SERVICE_HOST", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}
    assert findings("ADR001", workload(address, args=["$(CART_SERVICE_HOST):80"])) == ()
    assert findings("ADR001", workload(args=[url])) == ()


def test_a_service_host_that_somebody_set_is_a_name() -> None:
    chosen = {"name": "CART_SERVICE_HOST", "value": "cart.shop"}
    assert findings("ADR002", workload(chosen, args=["$(CART_SERVICE_HOST):80"])) == ()
    elsewhere = config_map("") | {"data": {"CART_SERVICE_HOST": "cart.shop"}}
    assert findings("ADR002", workload(args=["$(CART_SERVICE_HOST):80"]), config_maps=[elsewhere]) == ()
    assert findings("ADR002", workload(args=["https://[$KUBERNETES_SERVICE_HOST]:$KUBERNETES_SERVICE_PORT"])) == ()


@pytest.mark.parametrize(
    "value", ["$(REDIS_PORT)", "$(REDIS_SERVICE_HOST)", "$$(REDIS_SERVICE_HOST):6379", "$(MY_POD_IP):80"]
)
def test_what_kubelet_brackets_and_what_has_no_port_is_silent(value: str) -> None:
    assert findings("ADR002", workload(args=[value])) == ()


def test_the_opentelemetry_operator_takes_variables_beside_its_configuration() -> None:
    env = [{"name": "ME", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}]
    config = {"receivers": {"otlp": {"protocols": {"grpc": {"endpoint": "${env:ME}:4317"}}}}}
    for given_as in (config, str(config)):
        kind = {"apiVersion": "opentelemetry.io/v1beta1", "kind": "OpenTelemetryCollector", "metadata": {"name": "o"}}
        body = kind | {"spec": {"env": env, "config": given_as}}
        (finding,) = judge("ADR001", workloads=[], config_maps=[], operator_objects=[body]).findings
        assert "writes ${env:ME}:4317 in spec.config" in finding.message


@given(st.text(alphabet="$({})[]:POD_IPenv.0-9\n #\"'>", max_size=40))
def test_no_text_raises(value: str) -> None:
    for word in ("ADR001", "ADR002"):
        findings(word, workload(args=[value]), config_maps=[config_map(value)])
