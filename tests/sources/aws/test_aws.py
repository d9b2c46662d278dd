"""The AWS source over real HTTP: what it reads of an account, and what it makes of every way to be refused."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from typing import Any

import pytest
import servers
from servers import REGION, answers, changed, client, cut, failing, first, packed, page_of_html, refused

from eks6check.demo.aws_server import Server, in_json
from eks6check.facts import SECTIONS, Facts, Gap, Section
from eks6check.facts.aws import Instance, LaunchTemplate, NodeGroup
from eks6check.knowledge import instance_types as knowledge
from eks6check.sources import aws, collect, needed
from eks6check.sources.aws import iam, machines
from eks6check.sources.aws import templates as launch

AWS_SECTIONS = sorted(name for name, kind in SECTIONS.items() if kind != "Resource")
ACTIONS = sorted({call for each in aws.COLLECTORS for call in each.calls})
SECOND_WAY = {*iam.role_permissions.calls} - {"iam:GetInstanceProfile"}
"""Two ways to the same: a refusal of one of them costs nothing, which test_iam.py shows."""


@pytest.fixture(scope="module")
def both() -> Iterator[tuple[Server, dict[str, list[str]], dict[str, list[str]]]]:
    """One account with an untouched IPv4 cluster ``prod`` and a prepared IPv6 cluster ``six``."""
    with servers.aws() as server:
        yield server, servers.ipv4_account(server), servers.ipv6_account(server, "six")


@pytest.fixture
def server(both: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    server: Server = both[0]
    servers.lead_to(server, monkeypatch)
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)
    server.calls.clear()
    yield server
    server.hooks.clear()


@pytest.fixture
def old(both: Any) -> dict[str, list[str]]:
    ids: dict[str, list[str]] = both[1]
    return ids


@pytest.fixture
def new(both: Any) -> dict[str, list[str]]:
    ids: dict[str, list[str]] = both[2]
    return ids


def read(*sections: str, cluster: str = "prod") -> Facts:
    return collect([(servers.source(cluster), aws.COLLECTORS)], sections or AWS_SECTIONS)


def gaps(facts: Facts) -> dict[str, set[str]]:
    return {name: {gap.call for gap in section.gaps} for name, section in facts.items() if section.gaps}


def test_every_section_of_the_account_has_a_collector() -> None:
    assert [each.section for each in aws.COLLECTORS] == AWS_SECTIONS


@pytest.mark.usefixtures("server")
def test_an_untouched_account_is_read_whole(old: dict[str, list[str]]) -> None:
    facts = read()
    assert not gaps(facts)
    (cluster,) = facts["clusters"].items
    assert (cluster.region, cluster.account, cluster.version, cluster.ip_family) == (
        REGION,
        "123456789012",
        "1.31",
        "ipv4",
    )
    assert cluster.vpc_id == old["vpc"][0]
    assert [vpc.ipv6_cidr_blocks for vpc in facts["vpcs"].items] == [()]
    assert {subnet.id for subnet in facts["subnets"].items} == {*old["public"], *old["private"]}
    assert not any(subnet.ipv6_cidr_blocks for subnet in facts["subnets"].items)
    assert {group.id: group.instance_types for group in facts["node_groups"].items} == {
        "general": ("m5.large",),
        "legacy": ("m4.large",),
    }
    assert {each.id: each.hypervisor for each in facts["instance_types"].items} == {
        "m4.large": "xen",
        "m5.large": "nitro",
    }
    assert [profile.subnet_ids for profile in facts["fargate_profiles"].items] == [tuple(old["private"])]
    assert [(gateway.id, gateway.state) for gateway in facts["nat_gateways"].items] == [(old["nat"][0], "available")]
    assert [(each.id, each.version) for each in facts["addons"].items] == [("vpc-cni", "v1.12.6-eksbuild.2")]
    assert not facts["egress_only_gateways"].items


@pytest.mark.usefixtures("server")
def test_a_launch_template_comes_with_its_user_data_in_plain_text(old: dict[str, list[str]]) -> None:
    (template,) = read("launch_templates")["launch_templates"].items
    assert (template.id, template.version, template.image_id) == (old["template"][0], "1", servers.IMAGE)
    assert template.user_data == servers.NODE_CONFIG


@pytest.mark.usefixtures("server")
def test_a_prepared_account_shows_both_families(new: dict[str, list[str]]) -> None:
    facts = read(cluster="six")
    assert not gaps(facts)
    assert [cluster.ip_family for cluster in facts["clusters"].items] == ["ipv6"]
    assert all(subnet.ipv6_cidr_blocks for subnet in facts["subnets"].items)
    assert all(subnet.assign_ipv6_address_on_creation for subnet in facts["subnets"].items)
    assert [gateway.attached_vpc_ids for gateway in facts["egress_only_gateways"].items] == [tuple(new["vpc"])]
    routes = {
        (subnet, route.destination): route.target
        for table in facts["route_tables"].items
        for subnet in table.subnet_ids
        for route in table.routes
    }
    assert routes[new["private"][0], "::/0"] == new["egress"][0]
    assert routes[new["private"][0], "0.0.0.0/0"] == new["nat"][0]
    assert routes[new["public"][0], "::/0"].startswith("igw-")
    assert [table.main for table in facts["route_tables"].items].count(True) == 1
    assert {each.id: each.configuration for each in facts["addons"].items} == {
        "coredns": {},
        "vpc-cni": {"env": {"ENABLE_PREFIX_DELEGATION": "true"}},
    }


@pytest.mark.usefixtures("server")
def test_only_this_clusters_running_instances_are_read(old: dict[str, list[str]], new: dict[str, list[str]]) -> None:
    stopped = servers.run_instance("prod", old["private"][0], "m5.large", {})
    client("ec2").stop_instances(InstanceIds=[stopped])
    found = {instance.id: instance for instance in read("instances")["instances"].items}
    assert found.keys() == {*old["instance"], *old["self_managed"]}
    instance = found[old["instance"][0]]
    assert instance.id != new["instance"][0]
    assert instance.metadata_options.http_put_response_hop_limit == 1
    assert instance.tags["eks:nodegroup-name"] == "legacy"


@pytest.mark.parametrize("section", AWS_SECTIONS)
def test_the_calls_made_are_the_calls_declared(server: Server, section: str) -> None:
    server.hooks["eks:DescribeCluster"] = changed(resourcesVpcConfig={"subnetIds": subnets_of("prod")})
    server.calls.clear()
    read(section)
    declared = {call for each in needed(aws.COLLECTORS, {section, "clusters"}) for call in each.calls}
    assert set(server.calls) == {*declared, "eks:DescribeCluster"} - not_asked(section)


def subnets_of(cluster: str) -> list[str]:
    described = client("eks").describe_cluster(name=cluster)["cluster"]
    ids: list[str] = described["resourcesVpcConfig"]["subnetIds"]
    return ids


def not_asked(section: str) -> set[str]:
    """What ``identify`` and the report's head add: the cluster, which sections without need of it leave alone."""
    return (
        set() if "clusters" in {each.section for each in needed(aws.COLLECTORS, {section})} else {"ec2:DescribeSubnets"}
    )


def test_no_call_changes_anything(server: Server) -> None:
    read()
    assert server.calls
    assert all(call.partition(":")[2].startswith(("Describe", "List", "Get", "Simulate")) for call in server.calls)


@pytest.mark.parametrize("action", sorted({*ACTIONS} - {*SECOND_WAY}))
def test_a_refusal_costs_its_own_section_and_those_that_need_it(server: Server, action: str) -> None:
    server.hooks[action] = refused(action)
    facts = read()
    own = {each.section for each in aws.COLLECTORS if action in each.calls}
    if action == "ec2:DescribeSubnets":
        own.remove("clusters")  # which makes that call only where DescribeCluster names no VPC
    hit = {each.section for each in aws.COLLECTORS if own & {e.section for e in needed(aws.COLLECTORS, {each.section})}}
    assert gaps(facts) == {name: {action} for name in hit}
    (gap,) = {gap for section in facts.values() for gap in section.gaps}
    assert gap.remedy == f"Allow {action}: eks6check permissions prints the policy."
    assert servers.SECRET not in gap.reason
    assert "\n" not in gap.reason


@pytest.mark.parametrize("garble", [page_of_html(500), page_of_html(404), cut(), cut(told=False), lambda *_: None])
@pytest.mark.parametrize("section", ["subnets", "addons", "route_tables"])
def test_a_garbled_answer_is_a_gap_and_no_empty_list(server: Server, section: str, garble: Any) -> None:
    (own,) = (each for each in aws.COLLECTORS if each.section == section)
    server.hooks[own.calls[0]] = garble
    facts = read(section)
    assert facts[section].items == ()
    assert [gap.call for gap in facts[section].gaps] == [own.calls[0]]


def test_a_list_that_is_null_is_a_gap(server: Server) -> None:
    server.hooks["eks:ListNodegroups"] = lambda *_: in_json({"nodegroups": None})
    assert gaps(read("node_groups")) == {"node_groups": {"eks:ListNodegroups"}}


def test_a_throttled_call_is_made_again(server: Server) -> None:
    server.hooks["ec2:DescribeVpcs"] = first(3, failing("ec2:DescribeVpcs", "RequestLimitExceeded", 503))
    server.hooks["eks:DescribeAddon"] = first(2, failing("eks:DescribeAddon", "ThrottlingException", 429))
    facts = read("vpcs", "addons")
    assert not gaps(facts)
    assert server.calls.count("ec2:DescribeVpcs") == 4
    assert server.calls.count("eks:DescribeAddon") == 3


def test_a_call_that_stays_throttled_is_a_gap(server: Server) -> None:
    server.hooks["ec2:DescribeVpcs"] = failing("ec2:DescribeVpcs", "RequestLimitExceeded", 503)
    (gap,) = read("vpcs")["vpcs"].gaps
    assert "one call too many" in gap.reason
    assert server.calls.count("ec2:DescribeVpcs") == 5


def pages_of_subnets() -> tuple[dict[str, Any], dict[str, Any]]:
    def page(*names: str) -> list[dict[str, Any]]:
        fields = {"AvailableIpAddressCount": 9, "AssignIpv6AddressOnCreation": False}
        return [{"SubnetId": name, **fields} for name in names]

    return {"Subnets": page("subnet-1", "subnet-2"), "NextToken": "more"}, {"Subnets": page("subnet-3")}


def test_all_pages_are_read(server: Server) -> None:
    server.hooks["ec2:DescribeSubnets"] = answers("ec2:DescribeSubnets", *pages_of_subnets())
    server.hooks["eks:ListAddons"] = answers(
        "eks:ListAddons", {"addons": ["vpc-cni"], "nextToken": "more"}, {"addons": ["vpc-cni"]}
    )
    facts = read("subnets", "addons")
    assert [subnet.id for subnet in facts["subnets"].items] == ["subnet-1", "subnet-2", "subnet-3"]
    assert [addon.id for addon in facts["addons"].items] == ["vpc-cni", "vpc-cni"]


def test_pages_before_a_refused_one_are_kept(server: Server) -> None:
    page, no = answers("ec2:DescribeSubnets", pages_of_subnets()[0]), refused("ec2:DescribeSubnets")
    server.hooks["ec2:DescribeSubnets"] = first(1, page, then=no)
    section = read("subnets")["subnets"]
    assert [subnet.id for subnet in section.items] == ["subnet-1", "subnet-2"]
    assert [gap.call for gap in section.gaps] == ["ec2:DescribeSubnets"]


def test_names_before_a_refused_page_are_described(server: Server) -> None:
    page = answers("eks:ListNodegroups", {"nodegroups": ["general"], "nextToken": "more"})
    server.hooks["eks:ListNodegroups"] = first(1, page, then=refused("eks:ListNodegroups"))
    section = read("node_groups")["node_groups"]
    assert [group.id for group in section.items] == ["general"]
    assert [gap.call for gap in section.gaps] == ["eks:ListNodegroups"]


def test_one_node_group_that_cannot_be_described_costs_no_other(server: Server) -> None:
    no = refused("eks:DescribeNodegroup")
    server.hooks["eks:DescribeNodegroup"] = lambda request, forward: (
        no(request, forward) if request.path.endswith("/legacy") else forward()
    )
    section = read("node_groups")["node_groups"]
    assert [group.id for group in section.items] == ["general"]
    assert [gap.call for gap in section.gaps] == ["eks:DescribeNodegroup"]


def test_a_subnet_without_a_field_that_rules_count_on_is_not_judged_and_told(server: Server) -> None:
    fine = {"SubnetId": "subnet-1", "AvailableIpAddressCount": 9, "AssignIpv6AddressOnCreation": True}
    lacking = {"SubnetId": "subnet-2", "AssignIpv6AddressOnCreation": True}
    server.hooks["ec2:DescribeSubnets"] = answers("ec2:DescribeSubnets", {"Subnets": [fine, lacking]})
    section = read("subnets")["subnets"]
    assert [subnet.id for subnet in section.items] == ["subnet-1"]
    assert "subnet-2 came without AvailableIpAddressCount" in section.gaps[0].reason


def test_a_vpc_or_subnet_that_the_cluster_names_and_ec2_does_not_list_is_a_gap(
    server: Server, old: dict[str, list[str]]
) -> None:
    server.hooks["ec2:DescribeVpcs"] = answers("ec2:DescribeVpcs", {"Vpcs": []})
    server.hooks["eks:DescribeCluster"] = changed(
        resourcesVpcConfig={"vpcId": old["vpc"][0], "subnetIds": ["subnet-0"]}
    )
    facts = read("vpcs", "subnets")
    assert [gap.reason for section in ("vpcs", "subnets") for gap in facts[section].gaps] == [
        f"The cluster names {each}, and EC2 does not list it, so it is not judged."
        for each in (*old["vpc"], "subnet-0")
    ]
    assert len(facts["subnets"].items) == 5


def test_a_subnet_whose_route_table_is_not_listed_is_a_gap(server: Server, old: dict[str, list[str]]) -> None:
    body = {"RouteTableId": "rtb-1", "VpcId": old["vpc"][0], "Associations": [{"SubnetId": old["private"][0]}]}
    server.hooks["ec2:DescribeRouteTables"] = answers("ec2:DescribeRouteTables", {"RouteTables": [body]})
    section = read("route_tables")["route_tables"]
    assert [table.id for table in section.items] == ["rtb-1"]
    assert [gap.call for gap in section.gaps] == ["ec2:DescribeRouteTables"] * 4


def test_an_egress_only_gateway_of_no_vpc_is_kept_and_one_of_another_is_not(
    server: Server, old: dict[str, list[str]]
) -> None:
    attached = {"eigw-1": old["vpc"], "eigw-2": [], "eigw-3": ["vpc-9"]}
    bodies = [
        {"EgressOnlyInternetGatewayId": name, "Attachments": [{"VpcId": each, "State": "attached"} for each in vpcs]}
        for name, vpcs in attached.items()
    ]
    action = "ec2:DescribeEgressOnlyInternetGateways"
    server.hooks[action] = answers(action, {"EgressOnlyInternetGateways": bodies})
    found = read("egress_only_gateways")["egress_only_gateways"].items
    assert [gateway.id for gateway in found] == ["eigw-1", "eigw-2"]


@pytest.mark.parametrize(
    ("section", "action", "field"),
    [
        ("node_groups", "eks:DescribeNodegroup", "subnets"),
        ("fargate_profiles", "eks:DescribeFargateProfile", "subnets"),
        ("addons", "eks:DescribeAddon", "addonVersion"),
    ],
)
@pytest.mark.parametrize("value", [None, ...])
def test_what_eks_describes_in_part_is_judged_in_part_and_told(
    server: Server, section: str, action: str, field: str, value: Any
) -> None:
    server.hooks[action] = changed(**{field: value})
    found = read(section)[section]
    assert found.items
    assert [gap.reason for gap in found.gaps] == [
        f"{each.id} came without {field}, so not all of it is judged." for each in found.items
    ]


@pytest.mark.parametrize("network", [{"subnetIds": []}, {"subnetIds": None}, None, ...])
def test_a_cluster_whose_vpc_cannot_be_known_leaves_gaps_and_no_vpc(server: Server, network: Any) -> None:
    server.hooks["eks:DescribeCluster"] = changed(resourcesVpcConfig=network)
    facts = read("clusters", "vpcs", "node_groups")
    assert [cluster.id for cluster in facts["clusters"].items] == ["prod"]
    assert set(gaps(facts)) == {"clusters", "vpcs"}
    assert facts["node_groups"].items


@pytest.mark.parametrize(
    ("network", "family"),
    [({"ipFamily": "ipv6"}, "ipv6"), ({}, "ipv4"), (None, "ipv4"), (..., "ipv4"), ({"ipFamily": "ipv7"}, "ipv7")],
)
def test_a_cluster_that_names_no_family_is_ipv4(server: Server, network: Any, family: str) -> None:
    server.hooks["eks:DescribeCluster"] = changed(kubernetesNetworkConfig=network)
    assert [cluster.ip_family for cluster in read("clusters")["clusters"].items] == [family]


def test_auto_mode_is_seen(server: Server) -> None:
    server.hooks["eks:DescribeCluster"] = changed(computeConfig={"enabled": True})
    assert [cluster.auto_mode for cluster in read("clusters")["clusters"].items] == [True]


def test_a_cluster_without_a_version_is_judged_with_a_gap(server: Server) -> None:
    server.hooks["eks:DescribeCluster"] = changed(version=...)
    section = read("clusters")["clusters"]
    assert [cluster.version for cluster in section.items] == [""]
    assert "version" in section.gaps[0].reason


def test_an_answer_without_a_cluster_is_a_gap(server: Server) -> None:
    server.hooks["eks:DescribeCluster"] = lambda *_: in_json({"cluster": None})
    assert gaps(read("clusters")) == {"clusters": {"eks:DescribeCluster"}}


@pytest.mark.parametrize(
    ("written", "parsed"),
    [
        ('{"env": {"A": "1"}}', {"env": {"A": "1"}}),
        ("env:\n  A: '1'\n", {"env": {"A": "1"}}),
        ("", {}),
        ("{}", {}),
        ('{"a":\t1}', {"a": 1}),
    ],
)
def test_configuration_values_are_json_or_yaml(server: Server, written: str, parsed: dict[str, Any]) -> None:
    server.hooks["eks:DescribeAddon"] = changed(configurationValues=written)
    section = read("addons")["addons"]
    assert [addon.configuration for addon in section.items] == [parsed]
    assert not section.gaps


@pytest.mark.parametrize("written", ["{", "a: b: c", "[1]", "text", "!!int ''"])
def test_configuration_values_that_do_not_parse_are_a_gap(server: Server, written: str) -> None:
    server.hooks["eks:DescribeAddon"] = changed(configurationValues=written)
    section = read("addons")["addons"]
    assert [addon.version for addon in section.items] == ["v1.12.6-eksbuild.2"]
    assert "vpc-cni" in section.gaps[0].reason


def templates(groups: list[NodeGroup], instances: list[Instance] | None = None) -> list[LaunchTemplate | Gap]:
    named, running = Section(tuple(groups)), Section(tuple(instances or []))
    return [*launch.launch_templates.read(servers.source(), named, running, Section())]


def group_of(template: str, version: str | None = "1") -> NodeGroup:
    return NodeGroup(id="group", launch_template_id=template, launch_template_version=version)


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize("version", ["$Latest", "$Default", "1"])
def test_a_template_version_keeps_the_name_it_is_referred_to_by(old: dict[str, list[str]], version: str) -> None:
    (found,) = templates([group_of(old["template"][0], version)])
    assert isinstance(found, LaunchTemplate)
    assert (found.version, found.image_id) == (version, servers.IMAGE)


@pytest.mark.usefixtures("server")
def test_a_template_that_is_gone_is_a_gap_and_costs_no_other(old: dict[str, list[str]]) -> None:
    found = templates([group_of("lt-00000000000000000"), group_of(old["template"][0])])
    assert [type(each) for each in found] == [Gap, LaunchTemplate]


@pytest.mark.usefixtures("server")
def test_packed_user_data_is_unpacked() -> None:
    made = servers.launch_template({"UserData": packed(gzip.compress(b"[settings.kubernetes]"))}, "packed")
    (found,) = templates([group_of(made)])
    assert isinstance(found, LaunchTemplate)
    assert found.user_data == "[settings.kubernetes]"


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize("data", [packed(b"\xff\xfe\x00"), packed(b"\x1f\x8b broken")])
def test_user_data_that_is_not_text_is_a_gap_beside_the_template(data: str) -> None:
    made = servers.launch_template({"UserData": data}, f"odd-{abs(hash(data))}")
    found, gap = templates([group_of(made)])
    assert isinstance(found, LaunchTemplate)
    assert found.user_data == ""
    assert isinstance(gap, Gap)
    assert made in gap.reason


@pytest.mark.usefixtures("server")
def test_templates_of_self_managed_instances_are_read_and_those_of_eks_and_karpenter_not(
    old: dict[str, list[str]],
) -> None:
    tags = {"aws:ec2launchtemplate:id": old["template"][0], "aws:ec2launchtemplate:version": "1"}
    assert len(templates([], [Instance(id="i-1", tags=tags)])) == 1
    for maker in ("eks:nodegroup-name", "karpenter.sh/nodepool", "eks:kubernetes-node-pool-name"):
        assert templates([], [Instance(id="i-1", tags={**tags, maker: "x"})]) == []


@pytest.mark.parametrize(
    ("tags", "ours"),
    [
        ({"kubernetes.io/cluster/prod": "owned"}, True),
        ({"eks:cluster-name": "prod"}, True),
        ({"eks:eks-cluster-name": "prod", "karpenter.sh/nodepool": "default"}, True),
        ({"eks:cluster-name": "other"}, False),
        ({"kubernetes.io/cluster/prod-2": "owned"}, False),
        ({}, False),
    ],
)
def test_an_instance_is_known_by_its_tags(server: Server, tags: dict[str, str], *, ours: bool) -> None:
    address = {"Ipv6Addresses": [{"Ipv6Address": "2001:db8::1", "IsPrimaryIpv6": True}]}
    listed = [{"Key": key, "Value": value} for key, value in tags.items()]
    body = {"InstanceId": "i-1", "Tags": listed, "NetworkInterfaces": [address]}
    server.hooks["ec2:DescribeInstances"] = answers(
        "ec2:DescribeInstances", {"Reservations": [{"Instances": [body]}, {"Instances": []}]}
    )
    assert [instance.primary_ipv6 for instance in read("instances")["instances"].items] == [True] * ours


def types_of(*names: str) -> list[Any]:
    group = NodeGroup(id="group", instance_types=names)
    return [*machines.instance_types.read(servers.source(), Section((group,)), Section(), Section(), Section())]


@pytest.mark.usefixtures("server")
def test_a_type_that_ec2_does_not_know_is_a_gap_and_costs_no_other() -> None:
    found = types_of("m5.large", "m9.imaginary")
    assert [each.id for each in found if not isinstance(each, Gap)] == ["m5.large"]
    assert [each.reason for each in found if isinstance(each, Gap)] == [
        "EC2 knows no instance type m9.imaginary in eu-west-1."
    ]


def test_many_types_are_asked_for_in_chunks(server: Server) -> None:
    names = sorted(knowledge.recorded().keys() - knowledge.retired())[:130]
    found = types_of(*names)
    assert sorted(each.id for each in found if not isinstance(each, Gap)) == names
    assert server.calls.count("ec2:DescribeInstanceTypes") == 2
