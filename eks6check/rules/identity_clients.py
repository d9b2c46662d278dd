"""What comes between a workload and its credentials in an IPv6 cluster: its SDK, a metadata proxy, an HTTP proxy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from eks6check.catalog import rule
from eks6check.facts import Path
from eks6check.facts.kube import Container, Resource, containers, mapping, pod_spec, text
from eks6check.facts.patterns import regex
from eks6check.facts.pod_identity import AGENT_IPV6, IRSA, clients, identities, identity
from eks6check.facts.versions import Version, repository, tag, version
from eks6check.findings import Confidence, Problem, Severity

if TYPE_CHECKING:
    from eks6check.facts.aws import PodIdentityAssociation

JAVA = regex(r"(?:^|[\s/;&])java(?:\s+-|$)|^-jar$|\.jar$")
"""A word of a command line that starts a Java program."""

JAVA_VARIABLES = frozenset({"JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS", "JAVA_OPTS", "CATALINA_OPTS"})
JAVA_IMAGES = frozenset({"amazoncorretto", "eclipse-temurin", "ibm-semeru-runtimes", "jetty", "openjdk", "tomcat"})

FLUENT_BIT: Mapping[str, Version] = {"fluent-bit": (4, 0, 0), "aws-for-fluent-bit": (3, 0, 0)}
"""All releases before these misread an IPv6 URI: the fault was reported of later ones, fluent-bit#10699, 2025-08-06.

AWS's own image has Fluent Bit 1.9.10 up to its version 3: aws-for-fluent-bit#784 and #983.
"""

ENDPOINT_MODE = "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE"

METADATA_PROXIES = frozenset({"kube2iam", "kiam", "kiam-agent", "kiam-server"})
ROLE = "iam.amazonaws.com/role"
"""The annotation of a pod that takes its role from such a proxy."""


@rule
def pod_identity_client_refuses_ipv6(
    workloads: Sequence[Resource],
    pods: Sequence[Resource] = (),
    service_accounts: Sequence[Resource] = (),
    pod_identity_associations: Sequence[PodIdentityAssociation] = (),
    pod_identity_objects: Sequence[Resource] = (),
) -> Iterator[Problem]:
    """Some SDKs accept the IPv4 address of the agent as a place of credentials, and not its IPv6 address."""
    known = identities(pod_identity_associations, pod_identity_objects, (*pods, *workloads))
    for workload in clients(workloads, known, service_accounts):
        found = [(container, *reason) for container in containers(workload) for reason in _refusing(container)]
        if found:
            container, path, what = found[0]
            yield Problem(
                workload,
                f"{workload} has its credentials from Pod Identity, and container {container.name} {what}, whose AWS "
                f"client may refuse http://[{AGENT_IPV6}]/v1/credentials.",
                at=path,
                evidence={
                    "containers": sorted({each.name for each, _, _ in found}),
                    "image": container.image,
                    "namespace": workload.namespace,
                    "service_account": identity(workload)[1],
                },
                confidence=Confidence.MEDIUM,
                also=tuple((workload, place) for _, place, _ in found[1:]),
            )


def _refusing(container: Container) -> Iterator[tuple[Path, str]]:
    """The place that shows a client of this kind, and what it is; at most one."""
    variables = {name: (path, value) for path, name, value in container.env()}
    if variables.get(ENDPOINT_MODE, ((), ""))[1].lower() == "ipv6":
        return
    name = repository(container.image)
    release = version(".".join(tag(container.image).split(".")[:3]))  # AWS adds a date as a fourth number
    told = next((path for path, word in container.arguments() if JAVA.search(word)), None)
    option = next((path for each, (path, _) in variables.items() if each in JAVA_VARIABLES), None)
    if told or option or name in JAVA_IMAGES:
        yield told or option or (*container.path, "image"), "runs Java"
    elif release and name in FLUENT_BIT and release < FLUENT_BIT[name]:
        yield (*container.path, "image"), f"runs {name} {tag(container.image)}"


@rule
def metadata_proxy_is_ipv4(
    workloads: Sequence[Resource], service_accounts: Sequence[Resource] = ()
) -> Iterator[Problem]:
    """The proxy takes over calls to 169.254.169.254 by IPv4 firewall rules on the way out of a pod's interface."""
    proxies = [
        (workload, container)
        for workload in workloads
        for container in containers(workload)
        if repository(container.image) in METADATA_PROXIES
    ]
    by_oidc = {(each.namespace, each.name) for each in service_accounts if each.annotations.get(IRSA)}
    annotated = [(each, path) for each in workloads for path in _role(each) if identity(each) not in by_oidc]
    annotated.sort(key=lambda pair: (pair[0].subject.id, pair[0].origin.file))
    for workload, container in proxies:
        name = repository(container.image)
        users = f" for {annotated[0][0]}" if annotated else ""
        users += f" and {len(annotated) - 1} more" if annotated[1:] else ""
        yield Problem(
            workload,
            f"{workload} runs {name}{users}: it takes over calls to instance metadata over the IPv4 interface of pods, "
            "which pods of an IPv6 cluster do not have.",
            at=(*container.path, "image"),
            evidence={"image": container.image, "users": [str(each) for each, _ in annotated]},
            key=container.name,
            confidence=Confidence.MEDIUM,
            also=tuple(annotated),
        )
    for workload, path in () if proxies else annotated:
        yield Problem(
            workload,
            f"{workload} asks for a role by the annotation {ROLE}, which kube2iam and kiam serve over IPv4 only.",
            at=path,
            evidence={"annotation": ROLE},
            severity=Severity.WARNING,
            confidence=Confidence.LOW,
        )


def _role(workload: Resource) -> Iterator[Path]:
    spec_path, _ = pod_spec(workload)
    path = ("metadata", "annotations") if workload.kind == "Pod" else (*spec_path[:-1], "metadata", "annotations")
    if spec_path and text(mapping(workload.get(*path)).get(ROLE)):
        yield (*path, ROLE)
