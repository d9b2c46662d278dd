"""The metadata address as something to talk to, and all the places where it is named to be left alone."""

from __future__ import annotations

from typing import Any

import pytest
from build import judge, messages, resource
from hypothesis import given
from hypothesis import strategies as st

from eks6check.facts.mentions import IMDS_IPV4, IMDS_IPV6
from eks6check.findings import Severity, State

IMDS = "169.254.169.254"


def deployment(container: dict[str, Any], **spec: Any) -> dict[str, Any]:
    pod = {"containers": [{"name": "app", "image": "app:1", **container}], **spec}
    meta = {"name": "web", "namespace": "shop"}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": {"template": {"spec": pod}}}


def config_map(text: Any, key: Any = "boot.sh") -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "boot"}, "data": {key: text}}


@pytest.mark.parametrize(
    ("container", "where"),
    [
        ({"env": [{"name": "AWS_EC2_METADATA_SERVICE_ENDPOINT", "value": f"http://{IMDS}"}]}, "variable AWS_EC2"),
        ({"env": [{"name": "IMDS", "value": f"{IMDS}:80"}]}, "variable IMDS of container app"),
        ({"command": ["sh", "-c", f"export AZ=$(curl -s http://{IMDS}/latest/meta-data/placement)"]}, "command of"),
        ({"args": ["--host", IMDS, f"--again={IMDS}"]}, "args of container app"),
        ({"livenessProbe": {"exec": {"command": ["curl", f"http://{IMDS}/"]}}}, "livenessProbe of container app"),
        ({"lifecycle": {"preStop": {"exec": {"command": ["curl", f"http://{IMDS}/"]}}}}, "preStop of container app"),
    ],
)
def test_a_workload_that_talks_to_metadata_is_told_once_a_place(container: dict[str, Any], where: str) -> None:
    (message,) = messages("IDN002", workloads=[deployment(container)])
    assert where in message


@pytest.mark.parametrize(
    "text",
    [
        f"curl http://{IMDS}/latest/meta-data/block-device-mapping/ami",
        f"[FILTER]\n    imds_host {IMDS}\n",
        f"# {IMDS} is commented\nURL=http://{IMDS}/",
        f"echo start ; curl http://{IMDS}/latest",
        f"endpoints:\n  - {IMDS}\n",
        f'{{"deny": [], "pad": "{"x" * 200}", "imds": "{IMDS}"}}',
        f'{{\n  "imds": "{IMDS}",\n  "deny": []\n}}',
        f"curl \\\n  --max-time 2 \\\n  http://{IMDS}/latest",
    ],
)
def test_a_file_that_talks_to_metadata_is_told(text: str) -> None:
    assert len(messages("IDN002", config_maps=[config_map(text)])) == 1


@pytest.mark.parametrize(
    "text",
    [
        f"# curl http://{IMDS}/",
        f"; host = {IMDS}",
        f"// {IMDS}",
        f"-- {IMDS}",
        f"<!-- {IMDS} -->",
        f"<!--\n<imds>{IMDS}</imds>\n-->",
        f"key: value # not {IMDS}",
        f"export NO_PROXY=localhost,{IMDS}",
        f"no_proxy: {IMDS}",
        f"noProxy:\n  - localhost\n  - {IMDS}\n",
        f"-Dhttp.nonProxyHosts=localhost|{IMDS}",
        f'"noProxy": [\n  "localhost",\n  "{IMDS}"\n]',
        f"no_proxy = [\n  '{IMDS}',\n]",
        f"iptables -A OUTPUT -d {IMDS} -j DROP",
        f"iptables -A OUTPUT \\\n  -d {IMDS} \\\n  -j REJECT",
        f"deny {IMDS};",
        f"acl imds dst {IMDS}",
        f'condition: outbound and fd.sip="{IMDS}" and container',
        f"blockedHosts: [{IMDS}]",
        f"cidr: 0.0.0.0/0\nexcept:\n- {IMDS}/32\n",
        f"excludeIPRanges: {IMDS}/32",
        f"route {IMDS}/32 via eth0",
        f"http://{IMDS}.nip.io",
        "1169.254.169.254 169.254.169.2540 169.254.169.254.1",
    ],
)
def test_guards_comments_blocks_and_longer_names_are_silent(text: str) -> None:
    assert judge("IDN002", config_maps=[config_map(text)]).state is State.PASSED
    assert not messages("IDN002", config_maps=[config_map(f"a: 1\n{text}\nb: 2")])


@pytest.mark.parametrize("key", ["NO_PROXY", "no_proxy", "denylist.txt", "ssrf-blocklist"])
def test_a_key_that_says_what_it_is_for_is_silent(key: str) -> None:
    assert not messages("IDN002", config_maps=[config_map(IMDS, key)])
    assert not messages("IDN002", workloads=[deployment({"env": [{"name": key, "value": IMDS}]})])


def test_pods_on_the_network_of_the_node_reach_it_as_ever() -> None:
    assert not messages("IDN002", workloads=[deployment({"args": [IMDS]}, hostNetwork=True)])


def test_the_place_is_the_line_that_speaks_not_the_comment_above() -> None:
    seen: list[tuple[Any, str, int]] = []

    def mark(path: Any, find: str, skip: int) -> tuple[int, int]:
        seen.append((path, find, skip))
        return 1, 1

    made = resource(config_map(f"# curl http://{IMDS}/x\ncurl http://{IMDS}/x\n"), "manifests")
    judge("IDN002", config_maps=[type(made)(made.body, type(made.origin)("manifests", file="a.yaml", mark=mark))])
    assert seen == [(("data", "boot.sh"), IMDS, 1)]


@pytest.mark.parametrize("data", [None, [], "x", {1: IMDS}, {"a": 1}, {"a": None}])
def test_odd_types_do_not_raise(data: Any) -> None:
    body = {**config_map(""), "data": data}
    assert judge("IDN002", config_maps=[body]).state is not State.ERROR


@given(st.text(alphabet=" -#;:/\\\n.169254adenyNO_PROXYx[]", max_size=120))
def test_no_file_is_too_wild(text: str) -> None:
    assert judge("IDN002", config_maps=[config_map(f"{text}{IMDS}{text}")]).state is not State.ERROR


def test_the_ipv6_endpoint_is_told_from_its_neighbours() -> None:
    assert IMDS_IPV6.search("http://[FD00:EC2::254]:80/latest")
    assert not IMDS_IPV6.search("fd00:ec2::23 fd00:ec2::2540 fd00:ec2::254/128")
    assert IMDS_IPV4.search(f"::ffff:{IMDS}")


AGENT = "602401143452.dkr.ecr.eu-west-1.amazonaws.com/eks/eks-pod-identity-agent:v0.1.33"


def agent(*arguments: Any) -> dict[str, Any]:
    return {**deployment({"image": AGENT, "args": ["--port", "80", *arguments]}), "kind": "DaemonSet"}


def agent_add_on(**flags: Any) -> dict[str, Any]:
    return {"id": "eks-pod-identity-agent", "configuration": {"agent": {"additionalArgs": flags}}}


@pytest.mark.parametrize(
    "arguments",
    [
        ["-b", "169.254.170.23"],
        ["-b169.254.170.23"],
        ["--bind-hosts=169.254.170.23"],
        ["--bind-hosts", "169.254.170.23,127.0.0.1"],
    ],
)
def test_an_agent_that_listens_on_ipv4_alone_is_told(arguments: list[str]) -> None:
    (finding,) = judge("IDN001", workloads=[agent(*arguments)]).findings
    assert finding.severity is Severity.BLOCKER
    assert "listen on 169.254.170.23" in finding.message
    flag = agent_add_on(**{arguments[0]: arguments[1]}) if len(arguments) == 2 else None
    assert flag is None or messages("IDN001", addons=[flag])
    assert finding.remedy != judge("IDN001", addons=[agent_add_on(**{"-b": "169.254.170.23"})]).findings[0].remedy


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--probe-port", "2703"],
        ["-b", "169.254.170.23,[fd00:ec2::23]"],
        ["-b", "169.254.170.23", "-b", "[fd00:ec2::23]"],
        ["-b", "[::]"],
        ["-b"],
        ["--bind-hosts="],
        ["--bind-hosts", " , "],
        ["--metrics-address=0.0.0.0"],
    ],
)
def test_an_agent_that_listens_on_ipv6_too_is_silent(arguments: list[str]) -> None:
    assert judge("IDN001", workloads=[agent(*arguments)]).state is State.PASSED


def test_other_programs_may_listen_where_they_like() -> None:
    assert not messages("IDN001", workloads=[deployment({"args": ["-b", "169.254.170.23"]})])
    other = {"id": "coredns", "configuration": {"agent": {"additionalArgs": {"-b": "169.254.170.23"}}}}
    assert not messages("IDN001", addons=[other])


def test_before_the_move_it_is_a_note_but_not_in_a_file_that_will_be_applied_again() -> None:
    clusters = [{"id": "shop", "ip_family": "ipv4"}]
    live, declared = agent("-b", "169.254.170.23"), resource(agent("-b", "169.254.170.23"), "manifests")
    (finding,) = judge("IDN001", workloads=[live], clusters=clusters).findings
    assert (finding.severity, "must not take that over" in finding.message) == (Severity.INFO, True)
    (finding,) = judge("IDN001", workloads=[declared], clusters=clusters).findings
    assert finding.severity is Severity.BLOCKER


def test_the_add_on_is_where_to_mend_the_daemon_set_that_it_made() -> None:
    addon = agent_add_on(**{"-b": "169.254.170.23"})
    (finding,) = judge("IDN001", addons=[addon], workloads=[agent("-b", "169.254.170.23")]).findings
    assert (finding.subject.kind, len(finding.locations)) == ("Addon", 2)
    assert finding.message.startswith("Add-on eks-pod-identity-agent has")
    declared = resource(agent("-b", "169.254.170.23"), "manifests")
    assert len(messages("IDN001", addons=[addon], workloads=[declared])) == 2


def test_an_add_on_lists_several_hosts_or_one() -> None:
    both, ipv4 = ["169.254.170.23", "[fd00:ec2::23]"], ["169.254.170.23"]
    assert messages("IDN001", addons=[agent_add_on(**{"-b": both})]) == []
    assert len(messages("IDN001", addons=[agent_add_on(**{"--bind-hosts": ipv4})])) == 1


@pytest.mark.parametrize("odd", [None, 3, "x", [], [None], {"-b": None}, {"-b": {}}, {"-b": []}])
def test_an_odd_configuration_of_the_agent_does_not_raise(odd: Any) -> None:
    addon = {"id": "eks-pod-identity-agent", "configuration": {"agent": {"additionalArgs": odd}}}
    assert judge("IDN001", addons=[addon]).state is not State.ERROR
