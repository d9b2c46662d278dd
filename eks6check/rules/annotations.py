"""Annotations of load balancers: keys that nothing reads, and values that the kind of object does not take."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from eks6check.catalog import rule
from eks6check.facts import ingresses as ing
from eks6check.facts import load_balancing as lb
from eks6check.facts.kube import Resource, wire
from eks6check.facts.load_balancing import Installed, Maker, annotation, installed, maker
from eks6check.findings import Confidence, Problem
from eks6check.knowledge.load_balancer_controller import near_miss, values

if TYPE_CHECKING:
    from eks6check.facts.aws import Cluster

NEEDED = {
    lb.ADDRESS_TYPE: "dualstack",
    lb.TARGET_TYPE: "ip",
    lb.SOURCE_NAT: "on",
    ing.ADDRESS_TYPE: "dualstack",
    ing.TARGET_TYPE: "ip",
}
"""What each annotation must say in an IPv6 cluster."""


@rule
def load_balancer_annotation_misspelled(  # noqa: PLR0913, PLR0917  only where the right key would change something
    services: Sequence[Resource],
    ingresses: Sequence[Resource],
    ingress_classes: Sequence[Resource] = (),
    ingress_class_params: Sequence[Resource] = (),
    workloads: Sequence[Resource] = (),
    webhooks: Sequence[Resource] = (),
    clusters: Sequence[Cluster] = (),
) -> Iterator[Problem]:
    """A near miss matters only where the right key is wanted and nothing else says the same."""
    known = installed(workloads, webhooks, clusters)
    for service in services:
        for key in _wanted_by_service(service, known):
            yield from _misspelled(service, key)
    albs = ing.albs(ingresses, ingress_classes, ingress_class_params, known)
    said, backing = ing.address_types(albs), ing.by_name(services)
    for alb in albs:
        if ing.backends(alb, backing) and ing.address_type(alb) is None and not said.get(ing.group(alb) or ""):
            yield from _misspelled(alb.ingress, ing.ADDRESS_TYPE, certain=alb.certain)
        free = alb.maker is Maker.CONTROLLER and ing.by_class(alb, "targetType") is None
        if free and ing.instance_backends(alb, backing, known):
            yield from _misspelled(alb.ingress, ing.TARGET_TYPE, certain=alb.certain)


def _wanted_by_service(service: Resource, known: Installed) -> Iterator[str]:
    """The annotations that a Service lacks and an IPv6 cluster wants."""
    made_by = maker(service, known)
    if made_by in (None, Maker.OTHER):
        return
    yield lb.ADDRESS_TYPE
    if made_by is not Maker.AUTO_MODE and lb.target_type(service, known) != "ip":
        yield lb.TARGET_TYPE
    if made_by is not Maker.AUTO_MODE and lb.udp_port(service):
        yield lb.SOURCE_NAT


def _misspelled(resource: Resource, key: str, *, certain: bool = True) -> Iterator[Problem]:
    found = near_miss(resource, key)
    if found:
        space = " The API server refuses a key with a space in it." if " " in found.strip() else ""
        yield Problem(
            resource,
            f"{resource} carries the annotation {found!r}, which nothing reads there; {key} is meant.{space}",
            at=("metadata", "annotations", found),
            evidence={"found": found, "key": key, "needed": NEEDED[key], "value": annotation(resource, found)},
            key=key,
            confidence=Confidence.HIGH if certain else Confidence.MEDIUM,
        )


@rule
def load_balancer_address_type_invalid(  # noqa: PLR0913, PLR0917  only on objects that an AWS controller handles
    services: Sequence[Resource],
    ingresses: Sequence[Resource],
    ingress_class_params: Sequence[Resource],
    ingress_classes: Sequence[Resource] = (),
    workloads: Sequence[Resource] = (),
    webhooks: Sequence[Resource] = (),
    clusters: Sequence[Cluster] = (),
) -> Iterator[Problem]:
    """The controller compares the exact word, and Services take one value less than Ingresses."""
    known = installed(workloads, webhooks, clusters)
    for service in services:
        if maker(service, known) not in (None, Maker.OTHER):
            yield from _invalid(service, lb.ADDRESS_TYPE)
    for alb in ing.albs(ingresses, ingress_classes, ingress_class_params, known):
        if ing.by_class(alb, "ipAddressType") is None:
            yield from _invalid(alb.ingress, ing.ADDRESS_TYPE, certain=alb.certain)
    for params in ingress_class_params:
        value = params.get("spec", "ipAddressType")
        if value is not None and value not in values(ing.ADDRESS_TYPE):
            yield _refused(params, ("spec", "ipAddressType"), wire(value), values(ing.ADDRESS_TYPE))


def _invalid(resource: Resource, key: str, *, certain: bool = True) -> Iterator[Problem]:
    value = annotation(resource, key)
    if value is not None and value not in values(key):
        yield _refused(resource, ("metadata", "annotations", key), value, values(key), certain=certain)


def _refused(
    resource: Resource, at: tuple[str, ...], value: str, accepted: Sequence[str], *, certain: bool = True
) -> Problem:
    return Problem(
        resource,
        f"{resource} sets {at[-1]} to {value!r}, which it does not take: {', '.join(accepted[:-1])} or {accepted[-1]}.",
        at=at,
        evidence={"value": value, "accepted": list(accepted), "key": at[-1]},
        confidence=Confidence.HIGH if certain else Confidence.MEDIUM,
        remedy="class" if at[0] == "spec" else "annotation",
    )
