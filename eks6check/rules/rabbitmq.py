"""RabbitMQ's nodes among each other."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from eks6check.catalog import rule
from eks6check.facts.embedded import strings
from eks6check.facts.kube import Container, Resource, containers
from eks6check.facts.mounts import ConfigMaps, by_name, files, variables
from eks6check.facts.patterns import regex
from eks6check.facts.programs import programs
from eks6check.findings import Confidence, Problem, Severity

ARGUMENTS = ("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", "RABBITMQ_CTL_ERL_ARGS")
"""Where the server and its command line tools are told how to reach other nodes."""

OVER_IPV6 = regex(r"\binet6_tcp\b|\binet6_tls\b")
FORMATION = regex(r"^\s*cluster_formation\.", re.MULTILINE)
"""Settings by which a node looks for others; rabbitmq.com/docs/cluster-formation."""


@rule
def rabbitmq_without_inet6(
    workloads: Sequence[Resource] = (),
    config_maps: Sequence[Resource] = (),
    operator_objects: Sequence[Resource] = (),
) -> Iterator[Problem]:
    """Erlang's distribution is IPv4 unless it is told otherwise; a single node without others to find needs none."""
    known = by_name(config_maps)
    for workload in workloads:
        for container in containers(workload):
            runs = any(program.listener.program == "RabbitMQ" for program in programs(container))
            missing = without_inet6(workload, container, known) if runs and "containers" in container.path else ()
            if missing:
                yield _finding(workload, container, missing)
    for cluster in operator_objects:
        if cluster.kind == "RabbitmqCluster" and not _told(cluster):
            yield _of_operator(cluster)


def _told(cluster: Resource) -> bool:
    return any(OVER_IPV6.search(value) for _, value in strings(cluster.get("spec")))


def without_inet6(workload: Resource, container: Container, known: ConfigMaps) -> tuple[str, ...]:
    """The variables that do not speak of IPv6, where the node is one of several and no file says it in their place."""
    texts = [given.value for each in containers(workload) for given in files(workload, each, known)]
    replicas = workload.get("spec", "replicas")
    several = isinstance(replicas, int) and replicas > 1
    if not (several or any(map(FORMATION.search, texts))) or any(map(OVER_IPV6.search, texts)):
        return ()
    told = {given.name for given in variables(workload, container, known) if OVER_IPV6.search(given.value)}
    return tuple(name for name in ARGUMENTS if name not in told)


def _finding(workload: Resource, container: Container, missing: Sequence[str]) -> Problem:
    return Problem(
        workload,
        f"{workload} runs RabbitMQ as a cluster, and container {container.name} has no `-proto_dist inet6_tcp` in "
        f"{' and '.join(missing)}.",
        at=container.path,
        evidence={
            "container": container.name,
            "image": container.image,
            "missing": list(missing),
            "replicas": workload.get("spec", "replicas"),
        },
        key=container.name,
        remedy="variables",
        severity=Severity.BLOCKER if ARGUMENTS[0] in missing else Severity.WARNING,
        confidence=Confidence.MEDIUM,
    )


def _of_operator(cluster: Resource) -> Problem:
    """The operator has its nodes look for others whatever their number; cluster-operator#1474, read 2026-11-25."""
    return Problem(
        cluster,
        f"{cluster} has RabbitMQ form a cluster, and its `envConfig` has no `-proto_dist inet6_tcp`.",
        at=("spec", "rabbitmq") if isinstance(cluster.get("spec", "rabbitmq"), dict) else ("spec",),
        evidence={"missing": list(ARGUMENTS), "replicas": cluster.get("spec", "replicas")},
        severity=Severity.BLOCKER,
        confidence=Confidence.MEDIUM,
        remedy="operator",
    )
