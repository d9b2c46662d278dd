"""Which container sees which value of which ConfigMap: as a file, or as a variable."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from eks6check.facts import Path, Places
from eks6check.facts.config_maps import entries
from eks6check.facts.kube import Container, Resource, containers, mapping, pod_spec, sequence, text


class Given(NamedTuple):
    """A value of a ConfigMap that a container is given: the object, the path to the value, its name there, the text.

    The name is that of the variable, or that of the file: where a volume gives a key another name, the file's.
    """

    config_map: Resource
    path: Path
    name: str
    value: str


ConfigMaps = Mapping[tuple[str, str], Resource]
"""ConfigMaps by namespace and name."""


def by_name(config_maps: Iterable[Resource]) -> ConfigMaps:
    """ConfigMaps by namespace and name."""
    return {(each.namespace, each.name): each for each in config_maps}


Users = Mapping[tuple[str, str], Sequence[Resource]]
"""Workloads by the namespace and the name of each ConfigMap that they speak of."""


def users(workloads: Iterable[Resource]) -> Users:
    """Workloads with a volume of a ConfigMap, or with an option that ends in its name, as controllers are told it."""
    return _by_config_map((each, {*_mounted(each), *_told(each)}) for each in workloads)


def readers(workloads: Iterable[Resource]) -> Users:
    """Workloads with a volume of a ConfigMap, or with all its values as variables."""
    return _by_config_map((each, {*_mounted(each), *_made_variables(each)}) for each in workloads)


def places_of(users: Iterable[Resource], holder: Resource) -> Places:
    """The workloads that are given what an object holds, by their names; none where it is the workload's own."""
    return tuple((user, ("metadata", "name")) for user in users if user is not holder)


def _by_config_map(named: Iterable[tuple[Resource, Iterable[str]]]) -> Users:
    found: dict[tuple[str, str], list[Resource]] = {}
    for workload, names in named:
        for name in filter(None, names):
            found.setdefault((workload.namespace, name), []).append(workload)
    return found


def _mounted(workload: Resource) -> Iterator[str]:
    """The names of the ConfigMaps that a workload has volumes of."""
    for volume in map(mapping, sequence(pod_spec(workload)[1].get("volumes"))):
        yield from (text(source.get("name")) for source in _sources(volume))


def _told(workload: Resource) -> Iterator[str]:
    """The last part of each word with a slash, as in ``--configmap=shop/nginx``."""
    for container in containers(workload):
        yield from (word.rpartition("/")[2] for _, word in container.arguments() if "/" in word)


def _made_variables(workload: Resource) -> Iterator[str]:
    for container in containers(workload):
        for source in map(mapping, sequence(container.body.get("envFrom"))):
            yield text(mapping(source.get("configMapRef")).get("name"))


def _sources(volume: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """The ConfigMaps of a volume as it names them: its own, or those of a projected one."""
    for source in (volume, *map(mapping, sequence(mapping(volume.get("projected")).get("sources")))):
        yield mapping(source.get("configMap"))


def files(workload: Resource, container: Container, known: ConfigMaps) -> Iterator[Given]:
    """Every file that a container mounts out of a ConfigMap in view."""
    volumes = {
        text(volume.get("name")): volume for volume in map(mapping, sequence(pod_spec(workload)[1].get("volumes")))
    }
    for mount in map(mapping, sequence(container.body.get("volumeMounts"))):
        volume = volumes.get(text(mount.get("name")), {})
        single = text(mount.get("subPath"))
        for source in _sources(volume):
            for given in _of_source(workload, source, known):
                if not single or given.name == single or given.name.startswith(f"{single}/"):
                    target = text(mount.get("mountPath")) if given.name == single else given.name
                    yield given._replace(name=target.rpartition("/")[2])


def _of_source(workload: Resource, source: Mapping[str, Any], known: ConfigMaps) -> Iterator[Given]:
    config_map = known.get((workload.namespace, text(source.get("name"))))
    if config_map is None:
        return
    items = [mapping(item) for item in sequence(source.get("items"))]
    names = {text(item.get("key")): text(item.get("path")) for item in items}
    for key, name, value in entries(config_map):
        if not names or name in names:
            yield Given(config_map, ("data", key), names.get(name, name), value)


def variables(workload: Resource, container: Container, known: ConfigMaps) -> Iterator[Given]:
    """Every variable that a container is given: its own first, with the workload as the object, then ConfigMaps'."""
    for path, name, value in container.env():
        yield Given(workload, path, name, value)
    for source in map(mapping, sequence(container.body.get("envFrom"))):
        reference, prefix = mapping(source.get("configMapRef")), text(source.get("prefix"))
        for given in _of_source(workload, {"name": reference.get("name")}, known):
            yield given._replace(name=prefix + given.name)
    for entry in map(mapping, sequence(container.body.get("env"))):
        reference = mapping(mapping(entry.get("valueFrom")).get("configMapKeyRef"))
        for given in _of_source(workload, {"name": reference.get("name")}, known):
            if given.path[-1] == reference.get("key"):
                yield given._replace(name=text(entry.get("name")))
