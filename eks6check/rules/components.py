"""Programs of others in releases that do not work in pods without an IPv4 address."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from eks6check.catalog import rule
from eks6check.facts.kube import Container, Resource, containers, pod_spec, sequence
from eks6check.facts.mounts import ConfigMaps, by_name, variables
from eks6check.facts.versions import tag
from eks6check.findings import Problem, Severity
from eks6check.knowledge.components import Component, component


@rule
def component_below_ipv6_release(
    workloads: Sequence[Resource], config_maps: Sequence[Resource] = ()
) -> Iterator[Problem]:
    """Each component of a workload whose image's tag names a release from before it worked on IPv6 alone."""
    known = by_name(config_maps)
    for workload in workloads:
        found: dict[Component, list[Container]] = {}
        for container in _containers(workload):
            runs = component(container.image)
            if runs and runs.fails_in(container.image) and runs.is_told(_words(workload, container, known)):
                found.setdefault(runs, []).append(container)
        for runs, same in found.items():
            yield _finding(workload, runs, same)


def _containers(workload: Resource) -> Iterator[Container]:
    """Every container, those included that somebody attached to a pod that runs."""
    yield from containers(workload)
    path, spec = pod_spec(workload)
    for index, body in enumerate(sequence(spec.get("ephemeralContainers"))):
        if isinstance(body, dict):
            yield Container((*path, "ephemeralContainers", index), body)


def _words(workload: Resource, container: Container, known: ConfigMaps) -> Iterator[str]:
    """Variables as ``NAME=value``, and the words of the command line."""
    for given in variables(workload, container, known):
        yield f"{given.name}={given.value}"
    for _, word in container.arguments():
        yield word


def _finding(workload: Resource, runs: Component, same: Sequence[Container]) -> Problem:
    first, *others = same
    return Problem(
        workload,
        f"{workload} runs {runs.name} {tag(first.image)} in container {first.name}; below {runs.since}, {runs.broken}.",
        at=(*first.path, "image"),
        evidence={
            "component": runs.name,
            "image": first.image,
            "needed": runs.since,
            "setting": runs.setting,
            "sources": list(runs.links),
            "containers": [container.name for container in same],
        },
        key=runs.name,
        severity=Severity(runs.severity),
        remedy="setting" if runs.setting else "",
        also=tuple((workload, (*container.path, "image")) for container in others),
    )
