"""The texts that a program is given: variables, words of commands, ConfigMaps' values, and what an operator is told."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from eks6check.facts import Path
from eks6check.facts.config_maps import entries
from eks6check.facts.embedded import walk
from eks6check.facts.kinds import OPERATED
from eks6check.facts.kube import Container, Resource, containers, mapping, sequence, text


class Text(NamedTuple):
    """A text with the path to it, words for where it stands, and the name that it is given under.

    The name is that of a variable, of an option (``--host``), of a field or of a ConfigMap's key; empty where there is
    none.
    """

    path: Path
    where: str
    name: str
    value: str


def texts(resource: Resource) -> Iterator[Text]:
    """Every text of a workload's containers, of a ConfigMap, or of what an operator makes workloads of."""
    if resource.kind == "ConfigMap":
        yield from _of_config_map(resource)
    elif (resource.group, resource.kind) in OPERATED:
        yield from _of_operator(resource)
    else:
        for container in containers(resource):
            yield from of_container(container)


def _of_config_map(config_map: Resource) -> Iterator[Text]:
    for each in entries(config_map):
        yield Text(("data", each.key), f"key {each.key}", each.name, each.value)


def of_container(container: Container) -> Iterator[Text]:
    """Every text of a container: its variables, the words of its command line, and those of its probes and hooks."""
    for path, name, value in container.env():
        yield Text(path, f"variable {name} of container {container.name}", name, value)
    option = ""
    for path, word in container.arguments():
        yield Text(path, f"{path[-2]} of container {container.name}", option, word)
        option = word if word.startswith("-") and "=" not in word and " " not in word else ""
    for hook, words in container.hook_commands():
        for path, word in words:
            yield Text(path, f"{hook[-1]} of container {container.name}", "", word)


def _of_operator(resource: Resource) -> Iterator[Text]:
    """Every text of the spec; one that stands beside a ``name`` goes by it, as a variable does."""
    for path, item in walk(resource.get("spec"), ("spec",)):
        given = text(item.get("name")) if isinstance(item, dict) else ""
        for key, value in item.items() if isinstance(item, dict) else enumerate(item):
            if isinstance(value, str):
                name = given if given and key == "value" else key if isinstance(key, str) else ""
                yield Text((*path, key), ".".join(map(str, (*path, key))), name, value)


def from_fields(container_body: object) -> dict[str, str]:
    """The variables of a container that the downward API fills, each with its field such as ``status.podIP``."""
    found = {}
    for variable in map(mapping, sequence(mapping(container_body).get("env"))):
        field = text(mapping(mapping(variable.get("valueFrom")).get("fieldRef")).get("fieldPath"))
        if field:
            found[text(variable.get("name"))] = field
    return found
