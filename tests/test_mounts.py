"""Which container is given which value of which ConfigMap, and under which name."""

from __future__ import annotations

from typing import Any

import pytest
from build import resource

from eks6check.facts.kube import containers
from eks6check.facts.mounts import by_name, files, variables

MAP = resource(
    {
        "kind": "ConfigMap",
        "metadata": {"name": "conf", "namespace": "shop"},
        "data": {"a.conf": "A", "b.conf": "B", "c": 3},
        "binaryData": {"d.conf": "RA=="},
    }
)


def given(volume: Any = None, /, **container: Any) -> dict[str, str]:
    """What the only container of a Deployment is given, by name."""
    spec = {"containers": [{"name": "web", **container}], "volumes": [{"name": "v", **(volume or {})}]}
    workload = resource({"kind": "Deployment", "metadata": {"namespace": "shop"}, "spec": {"template": {"spec": spec}}})
    (only,) = containers(workload)
    found = (*files(workload, only, by_name([MAP])), *variables(workload, only, by_name([MAP])))
    return {each.name: each.value for each in found}


def mounted(volume: Any, **mount: Any) -> dict[str, str]:
    return given(volume, volumeMounts=[{"name": "v", "mountPath": "/etc/app", **mount}])


ITEMS = [{"key": "a.conf", "path": "sub/renamed.conf"}]


@pytest.mark.parametrize(
    ("source", "mount", "names"),
    [
        ({"configMap": {"name": "conf"}}, {}, {"a.conf": "A", "b.conf": "B"}),
        ({"configMap": {"name": "conf", "items": ITEMS}}, {}, {"renamed.conf": "A"}),
        ({"configMap": {"name": "conf", "items": ITEMS}}, {"subPath": "sub"}, {"renamed.conf": "A"}),
        ({"configMap": {"name": "conf"}}, {"subPath": "a.conf", "mountPath": "/etc/main.conf"}, {"main.conf": "A"}),
        ({"configMap": {"name": "conf"}}, {"subPath": "missing"}, {}),
        ({"projected": {"sources": [{"configMap": {"name": "conf", "items": ITEMS}}]}}, {}, {"renamed.conf": "A"}),
        ({"configMap": {"name": "other"}}, {}, {}),
        ({"configMap": {"name": "conf"}}, {"name": "another"}, {}),
        ({"secret": {"secretName": "conf"}}, {}, {}),
    ],
)
def test_a_file_has_the_name_that_its_volume_and_its_mount_give_it(source: Any, mount: Any, names: Any) -> None:
    assert mounted(source, **mount) == names


def test_a_variable_is_one_key_or_all_of_them_with_a_prefix() -> None:
    one = {"name": "ONE", "valueFrom": {"configMapKeyRef": {"name": "conf", "key": "b.conf"}}}
    assert given(env=[one, {"name": "TWO", "value": 2}]) == {"TWO": "2", "ONE": "B"}
    assert given(envFrom=[{"prefix": "X_", "configMapRef": {"name": "conf"}}]) == {"X_a.conf": "A", "X_b.conf": "B"}
    assert given(envFrom=[{"secretRef": {"name": "conf"}}, None, 3], env=[None, 3, {"valueFrom": "x"}]) == {}
