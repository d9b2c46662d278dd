"""Views on user data: in which IP family it boots a node, and which name server it gives kubelet.

The family follows from what the images themselves do: AL2's ``bootstrap.sh`` (read at v20251217), nodeadm, and
Bottlerocket's pluto, all read on 2026-11-22.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from eks6check.facts.kube import mapping, sequence, text
from eks6check.facts.patterns import regex
from eks6check.facts.user_data import bottlerocket_settings, cluster_cidr, node_configs, parts, told

IPV4 = regex(r"[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?:/[0-9]{1,2})?")
NODE_IP = regex(r"--node-ip[= ]+[\"']?([0-9]{1,3}(?:\.[0-9]{1,3}){3})")
CLUSTER_DNS = regex(r"--(?:cluster-dns|dns-cluster-ip)[= ]+[\"']?([^\s\"',}\]]+)")
CALL = regex(r"/etc/eks/bootstrap\.sh\b([^\n;&|]*)")
WORD = regex(r"(?:'[^']*'|\"[^\"]*\"|[^\s'\"])+")


class Boot(NamedTuple):
    """Why user data boots an IPv4 node: the image's tool that reads it, a reason in words, and the text to look at."""

    tool: str
    reason: str
    find: str = ""


def ipv4_boot(user_data: str) -> Boot | None:
    """Why user data boots an IPv4 node, or None where it does not, or nobody can tell."""
    cidr = cluster_cidr(user_data)
    if IPV4.fullmatch(cidr):
        return Boot("nodeadm", f"nodeadm takes the family from spec.cluster.cidr, which is {cidr}", cidr)
    calls = [flags for part in parts(user_data) for flags in bootstrap_calls(part)]
    reasons = [_al2(flags) for flags in calls]
    if reasons and all(reasons):
        return Boot("al2", reasons[0], "/etc/eks/bootstrap.sh")
    if found := NODE_IP.search(_script(user_data)):
        return Boot("al2" if calls else "nodeadm", f"kubelet is told --node-ip {found[1]}", found[1])
    return _bottlerocket(mapping(bottlerocket_settings(user_data).get("kubernetes")))


def bootstrap_calls(part: str) -> Iterator[Mapping[str, str]]:
    """The flags of each call of AL2's ``bootstrap.sh``; a word that may stand for more flags is one of its own."""
    for call in CALL.finditer(told(part)):
        flags: dict[str, str] = {}
        plain: list[str] = []
        words = (word.strip("\"'") for word in WORD.findall(call[1]))
        for word in words:
            if word.startswith("--"):
                name, assigned, value = word.partition("=")
                flags[name] = value if assigned else next(words, "")
            else:
                plain.append(word)
        yield flags | {word: "" for word in plain[1:] if word.startswith(("$", "`"))}


def _al2(flags: Mapping[str, str]) -> str:
    """Why this call boots IPv4. Without endpoint and CA the script asks EKS for the family, and needs no flag."""
    family = flags.get("--ip-family", "").lower()
    asks_nobody = {"--apiserver-endpoint", "--b64-cluster-ca"} <= flags.keys()
    open_ended = any(not name.startswith("--") for name in flags)
    if family == "ipv4":
        return "bootstrap.sh is told --ip-family ipv4"
    if not asks_nobody or open_ended or "--service-ipv6-cidr" in flags:
        return ""
    if "--ip-family" not in flags:
        return "bootstrap.sh is given endpoint and CA but no --ip-family ipv6, and so asks nobody for the family"
    lacking = family == "ipv6" and "--dns-cluster-ip" not in flags
    return "bootstrap.sh is told --ip-family ipv6 without --service-ipv6-cidr, and stops" if lacking else ""


def _bottlerocket(kubernetes: Mapping[str, Any]) -> Boot | None:
    own = {"cluster-name", "api-server"} & kubernetes.keys() and kubernetes.get("standalone-mode") is not True
    if not own or "cluster-dns-ip" in kubernetes:
        return None
    reason = "Bottlerocket takes the family from settings.kubernetes.cluster-dns-ip, and without one from IPv4"
    return Boot("bottlerocket", reason, "settings.kubernetes")


def _script(user_data: str) -> str:
    return "\n".join(told(part) for part in parts(user_data))


def cluster_dns(user_data: str) -> str:
    """The first name server that user data gives kubelet; empty where it leaves that to the image."""
    kubernetes = mapping(bottlerocket_settings(user_data).get("kubernetes"))
    told_kubelet = [
        mapping(mapping(mapping(document.get("spec")).get("kubelet")).get("config")).get("clusterDNS")
        for document in reversed(list(node_configs(user_data)))
    ]
    for value in (kubernetes.get("cluster-dns-ip"), *told_kubelet):
        if found := text(value) or next(filter(None, map(text, sequence(value))), ""):
            return found
    flag = CLUSTER_DNS.search(_script(user_data))
    return flag[1] if flag else ""


def is_ipv4(address: str) -> bool:
    """Whether this is an IPv4 address or block, by its looks."""
    return IPV4.fullmatch(address) is not None
