"""What Elastic Load Balancing and WAF know: load balancers, target groups, and the web ACLs in front of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from eks6check.facts.aws.record import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadBalancer(Record):
    """A load balancer that the cluster's controllers made; ``id`` is its ARN, or its name where it is a classic one.

    ``type`` is ``application``, ``network``, ``gateway`` or ``classic``; ``ip_address_type`` is ``ipv4``,
    ``dualstack`` or ``dualstack-without-public-ipv4``.
    """

    name: str = ""
    type: str = ""
    scheme: str = ""
    ip_address_type: str = "ipv4"
    vpc_id: str = ""
    subnet_ids: tuple[str, ...] = ()
    group_ids: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.name or self.id


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetGroup(Record):
    """A target group of the cluster's VPC; ``id`` is its ARN. ``ip_address_type`` is ``ipv4`` or ``ipv6``."""

    name: str = ""
    protocol: str = ""
    port: int = 0
    target_type: str = "instance"
    ip_address_type: str = "ipv4"
    vpc_id: str = ""
    load_balancer_arns: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.name or self.id


@dataclass(frozen=True, slots=True, kw_only=True)
class IpSetRule:
    """A rule of a web ACL that names IP sets, by ARN; ``except_ip_set_arns`` are those that stand under a negation.

    ``action`` is what becomes of a request that it takes: ``allow``, ``block``, ``count``, ``captcha``, ``challenge``.
    """

    name: str
    action: str = ""
    ip_set_arns: tuple[str, ...] = ()
    except_ip_set_arns: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WebAcl(Record):
    """A web ACL of WAF with the load balancers that it guards, and those of its rules that name IP sets.

    ``id`` is its ARN. ``default_action`` is ``allow`` or ``block``: what becomes of a request that no rule takes.
    """

    name: str = ""
    default_action: str = ""
    load_balancer_arns: tuple[str, ...] = ()
    ip_set_rules: tuple[IpSetRule, ...] = ()

    def __str__(self) -> str:
        return self.name or self.id


@dataclass(frozen=True, slots=True, kw_only=True)
class IpSet(Record):
    """An IP set of WAF; ``id`` is its ARN. ``ip_address_version`` is ``IPV4`` or ``IPV6``: a set holds one family."""

    name: str = ""
    ip_address_version: str = ""
    addresses: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.name or self.id
