"""Bad input: no crash, no invented finding, and a gap where something that a rule would have judged cannot be read."""

from __future__ import annotations

import json
from io import BytesIO
from pathlib import Path
from textwrap import dedent, indent
from typing import Any

import build
import pytest
import yaml
from whole import eks6check

from eks6check import catalog, engine
from eks6check.facts import SECTIONS, Facts
from eks6check.facts.unparsed import SEALED
from eks6check.findings import Outcome, State
from eks6check.sources import collect, manifests
from eks6check.sources.sealing import seal


def config_map(key: str, value: str, name: str = "conf") -> str:
    head = f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, namespace: kube-system}}\ndata:\n  {key}: |\n"
    return head + indent(dedent(value).strip("\n"), "    ") + "\n"


def read(text: str) -> Facts:
    """The sections of a file, whatever is wrong with it."""
    return collect([(manifests.read(["-"], BytesIO(text.encode())), manifests.COLLECTORS)], SECTIONS)


def outcomes(known: Facts) -> dict[str, Outcome]:
    """What every rule makes of these facts; none may break."""
    found = {each.rule: each for each in engine.evaluate(catalog.load(), known)}
    assert [each.error for each in found.values() if each.error] == []
    return found


ENVOY = """
static_resources:
  listeners:
    - {name: web, address: {socket_address: {address: 0.0.0.0, port_value: 80}}}
"""
PROMETHEUS = """
scrape_configs:
  - job_name: fixed
    static_configs: [{targets: [10.1.2.3:9100]}]
"""
NGINX = """
server {
  listen [::]:80;
}
"""
COREFILE = """
.:53 {
    kubernetes cluster.local in-addr.arpa ip6.arpa
}
"""
LOKI = """
limits_config: {}
memberlist: {join_members: [loki]}
"""
LINKERD = "linkerdVersion: [stable-2.14.0"
HBA = "host all all ::/0 md5"

BROKEN = [
    ("MSH002", config_map("envoy.yaml", ENVOY + "  clusters: [\n"), "is no YAML", 9),
    ("MSH002", config_map("envoy.json", '{"static_resources": {"listeners": [{"socket_address": }'), "is no YAML", 6),
    ("DNS003", config_map("envoy.yaml", ENVOY + "  clusters: [\n"), "is no YAML", 9),
    ("OBS001", config_map("prometheus.yml", PROMETHEUS + "  - job_name: 'a\n"), "is no YAML", 9),
    ("OBS002", config_map("config", PROMETHEUS + "\t- job_name: b\n"), "is no YAML", 9),
    ("APP011", config_map("loki.yaml", LOKI + "common: {\n"), "is no YAML", 8),
    ("MSH003", config_map("values", LINKERD, "linkerd-config"), "is no YAML", 6),
    ("APP002", config_map("nginx.conf", NGINX + "map $a $b { default 1;"), "a brace that does not close", 9),
    ("APP002", config_map("nginx.conf", NGINX + "}"), "a brace too many", 9),
    ("APP002", config_map("nginx.conf", NGINX.replace("listen", "server_name 'a;\nlisten")), "a quote that", 7),
    ("DNS001", config_map("Corefile", COREFILE + "example.com {\n  forward . 1.1.1.1\n"), "does not close", 9),
    ("DNS006", config_map("Corefile", COREFILE + "}\n"), "a brace too many", 9),
    ("DNS002", config_map("Corefile", COREFILE + 'log "a', "node-local-dns"), "a quote that", 9),
    ("APP010", config_map("pg_hba.conf", f"{HBA}\nhost all all 10.0.0.0/8\n"), "a line that is not", 7),
]

UNRENDERED = [
    ("MSH002", config_map("envoy.yaml", ENVOY.replace("0.0.0.0", "{{ .Values.address }}")), 8),
    ("MSH002", config_map("envoy.yaml", "{{- if .Values.edge }}\n" + ENVOY + "{{- end }}\n"), 6),
    ("OBS002", config_map("prometheus.yml.tmpl", PROMETHEUS.replace("[10.1.2.3:9100]", "{{ .targets }}")), 8),
    ("APP002", config_map("nginx.conf", NGINX.replace("[::]:80", "{{ .Values.port }}")), 7),
    ("APP002", config_map("nginx.conf", NGINX.replace("[::]:80", "0.0.0.0:{% port %}")), 7),
    ("DNS001", config_map("Corefile", COREFILE.replace("ip6.arpa", "{{ .zones }}")), 7),
    ("APP010", config_map("pg_hba.conf", "host all all {{ .Values.clients }} md5"), 6),
    (
        "APP001",
        config_map("haproxy.cfg", "frontend web\n  bind {{ .Values.bind }}:80\n")
        + "---\napiVersion: v1\nkind: Pod\nmetadata: {name: lb, namespace: kube-system}\nspec:\n"
        "  volumes: [{name: conf, configMap: {name: conf}}]\n"
        "  containers: [{name: lb, image: 'haproxy:2.6', volumeMounts: [{name: conf, mountPath: /etc/haproxy}]}]\n",
        7,
    ),
]


@pytest.mark.parametrize(("rule", "manifest", "said", "line"), BROKEN)
def test_a_configuration_that_its_parser_refuses_is_a_gap_at_its_line(
    rule: str, manifest: str, said: str, line: int
) -> None:
    outcome = outcomes(read(manifest))[rule]
    (gap,) = outcome.gaps
    assert outcome.state in {State.INCOMPLETE, State.FAILED}
    assert (said in gap.reason, gap.file, gap.line) == (True, "stdin", line), gap
    assert "by hand" in gap.remedy


@pytest.mark.parametrize(("rule", "manifest", "line"), UNRENDERED)
def test_a_template_where_a_rule_looks_is_a_gap_and_no_finding(rule: str, manifest: str, line: int) -> None:
    outcome = outcomes(read(manifest))[rule]
    assert (outcome.state, outcome.findings) == (State.INCOMPLETE, ())
    (gap,) = outcome.gaps
    assert ("template" in gap.reason, gap.line) == (True, line), gap
    assert "render" in gap.remedy


@pytest.mark.parametrize(("rule", "manifest"), [(rule, manifest) for rule, manifest, *_ in (*BROKEN, *UNRENDERED)])
def test_a_live_object_has_the_same_gap_without_a_line(rule: str, manifest: str) -> None:
    bodies = list(yaml.safe_load_all(manifest))
    known = {
        "config_maps": [each for each in bodies if each["kind"] == "ConfigMap"],
        "workloads": [each for each in bodies if each["kind"] == "Pod"],
    }
    every = dict.fromkeys(name for name, kind in SECTIONS.items() if kind == "Resource")
    (gap,) = outcomes(build.facts(**{name: known.get(name, ()) for name in every}))[rule].gaps
    assert (gap.call, gap.file, gap.line) == ("read", "", 0)
    assert "kube-system" in gap.reason


@pytest.mark.parametrize(
    "manifest",
    [
        config_map("README.md", "Put this under `relabel_configs`:\n\n  - a: [\n"),
        config_map("start.sh", "cat > envoy.yaml <<EOF\nsocket_address: {{ address }}\n  x: [\nEOF\n"),
        config_map("entrypoint", "#!/bin/sh\ncat > envoy.yaml <<EOF\nsocket_address: {a: [\nEOF\n"),
        config_map("prometheus.yml", PROMETHEUS + "    # {{ a comment }}\n    honor_labels: '{{ quoted }}'\n"),
        config_map("envoy.json", '{\n\t"static_resources": {"listeners": [{"name": "x", "address": {"socket_address":'
                   '\n\t\t{"address": "::", "port_value": 80}}}]}}'),
        config_map("nginx.conf", NGINX + 'log_format a \'{"a": "$b"}\';\nlocation ~ "a{2}" { return 200 "it\'s"; }'),
        config_map("nginx.conf", NGINX.replace("listen", "{{ if .tls }}\n  listen 127.0.0.1:8443;\n{{ end }}\nlisten")),
        config_map("Corefile", COREFILE.replace("}", '    template ANY A x.y {\n answer "{{ .Name }} A"\n }\n}')),
        config_map("pg_hba.conf", f"# host all all 1.2.3.4\n{HBA}\nlocal all all trust\n"),
        config_map("ssh_config", "host build\n  user git\n"),
        config_map("rules.yml", "groups: [{rules: [{annotations: {summary: '{{ $labels.pod }} down'}}]}]"),
        config_map("dashboard.json", '{"panels": [{"legendFormat": "{{ pod }}"}], "x": [}'),
    ],
)  # fmt: skip
def test_what_no_program_reads_or_what_reads_well_is_no_gap(manifest: str) -> None:
    assert {each.rule: each.gaps for each in outcomes(read(manifest)).values() if each.gaps} == {}


@pytest.mark.parametrize(
    "manifest",
    [
        *(manifest for _, manifest, *_ in (*BROKEN, *UNRENDERED)),
        config_map("nginx.conf", "upstream a { server b;\n}\nserver {\n  listen [::]:80;\n}\n"),
        config_map("nginx.conf", NGINX + "location / {\n  return 200 \"it's\"; } # don't\n"),
    ],
)
def test_a_snapshot_has_the_same_gaps_and_no_others(manifest: str) -> None:
    bodies = list(yaml.safe_load_all(manifest))
    every = dict.fromkeys(name for name, kind in SECTIONS.items() if kind == "Resource")

    def gaps(*objects: Any) -> dict[str, Any]:
        known = {"config_maps": objects[:1], "workloads": objects[1:]}
        judged = outcomes(build.facts(**{name: known.get(name, ()) for name in every}))
        return {rule: outcome.gaps for rule, outcome in judged.items()}

    taken = json.loads(json.dumps([seal(body) for body in bodies]))
    assert gaps(*taken) == gaps(*bodies)


@pytest.mark.parametrize("held", [3, ["x"], {"nginx": 3}, {"nginx": ["x", None]}])
def test_a_damaged_snapshot_raises_nothing(held: Any) -> None:
    body = yaml.safe_load(config_map("nginx.conf", NGINX + "}")) | {SEALED: held}
    assert build.judge("APP002", config_maps=[body]).findings == ()


def test_what_stands_beside_a_broken_text_is_judged() -> None:
    known = read(f"{config_map('a.yaml', 'socket_address: [')}---\n{config_map('b.yaml', ENVOY, 'other')}")
    outcome = outcomes(known)["MSH002"]
    assert (outcome.state, len(outcome.findings), len(outcome.gaps)) == (State.FAILED, 1, 1)


def test_the_report_shows_the_gap_and_the_program_says_so(tmp_path: Path) -> None:
    manifest = tmp_path / "edge.yaml"
    manifest.write_text(config_map("envoy.yaml", ENVOY.replace("0.0.0.0", "{{ .address }}")), encoding="utf-8")
    done = eks6check("lint", str(manifest), "--select", "MSH002", "--format", "json")
    assert (done.code, done.report["verdict"], done.states()) == (4, "undetermined", {"MSH002": "incomplete"})
    (gap,) = done.report["gaps"]
    assert (Path(gap["file"]).name, gap["line"]) == ("edge.yaml", 8)
    table = eks6check("lint", str(manifest), "--select", "MSH002").out
    assert "COULD NOT BE CHECKED" in table
    assert "Judged in part: MSH002" in table
    sarif = json.loads(eks6check("lint", str(manifest), "--select", "MSH002", "--format", "sarif").out)
    (told,) = sarif["runs"][0]["invocations"][0]["toolExecutionNotifications"]
    assert "ConfigMap kube-system/conf, envoy.yaml is a template" in told["message"]["text"]


LEGACY = """
apiVersion: {version}
kind: {kind}
metadata: {{name: web, namespace: shop}}
spec:
  template:
    metadata: {{labels: {{app: web}}}}
    spec: {{containers: [{{name: web, image: shop/web:1, command: [gunicorn, -b, '0.0.0.0:80', shop]}}]}}
"""


@pytest.mark.parametrize(
    ("version", "kind"),
    [
        ("extensions/v1beta1", "Deployment"),
        ("apps/v1beta1", "StatefulSet"),
        ("apps/v1beta2", "DaemonSet"),
        ("batch/v1beta9", "Job"),
        ("shop.example/v1", "WebApp"),
    ],
)
def test_a_workload_of_a_version_long_gone_or_a_kind_unknown_is_judged_by_its_pods(version: str, kind: str) -> None:
    found = outcomes(read(LEGACY.format(version=version, kind=kind)))
    assert [each.rule for each in found.values() if each.findings] == ["APP001"]


INGRESS = """
apiVersion: {version}
kind: Ingress
metadata:
  name: web
  annotations: {{kubernetes.io/ingress.class: alb, alb.ingress.kubernetes.io/target-type: ip}}
spec: {{backend: {{serviceName: web, servicePort: 80}}}}
"""

NETWORK_POLICY = """
apiVersion: extensions/v1beta1
kind: NetworkPolicy
metadata: {name: web}
spec: {podSelector: {}, ingress: [{from: [{ipBlock: {cidr: 10.0.0.0/8}}]}]}
"""


@pytest.mark.parametrize(
    ("manifest", "rules"),
    [
        (INGRESS.format(version="extensions/v1beta1"), ["LBC006"]),
        (INGRESS.format(version="networking.k8s.io/v1beta1"), ["LBC006"]),
        (NETWORK_POLICY, ["POL001"]),
        ("{apiVersion: policy/v1beta1, kind: PodSecurityPolicy, metadata: {name: a}, spec: {hostNetwork: true}}", []),
        ("{apiVersion: policy/v1beta1, kind: PodDisruptionBudget, metadata: {name: a}, spec: {minAvailable: 1}}", []),
        ("{apiVersion: v1, kind: ReplicationController, metadata: {name: a}, spec: {replicas: 1}}", []),
        ("{apiVersion: shop.example/v1, kind: Thing, metadata: {name: a}, spec: {host: 10.100.0.1}}", []),
        ("{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, binaryData: {nginx.conf: c2VydmVyIHt9, x: null}}", []),
        ("{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: [{envoy.yaml: x}], binaryData: 3}", []),
        ("{apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {1: 2, true: [x], envoy.yaml: {a: b}}}", []),
    ],
)  # fmt: skip
def test_versions_long_gone_and_kinds_unknown_are_judged_as_far_as_rules_know_them(
    manifest: str, rules: list[str]
) -> None:
    known = read(manifest)
    assert sorted(each.rule for each in outcomes(known).values() if each.findings) == rules
    assert engine.all_gaps(known) == ()


@pytest.mark.parametrize(
    ("manifest", "missing"),
    [
        ("apiVersion: v1\nmetadata: {name: web}\nspec: {clusterIP: 10.100.0.1}\n", "kind"),
        ("kind: Service\nmetadata: {name: web}\nspec: {clusterIP: 10.100.0.1}\n", "apiVersion"),
        ("apiVersion: v1\nkind: null\nmetadata: {name: web}\n", "kind"),
        ("apiVersion: 1\nkind: Service\nmetadata: {name: web}\n", "apiVersion"),
    ],
)
def test_an_object_without_kind_or_version_is_a_gap(manifest: str, missing: str) -> None:
    (gap,) = engine.all_gaps(read(manifest))
    assert f"no {missing}" in gap.reason
    assert (gap.file, gap.line > 1) == ("stdin", True)


@pytest.mark.parametrize("other", ["apiVersion: v2\nname: chart\n", "replicas: 1\n", "- a\n", "kind: x\n", "text", "3"])
def test_documents_that_are_no_objects_are_no_gaps(other: str) -> None:
    assert engine.all_gaps(read(other)) == ()


def test_ten_thousand_arguments_are_judged() -> None:
    words = [f"--tag=a{number}" for number in range(10_000)]
    body = yaml.safe_load(LEGACY.format(version="apps/v1", kind="Deployment"))
    container = body["spec"]["template"]["spec"]["containers"][0]
    container["args"] = [*words, "--upstream", "10.100.0.1:80"]
    found = outcomes(read(json.dumps(body)))
    assert sorted(each.rule for each in found.values() if each.findings) == ["ADR003", "APP001"]


def megabyte(line: str) -> str:
    return "".join(line.format(number) for number in range(1_000_000 // len(line)))


@pytest.mark.parametrize(
    ("key", "value", "rules"),
    [
        ("hosts.txt", megabyte("host {:07} at work\n") + "server 10.100.0.1\n", ["ADR003"]),
        ("blob", "x" * 1_000_000, []),
    ],
)
def test_a_megabyte_is_judged_to_its_end(key: str, value: str, rules: list[str]) -> None:
    body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "big", "namespace": "shop"}}
    known: dict[str, Any] = {name: () for name, kind in SECTIONS.items() if kind == "Resource"}
    found = outcomes(build.facts(**{**known, "config_maps": [{**body, "data": {key: value}}]}))
    assert sorted(each.rule for each in found.values() if each.findings) == rules
