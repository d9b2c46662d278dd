"""Auto Scaling groups, launch templates and images over real HTTP: whose they are, and in how few calls."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import servers
from servers import IMAGE, REGION, answers, client, launch_template

from eks6check.demo.aws_server import Server
from eks6check.facts import Gap, Section
from eks6check.facts.aws import AutoScalingGroup, Instance, InterfaceRequest, LaunchTemplate, NodeGroup
from eks6check.sources.aws import machines, templates
from eks6check.sources.aws.api import Account, Source, connect

GROUPS = "autoscaling:DescribeAutoScalingGroups"


@pytest.fixture(scope="module")
def world() -> Iterator[tuple[Server, Account]]:
    with servers.aws() as server:
        yield server, connect(REGION)


@pytest.fixture
def server(world: tuple[Server, Account], monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    servers.lead_to(world[0], monkeypatch)
    world[0].calls.clear()
    yield world[0]
    world[0].hooks.clear()


@pytest.fixture
def source(world: tuple[Server, Account], server: Server) -> Source:
    assert server is world[0]
    return Source(world[1], "prod", {})


def group(name: str, **tags: str) -> dict[str, Any]:
    fields: dict[str, Any] = dict.fromkeys(("MinSize", "MaxSize", "DesiredCapacity", "DefaultCooldown"), 1)
    fields |= {"AvailabilityZones": ["eu-west-1a"], "HealthCheckType": "EC2", "CreatedTime": "2026-11-22T00:00:00Z"}
    return {"AutoScalingGroupName": name, **fields, "Tags": [{"Key": key, "Value": tags[key]} for key in tags]}


def test_only_this_clusters_self_managed_groups_are_read(server: Server, source: Source) -> None:
    bodies = [
        group("own", **{"kubernetes.io/cluster/prod": "owned"}),
        group("autoscaled", **{"k8s.io/cluster-autoscaler/prod": "owned"}),
        group("eksctl", **{"alpha.eksctl.io/cluster-name": "prod"}),
        group("managed", **{"kubernetes.io/cluster/prod": "owned", "eks:nodegroup-name": "web"}),
        group("other", **{"kubernetes.io/cluster/prod-2": "owned", "eks:cluster-name": "prod-2"}),
    ]
    server.hooks[GROUPS] = answers(GROUPS, {"AutoScalingGroups": bodies})
    found = [*templates.auto_scaling_groups.read(source)]
    assert [each.id for each in found if not isinstance(each, Gap)] == ["own", "autoscaled", "eksctl"]
    assert server.calls == [GROUPS]


@pytest.mark.usefixtures("server")
def test_groups_are_read_through_moto_with_their_template(source: Source) -> None:
    ids = servers.network(client("ec2"), ipv6=True)
    name = servers.self_managed("prod", ids["private"])
    (found,) = templates.auto_scaling_groups.read(source)
    assert isinstance(found, AutoScalingGroup)
    assert (found.id, found.launch_template_version, found.subnet_ids) == (name, "$Latest", tuple(ids["private"]))
    listed = templates.launch_templates.read(source, Section(), Section(), Section((found,)))
    assert [each.image_id for each in listed if isinstance(each, LaunchTemplate)] == [IMAGE]


def test_a_mixed_group_has_its_overrides_and_the_template_of_its_policy() -> None:
    overrides = [{"InstanceType": "m5.large"}, {"InstanceRequirements": {}}, {"InstanceType": "m6i.large"}]
    policy = {"LaunchTemplate": {"LaunchTemplateSpecification": {"LaunchTemplateId": "lt-1"}, "Overrides": overrides}}
    found = templates.auto_scaling_group({"AutoScalingGroupName": "own", "MixedInstancesPolicy": policy})
    assert found.instance_types == ("m5.large", "m6i.large")
    assert (found.launch_template_id, found.launch_template_version) == ("lt-1", "$Default")
    assert templates.auto_scaling_group({"LaunchConfigurationName": "old"}).launch_template_version is None


def versions_of(source: Source, *references: tuple[str, str]) -> list[LaunchTemplate | Gap]:
    groups = [
        NodeGroup(id=f"{one}{two}", launch_template_id=one, launch_template_version=two) for one, two in references
    ]
    return [*templates.launch_templates.read(source, Section(tuple(groups)), Section(), Section())]


def test_all_versions_of_a_template_come_in_one_call(server: Server, source: Source) -> None:
    made = launch_template({"InstanceType": "m5.large"}, "versions")
    newer = {"InstanceType": "m6i.large"}
    client("ec2").create_launch_template_version(LaunchTemplateId=made, LaunchTemplateData=newer)
    server.calls.clear()
    found = versions_of(source, (made, "$Latest"), (made, "1"), (made, "$Default"), (made, "2"))
    assert {each.version: each.instance_type for each in found if isinstance(each, LaunchTemplate)} == {
        "$Default": "m5.large",
        "$Latest": "m6i.large",
        "1": "m5.large",
        "2": "m6i.large",
    }
    assert server.calls == [templates.VERSIONS]


def test_a_version_that_is_gone_costs_no_other(server: Server, source: Source) -> None:
    made = launch_template({"InstanceType": "m5.large"}, "gone")
    missing = servers.failing(templates.VERSIONS, "InvalidLaunchTemplateId.VersionNotFound")
    server.hooks[templates.VERSIONS] = lambda request, forward: (
        missing(request, forward) if b"=9" in request.get_data() else forward()
    )
    found = versions_of(source, (made, "9"), (made, "1"))
    assert [type(each) for each in found] == [LaunchTemplate, Gap]


def test_a_version_that_an_answer_lacks_is_a_gap(server: Server, source: Source) -> None:
    body = {"LaunchTemplateId": "lt-1", "VersionNumber": 3, "DefaultVersion": False, "LaunchTemplateData": {}}
    server.hooks[templates.VERSIONS] = answers(templates.VERSIONS, {"LaunchTemplateVersions": [body]})
    default, latest = versions_of(source, ("lt-1", "$Default"), ("lt-1", "$Latest"))
    assert isinstance(default, Gap)
    assert default.reason == "EC2 has no version $Default of lt-1."
    assert isinstance(latest, LaunchTemplate)


@pytest.mark.parametrize(
    ("body", "request_made"),
    [
        ({"DeviceIndex": 1, "NetworkCardIndex": 2}, InterfaceRequest(device_index=1, network_card_index=2)),
        ({"Ipv6AddressCount": 1, "PrimaryIpv6": True}, InterfaceRequest(ipv6_address_count=1, primary_ipv6=True)),
        ({"Ipv6Addresses": [{"Ipv6Address": "2001:db8::1"}]}, InterfaceRequest(ipv6_address_count=1)),
        ({"Ipv6Prefixes": [{}, {}], "Groups": ["sg-1"]}, InterfaceRequest(ipv6_prefix_count=2, group_ids=("sg-1",))),
        ({"Ipv6AddressCount": None, "Ipv6Addresses": "x", "Groups": 3}, InterfaceRequest()),
    ],
)
def test_a_template_names_or_counts_what_its_interface_gets(
    body: Mapping[str, Any], request_made: InterfaceRequest
) -> None:
    data = {"NetworkInterfaces": [body, None], "SecurityGroupIds": ["sg-2"]}
    made = templates.launch_template({"LaunchTemplateId": "lt-1", "LaunchTemplateData": data})
    assert (made.network_interfaces, made.security_group_ids) == ((request_made,), ("sg-2",))


def test_an_instance_shows_its_interfaces_image_and_profile() -> None:
    interface = {
        "NetworkInterfaceId": "eni-1",
        "Attachment": {"DeviceIndex": 1, "NetworkCardIndex": 1},
        "Groups": [{"GroupId": "sg-1"}, {}],
        "Ipv6Addresses": [{"Ipv6Address": "2001:db8::1"}],
        "Ipv6Prefixes": [{"Ipv6Prefix": "2001:db8:1::/80"}],
    }
    made = machines.instance(
        {
            "InstanceId": "i-1",
            "ImageId": "ami-1",
            "Platform": "Windows",
            "IamInstanceProfile": {"Arn": "arn:aws:iam::1:instance-profile/p"},
            "SecurityGroups": [{"GroupId": "sg-2"}],
            "NetworkInterfaces": [interface, "x"],
        }
    )
    assert (made.image_id, made.platform, made.instance_profile_arn) == (
        "ami-1",
        "windows",
        "arn:aws:iam::1:instance-profile/p",
    )
    (own,) = made.network_interfaces
    assert (own.id, own.device_index, own.network_card_index) == ("eni-1", 1, 1)
    assert (own.group_ids, own.ipv6_addresses, own.ipv6_prefixes) == (("sg-1",), ("2001:db8::1",), ("2001:db8:1::/80",))
    assert (made.security_group_ids, machines.instance({}).instance_profile_arn) == (("sg-2",), None)


def images_of(source: Source, *named: str, used: str = "") -> list[Any]:
    launched = tuple(LaunchTemplate(id=f"lt-{name}", image_id=name) for name in named)
    return [*machines.images.read(source, Section(launched), Section((Instance(id="i-1", image_id=used),)))]


@pytest.mark.usefixtures("server")
def test_an_image_that_is_gone_is_a_gap_only_where_a_template_would_launch_it(source: Source) -> None:
    found, gap = images_of(source, IMAGE, "ami-00000000000000001", used="ami-00000000000000002")
    assert found.id == IMAGE
    assert isinstance(gap, Gap)
    assert "ami-00000000000000001" in gap.reason


def test_images_by_parameter_and_none_at_all_cost_no_call(server: Server, source: Source) -> None:
    assert not images_of(source, "resolve:ssm:/aws/service/eks/image")
    assert not server.calls


def test_a_windows_image_is_known_in_either_spelling() -> None:
    assert machines.image({"ImageId": "ami-1", "Platform": "windows"}).platform == "windows"
    assert machines.image({"ImageId": "ami-1", "Platform": "Windows"}).platform == "windows"
    assert machines.image({"ImageId": "ami-1"}).platform == ""
