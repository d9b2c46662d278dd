"""Lists of a cluster over real HTTP: pages, versions, namespaces, and every way in which a server can fail."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eks6check.demo.kube_server import Answer, Server, serve, write_kubeconfig
from eks6check.facts.kinds import Kind
from eks6check.sources import Unreadable
from eks6check.sources.cluster import login
from eks6check.sources.cluster.answers import Failure, line, parsed
from eks6check.sources.cluster.api import Api, call

SERVICES = Kind("", "services", "Service")
DEPLOYMENTS = Kind("apps", "deployments", "Deployment")
NODE_POOLS = Kind("karpenter.sh", "nodepools", "NodePool")
NODES = Kind("", "nodes", "Node")


def body(name: str, kind: str = "Service", version: str = "v1", namespace: str = "shop") -> dict[str, Any]:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": name, "namespace": namespace}}


@pytest.fixture
def server() -> Iterator[Server]:
    with serve([body("a"), body("b"), body("c", namespace="test"), body("node", "Node")]) as running:
        yield running


def api(url: str, tmp_path: Path, *namespaces: str) -> Api:
    """The API at that URL, through a kubeconfig of its own."""
    write_kubeconfig(tmp_path / "config", url, "test")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KUBECONFIG", str(tmp_path / "config"))
        patch.setattr(login, "BACKOFF_SECONDS", 0)
        made = login.from_kubeconfig("test", namespaces)
        made._once("client", made._connect)
    return made


def names(api: Api, kind: Kind = SERVICES) -> list[str]:
    return [each["metadata"]["name"] for each in api.objects(kind)]


def gap(api: Api, kind: Kind = SERVICES) -> tuple[str, str, str]:
    """The call, reason and remedy of a list that fails."""
    with pytest.raises(Unreadable) as caught:
        names(api, kind)
    return caught.value.gap.call, caught.value.gap.reason, caught.value.gap.remedy


def test_a_list_is_read_page_by_page(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("eks6check.sources.cluster.api.PAGE_OBJECTS", 2)
    assert names(api(server.url, tmp_path)) == ["a", "b", "c"]
    assert server.calls == ["/apis", "/api/v1/services?limit=2", "/api/v1/services?limit=2&continue=2"]


def test_items_are_made_whole_and_then_trimmed(server: Server, tmp_path: Path) -> None:
    found = api(server.url, tmp_path).objects(SERVICES, lambda item: {"seen": (item["apiVersion"], item["kind"])})
    assert list(found) == [{"seen": ("v1", "Service")}] * 3


def test_a_list_is_asked_for_once_even_by_many_threads(server: Server, tmp_path: Path) -> None:
    shared = api(server.url, tmp_path)
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda _: len(names(shared)), range(8))) == [3] * 8
    assert server.calls == ["/apis", "/api/v1/services?limit=500"]


def test_an_expired_list_begins_again_without_duplicates(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("eks6check.sources.cluster.api.PAGE_OBJECTS", 1)
    server.faults["/api/v1/services"] = [None, Answer(410, {"reason": "Expired"}), None, None]
    assert names(api(server.url, tmp_path)) == ["a", "b", "c"]


def test_a_list_that_expires_each_time_is_a_gap(server: Server, tmp_path: Path) -> None:
    server.faults["/api/v1/services"] = [Answer(410, {})] * 3
    assert "expired each time" in gap(api(server.url, tmp_path))[1]
    assert len(server.calls) == 1 + 3


def test_a_group_that_the_server_lacks_has_no_objects(server: Server, tmp_path: Path) -> None:
    assert names(api(server.url, tmp_path), NODE_POOLS) == []
    assert server.calls == ["/apis"]


def test_a_kind_is_found_in_a_version_that_is_not_the_preferred_one(tmp_path: Path) -> None:
    old = {"groupVersion": "karpenter.sh/v1beta1"}
    group = {"name": "karpenter.sh", "versions": [old], "preferredVersion": {"groupVersion": "karpenter.sh/v1"}}
    with serve([body("pool", "NodePool", "karpenter.sh/v1beta1")]) as server:
        server.faults["/apis"] = [Answer(200, {"groups": [group]})]
        assert names(api(server.url, tmp_path), NODE_POOLS) == ["pool"]
        assert server.calls[1:] == [
            f"/apis/karpenter.sh/{version}/nodepools?limit=500" for version in ("v1", "v1beta1")
        ]


def test_a_known_group_without_the_kind_has_no_objects(tmp_path: Path) -> None:
    with serve([body("old", "Provisioner", "karpenter.sh/v1alpha5")]) as server:
        assert names(api(server.url, tmp_path), NODE_POOLS) == []


@pytest.mark.parametrize(
    ("answer", "absent"),
    [
        (b"404 page not found\n", True),
        ({"kind": "Status", "reason": "NotFound"}, True),
        (b"<html><title>404 Not Found</title></html>", False),
        ({"error": "no route"}, False),
        (b"", False),
    ],
)
def test_only_the_api_servers_own_word_makes_a_kind_absent(tmp_path: Path, answer: Any, *, absent: bool) -> None:
    with serve([body("pool", "NodePool", "karpenter.sh/v1")]) as server:
        server.faults["/apis/karpenter.sh/v1/nodepools"] = [Answer(404, answer)]
        found = api(server.url, tmp_path)
        if absent:
            assert names(found, NODE_POOLS) == []
        else:
            assert gap(found, NODE_POOLS)[1] == "The API server answered 404."


def test_a_server_without_services_is_no_api_server(server: Server, tmp_path: Path) -> None:
    server.faults["/api/v1/services"] = [Answer(404, b"not here")]
    assert gap(api(server.url, tmp_path)) == (
        "list services",
        "The API server answered 404.",
        "Check the server's URL.",
    )


def test_only_the_named_namespaces_are_listed_but_all_nodes(server: Server, tmp_path: Path) -> None:
    narrow = api(server.url, tmp_path, "test", "a/../b")
    assert names(narrow) == ["c"]
    assert names(narrow, NODES) == ["node"]
    assert server.calls[1:3] == [
        "/api/v1/namespaces/test/services?limit=500",
        "/api/v1/namespaces/a%2F..%2Fb/services?limit=500",
    ]


def test_one_namespace_that_is_forbidden_does_not_hide_the_others(server: Server, tmp_path: Path) -> None:
    server.faults["/api/v1/namespaces/shop/services"] = [Answer(403, {"message": "no"})]
    listed = api(server.url, tmp_path, "shop", "test").objects(SERVICES)
    assert next(listed)["metadata"]["name"] == "c"
    with pytest.raises(Unreadable, match=r"In shop: The API server forbids it \(403\): no"):
        next(listed)


def test_a_forbidden_list_names_the_verb_and_the_resource(server: Server, tmp_path: Path) -> None:
    said = 'deployments.apps is forbidden: User "me"\n cannot list resource "deployments"'
    server.faults["/apis/apps/v1/deployments"] = [Answer(403, {"kind": "Status", "message": said})]
    assert gap(api(server.url, tmp_path), DEPLOYMENTS) == (
        "list deployments.apps",
        'The API server forbids it (403): deployments.apps is forbidden: User "me" cannot list resource "deployments"',
        "Allow list on deployments.apps: `eks6check permissions` prints the ClusterRole.",
    )


HTML = Answer(200, b"<html>Sign in</html>", {"Content-Type": "text/html"})


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (HTML, "not the JSON of an API server"),
        (Answer(200, b'{"items": [{"metadata": '), "not the JSON of an API server"),
        (Answer(200, b"[" * 100_000), "not the JSON of an API server"),
        (Answer(200, ["a"]), "not the JSON of an API server"),
        (Answer(200, b'{"items": ', {"Content-Length": "99", "Connection": "close"}), "in the middle of the answer"),
        (Answer(200, {"items": None}), "not a list of objects"),
        (Answer(200, {"items": {"a": {}}}), "not a list of objects"),
        (Answer(200, {"items": [{}, None]}), "not a list of objects"),
        (Answer(200, {"kind": "Status"}), "not a list of objects"),
        (Answer(200, {"items": [], "metadata": {"continue": 7}}), "does not say how the list goes on"),
        (Answer(302, b"", {"Location": "https://login.example"}), "answered 302"),
        (Answer(503, b"<html>busy</html>"), "overloaded or out of order (503)."),
        (Answer(429, {"message": "too many"}), "overloaded or out of order (429): too many"),
    ],
)
def test_a_broken_answer_is_a_gap_in_one_line(server: Server, tmp_path: Path, answer: Answer, reason: str) -> None:
    server.faults["/api/v1/services"] = [answer] * 4
    asked, said, _ = gap(api(server.url, tmp_path))
    assert asked == "list services"
    assert reason in said
    assert "\n" not in said


def test_a_list_that_never_ends_is_a_gap(server: Server, tmp_path: Path) -> None:
    server.faults["/api/v1/services"] = [Answer(200, {"items": [], "metadata": {"continue": "x"}})] * 9
    assert "how the list goes on" in gap(api(server.url, tmp_path))[1]


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_server_is_asked_again_but_not_for_ever(server: Server, tmp_path: Path, status: int) -> None:
    server.faults["/api/v1/services"] = [Answer(status, {}, {"Retry-After": "0"})] * 2
    assert names(api(server.url, tmp_path)) == ["a", "b", "c"]
    server.calls.clear()
    server.faults["/api/v1/services"] = [Answer(status, {})] * 9
    assert str(status) in gap(api(server.url, tmp_path))[1]
    assert len(server.calls) == 1 + 1 + login.RETRIES


def test_the_server_cannot_ask_for_a_long_wait() -> None:
    from urllib3 import HTTPResponse  # noqa: PLC0415  on demand, as the code does

    retries = login._retries()
    assert retries.get_retry_after(HTTPResponse(headers={"Retry-After": "3600"})) == login.RETRY_AFTER_SECONDS
    assert retries.get_retry_after(HTTPResponse(headers={"Retry-After": "1"})) == 1
    assert retries.get_retry_after(HTTPResponse()) is None


def test_bad_credentials_are_told_once_and_not_tried_again(server: Server, tmp_path: Path) -> None:
    server.faults["/apis"] = [Answer(401, {"message": "Unauthorized"})]
    shared = api(server.url, tmp_path)
    assert gap(shared)[1] == "The API server does not accept the credentials (401)."
    assert gap(shared, DEPLOYMENTS)[0] == "list deployments.apps"
    assert server.calls == ["/apis"]


def test_without_discovery_the_core_group_can_still_be_read(server: Server, tmp_path: Path) -> None:
    server.faults["/apis"] = [Answer(403, {"message": "no"})]
    shared = api(server.url, tmp_path)
    assert names(shared) == ["a", "b", "c"]
    assert "forbids it (403): no" in gap(shared, NODE_POOLS)[1]


@pytest.mark.parametrize("answer", [{"groups": None}, {}, {"groups": "x"}])
def test_discovery_that_names_no_groups_is_a_gap(server: Server, tmp_path: Path, answer: Any) -> None:
    server.faults["/apis"] = [Answer(200, answer)]
    assert "names no API groups" in gap(api(server.url, tmp_path), DEPLOYMENTS)[1]


def test_a_refused_connection_is_a_gap(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}"
        assert gap(api(url, tmp_path))[1] == f"The connection is refused: {url}."


def test_a_silent_server_is_a_gap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("eks6check.sources.cluster.api.TIMEOUTS_SECONDS", (1.0, 0.05))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        assert gap(api(url, tmp_path))[1] == f"The connection stands, but no answer comes: {url}."


def test_a_name_that_does_not_resolve_is_a_gap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    assert gap(api("https://gone.example", tmp_path))[1] == "The name does not resolve: https://gone.example."


def test_a_server_that_speaks_no_tls_is_a_gap(server: Server, tmp_path: Path) -> None:
    _, reason, remedy = gap(api(server.url.replace("http:", "https:"), tmp_path))
    assert reason.startswith("TLS fails: https://127.0.0.1")
    assert "update-kubeconfig" in remedy


def answered(status: int, data: bytes) -> dict[str, Any] | Failure:
    try:
        return parsed(status, data)
    except Failure as failure:
        return failure


@given(st.integers(100, 599), st.binary() | st.text().map(str.encode))
def test_no_answer_breaks_the_reading(status: int, data: bytes) -> None:
    answer = answered(status, data)
    assert isinstance(answer, dict) or (answer.status == status and "\n" not in answer.reason)


def test_words_of_a_server_stay_short() -> None:
    assert line("a\n\tb") == "a b"
    assert len(line("x" * 10_000)) < 300


def test_lists_are_named_as_kubectl_names_them() -> None:
    assert (call(SERVICES), call(DEPLOYMENTS)) == ("list services", "list deployments.apps")
