"""Views on user data: what a node is told at its first boot, in the dialects that EKS images speak.

User data is text from a launch template or a Karpenter node class: a shell script, nodeadm's YAML, Bottlerocket's TOML,
or a MIME message with several of them. Any text is possible; what cannot be read yields nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from eks6check.facts.kube import mapping, sequence, text
from eks6check.facts.patterns import regex

MIME = regex(r"\A\s*(?:MIME-Version|Content-Type):", re.IGNORECASE)
KUBELET_FLAG = regex(r"--max-pods[= ]+[\"']?([^\s\"']+)")
WITHOUT_LIMIT = regex(r"--use-max-pods[= ]+[\"']?false")
KUBELET_FIELD = regex(r"\.?[\"']?maxPods[\"']?\s*[:=]\s*[\"']?([^\s\"',}]+)")
TOML_FIELD = regex(r"^\s*max-pods\s*=\s*[\"']?([^\s\"'#]+)", re.MULTILINE)

GZIP = b"\x1f\x8b"

UNPACKED_LIMIT = 1 << 20
"""Bytes that packed user data may unfold to. EC2 takes 16 KiB of it, packed or not."""

KUBELET_DEFAULT = 110
"""What kubelet takes where nobody tells it a maximum."""


class MaxPods(NamedTuple):
    """A maximum that user data sets; ``value`` is None where only the node can tell, as with a shell variable."""

    value: int | None


def parts(user_data: str) -> Iterator[str]:
    """The texts that user data consists of: the parts of a MIME message, or the whole."""
    if not MIME.match(user_data):
        yield user_data
        return
    import email  # noqa: PLC0415  costs more than the rest of a lint run, and few runs meet MIME

    for part in email.message_from_string(user_data.lstrip()).walk():
        body = part.get_payload(decode=True)
        if isinstance(body, bytes):
            yield _unpacked_or_not(body).decode("utf-8", "replace")


def unpacked(data: bytes) -> bytes:
    """The data out of gzip, where it was packed.

    Raises:
        zlib.error: it was packed, and is broken.
    """
    if not data.startswith(GZIP):
        return data
    import zlib  # noqa: PLC0415  likewise

    return zlib.decompressobj(wbits=zlib.MAX_WBITS | 16).decompress(data, UNPACKED_LIMIT)


def _unpacked_or_not(part: bytes) -> bytes:
    import zlib  # noqa: PLC0415  likewise

    try:
        return unpacked(part)
    except zlib.error:
        return b""


def told(part: str) -> str:
    """A script without its comment lines, and with the lines that a backslash continues in one."""
    lines = (line for line in part.splitlines() if not line.lstrip().startswith("#"))
    return "\n".join(lines).replace("\\\n", " ")


def node_configs(user_data: str) -> Iterator[Mapping[str, Any]]:
    """Each nodeadm ``NodeConfig``, in the order in which nodeadm merges them: a later one wins."""
    for part in parts(user_data):
        if "NodeConfig" in part:
            for document in _yaml(part):
                if mapping(document).get("kind") == "NodeConfig":
                    yield document


def _yaml(part: str) -> list[Any]:
    import yaml  # noqa: PLC0415  user data is rare on the path where every millisecond counts

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        return list(yaml.load_all(part, Loader=loader))
    except (yaml.YAMLError, ValueError, TypeError, RecursionError):
        return []


def cluster_cidr(user_data: str) -> str:
    """The service range that nodeadm is told, from which it takes the node's family; empty where it is told none."""
    cidrs = [text(mapping(mapping(each.get("spec")).get("cluster")).get("cidr")) for each in node_configs(user_data)]
    return next(filter(None, reversed(cidrs)), "")


def bottlerocket_settings(user_data: str) -> Mapping[str, Any]:
    """The ``[settings]`` table of Bottlerocket's TOML; empty where this is something else."""
    if "settings" not in user_data:
        return {}
    import tomllib  # noqa: PLC0415  likewise

    try:
        return mapping(tomllib.loads(user_data).get("settings"))
    except (tomllib.TOMLDecodeError, RecursionError):
        return {}


def max_pods(user_data: str) -> MaxPods | None:
    """The maximum of pods that user data gives kubelet, or None where it leaves that to the image's own formula."""
    kubernetes = mapping(bottlerocket_settings(user_data).get("kubernetes"))
    if "max-pods" in kubernetes:
        return MaxPods(_number(kubernetes["max-pods"]))
    for document in reversed(list(node_configs(user_data))):
        if found := _nodeadm(mapping(mapping(document.get("spec")).get("kubelet"))):
            return found
    for part in parts(user_data):
        if found := _script(part):
            return found
    return None


def _nodeadm(kubelet: Mapping[str, Any]) -> MaxPods | None:
    flags = " ".join(text(flag) for flag in sequence(kubelet.get("flags")))
    if found := KUBELET_FLAG.search(flags):
        return MaxPods(_number(found[1]))
    config = mapping(kubelet.get("config"))
    if config.get("maxPods") is not None:
        return MaxPods(_number(config["maxPods"]))
    return MaxPods(None) if kubelet.get("maxPodsExpression") else None


def _script(part: str) -> MaxPods | None:
    script = told(part)
    for pattern in (KUBELET_FLAG, KUBELET_FIELD, TOML_FIELD):
        if found := list(pattern.finditer(script)):
            return MaxPods(_number(found[-1][1]))
    if "max-pods-calculator" in script:
        return MaxPods(None)
    return MaxPods(KUBELET_DEFAULT) if WITHOUT_LIMIT.search(script) else None


def _number(value: object) -> int | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    return int(value) if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10 else None  # noqa: PLR2004  no count of pods has more digits
