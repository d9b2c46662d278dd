"""Ways into a cluster: a kubeconfig context with the login that it names, or a token that EKS gives.

The kubernetes client reads the kubeconfig, runs exec plugins and keeps certificates. Nothing connects before the first
list, so that what fails becomes a gap of that list.
"""

from __future__ import annotations

import base64
import logging
import os
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from eks6check.sources import WIDTH
from eks6check.sources.cluster.answers import Failure, line
from eks6check.sources.cluster.api import Api

if TYPE_CHECKING:
    from boto3.session import Session

CONNECTIONS = 4 * WIDTH
"""Connections kept open: as many as lists run at a time. One more than this would be made anew for each list."""

RETRIES = 3
"""Further tries after 429 and 5xx; a lost connection gets one."""

BACKOFF_SECONDS = 0.5
"""The wait before the second retry, doubled for the third; a server that sends Retry-After says how long itself."""

RETRY_AFTER_SECONDS = 20.0
"""The longest wait that a server can ask for."""

TOKEN_PREFIX = "k8s-aws-v1."  # noqa: S105  the public beginning of every such token
CLUSTER_HEADER = "x-k8s-aws-id"

SIGNED_SECONDS = 60
"""What aws-iam-authenticator signs for; it counts the 15 minutes of a token itself."""

RENEW_SECONDS = 10 * 60
"""The age at which a token is made anew, well before its 15 minutes are over."""


def from_kubeconfig(context: str, namespaces: tuple[str, ...] = ()) -> Api:
    """The cluster of a kubeconfig context, with the login that it names: token, certificate or exec plugin."""
    return Api(lambda: _login(context), namespaces)


def from_eks(  # noqa: PLR0913  what DescribeCluster gives, and who asks
    session: Session,
    cluster: str,
    *,
    region: str,
    endpoint: str,
    certificate_authority: str,
    namespaces: tuple[str, ...] = (),
) -> Api:
    """An EKS cluster without a kubeconfig, with a token as ``aws eks get-token`` makes it.

    ``endpoint`` and ``certificate_authority``, in Base64, are what DescribeCluster gives.
    """
    sts = session.client("sts", region_name=region)
    sts.meta.events.register("before-sign.sts.GetCallerIdentity", lambda request, **_: _name_cluster(request, cluster))

    def connect() -> Any:
        from kubernetes.client import Configuration  # noqa: PLC0415  half a second that lint does not have

        if not endpoint or not certificate_authority:
            raise Failure("The cluster has no endpoint or no certificate authority.", "Wait until EKS calls it ACTIVE.")
        try:
            authority = base64.b64decode(certificate_authority, validate=True).decode("ascii")
        except ValueError as error:
            raise Failure(
                "The certificate authority that eks:DescribeCluster gives is no certificate.",
                "Run `aws eks update-kubeconfig`, so that the scan goes through its context.",
            ) from error
        configuration = Configuration(host=endpoint)
        configuration.refresh_api_key_hook = renewing(lambda: eks_token(sts))
        configuration.refresh_api_key_hook(configuration)
        return _client(configuration, authority)

    return Api(connect, namespaces)


def _name_cluster(request: Any, cluster: str) -> None:
    request.headers[CLUSTER_HEADER] = cluster


def eks_token(sts: Any) -> str:
    """A bearer token that EKS accepts for 15 minutes: a signed GetCallerIdentity URL that names the cluster.

    Defined in https://github.com/kubernetes-sigs/aws-iam-authenticator, "API Authorization from Outside a Cluster".

    Raises:
        Failure: there are no credentials to sign with.
    """
    from botocore.exceptions import BotoCoreError  # noqa: PLC0415  the client is botocore's, so it is loaded

    try:
        url = sts.generate_presigned_url("get_caller_identity", ExpiresIn=SIGNED_SECONDS, HttpMethod="GET")
    except BotoCoreError as error:
        raise Failure(f"No token for the cluster: {line(str(error))}", "Log in to AWS, or name a --profile.") from error
    return TOKEN_PREFIX + base64.urlsafe_b64encode(url.encode()).decode().rstrip("=")


def renewing(token: Callable[[], str], clock: Callable[[], float] = time.monotonic) -> Callable[[Any], None]:
    """A hook for the client's configuration that makes a new token before the old one ends."""
    made: list[float] = []

    def renew(configuration: Any) -> None:
        if not made or clock() - made[-1] > RENEW_SECONDS:
            configuration.api_key["authorization"] = f"Bearer {token()}"
            made.append(clock())

    return renew


def _login(context: str) -> Any:
    import yaml  # noqa: PLC0415  only for its error
    from kubernetes import client, config  # noqa: PLC0415  half a second that lint does not have

    configuration = client.Configuration(host="")
    look = f"`kubectl --context {context} get nodes` shows the same login at work."
    try:
        with _overheard() as errors:
            config.load_kube_config(
                os.environ.get("KUBECONFIG") or "~/.kube/config",
                context,
                configuration,
                persist_config=False,  # this program changes nothing, the user's files included
            )
    except (config.ConfigException, yaml.YAMLError, OSError, ValueError, TypeError, AttributeError, KeyError) as error:
        raise Failure(f"The kubeconfig gives no way into {context}: {line(str(error))}", look) from error
    if errors or not configuration.host:
        said = errors[0] if errors else "it names no server"
        raise Failure(f"The kubeconfig gives no way into {context}: {line(said)}", look)
    return _client(configuration)


@contextmanager
def _overheard() -> Iterator[list[str]]:
    """The errors that the client only logs: a failed exec plugin leaves it without a login, and silent."""
    errors: list[str] = []
    handler = logging.Handler(logging.ERROR)
    handler.addFilter(lambda record: record.name == "root")
    handler.emit = lambda record: errors.append(record.getMessage())  # type: ignore[method-assign]
    logging.getLogger().addHandler(handler)
    try:
        yield errors
    finally:
        logging.getLogger().removeHandler(handler)


def _client(configuration: Any, authority: str | None = None) -> Any:
    """The kubernetes client for a configuration, with bounded retries and the trust that kubectl would give."""
    from kubernetes.client import ApiClient  # noqa: PLC0415  half a second that lint does not have

    configuration.retries = _retries()
    configuration.connection_pool_maxsize = CONNECTIONS
    client = ApiClient(configuration)
    settings = client.rest_client.pool_manager.connection_pool_kw
    if not configuration.verify_ssl:
        _keep_quiet()
        return client
    try:
        context = ssl.create_default_context(cafile=configuration.ssl_ca_cert, cadata=authority)
        # Python 3.13 refuses an authority without key identifiers; EKS clusters born before 1.17 have one, and kubectl
        # does not mind. https://github.com/kubernetes-client/python/issues/2394
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        if configuration.cert_file:
            context.load_cert_chain(configuration.cert_file, configuration.key_file)
    except OSError as error:
        raise Failure(f"The cluster's certificates are unreadable: {line(str(error))}") from error
    settings.update(ssl_context=context, ca_certs=None, cert_file=None, key_file=None)
    return client


def _keep_quiet() -> None:
    """Who wrote insecure-skip-tls-verify knows; a warning for each request helps nobody."""
    import urllib3  # noqa: PLC0415  comes with the client

    urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)


def _retries() -> Any:
    from urllib3 import Retry  # noqa: PLC0415  comes with the client

    class Bounded(Retry):
        def get_retry_after(self, response: Any) -> float | None:
            seconds = super().get_retry_after(response)
            return None if seconds is None else min(seconds, RETRY_AFTER_SECONDS)

    return Bounded(
        total=RETRIES,
        connect=1,
        read=1,
        redirect=0,
        other=0,
        status_forcelist=(429, 500, 502, 503, 504),
        backoff_factor=BACKOFF_SECONDS,
        raise_on_redirect=False,
        raise_on_status=False,
    )
