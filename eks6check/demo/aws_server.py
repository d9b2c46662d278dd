"""A made-up AWS account over real HTTP on loopback: moto, and what moto lacks of EKS added on the way out.

boto3 finds it through ``AWS_ENDPOINT_URL``. Every call is written down, and a hook may answer any of them otherwise:
that is how the tests refuse, throttle and garble. Import this module only where moto is wanted.
"""

from __future__ import annotations

import io
import json
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from urllib.parse import parse_qs

from botocore.session import get_session
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.test import Client
from werkzeug.wrappers import Request, Response

Hook = Callable[[Request, Callable[[], Response]], Response]
"""Answers a request, or has the account answer it by calling its second argument."""

CREDENTIALS: Mapping[str, str] = {
    "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",  # AWS's own example, as all three of these are
    "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "AWS_SESSION_TOKEN": "AQoDYXdzEJr-example",
}

SCOPE = re.compile(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/")
"""Where a signature names its service."""


@dataclass
class Server:
    """A running server: its address, the IAM actions called so far, and what the caller adds to moto.

    ``addons`` holds ``DescribeAddon`` bodies by cluster and name, ``clusters`` blocks that complete moto's
    ``DescribeCluster`` by cluster, ``hooks`` other answers by IAM action.
    """

    url: str = ""
    calls: list[str] = field(default_factory=list)
    hooks: dict[str, Hook] = field(default_factory=dict)
    addons: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    clusters: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """The variables that lead boto3 here."""
        return {**CREDENTIALS, "AWS_ENDPOINT_URL": self.url, "AWS_EC2_METADATA_DISABLED": "true"}


class Quiet(WSGIRequestHandler):  # type: ignore[misc]  # werkzeug is untyped to us
    """Serves without a line on the screen for each request."""

    def log(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def serve() -> Iterator[Server]:
    """An empty account for as long as the context lasts. Moto keeps its state in the process: one account at a time."""
    from moto.server import DomainDispatcherApplication, create_backend_app  # noqa: PLC0415  most of a second

    moto = DomainDispatcherApplication(create_backend_app)
    Client(moto).post("/moto-api/reset")
    server = Server()
    listener = make_server("127.0.0.1", 0, application(server, moto), threaded=True, request_handler=Quiet)
    server.url = f"http://127.0.0.1:{listener.server_port}"
    thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        listener.shutdown()
        listener.server_close()
        thread.join()


def application(server: Server, moto: Any) -> Any:
    """The WSGI layer: write the call down, let a hook answer it, else moto with what it lacks."""

    def answer(request: Request) -> Response:
        body = request.get_data()
        action = action_of(request)
        server.calls.append(action)

        def forward() -> Response:
            environ = {**request.environ, "wsgi.input": io.BytesIO(body)}
            return completed(server, action, request.path, Response.from_app(moto, environ, buffered=True))

        return server.hooks[action](request, forward) if action in server.hooks else forward()

    wsgi: Any = Request.application
    return wsgi(answer)


def action_of(request: Request) -> str:
    """The IAM action of a request: of EC2's from the form, of EKS's from method and path."""
    scope = SCOPE.search(request.headers.get("Authorization", ""))
    service = scope[1] if scope else "unsigned"
    if service != "eks":
        return f"{service}:{parse_qs(request.get_data(as_text=True)).get('Action', ['?'])[0]}"
    fitting = (name for name, http in eks_operations() if re.fullmatch(http, f"{request.method} {request.path}"))
    return f"eks:{next(fitting, '?')}"


@cache
def eks_operations() -> list[tuple[str, str]]:
    """Every EKS operation with a pattern of its method and path, from botocore's own model."""
    model = get_session().get_service_model("eks")
    https = {name: model.operation_model(name).http for name in model.operation_names}
    paths = {name: re.sub(r"\{\w+\}", "[^/]+", http["requestUri"].partition("?")[0]) for name, http in https.items()}
    return [(name, f"{https[name]['method']} {path}") for name, path in paths.items()]


def completed(server: Server, action: str, path: str, response: Response) -> Response:
    """Moto's answer with what it lacks: add-ons, and parts of a cluster."""
    _, _, cluster, *rest = [*path.split("/"), ""]
    addons = server.addons.get(cluster, {})
    if action == "eks:ListAddons":
        return in_json({"addons": list(addons)})
    if action == "eks:DescribeAddon" and rest[1] in addons:
        return in_json({"addon": {"addonName": rest[1], "status": "ACTIVE", **addons[rest[1]]}})
    if action == "eks:DescribeCluster" and cluster in server.clusters:
        body = json.loads(response.get_data())["cluster"]
        merged = {key: {**body.get(key, {}), **value} for key, value in server.clusters[cluster].items()}
        return in_json({"cluster": {**body, **merged}})
    return response


def in_json(body: object) -> Response:
    """An answer as the EKS API writes it."""
    return Response(json.dumps(body), content_type="application/json")
