"""Views on load balancing: which controller makes the load balancer that a Service asks for, and how it is set.

The order of precedence is the AWS Load Balancer Controller's own (pkg/service and webhooks/core of its repository).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, NamedTuple

from eks6check.facts import Path
from eks6check.facts.kube import Container, Resource, containers, mapping, sequence, text, wire
from eks6check.facts.versions import NEWEST, Version, repository, tag, version

if TYPE_CHECKING:
    from eks6check.facts.aws import Cluster

SERVICE_PREFIX = "service.beta.kubernetes.io/"
LOAD_BALANCER_TYPE = SERVICE_PREFIX + "aws-load-balancer-type"
ADDRESS_TYPE = SERVICE_PREFIX + "aws-load-balancer-ip-address-type"
TARGET_TYPE = SERVICE_PREFIX + "aws-load-balancer-nlb-target-type"
SCHEME = SERVICE_PREFIX + "aws-load-balancer-scheme"
INTERNAL = SERVICE_PREFIX + "aws-load-balancer-internal"
SUBNETS = SERVICE_PREFIX + "aws-load-balancer-subnets"
SOURCE_NAT = SERVICE_PREFIX + "aws-load-balancer-enable-prefix-for-ipv6-source-nat"
SOURCE_RANGES = SERVICE_PREFIX + "load-balancer-source-ranges"
SECURITY_GROUPS = SERVICE_PREFIX + "aws-load-balancer-security-groups"
NO_SECURITY_GROUP = SERVICE_PREFIX + "aws-load-balancer-disable-nlb-sg"
PREFIX_LISTS = SERVICE_PREFIX + "aws-load-balancer-security-group-prefix-lists"
EIP_ALLOCATIONS = SERVICE_PREFIX + "aws-load-balancer-eip-allocations"
PRIVATE_IPV4_ADDRESSES = SERVICE_PREFIX + "aws-load-balancer-private-ipv4-addresses"
IPV6_ADDRESSES = SERVICE_PREFIX + "aws-load-balancer-ipv6-addresses"

CONTROLLER_CLASS = "service.k8s.aws/nlb"
AUTO_MODE_CLASS = "eks.amazonaws.com/nlb"
CONTROLLER_NAME = "aws-load-balancer-controller"
CONTROLLER_IMAGES = frozenset({CONTROLLER_NAME, "aws-alb-ingress-controller", "alb-ingress-controller"})
"""Last parts of the repositories that the controller was published under, the oldest at the end."""


class Maker(StrEnum):
    """Who makes the load balancer."""

    CONTROLLER = "the AWS Load Balancer Controller"
    AUTO_MODE = "EKS Auto Mode"
    IN_TREE = "the in-tree controller"
    OTHER = "another controller"


class Deployed(NamedTuple):
    """The AWS Load Balancer Controller as a workload runs it."""

    workload: Resource
    container: Container

    @property
    def release(self) -> Version | None:
        """The release in the image's tag, or None where it does not say. ``v2.4`` moves, so it counts as its newest."""
        return version(tag(self.container.image), NEWEST)

    @property
    def image_path(self) -> Path:
        """The path to the image inside the workload."""
        return (*self.container.path, "image")


@dataclass(frozen=True, slots=True)
class Installed:
    """What is known of the controllers at work; where nothing is known, as their charts install them."""

    load_balancer_classes: frozenset[str] = frozenset({CONTROLLER_CLASS})
    ingress_classes: frozenset[str] = frozenset({"alb"})
    target_type: str = "instance"
    takes_plain_services: bool = False
    auto_mode: bool = False


def installed(
    workloads: Iterable[Resource] = (), webhooks: Iterable[Resource] = (), clusters: Iterable[Cluster] = ()
) -> Installed:
    """What the objects in view say of the controllers: flags, the Service webhook, and Auto Mode."""
    found = [deployed.container for deployed in controllers(workloads)]
    target_types = {flag(container, "--default-target-type") for container in found}
    return Installed(
        load_balancer_classes=frozenset({CONTROLLER_CLASS, *flags(found, "--load-balancer-class")}),
        ingress_classes=frozenset({"alb", *flags(found, "--ingress-class")}),
        target_type="ip" if target_types == {"ip"} else "instance",
        takes_plain_services=any(map(mutates_services, webhooks)),
        auto_mode=any(cluster.auto_mode for cluster in clusters),
    )


def controllers(workloads: Iterable[Resource]) -> Iterator[Deployed]:
    """Every AWS Load Balancer Controller among the workloads, by its image, or a renamed one by its chart's label."""
    for workload in workloads:
        found = list(containers(workload))
        named = [each for each in found if repository(each.image) in CONTROLLER_IMAGES]
        if not named and workload.labels.get("app.kubernetes.io/name") == CONTROLLER_NAME:
            named = [each for each in found if each.name in (CONTROLLER_NAME, "controller")]
        if named:
            yield Deployed(workload, named[0])


def flags(found: Iterable[Container], name: str) -> Iterator[str]:
    """The values that the containers give a flag."""
    return filter(None, (flag(container, name) for container in found))


def flag(container: Container, name: str) -> str | None:
    """The value of a flag, written as one word or as two; None where it is not given."""
    words = [word for _, word in container.arguments()]
    for word, following in zip_longest(words, words[1:], fillvalue=""):
        if word.startswith(f"{name}="):
            return word.partition("=")[2]
        if word == name:
            return following
    return None


def mutates_services(configuration: Resource) -> bool:
    """Whether this is the controller's webhook that gives its class to every new Service of type LoadBalancer."""
    return any(_mutates_services(mapping(webhook)) for webhook in configuration.list("webhooks"))


def _mutates_services(webhook: Mapping[str, Any]) -> bool:
    rules = [mapping(each) for each in sequence(webhook.get("rules"))]
    service = mapping(mapping(webhook.get("clientConfig")).get("service"))
    ours = text(webhook.get("name")).endswith(".elbv2.k8s.aws") or CONTROLLER_NAME in text(service.get("name"))
    return ours and any({"services", "*", "*/*"} & set(map(str, sequence(each.get("resources")))) for each in rules)


def maker(service: Resource, known: Installed) -> Maker | None:
    """Who makes a Service's load balancer once the Service is created anew; None where it asks for none."""
    if service.get("spec", "type") != "LoadBalancer":
        return None
    if declared := service.get("spec", "loadBalancerClass"):
        if declared == AUTO_MODE_CLASS:
            return Maker.AUTO_MODE
        return Maker.CONTROLLER if str(declared) in known.load_balancer_classes else Maker.OTHER
    if known.takes_plain_services:
        return Maker.CONTROLLER
    if known.auto_mode:
        return Maker.AUTO_MODE
    return Maker.CONTROLLER if annotation(service, LOAD_BALANCER_TYPE) in ("external", "nlb-ip") else Maker.IN_TREE


def annotation(resource: Resource, key: str) -> str | None:
    """An annotation's value as the API server would carry it; None where there is none, or no scalar."""
    value = resource.annotations.get(key)
    return None if value is None or isinstance(value, dict | list) else wire(value)


def target_type(service: Resource, known: Installed) -> str:
    """What the controller registers for a Service: ``ip`` or ``instance``, or whatever else the annotation says."""
    if annotation(service, LOAD_BALANCER_TYPE) == "nlb-ip":
        return "ip"
    value = annotation(service, TARGET_TYPE)
    return known.target_type if value is None else value


def scheme(service: Resource) -> str:
    """The scheme that the AWS Load Balancer Controller gives a Service."""
    return annotation(service, SCHEME) or "internal"


def in_tree_scheme(service: Resource) -> str:
    """The scheme that the in-tree controller gives a Service: the opposite default."""
    told = annotation(service, INTERNAL) or "false"
    return annotation(service, SCHEME) or ("internet-facing" if told == "false" else "internal")


def udp_port(service: Resource) -> Path:
    """The path to the first UDP protocol among a Service's ports; empty where there is none."""
    for index, port in enumerate(service.list("spec", "ports")):
        if mapping(port).get("protocol") == "UDP":
            return ("spec", "ports", index, "protocol")
    return ()


def asked_at(service: Resource, key: str) -> Path:
    """The place of an annotation, or of what makes it needed where it is absent."""
    if key in service.annotations:
        return ("metadata", "annotations", key)
    if service.get("spec", "loadBalancerClass"):
        return ("spec", "loadBalancerClass")
    if LOAD_BALANCER_TYPE in service.annotations:
        return ("metadata", "annotations", LOAD_BALANCER_TYPE)
    return ("spec", "type")
