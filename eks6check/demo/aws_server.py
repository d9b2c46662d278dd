"""A made-up AWS account over real HTTP on loopback: moto, and what moto lacks of EKS added on the way out.

boto3 finds it through ``AWS_ENDPOINT_URL``. Every call is written down, and a hook may answer any of them otherwise:
that is how the tests refuse, throttle and garble.
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
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

if TYPE_CHECKING:
    from werkzeug.wrappers import Request, Response

Forward = Callable[[], "Response"]
Hook = Callable[["Request", Forward], "Response"]

CREDENTIALS: Mapping[str, str] = {
    "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",  # AWS's own example, as all three of these are
    "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "AWS_SESSION_TOKEN": "AQoDYXdzEJr-example",
}

SCOPE = re.compile(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/")
"""Where a signature names its service."""


@dataclass
class Server:
    """A running server. ``addons`` holds ``DescribeAddon`` bodies by cluster and add-on, ``hooks`` an answer by action.

    ``clusters`` holds what ``DescribeCluster`` gives beside what moto says, by cluster. ``calls`` are IAM actions.
    """

    url: str = ""
    calls: list[str] = field(default_factory=list)
    hooks: dict[str, Hook] = field(default_factory=dict)
    addons: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    clusters: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """The variables that lead boto3 here."""
        return {**CREDENTIALS, "AWS_ENDPOINT_URL": self.url, "AWS_EC2_METADATA_DISABLED": "true"}


@contextmanager
def serve() -> Iterator[Server]:
    """An empty account for as long as the context lasts. There is one at a time in a process, as moto keeps its state there.

    Raises:
        ImportError: moto is not installed.
    """
    from moto.server import DomainDispatcherApplication, create_backend_app  # noqa: PLC0415  most of a second
    from werkzeug.serving import WSGIRequestHandler, make_server  # noqa: PLC0415  likewise
    from werkzeug.test import Client  # noqa: PLC0415  likewise

    class Quiet(WSGIRequestHandler):
        def log(self, *_: object) -> None:
            pass

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
    from werkzeug.wrappers import Request, Response  # noqa: PLC0415  only where a server runs

    def answer(request: Request) -> Response:
        body = request.get_data()
        action = action_of(request)
        server.calls.append(action)

        def forward() -> Response:
            environ = {**request.environ, "wsgi.input": io.BytesIO(body)}
            return completed(server, action, request.path, Response.from_app(moto, environ, buffered=True))

        return server.hooks.get(action, lambda _, proceed: proceed())(request, forward)

    return Request.application(answer)


def action_of(request: Request) -> str:
    """The IAM action of a request: of EC2's from the form, of EKS's from method and path."""
    scope = SCOPE.search(request.headers.get("Authorization", ""))
    service = scope[1] if scope else "unsigned"
    if service != "eks":
        return f"{service}:{parse_qs(request.get_data(as_text=True)).get('Action', ['?'])[0]}"
    operations = ((name, pattern) for method, name, pattern in eks_operations() if method == request.method)
    return f"eks:{next((name for name, pattern in operations if pattern.fullmatch(request.path)), '?')}"


@cache
def eks_operations() -> list[tuple[str, str, re.Pattern[str]]]:
    """Method, name and path of every EKS operation, from botocore's own model."""
    from botocore.session import get_session  # noqa: PLC0415  only where a server runs

    model = get_session().get_service_model("eks")
    https = [(name, model.operation_model(name).http) for name in model.operation_names]
    return [
        (http["method"], name, re.compile(re.sub(r"\{\w+\}", "[^/]+", http["requestUri"].partition("?")[0])))
        for name, http in https
    ]


def completed(server: Server, action: str, path: str, response: Response) -> Response:
    """Moto's answer with what it lacks: add-ons, and parts of a cluster."""
    _, _, cluster, *rest = [*path.split("/"), ""]
    addons = server.addons.get(cluster, {})
    if action == "eks:ListAddons":
        return in_json({"addons": list(addons)})
    if action == "eks:DescribeAddon" and rest[1] in addons:
        return in_json({"addon": {"addonName": rest[1], "status": "ACTIVE", **addons[rest[1]]}})
    if action == "eks:DescribeCluster" and response.status_code == 200 and cluster in server.clusters:  # noqa: PLR2004
        body = json.loads(response.get_data())["cluster"]
        extra = server.clusters[cluster]
        merged = {key: {**body.get(key, {}), **value} if isinstance(value, dict) else value for key, value in extra.items()}
        return in_json({"cluster": {**body, **merged}})
    return response


def in_json(body: object, status: int = 200) -> Response:
    """An answer as the EKS API writes it."""
    from werkzeug.wrappers import Response  # noqa: PLC0415  only where a server runs

    return Response(json.dumps(body), status, content_type="application/json")
