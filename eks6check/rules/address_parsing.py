"""Scripts that take an address apart, or ask for one, as if it could be IPv4 alone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from eks6check.catalog import rule
from eks6check.facts import Path
from eks6check.facts.kube import Resource, on_host_network
from eks6check.facts.mentions import COMMENT, line_before
from eks6check.facts.mounts import readers
from eks6check.facts.patterns import regex
from eks6check.facts.texts import Text, texts
from eks6check.findings import Problem


class Trick(NamedTuple):
    """A way to come by an address that knows IPv4 alone: the pattern, and what comes of it in an IPv6 pod.

    ``own`` says that it asks for the pod's own address, of which a pod in the node's network has one in IPv4.
    """

    pattern: re.Pattern[str]
    outcome: str
    own: bool = True


DIGITS = r"(?:\[0-9\]|\\d|\[\[:digit:\]\])(?:[+*]|\\?\{1,3\\?\})?"
DOT = r"(?:\\{1,2}\.|\[\.\]|\.)"
ADDRESS_NAME = r"(?:\w*_)?(?:ip|ips|addr|address|host_?ip|pod_?ip|peer|peers)(?:_\w*)?"

TRICKS = (
    Trick(
        regex(r"\bhostname\s+(?:-i\b|--ip-address\b)"),
        "busybox answers in IPv4 alone and fails, and others give an IPv6 address",
    ),
    Trick(
        regex(r"\bhostname\s+(?:-I\b|--all-ip-addresses\b)"),
        "it lists 169.254.172.0/22 addresses too, at which nobody reaches the pod",
    ),
    Trick(
        regex(r"\bip\s+(?:-\w+\s+)*-(?:4|f(?:amily)?\s+inet)\s+(?:-\w+\s+)*a(?:ddr(?:ess)?)?\b"),
        "it gives a 169.254.172.0/22 address, at which nobody reaches the pod",
    ),
    Trick(
        regex(r"\b(?:ifconfig|ip\s+(?:-\w+\s+)*a(?:ddr(?:ess)?)?)\b[^\n]{0,200}\b(?:inet addr|inet )"),
        "it gives a 169.254.172.0/22 address, at which nobody reaches the pod",
    ),
    Trick(
        regex(
            rf"(?:\b(?:e?grep|sed|awk)\b|\[\[[^\n]{{0,200}}=~)[^\n|]{{0,200}}"
            rf"(?:(?:{DIGITS}{DOT}|{DOT}{DIGITS})\\?\)\\?\{{3|(?:{DIGITS}{DOT}){{3}}{DIGITS})"
        ),
        "the pattern matches IPv4 alone, so that it finds nothing",
        own=False,
    ),
    Trick(
        regex(
            rf"\$\{{?{ADDRESS_NAME}\}}?[\"']?\s*\|\s*(?:cut\s+(?:-f\s*\d+\s+)?-d\s*[\"']?:|awk\s+-F\s*[\"']?[:.])"
            rf"|\$\{{{ADDRESS_NAME}%%:\*\}}"
            rf"|\bhostname\s+-[iI][^\n]{{0,200}}\|\s*(?:cut\s+-d\s*[\"']?[:.]|awk\s+-F\s*[\"']?[:.])"
            rf"|\b{ADDRESS_NAME}\.split\([\"']:[\"']\)\[0\]",
            re.IGNORECASE,
        ),
        "an IPv6 address is cut in its middle",
        own=False,
    ),
    Trick(
        regex(
            rf"\$\{{{ADDRESS_NAME}//\\?\./"
            rf"|\$\{{?{ADDRESS_NAME}\}}?[\"']?\s*\|\s*(?:tr\s+[\"']?\.[\"']?\s|sed\s+(?:-\w+\s+)?[\"']?s/(?:\\\.|\[\.\])/)",
            re.IGNORECASE,
        ),
        "the address has no dots to replace, and its colons stay in the name",
        own=False,
    ),
)

KNOWS_IPV6 = regex(
    r"(?<!-v )(?<!-v [\"'])\binet6\b|\bip\s+(?:-\w+\s+)*-6\b|\bgrep\s+(?:-\w+\s+)*[\"']?:[\"']?(?:\s|[;)]|$)|"
    r"\*[\"']?:[\"']?\*|=~\s*[\"']?:"
)
"""What a script that tells the families apart has somewhere."""

HINT = regex(r"hostname|\bip\s|ifconfig|inet|grep|sed|awk|=~|cut|%%:|split\(|//\\?\.|\btr\s")
"""What any of them holds: most texts have none of it."""


SHOWN = regex(r"\b(?:echo|printf)\s+(?:-\w+\s+)*[\"'][^|>]*$")
"""What comes before an answer that is part of a message."""


@rule
def address_parsed_as_ipv4(workloads: Sequence[Resource], config_maps: Sequence[Resource]) -> Iterator[Problem]:
    """What such a script hands on is a node-local address, half an address, or nothing."""
    reading = readers(workloads)
    for resource in (*workloads, *config_maps):
        users = reading.get((resource.namespace, resource.name), []) if resource.kind == "ConfigMap" else [resource]
        on_node = bool(users) and all(map(on_host_network, users))
        found = [each for text in texts(resource) for each in _tricks(text, on_node=on_node)]
        if found:
            (text, seen, skip, outcome), *more = found
            yield Problem(
                resource,
                f"{resource} runs `{seen.strip()}` in {text.where}: in an IPv6 pod {outcome}"
                f"{f' (and {len(more)} more of the kind)' if more else ''}.",
                at=text.path,
                find=seen,
                skip=skip,
                evidence={"found": list(dict.fromkeys(each[1] for each in found)), "in": text.where},
                also=_also(resource, text.path, [each[0].path for each in more]),
            )


def _tricks(text: Text, *, on_node: bool) -> Iterator[tuple[Text, str, int, str]]:
    """The first trick of each kind in a text, with the places of the same words to pass over."""
    if not HINT.search(text.value) or KNOWS_IPV6.search(text.value):
        return
    for trick in TRICKS:
        if trick.own and on_node:
            continue
        for match in trick.pattern.finditer(text.value):
            before = line_before(text.value, match.start())
            shown = trick.own and SHOWN.search(before) and ">" not in text.value[match.end() :].partition("\n")[0]
            if not shown and not COMMENT.search(before):
                yield text, match[0], text.value.count(match[0], 0, match.start()), trick.outcome
                break


def _also(resource: Resource, first: Path, paths: Sequence[Path]) -> tuple[tuple[Resource, Path], ...]:
    return tuple((resource, path) for path in dict.fromkeys(paths) if path != first)
