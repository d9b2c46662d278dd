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


OFF = "-Djava.net.preferIPv4Stack=false"


def told(**variables: str) -> dict[str, Any]:
    """A container with these variables, and the words of its command line under ``args``."""
    args = variables.pop("args", "").split()
    env = [{"name": name.replace("UNDER", "_JAVA_OPTIONS"), "value": value} for name, value in variables.items()]
    return {"env": env, "args": args}


@pytest.mark.parametrize(
    "container",
    [
        told(args=f"{SWITCH} {OFF}"),
        told(JAVA_TOOL_OPTIONS=SWITCH, JDK_JAVA_OPTIONS=OFF),
        told(JAVA_TOOL_OPTIONS=SWITCH, args=OFF),
        told(JDK_JAVA_OPTIONS=SWITCH, args=f"{OFF} -jar app.jar"),
        told(args=SWITCH, UNDER=OFF),
        told(JAVA_OPTS=SWITCH, UNDER=OFF),
        told(args=f"-jar app.jar {SWITCH}"),
        {"command": ["sh", "-c", f"exec java -jar /app.jar {SWITCH}"]},
    ],
)
def test_what_the_jvm_reads_later_counts_and_what_stands_behind_the_jar_is_no_option(container: Any) -> None:
    assert build.messages("APP003", workloads=[workload(**container)]) == []


@pytest.mark.parametrize(
    ("container", "where"),
    [
        (told(args=f"{OFF} {SWITCH}"), "args"),
        (told(args=OFF, UNDER=SWITCH), "variable _JAVA_OPTIONS"),
        (told(JAVA_TOOL_OPTIONS=OFF, JDK_JAVA_OPTIONS=SWITCH), "variable JDK_JAVA_OPTIONS"),
        (told(JAVA_TOOL_OPTIONS=OFF, args=f"{SWITCH} -jar app.jar"), "args"),
        (told(JAVA_OPTS=OFF, UNDER=SWITCH), "variable _JAVA_OPTIONS"),
        (told(args=f"{SWITCH} -jar app.jar {OFF}"), "args"),
        ({"command": ["sh", "-c", f"java -jar init.jar; exec java {SWITCH} -jar app.jar"]}, "command"),
        (told(JAVA_TOOL_OPTIONS=SWITCH, args=SWITCH), "args"),
    ],
)
def test_the_switch_that_counts_is_named_first(container: Any, where: str) -> None:
    (finding,) = build.judge("APP003", workloads=[workload(**container)]).findings
    assert (finding.severity, finding.evidence["where"]) == (Severity.BLOCKER, f"{where} of container app")


@pytest.mark.parametrize(
    "container",
    [told(JAVA_OPTS=SWITCH, args=OFF), told(JAVA_TOOL_OPTIONS=SWITCH, JAVA_OPTS=OFF), told(A=SWITCH, B=OFF)],
)
def test_where_nobody_knows_which_comes_last_it_is_a_warning(container: Any) -> None:
    (finding,) = build.judge("APP003", workloads=[workload(**container)]).findings
    assert finding.severity is Severity.WARNING
    assert "unless another place" in finding.message


def test_a_file_whose_reader_says_the_opposite_itself_is_a_warning() -> None:
    reader = workload(**told(args=OFF))
    (finding,) = build.judge("APP003", workloads=[reader], config_maps=[config(SWITCH)]).findings
    assert finding.severity is Severity.WARNING


def test_each_container_counts_for_itself_and_the_surer_one_first() -> None:
    body = workload(**told(JAVA_OPTS=SWITCH, args=OFF))
    body["spec"]["template"]["spec"]["containers"].append({"name": "other", **told(args=SWITCH)})
    (finding,) = build.judge("APP003", workloads=[body]).findings
    assert (finding.severity, finding.evidence["where"]) == (Severity.BLOCKER, "args of container other")
    assert len(finding.locations) == 2


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
