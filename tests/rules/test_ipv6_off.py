"""Pods that switch IPv6 off."""

from __future__ import annotations

from typing import Any

import build
import pytest

from eks6check.findings import Severity


def workload(name: str = "web", /, **spec: Any) -> dict[str, Any]:
    spec = {"containers": [{"name": "web"}], **spec}
    metadata = {"name": name, "namespace": "shop"}
    return {"kind": "DaemonSet", "metadata": metadata, "spec": {"template": {"spec": spec}}}


def script(*command: str) -> dict[str, Any]:
    return workload(initContainers=[{"name": "init", "command": list(command)}])


def sysctl(name: str, value: Any) -> dict[str, Any]:
    return workload(securityContext={"sysctls": [{"name": name, "value": value}]})


@pytest.mark.parametrize(
    ("body", "severity"),
    [
        (script("sh", "-c", "sysctl -w net.ipv6.conf.all.disable_ipv6=1"), Severity.BLOCKER),
        (script("sysctl", "-w", "net/ipv6/conf/eth0/disable_ipv6=1"), Severity.BLOCKER),
        (script("sh", "-c", "echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6"), Severity.BLOCKER),
        (script("sh", "-c", "echo '1' | tee /proc/sys/net/ipv6/conf/all/disable_ipv6"), Severity.BLOCKER),
        (script("sh", "-c", "printf '1\\n' > \"/host/proc/sys/net/ipv6/conf/all/disable_ipv6\""), Severity.BLOCKER),
        (script("sh", "-c", "echo 1 | tee /proc/sys/net/ipv6/conf/*/disable_ipv6"), Severity.BLOCKER),
        (script("sh", "-c", "sysctl -w net.ipv6.conf.${NIC}.disable_ipv6=1"), Severity.WARNING),
        (sysctl("net.ipv6.conf.all.disable_ipv6", "1"), Severity.BLOCKER),
        (sysctl("net.ipv6.conf.eth0.disable_ipv6", 1), Severity.BLOCKER),
        (sysctl("net.ipv6.conf.lo.disable_ipv6", "1"), Severity.WARNING),
    ],
)
def test_the_kernel_is_told_to_remove_the_address(body: Any, severity: Severity) -> None:
    assert [finding.severity for finding in build.judge("APP004", workloads=[body]).findings] == [severity]


@pytest.mark.parametrize(
    "body",
    [
        script("sh", "-c", "sysctl -w net.ipv6.conf.all.disable_ipv6=0"),
        script("sh", "-c", "# sysctl -w net.ipv6.conf.all.disable_ipv6=1"),
        script("sh", "-c", '[ "$(sysctl -n net.ipv6.conf.all.disable_ipv6)" = 1 ] && exit 1'),
        script("sh", "-c", "cat /proc/sys/net/ipv6/conf/all/disable_ipv6"),
        script("sh", "-c", "echo 0 > /proc/sys/net/ipv6/conf/all/disable_ipv6"),
        script("sh", "-c", "sysctl -w net.ipv6.conf.all.forwarding=1 net.ipv6.conf.eth0.accept_ra=0"),
        script("sh", "-c", "ip6tables -P INPUT DROP"),
        script("sh", "-c", "sysctl -w net.ipv6.conf.docker0.disable_ipv6=1"),
        script("sh", "-c", "sysctl -w net.ipv6.conf.all.disable_ipv6=10"),
        sysctl("net.ipv6.conf.all.disable_ipv6", "0"),
        sysctl("net.ipv6.conf.all.accept_ra", "1"),
        sysctl("net.ipv4.ip_unprivileged_port_start", "1"),
        workload("aws-node", initContainers=[{"command": ["sysctl", "-w", "net.ipv6.conf.all.disable_ipv6=1"]}]),
    ],
)
def test_other_values_and_settings_are_left_alone(body: Any) -> None:
    assert not build.messages("APP004", workloads=[body])


def test_on_the_network_of_the_host_it_is_the_nodes_address() -> None:
    body = script("sysctl", "-w", "net.ipv6.conf.all.disable_ipv6=1")
    assert "the pod's only address that others reach" in build.messages("APP004", workloads=[body])[0]
    body["spec"]["template"]["spec"]["hostNetwork"] = True
    (message,) = build.messages("APP004", workloads=[body])
    assert "the node's only address" in message


def test_without_it_on_loopback_only_the_loopback_address_is_gone() -> None:
    (message,) = build.messages("APP004", workloads=[sysctl("net.ipv6.conf.lo.disable_ipv6", "1")])
    assert message.endswith("switches IPv6 off on lo in its sysctls: that takes away the loopback address ::1.")


@pytest.mark.parametrize(("mounted", "severity"), [("conf", Severity.BLOCKER), ("other", Severity.WARNING)])
def test_a_script_out_of_a_config_map_weighs_as_much_as_its_reader(mounted: str, severity: Severity) -> None:
    data = {"90-ipv6.conf": "net.ipv6.conf.all.disable_ipv6 = 1\nnet.ipv6.conf.default.disable_ipv6 = 1\n"}
    config_map = {"kind": "ConfigMap", "metadata": {"name": "conf", "namespace": "shop"}, "data": data}
    reader = workload(volumes=[{"name": "conf", "configMap": {"name": mounted}}])
    (finding,) = build.judge("APP004", workloads=[reader], config_maps=[config_map]).findings
    assert finding.severity is severity


def test_several_places_of_one_workload_are_one_finding() -> None:
    container = {"name": "init", "command": ["sysctl", "net.ipv6.conf.lo.disable_ipv6=1"]}
    body = workload(initContainers=[container, {"name": "two", "args": ["net.ipv6.conf.all.disable_ipv6=1"]}])
    (finding,) = build.judge("APP004", workloads=[body]).findings
    assert (finding.severity, len(finding.locations)) == (Severity.BLOCKER, 2)
