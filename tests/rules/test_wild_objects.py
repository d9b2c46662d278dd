"""Rules on nodes, the CNI and metadata over objects in which any value has become any other."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import yaml
from build import judge, resource
from hypothesis import given, settings
from hypothesis import strategies as st

from eks6check.findings import State

OBJECTS = {
    "workloads": """
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: aws-node, namespace: kube-system}
spec:
  template:
    spec:
      hostNetwork: false
      nodeSelector: {node.kubernetes.io/instance-type: m4.large}
      affinity:
        nodeAffinity:
          requiredDuringSchedulingIgnoredDuringExecution:
            nodeSelectorTerms:
              - matchExpressions: [{key: node.kubernetes.io/instance-type, operator: In, values: [m4.large]}]
      containers:
        - name: aws-node
          image: x/amazon-k8s-cni:v1.9.0
          args: [--imds=169.254.169.254]
          env: [{name: ENABLE_PREFIX_DELEGATION, value: "true"}, {name: WARM_IP_TARGET, value: "5"}]
""",
    "config_maps": "{kind: ConfigMap, metadata: {name: c}, data: {a.sh: 'curl http://169.254.169.254/'}}",
    "eni_configs": "{kind: ENIConfig, metadata: {name: a}, spec: {subnet: subnet-1, securityGroups: [sg-1]}}",
    "nodes": """
kind: Node
metadata: {name: a, labels: {node.kubernetes.io/instance-type: m5.large}}
spec: {providerID: aws:///a/i-1}
status: {capacity: {pods: "29"}}
""",
    "node_classes": """
kind: EC2NodeClass
metadata: {name: default}
spec:
  amiSelectorTerms: [{alias: al2023}]
  kubelet: {maxPods: 434}
  metadataOptions: {httpPutResponseHopLimit: 1, httpProtocolIPv6: enabled}
""",
    "node_pools": """
kind: NodePool
metadata: {name: default}
spec:
  template:
    metadata: {labels: {team: a}}
    spec:
      nodeClassRef: {group: karpenter.k8s.aws, name: default}
      requirements: [{key: karpenter.k8s.aws/instance-family, operator: In, values: [m4]}]
""",
}
TAKES = {
    "NOD001": ("workloads", "nodes"),
    "NOD003": ("node_classes", "node_pools", "nodes"),
    "NOD004": ("node_classes", "node_pools", "nodes"),
    "NOD005": ("workloads", "config_maps", "node_classes"),
    "NOD006": ("workloads", "node_classes"),
    "NOD011": ("node_pools",),
    "CNI001": ("workloads",),
    "CNI002": ("workloads",),
    "CNI003": ("workloads", "eni_configs"),
    "CNI006": ("workloads",),
    "CNI007": ("workloads",),
    "IDN002": ("workloads", "config_maps"),
}
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
JUNK = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4) | st.integers(), inner, max_size=2),
    max_leaves=4,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, each in inner for place in places(each, (*path, key)))]


def spoilt(body: Any, path: tuple[Any, ...], junk: Any) -> Any:
    made = copy.deepcopy(body)
    holder = made
    for key in path[:-1]:
        holder = holder[key]
    if path:
        holder[path[-1]] = junk
    return made


@pytest.mark.parametrize("word", TAKES)
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_no_value_anywhere_makes_a_rule_raise(word: str, data: st.DataObject) -> None:
    known = {}
    for section in TAKES[word]:
        body = yaml.safe_load(OBJECTS[section])
        path = data.draw(st.sampled_from(places(body)))
        known[section] = [resource(spoilt(body, path, data.draw(JUNK))), resource(body)]
    outcome = judge(word, **known)
    assert outcome.state is not State.ERROR, outcome.error


@pytest.mark.parametrize("word", TAKES)
def test_the_order_of_facts_changes_nothing(word: str) -> None:
    names = ("b", "a", "c")

    def told(order: tuple[str, ...]) -> set[tuple[str, str]]:
        known = {}
        for section in TAKES[word]:
            body = yaml.safe_load(OBJECTS[section])
            known[section] = [spoilt(body, ("metadata", "name"), name) for name in order]
        return {(finding.fingerprint, finding.message) for finding in judge(word, **known).findings}

    assert told(names) == told(names[::-1])
