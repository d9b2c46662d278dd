"""What EKS says of a cluster and its parts, as records."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
import servers

from eks6check.demo.aws_server import Server
from eks6check.facts import Facts
from eks6check.facts.aws import PodIdentityAssociation, Selector
from eks6check.sources import collect
from eks6check.sources.aws import COLLECTORS, eks
from eks6check.sources.aws.api import connect, identify

CNI_ROLE = "arn:aws:iam::123456789012:role/cni"


@pytest.fixture
def account() -> Iterator[Server]:
    with servers.aws() as server:
        servers.ipv6_account(server)
        yield server


def associations(server: Server, **identities: dict[str, Any]) -> Facts:
    server.pod_identities["prod"] = identities
    source = identify(connect(servers.REGION), "prod")
    return collect([(source, COLLECTORS)], ["pod_identity_associations"])


def test_a_cluster_is_read_with_all_that_rules_look_at() -> None:
    body = {
        "name": "prod",
        "arn": "arn:aws:eks:eu-west-1:123456789012:cluster/prod",
        "version": "1.34",
        "createdAt": datetime(2024, 10, 21, 1, tzinfo=timezone(timedelta(hours=2))),
        "endpoint": "https://0A1B.gr7.eu-west-1.eks.amazonaws.com",
        "kubernetesNetworkConfig": {"ipFamily": "ipv6", "serviceIpv6Cidr": "fd12::/108"},
        "resourcesVpcConfig": {
            "subnetIds": ["subnet-1"],
            "securityGroupIds": ["sg-1"],
            "clusterSecurityGroupId": "sg-2",
            "vpcId": "vpc-1",
            "endpointPublicAccess": False,
            "endpointPrivateAccess": True,
            "publicAccessCidrs": ["0.0.0.0/0"],
            "controlPlaneEgressMode": "CUSTOMER_ROUTED",
        },
        "remoteNetworkConfig": {
            "remotePodNetworks": [{"cidrs": ["10.85.0.0/16"]}],
            "remoteNodeNetworks": [{"cidrs": ["10.80.0.0/16"]}],
        },
        "outpostConfig": {"outpostArns": ["arn:aws:outposts:::outpost/op-1"]},
        "accessConfig": {"authenticationMode": "API"},
    }
    cluster = eks.cluster(body, "elsewhere")
    assert cluster.created_at == "2024-10-20T23:00:00+00:00"
    assert (cluster.ip_family, cluster.service_cidr) == ("ipv6", "fd12::/108")
    assert (cluster.endpoint_public_access, cluster.endpoint_private_access) == (False, True)
    assert (cluster.security_group_ids, cluster.cluster_security_group_id) == (("sg-1",), "sg-2")
    assert cluster.remote_networks == ("10.80.0.0/16", "10.85.0.0/16")
    assert cluster.outpost_arns == ("arn:aws:outposts:::outpost/op-1",)
    assert (cluster.authentication_mode, cluster.control_plane_egress_mode) == ("API", "CUSTOMER_ROUTED")


def test_what_eks_leaves_out_is_its_default() -> None:
    cluster = eks.cluster({"name": "prod"}, "eu-west-1")
    assert (cluster.ip_family, cluster.endpoint_public_access, cluster.endpoint_private_access) == ("ipv4", True, False)
    assert (cluster.created_at, cluster.remote_networks, cluster.outpost_arns) == ("", (), ())


@pytest.mark.parametrize(
    "odd",
    [None, "2024-10-21", 3, datetime(2024, 10, 21), datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=9)))],  # noqa: DTZ001  such a one may come
)
def test_a_moment_that_is_none_is_empty(odd: object) -> None:
    assert eks.instant(odd) == ""
    assert eks.instant(datetime(2024, 10, 21, tzinfo=UTC)) == "2024-10-21T00:00:00+00:00"


def test_a_node_group_knows_its_role_and_its_scaling_groups() -> None:
    body = {"nodegroupName": "workers", "nodeRole": CNI_ROLE, "resources": {"autoScalingGroups": [{"name": "a"}, {}]}}
    group = eks.node_group(body)
    assert (group.node_role, group.auto_scaling_groups) == (CNI_ROLE, ("a",))


def test_a_profile_knows_whom_it_selects() -> None:
    body = {"selectors": [{"namespace": "jobs-*", "labels": {"tier": "batch", "odd": 3}}, None, {}]}
    assert eks.fargate_profile(body).selectors == (
        Selector(namespace="jobs-*", labels={"tier": "batch"}),
        Selector(namespace=""),
    )


def test_an_add_on_knows_its_role_and_what_ails_it() -> None:
    body = {"serviceAccountRoleArn": CNI_ROLE, "health": {"issues": [{"code": "AccessDenied"}, {"message": "x"}]}}
    addon = eks.addon(body)
    assert (addon.service_account_role_arn, addon.health_issue_codes) == (CNI_ROLE, ("AccessDenied",))
    assert eks.addon({}).service_account_role_arn is None


def test_the_role_of_an_association_is_asked_for_where_a_rule_looks_at_it(account: Server) -> None:
    account.calls.clear()
    facts = associations(
        account,
        **{
            "a-1": {"namespace": "kube-system", "serviceAccount": "aws-node", "roleArn": CNI_ROLE},
            "a-2": {"namespace": "shop", "serviceAccount": "web", "roleArn": CNI_ROLE},
        },
    )
    assert account.calls.count("eks:DescribePodIdentityAssociation") == 1
    found = {each.id: each for each in facts["pod_identity_associations"].items}
    assert isinstance(found["a-1"], PodIdentityAssociation)
    assert found["a-1"].role_arn == CNI_ROLE
    assert facts["pod_identity_associations"].gaps == ()


def test_a_role_that_eks_does_not_tell_is_a_gap_beside_the_association(account: Server) -> None:
    action = "eks:DescribePodIdentityAssociation"
    account.hooks[action] = servers.refused(action)
    section = associations(account, **{"a-1": {"namespace": "kube-system", "serviceAccount": "aws-node"}})[
        "pod_identity_associations"
    ]
    assert [each.role_arn for each in section.items] == [""]
    assert [gap.call for gap in section.gaps] == [action]


def test_an_association_without_a_role_is_a_gap(account: Server) -> None:
    section = associations(account, **{"a-1": {"namespace": "kube-system", "serviceAccount": "aws-node"}})
    assert "without roleArn" in section["pod_identity_associations"].gaps[0].reason


def test_a_profile_whose_subnet_is_gone_is_a_gap(account: Server) -> None:
    action = "eks:DescribeFargateProfile"
    account.hooks[action] = servers.changed(subnets=["subnet-0000gone"])
    source = identify(connect(servers.REGION), "prod")
    section = collect([(source, COLLECTORS)], ["fargate_profiles"])["fargate_profiles"]
    assert [each.subnet_ids for each in section.items] == [("subnet-0000gone",)]
    (gap,) = section.gaps
    assert "Fargate profile batch names subnet-0000gone" in gap.reason
