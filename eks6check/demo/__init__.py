"""The demo: a made-up account and cluster on loopback, and the very scan that a user runs."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from eks6check.errors import UsageError
from eks6check.options import LIVE, Options

HERE = Path(__file__).parent


@contextmanager
def running(form: str) -> Iterator[Options]:
    """Start the account and the cluster; the options of a scan of both and of the sample manifests.

    Raises:
        UsageError: the parts that only the demo needs are not installed.
    """
    try:
        import moto.server  # noqa: F401, PLC0415  only the demo needs it
    except ImportError as error:
        raise UsageError("The demo needs moto.", "pip install 'eks6check[demo]'") from error
    import boto3  # noqa: PLC0415  each command pays for its own imports only

    from eks6check.demo import account, aws_server, kube_server  # noqa: PLC0415  likewise

    with aws_server.serve() as aws, tempfile.TemporaryDirectory() as folder:
        kubeconfig = Path(folder) / "kubeconfig"
        with environment(
            {**aws.environment, "KUBECONFIG": str(kubeconfig), "AWS_REGION": account.REGION, "NO_PROXY": "*"}
        ):
            subnets = account.build(aws, boto3.session.Session())
            with kube_server.serve(objects(subnets, account.FARGATE_PODS)) as cluster:
                arn = f"arn:aws:eks:{account.REGION}:123456789012:cluster/{account.CLUSTER}"
                kube_server.write_kubeconfig(kubeconfig, cluster.url, arn)
                yield Options(sources=LIVE, manifests=(str(HERE / "k8s"),), format=form)


@contextmanager
def environment(values: Mapping[str, str]) -> Iterator[None]:
    """These variables, and no AWS profile of the reader's, until the context ends."""
    before = dict(os.environ)
    os.environ.update(values)
    for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_DEFAULT_REGION"):
        os.environ.pop(name, None)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def objects(subnets: Mapping[str, str], fargate_pods: int) -> list[dict[str, Any]]:
    """What the cluster holds: its own parts, the sample manifests as they were applied, and the Fargate pods."""
    parts = (HERE / "cluster.yaml").read_text(encoding="utf-8")
    for name, identity in subnets.items():
        parts = parts.replace(f"{{{name}}}", identity)
    applied = [path.read_text(encoding="utf-8") for path in sorted((HERE / "k8s").glob("*.yaml"))]
    bodies = [body for text in (parts, *applied) for body in yaml.safe_load_all(text)]
    return [*map(as_applied, bodies), *map(fargate_pod, range(fargate_pods))]


def as_applied(body: dict[str, Any]) -> dict[str, Any]:
    """An object as an IPv4 API server gives it back: with managed fields that tell what its author wrote."""
    spec = body.get("spec") or {}
    managed = [{"manager": "kubectl", "fieldsV1": {"f:spec": {f"f:{name}": {} for name in spec}}}]
    metadata = {**body["metadata"], "managedFields": managed}
    if body["kind"] == "Service":
        spec = {"clusterIP": "10.100.12.7", "ipFamilies": ["IPv4"], "ipFamilyPolicy": "SingleStack", **spec}
    return {**body, "metadata": metadata, **({"spec": spec} if "spec" in body else {})}


def fargate_pod(number: int) -> dict[str, Any]:
    """A running pod of the Fargate profile."""
    labels = {"eks.amazonaws.com/fargate-profile": "jobs"}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": f"report-{number}", "namespace": "jobs", "labels": labels},
        "spec": {"nodeName": f"fargate-ip-10-0-2-{number}", "containers": [{"name": "report", "image": "report:1"}]},
        "status": {"phase": "Running"},
    }
