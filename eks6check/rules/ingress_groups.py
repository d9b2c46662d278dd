"""Application Load Balancers: actions, groups and logins that go with IPv4 and not with every kind of dual-stack."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from eks6check.catalog import rule
from eks6check.facts import Path
from eks6check.facts import ingresses as ing
from eks6check.facts.ingresses import Alb
from eks6check.facts.kube import Resource, mapping, sequence, text
from eks6check.facts.load_balancing import annotation, installed
from eks6check.facts.phrases import phrase
from eks6check.findings import Confidence, Problem

if TYPE_CHECKING:
    from eks6check.facts.aws import Cluster, TargetGroup

WITHOUT_IPV4 = "dualstack-without-public-ipv4"
LOGINS = ("cognito", "oidc")
"""The values of ``auth-type`` for which the load balancer itself talks to an identity provider."""


@rule
def alb_action_mixes_families(  # noqa: PLR0913, PLR0917  whose Ingress it is takes the classes and the controller
    ingresses: Sequence[Resource],
    ingress_classes: Sequence[Resource] = (),
    ingress_class_params: Sequence[Resource] = (),
    services: Sequence[Resource] = (),
    workloads: Sequence[Resource] = (),
    clusters: Sequence[Cluster] = (),
    target_groups: Sequence[TargetGroup] = (),
) -> Iterator[Problem]:
    """Services get IPv6 target groups; a group made elsewhere keeps its family, IPv4 unless somebody asked for IPv6."""
    known, backing = installed(workloads, clusters=clusters), ing.by_name(services)
    ipv6 = {name for group in target_groups if group.ip_address_type == "ipv6" for name in (group.id, group.name)}
    for alb in ing.albs(ingresses, ingress_classes, ingress_class_params, known):
        for key, document in ing.documents(alb.ingress, ing.ACTIONS):
            groups = _target_groups(mapping(document))
            fixed = [name for each in groups for name in [_fixed(each)] if name and name not in ipv6]
            names = [text(each.get("servicename")) for each in groups if each.get("servicename")]
            made = [name for name in names if not _external(backing.get((alb.ingress.namespace, name)))]
            if fixed and made:
                yield _mixed(alb.ingress, key, sorted(fixed), sorted(made))


def _target_groups(action: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The target groups among which an action shares its requests out."""
    forwards = text(action.get("type")).lower() == "forward"
    groups = sequence(mapping(action.get("forwardconfig")).get("targetgroups"))
    return [mapping(group) for group in groups] if forwards else []


def _fixed(group: Mapping[str, Any]) -> str:
    return text(group.get("targetgrouparn")) or text(group.get("targetgroupname"))


def _external(service: Resource | None) -> bool:
    return service is not None and service.get("spec", "type") == "ExternalName"


def _mixed(ingress: Resource, key: str, fixed: Sequence[str], made: Sequence[str]) -> Problem:
    return Problem(
        ingress,
        f"{ingress} shares requests between {phrase(fixed)}, made elsewhere, and {phrase(made)}, whose target group "
        f"will be IPv6; all of one action must be of one family.",
        at=("metadata", "annotations", key),
        find=fixed[0],
        evidence={"key": key, "target_groups": list(fixed), "services": list(made)},
        key=key,
    )


@rule
def ingress_group_address_types_conflict(
    ingresses: Sequence[Resource],
    ingress_classes: Sequence[Resource] = (),
    ingress_class_params: Sequence[Resource] = (),
    workloads: Sequence[Resource] = (),
    clusters: Sequence[Cluster] = (),
) -> Iterator[Problem]:
    """Members may leave the address type out, but those that say it must agree: the load balancer is one."""
    known = installed(workloads, clusters=clusters)
    for name, members in _groups(ing.albs(ingresses, ingress_classes, ingress_class_params, known)).items():
        values = {ing.address_type(alb) for alb in members}
        for alb in members if len(values) > 1 else ():
            others = [each for each in members if ing.address_type(each) != ing.address_type(alb)]
            yield _conflict(alb, name, others)


def _groups(albs: Iterable[Alb]) -> Mapping[str, list[Alb]]:
    """The members of each IngressGroup that say an address type, in the order of their names.

    What a file says of an Ingress stands for the live one. Files that disagree about one and the same Ingress belong to
    different clusters, such as overlays, and which goes with which nobody can tell.
    """
    versions: dict[str, dict[str, Alb]] = {}
    for alb in sorted(albs, key=lambda alb: (alb.ingress.origin.source != "manifests", alb.ingress.origin.file)):
        of_one = versions.setdefault(alb.ingress.subject.id, {})
        if alb.ingress.origin.source == "manifests" or not of_one:
            of_one.setdefault(ing.address_type(alb) or "", alb)
    groups: dict[str, list[Alb]] = {}
    for _, of_one in sorted(versions.items()):
        for value, alb in of_one.items():
            if value and len(of_one) == 1 and (name := ing.group(alb)):
                groups.setdefault(name, []).append(alb)
    return groups


def _conflict(alb: Alb, group: str, others: Sequence[Alb]) -> Problem:
    value = ing.address_type(alb)
    said = sorted({f"{each.ingress.name} says {ing.address_type(each)}" for each in others})
    return Problem(
        alb.ingress,
        f"{alb.ingress} says {value} for the load balancer of IngressGroup {group}, and {phrase(said)}.",
        at=_said_at(alb),
        evidence={"ip-address-type": value, "group": group, "others": said},
        confidence=Confidence.HIGH if alb.certain and all(each.certain for each in others) else Confidence.MEDIUM,
        also=tuple((each.ingress, _said_at(each)) for each in others),
    )


def _said_at(alb: Alb) -> Path:
    return () if ing.by_class(alb, "ipAddressType") else ing.asked_at(alb.ingress, ing.ADDRESS_TYPE)


@rule
def alb_login_without_ipv4(  # noqa: PLR0913, PLR0917  the login may stand on the Ingress or on a backend
    ingresses: Sequence[Resource],
    ingress_classes: Sequence[Resource] = (),
    ingress_class_params: Sequence[Resource] = (),
    services: Sequence[Resource] = (),
    workloads: Sequence[Resource] = (),
    clusters: Sequence[Cluster] = (),
) -> Iterator[Problem]:
    """The load balancer talks to identity providers over IPv4 alone, and this address type takes its public IPv4."""
    known, backing = installed(workloads, clusters=clusters), ing.by_name(services)
    albs = ing.albs(ingresses, ingress_classes, ingress_class_params, known)
    said = ing.address_types(albs)
    for alb in albs:
        if WITHOUT_IPV4 in ({ing.address_type(alb)} | said.get(ing.group(alb) or "", set())):
            backends = [service for _, service in ing.backends(alb, backing) if service]
            holders = [each for each in (alb.ingress, *backends) if annotation(each, ing.AUTH_TYPE) in LOGINS]
            if holders:
                yield _cut_off(alb, holders)


def _cut_off(alb: Alb, holders: Sequence[Resource]) -> Problem:
    login = annotation(holders[0], ing.AUTH_TYPE)
    return Problem(
        alb.ingress,
        f"{alb.ingress} logs people in through {login} on a load balancer that is {WITHOUT_IPV4}; it reaches identity "
        f"providers over IPv4 alone.",
        at=_said_at(alb),
        evidence={"ip-address-type": WITHOUT_IPV4, "auth-type": login, "needed": "dualstack"},
        confidence=Confidence.HIGH if alb.certain else Confidence.MEDIUM,
        also=tuple((each, ("metadata", "annotations", ing.AUTH_TYPE)) for each in holders),
    )
