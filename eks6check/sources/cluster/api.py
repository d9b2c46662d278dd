"""Lists of a live cluster as raw JSON: each asked for once in a run, each failure told in plain words.

``login`` makes the connection. The kubernetes client's models and API classes stay out: they raise on what a
server may send, and importing them takes a second.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future
from functools import partial
from http import HTTPStatus
from threading import Lock
from typing import Any, NamedTuple, TypeVar
from urllib.parse import quote

from eks6check import __version__
from eks6check.facts import Gap
from eks6check.facts.kinds import CLUSTER_SCOPED, Kind
from eks6check.facts.kube import mapping, sequence, text
from eks6check.sources import Unreadable
from eks6check.sources.cluster.answers import Failure, no_answer, parsed
from eks6check.sources.ledger import Ledger

T = TypeVar("T")
Trim = Callable[[dict[str, Any]], dict[str, Any]]

REVIEWS = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
"""Where an API server says what the one who asks may do. Nothing is stored there, whatever is posted."""

UNCLEAR = "Run it again; if it stays, see whether a proxy answers in the server's place."

PAGE_OBJECTS = 500
"""Objects asked for in one page, as kubectl does."""

RESTARTS = 2
"""How often a list begins again when its pages expire while it is read."""

TIMEOUTS_SECONDS = (10.0, 60.0)
"""How long to wait for a connection, and for the next bytes of an answer."""


class Objects(NamedTuple):
    """What one kind's lists gave: the objects, and the failures by namespace (empty for the whole cluster)."""

    found: list[dict[str, Any]]
    failures: dict[str, Failure]


def call(kind: Kind) -> str:
    """The list of a kind in kubectl's words: ``list services``, ``list deployments.apps``."""
    return f"list {kind.plural}.{kind.group}" if kind.group else f"list {kind.plural}"


class Api:
    """An API server to list from, safe to share between threads.

    ``connect`` gives the client (``kubernetes.client.ApiClient``) or raises ``Failure``; it is asked at the first
    list. Where ``namespaces`` are named, kinds that live in namespaces are listed in those only.
    """

    def __init__(self, connect: Callable[[], Any], namespaces: tuple[str, ...] = ()) -> None:
        self.ledger = Ledger()
        self._connect = connect
        self._namespaces = namespaces
        self._lock = Lock()
        self._answers: dict[object, Future[Any]] = {}

    def objects(self, kind: Kind, trim: Trim = dict) -> Iterator[dict[str, Any]]:
        """Every object of a kind, apiVersion and kind filled in; none where the server does not know the kind.

        ``trim`` makes each object smaller as its page arrives. The same list with the same ``trim`` is read once.

        Raises:
            Unreadable: a list failed. What could be read comes first.
        """
        found, failures = self._once((kind, trim), lambda: self._read(kind, trim))
        yield from found
        if failures:
            raise Unreadable(gap(kind, failures))

    def missing(self, namespaces: Iterable[str]) -> list[str]:
        """Those of the namespaces that the server says are not there; where it does not say, they count as there."""
        return [name for name in namespaces if not self._is_there(name)]

    def refusal(self, kind: Kind) -> Gap | None:
        """What listing this kind would be refused with, or None: asked by access review, which makes no list.

        Raises:
            Unreadable: the server does not answer the question.
        """
        try:
            known = not kind.group or self._versions(kind.group)
            denied = [name for name in self._places(kind) if known and not self._allows(kind, name)]
        except Failure as failure:
            raise Unreadable(gap(kind, {"": failure})) from failure
        forbidden = Failure("The API server forbids it to this identity.", status=HTTPStatus.FORBIDDEN)
        return gap(kind, dict.fromkeys(denied, forbidden)) if denied else None

    def _allows(self, kind: Kind, namespace: str) -> bool:
        wanted = {"verb": "list", "group": kind.group, "resource": kind.plural, "namespace": namespace}
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": wanted},
        }
        answer = self._send("POST", REVIEWS, body=json.dumps(review).encode())
        allowed = mapping(answer.get("status")).get("allowed")
        if not isinstance(allowed, bool):
            raise Failure("The API server's answer to an access review does not say whether it allows.", status=200)
        return allowed

    def _is_there(self, namespace: str) -> bool:
        try:
            self._get(f"/api/v1/namespaces/{quote(namespace, safe='')}", {})
        except Failure as failure:
            return not failure.absent
        return True

    def _once(self, key: object, ask: Callable[[], T]) -> T:
        with self._lock:
            asked = key in self._answers
            answer: Future[T] = self._answers.setdefault(key, Future())
        if not asked:
            try:
                answer.set_result(ask())
            except BaseException as error:  # noqa: BLE001  whatever came of it, the others wait for it
                answer.set_exception(error)
        return answer.result()

    def _read(self, kind: Kind, trim: Trim) -> Objects:
        read = Objects([], {})
        for namespace in self._places(kind):
            try:
                read.found.extend(self._list(kind, namespace, trim))
            except Failure as failure:
                read.failures[namespace] = failure
        return read

    def _places(self, kind: Kind) -> tuple[str, ...]:
        """The namespaces to list a kind in; one empty name stands for the whole cluster."""
        return ("",) if not self._namespaces or kind.kind in CLUSTER_SCOPED else self._namespaces

    def _list(self, kind: Kind, namespace: str, trim: Trim) -> list[dict[str, Any]]:
        tail = f"namespaces/{quote(namespace, safe='')}/{kind.plural}" if namespace else kind.plural
        for version in self._versions(kind.group):
            base = f"/apis/{version}" if kind.group else f"/api/{version}"
            whole = {"apiVersion": version, "kind": kind.kind}
            try:
                return self._pages(f"{base}/{tail}", partial(trimmed, trim, whole))
            except Failure as failure:
                if not failure.absent or not kind.group:
                    raise
        return []

    def _versions(self, group: str) -> tuple[str, ...]:
        """The group's versions as in ``apiVersion``, the preferred one first; none where the server lacks the group."""
        try:
            return self._once("versions", self._discover).get(group, () if group else ("v1",))
        except Failure as failure:
            # The core group needs no discovery, but a server that is out of reach or refuses us is not asked again.
            if group or failure.status in {0, 401}:
                raise
            return ("v1",)

    def _discover(self) -> dict[str, tuple[str, ...]]:
        groups = self._get("/apis", {}).get("groups")
        if not isinstance(groups, list):
            raise Failure("The API server's answer to /apis names no API groups.", "Check the server's URL.", 200)
        return {text(mapping(group).get("name")): served(mapping(group)) for group in groups}

    def _pages(self, path: str, trim: Trim) -> list[dict[str, Any]]:
        for _ in range(RESTARTS):
            try:
                return list(map(trim, self._walk(path)))
            except Failure as failure:
                if failure.status != HTTPStatus.GONE:
                    raise
        return list(map(trim, self._walk(path)))

    def _walk(self, path: str) -> Iterator[dict[str, Any]]:
        token = ""
        while True:
            page = self._get(path, {"limit": str(PAGE_OBJECTS), **({"continue": token} if token else {})})
            items = page.get("items")
            if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
                raise Failure("The API server's answer is not a list of objects.", UNCLEAR, 200)
            yield from items
            following = mapping(page.get("metadata")).get("continue") or ""
            if not following:
                return
            if not isinstance(following, str) or following == token:
                raise Failure("The API server's answer does not say how the list goes on.", UNCLEAR, 200)
            token = following

    def _get(self, path: str, query: Mapping[str, str]) -> dict[str, Any]:
        return self._send("GET", path, query=query)

    def _send(
        self, method: str, path: str, query: Mapping[str, str] | None = None, body: bytes = b""
    ) -> dict[str, Any]:
        from urllib3 import Timeout  # noqa: PLC0415  comes with the client, and like it on demand
        from urllib3.exceptions import HTTPError  # noqa: PLC0415  likewise

        client = self._once("client", self._connect)
        headers = {"Accept": "application/json", "Accept-Encoding": "gzip", "User-Agent": f"eks6check/{__version__}"}
        if body:
            headers["Content-Type"] = "application/json"
        if token := client.configuration.auth_settings().get("BearerToken", {}).get("value"):
            headers["Authorization"] = token
        host = client.configuration.host
        connect, read = TIMEOUTS_SECONDS
        self.ledger.take(f"{method.lower()} {path}")
        content = {"body": body} if body else {"fields": query}
        # The pool, not call_api: it is the same in every release of the client, and its errors keep their types.
        pool = client.rest_client.pool_manager
        try:
            answer = pool.request(method, host + path, headers=headers, timeout=Timeout(None, connect, read), **content)
        except (HTTPError, OSError) as error:
            raise no_answer(error, host) from error
        return parsed(answer.status, answer.data)


def trimmed(trim: Trim, whole: Mapping[str, str], item: dict[str, Any]) -> dict[str, Any]:
    """An item of a list made whole, since lists name apiVersion and kind once only, and then made small."""
    return trim({**item, **whole})


def served(group: Mapping[str, Any]) -> tuple[str, ...]:
    """The versions of one group of ``/apis``, the preferred one first."""
    versions = [group.get("preferredVersion"), *sequence(group.get("versions"))]
    return tuple(dict.fromkeys(name for each in versions if (name := text(mapping(each).get("groupVersion")))))


def gap(kind: Kind, failures: Mapping[str, Failure]) -> Gap:
    """The gap that failed lists of a kind leave."""
    first = next(iter(failures.values()))
    named = ", ".join(name for name in failures if name)
    where = f"In {named}: " if named else ""
    resource = call(kind).removeprefix("list ")
    allow = f"Allow list on {resource}: `eks6check permissions` prints the ClusterRole."
    return Gap(call(kind), where + first.reason, allow if first.status == HTTPStatus.FORBIDDEN else first.remedy)
