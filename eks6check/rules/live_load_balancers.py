"""Live load balancers and target groups: what cannot turn dual-stack, and what has not yet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from eks6check.catalog import rule
from eks6check.facts import gateways as gw
from eks6check.facts.cidrs import ipv4_only
from eks6check.facts.ingresses import files_last
from eks6check.facts.kube import Resource, mapping, owned_by, sequence, text, wire
from eks6check.facts.load_balancing import SERVICE_PREFIX, Maker, annotation, installed, maker
from eks6check.facts.machines import primary_everywhere, primary_note
from eks6check.facts.phrases import phrase
from eks6check.findings import Confidence, Problem, Severity

if TYPE_CHECKING:
    from eks6check.facts.aws import Cluster, Instance, LoadBalancer, TargetGroup

QUIC_PORTS = SERVICE_PREFIX + "aws-load-balancer-quic-enabled-ports"

QUIC = frozenset({"QUIC", "TCP_QUIC"})
"""Protocols that no dual-stack Network Load Balancer takes (User Guide for Network Load Balancers, read 2026-11-25)."""

SERVICE_TAG = "service.k8s.aws/stack"
STACK_TAGS = {SERVICE_TAG: "Service", "ingress.k8s.aws/stack": "Ingress", "kubernetes.io/service-name": "Service"}
"""Tags in which controllers write what they made a load balancer for, such as ``shop/web``, and its kind."""

STACK_LABELS = frozenset({"stack", "stack-name"})
"""Names, behind the domain, of the labels on bindings that the controller makes for Services, Ingresses, Gateways."""


@rule
def quic_on_dualstack_nlb(  # noqa: PLR0913, PLR0917  the same fault shows in a manifest and in the account
    services: Sequence[Resource] = (),
    workloads: Sequence[Resource] = (),
    webhooks: Sequence[Resource] = (),
    clusters: Sequence[Cluster] = (),
    load_balancers: Sequence[LoadBalancer] = (),
    target_groups: Sequence[TargetGroup] = (),
    gateways: Sequence[Resource] = (),
    gateway_classes: Sequence[Resource] = (),
    load_balancer_configurations: Sequence[Resource] = (),
) -> Iterator[Problem]:
    """An IPv6 cluster's load balancer must be dual-stack. A live one goes with the Service that it was made for."""
    live = with_quic(load_balancers, target_groups)
    known = installed(workloads, webhooks, clusters)
    ours = [each for each in services if maker(each, known) is Maker.CONTROLLER]
    asking = [(each, ports) for each in ours if (ports := quic_ports(each))]
    names = {f"{service.namespace}/{service.name}" for service, _ in asking}
    for service, ports in asking:
        yield quic_service(service, ports, [each for each, _ in live])
    for load_balancer, group in live:
        if load_balancer.tags.get(SERVICE_TAG) not in names:
            yield quic_load_balancer(load_balancer, group)
    yield from quic_gateways(gw.managed(gateways, gateway_classes, load_balancer_configurations))


def with_quic(
    load_balancers: Sequence[LoadBalancer], target_groups: Sequence[TargetGroup]
) -> list[tuple[LoadBalancer, TargetGroup]]:
    """The Network Load Balancers that have a target group for QUIC, each with the last one by id."""
    live = {each.id: each for each in load_balancers if each.type == "network"}
    quic = sorted((group for group in target_groups if group.protocol in QUIC), key=lambda group: group.id)
    found = {arn: (live[arn], group) for group in quic for arn in group.load_balancer_arns if arn in live}
    return list(found.values())


def quic_service(service: Resource, ports: Sequence[Any], live: Sequence[LoadBalancer]) -> Problem:
    """The problem of a Service, with the load balancer that the controller has made for it."""
    name = f"{service.namespace}/{service.name}"
    return Problem(
        service,
        f"{service} asks for QUIC on port {', '.join(map(str, ports))}; its load balancer must be dual-stack in an "
        f"IPv6 cluster, and no dual-stack one takes QUIC.",
        at=("metadata", "annotations", QUIC_PORTS),
        evidence={"quic-enabled-ports": annotation(service, QUIC_PORTS), "ports": list(ports)},
        remedy="service",
        also=tuple((each, ()) for each in live if each.tags.get(SERVICE_TAG) == name),
    )


def quic_load_balancer(load_balancer: LoadBalancer, group: TargetGroup) -> Problem:
    """The problem of a live load balancer whose Service is out of view, or no longer asks for it."""
    return Problem(
        load_balancer,
        f"{load_balancer} has the {group.protocol} target group {group}; it must be dual-stack in an IPv6 cluster, and "
        f"no dual-stack load balancer takes QUIC.",
        evidence={"load_balancer": load_balancer.name, "target_group": group.name, "protocol": group.protocol},
        remedy="service",
        also=((group, ()),),
    )


def quic_gateways(found: Sequence[gw.Managed]) -> Iterator[Problem]:
    """The configurations that turn a listener into QUIC, each with the Gateways that it is in effect for."""
    users: dict[str, tuple[Resource, list[Resource]]] = {}
    for each in found:
        for configuration in each.configurations if each.type != "application" else ():
            users.setdefault(configuration.subject.id, (configuration, []))[1].append(each.gateway)
    for configuration, users_of_it in users.values():
        listeners = [mapping(each) for each in configuration.list("spec", "listenerConfigurations")]
        quic = [index for index, each in enumerate(listeners) if each.get("quicEnabled") is True]
        if quic:
            ports = [wire(listeners[index].get("protocolPort")) for index in quic]
            names = phrase(list(map(str, users_of_it)))
            yield Problem(
                configuration,
                f"{configuration} turns {', '.join(ports)} into QUIC for {names}; the load "
                f"balancer must be dual-stack in an IPv6 cluster, and no dual-stack one takes QUIC.",
                at=("spec", "listenerConfigurations", quic[0], "quicEnabled"),
                evidence={"protocol_ports": ports, "quicEnabled": True},
                remedy="gateway",
                also=tuple((gateway, gw.configured_at(gateway)) for gateway in users_of_it),
            )


def quic_ports(service: Resource) -> list[Any]:
    """The UDP ports that the annotation turns into QUIC, named there by number or by name."""
    asked = {word.strip() for word in (annotation(service, QUIC_PORTS) or "").split(",")} - {""}
    ports = [mapping(port) for port in service.list("spec", "ports")]
    udp = [port for port in ports if port.get("protocol") == "UDP" and not isinstance(port.get("port"), dict | list)]
    return [port["port"] for port in udp if "port" in port and asked & {wire(port["port"]), text(port.get("name"))}]


@rule
def target_group_binding_is_ipv4(
    target_group_bindings: Sequence[Resource],
    target_groups: Sequence[TargetGroup] = (),
    instances: Sequence[Instance] = (),
) -> Iterator[Problem]:
    """Bindings that the controller makes of Services, Ingresses and Gateways are left out: it makes them anew."""
    known = {key: group for group in target_groups for key in (group.id, group.name)}
    for binding in target_group_bindings:
        if not made_by_controller(binding):
            field = "targetGroupARN" if binding.get("spec", "targetGroupARN") else "targetGroupName"
            group = known.get(text(binding.get("spec", field)))
            yield from wrong_family(binding, field, group) or wrong_targets(binding, field, group, instances)
            yield from wrong_peers(binding)


def made_by_controller(binding: Resource) -> bool:
    """Whether a label tells of the stack that the binding is a part of, or an owner keeps it as it is."""
    return bool(owned_by(binding)) or any(str(key).partition("/")[2] in STACK_LABELS for key in binding.labels)


def wrong_family(binding: Resource, field: str, group: TargetGroup | None) -> list[Problem]:
    """The problem of a binding that says other than ipv6, or whose group is other; one that nobody knows is likely."""
    told, name = text(binding.get("spec", "ipAddressType")), text(binding.get("spec", field))
    real = group.ip_address_type if group else ""
    if "ipv6" in (told, real) and {told, real} <= {"ipv6", ""}:
        return []
    if not (told or real or name):
        return []
    if told and told != "ipv6":
        said = f"has ipAddressType {told}"
    elif group:
        said = f"binds the target group {group}, which is {real}"
    else:
        said = f"names no ipAddressType for the target group {name}, which then counts as ipv4"
    return [
        Problem(
            binding,
            f"{binding} {said}; the pods of an IPv6 cluster fit only an ipv6 one.",
            at=("spec", "ipAddressType" if told else field),
            evidence={
                "target_group": name,
                "ipAddressType": told or None,
                "target_group_ip_address_type": real or None,
            },
            severity=Severity.BLOCKER if told or real else Severity.WARNING,
            confidence=Confidence.HIGH if told or real else Confidence.MEDIUM,
            also=((group, ()),) if group else (),
        )
    ]


def wrong_targets(
    binding: Resource, field: str, group: TargetGroup | None, instances: Sequence[Instance]
) -> list[Problem]:
    """The problem of a binding that registers instances, by its own word or by that of its group."""
    told = text(binding.get("spec", "targetType"))
    if (told or (group.target_type if group else "")) != "instance":
        return []
    return [
        Problem(
            binding,
            f"{binding} registers instances; IPv6 needs a target group of type ip.{primary_note(instances)}",
            at=("spec", "targetType" if told else field),
            evidence={"target_group": text(binding.get("spec", field)), "targetType": "instance"},
            severity=Severity.WARNING if primary_everywhere(instances) else Severity.BLOCKER,
            also=((group, ()),) if group else (),
        )
    ]


def wrong_peers(binding: Resource) -> Iterator[Problem]:
    """The problem of a binding that opens the pods' security group to IPv4 blocks, and to nobody else."""
    rules = map(mapping, binding.list("spec", "networking", "ingress"))
    peers = [mapping(peer) for each in rules for peer in sequence(each.get("from"))]
    blocks = ipv4_only([mapping(peer.get("ipBlock")).get("cidr") for peer in peers])
    if blocks:
        yield Problem(
            binding,
            f"{binding} opens the pods' security group to {', '.join(blocks)} alone; the load balancer comes to pods "
            "of an IPv6 cluster over IPv6.",
            at=("spec", "networking", "ingress"),
            find=blocks[0],
            evidence={"blocks": blocks},
            key="networking",
            severity=Severity.WARNING,
            remedy="networking",
        )


@rule
def load_balancer_still_ipv4(
    load_balancers: Sequence[LoadBalancer], services: Sequence[Resource] = (), ingresses: Sequence[Resource] = ()
) -> Iterator[Problem]:
    """A note for each one: where its clients meet the cluster today, and what the new one will need."""
    known = {(each.kind, f"{each.namespace}/{each.name}"): each for each in files_last((*services, *ingresses))}
    for load_balancer in load_balancers:
        if load_balancer.ip_address_type == "ipv4":
            kind, made_for = next(made_for_what(load_balancer.tags), ("", ""))
            whose = f", made for {made_for}," if made_for else ""
            owner = known.get((kind, made_for))
            yield Problem(
                load_balancer,
                f"{load_balancer}{whose} {kind_said(load_balancer)}, so its clients have no IPv6 way in.",
                evidence={
                    "load_balancer": load_balancer.name,
                    "type": load_balancer.type,
                    "scheme": load_balancer.scheme,
                    "ip_address_type": load_balancer.ip_address_type,
                    "made_for": made_for,
                    "vpc": load_balancer.vpc_id,
                },
                remedy=load_balancer.type if load_balancer.type in {"application", "classic"} else "network",
                also=((owner, ("metadata", "name")),) if owner else (),
            )


def made_for_what(tags: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The kinds and names that the controllers have written down."""
    return ((kind, tags[key]) for key, kind in STACK_TAGS.items() if tags.get(key))


def kind_said(load_balancer: LoadBalancer) -> str:
    """What it is, as a sentence goes on: ``is an internal network load balancer with ip-address-type ipv4``."""
    if load_balancer.type == "classic":
        return "is a classic load balancer, a type that has no IPv6 in a VPC"
    words = " ".join(filter(None, (load_balancer.scheme, load_balancer.type, "load balancer")))
    return f"is {'an' if words[0] in 'aeiou' else 'a'} {words} with ip-address-type ipv4"
