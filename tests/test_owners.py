"""One fault, one owner: where two rules could speak at one place, the special one does, and the general one does not.

The pairs are those of the catalogue's decisions. Each comes with objects on which both could fire, and with others
that show the general rule at work.
"""

from __future__ import annotations

from textwrap import dedent, indent
from typing import NamedTuple

import build
import pytest


class Pair(NamedTuple):
    """The owner, the rule that leaves the place to it, objects for both, and objects for the second one alone."""

    owner: str
    silent: str
    both: str
    alone: str


def config_map(key: str, value: str, name: str = "settings") -> str:
    """A ConfigMap with one value."""
    head = f"---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, namespace: shop}}\ndata:\n  {key}: |\n"
    return head + indent(dedent(value).strip("\n"), "    ") + "\n"


def workload(container: str, pod: str = "", kind: str = "Deployment", name: str = "web") -> str:
    """A workload with one container; both are given as the inside of a flow mapping."""
    pod_spec = f"{{{pod}containers: [{{name: main, {container}}}]}}"
    return dedent(f"""
        ---
        apiVersion: apps/v1
        kind: {kind}
        metadata: {{name: {name}, namespace: kube-system}}
        spec: {{template: {{metadata: {{labels: {{app: web}}}}, spec: {pod_spec}}}}}
    """)


def service(annotations: str, ports: str = "[{port: 80}]") -> str:
    """A Service of the AWS Load Balancer Controller with IP targets."""
    return dedent(f"""
        ---
        apiVersion: v1
        kind: Service
        metadata: {{name: web, annotations: {{{NLB}-nlb-target-type: ip, {annotations}}}}}
        spec: {{type: LoadBalancer, loadBalancerClass: service.k8s.aws/nlb, ports: {ports}}}
    """)


def ingress(annotations: str) -> str:
    """An Ingress of the AWS Load Balancer Controller with IP targets."""
    return dedent(f"""
        ---
        apiVersion: networking.k8s.io/v1
        kind: Ingress
        metadata: {{name: web, annotations: {{{ALB}/target-type: ip, {annotations}}}}}
        spec: {{ingressClassName: alb, defaultBackend: {{service: {{name: web, port: {{number: 80}}}}}}}}
    """)


def egress(to: str) -> str:
    """A NetworkPolicy that lets pods out to one peer alone, in a namespace with Pod Identity."""
    return dedent(f"""
        ---
        apiVersion: networking.k8s.io/v1
        kind: NetworkPolicy
        metadata: {{name: out, namespace: kube-system}}
        spec: {{podSelector: {{}}, policyTypes: [Egress], egress: [{{to: [{to}]}}]}}
        ---
        apiVersion: eks.services.k8s.aws/v1alpha1
        kind: PodIdentityAssociation
        metadata: {{name: web, namespace: kube-system}}
        spec: {{clusterName: prod, namespace: kube-system, serviceAccount: default, roleARN: "arn:aws:iam::1:role/web"}}
    """)


NLB = "service.beta.kubernetes.io/aws-load-balancer"
ALB = "alb.ingress.kubernetes.io"
UDP = "[{port: 53, protocol: UDP}]"

PEERS = config_map("app.yaml", "db: {host: 10.1.2.3}\ndns: {server: 10.100.0.10}")
"""Two addresses that no other rule judges."""

TARGETS = """
    scrape_configs:
      - job_name: fixed
        static_configs:
          - targets:
              - "172.20.0.10:9153"
              - 10.1.2.3:9100
"""
URLS = 'scrape_configs: [{static_configs: [{"targets": ["http://10.100.0.1/metrics", "http://10.1.2.3/health"]}]}]'
"""Scrape targets as lists over several lines, and in one line as JSON has them."""

ENVOY = """
    static_resources:
      listeners:
        - name: web
          address: {socket_address: {address: 10.100.0.1, port_value: 8080}}
        - name: more
          address: {socket_address: {address: 10.1.2.3, port_value: 8081}}
"""

HBA = """
    host all all 10.100.0.1 255.255.255.255 md5
    host all all 10.1.2.4 255.255.255.255 md5
"""

COREFILE = """
    .:53 {
        bind 169.254.20.10 172.20.0.10
        forward . 1.1.1.1
    }
"""

LINKERD = config_map("values", "linkerdVersion: stable-2.14.0", "linkerd-config")

NODE_CLASS = """
apiVersion: karpenter.k8s.aws/v1
kind: EC2NodeClass
metadata: {name: main}
spec:
  amiSelectorTerms: [{alias: al2023@latest}]
  kubelet: {clusterDNS: [10.100.0.10]}
"""

NODE_POOL = """
apiVersion: karpenter.sh/v1
kind: NodePool
metadata: {name: main}
spec:
  template:
    spec:
      nodeClassRef: {group: karpenter.k8s.aws, kind: EC2NodeClass, name: main}
      requirements: [{key: node.kubernetes.io/instance-type, operator: In, values: [m4.large]}]
"""

SHOP = workload("image: web")
XEN = "nodeSelector: {node.kubernetes.io/instance-type: m4.large}, "
CLUSTER_IP = """
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {clusterIP: 10.100.0.10, ports: [{port: 80}]}
"""

GUNICORN = workload("image: 'shop/web:1', command: [gunicorn, -b, '0.0.0.0:8000', shop]")
TOO_OLD = workload("image: 'example/aws-load-balancer-controller:v2.2.4'", name="aws-load-balancer-controller")
BEFORE_UDP = workload("image: 'example/aws-load-balancer-controller:v2.4.1'", name="aws-load-balancer-controller")
POD_IP = "env: [{name: POD_IP, valueFrom: {fieldRef: {fieldPath: status.podIP}}}], args: ['$(POD_IP):80']"
HOST = (
    "env: [{name: KUBERNETES_SERVICE_HOST, valueFrom: {fieldRef: {fieldPath: status.hostIP}}}], "
    "args: ['$(KUBERNETES_SERVICE_HOST):443']"
)
NOBODY = "image: web, args: [--host, 0.0.0.0], readinessProbe: {tcpSocket: {port: 80}}"
JAVA = "env: [{name: JAVA_OPTS, value: -Djava.net.preferIPv4Stack=true}]"
SYSCTL = "sysctl -w net.ipv6.conf.all.disable_ipv6=1"
CNI = (
    "image: 'example/amazon-k8s-cni:v1.20.4', env: [{name: DISABLE_POD_V6, value: 'true'}], "
    f"command: [sh, -c, '{SYSCTL}']"
)

PAIRS = (
    Pair("NOD008", "ADR003", NODE_CLASS, PEERS),
    Pair("DNS002", "ADR003", workload("image: 'dns/k8s-dns-node-cache:1', args: [-localip, '10.100.0.10']"), PEERS),
    Pair("DNS002", "ADR003", config_map("Corefile", COREFILE, "node-local-dns"), PEERS),
    Pair("DNS004", "ADR003", workload("image: web", "dnsConfig: {nameservers: [10.100.0.10]}, "), PEERS),
    Pair("DNS004", "ADR004", workload("image: web", "dnsConfig: {nameservers: [10.1.2.3]}, "), PEERS),
    Pair("SVC003", "ADR003", CLUSTER_IP, PEERS),
    *(
        Pair("OBS002", silent, config_map("prometheus.yml", value), PEERS)
        for silent in ("ADR003", "ADR004")
        for value in (TARGETS, URLS)
    ),
    *(Pair("MSH002", silent, config_map("envoy.yaml", ENVOY), PEERS) for silent in ("ADR003", "ADR004")),
    *(Pair("APP010", silent, config_map("pg_hba.conf", HBA), PEERS) for silent in ("ADR003", "ADR004")),
    Pair("LBC021", "ADR003", config_map("whitelist-source-range", "10.100.0.1/32"), PEERS),
    Pair("LBC021", "ADR004", config_map("whitelist-source-range", "10.1.2.3"), PEERS),
    Pair("ADR002", "ADR001", workload(f"image: web, {HOST}"), workload(f"image: web, {POD_IP}")),
    Pair("CNI009", "APP004", workload(CNI, kind="DaemonSet", name="aws-node"), workload(f"command: [{SYSCTL}]")),
    Pair("LBC012", "LBC004", service(f"{NLB}-ip-address-type: dual-stack"), service("")),
    Pair("LBC012", "LBC006", ingress(f"{ALB}/ip-address-type: dual-stack"), ingress("")),
    Pair("LBC011", "LBC004", service(f"{NLB}-ip-adress-type: dualstack"), service("")),
    Pair("LBC011", "LBC006", ingress(f"'{ALB}/ip-address type': dualstack"), ingress("")),
    Pair("LBC008", "LBC002", service(f"{NLB}-ip-address-type: dualstack", UDP) + BEFORE_UDP, TOO_OLD),
    Pair("NOD011", "NOD001", NODE_POOL, workload("image: web", XEN)),
    Pair("POL001", "POL003", egress("{ipBlock: {cidr: 0.0.0.0/0}}"), egress("{namespaceSelector: {}}") + SHOP),
    Pair("APP002", "APP001", workload("image: nginx") + config_map("nginx.conf", "server { listen 80; }"), GUNICORN),
    Pair("APP007", "APP001", workload("command: [gunicorn, -b, '0.0.0.0:80', -b, '[::]:80', shop]"), GUNICORN),
    Pair("MSH002", "APP001", workload("image: 'envoyproxy/envoy:v1'") + config_map("envoy.yaml", ENVOY), GUNICORN),
    Pair("APP001", "APP005", GUNICORN.replace("-b", "--bind"), workload(NOBODY)),
    Pair("APP003", "APP005", workload(f"{NOBODY}, {JAVA}"), workload(NOBODY)),
    *(
        Pair(owner, "APP012", both, workload("image: 'elastic/eck-operator:1.2.0'"))
        for owner, both in (
            ("LBC002", TOO_OLD),
            ("CNI002", workload("image: 'example/amazon-k8s-cni:v1.7.5'", kind="DaemonSet", name="aws-node")),
            ("DNS005", workload("image: 'example/external-dns:v0.14.0', args: [--provider=aws]")),
            ("MSH003", workload("image: 'cr.l5d.io/linkerd/controller:stable-2.14.0'") + LINKERD),
        )
    ),
)  # fmt: skip


def test_two_faults_at_one_place_stay_two() -> None:
    """The address is gone, and so are A records: each has a remedy of its own."""
    known = build.example(config_map("default.conf", "resolver 172.20.0.10 ipv6=off;"))
    assert [len(build.judge(rule, known).findings) for rule in ("ADR003", "DNS003")] == [1, 1]


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: f"{pair.owner}-{pair.silent}")
def test_the_owner_speaks_and_the_other_rule_does_not(pair: Pair) -> None:
    both, alone = build.example(pair.both), build.example(pair.alone)
    assert build.judge(pair.owner, both).findings
    assert [each.message for each in build.judge(pair.silent, both).findings] == []
    assert build.judge(pair.silent, alone).findings
