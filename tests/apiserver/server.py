"""A real Kubernetes API server on loopback, with its own etcd, for the time of a test."""

import json
import secrets
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPSHandler, ProxyHandler, Request, build_opener

READY_SECONDS = 120.0
REQUEST_SECONDS = 30.0
STOP_SECONDS = 15.0
LOG_TAIL_LINES = 30
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class ApiServer:
    """Where a running API server is, how to trust it, and a token that may do everything."""

    url: str
    ca_file: Path
    admin_token: str


@dataclass(frozen=True)
class _Process:
    """A started program and the file that holds its output."""

    name: str
    popen: subprocess.Popen[bytes]
    log: Path


@contextmanager
def serve(assets: Path) -> Iterator[ApiServer]:
    """Run the `etcd` and `kube-apiserver` of the folder `assets` until the context ends."""
    with TemporaryDirectory(prefix="apiserver-") as name, ExitStack() as stack:
        home, assets = Path(name), assets.resolve()
        etcd_port, peer_port, port = _free_ports(3)
        server = ApiServer(
            url=f"https://{LOOPBACK}:{port}",
            ca_file=home / "certificates" / "apiserver.crt",
            admin_token=secrets.token_hex(16),
        )
        etcd_url = f"http://{LOOPBACK}:{etcd_port}"
        processes = [
            stack.enter_context(_running(home, _etcd(assets, home, etcd_url, peer_port))),
            stack.enter_context(_running(home, _apiserver(assets, home, etcd_url, server, port))),
        ]
        _wait_until_ready(server, processes)
        yield server


def request(server: ApiServer, method: str, path: str, body: Any = None, token: str | None = None) -> tuple[int, Any]:
    """Send one request, as the administrator unless a token is given, and return status and answer.

    The empty token sends it as nobody. A PATCH is a merge patch.
    """
    content_type = "application/merge-patch+json" if method == "PATCH" else "application/json"
    content = None if body is None else json.dumps(body).encode()
    bearer = server.admin_token if token is None else token
    headers = {"Authorization": f"Bearer {bearer}", "Content-Type": content_type}
    return _send(server, Request(server.url + path, content, headers, method=method))


def apply(server: ApiServer, path: str, body: Any, manager: str = "tests") -> tuple[int, Any]:
    """Apply an object on the server's side, as the field manager named, and return status and answer."""
    url = f"{server.url}{path}?{urlencode({'fieldManager': manager})}"
    headers = {
        "Authorization": f"Bearer {server.admin_token}",
        "Content-Type": "application/apply-patch+yaml",
    }
    return _send(server, Request(url, json.dumps(body).encode(), headers, method="PATCH"))


def service_account_token(server: ApiServer, namespace: str, name: str) -> str:
    """Return a fresh token of an existing ServiceAccount, valid for an hour."""
    status, answer = request(
        server,
        "POST",
        f"/api/v1/namespaces/{namespace}/serviceaccounts/{name}/token",
        {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {"expirationSeconds": 3600},
        },
    )
    if status != 201:
        raise RuntimeError(f"no token for {namespace}/{name}: {status} {answer}")
    return str(answer["status"]["token"])


def _send(server: ApiServer, message: Request) -> tuple[int, Any]:
    """Send a request and return the status and the decoded answer, whether it went well or not."""
    context = ssl.create_default_context(cafile=str(server.ca_file))
    # A proxy that the environment names must not see loopback traffic.
    opener = build_opener(ProxyHandler({}), HTTPSHandler(context=context))
    try:
        with opener.open(message, timeout=REQUEST_SECONDS) as answer:
            return answer.status, _decoded(answer.headers, answer.read())
    except HTTPError as error:
        with error:
            return error.code, _decoded(error.headers, error.read())


def _decoded(headers: Message, content: bytes) -> Any:
    """Return the body of an answer: decoded when it is JSON, else as text."""
    if headers.get_content_type() == "application/json":
        return json.loads(content)
    return content.decode()


def _free_ports(count: int) -> list[int]:
    """Return distinct TCP ports that are free at this moment."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind((LOOPBACK, 0))
        return [int(each.getsockname()[1]) for each in sockets]


def _etcd(assets: Path, home: Path, url: str, peer_port: int) -> list[str]:
    """Return the command line of etcd."""
    peer_url = f"http://{LOOPBACK}:{peer_port}"
    return [
        str(assets / "etcd"),
        f"--data-dir={home / 'data'}",
        f"--listen-client-urls={url}",
        f"--advertise-client-urls={url}",
        f"--listen-peer-urls={peer_url}",
        f"--initial-advertise-peer-urls={peer_url}",
        f"--initial-cluster=default={peer_url}",
    ]


def _apiserver(assets: Path, home: Path, etcd_url: str, server: ApiServer, port: int) -> list[str]:
    """Write the secrets of the API server and return its command line."""
    key = _signing_key(home)
    tokens = home / "tokens.csv"
    tokens.write_text(f'{server.admin_token},admin,admin,"system:masters"\n')
    return [
        str(assets / "kube-apiserver"),
        f"--etcd-servers={etcd_url}",
        f"--bind-address={LOOPBACK}",
        f"--advertise-address={LOOPBACK}",
        # The Service "kubernetes" may not have a loopback address as its endpoint.
        "--endpoint-reconciler-type=none",
        f"--secure-port={port}",
        f"--cert-dir={server.ca_file.parent}",
        f"--token-auth-file={tokens}",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={key}",
        f"--service-account-signing-key-file={key}",
        "--authorization-mode=RBAC",
        "--service-cluster-ip-range=10.100.0.0/16",
        # No controller runs that would make the ServiceAccount "default" a Pod would need.
        "--disable-admission-plugins=ServiceAccount",
    ]


def _signing_key(home: Path) -> Path:
    """Make the key that signs the tokens of ServiceAccounts."""
    key = home / "service-accounts.key"
    subprocess.run(["openssl", "genrsa", "-out", str(key), "2048"], check=True, capture_output=True)
    return key


@contextmanager
def _running(home: Path, command: list[str]) -> Iterator[_Process]:
    """Run a program with its output in a log file and stop it at exit."""
    name = Path(command[0]).name
    log = home / f"{name}.log"
    with log.open("wb") as output:
        popen = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, cwd=home)
    try:
        yield _Process(name, popen, log)
    finally:
        _stop(popen)


def _stop(popen: subprocess.Popen[bytes]) -> None:
    """End a process, by force if it does not end by itself."""
    popen.terminate()
    try:
        popen.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        popen.kill()
        popen.wait()


def _wait_until_ready(server: ApiServer, processes: list[_Process]) -> None:
    """Return once the API server reports that it is ready; fail when it will not be."""
    deadline = time.monotonic() + READY_SECONDS
    while not _is_ready(server):
        for process in processes:
            if process.popen.poll() is not None:
                raise RuntimeError(f"{process.name} ended:\n{_tail(process.log)}")
        if time.monotonic() > deadline:
            log = processes[-1].log
            raise RuntimeError(f"not ready after {READY_SECONDS:.0f} s:\n{_tail(log)}")
        time.sleep(0.1)


def _is_ready(server: ApiServer) -> bool:
    """Tell whether /readyz answers that all is well."""
    try:
        return request(server, "GET", "/readyz")[0] == 200
    except OSError:
        # The certificate is not written yet, or nothing listens yet.
        return False


def _tail(log: Path) -> str:
    """Return the last lines of a log file."""
    return "\n".join(log.read_text(errors="replace").splitlines()[-LOG_TAIL_LINES:])
