"""Where objects keep the pods that they make, so that what is not built in is judged like what is."""

from __future__ import annotations

from typing import Any

import pytest
from build import resource

from eks6check.facts.kube import containers, pod_spec
from eks6check.facts.texts import texts

POD = {"containers": [{"name": "main", "env": [{"name": "A", "value": "b"}]}]}


@pytest.mark.parametrize(
    "spec",
    [
        {"template": {"spec": POD}},
        {"jobTemplate": {"spec": {"template": {"spec": POD}}}},
        {"podTemplate": {"spec": POD}},
        {"deployment": {"podTemplate": {"spec": POD}}},
        {"daemonSet": {"podTemplate": {"spec": POD}}},
        {"nodeSets": [{"name": "hot", "podTemplate": {"spec": POD}}, {"name": "cold"}]},
        {"statefulSet": {"spec": {"template": {"spec": POD}}}},
        {"jobTargetRef": {"template": {"spec": POD}}},
        {"podTemplate": {"spec": {"initContainers": POD["containers"]}}},
    ],
)
def test_a_pod_spec_is_found_wherever_its_kind_keeps_it(spec: dict[str, Any]) -> None:
    (container,) = containers(resource({"kind": "Any", "metadata": {"name": "x"}, "spec": spec}))
    assert (container.name, [name for _, name, _ in container.env()]) == ("main", ["A"])


@pytest.mark.parametrize("spec", [None, [], {"nodeSets": {}}, {"nodeSets": [None]}, {"podTemplate": {"spec": {}}}])
def test_an_object_of_any_shape_without_one_holds_no_containers(spec: Any) -> None:
    assert pod_spec(resource({"kind": "Any", "metadata": {"name": "x"}, "spec": spec})) == ((), {})


def test_what_an_operator_is_told_comes_with_the_name_that_it_is_told_under() -> None:
    spec = {"kafka": {"listeners": [{"name": "tls"}], "env": [{"name": "A", "value": "b"}]}, "replicas": 3}
    body = {"apiVersion": "kafka.strimzi.io/v1beta2", "kind": "Kafka", "metadata": {"name": "k"}, "spec": spec}
    told = {(each.name, each.value, each.where) for each in texts(resource(body))}
    assert ("A", "b", "spec.kafka.env.0.value") in told
    assert ("name", "tls", "spec.kafka.listeners.0.name") in told
