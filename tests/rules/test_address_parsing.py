"""ADR007: scripts that take an address for IPv4."""

from __future__ import annotations

import pytest
from written import config_map, findings, workload

from eks6check.findings import Confidence, Severity


@pytest.mark.parametrize(
    ("line", "outcome"),
    [
        ("export IP=$(hostname -i)", "busybox answers in IPv4 alone"),
        ("IP=$(hostname -I | awk '{print $1}')", "169.254.172.0/22"),
        ('echo "listen $(hostname -i)" > web.conf', "busybox"),
        ("ip -4 addr show eth0", "169.254.172.0/22"),
        ("ip -o -4 a s eth0", "169.254.172.0/22"),
        ("ip -f inet addr", "169.254.172.0/22"),
        ("ifconfig eth0 | grep 'inet ' | awk '{print $2}'", "169.254.172.0/22"),
        ("ifconfig | awk '/inet addr/{print substr($2,6)}'", "169.254.172.0/22"),
        (r"grep -oE '([0-9]{1,3}\.){3}[0-9]{1,3}'", "matches IPv4 alone"),
        (r"if [[ $A =~ ^[0-9]+\.[0-9]+\.[0-9]+\.[0-9]+$ ]]; then", "matches IPv4 alone"),
        ("H=$(echo $PEER_ADDR | cut -d: -f1)", "cut in its middle"),
        ("H=$(echo \"${POD_IP}\" | awk -F. '{print $4}')", "cut in its middle"),
        ("H=${POD_IP%%:*}", "cut in its middle"),
        ("ip addr | grep -v inet6 | grep 'inet '", "169.254.172.0/22"),
        (r"grep -oP '\d{1,3}(\.\d{1,3}){3}' /etc/hosts", "matches IPv4 alone"),
        ("echo $POD_IP | cut -d ':' -f 1", "cut in its middle"),
        ('host = peer_addr.split(":")[0]', "cut in its middle"),
        ("NAME=${POD_IP//./-}.shop.pod.cluster.local", "no dots to replace"),
        ("NAME=$(echo $POD_IP | tr . -)", "no dots to replace"),
        (r"NAME=$(echo ${POD_IP} | sed 's/\./-/g')", "no dots to replace"),
    ],
)
def test_a_script_that_knows_ipv4_alone(line: str, outcome: str) -> None:
    (found,) = findings("ADR007", config_map(f"#!/bin/sh\n{line}\n", key="start.sh"))
    assert (found.severity, found.confidence) == (Severity.WARNING, Confidence.MEDIUM)
    assert outcome in found.message
    assert findings("ADR007", workload("SCRIPT", line))


@pytest.mark.parametrize(
    "text",
    [
        "# IP=$(hostname -i)",
        'echo "see http://$(hostname -I | cut -d" " -f1):80"',
        "hostname -f; hostname -s; hostname",
        "echo $INFO | grep role | cut -d: -f2",
        "cut -d: -f1 /etc/passwd",
        "ip -4 addr; ip -6 addr",
        "ip addr | grep -E 'inet6? '",
        "ip route; ip link set eth0 up",
        r"grep -oE '[0-9]+\.[0-9]+\.[0-9]+' VERSION",
        "IMAGE=${IMAGE%%:*}",
        "if echo $IP | grep -q ':'; then IP6=1; fi; A=$(hostname -i)",
        "case $IP in *:*) A=[$IP] ;; esac; B=$(hostname -i)",
        r"echo $VERSION | sed 's/\./-/g'",
        "echo $VERSION | tr . -",
        "TAG=${TAG//./-}",
        'name = image.split(":")[0]',
        "echo $URL | cut -d: -f1",
        "getent hosts db | awk '{print $1}'",
        "<!-- hostname -i -->",
        "-- hostname -i",
        "strip -4 addr",
        "gossip -4 a",
    ],
)
def test_what_takes_both_families_or_no_address_is_silent(text: str) -> None:
    assert findings("ADR007", config_map(text, key="start.sh")) == ()


def test_a_pod_in_the_nodes_network_has_an_ipv4_address_to_find() -> None:
    assert findings("ADR007", workload("SCRIPT", "ip -4 addr", hostNetwork=True)) == ()
    assert findings("ADR007", workload("SCRIPT", "H=${POD_IP%%:*}", hostNetwork=True))
    mounting = workload(hostNetwork=True, volumes=[{"configMap": {"name": "conf"}}])
    assert findings("ADR007", mounting, config_map("hostname -i")) == ()


def test_a_probe_that_runs_inside_the_container_is_a_script_too() -> None:
    probe = {"exec": {"command": ["sh", "-c", "nc -z $(hostname -i) 80"]}}
    (found,) = findings("ADR007", workload(containers=[{"name": "web", "readinessProbe": probe}]))
    assert "in readinessProbe of container web" in found.message


def test_several_in_one_object_are_one_finding_at_the_first() -> None:
    (found,) = findings("ADR007", config_map("# hostname -i\nhostname -i\nip -4 addr\n"))
    assert "(and 1 more of the kind)" in found.message
    assert found.evidence["found"] == ["hostname -i", "ip -4 addr"]
