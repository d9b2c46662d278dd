"""What an API server's answer means, or the lack of one: JSON, or a failure in plain words.

Whoever answers may be a proxy, a login page or a server in trouble, so nothing in an answer is trusted to be there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from eks6check.facts.kube import mapping, text

REASON_CHARACTERS = 240
"""As much of a server's own words as fits a line or two."""


NO_SUCH_PATH = b"404 page not found"
"""How an API server says in plain text that it serves no such path; of a known path it says so in a Status."""


class Failure(Exception):  # noqa: N818  it becomes a gap, not the end of a run
    """A request that gave nothing to read: why, what would help, and the HTTP status, 0 where none came.

    ``absent`` says that the API server itself knows of no such thing; a proxy's 404 says nothing of the kind.
    """

    def __init__(self, reason: str, remedy: str = "", status: int = 0, *, absent: bool = False) -> None:
        super().__init__(reason)
        self.absent = absent
        self.reason = reason
        self.remedy = remedy
        self.status = status


def parsed(status: int, data: bytes) -> dict[str, Any]:
    """The JSON object of an answer.

    Raises:
        Failure: the status is neither 200 nor 201, or it is no JSON object.
    """
    try:
        body = json.loads(data)
    except (ValueError, RecursionError):
        body = None
    if status not in {HTTPStatus.OK, HTTPStatus.CREATED}:
        own = mapping(body).get("kind") == "Status" or data.startswith(NO_SUCH_PATH)
        raise refused(status, text(mapping(body).get("message")), own=own)
    if not isinstance(body, dict):
        raise Failure(
            "The answer is not the JSON of an API server.",
            "Check the server's URL and what stands between: a proxy or a login page may have answered.",
            status,
        )
    return body


def refused(status: int, message: str, *, own: bool) -> Failure:
    """An answer that says no, in plain words with the server's own; ``own`` is whether an API server gave it."""
    said = f": {line(message)}" if message else "."
    if status == HTTPStatus.UNAUTHORIZED:
        return Failure(
            "The API server does not accept the credentials (401).",
            "Renew them. In EKS the identity also needs an access entry: see `aws eks list-access-entries`.",
            status,
        )
    if status == HTTPStatus.FORBIDDEN:
        return Failure(f"The API server forbids it (403){said}", status=status)
    if status == HTTPStatus.GONE:
        return Failure("The list expired each time while it was read (410).", "Run it again at a quieter time.", status)
    if status == HTTPStatus.TOO_MANY_REQUESTS or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Failure(f"The API server is overloaded or out of order ({status}){said}", "Run it again later.", status)
    absent = own and status == HTTPStatus.NOT_FOUND
    return Failure(f"The API server answered {status}{said}", "Check the server's URL.", status, absent=absent)


NO_ANSWER: Mapping[str, tuple[str, str]] = {
    "NameResolutionError": ("The name does not resolve", "Check the server's URL and this machine's DNS."),
    "ConnectTimeoutError": (
        "Nobody answers there",
        "A private endpoint answers only inside the VPC: run eks6check there, or read the account alone: --source aws.",
    ),
    "NewConnectionError": ("The connection is refused", "Check the server's URL; a tunnel or proxy may be down."),
    "ReadTimeoutError": ("The connection stands, but no answer comes", "Run it again later."),
    "SSLError": (
        "TLS fails",
        "Renew the kubeconfig: `aws eks update-kubeconfig` writes the cluster's certificate authority.",
    ),
    "ProxyError": ("The proxy gives no way through", "Check HTTPS_PROXY and NO_PROXY, or proxy-url in the kubeconfig."),
    "ProtocolError": ("The connection ended in the middle of the answer", "Run it again."),
}
"""urllib3's errors by class name, the base classes below their kinds, in words and with what helps."""


def no_answer(error: Exception, host: str) -> Failure:
    """A request without an answer, in plain words."""
    cause = getattr(error, "reason", None)
    cause = cause if isinstance(cause, Exception) else error
    names = [each.__name__ for each in type(cause).__mro__]
    words, remedy = next((NO_ANSWER[name] for name in names if name in NO_ANSWER), ("The request failed", ""))
    detail = f" ({line(str(cause))})" if "SSLError" in names or not remedy else ""
    return Failure(f"{words}: {host}{detail}.", remedy)


def line(message: str) -> str:
    """A server's words as one line of bounded length."""
    flat = " ".join(message.split())
    return flat if len(flat) <= REASON_CHARACTERS else f"{flat[:REASON_CHARACTERS]}..."
