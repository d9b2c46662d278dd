"""Whole scans over HTTP: an account that is ready, one that nobody prepared, and calls that are refused."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import servers
import yaml
from servers import ipv4_account, ipv6_account, refused
from whole import Done, cluster, eks6check

from eks6check import catalog
from eks6check.demo.aws_server import Server

LIVE = ("--cluster", "prod", "--region", servers.REGION, "--format", "json")

READY = """
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: aws-node, namespace: kube-system}
spec:
  template:
    spec:
      hostNetwork: true
      initContainers:
        - name: aws-vpc-cni-init
          image: example/amazon-k8s-cni-init:v1.19.5
          env: [{name: ENABLE_IPv6, value: "true"}]
      containers:
        - name: aws-node
          image: example/amazon-k8s-cni:v1.19.5-eksbuild.1
          env:
            - {name: ENABLE_IPv4, value: "false"}
            - {name: ENABLE_IPv6, value: "true"}
            - {name: ENABLE_PREFIX_DELEGATION, value: "true"}
            - {name: WARM_ENI_TARGET, value: "1"}
            - {name: WARM_PREFIX_TARGET, value: "1"}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: aws-load-balancer-controller, namespace: kube-system}
spec:
  template:
    spec:
      containers:
        - name: controller
          image: public.ecr.aws/eks/aws-load-balancer-controller:v2.13.4
          args: [--cluster-name=prod, --aws-vpc-id=vpc-1, --aws-region=eu-west-1]
---
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingWebhookConfiguration
metadata: {name: aws-load-balancer-webhook}
webhooks:
  - name: mservice.elbv2.k8s.aws
    clientConfig: {service: {name: aws-load-balancer-webhook-service, namespace: kube-system}}
    rules: [{apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [services]}]
---
apiVersion: v1
kind: Service
metadata:
  name: web
  namespace: shop
  annotations:
    service.beta.kubernetes.io/aws-load-balancer-nlb-target-type: ip
    service.beta.kubernetes.io/aws-load-balancer-ip-address-type: dualstack
    service.beta.kubernetes.io/aws-load-balancer-enable-prefix-for-ipv6-source-nat: "on"
spec:
  type: LoadBalancer
  loadBalancerClass: service.k8s.aws/nlb
  ipFamilies: [IPv6]
  ports: [{port: 443}, {port: 443, protocol: UDP}]
---
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: alb}
spec: {controller: ingress.k8s.aws/alb}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: shop
  namespace: shop
  annotations:
    alb.ingress.kubernetes.io/ip-address-type: dualstack
    alb.ingress.kubernetes.io/target-type: ip
spec:
  ingressClassName: alb
  defaultBackend: {service: {name: web, port: {number: 443}}}
"""

UNTOUCHED = """
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: aws-node, namespace: kube-system}
spec:
  template:
    spec:
      hostNetwork: true
      containers:
        - name: aws-node
          image: example/amazon-k8s-cni:v1.12.6-eksbuild.2
          env: [{name: WARM_ENI_TARGET, value: "1"}, {name: WARM_PREFIX_TARGET, value: "1"}]
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec: {type: LoadBalancer, ports: [{port: 443}], ipFamilies: [IPv4], clusterIP: 10.100.0.7}
---
apiVersion: v1
kind: Service
metadata: {name: api, namespace: shop}
spec: {ports: [{port: 80}], ipFamilies: [IPv4], ipFamilyPolicy: SingleStack, clusterIP: 10.100.0.8}
"""

DECLARED = """\
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
# the live one has no class yet
spec: {type: LoadBalancer, loadBalancerClass: service.k8s.aws/nlb, ports: [{port: 443}]}
"""

UNDECLARED = """
---
apiVersion: v1
kind: Service
metadata: {name: old, namespace: shop}
spec: {type: LoadBalancer, ports: [{port: 443}]}
"""


@pytest.fixture
def aws() -> Iterator[Server]:
    with servers.aws() as server:
        yield server
        assert server.calls, "the scan never asked"


def scan(server: Server, objects: str, home: Path, *arguments: str) -> Done:
    with cluster(yaml.safe_load_all(objects), home) as kube:
        done = eks6check("scan", *LIVE, *arguments)
        assert kube.calls, "the scan never asked"
    assert "eks:DescribeCluster" in server.calls
    return done


def test_a_prepared_account_and_cluster_is_ready_without_a_warning(aws: Server, tmp_path: Path) -> None:
    ipv6_account(aws)
    done = scan(aws, READY, tmp_path)
    assert done.rules("blocker", "warning") == set()
    assert (done.code, done.report["verdict"]) == (0, "ready")
    assert done.report["target"]["ip_family"] == "ipv6"
    assert done.rules("info") == {"EXT001"}, "whom the NAT gateway's address is known to, only people can tell"
    assert {state for rule, state in done.states().items() if rule != "EXT001"} <= {"passed", "not-applicable"}
    assert len(done.states()) == len(catalog.load())


def test_an_untouched_account_and_cluster_has_the_faults_one_would_list_by_hand(aws: Server, tmp_path: Path) -> None:
    ids = ipv4_account(aws)
    done = scan(aws, UNTOUCHED, tmp_path)
    assert (done.code, done.report["verdict"]) == (1, "not-ready")
    assert done.rules("blocker") == {
        "CNI004",  # a role with the IPv4 policy alone
        "LBC001",  # a load balancer, and no controller that could make it dual-stack
        "LBC003",  # which the in-tree controller would make
        "NOD001",  # m4.large
        "NOD007",  # user data with the service range of today
        "VPC001",
        "VPC002",
        "VPC004",
        "VPC005",
        "VPC006",
    }
    assert done.rules("warning") == {"CNI002", "EXT002", "NOD003", "VPC013"}
    assert "CTL001" in done.rules("info")
    told = {each["subject"]["id"] for each in done.report["findings"] if each["rule"] == "VPC002"}
    assert told == {*ids["public"], *ids["private"]}
    assert set(done.states().values()) == {"passed", "failed", "not-applicable"}


def test_a_refused_call_leaves_its_rule_unevaluated_and_names_the_permission(aws: Server, tmp_path: Path) -> None:
    ipv6_account(aws)
    aws.hooks["ec2:DescribeRouteTables"] = refused("ec2:DescribeRouteTables")
    done = scan(aws, READY, tmp_path)
    assert (done.code, done.report["verdict"]) == (4, "undetermined")
    states = done.states()
    assert states["VPC005"] == "not-evaluated"
    assert states["VPC002"] == "passed"
    (gap,) = done.report["gaps"]
    assert gap["call"] == "ec2:DescribeRouteTables"
    assert "ec2:DescribeRouteTables" in gap["remedy"]
    assert servers.SECRET not in done.out


def test_the_table_says_what_could_not_be_checked_and_how_to_close_it(aws: Server, tmp_path: Path) -> None:
    ipv6_account(aws)
    aws.hooks["ec2:DescribeRouteTables"] = refused("ec2:DescribeRouteTables")
    shown = scan(aws, READY, tmp_path, "--format", "table").out
    assert shown.startswith("UNDETERMINED")
    assert "Allow ec2:DescribeRouteTables" in shown
    assert re.search(r"Not evaluated: .*VPC005", shown)


def test_a_live_object_that_a_file_declares_is_one_finding_with_both_places(aws: Server, tmp_path: Path) -> None:
    ipv4_account(aws)
    manifest = tmp_path / "web.yaml"
    manifest.write_text(UNTOUCHED.split("---")[1].lstrip(), encoding="utf-8")
    done = scan(aws, UNTOUCHED, tmp_path, "--manifests", str(manifest), "--select", "LBC003")
    (finding,) = done.report["findings"]
    first, second = finding["locations"]
    assert (first["source"], first["line"]) == ("manifests", 4)
    assert (second["source"], second["id"]) == ("cluster", "v1/Service/shop/web")


def test_a_fault_that_only_the_live_object_shows_stands_where_a_file_declares_it(aws: Server, tmp_path: Path) -> None:
    ipv4_account(aws)
    manifest = tmp_path / "web.yaml"
    manifest.write_text(DECLARED, encoding="utf-8")
    chosen = ("--manifests", str(manifest), "--select", "LBC003", "--root", str(tmp_path))
    objects = UNTOUCHED + UNDECLARED
    found = {each["subject"]["id"]: each for each in scan(aws, objects, tmp_path, *chosen).report["findings"]}
    assert found.keys() == {"v1/Service/shop/web", "v1/Service/shop/old"}
    first, second = found["v1/Service/shop/web"]["locations"]
    assert (first["line"], first["declares"]) == (5, True)
    assert second == {"source": "cluster", "id": "v1/Service/shop/web"}
    assert [place["source"] for place in found["v1/Service/shop/old"]["locations"]] == ["cluster"]
    table = scan(aws, objects, tmp_path, *chosen, "--format", "table").out
    assert "web.yaml:5:8 (declares it; the fault shows in the live object)" in table
    (run,) = json.loads(scan(aws, objects, tmp_path, *chosen, "--format", "sarif").out)["runs"]
    (result,) = run["results"]
    assert result["message"]["text"].endswith("It shows in the live object, which this file declares.")
    assert result["locations"][0]["physicalLocation"]["region"]["startLine"] == 5
    told = [each["message"]["text"] for each in run["invocations"][0]["toolExecutionNotifications"]]
    assert "Left out: 1 finding about live resources that no file of this run declares." in told


def test_a_comment_in_the_file_speaks_for_the_live_object_that_it_declares(aws: Server, tmp_path: Path) -> None:
    ipv4_account(aws)
    manifest = tmp_path / "web.yaml"
    manifest.write_text(f"# eks6check: ignore[LBC003] the file is right, apply it\n{DECLARED}", encoding="utf-8")
    chosen = ("--manifests", str(manifest), "--select", "LBC003")
    report = scan(aws, UNTOUCHED + UNDECLARED, tmp_path, *chosen).report
    assert [each["subject"]["id"] for each in report["findings"]] == ["v1/Service/shop/old"]
    assert [each["subject"]["id"] for each in report["suppressed"]] == ["v1/Service/shop/web"]


def test_chosen_namespaces_are_read_together_with_the_one_that_the_cni_and_controllers_live_in(
    aws: Server, tmp_path: Path
) -> None:
    ipv6_account(aws)
    objects = [each for each in yaml.safe_load_all(READY) if each["kind"] != "MutatingWebhookConfiguration"]
    with cluster(objects, tmp_path) as kube:
        done = eks6check("scan", *LIVE, "--namespace", "shop")
    assert (done.code, done.report["verdict"]) == (0, "ready")
    assert done.states()["CNI006"] == done.states()["LBC002"] == "passed"
    namespaces = {found[1] for path in kube.calls if (found := re.search(r"/namespaces/([^/]+)/", path))}
    assert namespaces == {"shop", "kube-system"}


def test_a_namespace_that_is_not_there_is_refused_and_one_that_is_limits_the_answer(
    aws: Server, tmp_path: Path
) -> None:
    ipv6_account(aws)
    with cluster(yaml.safe_load_all(READY), tmp_path):
        typo = eks6check("scan", *LIVE, "-n", "shpo")
        assert (typo.code, typo.out) == (2, "")
        assert typo.err.startswith("error: The cluster has no namespace 'shpo'.\nhint: ")
        assert eks6check("scan", *LIVE, "-n", "shop").report["target"]["namespaces"] == ["shop"]
        shown = eks6check("scan", *LIVE, "-n", "shop", "--format", "table").out
        assert shown.startswith(
            "READY as far as namespace shop, the AWS account and the cluster can tell: no blockers, 1 info."
        )
        eks6check("snapshot", str(tmp_path / "s.json"), *LIVE[:4], "-n", "shop")
    again = eks6check("scan", "--snapshot", str(tmp_path / "s.json"), "--format", "json")
    assert again.report["target"]["namespaces"] == ["shop"]


def test_sarif_of_what_no_file_declares_says_so_on_the_screen(aws: Server, tmp_path: Path) -> None:
    ipv4_account(aws)
    with cluster(yaml.safe_load_all(UNTOUCHED), tmp_path):
        done = eks6check("scan", *LIVE, "--format", "sarif")
    assert done.report["runs"][0]["results"] == []
    assert re.fullmatch(r"note: \d+ findings about live resources that no file declares: not in SARIF.\n", done.err)


def test_only_what_the_chosen_rules_ask_for_is_called(aws: Server, tmp_path: Path) -> None:
    ipv6_account(aws)
    before = len(aws.calls)
    with cluster(yaml.safe_load_all(READY), tmp_path) as kube:
        assert eks6check("scan", *LIVE, "--select", "VPC001").code == 0
    assert set(aws.calls[before:]) == {"eks:DescribeCluster", "ec2:DescribeVpcs"}
    assert kube.calls == []


def test_a_verbose_scan_tells_its_calls_beside_the_report(aws: Server, tmp_path: Path) -> None:
    ipv6_account(aws)
    before = len(aws.calls)
    with cluster(yaml.safe_load_all(READY), tmp_path) as kube:
        done = eks6check("scan", *LIVE, "--verbose", "--select", "VPC,SVC001")
    head, *rest = done.err.splitlines()
    told = {call: int(count) for count, call in (line.split(maxsplit=1) for line in rest)}
    made = Counter(aws.calls[before:])
    assert {call: count for call, count in told.items() if not call.startswith("get ")} == made
    assert told["get /api/v1/services"] == 1
    assert sum(told.values()) == sum(made.values()) + len(kube.calls)
    assert head == f"calls: {sum(told.values())}, held to a pace for 0.0 s."
    assert done.report["verdict"] == "ready"


def test_a_snapshot_gives_the_same_report_byte_for_byte(aws: Server, tmp_path: Path) -> None:
    ipv4_account(aws)
    aws.hooks["ec2:DescribeRouteTables"] = refused("ec2:DescribeRouteTables")
    file = tmp_path / "prod.json"
    with cluster(yaml.safe_load_all(UNTOUCHED), tmp_path):
        live = eks6check("scan", *LIVE)
        taken = eks6check("snapshot", str(file), *LIVE[:4])
    assert (taken.code, taken.out) == (0, "")
    again = eks6check("scan", "--snapshot", str(file), "--format", "json")
    assert again.code == live.code
    assert timeless(again.out) == timeless(live.out)
    assert eks6check("scan", "--snapshot", str(file), "--format", "json").out == again.out


def timeless(report: str) -> str:
    return re.sub(r'"read_at": "[^"]+"', '"read_at": "then"', report)


def test_a_snapshot_holds_no_environment_and_no_config_map_text_that_no_rule_looks_at(
    aws: Server, tmp_path: Path
) -> None:
    ipv4_account(aws)
    variables = [{"name": "TOKEN", "value": "hunter2"}, {"name": "METADATA", "value": "http://169.254.169.254"}]
    template = {"spec": {"containers": [{"name": "a", "env": variables}]}}
    data = {"settings": "key=hunter2\nip 169.254.169.254"}
    objects: list[dict[str, Any]] = [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": data},
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "a"}, "spec": {"template": template}},
    ]
    with cluster(objects, tmp_path):
        live = eks6check("scan", *LIVE, "--select", "IDN002")
        eks6check("snapshot", str(tmp_path / "s.json"), *LIVE[:4])
    content = (tmp_path / "s.json").read_text(encoding="utf-8")
    assert "hunter2" not in content
    again = eks6check("scan", "--snapshot", str(tmp_path / "s.json"), "--select", "IDN002", "--format", "json")
    assert len(again.report["findings"]) == 2
    assert timeless(again.out) == timeless(live.out)


def test_a_snapshot_of_the_account_alone_is_no_answer_for_the_cluster(aws: Server, tmp_path: Path) -> None:
    ipv6_account(aws)
    file = tmp_path / "s.json"
    eks6check("snapshot", str(file), *LIVE[:4], "--source", "aws")
    done = eks6check("scan", "--snapshot", str(file), "--format", "json")
    assert (done.code, done.report["scope"]) == (0, ["aws"])
    assert timeless(done.out) == timeless(eks6check("scan", *LIVE, "--source", "aws").out)
    shown = eks6check("scan", "--snapshot", str(file)).out
    assert shown.startswith("READY as far as the AWS account can tell")


def test_a_snapshot_without_a_section_leaves_its_rules_unevaluated(aws: Server, tmp_path: Path) -> None:
    ipv6_account(aws)
    file = tmp_path / "s.json"
    with cluster(yaml.safe_load_all(READY), tmp_path):
        eks6check("snapshot", str(file), *LIVE[:4])
    content = json.loads(file.read_text(encoding="utf-8"))
    del content["sections"]["route_tables"]
    file.write_text(json.dumps(content), encoding="utf-8")
    done = eks6check("scan", "--snapshot", str(file), "--format", "json")
    assert (done.code, done.report["verdict"]) == (4, "undetermined")
    assert done.states()["VPC005"] == "not-evaluated"


ODD_OBJECTS = """
apiVersion: v1
kind: Node
metadata: {name: bare}
---
apiVersion: v1
kind: Node
metadata: {name: odd, labels: {node.kubernetes.io/instance-type: 7}}
spec: {providerID: [not, text]}
status: {addresses: null, capacity: {pods: many}}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: aws-node, namespace: kube-system, annotations: {eks.amazonaws.com/role-arn: no-arn}}
"""


def test_odd_answers_and_huge_objects_are_judged_as_far_as_possible(aws: Server, tmp_path: Path) -> None:
    ids = ipv6_account(aws)
    aws.hooks["eks:DescribeNodegroup"] = servers.changed(amiType="AN_AMI_OF_2030", subnets=ids["private"], labels=None)
    aws.hooks["eks:DescribeCluster"] = servers.changed(computeConfig=None, outpostConfig={}, createdAt=...)
    huge = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "huge"},
        "data": {"a": "key: value\n" * 95_000},
    }
    objects = [*yaml.safe_load_all(f"{READY}---{ODD_OBJECTS}"), huge]
    with cluster(objects, tmp_path):
        done = eks6check("scan", *LIVE)
    assert "Traceback" not in done.err
    assert done.rules("blocker") == set()
    assert set(done.states().values()) <= {"passed", "failed", "not-applicable"}
    assert done.report["gaps"] == []
