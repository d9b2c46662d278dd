"""NetworkPolicies in few words."""

from __future__ import annotations

from typing import Any


def policy(name: str = "web", namespace: str = "shop", **spec: Any) -> dict[str, Any]:
    """A policy for all pods of a namespace, with these fields of its ``spec``."""
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"podSelector": {}, **spec},
    }


def blocks(*cidrs: str) -> list[dict[str, Any]]:
    """A list of peers that are blocks."""
    return [{"ipBlock": {"cidr": cidr}} for cidr in cidrs]


def tcp(*ports: Any) -> list[dict[str, Any]]:
    """A list of TCP ports."""
    return [{"protocol": "TCP", "port": port} for port in ports]
