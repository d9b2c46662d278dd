"""What a snapshot keeps of configurations inside ConfigMaps that rules read as YAML: structure, and a few fields."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import yaml

MARKER = re.compile(
    r"socket_?address|relabel_configs|static_configs|ip_protocol_fallback|\bmemberlist|\blifecycler|\bkvstore|disableIPv6|linkerdVersion",
    re.IGNORECASE,
)
"""What a configuration of Envoy, Prometheus, its blackbox exporter, Loki and its kin, or Linkerd holds."""

FIELDS = frozenset(
    {"@type", "name", "address", "dns_lookup_family", "dnsLookupFamily"}
    | {"job_name", "source_labels", "target_label", "regex", "replacement", "action", "targets"}
    | {"preferred_ip_protocol", "ip_protocol_fallback"}
    | {"store", "instance_enable_ipv6", "enable_inet6", "bind_addr", "join_members", "instance_addr"}
    | {"disableIPv6", "linkerdVersion"}
)
"""The fields whose values rules read."""

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def pruned(value: str, looked_at: Callable[[str], bool]) -> str | None:
    """The configuration without the values of other fields, those that rules look for in any text aside.

    None for a text that is no such configuration, or does not parse.
    """
    if not MARKER.search(value):
        return None
    try:
        documents = [_prune(document, "", looked_at, {}) for document in yaml.load_all(value, Loader=LOADER)]
    except (yaml.YAMLError, RecursionError, ValueError, TypeError):
        return None
    return str(yaml.safe_dump_all(documents, sort_keys=False, width=10**6))


def _prune(value: Any, field: str, looked_at: Callable[[str], bool], known: dict[int, Any]) -> Any:
    """The value with null in place of what nobody reads. What an alias repeats is made once."""
    if id(value) in known:
        return known[id(value)]
    if isinstance(value, dict):
        made: Any = known.setdefault(id(value), {})
        made |= {key: _prune(item, str(key), looked_at, known) for key, item in value.items()}
        return made
    if isinstance(value, list):
        items = known.setdefault(id(value), [])
        items.extend(_prune(item, field, looked_at, known) for item in value)
        return items
    return value if field in FIELDS or looked_at(str(value)) else None
