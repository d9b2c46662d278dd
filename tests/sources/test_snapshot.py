"""Snapshots: judged again they say the same, and they hold nothing that no rule looks at."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import build
import pytest
import yaml

from eks6check import engine
from eks6check.catalog import Rule, load
from eks6check.facts import SECTIONS, Facts, Section
from eks6check.facts.aws import LaunchTemplate
from eks6check.facts.bootstrap import cluster_dns, ipv4_boot
from eks6check.facts.kinds import KINDS
from eks6check.facts.unparsed import SEALED
from eks6check.facts.user_data import max_pods
from eks6check.findings import Target
from eks6check.sources import snapshot
from eks6check.sources.sealing import LEFT_OUT, seal, seal_template

SECRET = "hunter2-0f5c"

SCRIPT = f"""\
#!/bin/bash
export TOKEN={SECRET}
curl -H "Authorization: {SECRET}" https://vault.example/boot | sh
/etc/eks/bootstrap.sh shop --b64-cluster-ca $CA --apiserver-endpoint $URL \\
  --use-max-pods false --kubelet-extra-args '--max-pods=20' \\
  --ip-family ipv4
"""

CONFIG = """\
---
apiVersion: node.eks.aws/v1alpha1
kind: NodeConfig
spec:
  cluster:
    name: shop
    cidr: 10.100.0.0/16
  kubelet:
    config:
      maxPods: 58
      clusterDNS:
        - 10.100.0.10
    flags:
      - "--node-labels=team=shop"
"""

BOTTLEROCKET = f"""\
[settings.kubernetes]
cluster-name = "shop"
max-pods = 58

[settings.host-containers.admin]
user-data = "{SECRET}"
"""

MESSAGE = f"""\
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary="//"

--//
Content-Type: text/x-shellscript

#!/bin/bash
export TOKEN={SECRET}
--//
Content-Type: application/node.eks.aws

{CONFIG}
--//--
"""


def live(facts: Facts) -> Facts:
    """The same facts as a cluster or an account would give them, each kind in the section that holds it."""
    return {
        name: Section(
            tuple(build.resource(item.body) if SECTIONS[name] == "Resource" else item for item in section.items)
        )
        for name, section in facts.items()
    }


def example(rule: Rule) -> Facts:
    bodies = list(yaml.safe_load_all(rule.bad))
    if "apiVersion" not in bodies[0]:
        return live(build.facts(**bodies[0]))
    return build.facts(**{name: list(of_kinds(name, bodies)) for name in KINDS})


def of_kinds(section: str, bodies: Iterable[Any]) -> Iterable[Any]:
    kinds = {(kind.group, kind.kind) for kind in KINDS[section]}
    return (each for each in bodies if (str(each["apiVersion"]).rpartition("/")[0], each["kind"]) in kinds)


def said(facts: Facts) -> set[tuple[str, str, str]]:
    outcomes = engine.evaluate(load(), facts)
    return {(each.rule, each.subject.id, each.message) for outcome in outcomes for each in outcome.findings}


@pytest.mark.parametrize("rule", load(), ids=lambda rule: rule.id)
def test_a_snapshot_of_an_example_says_what_the_example_says(rule: Rule, tmp_path: Path) -> None:
    facts = example(rule)
    path = tmp_path / "snapshot.json"
    path.write_text(snapshot.dumps(facts, Target("prod"), ("aws", "cluster")), encoding="utf-8")
    assert said(snapshot.read(path).facts) == said(facts)
    assert rule.id in {each[0] for each in said(facts)} or "manifests" in str(rule.bad) or not rule.runs_on(facts)


TEXTS = {
    "ADR001": [
        "a $POD_IP:80",
        'a "$POD_IP":"$PORT"',
        "a ${POD_IP:-localhost}:80",
        "a: '[${env:POD_IP}]:1'\nb: ${env:POD_IP}:2",
        "const u = `http://${process.env.POD_IP}:80`",
        'A="[$POD_IP]"; B=$POD_IP:80',
    ],
    "ADR002": ["https://$KUBERNETES_SERVICE_HOST:443", "redis://${REDIS_SERVICE_HOST:-redis}:6379"],
    "ADR004": [
        "<host>10.1.2.3</host>",
        f"<!-- {SECRET}\n<host>10.1.2.3</host>\n-->",
        f"deny:\n  # {SECRET}\n  - 10.1.2.3",
        f"openAPIV3Schema: {SECRET}\n  host: 10.1.2.3",
        f'{{"panels": ["{SECRET}"],\n"host": "10.1.2.3"}}',
    ],
    "ADR007": [
        "hostname -i",
        "ip -4 addr",
        "H=${POD_IP%%:*}",
        'host = peer_addr.split(":")[0]',
        "N=${POD_IP//./-}",
        "N=$(echo $POD_IP | tr . -)",
        r"N=$(echo $POD_IP | sed 's/\./-/g')",
        r"grep -oE '([0-9]{1,3}\.){3}[0-9]{1,3}'",
    ],
    "APP002": [
        "server {\n listen 80;\n}",
        "server\n{\n listen 80;\n}",
        "server {\n listen 80;\n listen [::]:80;\n}",
        "server {\n include listen.conf;\n location / {\n }\n}",
        "server {\n listen 80;\n include listen.conf;\n}",
    ],
    "APP003": ["-Djava.net.preferIPv4Stack=true", "# -Djava.net.preferIPv4Stack=true"],
    "APP004": ["net.ipv6.conf.all.disable_ipv6 = 1", "echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6"],
    "DNS003": [
        "curl -4 http://web.shop.svc/",
        "wget --inet4-only http://web.shop.svc",
        "dig web.shop.svc",
        "nslookup -q=a web.shop.svc",
        "dns-lookup-family: v4",
        "dns_order = LAST,A",
    ],
    "IDN002": [
        "curl http://169.254.169.254/",
        "except:\n  - 169.254.169.254",
        "noProxy:\n  - localhost\n  - 169.254.169.254",
        f"iptables -A OUTPUT -m comment --comment {SECRET} \\\n -d 169.254.169.254 \\\n -j DROP",
        f"iptables -A DENY \\\n --comment {SECRET} \\\n -d 169.254.169.254",
    ],
}
"""Texts in which a rule finds something, or finds a reason to find nothing, by the rule."""


@pytest.mark.parametrize(("rule", "text"), [(rule, text) for rule, texts in TEXTS.items() for text in texts])
def test_a_sealed_config_map_says_what_the_whole_one_says(rule: str, text: str) -> None:
    whole = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "conf", "namespace": "shop"}}
    whole["data"] = {"app.conf": text}
    filled = {"name": "POD_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}
    spec = {"containers": [{"name": "web", "env": [filled]}], "volumes": [{"configMap": {"name": "conf"}}]}
    reader = {
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"template": {"spec": spec}},
    }
    sealed = seal(whole)
    sections = {"workloads": [reader], "services": []} if rule != "IDN002" else {"workloads": []}
    before, after = (build.messages(rule, config_maps=[each], **sections) for each in (whole, sealed))
    assert before == after
    assert SECRET not in str(sealed)


@pytest.mark.parametrize(
    ("rule", "env"),
    [
        ("ADR001", {"A": "${POD_IP:-localhost}:80"}),
        ("ADR007", {"SCRIPT": "N=${POD_IP//./-}"}),
        ("APP003", {"JAVA_OPTS": "-Xmx1g -Djava.net.preferIPv4Stack=true"}),
        ("CNI014", {"FELIX_IPV6SUPPORT": "false"}),
        ("DNS003", {"REDIS_IP_FAMILY": "4", "REDIS_HOST": "web.shop.svc"}),
    ],
)
def test_sealed_variables_say_what_the_whole_ones_say(rule: str, env: dict[str, str]) -> None:
    filled = {"name": "POD_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}}
    variables = [filled, {"name": "PASSWORD", "value": SECRET}, *({"name": key, "value": env[key]} for key in env)]
    spec = {"containers": [{"name": "web", "env": variables}]}
    whole = {
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"template": {"spec": spec}},
    }
    before, after = (build.messages(rule, workloads=[each], config_maps=[]) for each in (whole, seal(whole)))
    assert before
    assert before == after


def test_how_nodes_of_rabbitmq_meet_is_kept_without_their_cookie() -> None:
    names = ("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", "RABBITMQ_CTL_ERL_ARGS")
    env = [{"name": name, "value": f"-setcookie {SECRET} -proto_dist inet6_tcp"} for name in names]
    mounts = [{"name": "conf", "mountPath": "/etc/rabbitmq"}]
    text = f"cluster_formation.consul.acl_token = {SECRET}\n"
    config = {"kind": "ConfigMap", "metadata": {"name": "conf"}, "data": {"rabbitmq.conf": text}}
    volumes = [{"name": "conf", "configMap": {"name": "conf"}}]
    for variables in (env, env[:1], []):
        container = {"name": "rabbitmq", "image": "rabbitmq:4", "env": variables, "volumeMounts": mounts}
        template = {"spec": {"containers": [container], "volumes": volumes}}
        workload = {"kind": "StatefulSet", "metadata": {"name": "rabbitmq"}, "spec": {"template": template}}
        sealed = [seal(each) for each in (workload, config)]
        before, after = (
            build.messages("APP006", workloads=[one], config_maps=[other])
            for one, other in ((workload, config), sealed)
        )
        assert before == after
        assert bool(before) is (len(variables) < len(env))
        assert SECRET not in str(sealed)


@pytest.mark.parametrize("user_data", [SCRIPT, CONFIG, BOTTLEROCKET, MESSAGE, "#!/bin/sh\ntrue\n", "true"])
def test_sealed_user_data_boots_the_same_node_and_keeps_no_secret(user_data: str) -> None:
    template = LaunchTemplate(id="lt-1", user_data=user_data)
    sealed = seal_template(template)
    assert sealed.user_data
    assert SECRET not in sealed.user_data
    for told in (cluster_dns, max_pods, ipv4_boot):
        assert told(sealed.user_data) == told(user_data)
    assert replace(sealed, user_data=user_data) == template


@pytest.mark.parametrize("user_data", [None, ""])
def test_user_data_that_is_not_there_or_no_text_stays_so(user_data: str | None) -> None:
    assert seal_template(LaunchTemplate(id="lt-1", user_data=user_data)).user_data == user_data


def test_variables_and_config_maps_keep_what_rules_look_at_alone() -> None:
    variables = [
        {"name": "PASSWORD", "value": SECRET},
        {"name": "PEER", "value": "10.0.0.1"},
        {"name": "FROM", "valueFrom": {}},
    ]
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "spec": {"containers": [{"name": "web", "image": "web", "env": variables}]},
    }
    sealed = seal(pod)["spec"]["containers"][0]["env"]
    assert [each.get("value") for each in sealed] == [LEFT_OUT, "10.0.0.1", None]
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"}}
    text = f"password: {SECRET}\nlisten: 10.0.0.1\n"
    assert seal({**config, "data": {"a.yaml": text}, "binaryData": {"b": SECRET}}) == {
        **config,
        "data": {"a.yaml": "\nlisten: 10.0.0.1\n"},
        "binaryData": {},
        SEALED: {},
    }


def test_a_switch_in_a_config_map_is_kept_and_a_word_beside_it_is_not() -> None:
    data = {"use-proxy-protocol": "true", "password": SECRET, "note": "not true"}
    sealed = seal({"kind": "ConfigMap", "metadata": {"name": "nginx"}, "data": data})
    assert sealed["data"] == {"use-proxy-protocol": "true", "password": "", "note": ""}


def test_settings_of_the_clusters_own_network_are_kept_whole() -> None:
    proxy = {"kind": "ConfigMap", "metadata": {"name": "kube-proxy-config", "namespace": "kube-system"}}
    whole = {**proxy, "data": {"config": "mode: ipvs\n"}}
    assert seal(whole) == whole
