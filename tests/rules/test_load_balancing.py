"""Network Load Balancers and the controller behind them: who takes a Service, and what IPv6 asks of it."""

from __future__ import annotations

from typing import Any

import pytest
from build import judge, messages, record, resource, rule
from hypothesis import given
from hypothesis import strategies as st

from eks6check.findings import Confidence, Severity, State
from eks6check.knowledge.load_balancer_controller import for_another_cloud

PREFIX = "service.beta.kubernetes.io/aws-load-balancer-"
NLB = {"loadBalancerClass": "service.k8s.aws/nlb"}
GOOD = {"ip-address-type": "dualstack", "nlb-target-type": "ip"}
WEBHOOK = {
    "apiVersion": "admissionregistration.k8s.io/v1",
    "kind": "MutatingWebhookConfiguration",
    "metadata": {"name": "aws-load-balancer-webhook"},
    "webhooks": [
        {"name": "mpod.elbv2.k8s.aws", "rules": [{"resources": ["pods"]}]},
        {"name": "mservice.elbv2.k8s.aws", "rules": [{"operations": ["CREATE"], "resources": ["services"]}]},
    ],
}
AUTO = {"id": "prod", "auto_mode": True}


def service(annotations: dict[str, Any] | None = None, /, name: str = "web", **spec: Any) -> dict[str, Any]:
    short = {key if "/" in key else PREFIX + key: value for key, value in (annotations or {}).items()}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": "shop", "annotations": short},
        "spec": {"type": "LoadBalancer", "ports": [{"port": 443, "protocol": "TCP"}], **spec},
    }


def udp(annotations: dict[str, Any] | None = None, /, **spec: Any) -> dict[str, Any]:
    ports = [{"port": 443, "protocol": "TCP"}, {"port": 443, "protocol": "UDP"}]
    return service({**GOOD, **(annotations or {})}, name="quic", ports=ports, **{**NLB, **spec})


def controller(tag: str = ":v3.5.0", *args: str, image: str = "", **metadata: Any) -> dict[str, Any]:
    container = {"name": "controller", "image": image or f"registry.example/eks/aws-load-balancer-controller{tag}"}
    sidecar = {"name": "proxy", "image": "registry.example/proxy:v1.0.0"}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "lbc", "namespace": "kube-system", **metadata},
        "spec": {"template": {"spec": {"containers": [sidecar, {**container, "args": list(args)}]}}},
    }


def ingress(name: str = "web", **annotations: str) -> dict[str, Any]:
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": name, "namespace": "shop", "annotations": annotations},
        "spec": {"ingressClassName": "alb", "defaultBackend": {"service": {"name": "web"}}},
    }


def missing(**sections: Any) -> list[str]:
    return messages("LBC001", **{"services": [], "ingresses": [], "workloads": [], "webhooks": [], **sections})


def test_one_finding_names_all_who_ask_where_no_controller_runs() -> None:
    services = [service(name=name) for name in ("d", "b", "c", "a")]
    sections = {"services": services, "ingresses": [ingress()], "workloads": [], "webhooks": []}
    (finding,) = judge("LBC001", **sections).findings
    assert finding.message == (
        "Ingress shop/web, Service shop/a, Service shop/b and 2 more ask for load balancers, and no AWS Load Balancer "
        "Controller runs in this cluster."
    )
    assert finding.subject.id == "networking.k8s.io/Ingress/shop/web"
    assert len(finding.locations) == 5


@pytest.mark.parametrize(
    "sections",
    [
        {"services": [service()], "workloads": [controller()]},
        {"services": [service()], "workloads": [controller(image="mirror/alb", labels={
            "app.kubernetes.io/name": "aws-load-balancer-controller"})]},
        {"services": [service()], "webhooks": [WEBHOOK]},
        {"services": [service(loadBalancerClass="tailscale")]},
        {"services": [service(loadBalancerClass="eks.amazonaws.com/nlb")]},
        {"services": [service()], "clusters": [AUTO]},
        {"services": [service(type="ClusterIP")]},
        {},
    ],
)  # fmt: skip
def test_a_controller_is_not_missed_where_it_is_there_or_nobody_asks(sections: dict[str, Any]) -> None:
    assert missing(**sections) == []


AUTO_ALB = {"kind": "IngressClass", "metadata": {"name": "alb"}, "spec": {"controller": "eks.amazonaws.com/alb"}}


def test_ingresses_of_auto_mode_ask_nothing_of_the_other_controller() -> None:
    assert missing(ingresses=[ingress()], ingress_classes=[AUTO_ALB]) == []
    sections = {"workloads": [controller(":v3.4.1")], "subnets": SUBNETS, "ingresses": [ingress()]}
    assert messages("LBC002", **sections)
    assert messages("LBC002", **sections, ingress_classes=[AUTO_ALB]) == []


def test_auto_mode_does_not_serve_the_class_of_the_other_controller() -> None:
    assert missing(services=[service(**NLB)], clusters=[AUTO])


def test_files_alone_cannot_tell_that_a_controller_is_missing() -> None:
    assert not rule("LBC001").runs_on(["services", "ingresses", "workloads", "ingress_classes"])
    assert rule("LBC001").needs_all


@pytest.mark.parametrize("tag", [":v2.3.0", ":2.2.4-linux_amd64", ":v2.0.0-rc1", ":v2.2.0@sha256:0123", ":v2.2"])
def test_a_controller_below_the_ipv6_floor_is_told(tag: str) -> None:
    (message,) = messages("LBC002", workloads=[controller(tag)])
    assert message.endswith("and IPv6 needs release 2.3.1 or later.")
    assert tag in message


@pytest.mark.parametrize(
    "tag", [":v2.3.1", ":v2.4.1", ":2.10.0-linux_amd64", ":v2.3", ":latest", "@sha256:01", "", ":v2"]
)
def test_a_controller_that_is_new_enough_or_says_nothing_is_not(tag: str) -> None:
    assert messages("LBC002", workloads=[controller(tag)]) == []


def test_the_first_generation_of_the_controller_is_too_old_whatever_its_registry() -> None:
    assert messages("LBC002", workloads=[controller(image="docker.io:443/amazon/aws-alb-ingress-controller:v1.1.9")])
    assert messages("LBC002", workloads=[controller(image="quay.io/coreos/alb-ingress-controller:1.0-beta.7")])


def test_another_image_of_the_same_age_is_not_the_controller() -> None:
    assert messages("LBC002", workloads=[controller(image="registry.example:5000/proxy:v1.0.0")]) == []


SUBNETS = [
    {"id": "subnet-old", "tags": {"kubernetes.io/role/internal-elb": "1"}},
    {"id": "subnet-new", "tags": {"kubernetes.io/role/internal-elb": "1"}, "ipv6_cidr_blocks": ["2001:db8::/64"]},
    {"id": "subnet-node", "tags": {"Name": "nodes"}},
]


@pytest.mark.parametrize("asking", [{"services": [service(**NLB)]}, {"ingresses": [ingress()]}])
def test_subnets_of_one_family_are_a_warning_where_the_controller_may_discover_them(asking: dict[str, Any]) -> None:
    (finding,) = judge("LBC002", workloads=[controller(":v3.4.1")], subnets=SUBNETS, **asking).findings
    assert (finding.severity, finding.evidence["subnets"]) == (Severity.WARNING, "subnet-old")
    assert "3.5.0" in finding.message
    assert [place.id for place in finding.locations] == ["apps/Deployment/kube-system/lbc", "subnet-old"]


@pytest.mark.parametrize(
    "sections",
    [
        {"workloads": [controller(":v3.5.0")], "services": [service(**NLB)]},
        {"workloads": [controller(":v3.4.1")], "services": [service({"subnets": "subnet-new"}, **NLB)]},
        {"workloads": [controller(":v3.4.1")], "services": [service({"scheme": "internet-facing"}, **NLB)]},
        {"workloads": [controller(":v3.4.1")], "services": [service()]},
        {"workloads": [controller(":v3.4.1")]},
    ],
)
def test_subnets_of_one_family_do_not_matter_where_nobody_discovers_them(sections: dict[str, Any]) -> None:
    assert judge("LBC002", subnets=SUBNETS, **sections).state is State.PASSED


@pytest.mark.parametrize(
    "plain",
    [
        service(),
        service({"type": "nlb"}),
        service({"ssl-ports": "443", "internal": "true", "proxy-protocol": "*"}),
        service(loadBalancerClass=""),
    ],
)
def test_a_plain_load_balancer_is_left_to_the_in_tree_controller_and_to_no_other_rule(plain: dict[str, Any]) -> None:
    assert len(messages("LBC003", services=[plain])) == 1
    assert messages("LBC004", services=[plain]) == messages("LBC005", services=[plain]) == []


@pytest.mark.parametrize(
    "other",
    [
        service(**NLB),
        service({"type": "external"}),
        service({"type": "nlb-ip"}),
        service(loadBalancerClass="eks.amazonaws.com/nlb"),
        service(loadBalancerClass="io.cilium/bgp-control-plane"),
        service(type="NodePort"),
        service(type=None),
    ],
)
def test_a_service_that_names_its_controller_is_not_left_to_the_in_tree_one(other: dict[str, Any]) -> None:
    assert messages("LBC003", services=[other]) == []


def test_the_message_shows_the_type_that_decided() -> None:
    assert messages("LBC003", services=[service({"type": "nlb"})]) == [
        "Service shop/web has aws-load-balancer-type 'nlb', so it is left to the in-tree controller, which has no IPv6."
    ]


@pytest.mark.parametrize(
    ("annotations", "scheme"),
    [
        ({}, "internet-facing"),
        ({"internal": "0.0.0.0/0"}, "internal"),
        ({"internal": True}, "internal"),
        ({"internal": "false"}, "internet-facing"),
        ({"scheme": "internal"}, "internal"),
    ],
)
def test_the_remedy_keeps_the_scheme_because_the_defaults_differ(annotations: dict[str, Any], scheme: str) -> None:
    (finding,) = judge("LBC003", services=[service(annotations)]).findings
    assert f"aws-load-balancer-scheme: {scheme}\n" in finding.remedy
    for line in ("ip-address-type: dualstack", "nlb-target-type: ip", "loadBalancerClass: service.k8s.aws/nlb"):
        assert line in finding.remedy
    assert "source-nat" not in finding.remedy


def test_the_remedy_of_a_udp_service_has_source_nat_as_well() -> None:
    plain = udp(loadBalancerClass=None)
    (finding,) = judge("LBC003", services=[plain]).findings
    assert 'enable-prefix-for-ipv6-source-nat: "on"' in finding.remedy
    assert "UDP" in finding.message
    assert messages("LBC008", services=[plain]) == []


def test_a_manifest_for_another_cloud_is_a_guess_and_a_live_service_is_not() -> None:
    azure = service({"service.beta.kubernetes.io/azure-load-balancer-internal": "true"})
    (guess,) = judge("LBC003", services=[resource(azure, "manifests")]).findings
    (live,) = judge("LBC003", services=[resource(azure)]).findings
    assert (guess.severity, guess.confidence) == (Severity.INFO, Confidence.LOW)
    assert "azure-load-balancer-internal, which is for other load balancers; on EKS it would be left" in guess.message
    assert (live.severity, live.confidence) == (Severity.BLOCKER, Confidence.HIGH)


def test_an_address_of_choice_is_for_another_cloud_unless_the_class_says_aws() -> None:
    chosen = service(loadBalancerIP="104.154.109.191")
    (guess,) = judge("LBC003", services=[resource(chosen, "manifests")]).findings
    assert (guess.severity, guess.confidence) == (Severity.INFO, Confidence.LOW)
    assert "carries loadBalancerIP, which is for other load balancers" in guess.message
    assert for_another_cloud(resource(service(loadBalancerIP="104.154.109.191", **NLB))) is None


def test_a_service_that_speaks_to_aws_as_well_is_no_guess() -> None:
    internal = ("azure-load-balancer-internal", "aws-load-balancer-internal")
    both = service({f"service.beta.kubernetes.io/{key}": "true" for key in internal})
    (finding,) = judge("LBC003", services=[resource(both, "manifests")]).findings
    assert (finding.severity, finding.confidence) == (Severity.BLOCKER, Confidence.HIGH)


@pytest.mark.parametrize(
    ("owners", "said"),
    [
        ([{"kind": "Gateway", "name": "web"}], "Gateway web makes it, so the change belongs there."),
        (["Gateway", {"kind": 7, "name": None}], "which has no IPv6."),
        ("Gateway", "which has no IPv6."),
    ],
)
def test_the_owner_of_a_service_is_where_the_change_belongs(owners: Any, said: str) -> None:
    body = service()
    owned = {**body, "metadata": {**body["metadata"], "ownerReferences": owners}}
    (finding,) = judge("LBC003", services=[owned]).findings
    assert said in finding.message
    assert ("makes it" in finding.message) is ("makes it" in said) is ("infrastructure:" in finding.remedy)


@pytest.mark.parametrize("annotations", [{}, {"type": "nlb"}])
def test_the_controllers_webhook_takes_plain_services_whatever_their_type(annotations: dict[str, str]) -> None:
    sections = {"services": [service(annotations)], "webhooks": [WEBHOOK]}
    assert messages("LBC003", **sections) == []
    assert len(messages("LBC004", **sections)) == len(messages("LBC005", **sections)) == 1


@pytest.mark.parametrize(
    "webhook",
    [
        {"name": "mpod.elbv2.k8s.aws", "rules": [{"resources": ["pods"]}]},
        {"name": "services.mesh.example", "rules": [{"resources": ["services"]}]},
        {"name": 7, "rules": "services", "clientConfig": []},
        "mservice.elbv2.k8s.aws",
    ],
)
def test_another_webhook_takes_no_service(webhook: Any) -> None:
    assert messages("LBC003", services=[service()], webhooks=[{**WEBHOOK, "webhooks": [webhook]}])


def test_the_webhook_is_known_by_its_service_too() -> None:
    renamed = {
        "name": "svc.example.com",
        "clientConfig": {"service": {"name": "aws-load-balancer-controller-webhook"}},
        "rules": [{"resources": ["services"]}],
    }
    assert messages("LBC003", services=[service()], webhooks=[{**WEBHOOK, "webhooks": [renamed]}]) == []


def test_auto_mode_takes_plain_services_and_only_the_address_type_is_judged() -> None:
    sections = {"services": [service()], "clusters": [AUTO]}
    assert messages("LBC003", **sections) == messages("LBC005", **sections) == []
    (finding,) = judge("LBC004", **sections).findings
    assert "EKS Auto Mode" in finding.message
    assert "Auto Mode" in finding.remedy


@pytest.mark.parametrize("word", ["--load-balancer-class=corp/nlb", "--load-balancer-class corp/nlb"])
def test_a_class_that_the_controllers_flag_names_is_the_controllers(word: str) -> None:
    services = [service({"nlb-target-type": "ip"}, loadBalancerClass="corp/nlb")]
    assert messages("LBC004", services=services) == []
    assert len(messages("LBC004", services=services, workloads=[controller(":v3.5.0", *word.split())])) == 1


@pytest.mark.parametrize("annotations", [{}, {"ip-address-type": "ipv4"}, {"ip-address-type": None}])
@pytest.mark.parametrize("spec", [NLB, {"loadBalancerClass": "eks.amazonaws.com/nlb"}])
def test_a_load_balancer_that_is_not_dualstack_is_told(annotations: dict[str, Any], spec: dict[str, str]) -> None:
    (finding,) = judge("LBC004", services=[service(annotations, **spec)]).findings
    assert (finding.severity, finding.confidence) == (Severity.BLOCKER, Confidence.HIGH)


def test_the_message_says_whether_ipv4_was_chosen_or_left() -> None:
    chosen, left = service({"ip-address-type": "ipv4"}, **NLB), service(**NLB)
    assert "sets ip-address-type ipv4;" in messages("LBC004", services=[chosen])[0]
    assert "leaves ip-address-type at its default, ipv4;" in messages("LBC004", services=[left])[0]


@pytest.mark.parametrize(
    "silent",
    [
        service({"ip-address-type": "dualstack"}, **NLB),
        service({"ip-address-type": "dualstack-without-public-ipv4"}, **NLB),
        service({"service.beta.kubernetes.io/aws-load-balancer-ip-address type": "dualstack"}, **NLB),
        service(loadBalancerClass="metallb"),
        service(type="ClusterIP"),
    ],
)
def test_dualstack_other_classes_and_what_special_rules_own_stay_silent(silent: dict[str, Any]) -> None:
    assert messages("LBC004", services=[silent]) == []


@pytest.mark.parametrize("annotations", [{}, {"nlb-target-type": "instance"}, {"nlb-target-type": "IP"}])
def test_instance_targets_are_told(annotations: dict[str, str]) -> None:
    assert len(messages("LBC005", services=[service(annotations, **NLB)])) == 1


@pytest.mark.parametrize(
    "silent",
    [
        service({"nlb-target-type": "ip"}, **NLB),
        service({"type": "nlb-ip"}),
        service({"type": "nlb-ip", "nlb-target-type": "instance"}),
        service(loadBalancerClass="eks.amazonaws.com/nlb"),
        service({"nlb-target-type": "instance"}, loadBalancerClass="other"),
        service({"service.beta.kubernetes.io/aws-load-balancer-target-type": "ip"}, **NLB),
    ],
)
def test_ip_targets_and_other_controllers_stay_silent(silent: dict[str, Any]) -> None:
    assert messages("LBC005", services=[silent]) == []


@pytest.mark.parametrize("words", [["--default-target-type=ip"], ["--default-target-type", "ip"]])
def test_the_controllers_default_counts_unless_a_service_says_otherwise(words: list[str]) -> None:
    workloads = [controller(":v3.5.0", *words)]
    assert messages("LBC005", services=[service(**NLB)], workloads=workloads) == []
    assert messages("LBC005", services=[service({"nlb-target-type": "instance"}, **NLB)], workloads=workloads)


@pytest.mark.parametrize(
    ("primary", "severity"),
    [([True, True], Severity.WARNING), ([True, False], Severity.BLOCKER), ([], Severity.BLOCKER)],
)
def test_primary_ipv6_on_every_node_lowers_it_to_a_warning(primary: list[bool], severity: Severity) -> None:
    instances = [record("instances", {"id": f"i-{n}", "primary_ipv6": each}) for n, each in enumerate(primary)]
    (finding,) = judge("LBC005", services=[service(**NLB)], instances=instances).findings
    assert finding.severity is severity
    assert ("primary IPv6" in finding.message) is (severity is Severity.WARNING)


@pytest.mark.parametrize("value", [None, "off", True, "ON"])
def test_udp_without_source_nat_is_told(value: Any) -> None:
    annotations = {"enable-prefix-for-ipv6-source-nat": value}
    (finding,) = judge("LBC008", services=[udp(annotations)]).findings
    assert finding.evidence["enable-prefix-for-ipv6-source-nat"] == ("true" if value is True else value)


@pytest.mark.parametrize(
    "silent",
    [
        udp({"enable-prefix-for-ipv6-source-nat": "on"}),
        udp(type="NodePort"),
        udp(loadBalancerClass="other"),
        udp(loadBalancerClass="eks.amazonaws.com/nlb"),
        service(GOOD, **NLB),
        service(GOOD, ports="UDP", **NLB),
        service(GOOD, ports=["UDP", {"protocol": ["UDP"]}], **NLB),
    ],
)
def test_udp_with_source_nat_and_look_alikes_stay_silent(silent: dict[str, Any]) -> None:
    assert messages("LBC008", services=[silent]) == []


def test_a_controller_too_old_for_udp_is_told_at_the_controller() -> None:
    good = udp({"enable-prefix-for-ipv6-source-nat": "on"})
    (finding,) = judge("LBC008", services=[good], workloads=[controller(":v2.9.2")]).findings
    assert finding.subject.kind == "Deployment"
    assert "2.10.0" in finding.message
    assert "helm" in finding.remedy
    assert [place.id for place in finding.locations] == ["apps/Deployment/kube-system/lbc", "v1/Service/shop/quic"]
    assert messages("LBC002", services=[good], workloads=[controller(":v2.9.2")]) == []


@pytest.mark.parametrize("tag", [":v2.10.0", ":v2.2.0", ":latest"])
def test_the_udp_floor_is_not_told_above_it_nor_below_the_floor_for_all(tag: str) -> None:
    good = udp({"enable-prefix-for-ipv6-source-nat": "on"})
    assert messages("LBC008", services=[good], workloads=[controller(tag)]) == []


def test_an_old_controller_without_udp_services_is_not_told() -> None:
    assert messages("LBC008", services=[service(GOOD, **NLB)], workloads=[controller(":v2.9.2")]) == []


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=12) | st.sampled_from(["LoadBalancer", "UDP", "ip"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "ports", "protocol", "name", "http", "paths", "rules"]), inner, max_size=3
        )
    ),
    max_leaves=12,
)


@given(anything, anything, anything, anything)
def test_no_shape_of_input_breaks_a_rule(annotations: Any, spec: Any, kind_of_class: Any, hooks: Any) -> None:
    service = {"kind": "Service", "metadata": {"annotations": annotations}, "spec": spec}
    typed = {"kind": "Service", "spec": {"type": "LoadBalancer", "loadBalancerClass": kind_of_class, "ports": spec}}
    route = {
        "kind": "Ingress",
        "metadata": {"annotations": annotations},
        "spec": {"rules": spec, "defaultBackend": spec},
    }
    sections = {
        "services": [service, typed],
        "ingresses": [route, {**ingress(), "spec": {"ingressClassName": kind_of_class, "rules": spec}}],
        "ingress_classes": [{"kind": "IngressClass", "metadata": {"name": "alb"}, "spec": {"parameters": spec}}],
        "ingress_class_params": [{"kind": "IngressClassParams", "spec": {"ipAddressType": spec, "group": hooks}}],
        "workloads": [controller(), {"kind": "Deployment", "metadata": {"labels": annotations}, "spec": spec}],
        "webhooks": [{**WEBHOOK, "webhooks": hooks}],
    }
    for number in ("001", "002", "003", "004", "005", "006", "007", "008", "011", "012"):
        taken = (*rule(f"LBC{number}").required, *rule(f"LBC{number}").optional)
        outcome = judge(f"LBC{number}", **{name: items for name, items in sections.items() if name in taken})
        assert outcome.error == ""
