"""The texts that a program is given: variables, words of commands, ConfigMaps' values, and what an operator is told."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from eks6check.facts import Path
from eks6check.facts.embedded import walk
from eks6check.facts.kinds import OPERATED
from eks6check.facts.kube import Resource, containers, mapping, sequence, text, wire


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
        for key, value in mapping(resource.get("data")).items():
            if isinstance(value, str):
                yield Text(("data", key), f"key {key}", wire(key), value)
        return
    if (resource.group, resource.kind) in OPERATED:
        yield from _of_operator(resource)
        return
    for container in containers(resource):
        for path, name, value in container.env():
            yield Text(path, f"variable {name} of container {container.name}", name, value)
        option = ""
        for path, word in container.arguments():
            yield Text(path, f"{path[-2]} of container {container.name}", option, word)
            option = word if word.startswith("-") and "=" not in word and " " not in word else ""
        for path, hook in container.hooks():
            for index, word in enumerate(sequence(mapping(hook.get("exec")).get("command"))):
                where = f"{path[-1]} of container {container.name}"
                yield Text((*path, "exec", "command", index), where, "", wire(word))


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


def config_maps_of(spec: object) -> set[str]:
    """The names of the ConfigMaps that a pod spec mounts or makes variables of."""
    spec = mapping(spec)
    volumes = list(map(mapping, sequence(spec.get("volumes"))))
    sources = [
        mapping(source) for volume in volumes for source in sequence(mapping(volume.get("projected")).get("sources"))
    ]
    names = {text(mapping(each.get("configMap")).get("name")) for each in (*volumes, *sources)}
    for field in ("initContainers", "containers"):
        for container in map(mapping, sequence(spec.get(field))):
            from_maps = map(mapping, sequence(container.get("envFrom")))
            names |= {text(mapping(each.get("configMapRef")).get("name")) for each in from_maps}
    return names - {""}
