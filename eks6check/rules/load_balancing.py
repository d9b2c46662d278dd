"""Load balancing: what must hold so that Services and Ingresses of an IPv6 cluster get their load balancers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from eks6check.catalog import rule
from eks6check.facts import ingresses as ing
from eks6check.facts import load_balancing as lb
from eks6check.facts.kube import Resource, owned_by
from eks6check.facts.load_balancing import Maker, annotation, installed, maker
from eks6check.facts.machines import primary_everywhere, primary_note
from eks6check.facts.phrases import few
from eks6check.findings import Confidence, Problem, Severity
from eks6check.knowledge.load_balancer_controller import dotted, first_release, for_another_cloud, near_miss

if TYPE_CHECKING:
    from eks6check.facts.aws import Cluster, Instance, Subnet

ROLE_TAGS = {"internet-facing": "kubernetes.io/role/elb", "internal": "kubernetes.io/role/internal-elb"}
"""The tag by which the controller discovers subnets, by scheme."""


@rule
def load_balancer_controller_missing(  # noqa: PLR0913, PLR0917  every section says a part of who asks and who is there
    services: Sequence[Resource],
    ingresses: Sequence[Resource],
    workloads: Sequence[Resource],
    webhooks: Sequence[Resource],
    ingress_classes: Sequence[Resource] = (),
    ingress_class_params: Sequence[Resource] = (),
    clusters: Sequence[Cluster] = (),
) -> Iterator[Problem]:
    """One finding for the cluster, at the first object that asks; Auto Mode brings a controller of its own."""
    known = installed(workloads, webhooks, clusters)
    if any(lb.controllers(workloads)) or known.takes_plain_services:
        return
    albs = ing.albs(ingresses, ingress_classes, ingress_class_params, known)
    asking = [each for each in services if maker(each, known) in (Maker.CONTROLLER, Maker.IN_TREE)]
    asking += [alb.ingress for alb in albs if alb.maker is Maker.CONTROLLER]
    if asking:
        first, *others = sorted(asking, key=lambda each: each.subject.id)
        names = sorted({str(each) for each in asking})
        yield Problem(
            first,
            f"{few(names)} ask{'' if len(names) > 1 else 's'} for load balancers, and no AWS Load Balancer "
            f"Controller runs in this cluster.",
            evidence={"asking": names},
            also=tuple((each, ()) for each in others),
        )


@rule
def load_balancer_controller_too_old(  # noqa: PLR0913, PLR0917  a floor holds where the feature is in use
    workloads: Sequence[Resource],
    services: Sequence[Resource] = (),
    ingresses: Sequence[Resource] = (),
    ingress_classes: Sequence[Resource] = (),
    ingress_class_params: Sequence[Resource] = (),
    webhooks: Sequence[Resource] = (),
    clusters: Sequence[Cluster] = (),
    subnets: Sequence[Subnet] = (),
) -> Iterator[Problem]:
    """The floor for IPv6 blocks; the one for UDP is the business of udp-nlb-without-ipv6-source-nat."""
    known = installed(workloads, webhooks, clusters)
    albs = ing.albs(ingresses, ingress_classes, ingress_class_params, known)
    for each in lb.controllers(workloads):
        if each.release is None:
            continue
        if each.release < first_release("ipv6"):
            needed = dotted(first_release("ipv6"))
            yield Problem(
                each.workload,
                f"{each.workload} runs {each.container.image}, and IPv6 needs release {needed} or later.",
                at=each.image_path,
                evidence={"image": each.container.image, "needed": needed},
            )
        elif each.release < first_release("subnet_choice"):
            yield from _subnets_of_both_kinds(each, subnets, _discovering(services, albs, known))


def _discovering(services: Iterable[Resource], albs: Iterable[ing.Alb], known: lb.Installed) -> set[str]:
    """The role tags that load balancers without subnets of their own are placed by."""
    nlbs = [each for each in services if maker(each, known) is Maker.CONTROLLER]
    schemes = {lb.scheme(each) for each in nlbs if annotation(each, lb.SUBNETS) is None}
    for alb in albs:
        named = annotation(alb.ingress, ing.SUBNETS) or (alb.params and alb.params.get("spec", "subnets"))
        if alb.maker is Maker.CONTROLLER and not named:
            schemes.add(ing.setting(alb, ing.SCHEME, "scheme") or "internal")
    return {ROLE_TAGS[scheme] for scheme in schemes if scheme in ROLE_TAGS}


def _subnets_of_both_kinds(each: lb.Deployed, subnets: Iterable[Subnet], roles: set[str]) -> Iterator[Problem]:
    lacking = [subnet for subnet in subnets if not subnet.ipv6_cidr_blocks and roles & set(subnet.tags)]
    if lacking:
        needed = dotted(first_release("subnet_choice"))
        names = ", ".join(sorted(subnet.id for subnet in lacking))
        yield Problem(
            each.workload,
            f"{each.workload} runs {each.container.image}, which can choose subnets without an IPv6 block ({names}); "
            f"release {needed} or later leaves them out.",
            at=each.image_path,
            evidence={"image": each.container.image, "needed": needed, "subnets": names},
            key="subnets",
            severity=Severity.WARNING,
            also=tuple((subnet, ()) for subnet in lacking),
        )


@rule
def service_left_to_in_tree_controller(
    services: Sequence[Resource], webhooks: Sequence[Resource] = (), clusters: Sequence[Cluster] = ()
) -> Iterator[Problem]:
    """Neither class nor type annotation takes it away from the controller that has no IPv6."""
    known = installed(webhooks=webhooks, clusters=clusters)
    for service in services:
        if maker(service, known) is Maker.IN_TREE:
            foreign = for_another_cloud(service) if service.origin.source == "manifests" else None
            udp, told = bool(lb.udp_port(service)), annotation(service, lb.LOAD_BALANCER_TYPE)
            owner = owned_by(service)
            yield Problem(
                service,
                f"{service} {_why_in_tree(told, foreign)} left to the in-tree controller, which has no IPv6"
                f"{'; its UDP ports need source NAT for IPv6 as well' if udp else ''}."
                f"{f' {owner} makes it, so the change belongs there.' if owner else ''}",
                at=lb.asked_at(service, lb.LOAD_BALANCER_TYPE),
                evidence={"aws-load-balancer-type": told, "scheme": lb.in_tree_scheme(service)},
                remedy="udp" if udp else "gateway" if owner.startswith("Gateway ") else "tcp",
                severity=Severity.INFO if foreign else Severity.BLOCKER,
                confidence=Confidence.LOW if foreign else Confidence.HIGH,
            )


def _why_in_tree(told: str | None, foreign: str | None) -> str:
    if foreign:
        return f"carries {foreign}, which is for other load balancers; on EKS it would be"
    said = f"has aws-load-balancer-type {told!r}" if told else "names no controller for its load balancer"
    return f"{said}, so it is"


@rule
def nlb_not_dualstack(
    services: Sequence[Resource],
    workloads: Sequence[Resource] = (),
    webhooks: Sequence[Resource] = (),
    clusters: Sequence[Cluster] = (),
) -> Iterator[Problem]:
    """A Service of an IPv6 cluster has IPv6 targets, and an IPv4 load balancer cannot have those."""
    known = installed(workloads, webhooks, clusters)
    for service in services:
        made_by = maker(service, known)
        value = annotation(service, lb.ADDRESS_TYPE)
        if (
            made_by in (Maker.CONTROLLER, Maker.AUTO_MODE)
            and value in (None, "ipv4")
            and not near_miss(service, lb.ADDRESS_TYPE)
        ):
            said = "sets ip-address-type ipv4" if value else "leaves ip-address-type at its default, ipv4"
            yield Problem(
                service,
                f"{service} gets its load balancer from {made_by} and {said}; an IPv6 cluster needs dualstack.",
                at=lb.asked_at(service, lb.ADDRESS_TYPE),
                evidence={"ip-address-type": value, "needed": "dualstack"},
                remedy="auto-mode" if made_by is Maker.AUTO_MODE else "controller",
            )


@rule
def nlb_targets_instances(
    services: Sequence[Resource],
    workloads: Sequence[Resource] = (),
    webhooks: Sequence[Resource] = (),
    clusters: Sequence[Cluster] = (),
    instances: Sequence[Instance] = (),
) -> Iterator[Problem]:
    """Instance targets are registered by a primary IPv6 address, which EKS nodes lack unless somebody asked for it."""
    known = installed(workloads, webhooks, clusters)
    for service in services:
        if (
            maker(service, known) is Maker.CONTROLLER
            and lb.target_type(service, known) != "ip"
            and not near_miss(service, lb.TARGET_TYPE)
        ):
            value = annotation(service, lb.TARGET_TYPE)
            said = "leaves the target type at its default, instance" if value is None else f"sets target type {value!r}"
            yield Problem(
                service,
                f"{service} {said}; IPv6 needs ip.{primary_note(instances)}",
                at=lb.asked_at(service, lb.TARGET_TYPE),
                evidence={"target-type": value, "needed": "ip"},
                severity=Severity.WARNING if primary_everywhere(instances) else Severity.BLOCKER,
            )


@rule
def udp_nlb_without_ipv6_source_nat(
    services: Sequence[Resource],
    workloads: Sequence[Resource] = (),
    webhooks: Sequence[Resource] = (),
    clusters: Sequence[Cluster] = (),
) -> Iterator[Problem]:
    """A dual-stack UDP listener needs the prefix, and a controller that knows the annotation."""
    known = installed(workloads, webhooks, clusters)
    wanting = [each for each in services if maker(each, known) is Maker.CONTROLLER and lb.udp_port(each)]
    for service in wanting:
        value = annotation(service, lb.SOURCE_NAT)
        if value != "on" and not near_miss(service, lb.SOURCE_NAT):
            said = "no prefix for source NAT" if value is None else f"{value!r} for the prefix for source NAT"
            yield Problem(
                service,
                f'{service} has a UDP port and asks for {said}; a dual-stack load balancer needs "on".',
                at=("metadata", "annotations", lb.SOURCE_NAT) if value is not None else lb.udp_port(service),
                evidence={"enable-prefix-for-ipv6-source-nat": value, "needed": "on"},
                remedy="annotation",
            )
    for each in lb.controllers(workloads) if wanting else ():
        if each.release and first_release("ipv6") <= each.release < first_release(lb.SOURCE_NAT):
            needed = dotted(first_release(lb.SOURCE_NAT))
            yield Problem(
                each.workload,
                f"{each.workload} runs {each.container.image}, and UDP over IPv6 needs release {needed} or later.",
                at=each.image_path,
                evidence={"image": each.container.image, "needed": needed},
                remedy="controller",
                also=tuple((service, lb.udp_port(service)) for service in wanting),
            )
