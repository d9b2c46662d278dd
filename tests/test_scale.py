"""A large account and a large cluster in small pages: calls grow with the pages, and the findings are right."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
import servers
import yaml
from test_scan import LIVE, READY
from werkzeug.wrappers import Request, Response
from whole import Done, cluster, eks6check

from eks6check.demo.aws_server import Hook, Server, in_json
from eks6check.sources.cluster.api import PAGE_OBJECTS

GROUPS, SUBNETS, FEW_SUBNETS = 200, 3_000, 300
GROUP_PAGE, SUBNET_PAGE = 20, 50
PODS, SERVICES = 10_000, 2_000
PINNED = (0, 999, 1_999)
"""Services, of those 2,000, that ask for IPv4 alone."""


@pytest.fixture(scope="module")
def account() -> Iterator[tuple[Server, list[dict[str, Any]]]]:
    """A prepared account, and its subnets as EC2 describes them, blocks and all."""
    with servers.aws() as server, pytest.MonkeyPatch.context() as patch:
        patch.setattr("eks6check.sources.ledger.time.sleep", lambda _: None)
        ids = servers.ipv6_account(server)
        of_vpc = [{"Name": "vpc-id", "Values": ids["vpc"]}]
        yield server, as_ec2_says(servers.client("ec2").describe_subnets(Filters=of_vpc))


def as_ec2_says(described: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Subnets with the state of their blocks, which moto tells in other words."""
    subnets: list[dict[str, Any]] = described["Subnets"]
    for subnet in subnets:
        for block in subnet["Ipv6CidrBlockAssociationSet"]:
            block["Ipv6CidrBlockState"] = {"State": "associated"}
    return subnets


def without_block(position: int) -> bool:
    """Whether this one of the many subnets has no IPv6 block: every seventh."""
    return position % 7 == 0


def many(subnets: Sequence[Mapping[str, Any]], count: int) -> list[dict[str, Any]]:
    """These subnets, and so many others like the last of them, some without an IPv6 block and none with a role."""
    return [
        *map(dict, subnets),
        *(
            {
                **subnets[-1],
                "SubnetId": subnet_id(position),
                "SubnetArn": f"arn:aws:ec2:{servers.REGION}:123456789012:subnet/{subnet_id(position)}",
                "Ipv6CidrBlockAssociationSet": []
                if without_block(position)
                else subnets[-1]["Ipv6CidrBlockAssociationSet"],
                "Tags": [],
            }
            for position in range(count)
        ),
    ]


def subnet_id(position: int) -> str:
    return f"subnet-{position:017x}"


def in_pages(action: str, key: str, items: Sequence[Any], size: int) -> Hook:
    """A hook that lists these items so many at a time, each page with the token of the next."""
    token = "NextToken" if action.startswith("ec2:") else "nextToken"
    pages: list[Hook] = []
    for start in range(0, len(items), size):
        following = {token: str(len(pages) + 1)} if start + size < len(items) else {}
        pages.append(servers.answers(action, {key: items[start : start + size], **following}))

    def page(request: Request, forward: Callable[[], Response]) -> Response:
        asked = {**parse_qs(request.get_data(as_text=True)), **parse_qs(request.query_string.decode())}
        return pages[int(asked.get(token, ["0"])[0])](request, forward)

    return page


def group_subnets(group: int) -> list[str]:
    """The subnets of a node group: two of the first 300."""
    return [subnet_id(group), subnet_id(group + 1)]


def node_group(request: Request, _: Callable[[], Response]) -> Response:
    """Describe whichever node group is asked for."""
    name = request.path.rpartition("/")[2]
    fields = {
        "nodegroupName": name,
        "nodegroupArn": f"arn:aws:eks:{servers.REGION}:123456789012:nodegroup/prod/{name}/1",
        "amiType": "AL2023_x86_64_STANDARD",
        "instanceTypes": ["m6i.large"],
        "nodeRole": f"{servers.CNI_ROLE}prod",
        "subnets": group_subnets(int(name.removeprefix("group-"))),
        "health": {"issues": []},
    }
    return in_json({"nodegroup": fields})


def open_acl(subnets: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """A network ACL that guards all of these subnets and lets everything through."""
    everywhere = ({"RuleNumber": 100, "CidrBlock": "0.0.0.0/0"}, {"RuleNumber": 101, "Ipv6CidrBlock": "::/0"})
    return {
        "NetworkAclId": "acl-0c1a2b3d4e5f60718",
        "VpcId": subnets[0]["VpcId"],
        "IsDefault": True,
        "Associations": [{"SubnetId": subnet["SubnetId"]} for subnet in subnets],
        "Entries": [
            {**each, "Egress": egress, "Protocol": "-1", "RuleAction": "allow"}
            for each in everywhere
            for egress in (False, True)
        ],
    }


def hooks(subnets: Sequence[Mapping[str, Any]], count: int) -> dict[str, Hook]:
    """What makes an account one of so many subnets and 200 node groups."""
    names = [f"group-{position}" for position in range(GROUPS)]
    listed = many(subnets, count)
    return {
        "ec2:DescribeNetworkAcls": servers.answers("ec2:DescribeNetworkAcls", {"NetworkAcls": [open_acl(listed)]}),
        "ec2:DescribeSubnets": in_pages("ec2:DescribeSubnets", "Subnets", listed, SUBNET_PAGE),
        "eks:ListNodegroups": in_pages("eks:ListNodegroups", "nodegroups", names, GROUP_PAGE),
        "eks:DescribeNodegroup": node_group,
    }


def scanned(account: tuple[Server, list[dict[str, Any]]], count: int) -> tuple[Done, Counter[str]]:
    """A scan of the account with so many subnets and 200 node groups, and the calls that it made."""
    server, subnets = account
    with pytest.MonkeyPatch.context() as patch:
        servers.lead_to(server, patch)
        for action, hook in hooks(subnets, count).items():
            patch.setitem(server.hooks, action, hook)
        server.calls.clear()
        done = eks6check("scan", "--source", "aws", *LIVE)
    return done, Counter(server.calls)


def test_the_calls_of_a_large_account_grow_with_its_pages_and_its_findings_are_right(
    account: tuple[Server, list[dict[str, Any]]],
) -> None:
    small, few = scanned(account, FEW_SUBNETS)
    large, calls = scanned(account, SUBNETS)
    for done in (small, large):
        told = {each["subject"]["id"] for each in done.report["findings"] if each["rule"] == "VPC002"}
        used = {name for group in range(GROUPS) for name in group_subnets(group)}
        assert told == used & {subnet_id(position) for position in range(SUBNETS) if without_block(position)}
        assert done.report["gaps"] == []
    assert calls["eks:DescribeNodegroup"] == GROUPS
    assert calls["eks:ListNodegroups"] == GROUPS // GROUP_PAGE
    assert calls["ec2:DescribeSubnets"] == pages(SUBNETS + len(account[1]), SUBNET_PAGE)
    assert calls - few == {"ec2:DescribeSubnets": (SUBNETS - FEW_SUBNETS) // SUBNET_PAGE}


def pages(items: int, size: int) -> int:
    return -(-items // size)


def pod(position: int) -> dict[str, Any]:
    """One of many Pods of a Deployment."""
    owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "web-7d4b9", "controller": True}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": f"web-{position}", "namespace": "shop", "ownerReferences": [owner]},
        "spec": {"nodeName": f"ip-10-0-{position % 200}-7", "containers": [{"name": "web", "image": "web:1"}]},
        "status": {"phase": "Running"},
    }


def service(position: int) -> dict[str, Any]:
    """One of many Services."""
    families = {"ipFamilies": ["IPv4"]} if position in PINNED else {}
    applied = {"kubectl.kubernetes.io/last-applied-configuration": json.dumps({"spec": families})}
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": f"web-{position}", "namespace": "shop", "annotations": applied},
        "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}], **families},
    }


def test_a_large_cluster_is_listed_once_in_pages_and_its_findings_are_right(
    account: tuple[Server, list[dict[str, Any]]], tmp_path: Path
) -> None:
    bodies = [*yaml.safe_load_all(READY), *map(pod, range(PODS)), *map(service, range(SERVICES))]
    with cluster(bodies, tmp_path) as kube, pytest.MonkeyPatch.context() as patch:
        servers.lead_to(account[0], patch)
        done = eks6check("scan", *LIVE)
    asked = Counter(path.partition("?")[0] for path in kube.calls)
    assert max(Counter(kube.calls).values()) == 1, "the same page was asked for twice"
    assert asked.pop("/api/v1/pods") == pages(PODS, PAGE_OBJECTS)
    assert asked.pop("/api/v1/services") == pages(SERVICES + 1, PAGE_OBJECTS)
    assert set(asked.values()) == {1}
    pinned = {each["subject"]["id"] for each in done.report["findings"] if each["rule"] == "SVC001"}
    assert pinned == {f"v1/Service/shop/web-{position}" for position in PINNED}
    assert done.report["gaps"] == []
