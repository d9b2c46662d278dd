"""Views on the network: what subnets serve, which route table is in effect, where default routes go."""

from __future__ import annotations

import itertools
from typing import Any

import build
import pytest

from eks6check.facts import aws, network
from eks6check.facts.aws import Route, RouteTable, Subnet
from eks6check.facts.routes import default_route, gateway_of, in_effect, is_public, route_table_of, tables_in_effect

PROD = aws.Cluster(id="prod", vpc_id="vpc-1", subnet_ids=("subnet-1",))


def subnet(name: str = "subnet-1", **values: Any) -> Subnet:
    return Subnet(id=name, vpc_id="vpc-1", **values)


def table(*routes: Route, name: str = "rtb-1", **values: Any) -> RouteTable:
    return RouteTable(id=name, vpc_id="vpc-1", routes=routes, **values)


def test_a_subnet_serves_everything_that_names_it() -> None:
    serves = network.all_uses(
        [subnet(tags={"kubernetes.io/role/internal-elb": "1"}), subnet("subnet-2")],
        [PROD],
        [aws.NodeGroup(id="workers", subnet_ids=("subnet-1",))],
        [aws.Instance(id="i-1", subnet_id="subnet-1", tags={"karpenter.sh/nodepool": "default"})],
        [aws.FargateProfile(id="web", subnet_ids=("subnet-1", "subnet-3"))],
    )
    assert serves == {
        "subnet-1": (
            "cluster prod",
            "Fargate profile web",
            "internal load balancers",
            "Karpenter nodes",
            "node group workers",
        ),
        "subnet-3": ("Fargate profile web",),
    }


def test_what_a_subnet_serves_does_not_depend_on_order() -> None:
    groups = [aws.NodeGroup(id=name, subnet_ids=("subnet-1",)) for name in "abc"]
    said = {network.by_subnet(network.node_uses(order, ()))["subnet-1"] for order in itertools.permutations(groups)}
    assert said == {("node group a", "node group b", "node group c")}


@pytest.mark.parametrize(
    ("tags", "uses"),
    [
        ({}, ["self-managed nodes"]),
        ({"eks:nodegroup-name": "workers"}, []),
        ({"karpenter.sh/nodepool": "default"}, []),
        ({"karpenter.sh/provisioner-name": "default"}, []),
        ({"eks:kubernetes-node-pool-name": "general-purpose"}, []),
    ],
)
def test_an_instance_is_self_managed_if_no_group_and_no_karpenter_has_launched_it(tags: Any, uses: list[str]) -> None:
    instance = aws.Instance(id="i-1", subnet_id="subnet-1", tags=tags)
    assert [use for _, use in network.node_uses((), [instance])] == uses


@pytest.mark.parametrize(
    ("tags", "uses"),
    [
        ({"kubernetes.io/role/elb": "1"}, ["internet-facing load balancers"]),
        ({"kubernetes.io/role/elb": ""}, ["internet-facing load balancers"]),
        ({"kubernetes.io/role/elb": "0"}, []),
        ({"kubernetes.io/role/elb": "1", "kubernetes.io/cluster/prod": "shared"}, ["internet-facing load balancers"]),
        ({"kubernetes.io/role/elb": "1", "kubernetes.io/cluster/other": "shared"}, []),
        ({"kubernetes.io/cluster/prod": "shared"}, []),
    ],
)
def test_role_tags_place_load_balancers_but_not_those_of_another_cluster(tags: Any, uses: list[str]) -> None:
    assert [use for _, use in network.load_balancer_uses([subnet(tags=tags)], [PROD])] == uses


def test_without_a_known_cluster_every_role_tag_counts() -> None:
    tags = {"kubernetes.io/role/elb": "1", "kubernetes.io/cluster/other": "shared"}
    assert list(network.load_balancer_uses([subnet(tags=tags)], [])) == [("subnet-1", "internet-facing load balancers")]


def test_pods_are_where_nodes_and_fargate_are_and_load_balancers_for_the_internet_where_their_role_is() -> None:
    tags = ("kubernetes.io/role/elb", "1"), ("karpenter.sh/discovery", "prod"), ("kubernetes.io/role/internal-elb", "1")
    subnets = [subnet(f"subnet-{index}", tags=dict([tag])) for index, tag in enumerate(tags, 1)]
    groups = [aws.NodeGroup(id="a", subnet_ids=("subnet-1",))]
    profiles = [aws.FargateProfile(id="f", subnet_ids=("s",))]
    workers = {"subnet-1": ("node group a",), "subnet-2": ("Karpenter nodes",)}
    assert network.worker_uses(subnets, [PROD], groups, []) == workers
    assert network.pod_uses(subnets, [PROD], groups, [], profiles) == {**workers, "s": ("Fargate profile f",)}
    assert network.internet_facing_uses(subnets, [PROD]) == [("subnet-1", "internet-facing load balancers")]


def test_an_associated_table_goes_before_the_main_one_whatever_their_order() -> None:
    main, own = table(name="rtb-main", main=True), table(name="rtb-own", subnet_ids=("subnet-1",))
    for order in itertools.permutations([main, own]):
        assert route_table_of(subnet(), order) is own
        assert route_table_of(subnet("subnet-2"), order) is main
        both = tables_in_effect([subnet(), subnet("subnet-2")], order)
        assert both == {"subnet-1": own, "subnet-2": main}


def test_another_vpcs_main_table_is_not_in_effect() -> None:
    others = [RouteTable(id="rtb-2", vpc_id="vpc-2", main=True)]
    assert route_table_of(subnet(), others) is None
    assert tables_in_effect([subnet()], others) == {}


def test_only_subnets_that_serve_something_are_paired_with_their_table() -> None:
    own = table(subnet_ids=("subnet-1", "subnet-2"))
    serves = {"subnet-1": ("cluster prod",), "subnet-9": ("cluster prod",)}
    subnets = [subnet(), subnet("subnet-2"), subnet("subnet-9")]
    assert list(in_effect(serves, subnets, [own])) == [(subnet(), own)]


@pytest.mark.parametrize(
    ("blocks", "outer", "inside"),
    [
        (["fd00::/64"], ["fd00::/48"], True),
        (["fd00::/64", "2001:db8::/64"], ["fd00::/48"], False),
        (["fd00::/64", "2001:db8::/64"], ["fd00::/48", "2001:db8::/56"], True),
        ([], ["fd00::/48"], False),
        (["10.0.0.0/24"], ["10.0.0.0/16"], False),
        (["fd00::/64"], ["", "x", "10.0.0.0/8"], False),
        (["fd00::1/64"], ["fd00::1/48"], True),
    ],
)
def test_blocks_are_inside_others_if_each_of_them_is(blocks: list[str], outer: list[str], *, inside: bool) -> None:
    assert network.inside(blocks, outer) is inside


@pytest.mark.parametrize(
    ("block", "known"), [("10.0.1.5/16", True), ("10.0.0.1", True), ("::/0", False), (None, False)]
)
def test_a_block_of_the_other_family_or_none_is_no_ipv4_network(block: str | None, *, known: bool) -> None:
    assert (network.ipv4_network(block) is not None) is known


def test_an_active_default_route_goes_before_a_blackhole() -> None:
    blackhole = Route(destination="::/0", target="eigw-1", state="blackhole")
    active = Route(destination="::/0", target="eigw-2")
    for order in itertools.permutations([blackhole, active]):
        assert default_route(table(*order), "::/0") is active
    assert default_route(table(blackhole), "::/0") is blackhole
    assert default_route(table(active), "0.0.0.0/0") is None


@pytest.mark.parametrize(
    ("route", "public"),
    [
        (Route(destination="0.0.0.0/0", target="igw-1"), True),
        (Route(destination="::/0", target="igw-1"), True),
        (Route(destination="0.0.0.0/0", target="igw-1", state="blackhole"), False),
        (Route(destination="0.0.0.0/0", target="nat-1"), False),
        (Route(destination="::/0", target="eigw-1"), False),
        (Route(destination="10.1.0.0/16", target="igw-1"), False),
    ],
)
def test_a_subnet_is_public_by_an_active_default_route_to_an_internet_gateway(route: Route, *, public: bool) -> None:
    assert is_public(table(route)) is public


def test_a_gateway_counts_where_it_is_attached() -> None:
    gateways = build.facts(
        egress_only_gateways=[
            {"id": "eigw-3", "attached_vpc_ids": ["vpc-1"]},
            {"id": "eigw-2", "attached_vpc_ids": ["vpc-1"]},
            {"id": "eigw-1", "attached_vpc_ids": []},
        ]
    )["egress_only_gateways"].items
    assert gateway_of("vpc-1", gateways) == "eigw-2"
    assert gateway_of("vpc-2", gateways) is None


SPARE = aws.AutoScalingGroup(id="spare", subnet_ids=("subnet-1", "subnet-2"))


def test_an_auto_scaling_group_of_self_managed_nodes_has_its_subnets_with_no_instance_running() -> None:
    assert list(network.node_uses((), (), [SPARE])) == [
        ("subnet-1", "Auto Scaling group spare"),
        ("subnet-2", "Auto Scaling group spare"),
    ]


def test_an_instance_of_a_known_auto_scaling_group_is_named_by_it_and_one_of_another_is_not() -> None:
    instances = [
        aws.Instance(id=name, subnet_id=name, tags={network.SCALING_GROUP_TAG: name}) for name in ("spare", "other")
    ]
    said = dict(network.node_uses((), instances, [aws.AutoScalingGroup(id="spare")]))
    assert said == {"spare": "Auto Scaling group spare", "other": "self-managed nodes"}


def test_auto_mode_launches_nodes_in_the_subnets_of_its_cluster_and_asks_for_their_addresses_itself() -> None:
    auto = aws.Cluster(id="prod", vpc_id="vpc-1", subnet_ids=("subnet-1",), auto_mode=True)
    assert list(network.karpenter_uses((), (), [auto])) == [("subnet-1", "Auto Mode nodes")]
    assert not list(network.karpenter_uses((), (), [PROD]))
    assert not list(network.node_uses((), ()))


def test_workers_and_pods_are_where_auto_scaling_groups_and_auto_mode_put_them() -> None:
    auto = aws.Cluster(id="prod", vpc_id="vpc-1", subnet_ids=("subnet-3",), auto_mode=True)
    scaled = ("Auto Scaling group spare",)
    nodes = {"subnet-1": scaled, "subnet-2": scaled, "subnet-3": ("Auto Mode nodes",)}
    assert network.worker_uses((), [auto], (), (), [SPARE]) == nodes
    assert network.pod_uses((), [auto], (), (), (), [SPARE]) == nodes
    assert network.all_uses((), [auto], (), (), (), [SPARE]) == {
        **nodes,
        "subnet-3": ("Auto Mode nodes", "cluster prod"),
    }
