"""What looks like a fault and is none: the whole catalogue over each look-alike, in files as `lint` reads them."""

from __future__ import annotations

from collections.abc import Iterable
from textwrap import dedent

import pytest
from build import example

from eks6check import engine
from eks6check.catalog import load
from eks6check.findings import Finding, Severity


def said(text: str) -> list[tuple[str, Severity]]:
    """Every rule that speaks of these manifests, with its severity."""
    facts = example(dedent(text))
    found: Iterable[Finding] = (
        finding
        for outcome in engine.evaluate([rule for rule in load() if rule.runs_on(facts)], facts)
        for finding in outcome.findings
    )
    return [(finding.rule, finding.severity) for finding in found]


SILENT = {
    "versions in image tags, labels and annotations": """
        apiVersion: apps/v1
        kind: Deployment
        metadata:
          name: web
          namespace: shop
          labels: {app.kubernetes.io/version: 10.100.0.10, helm.sh/chart: web-172.20.0.10}
          annotations: {checksum/config: "10.100.0.10", org.opencontainers.image.version: 10.100.0.1}
        spec:
          template:
            metadata: {annotations: {checksum/config: "172.20.0.1"}}
            spec:
              containers:
                - {name: web, image: "registry.example.com/web:10.100.0.10"}
                - {name: side, image: "registry.example.com/side@sha256:10.100.0.10"}
    """,
    "versions in variables": """
        apiVersion: v1
        kind: Pod
        metadata: {name: web, namespace: shop}
        spec:
          containers:
            - name: web
              image: shop/web:1
              env:
                - {name: APP_VERSION, value: 10.100.0.10}
                - {name: SIDECAR_IMAGE, value: "registry.example.com/side:172.20.0.10"}
                - {name: USER_AGENT, value: "Mozilla/5.0 Chrome/120.0.6099.109"}
                - {name: ENTERPRISE_OID, value: 1.3.6.1.4.1.9}
                - {name: SUBNET_MASK, value: 255.255.255.0}
    """,
    "schemas with examples": """
        apiVersion: apiextensions.k8s.io/v1
        kind: CustomResourceDefinition
        metadata: {name: carts.example.com}
        spec:
          group: example.com
          names: {kind: Cart, plural: carts}
          scope: Namespaced
          versions:
            - name: v1
              schema:
                openAPIV3Schema:
                  properties:
                    ipFamilies: {default: [IPv4], description: "such as http://10.100.0.10:80"}
                    clusterIP: {example: 10.100.0.10}
    """,
    "dumped fields that the cluster fills in": """
        apiVersion: apps/v1
        kind: Deployment
        metadata:
          name: web
          namespace: shop
          annotations:
            kubectl.kubernetes.io/last-applied-configuration: '{"env": [{"name": "DB_HOST", "value": "10.100.0.10"}]}'
          managedFields: [{fieldsV1: {"k:10.100.0.10": {}}}]
        spec: {template: {spec: {containers: [{name: web, image: "shop/web:1"}]}}}
        status: {conditions: [{message: "dial tcp 10.100.0.10:80"}]}
    """,
    "comments of every language": """
        apiVersion: v1
        kind: ConfigMap
        metadata: {name: conf, namespace: shop}
        data:
          nginx.conf: |
            # server { listen 80; }
            # resolver 10.100.0.10 ipv6=off;
          app.ini: |
            ; host = 10.100.0.10
            # bind = 0.0.0.0
          app.js: |
            // fetch("http://10.100.0.10:80")
          app.sql: |
            -- host 10.100.0.10
          app.xml: |
            <!--
              <host>10.100.0.10</host>
            -->
          start.sh: |
            # hostname -i
            # curl -4 http://web.shop.svc
            # sysctl -w net.ipv6.conf.all.disable_ipv6=1
            # java -Djava.net.preferIPv4Stack=true
            # serve $POD_IP:80
          pg_hba.conf: |
            # host all all 0.0.0.0/0 md5
    """,
    "what is no text": """
        apiVersion: v1
        kind: ConfigMap
        metadata: {name: conf, namespace: shop}
        binaryData: {nginx.conf: c2VydmVyIHsgbGlzdGVuIDgwOyB9}
        data:
          dashboard.json: '{"panels": [{"title": "http://10.100.0.10:80"}], "host": "10.100.0.10"}'
    """,
    "clients of a sidecar in the same pod": """
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: web, namespace: shop}
        spec:
          template:
            spec:
              containers:
                - name: web
                  image: shop/web:1
                  env:
                    - {name: DB_HOST, value: 127.0.0.1}
                    - {name: DATABASE_URL, value: "postgres://app@127.0.0.1:5432/shop"}
                    - {name: REDIS_URL, value: "redis://localhost:6379"}
                  livenessProbe: {exec: {command: [curl, "http://127.0.0.1:15000/ready"]}}
                - {name: proxy, image: "shop/sql-proxy:2", args: ["--address=127.0.0.1", "--port=5432"]}
                - {name: pool, image: "shop/pgbouncer:1", args: ["--metrics-bind-address=127.0.0.1:9127"]}
    """,
    "0.0.0.0 on Go, Java and gRPC": """
        apiVersion: apps/v1
        kind: Deployment
        metadata: {name: web, namespace: shop}
        spec:
          template:
            metadata: {labels: {app: web}}
            spec:
              containers:
                - name: go
                  image: quay.io/prometheus/prometheus:v3.5.0
                  args: ["--web.listen-address=0.0.0.0:9090"]
                  readinessProbe: {httpGet: {port: 9090}}
                - name: java
                  image: shop/orders:1
                  command: [java, -Dserver.address=0.0.0.0, -jar, app.jar]
                  env: [{name: SERVER_ADDRESS, value: 0.0.0.0}]
                  readinessProbe: {httpGet: {port: 8080}}
                - name: etcd
                  image: quay.io/coreos/etcd:v3.6.0
                  command: [etcd, "--listen-client-urls=http://0.0.0.0:2379"]
                  readinessProbe: {httpGet: {port: 2379}}
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: web, namespace: shop}
        spec: {selector: {app: web}, ports: [{port: 80, targetPort: 8080}]}
    """,
    "0.0.0.0/0 beside ::/0": """
        apiVersion: networking.k8s.io/v1
        kind: NetworkPolicy
        metadata: {name: web, namespace: shop}
        spec:
          podSelector: {}
          ingress:
            - from: [{ipBlock: {cidr: 0.0.0.0/0}}, {ipBlock: {cidr: "::/0"}}]
              ports: [{port: 443}]
          egress:
            - to: [{ipBlock: {cidr: 0.0.0.0/0}}, {ipBlock: {cidr: "::/0"}}]
          policyTypes: [Ingress, Egress]
        ---
        apiVersion: v1
        kind: Service
        metadata:
          name: web
          namespace: shop
          annotations:
            service.beta.kubernetes.io/aws-load-balancer-ip-address-type: dualstack
            service.beta.kubernetes.io/aws-load-balancer-nlb-target-type: ip
        spec:
          type: LoadBalancer
          loadBalancerClass: service.k8s.aws/nlb
          loadBalancerSourceRanges: [0.0.0.0/0, "::/0"]
          ports: [{port: 443}]
    """,
    "documentation ranges and wildcards that nobody talks to": """
        apiVersion: v1
        kind: Pod
        metadata: {name: web, namespace: shop}
        spec:
          containers:
            - name: web
              image: shop/web:1
              env:
                - {name: EXAMPLE_HOST, value: 192.0.2.7}
                - {name: EXAMPLE_URL, value: "http://203.0.113.9:8080"}
                - {name: ALLOWED_NETWORK, value: 0.0.0.0/0}
                - {name: FORWARDED_ALLOW_IPS, value: "*"}
    """,
    "metadata kept out": """
        apiVersion: v1
        kind: ConfigMap
        metadata: {name: conf, namespace: shop}
        data:
          squid.conf: |
            acl imds dst 169.254.169.254
            http_access deny imds
          blocked-hosts: 169.254.169.254
        ---
        apiVersion: v1
        kind: Pod
        metadata: {name: web, namespace: shop}
        spec:
          containers:
            - name: web
              image: shop/web:1
              env:
                - {name: HTTP_PROXY, value: "http://proxy.example.com:3128"}
                - {name: NO_PROXY, value: "169.254.169.254,.svc,.cluster.local"}
              args: [-Dhttp.nonProxyHosts=169.254.169.254|localhost]
    """,
    "a headless Service without a selector, of whatever family": """
        apiVersion: v1
        kind: Service
        metadata: {name: db, namespace: shop}
        spec: {clusterIP: None, ipFamilies: [IPv4], ipFamilyPolicy: RequireDualStack, ports: [{port: 5432}]}
        ---
        apiVersion: v1
        kind: Endpoints
        metadata: {name: db, namespace: shop}
        subsets: [{addresses: [{ip: 10.0.3.7}], ports: [{port: 5432}]}]
    """,
    "sysctls of IPv4, and of IPv6 that leave it on": """
        apiVersion: v1
        kind: Pod
        metadata: {name: web, namespace: shop}
        spec:
          securityContext:
            sysctls:
              - {name: net.ipv4.ip_unprivileged_port_start, value: "0"}
              - {name: net.ipv4.tcp_keepalive_time, value: "60"}
              - {name: net.ipv6.conf.all.disable_ipv6, value: "0"}
              - {name: net.ipv6.conf.all.forwarding, value: "1"}
          containers: [{name: web, image: "shop/web:1"}]
    """,
    "node ports and names that hold an address": """
        apiVersion: v1
        kind: Service
        metadata: {name: web, namespace: shop}
        spec: {type: NodePort, selector: {app: web}, ports: [{port: 80, nodePort: 30080}]}
        ---
        apiVersion: v1
        kind: Service
        metadata: {name: partner, namespace: shop}
        spec: {type: ExternalName, externalName: 10.100.0.10.nip.io}
        ---
        apiVersion: v1
        kind: Pod
        metadata: {name: web, namespace: shop}
        spec:
          containers:
            - name: web
              image: shop/web:1
              env: [{name: PARTNER_URL, value: "http://app.172.20.0.10.sslip.io/"}]
    """,
    "addresses of pods in brackets, alone, and for a shell to expand": """
        apiVersion: v1
        kind: Pod
        metadata: {name: web, namespace: shop}
        spec:
          containers:
            - name: web
              image: shop/web:1
              env:
                - {name: POD_IP, valueFrom: {fieldRef: {fieldPath: status.podIP}}}
                - {name: DD_AGENT_HOST, valueFrom: {fieldRef: {fieldPath: status.hostIP}}}
              args:
                - --advertise-address=[$(POD_IP)]:9094
                - --ip=$(POD_IP)
                - --escaped=$$(POD_IP):80
                - sh -c 'echo ${POD_IP:0:3} ${POD_IP:-localhost}'
    """,
    "a Corefile that narrows what it drops": """
        apiVersion: v1
        kind: ConfigMap
        metadata: {name: coredns, namespace: kube-system}
        data:
          Corefile: |
            .:53 {
                template ANY AAAA corp.example {
                    rcode NXDOMAIN
                }
                kubernetes cluster.local in-addr.arpa ip6.arpa
                forward . /etc/resolv.conf
                bind 0.0.0.0
            }
    """,
    "nginx with both families, and on loopback": """
        apiVersion: v1
        kind: ConfigMap
        metadata: {name: nginx, namespace: shop}
        data:
          default.conf: |
            server { listen 80; listen [::]:80; location / { root /srv; } }
            server { listen 127.0.0.1:8080; location /status { stub_status; } }
          stream.conf: |
            stream { server { listen [::]:5432 ipv6only=off; proxy_pass db; } }
    """,
    "PostgreSQL that admits everybody": """
        apiVersion: v1
        kind: ConfigMap
        metadata: {name: postgres, namespace: shop}
        data:
          pg_hba.conf: |
            local all all trust
            host all all 127.0.0.1/32 trust
            host all all all scram-sha-256
          postgresql.conf: |
            listen_addresses = '*'
    """,
}


@pytest.mark.parametrize("text", SILENT.values(), ids=SILENT)
def test_the_whole_catalogue_is_silent(text: str) -> None:
    assert said(text) == []


@pytest.mark.parametrize(
    "text",
    [
        """
        apiVersion: v1
        kind: Pod
        metadata: {name: web, namespace: shop}
        spec:
          containers:
            - name: web
              image: shop/web:1
              env: [{name: DB_HOST, value: 52.16.7.9}, {name: LEGACY_URL, value: "http://192.168.7.7:8080"}]
        """,
        """
        apiVersion: v1
        kind: Service
        metadata: {name: web, namespace: shop}
        spec: {ipFamilyPolicy: PreferDualStack, selector: {app: web}, ports: [{port: 80}]}
        """,
        """
        apiVersion: v1
        kind: Pod
        metadata: {name: check, namespace: shop, annotations: {helm.sh/hook: test}}
        spec:
          containers: [{name: check, image: "shop/check:1", args: ["curl", "http://10.100.0.10:80"]}]
        """,
    ],
    ids=["IPv4 peers outside of the cluster", "a Service that prefers both families", "what `helm test` alone runs"],
)
def test_what_a_person_may_want_to_look_at_is_a_note_at_the_most(text: str) -> None:
    assert {severity for _, severity in said(text)} <= {Severity.INFO}
