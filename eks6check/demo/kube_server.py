"""A read-only Kubernetes API on loopback: discovery and paged lists over plain HTTP, for the demo and for tests."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from eks6check.facts.kinds import KINDS

PLURALS = {(kind.group, kind.kind): kind.plural for kinds in KINDS.values() for kind in kinds}

BUILT_IN = ("v1", "admissionregistration.k8s.io/v1", "apps/v1", "batch/v1", "networking.k8s.io/v1")
"""The versions that every server has, even with no object in them; custom ones come with their objects."""


class Answer(NamedTuple):
    """A scripted answer: status, body as JSON or as raw bytes, and headers."""

    status: int
    body: Any
    headers: Mapping[str, str] = {}


NOT_FOUND = Answer(404, {"kind": "Status", "message": "the server could not find the requested resource"})


class Server(ThreadingHTTPServer):
    """The server. ``calls`` are the requests it saw, ``faults`` by path what comes first, None for the truth.

    A fault that is a function has the connection to itself. ``denied`` are the lists, by group and plural, that an
    access review says no to.
    """

    daemon_threads = True
    request_queue_size = 128  # with five, a scan's connections wait a second each to be asked for again

    def __init__(self, bodies: Iterable[Mapping[str, Any]]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.calls: list[str] = []
        self.faults: dict[str, list[Answer | Callable[[Handler], None] | None]] = {}
        self.denied: set[tuple[str, str]] = set()
        self.objects: dict[str, list[Mapping[str, Any]]] = {
            _path(version, kind): []
            for version in BUILT_IN
            for group, kind in PLURALS
            if group == version.rpartition("/")[0]
        }
        for body in bodies:
            self.objects.setdefault(_path(body["apiVersion"], body["kind"]), []).append(body)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a client that has gone, as one does that would not wait any longer."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def _path(version: str, kind: str) -> str:
    group = version.rpartition("/")[0]
    return f"/{'apis' if group else 'api'}/{version}/{PLURALS[group, kind]}"


class Handler(BaseHTTPRequestHandler):
    """Answers GET, and of POST the access reviews alone, which store nothing."""

    server: Server
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  the base class named it
        """Stay silent; ``Server.calls`` is the log."""

    def do_GET(self) -> None:
        """Answer as scripted, or truly."""
        url = urlsplit(self.path)
        self._answer(url.path, lambda: _respond(self.server, url.path, dict(parse_qsl(url.query))))

    def do_POST(self) -> None:
        """Review whether a list is allowed."""
        posted = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self._answer(self.path, lambda: _review(self.server, self.path, posted))

    def _answer(self, path: str, truth: Callable[[], Answer]) -> None:
        self.server.calls.append(self.path)
        script = self.server.faults.get(path)
        scripted = script.pop(0) if script else None
        if callable(scripted):
            scripted(self)
            return
        answer = scripted or truth()
        data = answer.body if isinstance(answer.body, bytes) else json.dumps(answer.body).encode()
        self.send_response(answer.status)
        for name, value in {
            "Content-Type": "application/json",
            "Content-Length": str(len(data)),
            **answer.headers,
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)


def _respond(server: Server, path: str, query: Mapping[str, str]) -> Answer:
    fixed: dict[str, Any] = {
        "/version": {"major": "1", "minor": "33", "gitVersion": "v1.33.0-eks-0000000"},
        "/api": {"kind": "APIVersions", "versions": ["v1"]},
        "/apis": {"kind": "APIGroupList", "groups": _groups(server)},
    }
    if path in fixed:
        return Answer(200, fixed[path])
    head, namespaced, tail = path.partition("/namespaces/")
    namespace, _, plural = tail.partition("/")
    if namespaced and not plural:
        spaces = {each["metadata"].get("namespace") for kind in server.objects.values() for each in kind}
        return Answer(200, {"kind": "Namespace"}) if namespace in {*spaces, "default"} else NOT_FOUND
    found = server.objects.get(f"{head}/{plural}" if namespaced else path)
    if found is None:
        return NOT_FOUND
    chosen = [each for each in found if not namespaced or each["metadata"].get("namespace") == namespace]
    start, size = int(query.get("continue", 0)), int(query.get("limit", 0)) or len(chosen)
    following = {"continue": str(start + size)} if start + size < len(chosen) else {}
    items = [
        {name: value for name, value in each.items() if name not in {"apiVersion", "kind"}}
        for each in chosen[start : start + size]
    ]
    return Answer(200, {"kind": "List", "metadata": following, "items": items})


def _review(server: Server, path: str, posted: Mapping[str, Any]) -> Answer:
    if path != "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews":
        return Answer(405, {"kind": "Status", "message": "this server only reads"})
    wanted = posted["spec"]["resourceAttributes"]
    allowed = (wanted["group"], wanted["resource"]) not in server.denied
    return Answer(201, {**posted, "status": {"allowed": allowed}})


def _groups(server: Server) -> list[dict[str, Any]]:
    versions = dict.fromkeys(path.removeprefix("/apis/").rpartition("/")[0] for path in server.objects)
    names = dict.fromkeys(version.partition("/")[0] for version in versions if not version.startswith("/"))
    return [
        {"name": name, "versions": [{"groupVersion": each} for each in versions if each.startswith(f"{name}/")]}
        for name in names
    ]


@contextmanager
def serve(bodies: Iterable[Mapping[str, Any]] = ()) -> Iterator[Server]:
    """Serve these objects until the context ends."""
    with Server(bodies) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()


def write_kubeconfig(path: Path, url: str, context: str) -> None:
    """Write a kubeconfig whose only context leads to this URL. JSON is YAML."""
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": context,
        "contexts": [{"name": context, "context": {"cluster": context, "user": context}}],
        "clusters": [{"name": context, "cluster": {"server": url}}],
        "users": [{"name": context, "user": {"token": "no-secret"}}],
    }
    path.write_text(json.dumps(config), encoding="utf-8")
