"""Hand-built reports for tests of reporters. Their rules have texts of their own: the catalogue may change freely."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from eks6check.catalog import Rule
from eks6check.engine import worst_first
from eks6check.facts import Gap, Subject
from eks6check.findings import (
    Confidence,
    Finding,
    Location,
    Outcome,
    Problem,
    Report,
    Severity,
    State,
    Suppression,
    Target,
    fingerprint,
    verdict,
)

ALL = ("aws", "cluster", "manifests")
PROD = Target("prod", "eu-west-1", "111122223333", "ipv4", "2026-11-22T21:04:05Z")

DENIED = Gap(
    "ec2:DescribeRouteTables",
    "UnauthorizedOperation: You are not authorized to perform this operation.",
    "Allow ec2:DescribeRouteTables; `eks6check permissions --only iam` prints the whole policy.",
)
FORBIDDEN = Gap(
    "list services",
    'services is forbidden: User "ci" cannot list resource "services" at the cluster scope',
    "Bind the ClusterRole that `eks6check permissions --only rbac` prints.",
)
TEMPLATE = Gap(
    "read",
    "this looks like a Helm template, which is not YAML before it is rendered",
    "helm template RELEASE CHART | eks6check lint -",
    "charts/web/templates/service.yaml",
    3,
    9,
)


def judge() -> Iterator[Problem]:
    yield from ()


def rule(  # noqa: PLR0913, PLR0917  a rule has that many parts
    identity: str,
    name: str,
    title: str,
    severity: str,
    why: str,
    remedy: str | Mapping[str, str],
    confidence: str = "high",
) -> Rule:
    return Rule(
        id=identity,
        name=name,
        title=title,
        severity=Severity(severity),
        confidence=Confidence(confidence),
        category="services",
        status="stable",
        since="0.1.0",
        why=why,
        remedies={"": remedy} if isinstance(remedy, str) else remedy,
        bad="",
        good="",
        links=({"url": f"https://docs.example.com/{name}", "read": "2026-11-22"},),
        follows={},
        needs_all=False,
        parameters={},
        judge=judge,
        required=(),
        optional=(),
    )


RULES = {
    each.id: each
    for each in (
        rule(
            "SVC001",
            "service-pins-ipv4-family",
            "A Service asks for the IPv4 family",
            "blocker",
            "An IPv6 cluster gives Services IPv6 addresses only. The API server refuses a Service that names a family"
            " which the cluster lacks, so `kubectl apply` fails.",
            "# Drop both fields: the Service takes the family of whatever cluster it is applied to.\n"
            "spec:\n  ipFamilies: null\n  ipFamilyPolicy: null",
        ),
        rule(
            "VPC001",
            "subnet-without-ipv6-block",
            "A cluster subnet has no IPv6 block",
            "blocker",
            "EKS refuses to create an IPv6 cluster in a subnet without an IPv6 block: each of them needs a /64.",
            "aws ec2 associate-subnet-cidr-block --subnet-id {subnet_id} --ipv6-cidr-block {free_block}",
        ),
        rule(
            "LBC004",
            "nlb-not-dualstack",
            "A network load balancer is IPv4 only",
            "blocker",
            "IP targets of an IPv6 cluster have IPv6 addresses, e.g. those of the pods. A load balancer of type ipv4"
            " cannot reach them.",
            "metadata:\n  annotations:\n    service.beta.kubernetes.io/aws-load-balancer-ip-address-type: dualstack",
        ),
        rule(
            "LBC012",
            "security-group-ipv4-only",
            "Only IPv4 clients are let in",
            "warning",
            "A dual-stack load balancer takes IPv6 clients, but loadBalancerSourceRanges lists IPv4 ranges alone.",
            {"open": "spec:\n  loadBalancerSourceRanges: [0.0.0.0/0, '::/0']", "list": "Add the IPv6 ranges of {who}."},
            "medium",
        ),
        rule(
            "VPC006",
            "no-egress-only-gateway",
            "Pods in private subnets have no way out over IPv6",
            "warning",
            "A private subnet sends ::/0 through an egress-only internet gateway, and there is none.",
            "aws ec2 create-egress-only-internet-gateway --vpc-id {vpc_id}",
        ),
        rule(
            "IDN002",
            "agent-bound-to-ipv4",
            "An agent is bound to an IPv4 address",
            "info",
            "The agent listens on IPv4 alone. Whether that matters is for a person to say.",
            "Look at its configuration.",
            "low",
        ),
    )
}


def finding(identity: str, message: str, subject: Subject, *locations: Location, **changes: Any) -> Finding:
    known = RULES[identity]
    made = Finding(
        rule=known.id,
        name=known.name,
        title=known.title,
        severity=known.severity,
        confidence=known.confidence,
        subject=subject,
        message=message,
        why=known.why,
        remedy=next(iter(known.remedies.values())),
        locations=locations,
        evidence={},
        links=tuple(link["url"] for link in known.links),
        fingerprint=fingerprint(known.id, subject, ""),
    )
    return replace(made, **changes)


def service(name: str) -> Subject:
    return Subject("Service", f"v1/Service/shop/{name}")


def file(name: str, line: int, column: int) -> Location:
    return Location("manifests", file=name, line=line, column=column)


def live(source: str, identity: str) -> Location:
    return Location(source, id=identity)


def outcome(identity: str, state: State, findings: tuple[Finding, ...] = (), *gaps: Gap, error: str = "") -> Outcome:
    known = RULES[identity]
    mine = tuple(each for each in findings if each.rule == identity)
    return Outcome(identity, known.severity, state, mine, gaps, error, known.name)


def report(findings: tuple[Finding, ...], outcomes: tuple[Outcome, ...], **parts: Any) -> Report:
    findings = worst_first(findings)
    gaps = tuple(dict.fromkeys(gap for each in outcomes for gap in each.gaps))
    return Report(verdict(findings, outcomes), parts.pop("target", PROD), findings, outcomes, gaps, **parts)


def pinned(name: str, *locations: Location, **changes: Any) -> Finding:
    message = f"Service shop/{name} asks for ipFamilies ['IPv4'], and an IPv6 cluster has only IPv6 to give."
    return finding("SVC001", message, service(name), *locations, **changes)


def subnet(identity: str, block: str) -> Finding:
    command = f"aws ec2 associate-subnet-cidr-block --subnet-id {identity} --ipv6-cidr-block {block}"
    return finding(
        "VPC001",
        f"Subnet {identity} (eu-west-1a, 10.0.0.0/20) has no IPv6 block; node group blue starts its nodes there.",
        Subject("Subnet", identity),
        live("aws", f"arn:aws:ec2:eu-west-1:111122223333:subnet/{identity}"),
        remedy=command,
        evidence={"subnet_id": identity, "free_block": block, "zones": ("eu-west-1a",), "nan": float("nan")},
    )


def mixed() -> Report:
    balancer = finding(
        "LBC004",
        "Service shop/web becomes a network load balancer of type ipv4 with IP targets; it must be dualstack.",
        service("web"),
        file("k8s/shop/web.yaml", 6, 5),
        live("cluster", "v1/Service/shop/web"),
    )
    found = (
        pinned("web", file("k8s/shop/web.yaml", 12, 5), live("cluster", "v1/Service/shop/web")),
        pinned("cart", file("k8s/shop/cart services.yaml", 9, 3)),
        subnet("subnet-0aaa1111bbbb2222c", "2001:db8:1234:1a00::/64"),
        subnet("subnet-0ddd3333eeee4444f", "2001:db8:1234:1a01::/64"),
        balancer,
        finding(
            "LBC012",
            "Service shop/web lets in 10.0.0.0/8 and no IPv6 range.",
            service("web"),
            file("k8s/shop/web.yaml", 15, 3),
            cause=balancer.fingerprint,
        ),
        finding(
            "IDN002",
            "DaemonSet ops/agent binds 0.0.0.0.",
            Subject("DaemonSet", "apps/v1/DaemonSet/ops/agent"),
            live("cluster", "apps/v1/DaemonSet/ops/agent"),
        ),
    )
    silenced = pinned("old", file("k8s/shop/old.yaml", 8, 3))
    outcomes = (
        outcome("SVC001", State.FAILED, (*found, silenced), TEMPLATE),
        outcome("VPC001", State.FAILED, found),
        outcome("LBC004", State.FAILED, found, TEMPLATE),
        outcome("LBC012", State.FAILED, found, TEMPLATE),
        outcome("VPC006", State.NOT_EVALUATED, (), DENIED),
        outcome("IDN002", State.FAILED, found),
    )
    comments = (
        Suppression("k8s/shop/old.yaml", 8, ("SVC001",), "goes away with the old shop", 8, 8, used=True),
        Suppression("k8s/shop/web.yaml", 20, ("LBC004", "service-pins-ipv4-family"), "not yet", 20, 20),
        Suppression("k8s/shop/web.yaml", 22, ("SVC",), "", 22, 22),
    )
    counts = {"files": 4, "documents": 9, "resources": 8, "others": 0}
    notes = (Gap("read", "The key port stands twice; the last one counts.", "", "k8s/shop/web.yaml", 31, 7),)
    parts: dict[str, Any] = {"suppressed": (silenced,), "suppressions": comments, "scope": ALL, "inputs": counts}
    return report(found, outcomes, notes=notes, **parts)


def clean() -> Report:
    states = (State.PASSED, State.PASSED, State.NOT_APPLICABLE, State.NOT_APPLICABLE, State.PASSED, State.PASSED)
    outcomes = tuple(outcome(identity, state) for identity, state in zip(RULES, states, strict=True))
    return report((), outcomes, scope=("aws", "cluster"))


def files_only() -> Report:
    outcomes = tuple(outcome(identity, State.PASSED) for identity in ("SVC001", "LBC004"))
    counts = {"files": 12, "documents": 34, "resources": 30}
    return report((), outcomes, target=Target(), scope=("manifests",), inputs=counts)


def undetermined() -> Report:
    warning = finding(
        "VPC006",
        "VPC vpc-0123 has no egress-only internet gateway.",
        Subject("Vpc", "vpc-0123"),
        live("aws", "arn:aws:ec2:eu-west-1:111122223333:vpc/vpc-0123"),
        remedy="aws ec2 create-egress-only-internet-gateway --vpc-id vpc-0123",
    )
    second = replace(TEMPLATE, file="charts/web/templates/deployment.yaml", line=11, column=1)
    outcomes = (
        outcome("SVC001", State.NOT_EVALUATED, (), FORBIDDEN, TEMPLATE, second),
        outcome("VPC001", State.INCOMPLETE, (), DENIED),
        outcome("LBC004", State.NOT_EVALUATED, (), FORBIDDEN, TEMPLATE, second),
        outcome("LBC012", State.INCOMPLETE, (), TEMPLATE, second),
        outcome("VPC006", State.FAILED, (warning,)),
        outcome("IDN002", State.ERROR, error="KeyError: 'spec'"),
    )
    return report((warning,), outcomes, scope=ALL, inputs={"files": 2})


HOSTILE = "web\x1b[31mred\x1b]0;title\x07[red][link=https://evil.example]\u202e\u2028\u200b\x9b2J\r\n::error::\\"


def hostile() -> Report:
    long_name = "n" * 300
    found = (
        pinned(HOSTILE, file(f"k8s/{HOSTILE[:20]}.yaml", 3, 1), live("cluster", service(HOSTILE).id)),
        pinned(long_name, file(f"k8s/{long_name}.yaml", 7, 5), evidence={HOSTILE: [HOSTILE, {1, 2}]}),
        pinned("wide", file("k8s/日本語 100%.yaml", 2, 3), remedy=f"kubectl delete service {HOSTILE}\n\tnext"),
        pinned("colon", file("a:b/c.yaml", 2, 3)),
    )
    gap = Gap("read", HOSTILE, HOSTILE, f"{HOSTILE}.yaml", 1, 1)
    comment = Suppression(HOSTILE, 1, (HOSTILE,), HOSTILE, 1, 1)
    target = Target(HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE)
    outcomes = (
        outcome("SVC001", State.FAILED, found, gap),
        outcome("IDN002", State.ERROR, error=f"ValueError: {HOSTILE}"),
    )
    parts: dict[str, Any] = {"suppressions": (comment,), "scope": ALL, "inputs": {HOSTILE: 1}}
    return report(found, outcomes, target=target, **parts)


def forty() -> Report:
    found = tuple(pinned(f"web-{number:02}", file(f"k8s/{number:02}.yaml", 7, 5)) for number in range(40))
    outcomes = (outcome("SVC001", State.FAILED, found),)
    return report(found, outcomes, target=Target(), scope=("manifests",), inputs={"files": 40, "documents": 40})


REPORTS = {each.__name__: each() for each in (mixed, clean, files_only, undetermined, hostile, forty)}
