"""Who asks the name server for A records alone: commands, scripts, nginx, Envoy, and programs by their settings."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from eks6check.facts import Path, envoy
from eks6check.facts.config_maps import entries
from eks6check.facts.kube import Container, Resource, containers, mapping, pod_spec, sequence, text
from eks6check.facts.mentions import COMMENT, hits
from eks6check.facts.patterns import regex
from eks6check.facts.versions import repository

REST = r"[^|;&\n]*"
CLIENT = regex(
    rf"""
    \b (?:
        curl\b {REST}? \s (?: -[a-zA-Z]*4[a-zA-Z]* | --ipv4 ) (?=\s)
        | (?: wget | nc | ncat | ping ) \b {REST}? \s (?: -4 | --inet4-only ) (?=\s)
        | getent \s+ ahostsv4\b
        | nslookup \s+ - (?: (?:query)?type | q(?:uery)? ) = [aA]\b
        | host \s {REST}? -t \s+ [aA]\b
        | dig \s (?! {REST}? \s?
            (?i: aaaa | any | axfr | cname | mx | ns | ptr | soa | srv | txt | -x | -6 | -t \s+ (?!a\b) ) \b )
    ) {REST}
    """,
    re.VERBOSE,
)
"""A command that asks for IPv4 alone, up to its end. ``dig`` does unless it is told another type."""

QUICK = regex(r"\s-[a-zA-Z]*4\s|ipv4\b|inet4|ahostsv4|-q\w*=[aA]\b|type=[aA]\b|-t\s+[aA]\b|\bdig\s")
"""What all of these have in them, found many times faster."""

HOST = regex(r"(?<![\w.@-])[a-z0-9][\w-]*(?:\.[\w-]+)*\.?(?=[:/\s\"')]|$)")
RESOLVER = regex(r"\bresolver\s[^;#\n]*\bipv6=off\b")
PASS_TO_VARIABLE = regex(r"\b(?:proxy|grpc|fastcgi|uwsgi)_pass\s[^;#\n]*\$")
IN_CLUSTER = regex(r"[\w-]\.svc\b")
SETTINGS = {
    "Contour": regex(r"\bdns-lookup-family:\s*[\"']?v4\b"),
    "Kong": regex(r"^[^\S\n]*dns_order\s*=(?!.*AAAA).*\bA\b.*", re.MULTILINE),
}
"""Lines of configuration files that have a program ask for A records, for whichever host."""

FAMILY, HOST_OF_FAMILY = "REDIS_IP_FAMILY", "REDIS_HOST"
"""OneUptime's, which it hands to its client of Redis (OneUptime/oneuptime#1348)."""

N8N_REDIS, N8N_BOTH = "QUEUE_BULL_REDIS_HOST", "QUEUE_BULL_REDIS_DUALSTACK"
"""n8n's client of Redis asks for A records unless the second is true, from 1.79 on (n8n-io/n8n#13117)."""

KONG_ORDER, KONG_DATABASE = "KONG_DNS_ORDER", "KONG_PG_HOST"
"""The record types that Kong asks for, one after the other, and a host that it asks for."""


@dataclass(frozen=True, slots=True)
class Names:
    """The names of Services as one namespace knows them."""

    services: frozenset[tuple[str, str]]
    namespace: str

    def inside(self, host: str) -> bool:
        """Whether a host is a Service: by its name ending, or as one that is in view."""
        host = host.rstrip(".")
        name, _, namespace = host.partition(".")
        return bool(IN_CLUSTER.search(host)) or (namespace or self.namespace, name) in self.services


def names(services: Iterable[Resource]) -> frozenset[tuple[str, str]]:
    """The namespace and name of each Service."""
    return frozenset((each.namespace, each.name) for each in services)


class Lookup(NamedTuple):
    """A client that asks for A records: where, what kind of client, what it is in words, and the Service it asks for.

    ``inside`` says whether it asks for Services at all, known by name or not.
    """

    path: Path
    kind: str
    what: str
    host: str
    inside: bool
    find: str = ""
    skip: int = 0


def in_workload(workload: Resource, known: Names) -> Iterator[Lookup]:
    """The clients of a workload: commands, probes, programs, and the resolver's own option."""
    path, spec = pod_spec(workload)
    options = sequence(mapping(spec.get("dnsConfig")).get("options"))
    for index, option in enumerate(map(mapping, options)):
        if option.get("name") == "no-aaaa":
            at = (*path, "dnsConfig", "options", index, "name")
            yield Lookup(at, "resolver", "the resolver option no-aaaa", "", inside=True)
    for container in containers(workload):
        for words in _commands(container):
            yield from _command(words, known)
        yield from _program(container, known)


def _commands(container: Container) -> Iterator[list[tuple[Path, str]]]:
    """The words of each command of a container, with the path to each."""
    yield list(container.arguments())
    for _, words in container.hook_commands():
        yield words


def _command(words: list[tuple[Path, str]], known: Names) -> Iterator[Lookup]:
    starts, whole = [], ""
    for path, word in words:
        starts.append((len(whole), path))
        whole += f"{word} "
    for match in CLIENT.finditer(whole) if QUICK.search(whole) else ():
        said, before = match[0].strip(), whole[: match.start()].rpartition("\n")[2]
        host = _service(said, known)
        if host and not COMMENT.search(before):
            at = [path for start, path in starts if start <= match.start()][-1]
            yield Lookup(at, f"{said.partition(' ')[0]} {host}", f"`{said}`", host, inside=True)


def _service(command: str, known: Names) -> str:
    """The first Service among the words behind a command's name."""
    return next(filter(known.inside, HOST.findall(command.partition(" ")[2])), "")


def _program(container: Container, known: Names) -> Iterator[Lookup]:
    """n8n, OneUptime and Kong, as their variables have them ask."""
    paths = {name: path for path, name, _ in container.env()}
    env = defaultdict(str, {name: value for _, name, value in container.env()})
    host = env[N8N_REDIS]
    if repository(container.image) == "n8n" and known.inside(host) and env[N8N_BOTH].lower() != "true":
        yield Lookup(paths[N8N_REDIS], "n8n", f"n8n without {N8N_BOTH}", host, inside=True)
    host = env[HOST_OF_FAMILY]
    if env[FAMILY] == "4" and known.inside(host):
        yield Lookup(paths[FAMILY], "redis", f"{FAMILY}=4", host, inside=True)
    host, order = env[KONG_DATABASE], env[KONG_ORDER]
    if "AAAA" not in order.upper() and re.search(r"\bA\b", order.upper()):
        yield Lookup(paths[KONG_ORDER], "kong", f"Kong with {KONG_ORDER}={order}", host, known.inside(host))


def in_config_map(config_map: Resource, known: Names) -> Iterator[Lookup]:
    """The clients in the texts of a ConfigMap: nginx, scripts, and Envoy."""
    for key, _, value in entries(config_map):
        yield from _nginx(key, value)
        yield from _settings(key, value)
        yield from _script(key, value, known)
    yield from _envoy(config_map, known)


def _settings(key: str, value: str) -> Iterator[Lookup]:
    """The first line of each kind of setting."""
    for program, setting in SETTINGS.items():
        for hit in islice(hits(value, setting), 1):
            said = hit.match[0].strip()
            what = f"`{said}` of {program}"
            yield Lookup(("data", key), f"{key} {program}", what, "", inside=False, find=said, skip=hit.skip)


def _script(key: str, value: str, known: Names) -> Iterator[Lookup]:
    for hit in hits(value, CLIENT) if QUICK.search(value) else ():
        said = hit.match[0].strip()
        if host := _service(said, known):
            yield Lookup(("data", key), f"{key} script", f"`{said}`", host, inside=True, find=said, skip=hit.skip)


def _envoy(config_map: Resource, known: Names) -> Iterator[Lookup]:
    """One for each file: the first cluster with V4_ONLY that asks for a Service, or else the first of all."""
    found: dict[Path, list[tuple[str, envoy.Lookup]]] = {}
    for each in envoy.lookups(config_map):
        if each.family == "V4_ONLY":
            found.setdefault(each.source.path, []).append((next(filter(known.inside, each.hosts), ""), each))
    for path, asking in found.items():
        host, first = max(asking, key=lambda pair: bool(pair[0]))
        more = f" and {len(asking) - 1} more" if asking[1:] else ""
        what, skip = f"Envoy's cluster {first.name}{more} with V4_ONLY", first.source.skip(first.family)
        yield Lookup(path, f"{path[-1]} Envoy", what, host, bool(host), first.family, skip)


def _nginx(key: str, value: str) -> Iterator[Lookup]:
    """The first resolver without IPv6; it matters where nginx looks a Service up anew, for a name in a variable."""
    for hit in islice(hits(value, RESOLVER), 1):
        inside = any(hits(value, PASS_TO_VARIABLE)) and any(hits(value, IN_CLUSTER))
        yield Lookup(("data", key), f"{key} nginx", f"nginx with `{hit.match[0]}`", "", inside, hit.match[0], hit.skip)


def nameservers(workload: Resource) -> Iterator[tuple[Path, str]]:
    """The name servers that a pod spec names, with the path to each."""
    path, spec = pod_spec(workload)
    for index, address in enumerate(sequence(mapping(spec.get("dnsConfig")).get("nameservers"))):
        yield (*path, "dnsConfig", "nameservers", index), text(address)
