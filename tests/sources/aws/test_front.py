"""Load balancers, web ACLs and EFS over real HTTP: whose they are, and how many calls it takes to know."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl

import pytest
import servers
from hypothesis import given
from hypothesis import strategies as st
from servers import REGION, answers, client, failing, first, refused
from werkzeug.wrappers import Request, Response

from eks6check.demo.aws_server import Hook, Server, in_json
from eks6check.facts import Gap, Section
from eks6check.facts.aws import IpSetRule
from eks6check.sources import aws, collect
from eks6check.sources.aws import balancing, waf
from eks6check.sources.aws.api import Account, Source, connect

SECTIONS = ("load_balancers", "target_groups", "web_acls", "ip_sets", "efs_mount_targets")


@pytest.fixture(scope="module")
def world() -> Iterator[tuple[Server, Account, dict[str, list[str]]]]:
    """One account with an untouched IPv4 cluster ``prod`` and a prepared IPv6 cluster ``six``."""
    with servers.aws() as server:
        ids = servers.ipv4_account(server)
        servers.ipv6_account(server, "six")
        yield server, connect(REGION), ids


@pytest.fixture
def server(world: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    server: Server = world[0]
    servers.lead_to(server, monkeypatch)
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)
    server.calls.clear()
    yield server
    server.hooks.clear()


@pytest.fixture
def read(world: Any, server: Server) -> Callable[..., Mapping[str, Section[Any]]]:
    """Reads sections of one of the two clusters."""
    assert server is world[0]

    def sections(*names: str, cluster: str = "prod") -> Mapping[str, Section[Any]]:
        described = client("eks").describe_cluster(name=cluster)["cluster"]
        server.calls.clear()
        return collect([(Source(world[1], cluster, described), aws.COLLECTORS)], names)

    return sections


def test_the_controllers_load_balancers_are_read_in_both_generations(read: Any) -> None:
    found = read(*SECTIONS)
    assert not any(section.gaps for section in found.values())
    assert {(each.name, each.type, each.scheme, each.ip_address_type) for each in found["load_balancers"].items} == {
        ("prod-web", "application", "internet-facing", "ipv4"),
        ("prod-classic", "classic", "internet-facing", "ipv4"),
    }
    assert [(each.name, each.target_type, each.ip_address_type) for each in found["target_groups"].items] == [
        ("prod-web", "ip", "ipv4")
    ]
    (acl,), (offices,) = found["web_acls"].items, found["ip_sets"].items
    assert (acl.name, acl.default_action) == ("prod", "block")
    assert acl.ip_set_rules == (IpSetRule(name="IPV4", action="allow", ip_set_arns=(offices.id,)),)
    assert (offices.ip_address_version, offices.addresses) == ("IPV4", ("203.0.113.0/24",))
    (target,) = found["efs_mount_targets"].items
    assert (bool(target.ip_address), target.ipv6_address, len(target.group_ids)) == (True, "", 1)


def test_a_prepared_account_shows_both_families(read: Any) -> None:
    found = read(*SECTIONS, cluster="six")
    assert [each.ip_address_type for each in found["load_balancers"].items] == ["dualstack"]
    assert [each.ip_address_type for each in found["target_groups"].items] == ["ipv6"]
    assert {each.ip_address_version for each in found["ip_sets"].items} == {"IPV4", "IPV6"}
    assert [bool(each.ipv6_address) for each in found["efs_mount_targets"].items] == [True]


def test_without_an_application_load_balancer_nobody_asks_waf(server: Server, read: Any) -> None:
    server.hooks["elasticloadbalancing:DescribeTags"] = answers(
        "elasticloadbalancing:DescribeTags", {"TagDescriptions": []}
    )
    found = read("web_acls", "ip_sets")
    assert (found["web_acls"], found["ip_sets"]) == (Section(), Section())
    assert not [call for call in server.calls if call.startswith("wafv2:")]


def test_tags_are_asked_for_twenty_at_a_time(server: Server, read: Any, world: Any) -> None:
    vpc = world[2]["vpc"][0]
    named = [
        {"LoadBalancerArn": f"arn:{index}", "LoadBalancerName": f"web-{index}", "VpcId": vpc} for index in range(41)
    ]
    elsewhere = {"LoadBalancerArn": "arn:else", "VpcId": "vpc-else"}
    server.hooks["elasticloadbalancing:DescribeLoadBalancers"] = by_generation(
        {"LoadBalancers": [*named, elsewhere]}, {"LoadBalancerDescriptions": []}
    )
    asked: list[list[str]] = []
    server.hooks["elasticloadbalancing:DescribeTags"] = tagging(asked, {"elbv2.k8s.aws/cluster": "prod"})
    found = read("load_balancers")["load_balancers"]
    assert (len(found.items), found.gaps) == (41, ())
    assert sorted(map(len, asked)) == [1, 20, 20]
    assert "arn:else" not in {arn for arns in asked for arn in arns}


def by_generation(current: Mapping[str, Any], classic: Mapping[str, Any]) -> Hook:
    """A hook that answers ``DescribeLoadBalancers`` of both APIs."""
    action = "elasticloadbalancing:DescribeLoadBalancers"
    new = answers(action, current)
    xml = "<DescribeLoadBalancersResponse><DescribeLoadBalancersResult><LoadBalancerDescriptions/>"
    old = f"{xml}</DescribeLoadBalancersResult></DescribeLoadBalancersResponse>"
    assert not classic["LoadBalancerDescriptions"]

    def answer(request: Request, forward: Callable[[], Response]) -> Response:
        is_classic = "Version=2012-06-01" in request.get_data(as_text=True)
        return Response(old, content_type="text/xml") if is_classic else new(request, forward)

    return answer


def tagging(asked: list[list[str]], tags: Mapping[str, str]) -> Hook:
    """A hook that gives every load balancer these tags, and notes which were asked for together."""
    action = "elasticloadbalancing:DescribeTags"
    pairs = [{"Key": key, "Value": value} for key, value in tags.items()]

    def answer(request: Request, forward: Callable[[], Response]) -> Response:
        arns = [value for key, value in parse_qsl(request.get_data(as_text=True)) if key.startswith("ResourceArns.")]
        asked.append(arns)
        body = {"TagDescriptions": [{"ResourceArn": arn, "Tags": pairs} for arn in arns]}
        return answers(action, body)(request, forward)

    return answer


@pytest.mark.parametrize(
    ("tags", "ours"),
    [
        ({"elbv2.k8s.aws/cluster": "prod"}, True),
        ({"eks:eks-cluster-name": "prod"}, True),
        ({"kubernetes.io/cluster/prod": "owned"}, True),
        ({"elbv2.k8s.aws/cluster": "dev"}, False),
        ({"kubernetes.io/cluster/prod-2": "owned"}, False),
        ({"Name": "prod"}, False),
        ({}, False),
    ],
)
def test_a_load_balancer_is_the_clusters_by_its_tags(tags: dict[str, str], *, ours: bool) -> None:
    assert balancing.serves("prod", tags) is ours


def test_tags_that_are_refused_leave_a_gap_and_no_load_balancer(server: Server, read: Any) -> None:
    action = "elasticloadbalancing:DescribeTags"
    server.hooks[action] = refused(action)
    found = read("load_balancers", "web_acls")
    assert {gap.call for gap in found["load_balancers"].gaps} == {action}
    assert found["load_balancers"].items == ()
    assert found["web_acls"] == Section((), found["load_balancers"].gaps)


def test_a_list_that_breaks_off_keeps_what_came_before(server: Server, read: Any) -> None:
    action = "wafv2:ListWebACLs"
    page = {"WebACLs": web_acls(), "NextMarker": "more"}
    server.hooks[action] = first(1, answers(action, page), then=failing(action, "WAFInternalErrorException", 400))
    found = read("web_acls")["web_acls"]
    assert [each.name for each in found.items] == ["prod"]
    assert {gap.call for gap in found.gaps} == {action}


def web_acls() -> list[dict[str, str]]:
    """What WAF lists of both clusters' web ACLs, that of ``prod`` first."""
    listed = client("wafv2").list_web_acls(Scope="REGIONAL")["WebACLs"]
    return sorted(({key: each[key] for key in ("Name", "Id", "ARN")} for each in listed), key=lambda each: each["Name"])


def test_web_acls_come_page_by_page_and_the_last_marker_ends_the_list(server: Server, read: Any) -> None:
    action = "wafv2:ListWebACLs"
    mine, *others = web_acls()
    pages = [{"WebACLs": others, "NextMarker": "1"}, {"WebACLs": [mine], "NextMarker": "2"}]
    server.hooks[action] = answers(action, *pages, {"WebACLs": [], "NextMarker": "2"})
    assert [each.name for each in read("web_acls")["web_acls"].items] == ["prod"]
    assert Counter(server.calls)[action] == 3


def test_only_web_acls_before_our_load_balancers_are_looked_into(server: Server, read: Any) -> None:
    read("ip_sets")
    assert Counter(call for call in server.calls if call.startswith("wafv2:")) == {
        "wafv2:ListWebACLs": 1,
        "wafv2:ListResourcesForWebACL": 2,
        "wafv2:GetWebACL": 1,
        "wafv2:GetIPSet": 1,
    }


def test_one_web_acl_that_cannot_be_read_costs_only_itself(server: Server, read: Any) -> None:
    action = "wafv2:GetWebACL"
    server.hooks[action] = refused(action)
    found = read("web_acls", "load_balancers")
    assert {gap.call for gap in found["web_acls"].gaps} == {action}
    assert len(found["load_balancers"].items) == 2


V4, V6 = "arn:v4", "arn:v6"


def by_set(arn: str, **more: Any) -> dict[str, Any]:
    return {"IPSetReferenceStatement": {"ARN": arn, **more}}


def under(kind: str, *statements: Mapping[str, Any]) -> dict[str, Any]:
    return {kind: {"Statements": list(statements)} if kind[0] in "AO" else {"Statement": statements[0]}}


@pytest.mark.parametrize(
    ("statement", "named", "excepted"),
    [
        (by_set(V4), (V4,), ()),
        (under("OrStatement", by_set(V4), by_set(V6)), (V4, V6), ()),
        (under("NotStatement", by_set(V4)), (), (V4,)),
        (under("NotStatement", under("NotStatement", by_set(V4))), (V4,), ()),
        (under("NotStatement", under("OrStatement", by_set(V4), by_set(V6))), (), (V4, V6)),
        (under("AndStatement", under("NotStatement", by_set(V4)), by_set(V6)), (V6,), (V4,)),
        ({"RateBasedStatement": {"Limit": 100, "ScopeDownStatement": by_set(V4)}}, (V4,), ()),
        ({"ManagedRuleGroupStatement": {"ScopeDownStatement": under("NotStatement", by_set(V4))}}, (), (V4,)),
        (by_set(V4, IPSetForwardedIPConfig={"HeaderName": "X-Forwarded-For"}), (), ()),
        ({"GeoMatchStatement": {"CountryCodes": ["DE"]}}, (), ()),
        (None, (), ()),
    ],
)
def test_ip_sets_are_found_at_any_depth_and_told_apart_by_negation(statement: Any, named: Any, excepted: Any) -> None:
    rule = waf.ip_set_rule({"Name": "r", "Action": {"Block": {}}, "Statement": statement})
    assert rule == IpSetRule(name="r", action="block", ip_set_arns=named, except_ip_set_arns=excepted)


@given(
    st.recursive(
        st.none() | st.text(max_size=3) | st.integers(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["Statement", "Statements", "NotStatement", "ARN", "x"]), inner, max_size=3
            )
        ),
    )
)
def test_no_statement_brings_the_search_down(statement: Any) -> None:
    assert all(isinstance(arn, str) for arn, _ in waf.references(statement))


def test_a_file_system_without_mount_targets_is_not_asked_for_any(server: Server, read: Any) -> None:
    client("efs").create_file_system(CreationToken="empty")
    assert len(read("efs_mount_targets")["efs_mount_targets"].items) == 1
    assert Counter(server.calls)["elasticfilesystem:DescribeMountTargets"] == 2


def test_a_mount_target_on_its_way_out_does_not_count(server: Server, read: Any) -> None:
    action = "elasticfilesystem:DescribeMountTargets"
    server.hooks[action] = leaving
    assert read("efs_mount_targets")["efs_mount_targets"] == Section()


def leaving(_: Any, forward: Any) -> Response:
    body = json.loads(forward().get_data())
    return in_json({"MountTargets": [{**each, "LifeCycleState": "deleting"} for each in body["MountTargets"]]})


def test_mount_targets_are_known_without_their_groups(server: Server, read: Any) -> None:
    action = "ec2:DescribeNetworkInterfaces"
    server.hooks[action] = refused(action)
    found = read("efs_mount_targets")["efs_mount_targets"]
    assert [each.group_ids for each in found.items] == [()]
    assert {gap.call for gap in found.gaps} == {action}


def test_one_file_system_that_is_refused_is_named(server: Server, read: Any) -> None:
    action = "elasticfilesystem:DescribeMountTargets"
    server.hooks[action] = refused(action)
    (gap,) = read("efs_mount_targets")["efs_mount_targets"].gaps
    assert gap == Gap(
        action,
        f"AWS refused {action} (AccessDeniedException).",
        f"Allow {action}: eks6check permissions prints the policy.",
    )


def test_a_load_balancer_has_the_defaults_that_aws_leaves_out() -> None:
    assert balancing.load_balancer({"LoadBalancerArn": "arn:1", "IpAddressType": None}).ip_address_type == "ipv4"
    group = balancing.target_group({"TargetGroupArn": "arn:2"})
    assert (group.target_type, group.ip_address_type) == ("instance", "ipv4")
