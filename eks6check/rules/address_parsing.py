"""Scripts that take an address apart, or ask for one, as if it could be IPv4 alone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from eks6check.catalog import rule
from eks6check.facts import elsewhere
from eks6check.facts.addresses import GENERATED
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
            rf"""
            (?: \b(?:e?grep|sed|awk)\b | \[\[[^\n]{{0,200}}=~ ) [^\n|]{{0,200}}
            (?: (?: {DIGITS}{DOT} | {DOT}{DIGITS} ) \\?\)\\?\{{3 | (?: {DIGITS}{DOT} ){{3}} {DIGITS} )
            """,
            re.VERBOSE,
        ),
        "the pattern matches IPv4 alone, so that it finds nothing",
        own=False,
    ),
    Trick(
        regex(
            rf"""
            \$\{{?{ADDRESS_NAME}\}}?["']? \s*\|\s* (?: cut\s+(?:-f\s*\d+\s+)?-d\s*["']?: | awk\s+-F\s*["']?[:.] )
            | \$\{{{ADDRESS_NAME}%%:\*\}}
            | \bhostname\s+-[iI] [^\n]{{0,200}} \|\s* (?: cut\s+-d\s*["']?[:.] | awk\s+-F\s*["']?[:.] )
            | \b{ADDRESS_NAME}\.split\(["']:["']\)\[0\]
            """,
            re.IGNORECASE | re.VERBOSE,
        ),
        "an IPv6 address is cut in its middle",
        own=False,
    ),
    Trick(
        regex(
            rf"""
            \$\{{{ADDRESS_NAME}//\\?\./
            | \$\{{?{ADDRESS_NAME}\}}?["']? \s*\|\s*
                (?: tr\s+["']?\.["']?\s | sed\s+(?:-\w+\s+)?["']?s/(?:\\\.|\[\.\])/ )
            """,
            re.IGNORECASE | re.VERBOSE,
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
            first = found[0]
            more = f" (and {len(found) - 1} more of the kind)" if found[1:] else ""
            yield Problem(
                resource,
                f"{resource} runs `{first.find.strip()}` in {first.text.where}: in an IPv6 pod {first.outcome}{more}.",
                at=first.text.path,
                find=first.find,
                skip=first.skip,
                evidence={"found": list(dict.fromkeys(each.find for each in found)), "in": first.text.where},
                also=elsewhere(resource, (each.text.path for each in found), first.text.path),
            )


class Found(NamedTuple):
    """A trick in a text: the words of it, how many of the same stand before them, and what comes of it."""

    text: Text
    find: str
    skip: int
    outcome: str


def _tricks(text: Text, *, on_node: bool) -> Iterator[Found]:
    """The first trick of each kind in a text."""
    if not HINT.search(text.value) or GENERATED.search(text.value) or KNOWS_IPV6.search(text.value):
        return
    for trick in TRICKS:
        if trick.own and on_node:
            continue
        for match in trick.pattern.finditer(text.value):
            before = line_before(text.value, match.start())
            shown = trick.own and SHOWN.search(before) and ">" not in text.value[match.end() :].partition("\n")[0]
            if not shown and not COMMENT.search(before):
                yield Found(text, match[0], text.value.count(match[0], 0, match.start()), trick.outcome)
                break
