"""The AWS API: which failures end a run at once, and how all others are told."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
import servers
from botocore import exceptions
from servers import REGION, cut, failing, page_of_html, refused

from eks6check import __version__
from eks6check.demo.aws_server import Server, in_json
from eks6check.errors import Eks6checkError, NothingCheckedError, UsageError
from eks6check.facts import Gap
from eks6check.sources import Unreadable
from eks6check.sources.aws.api import ABREAST, Account, connect, each, identify
from eks6check.sources.aws.failures import Failure, failure_of, gap_of

NOWHERE = "http://127.0.0.1:1"
DESCRIBE = "eks:DescribeCluster"


@pytest.fixture(scope="module")
def running() -> Iterator[Server]:
    """An account with the clusters ``blue`` and ``prod``."""
    with servers.aws() as server:
        for name in ("prod", "blue"):
            servers.client("eks").create_cluster(
                name=name, roleArn=servers.ROLE, resourcesVpcConfig={"subnetIds": ["subnet-1"]}
            )
        yield server


@pytest.fixture
def server(running: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    servers.lead_to(running, monkeypatch)
    monkeypatch.setattr("botocore.endpoint.time.sleep", lambda _: None)
    running.calls.clear()
    yield running
    running.hooks.clear()


def fatal(account: Account, cluster: str = "prod") -> Eks6checkError:
    """How the run ends."""
    with pytest.raises(Eks6checkError) as caught:
        identify(account, cluster)
    assert "\n" not in caught.value.message + caught.value.hint
    assert servers.SECRET not in caught.value.message + caught.value.hint
    return caught.value


@pytest.mark.usefixtures("server")
def test_the_cluster_is_described_once_for_all() -> None:
    source = identify(connect(REGION), "prod")
    assert not isinstance(source.described, Gap)
    assert source.described["name"] == "prod"
    assert "endpoint" in source.described


@pytest.mark.usefixtures("server")
def test_a_cluster_that_is_not_there_ends_the_run_with_the_names_that_are() -> None:
    error = fatal(connect(REGION), "prd")
    assert isinstance(error, UsageError)
    assert error.message == "There is no EKS cluster 'prd' in eu-west-1."
    assert error.hint == "This account has there: blue, prod."


@pytest.mark.usefixtures("server")
def test_a_region_without_clusters_is_named() -> None:
    error = fatal(connect("eu-central-1"))
    assert error.message == "There is no EKS cluster 'prod' in eu-central-1."
    assert "no cluster there" in error.hint


def test_the_names_are_left_out_where_they_may_not_be_listed(server: Server) -> None:
    server.hooks["eks:ListClusters"] = refused("eks:ListClusters")
    assert fatal(connect(REGION), "prd").hint == "Check --cluster, --region and --profile."


def test_names_that_are_no_cluster_names_do_not_reach_the_screen(server: Server) -> None:
    server.hooks["eks:ListClusters"] = lambda *_: in_json({"clusters": ["\x1b[31mred", "fine"]})
    assert fatal(connect(REGION), "prd").hint == "This account has there: fine, ...."


@pytest.mark.parametrize("answer", [refused(DESCRIBE), page_of_html(500), failing(DESCRIBE, "ServerException", 500)])
def test_a_refused_or_broken_description_does_not_end_the_run(server: Server, answer: Any) -> None:
    server.hooks[DESCRIBE] = answer
    source = identify(connect(REGION), "prod")
    assert isinstance(source.described, Gap)
    assert source.described.call == DESCRIBE


@pytest.mark.parametrize(
    "code", ["ExpiredTokenException", "ExpiredToken", "UnrecognizedClientException", "InvalidSignatureException"]
)
def test_a_login_that_does_not_hold_ends_the_run(server: Server, code: str) -> None:
    server.hooks[DESCRIBE] = failing(DESCRIBE, code, 403, servers.SECRET)
    error = fatal(connect(REGION))
    assert isinstance(error, NothingCheckedError)
    assert code in error.message
    assert "aws sso login" in error.hint


def test_no_credentials_end_the_run(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name)
    error = fatal(connect(REGION))
    assert isinstance(error, NothingCheckedError)
    assert "NoCredentialsError" in error.message
    assert not server.calls


def configure(monkeypatch: pytest.MonkeyPatch, folder: Path, text: str) -> None:
    path = folder / "config"
    path.write_text(text, encoding="utf-8")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(path))


SSO = """\
[profile work]
sso_session = corp
sso_account_id = 111122223333
sso_role_name = reader
[sso-session corp]
sso_region = eu-west-1
sso_start_url = https://example.awsapps.com/start
"""


@pytest.mark.usefixtures("server")
def test_an_sso_profile_that_is_not_logged_in_ends_the_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    configure(monkeypatch, tmp_path, SSO)
    error = fatal(connect(REGION, "work"))
    assert isinstance(error, NothingCheckedError)
    assert "aws sso login" in error.hint


@pytest.mark.usefixtures("server")
def test_an_endpoint_out_of_reach_ends_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", NOWHERE)
    error = fatal(connect(REGION))
    assert isinstance(error, NothingCheckedError)
    assert error.message == "EKS in eu-west-1 cannot be reached (EndpointConnectionError)."


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize(("region", "hint"), [("eu-wst-1", "eu-west-1"), ("Ireland!", "Name one with --region")])
def test_a_region_that_does_not_exist_is_told(monkeypatch: pytest.MonkeyPatch, region: str, hint: str) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", NOWHERE)
    error = fatal(connect(region))
    assert isinstance(error, UsageError)
    assert error.message == f"There is no AWS region {region!r} with EKS."
    assert hint in error.hint


def test_an_unknown_profile_is_told_with_the_known_ones(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    configure(monkeypatch, tmp_path, SSO)
    with pytest.raises(UsageError) as caught:
        connect(REGION, "wrok")
    assert caught.value.message == "There is no AWS profile 'wrok'."
    assert caught.value.hint == "There are: work."
    monkeypatch.setenv("AWS_PROFILE", "elsewhere")
    with pytest.raises(UsageError, match="'elsewhere'"):
        connect(REGION)


def test_a_configuration_that_cannot_be_read_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    configure(monkeypatch, tmp_path, "not = [an ini file")
    with pytest.raises(UsageError, match="cannot be read"):
        connect(REGION)


def test_the_region_comes_from_the_flag_else_from_the_environment_else_it_is_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(UsageError, match="No AWS region"):
        connect()
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-2")
    assert connect().region == "us-east-2"
    assert connect(REGION).region == REGION


def test_requests_say_who_makes_them(server: Server) -> None:
    agents: list[str] = []

    def note(request: Any, forward: Any) -> Any:
        agents.append(request.headers["User-Agent"])
        return forward()

    server.hooks[DESCRIBE] = note
    identify(connect(REGION), "prod")
    assert f"eks6check/{__version__}" in agents[0]


@pytest.mark.usefixtures("server")
def test_threads_share_the_clients() -> None:
    account = connect(REGION)
    found = list(each(lambda name: account.call(DESCRIBE, "cluster", name=name)["name"], ["prod", "blue"] * 8))
    assert found == ["prod", "blue"] * 8
    assert list(account._clients) == ["eks"]


@pytest.mark.usefixtures("server")
def test_a_service_is_found_by_its_prefix_in_iam() -> None:
    account = connect(REGION)
    pages = account.pages("elasticloadbalancing:DescribeLoadBalancers", "LoadBalancers")
    assert list(pages) == []
    assert list(account._clients) == ["elbv2"]


def test_a_list_that_boto3_cannot_page_is_read_once(server: Server) -> None:
    account = connect(REGION)
    assert list(account.pages("ec2:DescribeAvailabilityZones", "AvailabilityZones"))
    assert server.calls == ["ec2:DescribeAvailabilityZones"]


def test_each_keeps_the_order_and_puts_gaps_where_results_would_stand() -> None:
    gap = Gap("eks:DescribeAddon", "no")

    def half(number: int) -> int:
        if number % 2:
            raise Unreadable(gap)
        return number // 2

    assert list(each(half, range(5))) == [0, gap, 1, gap, 2]


def test_each_runs_side_by_side() -> None:
    together = Barrier(ABREAST)
    assert {*each(lambda _: together.wait(timeout=30), range(ABREAST))} == {*range(ABREAST)}


def answered(code: object, operation: str = "DescribeSubnets") -> exceptions.ClientError:
    return exceptions.ClientError({"Error": {"Code": code, "Message": servers.SECRET}}, operation)


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (answered("UnauthorizedOperation"), Failure.REFUSED),
        (answered("AccessDenied"), Failure.REFUSED),
        (answered("AccessDenied", "AssumeRole"), Failure.LOGIN),
        (answered("AuthFailure"), Failure.LOGIN),
        (answered("RequestLimitExceeded"), Failure.THROTTLED),
        (answered("TooManyRequestsException"), Failure.THROTTLED),
        (answered("InternalError"), Failure.OTHER),
        (answered("InvalidNextToken"), Failure.OTHER),
        (answered(""), Failure.OTHER),
        (answered(None), Failure.OTHER),
        (answered(f"odd code\n{servers.SECRET}"), Failure.OTHER),
        (exceptions.EndpointConnectionError(endpoint_url=NOWHERE), Failure.UNREACHABLE),
        (exceptions.SSLError(endpoint_url=NOWHERE, error="self-signed"), Failure.UNREACHABLE),
        (exceptions.ReadTimeoutError(endpoint_url=NOWHERE), Failure.SLOW),
        (exceptions.ConnectTimeoutError(endpoint_url=NOWHERE), Failure.SLOW),
        (exceptions.IncompleteReadError(actual_bytes=1, expected_bytes=2), Failure.UNCLEAR),
        (exceptions.PartialCredentialsError(provider="env", cred_var="x"), Failure.LOGIN),
        (exceptions.UnauthorizedSSOTokenError(), Failure.LOGIN),
        (exceptions.TokenRetrievalError(provider="sso", error_msg=servers.SECRET), Failure.LOGIN),
        (exceptions.InvalidRegionError(region_name="?"), Failure.REGION),
        (KeyError("Subnets"), Failure.UNCLEAR),
    ],
)
def test_every_failure_is_one_line_with_a_way_to_close_it(error: Exception, failure: Failure) -> None:
    action = "ec2:DescribeSubnets"
    assert failure_of(action, error) is failure
    gap = gap_of(action, error)
    assert gap.call == action
    assert re.fullmatch(r"[ -~]{20,160}", gap.reason)
    assert gap.remedy
    assert servers.SECRET not in gap.reason + gap.remedy


@pytest.mark.parametrize("told", [True, False])
@pytest.mark.parametrize(
    ("action", "key", "parameters"), [(DESCRIBE, "cluster", {"name": "prod"}), ("ec2:DescribeVpcs", "Vpcs", {})]
)
def test_half_an_answer_is_not_taken_for_the_whole(
    server: Server, action: str, key: str, parameters: dict[str, str], *, told: bool
) -> None:
    server.hooks[action] = cut(told=told)
    with pytest.raises(Unreadable):
        connect(REGION).call(action, key, **parameters)
