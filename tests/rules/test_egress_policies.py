"""Egress policies: where they confine IPv6 alone, and where they shut off the Pod Identity agent."""

from __future__ import annotations

from typing import Any

import pytest
from build import judge, messages, resource
from policies import blocks, policy, tcp

from eks6check.findings import Confidence

IMDS = "169.254.169.254/32"
AGENT = "fd00:ec2::23/128"
DENY: Any = {"policyTypes": ["Egress"]}
WEB: Any = {"podSelector": {"matchLabels": {"app": "web"}}}


def workload(account: str | None = "web", **spec: Any) -> dict[str, Any]:
    pod = {"containers": [{"name": "app", "image": "app:1"}], "serviceAccountName": account, **spec}
    template = {"metadata": {"labels": {"app": "web"}}, "spec": pod}
    meta = {"name": "web", "namespace": "shop"}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": {"template": template}}


def cni(egress: str) -> dict[str, Any]:
    image = "602401143452.dkr.ecr.eu-west-1.amazonaws.com/amazon-k8s-cni:v1.20.4"
    env = [{"name": "ENABLE_V4_EGRESS", "value": egress}]
    spec = {"template": {"spec": {"containers": [{"name": "aws-node", "image": image, "env": env}]}}}
    meta = {"name": "aws-node", "namespace": "kube-system"}
    return {"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": meta, "spec": spec}


def test_a_namespace_is_told_once_at_what_confines_it_most() -> None:
    deny, dns = policy("deny", **DENY), policy("dns", **DENY, egress=[{"ports": tcp(53)}])
    other = policy("deny", "jobs", **DENY)
    findings = judge("POL002", network_policies=[dns, deny, other]).findings
    assert len(findings) == 2
    (shop,) = (finding for finding in findings if finding.evidence["namespace"] == "shop")
    assert shop.subject.id.endswith("shop/deny")
    assert shop.evidence["policies"] == ["deny", "dns"]
    assert len(shop.locations) == 2
    assert "confines egress (as do 1 more of its namespace), and" in shop.message
    (alone,) = messages("POL002", network_policies=[deny])
    assert "confines egress, and" in alone


@pytest.mark.parametrize(
    "made",
    [
        policy(policyTypes=["Ingress"], egress=[]),
        policy(ingress=[{}]),
        policy(**DENY, egress=[{}]),
        policy(**DENY, egress=[{"to": blocks("0.0.0.0/0")}]),
        policy(**DENY, egress=[{"to": [{"ipBlock": {"cidr": "0.0.0.0/0", "except": [IMDS]}}]}]),
    ],
)
def test_a_policy_that_leaves_ipv4_open_misses_nothing(made: dict[str, Any]) -> None:
    assert messages("POL002", network_policies=[made]) == []


@pytest.mark.parametrize(
    "made",
    [
        policy(egress=[{"to": blocks("0.0.0.0/0"), "ports": tcp(443)}]),
        policy(egress=[{"to": [{"ipBlock": {"cidr": "0.0.0.0/0", "except": ["10.0.0.0/8"]}}]}]),
        policy(egress=[{"to": [{"namespaceSelector": {}}]}]),
        policy(egress=[{"to": blocks("10.0.0.0/8")}]),
        policy(egress=[{"to": blocks("::/0")}]),
        policy(**DENY),
        policy(policyTypes=["Ingress", "Egress"]),
    ],
)
def test_a_policy_that_leaves_a_part_of_ipv4_out_confines(made: dict[str, Any]) -> None:
    assert len(messages("POL002", network_policies=[made])) == 1


def test_a_policy_that_opens_all_for_the_same_pods_takes_the_confinement_away() -> None:
    assert messages("POL002", network_policies=[policy("deny", **DENY), policy("open", egress=[{}])]) == []


def test_without_ipv4_egress_there_is_nothing_to_guard() -> None:
    guarded = policy(egress=[{"to": [{"ipBlock": {"cidr": "0.0.0.0/0", "except": [IMDS, "10.0.0.0/8"]}}]}])
    addon = {"id": "vpc-cni", "configuration": {"env": {"ENABLE_V4_EGRESS": "false"}}}
    for word in ("POL002", "POL004"):
        assert messages(word, network_policies=[guarded], workloads=[cni("false")]) == []
        assert messages(word, network_policies=[guarded], addons=[addon]) == []
        assert len(messages(word, network_policies=[guarded], workloads=[cni("true")])) == 1


@pytest.mark.parametrize(
    ("cidr", "exception", "count"),
    [
        ("0.0.0.0/0", IMDS, 1),
        ("0.0.0.0/0", "169.254.0.0/16", 1),
        ("0.0.0.0/0", "169.254.170.23/32", 0),
        ("0.0.0.0/0", "10.0.0.0/8", 0),
        ("0.0.0.0/0", "128.0.0.0/1", 0),
        ("10.0.0.0/8", IMDS, 0),
        ("::/0", "fd00:ec2::254/128", 0),
        ("::/0", IMDS, 0),
    ],
)
def test_an_exception_for_metadata_has_no_effect(cidr: str, exception: str, count: int) -> None:
    made = policy(egress=[{"to": [{"ipBlock": {"cidr": cidr, "except": [exception]}}]}])
    assert len(messages("POL004", network_policies=[made])) == count


def test_an_exception_for_metadata_on_the_way_in_is_left_alone() -> None:
    made = policy(ingress=[{"from": [{"ipBlock": {"cidr": "0.0.0.0/0", "except": [IMDS]}}]}])
    assert messages("POL004", network_policies=[made]) == []


ASSOCIATION = {"id": "a-1", "namespace": "shop", "service_account": "web"}
SHUT = policy(**WEB, egress=[{"to": [{"namespaceSelector": {}}]}])


def by_associations(*policies: Any, **sections: Any) -> list[str]:
    known = {"workloads": [workload()], "pod_identity_associations": [ASSOCIATION], **sections}
    return messages("POL003", network_policies=policies, **known)


def test_a_workload_with_an_association_is_kept_from_the_agent() -> None:
    (message,) = by_associations(SHUT)
    assert "Deployment shop/web, which Pod Identity gives credentials," in message
    assert "[fd00:ec2::23]:80" in message


def test_one_finding_stands_at_the_policy_that_names_the_pods() -> None:
    (finding,) = judge(
        "POL003",
        network_policies=[policy("deny", **DENY), SHUT],
        workloads=[workload()],
        pod_identity_associations=[ASSOCIATION],
    ).findings
    assert finding.subject.id == "networking.k8s.io/NetworkPolicy/shop/web"
    assert finding.confidence is Confidence.HIGH


@pytest.mark.parametrize(
    "rules",
    [
        [{"to": blocks(AGENT)}],
        [{"to": blocks("::/0")}],
        [{"to": blocks(AGENT), "ports": tcp(80)}],
        [{"to": blocks(AGENT), "ports": [{"port": 1, "endPort": 1024}]}],
        [{"to": blocks(AGENT), "ports": [{"port": 80, "endPort": 80}]}],
        [{"to": blocks(AGENT), "ports": tcp(443, 80)}],
        [{}],
        [{"ports": tcp(80)}],
        [{"to": blocks("10.0.0.0/8")}],
    ],
)
def test_the_agent_is_open_or_another_rule_tells_of_it(rules: list[dict[str, Any]]) -> None:
    assert by_associations(policy(**WEB, egress=rules)) == []
    assert by_associations(SHUT, policy("more", **WEB, egress=rules)) == []


@pytest.mark.parametrize(
    "rules",
    [
        [{"to": blocks(AGENT), "ports": tcp(443)}],
        [{"to": blocks(AGENT), "ports": [{"protocol": "UDP", "port": 80}]}],
        [{"to": blocks(AGENT), "ports": [{"port": 81, "endPort": 90}]}],
        [{"to": blocks(AGENT), "ports": [{"port": 1, "endPort": 79}]}],
        [{"to": [{"ipBlock": {"cidr": "::/0", "except": ["fd00:ec2::/32"]}}]}],
        [{"to": blocks("169.254.170.23/32")}],
    ],
)
def test_the_agent_is_shut_off_by_port_by_exception_and_by_family(rules: list[dict[str, Any]]) -> None:
    assert len(by_associations(policy(**WEB, egress=rules))) == 1


@pytest.mark.parametrize(
    "sections",
    [
        {"pod_identity_associations": []},
        {"pod_identity_associations": [{**ASSOCIATION, "namespace": "other"}]},
        {"workloads": [workload("api")]},
        {"workloads": [workload(hostNetwork=True)]},
        {"workloads": []},
        {
            "service_accounts": [
                {
                    "apiVersion": "v1",
                    "kind": "ServiceAccount",
                    "metadata": {
                        "name": "web",
                        "namespace": "shop",
                        "annotations": {"eks.amazonaws.com/role-arn": "arn:aws:iam::111122223333:role/web"},
                    },
                }
            ]
        },
    ],
)
def test_without_pod_identity_in_evidence_nothing_is_shut_off(sections: dict[str, Any]) -> None:
    assert by_associations(SHUT, **sections) == []


def test_policies_for_other_pods_or_the_other_direction_shut_nobody_off() -> None:
    others = policy("api", podSelector={"matchLabels": {"app": "api"}}, **DENY)
    inward = policy("in", **WEB, policyTypes=["Ingress"])
    assert by_associations(others, inward) == []
    assert len(by_associations(others, inward, SHUT)) == 1


def test_several_workloads_are_counted_and_each_is_a_place() -> None:
    second = {**workload(), "metadata": {"name": "cart", "namespace": "shop"}}
    (finding,) = judge(
        "POL003",
        network_policies=[SHUT],
        workloads=[workload(), second],
        pod_identity_associations=[ASSOCIATION],
    ).findings
    assert "keeps Deployment shop/cart and 1 more, which" in finding.message
    assert len(finding.locations) == 3


def test_what_a_live_pod_was_told_is_evidence() -> None:
    env = [{"name": "AWS_CONTAINER_CREDENTIALS_FULL_URI", "value": "http://169.254.170.23/v1/credentials"}]
    spec = {"serviceAccountName": "web", "containers": [{"name": "app", "env": env}]}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web-1", "namespace": "shop"}, "spec": spec}
    assert len(messages("POL003", network_policies=[SHUT], workloads=[workload()], pods=[pod])) == 1


def test_a_policy_that_opens_the_agent_over_ipv4_is_evidence_by_itself() -> None:
    made = policy(egress=[{"to": blocks("169.254.170.23/32")}])
    (finding,) = judge("POL003", network_policies=[made]).findings
    assert "the pods that it selects" in finding.message
    assert finding.confidence is Confidence.HIGH
    assert messages("POL003", network_policies=[made, policy("more", egress=[{"to": blocks(AGENT)}])]) == []


def test_the_agent_alone_makes_a_service_account_of_its_own_a_presumption() -> None:
    spec = {"template": {"spec": {"containers": [{"name": "agent", "image": "eks/eks-pod-identity-agent:0.1.37"}]}}}
    meta = {"name": "eks-pod-identity-agent", "namespace": "kube-system"}
    agent = {"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": meta, "spec": spec}
    (finding,) = judge("POL003", network_policies=[SHUT], workloads=[workload(), agent]).findings
    assert finding.confidence is Confidence.MEDIUM
    assert "which Pod Identity may give credentials" in finding.message
    assert messages("POL003", network_policies=[SHUT], workloads=[workload(None), agent]) == []
    pod = resource({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, "spec": {"containers": []}})
    assert messages("POL003", network_policies=[SHUT], workloads=[workload(), agent], pods=[pod]) == []
