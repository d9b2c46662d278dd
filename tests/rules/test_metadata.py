"""Instance metadata: the IPv6 endpoint, hop limits beside workloads that need them, and what stays silent."""

from __future__ import annotations

from typing import Any

import pytest
from build import judge, messages

from eks6check.findings import Confidence, State

LBC = "public.ecr.aws/eks/aws-load-balancer-controller:v2.13.0"
MODE = "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE"
BOTH = ["--cluster-name=shop", "--aws-vpc-id=vpc-1", "--aws-region", "eu-west-1"]


def deployment(container: dict[str, Any], **spec: Any) -> dict[str, Any]:
    pod = {"containers": [{"name": "app", "image": "app:1", **container}], **spec}
    meta = {"name": "web", "namespace": "shop"}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": {"template": {"spec": pod}}}


def node_class(options: Any = None, kind: str = "EC2NodeClass") -> dict[str, Any]:
    spec = {} if options is None else {"metadataOptions": options}
    return {"apiVersion": "karpenter.k8s.aws/v1", "kind": kind, "metadata": {"name": "default"}, "spec": spec}


CONTROLLER = deployment({"image": LBC, "args": ["--cluster-name=shop"]})
CURL = deployment({"command": ["sh", "-c", "curl http://169.254.169.254/latest/meta-data/instance-id"]})


def test_every_switch_of_the_ipv6_endpoint_is_told() -> None:
    on = {"http_protocol_ipv6": "enabled"}
    found = messages(
        "NOD005",
        launch_templates=[{"id": "lt-1", "metadata_options": on}],
        instances=[{"id": "i-1", "metadata_options": on}],
        node_classes=[node_class({"httpProtocolIPv6": "enabled"})],
    )
    assert [message.partition(" the IPv6")[0] for message in found] == [
        "Launch template lt-1 turns",
        "EC2NodeClass default turns",
        "Instance i-1 has",
    ]


def test_instances_follow_what_they_were_made_from() -> None:
    on = {"http_protocol_ipv6": "enabled"}
    group = {"id": "web", "launch_template_id": "lt-1", "launch_template_version": "1"}
    found = judge(
        "NOD005",
        launch_templates=[{"id": "lt-1", "version": "1", "metadata_options": on}],
        node_groups=[group],
        instances=[
            {"id": "i-1", "metadata_options": on, "tags": {"aws:ec2launchtemplate:id": "lt-1"}},
            {"id": "i-2", "metadata_options": on, "tags": {"eks:nodegroup-name": "web"}},
            {"id": "i-3", "metadata_options": on, "tags": {"eks:kubernetes-node-pool-name": "system"}},
        ],
    ).findings
    assert [each.subject.id for each in found] == ["lt-1"]


@pytest.mark.parametrize(
    "options", [None, {}, {"httpProtocolIPv6": "disabled"}, "x", {"httpProtocolIPv6": ["enabled"]}]
)
def test_an_endpoint_that_is_off_is_silent(options: Any) -> None:
    assert judge("NOD005", node_classes=[node_class(options)]).state is State.PASSED


@pytest.mark.parametrize("value", ["IPv6", "ipv6"])
def test_an_sdk_sent_to_the_ipv6_endpoint_is_told(value: str) -> None:
    assert messages("NOD005", workloads=[deployment({"env": [{"name": MODE, "value": value}]})])


@pytest.mark.parametrize(
    "data",
    [
        {MODE: "IPv6"},
        {"config": "[default]\nec2_metadata_service_endpoint_mode = IPv6\n"},
        {"boot.sh": f"export {MODE}=ipv6"},
    ],
)
def test_the_choice_is_found_in_files_too(data: dict[str, str]) -> None:
    body = {"kind": "ConfigMap", "metadata": {"name": "c"}, "data": data}
    assert len(messages("NOD005", config_maps=[body])) == 1


def test_a_choice_in_a_comment_or_for_ipv4_is_silent() -> None:
    data = {
        "config": "# ec2_metadata_service_endpoint_mode = IPv6\nec2_metadata_service_endpoint_mode = IPv4",
        MODE: "IPv4",
    }
    assert not messages("NOD005", config_maps=[{"kind": "ConfigMap", "metadata": {"name": "c"}, "data": data}])


def test_the_ipv6_address_is_told_in_arguments_and_files() -> None:
    config_map = {
        "kind": "ConfigMap",
        "metadata": {"name": "c"},
        "data": {"a.sh": "curl http://[fd00:ec2::254]/latest"},
    }
    workload = deployment({"args": ["--imds=[fd00:ec2::254]:80"]})
    assert len(messages("NOD005", workloads=[workload], config_maps=[config_map])) == 2


@pytest.mark.parametrize(
    "env",
    [
        {"name": MODE, "value": "IPv4"},
        {"name": "NO_PROXY", "value": "[fd00:ec2::254],localhost"},
        {"name": "AGENT", "value": "http://[fd00:ec2::23]/v1/credentials"},
        {"name": "BLOCKED", "value": "fd00:ec2::254/128"},
        {"name": MODE, "valueFrom": {"fieldRef": {}}},
    ],
)
def test_ipv4_mode_and_bypass_lists_are_silent(env: dict[str, Any]) -> None:
    assert judge("NOD005", workloads=[deployment({"env": [env]})]).state is State.PASSED


@pytest.mark.parametrize("options", [None, {}, {"httpPutResponseHopLimit": 1}, {"httpTokens": "required"}])
def test_a_node_class_one_hop_away_hides_metadata_from_the_controller(options: Any) -> None:
    (finding,) = judge("NOD006", workloads=[CONTROLLER], node_classes=[node_class(options)]).findings
    assert finding.subject.kind == "EC2NodeClass"
    assert "runs without --aws-vpc-id and --aws-region" in finding.message
    assert len(finding.locations) == 2
    assert finding.confidence is Confidence.MEDIUM


def test_everything_that_needs_metadata_is_named_in_one_finding() -> None:
    (finding,) = judge("NOD006", workloads=[CURL, CONTROLLER], node_classes=[node_class()]).findings
    assert "(1 more need it)" in finding.message
    assert len(finding.locations) == 3


@pytest.mark.parametrize(
    "workload",
    [
        deployment({"image": LBC, "args": BOTH}),
        deployment({"image": LBC, "args": ["--aws-vpc-tags=Name=x"], "env": [{"name": "AWS_REGION", "value": "eu"}]}),
        deployment({"image": LBC}, hostNetwork=True),
        deployment({"env": [{"name": "NO_PROXY", "value": "169.254.169.254"}]}),
        deployment({"image": "app:1"}),
        deployment({"image": ["odd"], "args": {"odd": 1}, "env": "odd"}),
    ],
)
def test_workloads_that_do_without_metadata_are_silent(workload: dict[str, Any]) -> None:
    assert judge("NOD006", workloads=[workload], node_classes=[node_class()]).state is State.PASSED


@pytest.mark.parametrize(
    "body",
    [
        node_class({"httpPutResponseHopLimit": 2}),
        node_class({"httpPutResponseHopLimit": 1, "httpEndpoint": "disabled"}),
        node_class(None, kind="AWSNodeTemplate"),
    ],
)
def test_two_hops_or_no_metadata_at_all_are_silent(body: dict[str, Any]) -> None:
    assert judge("NOD006", workloads=[CONTROLLER], node_classes=[body]).state is State.PASSED


def hops(limit: int | None, **tags: str) -> dict[str, Any]:
    named = {tag.replace("__", ":").replace("_", "-"): value for tag, value in tags.items()}
    return {"metadata_options": {"http_put_response_hop_limit": limit}, "tags": named}


def test_a_node_group_is_judged_by_its_instances_and_told_once() -> None:
    instances = [{"id": name, **hops(1, eks__nodegroup_name="web")} for name in ("i-2", "i-1")]
    (finding,) = judge("NOD006", workloads=[CONTROLLER], node_groups=[{"id": "web"}], instances=instances).findings
    assert (finding.subject.id, finding.subject.kind) == ("web", "NodeGroup")
    assert [place.id for place in finding.locations[:3]] == ["web", "i-1", "i-2"]


def test_a_launch_template_that_sets_the_limit_stands_for_its_group() -> None:
    group = {"id": "web", "launch_template_id": "lt-1", "launch_template_version": "1"}
    instances = [{"id": "i-1", **hops(1, eks__nodegroup_name="web")}]

    def told(limit: int | None) -> list[str]:
        launch = {"id": "lt-1", "version": "1", "metadata_options": {"http_put_response_hop_limit": limit}}
        outcome = judge(
            "NOD006", workloads=[CONTROLLER], node_groups=[group], launch_templates=[launch], instances=instances
        )
        return [finding.subject.id for finding in outcome.findings]

    assert (told(1), told(2), told(None)) == (["lt-1"], [], ["web"])


def test_a_rule_that_needs_two_things_in_view_is_silent_with_one() -> None:
    assert judge("NOD006", workloads=[CONTROLLER], node_classes=[]).state is State.PASSED
    assert judge("NOD006", workloads=[], node_classes=[node_class()]).state is State.NOT_APPLICABLE


@pytest.mark.parametrize(
    ("rule", "options"), [("NOD005", {"http_protocol_ipv6": "enabled"}), ("NOD006", {"http_put_response_hop_limit": 1})]
)
def test_an_auto_scaling_group_stands_beside_its_template(rule: str, options: dict[str, Any]) -> None:
    found = judge(
        rule,
        launch_templates=[{"id": "lt-1", "version": "1", "metadata_options": options}],
        auto_scaling_groups=[{"id": "own", "launch_template_id": "lt-1", "launch_template_version": "1"}],
        workloads=[CONTROLLER],
    ).findings
    assert [place.id for place in found[0].locations if place.source == "aws"] == ["lt-1", "own"]
