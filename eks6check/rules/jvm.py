"""The JVM's own switch to IPv4."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from eks6check.catalog import rule
from eks6check.facts import Path, elsewhere
from eks6check.facts.kube import Container, Resource, containers
from eks6check.facts.mentions import COMMENT, line_before
from eks6check.facts.mounts import places_of, readers
from eks6check.facts.patterns import regex
from eks6check.facts.texts import Text, of_container, texts
from eks6check.findings import Problem, Severity

SWITCH = regex(r"(?:-D|\b)java\.net\.preferIPv4Stack\s*=\s*[\"']?(?P<value>true|false)\b", re.IGNORECASE)
"""The last one counts. ``preferIPv6Addresses`` only sorts what a name resolves to."""

PROPERTY, PROPERTY_ON = "java.net.preferIPv4Stack", regex("true", re.IGNORECASE)

JAR = regex(r"(?:^|\s)-jar\s+[^\s;&|]+[^;&|\n]*$")
"""What comes before a word that the program is given, and the JVM is not."""

COMMAND_LINE = "the command line"
ORDER = ("JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", COMMAND_LINE, "_JAVA_OPTIONS")
"""What the JVM reads, the later over the earlier: measured with OpenJDK 17 and 25, 2026-11-25.

Any other variable is put on the command line by a script, nobody knows where.
"""


class Told(NamedTuple):
    """A switch, the text that holds it, and what the JVM reads it from; empty where that is not known."""

    text: Text
    switch: re.Match[str]
    source: str

    @property
    def on(self) -> bool:
        """Whether it turns IPv6 off."""
        return self.switch["value"].lower() == "true"


class Counting(NamedTuple):
    """The switches of a container that turn IPv6 off, what counts first, and whether nothing may overrule them."""

    told: list[Told]
    sure: bool


@rule
def jvm_prefers_ipv4(
    workloads: Sequence[Resource], config_maps: Sequence[Resource] = (), operator_objects: Sequence[Resource] = ()
) -> Iterator[Problem]:
    """One finding for each workload that carries the switch, and each ConfigMap; unread ones weigh less."""
    for workload in workloads:
        counting = sorted(map(_counting, containers(workload)), key=lambda each: not each.sure)
        found = [(told.text, told.switch) for each in counting for told in each.told]
        if found:
            yield _finding(workload, found, [workload], sure=any(each.told and each.sure for each in counting))
    used = readers(workloads)
    for resource in (*config_maps, *operator_objects):
        found = [(each, switch) for each in texts(resource) if (switch := _switch(each))]
        if found:
            users = used.get((resource.namespace, resource.name), []) if resource.kind == "ConfigMap" else [resource]
            yield _finding(resource, found, users, sure=not users or any(not _overrules(user) for user in users))


def _counting(container: Container) -> Counting:
    told = _told(container)
    ordered = sorted((each for each in told if each.source), key=lambda each: ORDER.index(each.source))
    others = [each for each in told if not each.source]
    on = not ordered or ordered[-1].on
    final = bool(ordered) and ordered[-1].source == ORDER[-1]
    counting = [each for each in reversed(ordered) if each.on and on]
    counting += [each for each in others if each.on and (on or not final)]
    return Counting(counting, sure=bool(counting) and on and (final or all(each.on for each in others)))


def _told(container: Container) -> Iterable[Told]:
    """The switches of a container: the last of each text, and of all words of the command line together."""
    found: dict[str | Path, Told] = {}
    behind_jar = False
    for each in of_container(container):
        on_line = each.path[-2] in {"command", "args"} and each.path[-3] != "exec"
        source = COMMAND_LINE if on_line else each.name if each.name in ORDER else ""
        behind_jar = on_line and (behind_jar or each.name == "-jar")
        if not behind_jar and (switch := last(each.value)):
            found[source or each.path] = Told(each, switch, source)
    return found.values()


def _overrules(user: Resource) -> bool:
    """Whether a workload says itself, on the command line or behind it, that IPv6 is on."""
    told = [each for container in containers(user) for each in _told(container) if each.source in ORDER[2:]]
    return bool(told) and not any(each.on for each in told)


def _switch(each: Text) -> re.Match[str] | None:
    """The switch in a text, or in a system property that has its value in a field of its own, as Strimzi takes them."""
    if each.name == PROPERTY:
        return PROPERTY_ON.fullmatch(each.value)
    switch = last(each.value)
    return switch if switch and switch["value"].lower() == "true" else None


def last(value: str) -> re.Match[str] | None:
    """The last switch of a text outside comments that the JVM is given."""
    found = None
    for match in SWITCH.finditer(value) if "preferIPv4Stack" in value else ():
        if not COMMENT.search(before := line_before(value, match.start())) and not JAR.search(before):
            found = match
    return found


def _finding(
    resource: Resource, found: Sequence[tuple[Text, re.Match[str]]], users: Sequence[Resource], *, sure: bool
) -> Problem:
    first, switch = found[0]
    said = f"{first.name}={switch[0]}" if first.name == PROPERTY else switch[0]
    unless = "" if sure else ", unless another place, which says false, comes later"
    return Problem(
        resource,
        f"{resource} sets {said} in {first.where}: the JVM opens no IPv6 socket, to listen or to connect{unless}.",
        at=first.path,
        find=switch[0],
        skip=first.value.count(switch[0], 0, switch.start()),
        evidence={"switch": said, "where": first.where, "all": [each.where for each, _ in found]},
        severity=Severity.BLOCKER if users and sure else Severity.WARNING,
        also=(*elsewhere(resource, (each.path for each, _ in found), first.path), *places_of(users, resource)),
    )
