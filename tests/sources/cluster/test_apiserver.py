"""The cluster source against a real API server: its defaults, its paging, its RBAC, its TLS."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from apiserver.admin import allow, put, until, write_kubeconfig
from apiserver.server import ApiServer, request, serve

from eks6check.facts import Facts
from eks6check.facts.kinds import KINDS
from eks6check.facts.kube import Resource
from eks6check.permissions import cluster_role
from eks6check.sources import collect
from eks6check.sources.cluster import COLLECTORS, api, login

ASSETS = os.environ.get("KUBEBUILDER_ASSETS")
pytestmark = pytest.mark.skipif(not ASSETS, reason="KUBEBUILDER_ASSETS names no folder with kube-apiserver and etcd")

CALLS = tuple(call for each in COLLECTORS for call in each.calls)
LACKED = "list ingresses.networking.k8s.io"
DEFINITION = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "eniconfigs.crd.k8s.amazonaws.com"},
    "spec": {
        "group": "crd.k8s.amazonaws.com",
        "scope": "Cluster",
        "names": {"plural": "eniconfigs", "singular": "eniconfig", "kind": "ENIConfig"},
        "versions": [
            {
                "name": "v1alpha1",
                "served": True,
                "storage": True,
                "schema": {
                    "openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                },
            }
        ],
    },
}
ENI_CONFIG = {
    "apiVersion": "crd.k8s.amazonaws.com/v1alpha1",
    "kind": "ENIConfig",
    "metadata": {"name": "eu-west-1a"},
    "spec": {"subnet": "subnet-1"},
}
DEPLOYMENT = {
    "metadata": {"name": "web"},
    "spec": {
        "selector": {"matchLabels": {"app": "web"}},
        "template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {"containers": [{"name": "web", "image": "nginx"}]},
        },
    },
}
SERVICES: dict[str, dict[str, Any]] = {
    "plain": {"type": "NodePort"},
    "pinned": {"ipFamilies": ["IPv4"]},
    "dual": {"ipFamilyPolicy": "PreferDualStack"},
    "headless": {"clusterIP": "None"},
}


@pytest.fixture(scope="module")
def server() -> Iterator[ApiServer]:
    with serve(Path(str(ASSETS))) as running:
        put(running, "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", DEFINITION)
        put(running, "/apis/apps/v1/namespaces/default/deployments", DEPLOYMENT)
        for name, spec in SERVICES.items():
            body = {"metadata": {"name": name}, "spec": {"ports": [{"port": 80}], **spec}}
            put(running, "/api/v1/namespaces/default/services", body)
        custom = "/apis/crd.k8s.amazonaws.com/v1alpha1/eniconfigs"
        until(lambda: request(running, "POST", custom, ENI_CONFIG)[0] == 201)
        yield running


def facts(server: ApiServer, token: str, *, trusted: bool = True) -> Facts:
    """All sections, read with that token through a kubeconfig."""
    write_kubeconfig(server, token, trusted=trusted)
    return collect([(login.from_kubeconfig("test"), COLLECTORS)], KINDS)


def gaps(facts: Facts) -> dict[str, list[str]]:
    """The calls that failed, by section."""
    return {name: [gap.call for gap in section.gaps] for name, section in facts.items() if section.gaps}


def test_the_administrator_sees_all_as_it_was_written(server: ApiServer) -> None:
    seen = facts(server, server.admin_token)
    assert gaps(seen) == {}
    assert [each.subject.id for each in seen["eni_configs"].items] == ["crd.k8s.amazonaws.com/ENIConfig/eu-west-1a"]
    assert [each.subject.id for each in seen["workloads"].items] == ["apps/Deployment/default/web"]
    services: dict[str, Resource] = {each.name: each for each in seen["services"].items}
    assert set(services) == {*SERVICES, "kubernetes"}
    for name, spec in SERVICES.items():
        chosen = {"clusterIP", "ipFamilies", "ipFamilyPolicy"}
        assert {field: value for field, value in services[name].body["spec"].items() if field in chosen} == {
            field: value for field, value in spec.items() if field in chosen
        }, name


def test_the_printed_role_is_enough_to_see_the_same(server: ApiServer) -> None:
    token = allow(server, "reader", cluster_role(CALLS))
    assert facts(server, token) == facts(server, server.admin_token)


def test_the_pages_of_a_list_add_up(server: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = facts(server, server.admin_token)
    monkeypatch.setattr(api, "PAGE_OBJECTS", 2)
    assert facts(server, server.admin_token) == whole


def test_a_permission_that_is_missing_is_named(server: ApiServer) -> None:
    token = allow(server, "almost", cluster_role(call for call in CALLS if call != LACKED))
    seen = facts(server, token)
    assert gaps(seen) == {"ingresses": [LACKED]}
    (gap,) = seen["ingresses"].gaps
    assert 'User "system:serviceaccount:default:almost" cannot list resource "ingresses"' in gap.reason
    assert gap.remedy.startswith("Allow list on ingresses.networking.k8s.io:")


def test_a_wrong_token_leaves_every_section_open(server: ApiServer) -> None:
    seen = facts(server, "wrong")
    assert set(gaps(seen)) == set(KINDS)
    assert {gap.reason for gap in seen["services"].gaps} == {"The API server does not accept the credentials (401)."}


def test_a_server_with_an_unknown_authority_gets_no_token(server: ApiServer) -> None:
    (gap,) = facts(server, server.admin_token, trusted=False)["services"].gaps
    assert "CERTIFICATE_VERIFY_FAILED" in gap.reason
