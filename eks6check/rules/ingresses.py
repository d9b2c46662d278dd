"""Ingresses: what must hold so that an Application Load Balancer can reach IPv6 pods."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from eks6check.catalog import rule
from eks6check.facts import ingresses as ing
from eks6check.facts.ingresses import Alb
from eks6check.facts.kube import Resource
from eks6check.facts.load_balancing import Installed, Maker, annotation, installed
from eks6check.facts.machines import primary_everywhere, primary_note
from eks6check.findings import Confidence, Problem, Severity
from eks6check.knowledge.load_balancer_controller import near_miss

if TYPE_CHECKING:
    from eks6check.facts.aws import Cluster, Instance


@rule
def alb_not_dualstack(  # noqa: PLR0913, PLR0917  class, parameters and backends each have a say
    ingresses: Sequence[Resource],
    ingress_classes: Sequence[Resource] = (),
    ingress_class_params: Sequence[Resource] = (),
    services: Sequence[Resource] = (),
    workloads: Sequence[Resource] = (),
    clusters: Sequence[Cluster] = (),
) -> Iterator[Problem]:
    """The class's parameters win over the annotation, and one member of a group speaks for all."""
    known, backing = installed(workloads, clusters=clusters), ing.by_name(services)
    albs = ing.albs(ingresses, ingress_classes, ingress_class_params, known)
    for params, users in _chosen_by(ingress_class_params, albs, backing, "ipAddressType", "ipv4"):
        yield Problem(
            params,
            f"{params} sets ipAddressType ipv4 for every Ingress of its class; an IPv6 cluster needs dualstack.",
            at=("spec", "ipAddressType"),
            evidence={"ipAddressType": "ipv4", "needed": "dualstack", "apiVersion": params.get("apiVersion")},
            remedy="class",
            also=tuple((alb.ingress, ()) for alb in users),
        )
    said = ing.address_types(albs)
    reaching = [alb for alb in albs if ing.backends(alb, backing)]
    for alb in reaching:
        if ing.by_class(alb, "ipAddressType") is None and annotation(alb.ingress, ing.ADDRESS_TYPE) == "ipv4":
            yield _not_dualstack([alb], "sets ip-address-type ipv4")
    silent = [alb for alb in reaching if ing.address_type(alb) is None and not said.get(ing.group(alb) or "")]
    for members in _grouped(silent):
        if not any(near_miss(alb.ingress, ing.ADDRESS_TYPE) for alb in members):
            yield _not_dualstack(members, "leaves ip-address-type at its default, ipv4")


def _chosen_by(
    ingress_class_params: Iterable[Resource], albs: Sequence[Alb], services: ing.Services, field: str, value: str
) -> Iterator[tuple[Resource, list[Alb]]]:
    """Parameters with that value, each with the Ingresses that it decides; not where those lead to no pod."""
    for params in ingress_class_params:
        if params.get("spec", field) == value:
            users = [alb for alb in albs if alb.params and alb.params.subject == params.subject]
            reaching = [alb for alb in users if ing.backends(alb, services)]
            if reaching or not users:
                yield params, reaching


def _grouped(albs: Iterable[Alb]) -> list[list[Alb]]:
    """The Ingresses that share a load balancer, in the order of their names, files before what is live."""
    alone: list[list[Alb]] = []
    groups: dict[str, list[Alb]] = {}
    for alb in sorted(albs, key=lambda alb: (alb.ingress.subject.id, alb.ingress.origin.source != "manifests")):
        if name := ing.group(alb):
            groups.setdefault(name, []).append(alb)
        else:
            alone.append([alb])
    return [*alone, *groups.values()]


def _not_dualstack(members: Sequence[Alb], said: str) -> Problem:
    alb, *others = members
    group = ing.group(alb)
    shared = f", and no other member of IngressGroup {group} sets it" if others else ""
    return Problem(
        alb.ingress,
        f"{alb.ingress} gets its load balancer from {alb.maker} and {said}{shared}; an IPv6 cluster needs dualstack.",
        at=ing.asked_at(alb.ingress, ing.ADDRESS_TYPE),
        evidence={"ip-address-type": annotation(alb.ingress, ing.ADDRESS_TYPE), "needed": "dualstack", "group": group},
        confidence=Confidence.HIGH if all(each.certain for each in members) else Confidence.MEDIUM,
        remedy="auto-mode" if alb.maker is Maker.AUTO_MODE else "controller",
        also=tuple((each.ingress, ing.asked_at(each.ingress, ing.ADDRESS_TYPE)) for each in others),
    )


@rule
def alb_targets_instances(  # noqa: PLR0913, PLR0917  class, parameters and backends each have a say
    ingresses: Sequence[Resource],
    ingress_classes: Sequence[Resource] = (),
    ingress_class_params: Sequence[Resource] = (),
    services: Sequence[Resource] = (),
    workloads: Sequence[Resource] = (),
    clusters: Sequence[Cluster] = (),
    instances: Sequence[Instance] = (),
) -> Iterator[Problem]:
    """The class's parameters win over the backend Service's annotation, and that one over the Ingress's."""
    known, backing = installed(workloads, clusters=clusters), ing.by_name(services)
    found = ing.albs(ingresses, ingress_classes, ingress_class_params, known)
    albs = [alb for alb in found if alb.maker is Maker.CONTROLLER]
    ours = [params for params in ingress_class_params if params.group == "elbv2.k8s.aws"]
    free = [alb for alb in albs if ing.by_class(alb, "targetType") is None]
    problems = [
        *_targets_by_class(ours, albs, backing),
        *_targets_by_service(free, backing),
        *_targets_by_ingress(free, backing, known),
    ]
    severity = Severity.WARNING if primary_everywhere(instances) else Severity.BLOCKER
    note = primary_note(instances)
    yield from (replace(each, message=each.message + note, severity=severity) for each in problems)


def _targets_by_class(
    ingress_class_params: Iterable[Resource], albs: Sequence[Alb], services: ing.Services
) -> Iterator[Problem]:
    for params, users in _chosen_by(ingress_class_params, albs, services, "targetType", "instance"):
        yield Problem(
            params,
            f"{params} sets targetType instance for every Ingress of its class; IPv6 needs ip.",
            at=("spec", "targetType"),
            evidence={"targetType": "instance", "needed": "ip"},
            remedy="class",
            also=tuple((alb.ingress, ()) for alb in users),
        )


def _targets_by_service(albs: Iterable[Alb], services: ing.Services) -> Iterator[Problem]:
    """Backend Services whose own annotation overrules the Ingresses that lead to them."""
    told: dict[str, tuple[Resource, list[Resource]]] = {}
    for alb in albs:
        for _, service in ing.backends(alb, services):
            if service and annotation(service, ing.TARGET_TYPE) not in (None, "ip"):
                told.setdefault(service.subject.id, (service, []))[1].append(alb.ingress)
    for service, users in told.values():
        value = annotation(service, ing.TARGET_TYPE)
        yield Problem(
            service,
            f"{service} sets target type {value!r} for the Ingresses that lead to it; IPv6 needs ip.",
            at=("metadata", "annotations", ing.TARGET_TYPE),
            evidence={"target-type": value, "needed": "ip"},
            remedy="annotation",
            also=tuple((ingress, ()) for ingress in users),
        )


def _targets_by_ingress(albs: Iterable[Alb], services: ing.Services, known: Installed) -> Iterator[Problem]:
    for alb in albs:
        wanting = ing.instance_backends(alb, services, known)
        if not wanting or near_miss(alb.ingress, ing.TARGET_TYPE):
            continue
        value = annotation(alb.ingress, ing.TARGET_TYPE)
        said = "leaves the target type at its default, instance" if value is None else f"sets target type {value!r}"
        seen = alb.certain and all(service for _, service in wanting)
        names = sorted(name for name, _ in wanting)
        yield Problem(
            alb.ingress,
            f"{alb.ingress} {said}, for {', '.join(names)}; IPv6 needs ip.",
            at=ing.asked_at(alb.ingress, ing.TARGET_TYPE),
            evidence={"target-type": value, "needed": "ip", "backends": names},
            confidence=Confidence.HIGH if seen else Confidence.MEDIUM,
            remedy="annotation",
        )
