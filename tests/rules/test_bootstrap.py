"""User data and launch templates that make IPv4 nodes, and those that leave the family to EKS or Karpenter."""

from __future__ import annotations

from typing import Any

import pytest
from build import judge, messages

from eks6check.findings import Confidence, Severity

OLD = "kind: NodeConfig\nspec: {cluster: {name: shop, cidr: 10.100.0.0/16}}\n"
NEW = "kind: NodeConfig\nspec: {cluster: {name: shop, cidr: 'fd12::/108'}}\n"
CALL = "/etc/eks/bootstrap.sh shop --b64-cluster-ca CA --apiserver-endpoint URL"
TOML = "[settings.kubernetes]\ncluster-name = 'shop'\n"


def template(user_data: str | None = None, **fields: Any) -> dict[str, Any]:
    return {"id": "lt-1", "version": "3", "image_id": "ami-1", "user_data": user_data, **fields}


def group(ami_type: str = "CUSTOM", **fields: Any) -> dict[str, Any]:
    named = {"launch_template_id": "lt-1", "launch_template_version": "3"}
    return {"id": "web", "ami_type": ami_type, **named, **fields}


def node_class(**spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "karpenter.k8s.aws/v1",
        "kind": "EC2NodeClass",
        "metadata": {"name": "default"},
        "spec": {"amiSelectorTerms": [{"alias": "al2023@latest"}], **spec},
    }


@pytest.mark.parametrize(
    ("user_data", "remedy"), [(OLD, "kind: NodeConfig"), (CALL, "bootstrap.sh"), (TOML, "cluster-dns-ip")]
)
def test_user_data_that_boots_ipv4_is_told_once_with_its_group(user_data: str, remedy: str) -> None:
    templates = [template(user_data), template(user_data, version="2")]
    (finding,) = judge("NOD007", launch_templates=templates, node_groups=[group(launch_template_version="2")]).findings
    assert finding.message.startswith("The user data of launch template lt-1 boots an IPv4 node: ")
    assert [place.id for place in finding.locations] == ["lt-1", "web"]
    assert remedy in finding.remedy


def test_an_ipv4_cluster_is_told_that_it_is_right_for_now() -> None:
    old, new = ({"id": "shop", "ip_family": family} for family in ("ipv4", "ipv6"))
    (message,) = messages("NOD007", launch_templates=[template(OLD)], clusters=[old])
    assert "boots an IPv4 node (right for today's IPv4 cluster, and what must change for the IPv6 one)" in message
    (message,) = messages("NOD007", launch_templates=[template(OLD)], clusters=[new])
    assert "today" not in message


@pytest.mark.parametrize(
    ("launch", "groups"),
    [
        (template(NEW), []),
        (template(None), []),
        (template(""), []),
        (template(OLD, image_id=None), [group("AL2023_x86_64_STANDARD")]),
        (template(OLD, name="eksctl-shop-nodegroup-web"), []),
    ],
)
def test_ipv6_no_user_data_and_that_of_eks_and_eksctl_are_silent(launch: Any, groups: Any) -> None:
    assert not messages("NOD007", launch_templates=[launch], node_groups=groups)


def test_karpenter_lets_a_range_win_that_the_user_names() -> None:
    (finding,) = judge("NOD007", node_classes=[node_class(userData=OLD)]).findings
    assert finding.message.startswith("The user data of EC2NodeClass default boots an IPv4 node")


@pytest.mark.parametrize("user_data", [CALL, TOML])
def test_what_karpenter_adds_itself_is_judged_for_custom_images_only(user_data: str) -> None:
    assert messages("NOD007", node_classes=[node_class(userData=user_data, amiFamily="Custom")])
    for family in ("AL2", "Bottlerocket", None):
        assert not messages("NOD007", node_classes=[node_class(userData=user_data, amiFamily=family)])


@pytest.mark.parametrize("odd", [None, 3, [], {}, ["x"]])
def test_user_data_of_odd_types_does_not_raise(odd: Any) -> None:
    classes = [node_class(userData=odd, kubelet=odd), node_class(kubelet={"clusterDNS": odd})]
    for rule in ("NOD007", "NOD008"):
        assert not messages(rule, node_classes=classes)


def provisioner(**spec: Any) -> dict[str, Any]:
    return {"apiVersion": "karpenter.sh/v1alpha5", "kind": "Provisioner", "metadata": {"name": "old"}, "spec": spec}


def pool(**spec: Any) -> dict[str, Any]:
    body = {"template": {"spec": {"nodeClassRef": {"name": "default"}, **spec}}}
    return {"apiVersion": "karpenter.sh/v1beta1", "kind": "NodePool", "metadata": {"name": "general"}, "spec": body}


def test_an_ipv4_name_server_is_found_wherever_karpenter_takes_it_from() -> None:
    dns = {"clusterDNS": ["10.100.0.10"]}
    bare = "kind: NodeConfig\nspec: {kubelet: {config: {clusterDNS: [10.100.0.10]}}}\n"
    found = judge(
        "NOD008",
        node_classes=[node_class(kubelet=dns, userData=bare)],
        node_pools=[provisioner(kubeletConfiguration=dns), pool(kubelet=dns)],
    ).findings
    assert {(each.subject.kind, each.message.endswith("the IPv4 name server 10.100.0.10.")) for each in found} == {
        ("EC2NodeClass", True),
        ("Provisioner", True),
        ("NodePool", True),
    }
    assert [each.confidence for each in found].count(Confidence.MEDIUM) == 1
    assert len(found) == 4


@pytest.mark.parametrize("servers", [["fd12::a"], ["fd12::a", "10.100.0.10"], [], None, "10.100.0.10"])
def test_another_first_name_server_is_silent(servers: Any) -> None:
    assert not messages("NOD008", node_classes=[node_class(kubelet={"clusterDNS": servers})])


def test_a_launch_template_may_give_the_name_server() -> None:
    user_data = f"{CALL} --ip-family ipv6 --dns-cluster-ip 10.100.0.10"
    (finding,) = judge("NOD008", launch_templates=[template(user_data)], node_groups=[group()]).findings
    assert "lt-1 gives kubelet the IPv4 name server 10.100.0.10" in finding.message
    assert [place.id for place in finding.locations] == ["lt-1", "web"]
    assert not messages("NOD008", launch_templates=[template(user_data.replace("10.100.0.10", "fd12::a"))])


def test_the_name_server_that_eksctl_writes_is_its_own() -> None:
    user_data = f"{CALL} --ip-family ipv6 --dns-cluster-ip 10.100.0.10"
    assert not messages("NOD008", launch_templates=[template(user_data, name="eksctl-shop-nodegroup-web")])
    assert messages("NOD008", launch_templates=[template(user_data, name="web")])


ASG = {"id": "asg", "launch_template_id": "lt-1", "launch_template_version": "3", "subnet_ids": ["subnet-1"]}
PLAIN = {"device_index": 0, "group_ids": ["sg-1"]}


def test_a_declared_interface_without_an_address_is_told() -> None:
    (finding,) = judge(
        "NOD009",
        launch_templates=[template(network_interfaces=[PLAIN])],
        auto_scaling_groups=[ASG],
        subnets=[{"id": "subnet-1"}],
    ).findings
    assert finding.message == "Launch template lt-1 declares its network interface and asks for no IPv6 address."
    assert (finding.severity, [place.id for place in finding.locations]) == (Severity.BLOCKER, ["lt-1", "asg"])
    assert "--launch-template-id lt-1 --source-version '3'" in finding.remedy


def test_subnets_that_assign_an_address_make_it_a_warning() -> None:
    subnets = [{"id": "subnet-1", "assign_ipv6_address_on_creation": True}, {"id": "subnet-2"}]
    templates = [template(network_interfaces=[PLAIN])]
    both = group(subnet_ids=["subnet-1", "subnet-2"])
    (finding,) = judge("NOD009", launch_templates=templates, node_groups=[both], subnets=subnets).findings
    assert finding.severity is Severity.BLOCKER
    one = group(subnet_ids=["subnet-1"])
    (finding,) = judge("NOD009", launch_templates=templates, node_groups=[one], subnets=subnets).findings
    assert (finding.severity, finding.confidence) == (Severity.WARNING, Confidence.MEDIUM)


@pytest.mark.parametrize(
    "interfaces",
    [
        [],
        [{**PLAIN, "ipv6_address_count": 1}],
        [{"device_index": 1}, {**PLAIN, "ipv6_address_count": 1}],
        [{"device_index": 0, "network_card_index": 1}],
    ],
)
def test_a_template_that_asks_or_leaves_it_to_the_subnet_is_silent(interfaces: Any) -> None:
    assert not messages("NOD009", launch_templates=[template(network_interfaces=interfaces)])


def test_eksctl_always_declares_the_interface() -> None:
    named = template(network_interfaces=[PLAIN], name="eksctl-shop-nodegroup-web")
    assert not messages("NOD009", launch_templates=[named])


def launched(*addresses: str, version: str = "3", **tags: str) -> dict[str, Any]:
    """An instance of the template, with these IPv6 addresses on its primary interface."""
    made_from = {"aws:ec2launchtemplate:id": "lt-1", "aws:ec2launchtemplate:version": version}
    return {
        "id": f"i-{len(addresses)}-{version}",
        "network_interfaces": [{"id": "eni-1", "ipv6_addresses": list(addresses)}],
        "tags": tags or made_from,
    }


GROUP_TAG = {"eks:nodegroup-name": "web"}


@pytest.mark.parametrize(
    ("instances", "count"),
    [
        ([launched("2001:db8::1")], 0),
        ([launched("2001:db8::1", **GROUP_TAG)], 0),
        ([launched("2001:db8::1"), launched(version="2")], 0),
        ([], 1),
        ([launched()], 1),
        ([launched("2001:db8::1"), launched()], 1),
        ([launched("2001:db8::1", version="2")], 1),
        ([launched("2001:db8::1", **{"eks:nodegroup-name": "other"})], 1),
        ([{**launched(), "network_interfaces": [{"id": "eni-1", "ipv6_prefixes": ["2001:db8::/80"]}]}], 1),
        ([{**launched(), "network_interfaces": []}], 1),
    ],
)
def test_instances_of_the_template_that_hold_an_address_show_that_they_get_one(instances: Any, count: int) -> None:
    templates = [template(network_interfaces=[PLAIN])]
    assert len(messages("NOD009", launch_templates=templates, node_groups=[group()], instances=instances)) == count


OFF: dict[str, Any] = {"metadata_options": {"http_endpoint": "disabled"}}


def test_metadata_that_is_off_is_told_of_the_template_and_of_instances_that_it_does_not_explain() -> None:
    found = judge(
        "NOD010",
        launch_templates=[template(**OFF)],
        node_groups=[group()],
        instances=[
            {"id": "i-1", **OFF, "tags": {"eks:nodegroup-name": "web"}},
            {"id": "i-2", **OFF, "tags": {"aws:ec2launchtemplate:id": "lt-1"}},
            {"id": "i-3", **OFF, "tags": {"aws:autoscaling:groupName": "old"}},
            {"id": "i-4", **OFF, "tags": {"aws:autoscaling:groupName": "old"}},
        ],
    ).findings
    said = {each.subject.id: each.message for each in found}
    assert said.keys() == {"lt-1", "i-3"}
    assert said["i-3"].startswith("Instance i-3 of group old with 1 more has instance metadata off")


@pytest.mark.parametrize("options", [{}, {"http_endpoint": "enabled"}, {"http_tokens": "required"}])
def test_metadata_that_is_on_or_left_to_ec2_is_silent(options: Any) -> None:
    assert not messages(
        "NOD010",
        launch_templates=[template(metadata_options=options)],
        instances=[{"id": "i-1", "metadata_options": options}],
    )
