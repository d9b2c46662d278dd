"""Fargate behind load balancers: a pod without an instance cannot be an instance target."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from eks6check.catalog import rule
from eks6check.facts import Path
from eks6check.facts import ingresses as ing
from eks6check.facts import load_balancing as lb
from eks6check.facts.fargate import why_on_fargate
from eks6check.facts.ingresses import Alb, by_name
from eks6check.facts.kube import Resource, mapping, pod_labels, text
from eks6check.facts.load_balancing import Installed, Maker, annotation, installed, maker
from eks6check.facts.phrases import phrase
from eks6check.findings import Problem

if TYPE_CHECKING:
    from eks6check.facts.aws import Cluster, FargateProfile


class Entrance(NamedTuple):
    """An object that sends traffic to instances, the place that says so, and the Services behind it."""

    resource: Resource
    path: Path
    services: Sequence[Resource]
    remedy: str


@rule
def fargate_pod_behind_instance_target(  # noqa: PLR0913, PLR0917  entrances of three kinds, and the pods behind them
    services: Sequence[Resource],
    workloads: Sequence[Resource],
    ingresses: Sequence[Resource] = (),
    target_group_bindings: Sequence[Resource] = (),
    ingress_classes: Sequence[Resource] = (),
    ingress_class_params: Sequence[Resource] = (),
    pods: Sequence[Resource] = (),
    webhooks: Sequence[Resource] = (),
    fargate_profiles: Sequence[FargateProfile] = (),
    clusters: Sequence[Cluster] = (),
) -> Iterator[Problem]:
    """What IPv6 says of instance targets is said elsewhere; these never reached a Fargate pod over IPv4 either."""
    known, backing = installed(workloads, webhooks, clusters), by_name(services)
    albs = ing.albs(ingresses, ingress_classes, ingress_class_params, known)
    entrances = [
        *_by_services(services, known),
        *_by_ingresses(albs, backing, known),
        *_by_bindings(target_group_bindings, backing),
    ]
    on_fargate = _on_fargate(workloads, fargate_profiles) or _on_fargate(filter(_running, pods), fargate_profiles)
    for entrance in entrances:
        behind = {each.subject.id: each for each in on_fargate if any(selects(one, each) for one in entrance.services)}
        if behind:
            yield _unreached(entrance, [behind[name] for name in sorted(behind)], fargate_profiles)


def _by_services(services: Iterable[Resource], known: Installed) -> Iterator[Entrance]:
    for service in services:
        made_by, told = maker(service, known), annotation(service, lb.TARGET_TYPE)
        by_controller = made_by is Maker.CONTROLLER and lb.target_type(service, known) == "instance"
        if made_by is Maker.IN_TREE or by_controller or (made_by is Maker.AUTO_MODE and told == "instance"):
            yield Entrance(service, lb.asked_at(service, lb.TARGET_TYPE), [service], "service")


def _by_ingresses(albs: Iterable[Alb], services: ing.Services, known: Installed) -> Iterator[Entrance]:
    for alb in albs:
        told = ing.setting(alb, ing.TARGET_TYPE, "targetType")
        if alb.maker is Maker.CONTROLLER or told == "instance":
            found = [service for _, service in ing.instance_backends(alb, services, known) if service]
            yield Entrance(alb.ingress, ing.asked_at(alb.ingress, ing.TARGET_TYPE), found, "ingress")


def _by_bindings(bindings: Iterable[Resource], services: ing.Services) -> Iterator[Entrance]:
    for binding in bindings:
        service = services.get((binding.namespace, text(binding.get("spec", "serviceRef", "name"))))
        if binding.get("spec", "targetType") == "instance" and service:
            yield Entrance(binding, ("spec", "targetType"), [service], "binding")


def _on_fargate(found: Iterable[Resource], profiles: Sequence[FargateProfile]) -> list[Resource]:
    """Those that run on Fargate; a DaemonSet's pods never do, whatever profile would take them."""
    return [each for each in found if each.kind != "DaemonSet" and why_on_fargate(each, profiles)]


def _running(pod: Resource) -> bool:
    return pod.get("status", "phase") not in ("Succeeded", "Failed")


def selects(service: Resource, workload: Resource) -> bool:
    """Whether a Service leads to the pods of a workload."""
    selector: Mapping[str, object] = mapping(service.get("spec", "selector"))
    labels = pod_labels(workload)
    here = bool(selector) and service.namespace == workload.namespace
    return here and all(key in labels and labels[key] == value for key, value in selector.items())


def _unreached(entrance: Entrance, behind: Sequence[Resource], profiles: Sequence[FargateProfile]) -> Problem:
    names = [str(each) for each in behind]
    shown = names if len(names) <= 3 else [*names[:2], f"{len(names) - 2} more"]  # noqa: PLR2004  three fit a line
    why = why_on_fargate(behind[0], profiles)
    return Problem(
        entrance.resource,
        f"{entrance.resource} sends traffic to instances, and {phrase(shown)} behind it "
        f"{'runs' if len(names) == 1 else 'run'} on Fargate ({why}), where AWS supports IP targets only, in IPv4 "
        f"as in IPv6.",
        at=entrance.path,
        evidence={"pods": names, "why": why, "services": [service.name for service in entrance.services]},
        remedy=entrance.remedy,
        also=tuple((each, ()) for each in behind[:10]),
    )
