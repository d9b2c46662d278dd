"""A snapshot: the live facts of one moment in a file, with their gaps, to be judged again anywhere, by any later rule.

It holds no value of an environment variable and no line of a ConfigMap beyond those that rules look at.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from functools import cache, partial
from pathlib import Path
from typing import Any

import eks6check
from eks6check.errors import UsageError
from eks6check.facts import SECTIONS, Facts, Gap, Origin, Section, aws
from eks6check.facts.kinds import FILES_ONLY
from eks6check.facts.kube import Resource, containers, mapping, text
from eks6check.facts.mentions import GUARD
from eks6check.facts.unparsed import SEALED, by_reader
from eks6check.facts.user_data import parts
from eks6check.findings import Target
from eks6check.sources import Collector, Collectors
from eks6check.sources.configurations import pruned

SCHEMA = "eks6check/snapshot/v1"

LOOKED_AT = re.compile(r"\d+\.\d+\.\d+\.\d+|[0-9A-Fa-f]*::[0-9A-Fa-f]*|:ipv4_|(?i:\bipv6\b)")
"""What rules look for in free text: addresses of either family, and the endpoint mode that asks for IPv6."""

SWITCH = re.compile(r"^(true|false)$", re.IGNORECASE)
"""A setting of a ConfigMap that is on or off, such as ``use-proxy-protocol``."""

JOINED = re.compile(
    r"\$[({]?[\w.:]+(:?-[^{}$]*)?[)}]?[\"']?(:[\"']?[\d$]|\]:?)|^\$\(\w+\)$|\bhostname\s+-|\bip\s+-|\bifconfig\b|"
    r"\binet6?\b|\{1,3|(\[0-9\]|\\d|digit:\]\]).*\.|%%:\*|-[dF]\s*[\"']?[:.]|\.split\(|//\\?\.|\|\s*(tr|sed)\s.{0,80}\.|"
    r"\beks\b.*\bamazonaws\b|\bapi\\?\.aws\b"
)
"""How an address and a port are put together or taken apart, and the names of EKS endpoints."""

LOOKED_UP = re.compile(
    r"\.svc\b|\b(proxy|grpc|fastcgi|uwsgi)_pass\b|\b(curl|wget|nc|ping|getent|dig|host|nslookup)\b.*"
    r"(-4|v4|-t|-q|-inet4)|\bdig\s|\bdns-lookup-family\b|\bdns_order\b"
)
"""Who asks for names in the cluster, and programs that ask for IPv4 alone."""

NAMES = re.compile(r"^\s*[\"']?[\w.-]+[\"']?\s*[:=]\s*[\[{(]?\s*$")
"""A key with nothing behind it, which names the list below it; what such a list is for decides over its addresses."""

MARKS = re.compile(
    r"<!--|-->|\"panels\"\s*:|\"pluginVersion\"\s*:|openAPIV3Schema|last-applied-configuration|\\$|"
    r"\binet6_t(?:cp|ls)\b|^\s*cluster_formation\."
)
"""What tells of a comment, a dashboard, a schema or one long line around an address, and how nodes of RabbitMQ meet.

It is kept without the line that it stands in, which may hold a token or a cookie.
"""

VARIABLES = re.compile(
    r"^(EXTERNAL_DNS_(PROVIDER|(EXCLUDE|MANAGED)_RECORD_TYPES)|KONG_(DNS_ORDER|PG_HOST)|QUEUE_BULL_REDIS_(HOST|DUALSTACK)|"
    r"REDIS_(HOST|IP_FAMILY)|FELIX_IPV6SUPPORT|MODE|PILOT_ENABLE_AMBIENT|NO_PROXY|no_proxy|"
    r"ISTIO_(DUAL_STACK|ENABLE_IPV4_OUTBOUND_LISTENER_FOR_IPV6_CLUSTERS))$"
)
"""Variables that rules know by name: families, record types, roles, hosts that are asked for, what no proxy is for."""

LISTENING = re.compile(
    r"\b(?:preferIPv4Stack|disable_ipv6|listen)\b|^\s*(?:http|server|stream)\s*$|^\s*include\s|\{\s*$|^\s*\}\s*$|^\s*bind\s|"
    r"^\s*(?:-\s+)?[\"']?host(?:no)?(?:ssl|gssenc)?\s|\bpg_hba\b|\bserver\s*\{|^\s*server\.[\w-]+\s*=|"
    r"^\s*[\w-]*(?:http|socket)\s*=|^\s*(?:source_labels|regex|replacement|target_label|action)\s*=",
    re.IGNORECASE,
)
"""What programs are told to listen on, the braces around it, whom PostgreSQL admits, and how Alloy relabels."""

OPTIONS = re.compile(r"\binet6_t(?:cp|ls)\b|-Djava\.net\.preferIPv4Stack\s*=\s*\w+|(?:-b|--bind)[= ]\s*[\w.:\[\]]+")
"""What is kept of a variable that holds more options than rules look at."""

BOOT = re.compile(
    r"bootstrap\.sh|--[a-z]|\bmax-?pods|\b(cluster-?)?dns|cidr|\[settings|\b(cluster-name|api-server|standalone-mode)\b|"
    r"^\s*(-\s+)?(apiVersion|kind|spec|cluster|kubelet|config|flags|metadata|name)\s*:|^---|\\$",
    re.IGNORECASE,
)
"""What rules look for in user data besides: how a node is told its cluster, family, name server and maximum of pods."""

PARTS_OF_THE_CLUSTER = frozenset(
    {"amazon-vpc-cni", "cilium-config", "coredns", "coredns-custom", "kube-proxy-config", "node-local-dns"}
)
"""ConfigMaps of the cluster's own network, which rules read whole: settings, and nothing that somebody entrusted."""

LEFT_OUT = "(left out of the snapshot)"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A snapshot as read: its target, the sources it was taken of, and its facts."""

    target: Target
    sources: tuple[str, ...]
    facts: Facts

    def target_of(self, facts: Facts) -> Target:
        """The target as it was written down, whatever else the run has read."""
        del facts
        return self.target


@cache
def _adapter(section: str) -> Any:
    from pydantic import TypeAdapter  # noqa: PLC0415  a third of a second, and only for snapshots

    records: Any = tuple.__class_getitem__((getattr(aws, SECTIONS[section]), ...))
    return TypeAdapter(records)


@cache
def _head_adapter() -> Any:
    from pydantic import TypeAdapter  # noqa: PLC0415  likewise

    return TypeAdapter(Target), TypeAdapter(tuple[Gap, ...])


def dumps(facts: Facts, target: Target, sources: tuple[str, ...]) -> str:
    """The snapshot's text: JSON, the same for the same facts."""
    target_adapter, gaps_adapter = _head_adapter()
    sections = {
        name: {"items": _dump_items(name, section), "gaps": gaps_adapter.dump_python(section.gaps, mode="json")}
        for name, section in sorted(facts.items())
    }
    head = {
        "schema": SCHEMA,
        "tool": {"name": "eks6check", "version": eks6check.__version__},
        "target": target_adapter.dump_python(target, mode="json"),
        "sources": list(sources),
    }
    return json.dumps({**head, "sections": sections}, indent=1) + "\n"


def _dump_items(name: str, section: Section[Any]) -> Any:
    if SECTIONS[name] == "Resource":
        return [seal(resource.body) for resource in section.items]
    items = map(seal_template, section.items) if name == "launch_templates" else section.items
    return _adapter(name).dump_python(tuple(items), mode="json", exclude_defaults=True)


def read(path: Path) -> Snapshot:
    """The snapshot in a file.

    Raises:
        UsageError: there is no such file, or it is no snapshot that this release can read.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"The snapshot {path} cannot be read: {error.strerror}.", "Check the path.") from error
    except ValueError as error:
        raise UsageError(f"{path} is not a snapshot: it is not JSON.", "`eks6check snapshot` writes one.") from error
    if not isinstance(content, dict) or content.get("schema") != SCHEMA:
        found = mapping(content).get("schema") or "no schema"
        raise UsageError(f"{path} says {found!r}, and this release reads {SCHEMA}.", "Take a new snapshot with it.")
    try:
        return _parse(content)
    except (KeyError, TypeError, ValueError) as error:
        raise UsageError(f"{path} is damaged: {_first_line(error)}.", "Take a new snapshot.") from error


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]


def _parse(content: Mapping[str, Any]) -> Snapshot:
    target_adapter, gaps_adapter = _head_adapter()
    facts = {
        name: Section(_load_items(name, section["items"]), gaps_adapter.validate_python(section["gaps"]))
        for name, section in content["sections"].items()
        if name in SECTIONS
    }
    return Snapshot(target_adapter.validate_python(content["target"]), tuple(content["sources"]), facts)


def _load_items(name: str, items: Any) -> tuple[Any, ...]:
    if SECTIONS[name] != "Resource":
        loaded: tuple[Any, ...] = _adapter(name).validate_python(items)
        return loaded
    resources = [Resource(body) for body in items if isinstance(body, dict)]
    return tuple(replace(each, origin=Origin("cluster", id=each.subject.id)) for each in resources)


def collectors(taken: Snapshot) -> Collectors:
    """A collector for every section that the snapshot's sources give. What it does not hold is a gap, no absence."""
    return tuple(
        Collector(name, partial(_held, name), (), ())
        for name, kind in SECTIONS.items()
        if name not in FILES_ONLY and ("cluster" if kind == "Resource" else "aws") in taken.sources
    )


def _held(name: str, taken: Snapshot) -> Iterator[Any]:
    if name not in taken.facts:
        yield Gap("read", f"The snapshot does not hold {name}.", "Take a new snapshot with this release.")
        return
    yield from taken.facts[name].items
    yield from taken.facts[name].gaps


def seal(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """The same object without what no rule looks at: values of the environment, and lines of ConfigMaps."""
    if body.get("kind") == "ConfigMap" and Resource(body).name in PARTS_OF_THE_CLUSTER:
        return body
    if body.get("kind") == "ConfigMap":
        data = {key: _seal_configuration(value) for key, value in mapping(body.get("data")).items()}
        told = {} if data == body.get("data") else {SEALED: by_reader(Resource(body))}
        return {**body, "data": data, "binaryData": {}, **told}
    sealed: Mapping[str, Any] = json.loads(json.dumps(body))
    for container in containers(Resource(sealed)):
        for variable in container.body.get("env") or ():
            if isinstance(variable, dict) and variable.get("value") and not _kept(container.name, variable):
                variable["value"] = " ".join(OPTIONS.findall(str(variable["value"]))) or LEFT_OUT
    return sealed


def _seal_configuration(value: object) -> str:
    kept = (LOOKED_AT, JOINED, SWITCH, LOOKED_UP, LISTENING)
    of_a_program = pruned(text(value), lambda word: any(each.search(word) for each in kept))
    return _seal_text(value, *kept, NAMES) if of_a_program is None else of_a_program


def _kept(container: str, variable: Mapping[str, Any]) -> bool:
    value = str(variable["value"])
    if VARIABLES.match(str(variable.get("name"))):
        return True
    return container.startswith("aws-") or bool(LOOKED_AT.search(value) or JOINED.search(value))


def seal_template(template: aws.LaunchTemplate) -> aws.LaunchTemplate:
    """The same template without the lines of user data that no rule looks at; each part of a MIME message by itself."""
    if not template.user_data:
        return template
    sealed = [_seal_text(part, BOOT) for part in parts(template.user_data)]
    if len(sealed) == 1:
        return replace(template, user_data=sealed[0] or "\n")  # an empty one stands for what is no text
    message = MIMEMultipart()
    for part in sealed:
        message.attach(MIMEText(part))
    return replace(template, user_data=message.as_string())


def _seal_text(value: object, *more: re.Pattern[str]) -> str:
    kept = (LOOKED_AT, *more)
    return "\n".join(
        line if any(each.search(line) for each in kept) else _marks(line) for line in text(value).split("\n")
    )


def _marks(line: str) -> str:
    """What remains of any other line: words that say what the addresses around it are for."""
    return " ".join(word[0] for marks in (GUARD, MARKS) for word in marks.finditer(line))
