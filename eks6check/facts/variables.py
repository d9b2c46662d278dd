"""Addresses that arrive in variables: from the downward API, or from the variables that kubelet makes of Services.

Written before a colon and a port, such an address needs brackets as soon as it is IPv6.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from itertools import islice
from typing import NamedTuple

from eks6check.facts.kube import Resource, mapping, pod_spec, sequence, text
from eks6check.facts.mentions import COMMENT, line_before
from eks6check.facts.patterns import regex
from eks6check.facts.texts import Text, from_fields

ADDRESS_FIELDS = frozenset({"status.podIP", "status.podIPs", "status.hostIP", "status.hostIPs"})
"""The fields of the downward API that are addresses."""

USUAL_NAMES = frozenset({"POD_IP", "MY_POD_IP", "HOST_IP", "MY_HOST_IP", "NODE_IP", "K8S_POD_IP", "K8S_NODE_IP"})
"""What such variables are called where nothing in view says what fills them."""

JOINED = regex(
    r"""
    (?<![\[$\\])
    (?P<whole> \$ (?:
        \( (?P<kubernetes>\w+) \)
        | \{ (?:process\.)? (?:env[:.])? (?P<braced>\w+) (?: :?-[^{}\n]* )? \}
        | (?P<shell>\w+)
    ))
    ["']? : ["']?
    (?: \d+ | \$[({]?[\w:.\-]+[)}]? | \$\(\([^)\n]*\)\) )
    """,
    re.VERBOSE,
)
"""A variable, a colon and a port. ``[$(X)]:80``, ``$$(X):80``, ``${X:-default}`` and ``key: $(X)`` are none of it."""

MOST = 200
"""How many places of one text are looked at."""

PRINTED = regex(r"\b(?:echo|printf)\b[^>|]*$")
"""What comes before a text that is only shown; with a redirection or a pipe it is made use of."""

IN_URL = regex(r"://[^\s\"']*$")
"""What comes before the host of a URL."""


class Joined(NamedTuple):
    """A variable and a port with no brackets around the address: where, the variable, and whether in a URL.

    ``find`` is the text, behind ``skip`` others of it; ``instead`` is the same with brackets.
    """

    text: Text
    variable: str
    find: str
    skip: int
    instead: str
    url: bool


def joined(each: Text, wanted: Callable[[str], bool]) -> Iterator[Joined]:
    """Every wanted variable with a port behind it.

    Comments and messages are left out, and so are texts that know the bracketed form too.
    """

    @cache
    def lacks_brackets(variable: str, port: str) -> bool:
        return wanted(variable) and not _bracketed(variable, port, each.value)

    for match in islice(JOINED.finditer(each.value), MOST) if "$" in each.value else ():
        variable = match["kubernetes"] or match["braced"] or match["shell"]
        behind = match[0].removeprefix(match["whole"])
        if lacks_brackets(variable, behind.strip("\"'")) and not _is_shown(each.value, match):
            skip = each.value.count(match[0], 0, match.start())
            in_url = IN_URL.search(line_before(each.value, match.start())) is not None
            yield Joined(each, variable, match[0], skip, f"[{match['whole']}]{behind}", in_url)


def _is_shown(value: str, match: re.Match[str]) -> bool:
    """Whether a match is part of a comment, or of a message that no file and no program is given."""
    before, after = line_before(value, match.start()), value[match.end() :].partition("\n")[0]
    printed = PRINTED.search(before) and not re.search(r"[>|]", after)
    return bool(printed or COMMENT.search(before))


def _bracketed(variable: str, port: str, value: str) -> bool:
    """Whether a text writes brackets around this variable alone, or before this port, and so tells families apart."""
    inside = rf"\[[\"']?\$[({{]?(?:env[:.])?{re.escape(variable)}[)}}]?[\"']?\]"
    return re.search(rf"{inside}(?:[^:]|$|{re.escape(port)}(?!\w))", value) is not None


class Environment(NamedTuple):
    """What fills the variables of a pod: those that hold an address, with its field, and all others that are set."""

    addresses: Mapping[str, str] = {}
    others: frozenset[str] = frozenset()


def together(environments: Iterable[Environment]) -> Environment:
    """What fills the variables of a text that several pods are given; one that is an address in any is one."""
    known = list(environments)
    addresses = {name: field for each in known for name, field in each.addresses.items()}
    return Environment(addresses, frozenset(name for each in known for name in each.others if name not in addresses))


def environment(resource: Resource) -> Environment:
    """The variables of all containers of a pod. One that is nothing but ``$(POD_IP)`` holds an address as well.

    The OpenTelemetry operator takes them beside the configuration, in the spec of its own object.
    """
    _, spec = pod_spec(resource)
    addresses: dict[str, str] = {}
    others: set[str] = set()
    for container in (*sequence(spec.get("initContainers")), *sequence(spec.get("containers")), resource.get("spec")):
        fields = {name: field for name, field in from_fields(container).items() if field in ADDRESS_FIELDS}
        addresses |= fields
        for variable in map(mapping, sequence(mapping(container).get("env"))):
            name, value = text(variable.get("name")), text(variable.get("value"))
            source = value[2:-1] if value.startswith("$(") and value.endswith(")") else ""
            if source in addresses:
                addresses[name] = addresses[source]
            elif name not in fields:
                others.add(name)
    return Environment(addresses, frozenset(others - addresses.keys()))
