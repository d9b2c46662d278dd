"""ALB actions, IngressGroups and logins: what goes with one kind of dual-stack and not with another."""

from __future__ import annotations

import json
from typing import Any

import pytest
from build import judge, messages, record, resource

from eks6check.findings import Confidence

PREFIX = "alb.ingress.kubernetes.io/"
DUAL, NO_IPV4 = "dualstack", "dualstack-without-public-ipv4"
ARN = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/old/1"


def ingress(name: str = "web", **annotations: str) -> dict[str, Any]:
    short = {PREFIX + key.replace("__", ".").replace("_", "-"): value for key, value in annotations.items()}
    backend = {"service": {"name": "web", "port": {"number": 80}}}
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": name, "namespace": "shop", "annotations": short},
        "spec": {"ingressClassName": "alb", "defaultBackend": backend},
    }


def member(name: str, value: str | None = None, group: str = "g") -> dict[str, Any]:
    return ingress(name, group__name=group, **({"ip_address_type": value} if value else {}))


def classes(**spec: Any) -> dict[str, list[Any]]:
    reference = {"apiGroup": "elbv2.k8s.aws", "kind": "IngressClassParams", "name": "shared"}
    of_class = {"controller": "ingress.k8s.aws/alb", "parameters": reference}
    kind = {"apiVersion": "networking.k8s.io/v1", "kind": "IngressClass", "metadata": {"name": "alb"}}
    params = {"apiVersion": "elbv2.k8s.aws/v1beta1", "kind": "IngressClassParams", "metadata": {"name": "shared"}}
    return {"ingress_classes": [{**kind, "spec": of_class}], "ingress_class_params": [{**params, "spec": spec}]}


def forward(*groups: dict[str, Any], kind: str = "forward") -> dict[str, Any]:
    action = {"type": kind, "forwardConfig": {"targetGroups": list(groups)}}
    return ingress(actions__canary=json.dumps(action))


SERVICE = {"serviceName": "web", "servicePort": 80}


@pytest.mark.parametrize("fixed", [{"targetGroupARN": ARN}, {"TargetGroupName": "old"}])
def test_a_target_group_made_elsewhere_beside_a_service_is_told(fixed: dict[str, str]) -> None:
    (finding,) = judge("LBC014", ingresses=[forward(SERVICE, fixed)]).findings
    assert finding.confidence is Confidence.MEDIUM
    assert finding.evidence["services"] == ["web"]


def test_one_that_is_known_to_be_ipv6_stays_silent() -> None:
    groups = [record("target_groups", {"id": ARN, "name": "old", "ip_address_type": "ipv6"})]
    assert messages("LBC014", ingresses=[forward(SERVICE, {"targetGroupARN": ARN})], target_groups=groups) == []
    assert messages("LBC014", ingresses=[forward(SERVICE, {"targetGroupName": "old"})], target_groups=groups) == []


@pytest.mark.parametrize(
    "found",
    [
        forward(SERVICE, {"serviceName": "next"}),
        forward({"targetGroupARN": ARN}, {"targetGroupName": "other"}),
        forward(SERVICE, {"targetGroupARN": ARN}, kind="redirect"),
        forward({"serviceName": "outside"}, {"targetGroupARN": ARN}),
        ingress(actions__canary="{"),
        ingress(actions__canary='["forward"]'),
    ],
)
def test_actions_of_one_family_and_what_is_no_action_stay_silent(found: dict[str, Any]) -> None:
    outside = {
        "kind": "Service",
        "metadata": {"name": "outside", "namespace": "shop"},
        "spec": {"type": "ExternalName"},
    }
    assert messages("LBC014", ingresses=[found], services=[outside]) == []


def test_a_group_that_is_known_to_be_ipv4_and_a_service_of_the_cluster_are_told() -> None:
    groups = [record("target_groups", {"id": ARN, "name": "old", "ip_address_type": "ipv4"})]
    inside = {"kind": "Service", "metadata": {"name": "web", "namespace": "shop"}, "spec": {"type": "ClusterIP"}}
    mixed = forward(SERVICE, {"targetGroupARN": ARN})
    assert len(messages("LBC014", ingresses=[mixed], services=[inside], target_groups=groups)) == 1


def test_a_class_in_view_makes_sure_whose_the_ingresses_are() -> None:
    login = ingress(ip_address_type=NO_IPV4, auth_type="oidc")
    for rule, found in (("LBC017", [member("a", DUAL), member("b", NO_IPV4)]), ("LBC019", [login])):
        guess = judge(rule, ingresses=found).findings
        sure = judge(rule, ingresses=found, **classes()).findings
        assert {finding.confidence for finding in guess} == {Confidence.MEDIUM}
        assert {finding.confidence for finding in sure} == {Confidence.HIGH}


def test_members_that_disagree_are_told_each_with_the_others() -> None:
    found = judge("LBC017", ingresses=[member("a", DUAL), member("b", NO_IPV4), member("c")]).findings
    assert [finding.subject.id.rpartition("/")[2] for finding in found] == ["a", "b"]
    assert found[0].message.endswith("IngressGroup g, and b says dualstack-without-public-ipv4.")
    assert len(found[0].locations) == 2


@pytest.mark.parametrize(
    "members",
    [
        [member("a", DUAL), member("b", DUAL)],
        [member("a", DUAL), member("b")],
        [member("a", DUAL), member("b", NO_IPV4, group="other")],
        [ingress("a", ip_address_type=DUAL), ingress("b", ip_address_type=NO_IPV4)],
    ],
)
def test_members_that_agree_or_share_nothing_stay_silent(members: list[Any]) -> None:
    assert messages("LBC017", ingresses=members) == []


def test_the_class_speaks_for_all_its_members() -> None:
    members = [member("a", DUAL), member("b", NO_IPV4)]
    assert messages("LBC017", ingresses=members, **classes(ipAddressType=DUAL)) == []


def test_what_a_file_says_of_a_member_stands_for_the_live_one() -> None:
    live = [resource(member("a", "ipv4")), resource(member("b", "ipv4"))]
    files = [resource(member("a", DUAL), "manifests"), resource(member("b", DUAL), "manifests")]
    assert messages("LBC017", ingresses=[*live, *files]) == []
    (first, second) = judge("LBC017", ingresses=[*live, files[0]]).findings
    assert (first.locations[0].file, second.locations[0].file) == ("test.yaml", "")


def test_overlays_that_disagree_about_one_ingress_tell_nothing() -> None:
    overlays = [resource(member("a", value), "manifests") for value in (DUAL, "ipv4")]
    assert messages("LBC017", ingresses=[*overlays, resource(member("b", DUAL), "manifests")]) == []


@pytest.mark.parametrize("login", ["oidc", "cognito"])
def test_a_login_without_public_ipv4_is_told(login: str) -> None:
    (message,) = messages("LBC019", ingresses=[ingress(ip_address_type=NO_IPV4, auth_type=login)])
    assert f"through {login} on a load balancer that is {NO_IPV4}" in message


def test_a_login_may_stand_on_a_backend_and_the_type_on_another_member() -> None:
    metadata = {"name": "web", "namespace": "shop", "annotations": {f"{PREFIX}auth-type": "oidc"}}
    backend = {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": {}}
    (finding,) = judge("LBC019", ingresses=[ingress(ip_address_type=NO_IPV4)], services=[backend]).findings
    assert len(finding.locations) == 2
    members = [ingress("a", group__name="g", auth_type="oidc"), member("b", NO_IPV4)]
    assert len(messages("LBC019", ingresses=members)) == 1


@pytest.mark.parametrize(
    "annotations",
    [
        {"ip_address_type": NO_IPV4},
        {"ip_address_type": NO_IPV4, "auth_type": "none"},
        {"ip_address_type": DUAL, "auth_type": "oidc"},
        {"auth_type": "oidc"},
    ],
)
def test_no_login_or_another_type_stays_silent(annotations: dict[str, str]) -> None:
    assert messages("LBC019", ingresses=[ingress(**annotations)]) == []
    sections = classes(ipAddressType=DUAL)
    assert messages("LBC019", ingresses=[ingress(ip_address_type=NO_IPV4, auth_type="oidc")], **sections) == []
