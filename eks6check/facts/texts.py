"""The texts that a program is given: variables, words of command lines, and the values of ConfigMaps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from eks6check.facts import Path
from eks6check.facts.kube import Resource, containers, mapping, sequence, text, wire


class Text(NamedTuple):
    """A text with the path to it, words for where it stands, and the name that it is given under.

    The name is that of a variable, of an option (``--host``) or of a ConfigMap's key; empty where there is none.
    """

    path: Path
    where: str
    name: str
    value: str


def texts(resource: Resource) -> Iterator[Text]:
    """Every text of a workload's containers, or of a ConfigMap."""
    if resource.kind == "ConfigMap":
        for key, value in mapping(resource.get("data")).items():
            if isinstance(value, str):
                yield Text(("data", key), f"key {key}", wire(key), value)
        return
    for container in containers(resource):
        for path, name, value in container.env():
            yield Text(path, f"variable {name} of container {container.name}", name, value)
        option = ""
        for path, word in container.arguments():
            yield Text(path, f"{path[-2]} of container {container.name}", option, word)
            option = word if word.startswith("-") and "=" not in word and " " not in word else ""


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
