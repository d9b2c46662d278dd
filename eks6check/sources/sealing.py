"""What a snapshot leaves out of what was read: values of variables, and lines of texts, that no rule looks at."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText
from typing import Any

from eks6check.facts import aws
from eks6check.facts.kube import Resource, containers, mapping, text
from eks6check.facts.mentions import GUARD
from eks6check.facts.unparsed import SEALED, by_reader
from eks6check.facts.user_data import parts
from eks6check.sources.configurations import pruned

LOOKED_AT = re.compile(r"\d+\.\d+\.\d+\.\d+|[0-9A-Fa-f]*::[0-9A-Fa-f]*|:ipv4_|(?i:\bipv6\b)")
"""What rules look for in free text: addresses of either family, and the endpoint mode that asks for IPv6."""

SWITCH = re.compile(r"^(true|false)$", re.IGNORECASE)
"""A setting of a ConfigMap that is on or off, such as ``use-proxy-protocol``."""

JOINED = re.compile(
    r"""
    \$[({]?[\w.:]+(:?-[^{}$]*)?[)}]?["']?(:["']?[\d$]|\]:?) | ^\$\(\w+\)$
    | \bhostname\s+- | \bip\s+- | \bifconfig\b | \binet6?\b
    | \{1,3 | (\[0-9\]|\\d|digit:\]\]).*\. | %%:\* | -[dF]\s*["']?[:.] | \.split\( | //\\?\. | \|\s*(tr|sed)\s.{0,80}\.
    | \beks\b.*\bamazonaws\b | \bapi\\?\.aws\b
    """,
    re.VERBOSE,
)
"""How an address and a port are put together or taken apart, and the names of EKS endpoints."""

LOOKED_UP = re.compile(
    r"""
    \.svc\b
    | \b(proxy|grpc|fastcgi|uwsgi)_pass\b
    | \b(curl|wget|nc|ping|getent|dig|host|nslookup)\b.*(-4|v4|-t|-q|-inet4) | \bdig\s
    | \bdns-lookup-family\b | \bdns_order\b
    """,
    re.VERBOSE,
)
"""Who asks for names in the cluster, and programs that ask for IPv4 alone."""

NAMES = re.compile(r"^\s*[\"']?[\w.-]+[\"']?\s*[:=]\s*[\[{(]?\s*$")
"""A key with nothing behind it, which names the list below it; what such a list is for decides over its addresses."""

MARKS = re.compile(
    r"""
    <!-- | -->
    | "panels"\s*: | "pluginVersion"\s*: | openAPIV3Schema | last-applied-configuration
    | \\$
    | \binet6_t(?:cp|ls)\b | ^\s*cluster_formation\.
    """,
    re.VERBOSE,
)
"""What tells of a comment, a dashboard, a schema or one long line around an address, and how nodes of RabbitMQ meet.

It is kept without the line that it stands in, which may hold a token or a cookie.
"""

VARIABLES = re.compile(
    r"""^(
    EXTERNAL_DNS_(PROVIDER|(EXCLUDE|MANAGED)_RECORD_TYPES)
    | KONG_(DNS_ORDER|PG_HOST)
    | QUEUE_BULL_REDIS_(HOST|DUALSTACK)
    | REDIS_(HOST|IP_FAMILY)
    | FELIX_IPV6SUPPORT
    | MODE
    | PILOT_ENABLE_AMBIENT
    | NO_PROXY | no_proxy
    | ISTIO_(DUAL_STACK|ENABLE_IPV4_OUTBOUND_LISTENER_FOR_IPV6_CLUSTERS)
    )$""",
    re.VERBOSE,
)
"""Variables that rules know by name: families, record types, roles, hosts that are asked for, what no proxy is for."""

LISTENING = re.compile(
    r"""
    \b(?:preferIPv4Stack|disable_ipv6|listen)\b
    | ^\s*(?:http|server|stream)\s*$ | ^\s*include\s | \{\s*$ | ^\s*\}\s*$ | ^\s*bind\s
    | ^\s*(?:-\s+)?["']?host(?:no)?(?:ssl|gssenc)?\s | \bpg_hba\b
    | \bserver\s*\{ | ^\s*server\.[\w-]+\s*= | ^\s*[\w-]*(?:http|socket)\s*=
    | ^\s*(?:source_labels|regex|replacement|target_label|action)\s*=
    """,
    re.IGNORECASE | re.VERBOSE,
)
"""What programs are told to listen on, the braces around it, whom PostgreSQL admits, and how Alloy relabels."""

OPTIONS = re.compile(r"\binet6_t(?:cp|ls)\b|-Djava\.net\.preferIPv4Stack\s*=\s*\w+|(?:-b|--bind)[= ]\s*[\w.:\[\]]+")
"""What is kept of a variable that holds more options than rules look at."""

BOOT = re.compile(
    r"""
    bootstrap\.sh | --[a-z] | \bmax-?pods | \b(cluster-?)?dns | cidr
    | \[settings | \b(cluster-name|api-server|standalone-mode)\b
    | ^\s*(-\s+)?(apiVersion|kind|spec|cluster|kubelet|config|flags|metadata|name)\s*:
    | ^--- | \\$
    """,
    re.IGNORECASE | re.VERBOSE,
)
"""What rules look for in user data besides: how a node is told its cluster, family, name server and maximum of pods."""

PARTS_OF_THE_CLUSTER = frozenset(
    {"amazon-vpc-cni", "cilium-config", "coredns", "coredns-custom", "kube-proxy-config", "node-local-dns"}
)
"""ConfigMaps of the cluster's own network, which rules read whole: settings, and nothing that somebody entrusted."""

LEFT_OUT = "(left out of the snapshot)"


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
