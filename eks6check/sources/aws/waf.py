"""The web ACLs of WAF in front of the cluster's load balancers, and the IP sets that their rules name.

WAF guards Application Load Balancers only. A rule group's own rules are not looked into.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

from eks6check.facts import Gap, Section
from eks6check.facts.aws import IpSet, IpSetRule, LoadBalancer, WebAcl
from eks6check.facts.kube import mapping, text
from eks6check.sources import collector
from eks6check.sources.aws.api import Source, each, gathered, made
from eks6check.sources.aws.bodies import Body, bodies, live, texts

SCOPE = "REGIONAL"


@collector("wafv2:ListWebACLs", "wafv2:ListResourcesForWebACL", "wafv2:GetWebACL")
def web_acls(source: Source, load_balancers: Section[LoadBalancer]) -> Iterator[WebAcl | Gap]:
    """The web ACLs that guard the cluster's Application Load Balancers; nothing is asked where there are none."""
    ours = {each.id for each in load_balancers.items if each.type == "application"}
    call = "wafv2:ListWebACLs"
    listed = source.account.pages(call, "WebACLs", Scope=SCOPE) if ours else ()
    summaries, gaps = gathered(made(call, listed, dict, "ARN"))
    yield from gaps
    for body in each(partial(guarding, source, ours), summaries):
        if body is not None:
            yield body if isinstance(body, Gap) else web_acl(body)


def guarding(source: Source, ours: set[str], summary: Body) -> Mapping[str, Any] | None:
    """A web ACL with those of our load balancers that it guards as ``ResourceArns``; None where it guards none."""
    kind = "APPLICATION_LOAD_BALANCER"
    found = source.account.call(
        "wafv2:ListResourcesForWebACL", "ResourceArns", WebACLArn=summary["ARN"], ResourceType=kind
    )
    guarded = sorted(ours & {*texts(found)})
    if not guarded:
        return None
    parameters = {"Name": text(summary.get("Name")), "Id": text(summary.get("Id")), "Scope": SCOPE}
    return {
        "ARN": summary["ARN"],
        **mapping(source.account.call("wafv2:GetWebACL", "WebACL", **parameters)),
        "ResourceArns": guarded,
    }


def web_acl(body: Body) -> WebAcl:
    """A web ACL of ``wafv2:GetWebACL``, with the load balancers that it guards as ``ResourceArns``."""
    rules = (ip_set_rule(rule) for rule in bodies(body.get("Rules")))
    return WebAcl(
        id=text(body.get("ARN")),
        origin=live(body.get("ARN")),
        name=text(body.get("Name")),
        default_action=action(body.get("DefaultAction")),
        load_balancer_arns=texts(body.get("ResourceArns")),
        ip_set_rules=tuple(rule for rule in rules if rule.ip_set_arns or rule.except_ip_set_arns),
    )


def ip_set_rule(body: Body) -> IpSetRule:
    """A rule with the IP sets that its statement names at any depth, told apart by negation."""
    named = list(references(body.get("Statement")))
    return IpSetRule(
        name=text(body.get("Name")),
        action=action(body.get("Action")),
        ip_set_arns=tuple(arn for arn, negated in named if not negated),
        except_ip_set_arns=tuple(arn for arn, negated in named if negated),
    )


def action(value: object) -> str:
    """What a rule or a web ACL does: the one key of its action, in small letters."""
    return next((text(key).lower() for key in mapping(value)), "")


def references(statement: object, *, negated: bool = False) -> Iterator[tuple[str, bool]]:
    """Every IP set that a statement names, and whether it stands under an odd number of negations.

    Not one that is held against a header: what a proxy writes there does not change with the load balancer's family.
    """
    for kind, inner in mapping(statement).items():
        body = mapping(inner)
        if kind == "IPSetReferenceStatement":
            if (arn := text(body.get("ARN"))) and not body.get("IPSetForwardedIPConfig"):
                yield arn, negated
            continue
        turned = negated != (kind == "NotStatement")
        for nested in (body.get("Statement"), body.get("ScopeDownStatement"), *bodies(body.get("Statements"))):
            yield from references(nested, negated=turned)


@collector("wafv2:GetIPSet")
def ip_sets(source: Source, web_acls: Section[WebAcl]) -> Iterator[IpSet | Gap]:
    """The IP sets that these web ACLs name."""
    rules = [rule for acl in web_acls.items for rule in acl.ip_set_rules]
    arns = {arn for rule in rules for arn in (*rule.ip_set_arns, *rule.except_ip_set_arns)}
    for body in each(partial(read, source), sorted(arns)):
        yield body if isinstance(body, Gap) else ip_set(body)


def read(source: Source, arn: str) -> Mapping[str, Any]:
    """An IP set by its ARN, which ends with its name and id: ``.../regional/ipset/office/a1b2``."""
    *_, name, identity = ["", "", *arn.split("/")]
    found = source.account.call("wafv2:GetIPSet", "IPSet", Name=name, Id=identity, Scope=SCOPE)
    return {"ARN": arn, **mapping(found)}


def ip_set(body: Body) -> IpSet:
    """An IP set of ``wafv2:GetIPSet``."""
    return IpSet(
        id=text(body.get("ARN")),
        origin=live(body.get("ARN")),
        name=text(body.get("Name")),
        ip_address_version=text(body.get("IPAddressVersion")),
        addresses=texts(body.get("Addresses")),
    )
