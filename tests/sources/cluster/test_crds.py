"""Custom objects of a real API server, under the definitions that the load balancer controller, Karpenter, the VPC CNI
and Calico publish: what their schemas fill in, what the printed role may list, and versions that nobody knew."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from apiserver.admin import TRIES, allow, put, until, write_kubeconfig
from apiserver.server import ApiServer, request, serve
from whole import Done, eks6check

from eks6check.catalog import load
from eks6check.facts.kinds import KINDS, Kind
from eks6check.sources.cluster.api import call

ASSETS = os.environ.get("KUBEBUILDER_ASSETS")
CORPUS = Path(os.environ.get("EKS6CHECK_CORPUS", ""))
pytestmark = [
    pytest.mark.skipif(not ASSETS, reason="KUBEBUILDER_ASSETS names no folder with kube-apiserver and etcd"),
    pytest.mark.skipif(not CORPUS.name or not CORPUS.is_dir(), reason="EKS6CHECK_CORPUS names no folder of manifests"),
]

PUBLISHED = (
    "aws__amazon-vpc-cni-k8s/charts/aws-vpc-cni/crds/customresourcedefinition.yaml",
    "aws__karpenter-provider-aws/charts/karpenter-crd/templates/karpenter.k8s.aws_ec2nodeclasses.yaml",
    "aws__karpenter-provider-aws/pkg/apis/crds/karpenter.sh_nodepools.yaml",
    "kubernetes-sigs__aws-load-balancer-controller/config/crd/gateway/gateway-crds.yaml",
    "kubernetes-sigs__aws-load-balancer-controller/helm/aws-load-balancer-controller/crds/crds.yaml",
    "projectcalico__calico/libcalico-go/config/crd/crd.projectcalico.org_ippools.yaml",
)
"""The definitions as their projects publish them."""

FUTURE = """
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: securitygrouppolicies.vpcresources.k8s.aws}
spec:
  group: vpcresources.k8s.aws
  scope: Namespaced
  names: {plural: securitygrouppolicies, singular: securitygrouppolicy, kind: SecurityGroupPolicy}
  versions:
    - name: v9
      served: true
      storage: true
      schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
"""
"""A kind whose only version is one that nobody knew."""

OBJECTS = """
apiVersion: karpenter.k8s.aws/v1
kind: EC2NodeClass
metadata: {name: default}
spec:
  role: node
  amiSelectorTerms: [{alias: al2023@latest}]
  subnetSelectorTerms: [{tags: {karpenter.sh/discovery: prod}}]
  securityGroupSelectorTerms: [{tags: {karpenter.sh/discovery: prod}}]
---
apiVersion: karpenter.sh/v1
kind: NodePool
metadata: {name: default}
spec:
  template:
    spec:
      nodeClassRef: {group: karpenter.k8s.aws, kind: EC2NodeClass, name: default}
      requirements: [{key: node.kubernetes.io/instance-type, operator: In, values: [m4.large]}]
---
apiVersion: elbv2.k8s.aws/v1beta1
kind: IngressClassParams
metadata: {name: alb}
spec: {ipAddressType: ipv4, targetType: instance}
---
apiVersion: elbv2.k8s.aws/v1beta1
kind: TargetGroupBinding
metadata: {name: web, namespace: default}
spec:
  serviceRef: {name: web, port: 80}
  targetGroupARN: arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/web/73e2d6bc24d8a067
  targetType: instance
---
apiVersion: gateway.k8s.aws/v1beta1
kind: LoadBalancerConfiguration
metadata: {name: web, namespace: default}
spec: {ipAddressType: ipv4}
---
apiVersion: gateway.k8s.aws/v1beta1
kind: TargetGroupConfiguration
metadata: {name: web, namespace: default}
spec: {targetReference: {name: web}, defaultConfiguration: {targetType: instance}}
---
apiVersion: gateway.k8s.aws/v1beta1
kind: ListenerRuleConfiguration
metadata: {name: web, namespace: default}
spec: {conditions: [{field: source-ip, sourceIPConfig: {values: [10.0.0.0/8]}}]}
---
apiVersion: crd.k8s.amazonaws.com/v1alpha1
kind: ENIConfig
metadata: {name: eu-west-1a}
spec: {subnet: subnet-0c1a2b3d4e5f60718, securityGroups: [sg-0c1a2b3d4e5f60718]}
---
apiVersion: crd.projectcalico.org/v1
kind: IPPool
metadata: {name: default}
spec: {cidr: 192.168.0.0/16}
---
apiVersion: vpcresources.k8s.aws/v9
kind: SecurityGroupPolicy
metadata: {name: web, namespace: default}
spec: {podSelector: {}, securityGroups: {groupIds: [sg-0c1a2b3d4e5f60718]}}
"""

BESIDES = """
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: alb}
spec:
  controller: ingress.k8s.aws/alb
  parameters: {apiGroup: elbv2.k8s.aws, kind: IngressClassParams, name: alb}
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: shop, namespace: default}
spec: {ingressClassName: alb, defaultBackend: {service: {name: web, port: {number: 80}}}}
---
apiVersion: v1
kind: Service
metadata: {name: web, namespace: default}
spec: {type: NodePort, selector: {app: web}, ports: [{port: 80}]}
---
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: aws-node, namespace: kube-system}
spec:
  selector: {matchLabels: {k8s-app: aws-node}}
  template:
    metadata: {labels: {k8s-app: aws-node}}
    spec:
      containers:
        - name: aws-node
          image: example/amazon-k8s-cni:v1.18.3
          env: [{name: AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG, value: "true"}]
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: aws-load-balancer-controller, namespace: kube-system}
spec:
  selector: {matchLabels: {app: controller}}
  template:
    metadata: {labels: {app: controller}}
    spec:
      containers:
        - name: controller
          image: public.ecr.aws/eks/aws-load-balancer-controller:v2.13.4
          args: [--cluster-name=prod]
"""
"""What makes some of the custom objects matter."""

BODIES = list(yaml.safe_load_all(f"{OBJECTS}---{BESIDES}"))
CUSTOM = {(each["apiVersion"].rpartition("/")[0], each["kind"]) for each in yaml.safe_load_all(OBJECTS)}
ASKED = {name for rule in load() for name in (*rule.required, *rule.optional)} & KINDS.keys()
LISTED = sorted(kind for name in ASKED for kind in KINDS[name] if (kind.group, kind.kind) in CUSTOM)


def definitions() -> Iterator[Any]:
    """Every definition, those out of charts without the lines that Helm would fill in."""
    for name in PUBLISHED:
        lines = (CORPUS / name).read_text(encoding="utf-8").splitlines()
        yield from yaml.safe_load_all("\n".join(line for line in lines if "{{" not in line))
    yield yaml.safe_load(FUTURE)


def path_of(body: dict[str, Any]) -> str:
    """Where an object is created."""
    version, namespace = body["apiVersion"], body["metadata"].get("namespace")
    group = version.rpartition("/")[0]
    plural = {(kind.group, kind.kind): kind.plural for kinds in KINDS.values() for kind in kinds}[group, body["kind"]]
    scope = f"namespaces/{namespace}/" if namespace else ""
    return f"/{'apis' if group else 'api'}/{version}/{scope}{plural}"


def create(server: ApiServer, body: dict[str, Any]) -> None:
    """Create an object whose definition the server may still have to take in; another refusal is shown."""
    answers = (request(server, "POST", path_of(body), body) for _ in range(TRIES))
    status, answer = next((each for each in answers if each[0] != 404), (404, path_of(body)))
    assert status == 201, answer


@pytest.fixture(scope="module")
def server() -> Iterator[ApiServer]:
    with serve(Path(str(ASSETS))) as running:
        for body in filter(None, definitions()):
            put(running, "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", body)
        until(lambda: request(running, "GET", "/api/v1/namespaces/kube-system")[0] == 200)
        for body in BODIES:
            create(running, body)
        yield running


def scan(server: ApiServer, token: str, *arguments: str) -> Done:
    write_kubeconfig(server, token)
    return eks6check("scan", "--source", "cluster", "--format", "json", *arguments)


def found(done: Done) -> set[tuple[str, str]]:
    return {(each["rule"], each["subject"]["id"]) for each in done.report["findings"]}


def test_what_is_wrong_with_custom_objects_is_found(server: ApiServer) -> None:
    done = scan(server, server.admin_token)
    assert done.report["gaps"] == []
    assert found(done) >= {
        ("LBC006", "elbv2.k8s.aws/IngressClassParams/alb"),
        ("NOD006", "karpenter.k8s.aws/EC2NodeClass/default"),
        ("NOD011", "karpenter.sh/NodePool/default"),
    }


def test_the_printed_cluster_role_is_enough_for_custom_objects(server: ApiServer) -> None:
    admin = scan(server, server.admin_token)
    reader = scan(server, allow(server, "reader", eks6check("permissions", "--only", "rbac").out))
    for part in ("findings", "outcomes", "gaps", "verdict"):
        assert reader.report[part] == admin.report[part]


def test_files_and_the_server_that_they_were_applied_to_say_the_same(server: ApiServer, tmp_path: Path) -> None:
    manifest = tmp_path / "all.yaml"
    manifest.write_text(f"{OBJECTS}---{BESIDES}", encoding="utf-8")
    lint = eks6check("lint", str(manifest), "--format", "json")
    live = scan(server, server.admin_token)
    judged = lint.states().keys() & live.states().keys()
    same = {(rule, subject) for rule, subject in found(live) if rule in judged}
    assert same == {(rule, subject) for rule, subject in found(lint) if rule in judged}


@pytest.mark.parametrize("kind", LISTED, ids=call)
def test_a_custom_list_that_the_role_lacks_is_named_and_costs_no_other(server: ApiServer, kind: Kind) -> None:
    role = yaml.safe_load(eks6check("permissions", "--only", "rbac").out)
    for rule in role["rules"]:
        if rule["apiGroups"] == [kind.group]:
            rule["resources"].remove(kind.plural)
    role["rules"] = [rule for rule in role["rules"] if rule["resources"]]
    done = scan(server, allow(server, f"without-{kind.plural}", yaml.safe_dump(role)))
    (gap,) = done.report["gaps"]
    assert gap["call"] == call(kind)
    assert f"list on {kind.plural}.{kind.group}" in gap["remedy"]
    blind = {each["rule"] for each in done.report["outcomes"] if each["gaps"]}
    whole = scan(server, server.admin_token)
    assert {each for each in found(whole) if each[0] not in blind} == {
        each for each in found(done) if each[0] not in blind
    }


def test_a_version_that_nobody_knew_is_listed_all_the_same(server: ApiServer, tmp_path: Path) -> None:
    write_kubeconfig(server, server.admin_token)
    file = tmp_path / "taken.json"
    assert eks6check("snapshot", str(file), "--source", "cluster").code == 0
    taken = yaml.safe_load(file.read_text(encoding="utf-8"))["sections"]["security_group_policies"]
    assert [each["apiVersion"] for each in taken["items"]] == ["vpcresources.k8s.aws/v9"]
