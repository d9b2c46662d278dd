"""The JVM's own switch to IPv4."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from eks6check.catalog import rule
from eks6check.facts.kube import Resource
from eks6check.facts.mentions import commented
from eks6check.facts.mounts import readers
from eks6check.facts.patterns import regex
from eks6check.facts.texts import Text, texts
from eks6check.findings import Problem, Severity

SWITCH = regex(r"(?:-D|\b)java\.net\.preferIPv4Stack\s*=\s*[\"']?(?P<value>true|false)\b", re.IGNORECASE)
"""The last one counts. ``preferIPv6Addresses`` only sorts what a name resolves to."""

PROPERTY, PROPERTY_ON = "java.net.preferIPv4Stack", regex("true", re.IGNORECASE)


@rule
def jvm_prefers_ipv4(
    workloads: Sequence[Resource], config_maps: Sequence[Resource] = (), operator_objects: Sequence[Resource] = ()
) -> Iterator[Problem]:
    """One finding for each workload that carries the switch, and each ConfigMap; unread ones weigh less."""
    used = readers(workloads)
    for resource in (*workloads, *config_maps, *operator_objects):
        found = [(each, switch) for each in texts(resource) if (switch := _switch(each))]
        if found:
            users = used.get((resource.namespace, resource.name), []) if resource.kind == "ConfigMap" else [resource]
            yield _finding(resource, found, users)


def _switch(each: Text) -> re.Match[str] | None:
    """The switch in a text, or in a system property that has its value in a field of its own, as Strimzi takes them."""
    return PROPERTY_ON.fullmatch(each.value) if each.name == PROPERTY else switched(each.value)


def switched(value: str) -> re.Match[str] | None:
    """The switch, where the last one outside comments turns IPv6 off."""
    last = None
    for match in SWITCH.finditer(value) if "preferIPv4Stack" in value else ():
        if not commented(value, match.start()):
            last = match
    return last if last and last["value"].lower() == "true" else None


def _finding(resource: Resource, found: Sequence[tuple[Text, re.Match[str]]], users: Sequence[Resource]) -> Problem:
    first, switch = found[0]
    said = f"{first.name}={switch[0]}" if first.name == PROPERTY else switch[0]
    paths = dict.fromkeys(each.path for each, _ in found if each.path != first.path)
    return Problem(
        resource,
        f"{resource} sets {said} in {first.where}: the JVM opens no IPv6 socket, to listen or to connect.",
        at=first.path,
        find=switch[0],
        skip=first.value.count(switch[0], 0, switch.start()),
        evidence={"switch": said, "where": first.where, "all": [each.where for each, _ in found]},
        severity=Severity.BLOCKER if users else Severity.WARNING,
        also=(
            *((resource, path) for path in paths),
            *((user, ("metadata", "name")) for user in users if user is not resource),
        ),
    )
