"""The cluster's collectors: what becomes of a live object, and what of a list that fails."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import build
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from eks6check.catalog import Rule, load
from eks6check.demo.kube_server import Answer, Server, serve, write_kubeconfig
from eks6check.facts import SECTIONS, Facts, Gap
from eks6check.facts.kinds import FILES_ONLY, KINDS
from eks6check.facts.kube import Resource
from eks6check.permissions import cluster_role
from eks6check.sources import collect
from eks6check.sources.cluster import COLLECTORS, LAST_APPLIED, login, set_by_user, tidy


def made(kind: str, name: str, owner: tuple[str, str] | None = None, **parts: Any) -> dict[str, Any]:
    """An object, made by a controller where an owner is named by apiVersion and kind."""
    group = {"Pod": "v1", "Job": "batch/v1", "CronJob": "batch/v1"}.get(kind, "apps/v1")
    metadata: dict[str, Any] = {"name": name, "namespace": "shop", "uid": "1", "resourceVersion": "2"}
    if owner:
        metadata["ownerReferences"] = [{"apiVersion": owner[0], "kind": owner[1], "name": "owner", "controller": True}]
    return {"apiVersion": group, "kind": kind, "metadata": metadata, **parts}


REPLICA_SET, ROLLOUT = ("apps/v1", "ReplicaSet"), ("argoproj.io/v1alpha1", "Rollout")
OBJECTS = [
    made("Deployment", "web"),
    made("ReplicaSet", "web-1", ("apps/v1", "Deployment")),
    made("Pod", "web-1-a", REPLICA_SET, spec={"nodeName": "n", "containers": []}, status={"phase": "Running", "ip": 1}),
    made("ReplicaSet", "rollout-2", ROLLOUT, spec={"replicas": 1}),
    made("ReplicaSet", "rollout-1", ROLLOUT, spec={"replicas": 0}),
    made("StatefulSet", "operated", ("monitoring.coreos.com/v1", "Prometheus")),
    made("CronJob", "nightly"),
    made("Job", "nightly-1", ("batch/v1", "CronJob")),
    made("Pod", "nightly-1-a", ("batch/v1", "Job")),
    made("Pod", "bare", spec={"containers": [{"name": "c"}]}, status={"phase": "Pending"}),
    made("Pod", "static", ("v1", "Node"), spec={"containers": []}),
]


@pytest.fixture
def server() -> Iterator[Server]:
    with serve(OBJECTS) as running:
        yield running


def facts(server: Server, tmp_path: Path, *sections: str) -> Facts:
    """These sections, read from that server over HTTP."""
    write_kubeconfig(tmp_path / "config", server.url, "test")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KUBECONFIG", str(tmp_path / "config"))
        return collect([(login.from_kubeconfig("test"), COLLECTORS)], sections)


def names(facts: Facts, section: str) -> list[str]:
    return [fact.name for fact in facts[section].items]


def test_what_a_workload_made_is_left_to_that_workload(server: Server, tmp_path: Path) -> None:
    found = names(facts(server, tmp_path, "workloads"), "workloads")
    assert found == ["web", "operated", "rollout-2", "nightly", "bare", "static"]


def test_all_pods_are_counted_but_only_in_outline(server: Server, tmp_path: Path) -> None:
    pods = facts(server, tmp_path, "pods")["pods"].items
    assert [pod.name for pod in pods] == ["web-1-a", "nightly-1-a", "bare", "static"]
    assert pods[0].body["spec"] == {"nodeName": "n"}
    assert pods[0].body["status"] == {"phase": "Running"}
    assert set(pods[0].body["metadata"]) == {"name", "namespace", "ownerReferences"}
    assert pods[2].body["spec"] == {}


def test_a_bare_pod_is_a_workload_with_its_containers(server: Server, tmp_path: Path) -> None:
    (bare,) = (each for each in facts(server, tmp_path, "workloads")["workloads"].items if each.name == "bare")
    assert bare.get("spec", "containers", 0, "name") == "c"
    assert bare.origin.id == bare.subject.id == "v1/Pod/shop/bare"


def test_pods_are_listed_once_for_both_sections(server: Server, tmp_path: Path) -> None:
    facts(server, tmp_path, "pods", "workloads")
    assert len([each for each in server.calls if each.startswith("/api/v1/pods")]) == 1


def test_a_list_that_fails_costs_only_itself(server: Server, tmp_path: Path) -> None:
    server.faults["/apis/batch/v1/jobs"] = [Answer(403, {"message": "no"})]
    workloads = facts(server, tmp_path, "workloads")["workloads"]
    assert "nightly" in [fact.name for fact in workloads.items]
    assert workloads.gaps == (
        Gap(
            "list jobs.batch",
            "The API server forbids it (403): no",
            "Allow list on jobs.batch: `eks6check permissions` prints the ClusterRole.",
        ),
    )


def test_the_run_only_reads_and_never_asks_for_secrets(server: Server, tmp_path: Path) -> None:
    facts(server, tmp_path, *KINDS)
    assert server.calls
    assert not [each for each in server.calls if "secret" in each]
    role = yaml.safe_load(cluster_role(call for each in COLLECTORS for call in each.calls))
    assert {verb for rule in role["rules"] for verb in rule["verbs"]} == {"list"}
    assert not [name for rule in role["rules"] for name in rule["resources"] if "secret" in name]


def test_every_kubernetes_section_has_its_collector() -> None:
    assert [each.section for each in COLLECTORS] == list(KINDS)
    assert set(KINDS) == {name for name, kind in SECTIONS.items() if kind == "Resource"} - FILES_ONLY.keys()


def test_bookkeeping_and_status_go() -> None:
    deployment = made("Deployment", "web", spec={"replicas": 1}, status={"replicas": 1})
    deployment["metadata"] |= {"managedFields": [{}], "annotations": {LAST_APPLIED: "{}", "mine": "kept"}}
    assert tidy(deployment) == {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "shop", "annotations": {"mine": "kept"}},
        "spec": {"replicas": 1},
    }
    assert LAST_APPLIED in deployment["metadata"]["annotations"], "the body that came is left as it was"


def test_a_node_keeps_what_rules_look_at() -> None:
    status = {"capacity": {"pods": "29"}, "addresses": [], "nodeInfo": {}, "images": ["many"], "conditions": []}
    kept = tidy({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n"}, "status": status})
    assert kept["status"] == {"addresses": [], "capacity": {"pods": "29"}, "nodeInfo": {}}


FAMILIES = {"ipFamilies": ["IPv4"], "ipFamilyPolicy": "SingleStack"}


def test_endpoints_that_kubernetes_made_are_kept_in_outline() -> None:
    managed_by = {"endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io"}
    filled = [{"addresses": ["10.0.0.5"]}]
    ours = tidy({"kind": "EndpointSlice", "metadata": {"labels": managed_by}, "endpoints": filled})
    theirs = tidy({"kind": "EndpointSlice", "metadata": {"name": "db"}, "endpoints": filled})
    assert (ours.get("endpoints"), ours["metadata"], theirs["endpoints"]) == (None, {"labels": managed_by}, filled)
    to_pod = {"ip": "10.0.0.5", "targetRef": {"kind": "Pod", "name": "db-0"}}
    assert "subsets" not in tidy({"kind": "Endpoints", "subsets": [{"addresses": [to_pod]}]})


def test_of_a_proxys_plugins_only_lists_of_sources_are_kept() -> None:
    spec = {"ipAllowList": {"sourceRange": ["10.0.0.0/8"]}, "headers": {"customRequestHeaders": {"Token": "x"}}}
    assert set(tidy({"kind": "Middleware", "spec": spec})["spec"]) == {"ipAllowList"}
    config = {"allow": ["10.0.0.0/8"], "secret": "x"}
    plugin = tidy({"kind": "KongPlugin", "plugin": "ip-restriction", "config": config})
    assert (plugin["plugin"], plugin["config"]) == ("ip-restriction", {"allow": ["10.0.0.0/8"]})


BY_THE_SERVER = {"SVC001", "SVC002", "SVC003"}
"""Rules on fields that the API server fills in, which a live object is not blamed for."""


@pytest.mark.parametrize("rule", [each for each in load() if each.id not in BY_THE_SERVER], ids=lambda rule: rule.id)
def test_what_is_kept_of_a_live_object_is_all_that_its_rules_look_at(rule: Rule) -> None:
    bodies = [each for each in yaml.safe_load_all(rule.bad) if each]
    if "apiVersion" in bodies[0]:
        whole, kept = (facts_of(each) for each in (bodies, [tidy(each) for each in bodies]))
        after, before = ([each.message for each in build.judge(rule.id, facts).findings] for facts in (kept, whole))
        assert after == before


def facts_of(bodies: Iterable[dict[str, Any]]) -> Facts:
    """The objects, each kind in the sections that hold it."""
    return build.facts(
        **{
            section: [each for each in bodies if (Resource(each).group, each["kind"]) in {kind[::2] for kind in kinds}]
            for section, kinds in KINDS.items()
        }
    )


def test_of_a_service_entry_all_stays_that_makes_a_listener() -> None:
    port = {"number": 443, "name": "tls", "protocol": "TLS"}
    entry = {"hosts": ["db.example.com"], "addresses": ["10.1.2.3"], "ports": [port], "endpoints": [{"address": "x"}]}
    body = {"apiVersion": "networking.istio.io/v1", "kind": "ServiceEntry", "metadata": {"name": "db"}, "spec": entry}
    assert set(tidy(body)["spec"]) == {"addresses", "hosts", "ports"}
    assert len(build.messages("MSH001", istio_networking=[tidy(body)])) == 1


def test_schemas_of_a_resource_go_and_its_conversion_stays() -> None:
    spec = {"conversion": {"strategy": "None"}, "versions": [{"name": "v1", "schema": {}}]}
    kept = tidy({"kind": "CustomResourceDefinition", "spec": spec})
    assert kept["spec"] == {"conversion": {"strategy": "None"}}


def service(metadata: dict[str, Any] | None = None, **spec: Any) -> dict[str, Any]:
    spec = {"clusterIP": "10.100.0.9", "clusterIPs": ["10.100.0.9"], **FAMILIES, **spec}
    return {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", **(metadata or {})}, "spec": spec}


def managed(*fields: str) -> dict[str, Any]:
    """Managed fields of a writer who set these fields of the spec."""
    fields_v1: dict[str, Any] = {"f:spec": {f"f:{field}": {} for field in fields}}
    return {"managedFields": [{"manager": "kubectl", "operation": "Update", "fieldsV1": fields_v1}]}


def test_what_the_server_gave_a_service_goes() -> None:
    assert tidy(service(managed("ports", "type"), type="ClusterIP"))["spec"] == {"type": "ClusterIP"}


@pytest.mark.parametrize(
    ("metadata", "kept"),
    [
        (managed("ipFamilies"), {"ipFamilies"}),
        (managed("ipFamilyPolicy"), {"ipFamilyPolicy"}),
        (managed("ipFamilies", "ipFamilyPolicy"), set(FAMILIES)),
        ({"annotations": {LAST_APPLIED: '{"spec": {"ipFamilies": ["IPv4"]}}'}}, {"ipFamilies"}),
        ({"annotations": {LAST_APPLIED: '{"spec": {"ports": []}}'}}, set()),
        ({"annotations": {LAST_APPLIED: "not json"}}, set()),
        ({"annotations": {LAST_APPLIED: "[" * 100_000}}, set()),
    ],
)
def test_families_that_somebody_wrote_stay(metadata: dict[str, Any], kept: set[str]) -> None:
    assert set(tidy(service(metadata))["spec"]) == kept


def test_a_headless_service_stays_headless() -> None:
    assert tidy(service(clusterIP="None", clusterIPs=["None"]))["spec"] == {"clusterIP": "None", "clusterIPs": ["None"]}


WORDS = (
    "metadata spec status kind managedFields fieldsV1 f:spec annotations ownerReferences controller clusterIP replicas"
)
KEYS = st.sampled_from([LAST_APPLIED, *WORDS.split()])
WILD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["None", "Service", "Pod", "{}", "[", "apps/v1"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=25,
)


@given(st.dictionaries(KEYS, WILD), st.sampled_from(["Service", "Pod", "Node", "ReplicaSet"]))
def test_no_shape_of_an_object_breaks_the_reading(body: Any, kind: str) -> None:
    whole = {**body, "apiVersion": "v1", "kind": kind}
    assert Resource(tidy(whole)).kind == kind
    assert set_by_user(whole, "ipFamilies") in {True, False}
    assert "uid" not in tidy(whole)["metadata"]
