"""Views on Fargate: what puts a pod there, and which profile takes it."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Any

import build
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eks6check.facts import fargate
from eks6check.facts.aws import FargateProfile, Selector
from eks6check.facts.kube import Resource


def pod(labels: Any = None, namespace: str = "shop", **spec: Any) -> Resource:
    metadata = {"name": "web", "namespace": namespace, "labels": labels or {}}
    return build.resource({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})


def deployment(labels: Any, **spec: Any) -> Resource:
    template = {"metadata": {"labels": labels}, "spec": {"containers": [{"name": "web"}], **spec}}
    return build.resource(
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "web", "namespace": "shop", "labels": {"app": "not-of-the-pods"}},
            "spec": {"template": template},
        }
    )


def profile(name: str, namespace: str, **labels: str) -> FargateProfile:
    return FargateProfile(id=name, selectors=(Selector(namespace=namespace, labels=labels),))


@pytest.mark.parametrize(
    ("workload", "why"),
    [
        (pod({fargate.PROFILE_LABEL: "batch"}), "label eks.amazonaws.com/fargate-profile=batch"),
        (pod(schedulerName="fargate-scheduler"), "schedulerName fargate-scheduler"),
        (pod(nodeName="fargate-ip-10-0-1-7"), "node fargate-ip-10-0-1-7"),
        (pod({"app": "web"}), "profile b selects it"),
        (deployment({"app": "web"}), "profile b selects it"),
        (deployment({fargate.PROFILE_LABEL: "batch"}), "label eks.amazonaws.com/fargate-profile=batch"),
        (deployment({}), ""),
        (pod({"app": "web"}, nodeName="ip-10-0-1-7"), ""),
        (pod({"app": "web"}, namespace="other"), ""),
        (pod(), ""),
    ],
)
def test_what_puts_pods_on_fargate_is_said(workload: Resource, why: str) -> None:
    profiles = [profile("c", "*", app="web", tier="front"), profile("b", "sho?", app="w*")]
    assert fargate.why_on_fargate(workload, profiles) == why


@pytest.mark.parametrize(
    ("labels", "name"), [({"app": "web"}, "a"), ({"app": "web", fargate.PROFILE_LABEL: "z"}, "z"), ({}, "")]
)
def test_the_label_chooses_the_profile_else_the_first_that_selects(labels: dict[str, str], name: str) -> None:
    profiles = [profile("b", "shop", app="web"), profile("a", "shop", app="web"), FargateProfile(id="0")]
    assert fargate.profile_of(pod(labels), profiles) == name


TEXT = st.text("ab*?.-\n", max_size=6)


@given(TEXT, TEXT)
def test_wildcards_are_a_shells_without_brackets(pattern: str, value: str) -> None:
    assert fargate._fits(pattern, value) == fnmatchcase(value, pattern)


@given(st.none() | st.integers() | st.text() | st.lists(st.text()) | st.dictionaries(st.text(), st.none()))
def test_pods_of_any_shape_are_no_error(value: Any) -> None:
    for wild in (
        {"metadata": value, "spec": value},
        {"metadata": {"labels": {"app": value}}, "spec": {"nodeName": value}},
    ):
        found = build.resource({"apiVersion": "v1", "kind": "Pod", **wild})
        assert isinstance(fargate.why_on_fargate(found, [profile("a", "default", app="*")]), str)
