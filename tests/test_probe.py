"""``permissions --probe``: what a scan would be refused is told before it, and nothing of it is called."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
import servers
from werkzeug.wrappers import Request, Response
from whole import Done, cluster, eks6check

from eks6check.catalog import load
from eks6check.demo import kube_server
from eks6check.demo.aws_server import Hook, Server
from eks6check.permissions import calls
from eks6check.sources import aws
from eks6check.sources import cluster as kubernetes

SIMULATE = "iam:SimulatePrincipalPolicy"
ROLE = "arn:aws:iam::123456789012:role/ops/scanner"
NAMED = ("--cluster", "prod", "--region", servers.REGION)
GRAPH = (*aws.COLLECTORS, *kubernetes.COLLECTORS)
ACTIONS = {*calls(load(), aws.COLLECTORS, GRAPH)}
LISTS = {*calls(load(), kubernetes.COLLECTORS, GRAPH)}


@pytest.fixture
def account() -> Iterator[Server]:
    with servers.aws() as server:
        servers.ipv6_account(server)
        server.calls.clear()
        yield server


def simulation(*denied: str, asked: list[str] | None = None, missing: tuple[str, ...] = ()) -> Hook:
    """A hook that decides on each action it is asked for, as IAM does."""

    def decide(request: Request, forward: Any) -> Response:
        form = dict(parse_qsl(request.get_data(as_text=True)))
        actions = [value for key, value in form.items() if key.startswith("ActionNames.")]
        if asked is not None:
            asked.extend([form["PolicySourceArn"], *actions])
        results: list[dict[str, Any]] = [
            {
                "EvalActionName": action,
                "EvalDecision": "implicitDeny" if action in denied else "allowed",
                "MissingContextValues": list(missing),
            }
            for action in actions
        ]
        answer: Response = servers.answers(SIMULATE, {"EvaluationResults": results})(request, forward)
        return answer

    return decide


def caller(arn: str) -> Hook:
    """A hook that says who asks."""
    return servers.answers("sts:GetCallerIdentity", {"Arn": arn, "Account": "123456789012", "UserId": "AROAEXAMPLE"})


def probe(*arguments: str) -> Done:
    return eks6check("permissions", "--probe", *NAMED, *arguments)


def test_everything_allowed_is_one_line(account: Server, tmp_path: Path) -> None:
    asked: list[str] = []
    account.hooks[SIMULATE] = simulation(asked=asked)
    with cluster([], tmp_path) as kube:
        done = probe()
        assert {*kube.calls} == {"/apis", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"}
    assert (done.code, done.out) == (0, f"All {len(ACTIONS | LISTS)} calls that the chosen rules take are allowed.\n")
    assert {*asked} > ACTIONS
    assert {*account.calls} <= {SIMULATE, "sts:GetCallerIdentity", "iam:GetRole", "eks:DescribeCluster"}


def test_what_is_refused_is_told_with_the_rules_that_it_costs(account: Server, tmp_path: Path) -> None:
    account.hooks[SIMULATE] = simulation("ec2:DescribeRouteTables")
    with cluster([], tmp_path) as kube:
        kube.denied.add(("", "services"))
        done = probe("--select", "VPC005,SVC001,CTL001")
    assert done.code == 4
    assert "do not allow ec2:DescribeRouteTables." in done.out
    assert "VPC005  blocker   private-subnet-without-egress-only-gateway: ec2:DescribeRouteTables" in done.out
    assert "SVC001  blocker   service-pins-ipv4-family: list services" in done.out
    assert "CTL001" not in done.out


def test_the_probe_and_the_scan_agree(account: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    action = "ec2:DescribeRouteTables"
    monkeypatch.setitem(account.hooks, SIMULATE, simulation(action))
    told = probe("--source", "aws").out
    monkeypatch.setitem(account.hooks, action, servers.refused(action))
    scanned = eks6check("scan", *NAMED, "--source", "aws", "--format", "json")
    blind = {each["rule"] for each in scanned.report["outcomes"] if action in {gap["call"] for gap in each["gaps"]}}
    assert blind
    assert {line.split()[0] for line in told.splitlines() if line.endswith(action)} == blind


def test_a_condition_that_may_make_a_difference_is_named(account: Server) -> None:
    account.hooks[SIMULATE] = simulation("ec2:DescribeVpcs", missing=("aws:SourceVpc",))
    assert "ec2:DescribeVpcs, unless aws:SourceVpc makes a difference." in probe("--source", "aws").out


@pytest.mark.parametrize(
    ("arn", "principal"),
    [
        ("arn:aws:iam::123456789012:user/alice", "arn:aws:iam::123456789012:user/alice"),
        ("arn:aws:sts::123456789012:assumed-role/scanner/alice", ROLE),
        ("arn:aws-cn:sts::123456789012:assumed-role/gone/alice", "arn:aws-cn:iam::123456789012:role/gone"),
    ],
)
def test_a_session_stands_for_its_role(account: Server, arn: str, principal: str) -> None:
    servers.client("iam").create_role(RoleName="scanner", Path="/ops/", AssumeRolePolicyDocument="{}")
    asked: list[str] = []
    account.hooks.update({SIMULATE: simulation(asked=asked), "sts:GetCallerIdentity": caller(arn)})
    probe("--source", "aws")
    assert asked[0] == principal


def test_the_root_user_may_do_everything_and_has_no_simulation(account: Server) -> None:
    account.hooks["sts:GetCallerIdentity"] = caller("arn:aws:iam::123456789012:root")
    assert probe("--source", "aws").code == 0
    assert SIMULATE not in account.calls


def test_a_question_that_may_not_be_asked_is_no_answer(account: Server, tmp_path: Path) -> None:
    account.hooks[SIMULATE] = servers.refused(SIMULATE)
    reviews = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    with cluster([], tmp_path) as kube:
        kube.faults[reviews] = [kube_server.Answer(403, {"message": "no"})] * 99
        done = probe()
    assert done.code == 4
    assert "Could not be asked: 2" in done.out
    assert "AWS refused iam:SimulatePrincipalPolicy" in done.out
    assert "allowed" not in done.out


@pytest.mark.parametrize("body", [{}, {"status": None}, {"status": {"allowed": "yes"}}])
def test_a_review_that_does_not_say_is_no_answer(tmp_path: Path, account: Server, body: dict[str, Any]) -> None:
    del account
    with cluster([], tmp_path) as kube:
        kube.faults["/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"] = [kube_server.Answer(201, body)] * 99
        done = probe("--source", "cluster")
    assert done.code == 4
    assert "does not say whether it allows" in done.out


def test_a_namespace_is_asked_for_by_itself(tmp_path: Path, account: Server) -> None:
    del account
    with cluster(
        [{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a", "namespace": "shop"}}], tmp_path
    ) as kube:
        kube.denied.add(("", "services"))
        done = probe("--source", "cluster", "--namespace", "shop", "--select", "SVC001")
    assert "In shop, kube-system: The API server forbids it" in done.out
