"""Access lists: who may come in to a load balancer, an ALB rule or an ingress controller, said in IPv4 alone."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from eks6check.catalog import rule
from eks6check.facts import Path, Places
from eks6check.facts import gateways as gw
from eks6check.facts import ingresses as ing
from eks6check.facts import load_balancing as lb
from eks6check.facts.cidrs import EVERYWHERE, ipv4_only, listed
from eks6check.facts.kube import Resource, mapping, sequence
from eks6check.facts.load_balancing import Maker, annotation, installed, maker
from eks6check.findings import Problem
from eks6check.knowledge.load_balancer_controller import for_another_cloud

if TYPE_CHECKING:
    from eks6check.facts.aws import Cluster


class AccessList(NamedTuple):
    """A list of source ranges: the object that holds it, its path, its entries, and the objects that it decides for."""

    holder: Resource
    path: Path
    entries: Collection[Any]
    users: tuple[Resource, ...] = ()


@rule
def source_ranges_ipv4_only(  # noqa: PLR0913, PLR0917  three ways to ask for a load balancer, each with its own list
    services: Sequence[Resource],
    ingresses: Sequence[Resource],
    ingress_classes: Sequence[Resource] = (),
    ingress_class_params: Sequence[Resource] = (),
    gateways: Sequence[Resource] = (),
    gateway_classes: Sequence[Resource] = (),
    load_balancer_configurations: Sequence[Resource] = (),
    workloads: Sequence[Resource] = (),
    webhooks: Sequence[Resource] = (),
    clusters: Sequence[Cluster] = (),
) -> Iterator[Problem]:
    """The controller writes security group rules for the listed families only; without a list it opens both."""
    known = installed(workloads, webhooks, clusters)
    albs = ing.albs(ingresses, ingress_classes, ingress_class_params, known)
    managed = gw.managed(gateways, gateway_classes, load_balancer_configurations)
    for remedy, lists in (
        ("spec", _by_spec(_balanced(services, known))),
        ("service", _by_annotation(_balanced(services, known))),
        ("class", _by_class(albs)),
        ("ingress", _by_ingress(albs, ing.by_name(services))),
        ("gateway", _by_configuration(managed)),
    ):
        for each in lists:
            if ranges := ipv4_only(each.entries):
                yield _shut_out(each, ranges, remedy)


def _shut_out(each: AccessList, ranges: Sequence[str], remedy: str) -> Problem:
    both = [*ranges, "::/0" if EVERYWHERE in ranges else "IPV6_RANGE_OF_THE_SAME_CLIENTS"]
    also: Places = tuple((user, ()) for user in sorted(each.users, key=lambda user: user.subject.id))
    return Problem(
        each.holder,
        f"{each.holder} lets in {', '.join(ranges)} and no IPv6; on a dual-stack load balancer, clients that come over "
        f"IPv6 are shut out.",
        at=each.path,
        evidence={"ranges": list(ranges), "both": ",".join(both), "apiVersion": each.holder.get("apiVersion")},
        remedy=remedy,
        also=also,
    )


def _balanced(services: Iterable[Resource], known: lb.Installed) -> Iterator[Resource]:
    """The Services with a load balancer of AWS whose security group the controller writes."""
    for service in services:
        given = [annotation(service, key) for key in (lb.SECURITY_GROUPS, lb.PREFIX_LISTS)]
        closed = any(given) or annotation(service, lb.NO_SECURITY_GROUP) == "true"
        if maker(service, known) not in (None, Maker.OTHER) and not closed and not for_another_cloud(service):
            yield service


def _by_spec(services: Iterable[Resource]) -> Iterator[AccessList]:
    for service in services:
        yield AccessList(
            service, ("spec", "loadBalancerSourceRanges"), service.list("spec", "loadBalancerSourceRanges")
        )


def _by_annotation(services: Iterable[Resource]) -> Iterator[AccessList]:
    """The annotation counts only where the field is empty."""
    for service in services:
        if not service.list("spec", "loadBalancerSourceRanges"):
            ranges = listed(annotation(service, lb.SOURCE_RANGES))
            yield AccessList(service, ("metadata", "annotations", lb.SOURCE_RANGES), ranges)


def _by_class(albs: Iterable[ing.Alb]) -> Iterator[AccessList]:
    """A class's list is the list of all its Ingresses, whatever they say."""
    users: dict[str, tuple[Resource, list[Resource]]] = {}
    for alb in albs:
        if alb.params and not alb.params.get("spec", "prefixListsIDs"):
            users.setdefault(alb.params.subject.id, (alb.params, []))[1].append(alb.ingress)
    for params, found in users.values():
        yield AccessList(params, ("spec", "inboundCIDRs"), params.list("spec", "inboundCIDRs"), tuple(found))


def _by_ingress(albs: Sequence[ing.Alb], services: ing.Services) -> Iterator[AccessList]:
    grouped = {ing.group(alb) for alb in albs if annotation(alb.ingress, ing.SECURITY_GROUPS)} - {None}
    for alb in albs:
        given = [annotation(alb.ingress, key) for key in (ing.SECURITY_GROUPS, ing.PREFIX_LISTS)]
        if any(given) or ing.group(alb) in grouped or (alb.params and alb.params.get("spec", "inboundCIDRs")):
            continue
        if ing.backends(alb, services) or (ing.address_type(alb) or "ipv4") != "ipv4":
            ranges = listed(annotation(alb.ingress, ing.INBOUND_CIDRS))
            yield AccessList(alb.ingress, ("metadata", "annotations", ing.INBOUND_CIDRS), ranges)


def _by_configuration(managed: Iterable[gw.Managed]) -> Iterator[AccessList]:
    users: dict[str, tuple[Resource, list[Resource]]] = {}
    for each in managed:
        others = ("securityGroups", "securityGroupPrefixes", "disableSecurityGroup")
        _, holder = gw.setting(each, "sourceRanges")
        if holder is not None and not any(gw.setting(each, field)[0] for field in others):
            users.setdefault(holder.subject.id, (holder, []))[1].append(each.gateway)
    for holder, found in users.values():
        yield AccessList(holder, ("spec", "sourceRanges"), holder.list("spec", "sourceRanges"), tuple(found))


@rule
def alb_condition_ipv4_only(  # noqa: PLR0913, PLR0917  whose Ingress it is takes the classes and the controller
    ingresses: Sequence[Resource],
    listener_rule_configurations: Sequence[Resource],
    ingress_classes: Sequence[Resource] = (),
    ingress_class_params: Sequence[Resource] = (),
    workloads: Sequence[Resource] = (),
    clusters: Sequence[Cluster] = (),
) -> Iterator[Problem]:
    """A source-ip condition is met by the ranges that it lists, and by nobody who comes over the other family."""
    known = installed(workloads, clusters=clusters)
    for alb in ing.albs(ingresses, ingress_classes, ingress_class_params, known):
        for key, document in ing.documents(alb.ingress, ing.CONDITIONS):
            for index, condition in enumerate(map(mapping, sequence(document))):
                entries = sequence(mapping(condition.get("sourceipconfig")).get("values"))
                held = AccessList(alb.ingress, ("metadata", "annotations", key), entries)
                if condition.get("field") == "source-ip":
                    yield from _never_met(held, f"{key}[{index}]", "ingress")
    for configuration in listener_rule_configurations:
        for index, condition in enumerate(map(mapping, configuration.list("spec", "conditions"))):
            entries = sequence(mapping(condition.get("sourceIPConfig")).get("values"))
            held = AccessList(configuration, ("spec", "conditions", index, "sourceIPConfig", "values"), entries)
            yield from _never_met(held, f"conditions[{index}]", "gateway")


def _never_met(held: AccessList, where: str, remedy: str) -> Iterator[Problem]:
    if ranges := ipv4_only(held.entries):
        yield Problem(
            held.holder,
            f"{held.holder} takes source-ip {', '.join(ranges)} and no IPv6 in {where}; a client that comes over IPv6 "
            f"never meets that condition.",
            at=held.path,
            find=ranges[0],
            evidence={"ranges": ranges, "key": where.partition("[")[0], "apiVersion": held.holder.get("apiVersion")},
            key=where,
            remedy=remedy,
        )
