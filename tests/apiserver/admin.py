"""What tests do as administrator of a real API server: create objects, give permissions, write kubeconfigs."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml
from apiserver.server import ApiServer, request, service_account_token

TRIES = 500
"""Requests until a new CRD or role is known; the server takes some milliseconds, each request one or two."""


def put(server: ApiServer, path: str, body: Any) -> None:
    status, answer = request(server, "POST", path, body)
    assert status == 201, answer


def until(succeeds: Callable[[], bool]) -> None:
    """Ask until the server has caught up."""
    assert any(succeeds() for _ in range(TRIES))


def allow(server: ApiServer, name: str, cluster_role: str, *, sign: str = "/api/v1/services") -> str:
    """The token of a new ServiceAccount that has this ClusterRole, given as YAML, and nothing more.

    ``sign`` is a list that the role allows; once it answers, the role is in force.
    """
    rbac = "/apis/rbac.authorization.k8s.io/v1"
    role = yaml.safe_load(cluster_role)
    role["metadata"]["name"] = name
    put(server, "/api/v1/namespaces/default/serviceaccounts", {"metadata": {"name": name}})
    put(server, f"{rbac}/clusterroles", role)
    binding = {
        "metadata": {"name": name},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": name},
        "subjects": [{"kind": "ServiceAccount", "name": name, "namespace": "default"}],
    }
    put(server, f"{rbac}/clusterrolebindings", binding)
    token = service_account_token(server, "default", name)
    until(lambda: request(server, "GET", f"{sign}?limit=1", token=token)[0] == 200)
    return token


def write_kubeconfig(server: ApiServer, token: str, *, name: str = "test", trusted: bool = True) -> None:
    """Fill the file that KUBECONFIG names with one context that logs in with this token."""
    cluster = {"server": server.url, **({"certificate-authority": str(server.ca_file)} if trusted else {})}
    config = {
        "current-context": name,
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "clusters": [{"name": name, "cluster": cluster}],
        "users": [{"name": name, "user": {"token": token}}],
    }
    Path(os.environ["KUBECONFIG"]).write_text(json.dumps(config), encoding="utf-8")
