"""Ways into a cluster: what a kubeconfig's login gives, how it fails, and the token that EKS takes."""

from __future__ import annotations

import base64
import json
import os
import re
import ssl
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import boto3
import certifi
import pytest

from eks6check.demo.kube_server import serve
from eks6check.facts.kinds import Kind
from eks6check.sources import Unreadable
from eks6check.sources.cluster.answers import Failure
from eks6check.sources.cluster.api import Api
from eks6check.sources.cluster.login import eks_token, from_eks, from_kubeconfig, renewing

SERVICES = Kind("", "services", "Service")
CREDENTIAL = {
    "apiVersion": "client.authentication.k8s.io/v1beta1",
    "kind": "ExecCredential",
    "status": {"token": "from-the-plugin"},
}


def write(user: Any, cluster: Any) -> None:
    """A kubeconfig with one context, ``test``, at the place where KUBECONFIG points."""
    config = {
        "contexts": [{"name": "test", "context": {"cluster": "test", "user": "test"}}],
        "clusters": [{"name": "test", "cluster": cluster}],
        "users": [{"name": "test", "user": user}],
    }
    Path(os.environ["KUBECONFIG"]).write_text(json.dumps(config))


def plugin(program: str) -> Any:
    """A user whose login is the output of a Python program."""
    return {"exec": {"apiVersion": CREDENTIAL["apiVersion"], "command": sys.executable, "args": ["-c", program]}}


def bearer(api: Api) -> str:
    """What the API sends as Authorization."""
    client = api._once("client", api._connect)
    return str(client.configuration.auth_settings()["BearerToken"]["value"])


def reason(api: Api) -> str:
    with pytest.raises(Unreadable) as caught:
        list(api.objects(SERVICES))
    return caught.value.gap.reason


def test_an_exec_plugin_gives_the_token() -> None:
    write(plugin(f"print('''{json.dumps(CREDENTIAL)}''')"), {"server": "http://127.0.0.1:9"})
    assert bearer(from_kubeconfig("test")) == "Bearer from-the-plugin"


@pytest.mark.parametrize(
    ("program", "said"),
    [("import sys; sys.exit('Token has expired')", "Token has expired"), ("print('{}')", "missing key 'apiVersion'")],
)
def test_an_exec_plugin_that_fails_is_a_gap_with_its_own_words(
    program: str, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with serve() as server:
        write(plugin(program), {"server": server.url})
        assert said in reason(from_kubeconfig("test"))
        assert server.calls == [], "nobody asks without a login"
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("user", "cluster", "said"),
    [
        ({}, {}, "names no server"),
        ({}, {"server": "https://a.example", "certificate-authority": "/gone.pem"}, "File does not exist: /gone.pem"),
        ({}, {"server": "https://a.example", "certificate-authority-data": "bm8="}, "certificates are unreadable"),
        (
            {"client-certificate-data": "bm8=", "client-key-data": "bm8="},
            {"server": "https://a.example"},
            "certificates are unreadable",
        ),
        ({"exec": {}}, {"server": "http://127.0.0.1:9"}, "missing key"),
        ({"exec": "x"}, {"server": "http://127.0.0.1:9"}, "gives no way into test"),
        ([], {"server": ["x"]}, "gives no way into test"),
    ],
)
def test_a_kubeconfig_that_leads_nowhere_is_a_gap(user: Any, cluster: Any, said: str) -> None:
    write(user, cluster)
    assert said in reason(from_kubeconfig("test"))


def test_a_context_that_is_not_there_is_a_gap() -> None:
    write({}, {"server": "http://127.0.0.1:9"})
    assert "gone" in reason(from_kubeconfig("gone"))


def test_nothing_connects_before_the_first_list() -> None:
    assert isinstance(from_kubeconfig("test"), Api), "without any kubeconfig"


def test_skipped_verification_stays_skipped() -> None:
    write({}, {"server": "https://127.0.0.1:9", "insecure-skip-tls-verify": True})
    api = from_kubeconfig("test")
    settings = api._once("client", api._connect).rest_client.pool_manager.connection_pool_kw
    assert settings["cert_reqs"] == ssl.CERT_NONE
    assert "ssl_context" not in settings


def session(key: str | None = "AKIDEXAMPLE") -> boto3.session.Session:
    return boto3.session.Session(aws_access_key_id=key, aws_secret_access_key=key and "secret", region_name="us-east-1")


def eks(authority: str, key: str | None = "AKIDEXAMPLE") -> Api:
    return from_eks(
        session(key),
        "prod",
        region="eu-west-1",
        endpoint="https://prod.gr7.eu-west-1.eks.amazonaws.com",
        certificate_authority=authority,
    )


def authority() -> str:
    """A real authority as DescribeCluster gives one: PEM in Base64."""
    pem = Path(certifi.where()).read_text()
    end = "-----END CERTIFICATE-----"
    first = pem[pem.index("-----BEGIN") : pem.index(end)] + end
    return base64.b64encode(first.encode()).decode()


def test_the_eks_token_is_a_signed_url_that_names_the_cluster() -> None:
    token = bearer(eks(authority())).removeprefix("Bearer ")
    assert token.startswith("k8s-aws-v1.")
    assert "=" not in token
    encoded = token.removeprefix("k8s-aws-v1.")
    url = urlsplit(base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4)).decode())
    assert (url.scheme, url.netloc, url.path) == ("https", "sts.eu-west-1.amazonaws.com", "/")
    query = {name: values[0] for name, values in parse_qs(url.query).items()}
    assert query["Action"] == "GetCallerIdentity"
    assert query["X-Amz-Expires"] == "60"
    assert query["X-Amz-SignedHeaders"] == "host;x-k8s-aws-id"
    assert query["X-Amz-Credential"].endswith("/eu-west-1/sts/aws4_request")


def test_the_cluster_is_trusted_through_its_own_authority_alone() -> None:
    api = eks(authority())
    context = api._once("client", api._connect).rest_client.pool_manager.connection_pool_kw["ssl_context"]
    assert len(context.get_ca_certs()) == 1
    assert context.verify_mode == ssl.CERT_REQUIRED
    assert context.check_hostname
    assert not context.verify_flags & ssl.VERIFY_X509_STRICT


def test_without_an_authority_nobody_is_trusted() -> None:
    assert "no endpoint or no certificate authority" in reason(eks(""))


@pytest.mark.parametrize("authority", ["!", "bm8=", "/w=="])
def test_an_unreadable_authority_is_a_gap(authority: str) -> None:
    assert re.search("is no certificate|certificates are unreadable", reason(eks(authority)))


def test_without_credentials_there_is_a_gap() -> None:
    assert "No token for the cluster" in reason(eks(authority(), key=None))


def test_without_credentials_there_is_no_token() -> None:
    with pytest.raises(Failure, match="Unable to locate credentials"):
        eks_token(session(None).client("sts"))


def test_a_token_is_made_anew_before_it_ends() -> None:
    times, tokens = iter([0, 599, 601, 601]), iter("ab")
    configuration = SimpleNamespace(api_key={})
    renew = renewing(lambda: next(tokens), clock=lambda: next(times))
    seen = []
    for _ in range(3):
        renew(configuration)
        seen.append(configuration.api_key["authorization"])
    assert seen == ["Bearer a", "Bearer a", "Bearer b"]
