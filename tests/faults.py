"""How the way to an API fails: for the AWS server as hooks, for the Kubernetes server as scripted answers.

All of it is real HTTP. What was answered while nothing failed is recorded and played again, so that a scan under a
fault differs from the calm one in that fault alone.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from threading import Event

from servers import cut, failing, first, forwarded, page_of_html, refused
from werkzeug.wrappers import Request, Response

from eks6check.demo import kube_server
from eks6check.demo.aws_server import Hook, Server
from eks6check.demo.kube_server import Answer, Handler

Answering = Callable[[Handler], None]

NEVER_SECONDS = 60
"""The longest that a held answer is kept; whoever holds one lets it go much sooner."""


@contextmanager
def recorded(server: Server, actions: Iterable[str]) -> Iterator[Mapping[str, Hook]]:
    """Hooks that answer each action as it was first answered to the same request; they stand for the account."""
    before = dict(server.hooks)
    hooks = {action: recording(before.get(action, forwarded)) for action in actions}
    server.hooks.update(hooks)
    yield hooks
    server.hooks.clear()
    server.hooks.update(before)


def recording(hook: Hook) -> Hook:
    """A hook that asks another one once for each request, and gives that answer ever after."""
    heard: dict[tuple[str, bytes, bytes], tuple[bytes, int, list[tuple[str, str]]]] = {}

    def answer(request: Request, forward: Callable[[], Response]) -> Response:
        asked = request.path, request.query_string, request.get_data()
        if asked not in heard:
            given = hook(request, forward)
            heard[asked] = given.get_data(), given.status_code, list(given.headers)
        return Response(*heard[asked])

    return answer


def on(hook: Hook, fault: Hook) -> Hook:
    """The fault, over what this hook would answer."""
    return lambda request, forward: fault(request, lambda: hook(request, forward))


def throttled(action: str) -> Hook:
    """Turned away as one call too many, in the words of the service."""
    code = "RequestLimitExceeded" if action.startswith("ec2:") else "ThrottlingException"
    return failing(action, code, 503 if action.startswith("ec2:") else 429)


def dropped(request: Request, _: Callable[[], Response]) -> Response:
    """The connection is reset, and nothing is answered."""
    reset(request.environ["werkzeug.socket"])
    raise ConnectionResetError


def reset(connection: socket.socket) -> None:
    """Have the server find its own connection at an end, and close it with RST."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.shutdown(socket.SHUT_RD)


def empty(_: Request, __: Callable[[], Response]) -> Response:
    """A page without a byte, and all is said to be well."""
    return Response(b"", 200)


def of_another(_: Request, forward: Callable[[], Response]) -> Response:
    """An answer that is well formed, of an operation that nobody asked for."""
    if "xml" in str(forward().content_type):
        return Response("<OtherResponse><otherSet><item/></otherSet></OtherResponse>", 200, content_type="text/xml")
    return Response('{"other": []}', 200, content_type="application/json")


def held(until: Event) -> Hook:
    """An answer that comes only once nobody waits for it any more."""

    def hold(_: Request, forward: Callable[[], Response]) -> Response:
        until.wait(NEVER_SECONDS)
        return forward()

    return hold


PASSING: Mapping[str, Callable[[str], Hook]] = {
    "throttled twice": lambda action: first(2, throttled(action)),
    "reset once": lambda _: first(1, dropped),
    "a page of a proxy once": lambda _: first(1, page_of_html(502)),
}
"""AWS faults, by action, that end before boto3 gives up."""

LASTING: Mapping[str, Callable[[str], Hook]] = {
    "refused": refused,
    "throttled": throttled,
    "internal error": lambda action: failing(action, "InternalFailure", 500),
    "a page of a proxy": lambda _: page_of_html(500),
    "not there": lambda _: page_of_html(404),
    "reset": lambda _: dropped,
    "cut short": lambda _: cut(),
    "cut short without a length": lambda _: cut(told=False),
    "empty": lambda _: empty,
    "of another operation": lambda _: of_another,
}
"""AWS faults, by action, that do not end."""


@contextmanager
def scripted(server: kube_server.Server, path: str, fault: Answer | Answering, times: int) -> Iterator[None]:
    """The Kubernetes server answers the next so many requests for this path with the fault."""
    server.faults[path] = [fault] * times
    yield
    del server.faults[path]


def kube_dropped(handler: Handler) -> None:
    """The connection is reset, and nothing is answered."""
    reset(handler.connection)
    handler.close_connection = True


def kube_cut(handler: Handler) -> None:
    """Half a list, of a length that is not told."""
    handler.send_response(200)
    handler.send_header("Content-Type", "application/json")
    handler.end_headers()
    handler.wfile.write(b'{"kind": "List", "items": [{"metadata": {"name": "a"}}, {"meta')
    handler.close_connection = True


def kube_held(until: Event) -> Answering:
    """An answer that comes only once nobody waits for it any more."""

    def hold(handler: Handler) -> None:
        until.wait(NEVER_SECONDS)
        handler.close_connection = True

    return hold


KUBE_LASTING: Mapping[str, Answer | Answering] = {
    "forbidden": Answer(403, {"kind": "Status", "message": "forbidden"}),
    "too many requests": Answer(429, {"kind": "Status"}, {"Retry-After": "0"}),
    "internal error": Answer(500, {"kind": "Status", "message": "etcdserver: request timed out"}),
    "a page of a proxy": Answer(502, b"<html>Bad gateway</html>", {"Content-Type": "text/html"}),
    "a login page": Answer(200, b"<html>Sign in</html>", {"Content-Type": "text/html"}),
    "reset": kube_dropped,
    "cut short": Answer(200, b'{"kind": "List", "items": [{"me', {"Content-Length": "4096", "Connection": "close"}),
    "cut short without a length": kube_cut,
    "empty": Answer(200, b""),
    "of another operation": Answer(200, {"kind": "Status", "status": "Success"}),
}
"""Kubernetes faults that do not end."""

KUBE_PASSING: Mapping[str, Answer | Answering] = {
    name: KUBE_LASTING[name] for name in ("too many requests", "internal error", "reset")
}
"""Kubernetes faults that are over when the same is asked again."""
