"""The JVM's switch to IPv4, wherever a workload is given it."""

from __future__ import annotations

from typing import Any

import build
import pytest

from eks6check.findings import Severity

SWITCH = "-Djava.net.preferIPv4Stack=true"


def workload(**container: Any) -> dict[str, Any]:
    volumes = [{"name": "conf", "configMap": {"name": "conf"}}]
    spec = {"containers": [{"name": "app", **container}], "volumes": volumes}
    metadata = {"name": "orders", "namespace": "shop"}
    return {"kind": "StatefulSet", "metadata": metadata, "spec": {"template": {"spec": spec}}}


def config(text: str, name: str = "conf") -> dict[str, Any]:
    return {"kind": "ConfigMap", "metadata": {"name": name, "namespace": "shop"}, "data": {"jvm.options": text}}


@pytest.mark.parametrize(
    "container",
    [
        {"env": [{"name": "JAVA_OPTS", "value": f"-Xmx1g {SWITCH} -server"}]},
        {"command": ["java", SWITCH, "-jar", "app.jar"]},
        {"command": ["sh", "-c"], "args": [f"exec java {SWITCH} -jar app.jar"]},
        {"env": [{"name": "A", "value": f"-Djava.net.preferIPv4Stack=false {SWITCH}"}]},
    ],
)
def test_the_switch_is_found_in_variables_and_commands(container: Any) -> None:
    (finding,) = build.judge("APP003", workloads=[workload(**container)]).findings
    assert finding.severity is Severity.BLOCKER


@pytest.mark.parametrize(
    "value",
    [
        "-Djava.net.preferIPv4Stack=false",
        f"{SWITCH} -Djava.net.preferIPv4Stack=false",
        "-Djava.net.preferIPv6Addresses=true",
        "-Djava.net.preferIPv4Stack",
        "-Dmy.java.net.preferIPv4Stacks=true",
        f"# {SWITCH}",
    ],
)
def test_other_switches_a_later_one_and_comments_are_left_alone(value: str) -> None:
    assert not build.messages("APP003", workloads=[workload(env=[{"name": "JAVA_OPTS", "value": value}])])
    assert not build.messages("APP003", workloads=[workload()], config_maps=[config(value)])


def test_a_file_weighs_as_much_as_its_reader() -> None:
    for name, severity in (("conf", Severity.BLOCKER), ("unread", Severity.WARNING)):
        text = f"-Xms1g\n{SWITCH}\n"
        (finding,) = build.judge("APP003", workloads=[workload()], config_maps=[config(text, name)]).findings
        assert (finding.severity, finding.subject.kind) == (severity, "ConfigMap")


def test_several_places_of_one_workload_are_one_finding() -> None:
    env = [{"name": name, "value": SWITCH} for name in ("A", "B")]
    (finding,) = build.judge("APP003", workloads=[workload(env=env)]).findings
    assert len(finding.locations) == 2


def kafka(**jvm_options: Any) -> dict[str, Any]:
    spec = {"kafka": {"jvmOptions": jvm_options}}
    return {"apiVersion": "kafka.strimzi.io/v1beta2", "kind": "Kafka", "metadata": {"name": "log"}, "spec": spec}


def test_an_operator_s_object_is_told_it_as_a_property_or_as_an_option() -> None:
    name = "java.net.preferIPv4Stack"
    for body in (kafka(javaSystemProperties=[{"name": name, "value": "true"}]), kafka(options=[SWITCH])):
        (finding,) = build.judge("APP003", workloads=[], operator_objects=[body]).findings
        assert finding.severity is Severity.BLOCKER
        assert "sets" in finding.message
        assert f"{name}=true" in finding.message


@pytest.mark.parametrize(
    "properties", [[{"name": "java.net.preferIPv4Stack", "value": "false"}], [{"name": 1}], "x", None]
)
def test_other_properties_of_any_type_are_left_alone(properties: Any) -> None:
    assert not build.messages("APP003", workloads=[], operator_objects=[kafka(javaSystemProperties=properties)])
