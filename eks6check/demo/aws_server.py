"""A made-up AWS account over real HTTP on loopback: moto, and what moto lacks of EKS added on the way out.

boto3 finds it through ``AWS_ENDPOINT_URL``. Every call is written down, and a hook may answer any of them otherwise:
that is how the tests refuse, throttle and garble. Import this module only where moto is wanted.
"""

from __future__ import annotations

import io
import json
import re
import threading
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs
from xml.sax.saxutils import escape

from botocore.session import get_session
from werkzeug.serving import WSGIRequestHandler, make_server
from werkzeug.test import Client
from werkzeug.wrappers import Request, Response

Hook = Callable[[Request, Callable[[], Response]], Response]
"""Answers a request, or has the account answer it by calling its second argument."""

CREDENTIALS: Mapping[str, str] = {
    "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",  # AWS's own example, as all three of these are
    "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "AWS_SESSION_TOKEN": "AQoDYXdzEJr-example",
}

SCOPE = re.compile(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/")
"""Where a signature names its service."""

REST: Mapping[str, str] = {"eks": "eks", "elasticfilesystem": "efs"}
"""The services whose calls are told by method and path: botocore's name by the one in a signature."""


@dataclass
class Server:
    """A running server: its address, the IAM actions called so far, and what the caller adds to moto.

    ``addons`` holds ``DescribeAddon`` bodies by cluster and name, ``pod_identities`` those of
    ``DescribePodIdentityAssociation`` by cluster and id, ``clusters`` fields that complete moto's ``DescribeCluster``
    by cluster, ``mount_targets`` fields of ``DescribeMountTargets`` by id, ``dualstack`` the VPC endpoints of both
    families, ``hooks`` other answers by IAM action.
    """

    url: str = ""
    calls: list[str] = field(default_factory=list)
    hooks: dict[str, Hook] = field(default_factory=dict)
    addons: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    pod_identities: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    clusters: dict[str, dict[str, Any]] = field(default_factory=dict)
    mount_targets: dict[str, dict[str, str]] = field(default_factory=dict)
    dualstack: set[str] = field(default_factory=set)

    @property
    def environment(self) -> dict[str, str]:
        """The variables that lead boto3 here."""
        return {**CREDENTIALS, "AWS_ENDPOINT_URL": self.url, "AWS_EC2_METADATA_DISABLED": "true"}


class Quiet(WSGIRequestHandler):  # type: ignore[misc]  # werkzeug is untyped to us
    """Serves without a line on the screen for each request."""

    def log(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def serve() -> Iterator[Server]:
    """An empty account for as long as the context lasts. Moto keeps its state in the process: one account at a time."""
    from moto.server import DomainDispatcherApplication, create_backend_app  # noqa: PLC0415  most of a second

    moto = DomainDispatcherApplication(create_backend_app)
    Client(moto).post("/moto-api/reset")
    server = Server()
    listener = make_server("127.0.0.1", 0, application(server, moto), threaded=True, request_handler=Quiet)
    server.url = f"http://127.0.0.1:{listener.server_port}"
    thread = threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        listener.shutdown()
        listener.server_close()
        thread.join()


def application(server: Server, moto: Any) -> Any:
    """The WSGI layer: write the call down, let a hook answer it, else moto with what it lacks."""

    def answer(request: Request) -> Response:
        body = request.get_data()
        action = action_of(request)
        server.calls.append(action)

        def forward() -> Response:
            environ = {**request.environ, "wsgi.input": io.BytesIO(body)}
            if action == "iam:SimulatePrincipalPolicy":  # which moto lacks: policies are read instead
                return not_authorized(action)
            if action == "wafv2:ListResourcesForWebACL":  # which moto lacks
                return guarded(json.loads(body)["WebACLArn"])
            if action == "ec2:DescribeVpcEndpointServices":  # whose filters moto cannot read
                return offered(parse_qs(body.decode()))
            return completed(server, action, request.path, Response.from_app(moto, environ, buffered=True))

        return server.hooks[action](request, forward) if action in server.hooks else forward()

    wsgi: Any = Request.application
    return wsgi(answer)


def action_of(request: Request) -> str:
    """The IAM action of a request: from the form, from the target's header, or from method and path."""
    scope = SCOPE.search(request.headers.get("Authorization", ""))
    service = scope[1] if scope else "unsigned"
    if service in REST:
        line = f"{request.method} {request.path}"
        return f"{service}:{next((name for name, http in operations(service) if re.fullmatch(http, line)), '?')}"
    if target := request.headers.get("X-Amz-Target"):
        return f"{service}:{target.rpartition('.')[2]}"
    return f"{service}:{parse_qs(request.get_data(as_text=True)).get('Action', ['?'])[0]}"


@cache
def operations(service: str) -> list[tuple[str, str]]:
    """Every operation of a service with a pattern of its method and path, from botocore's own model."""
    model = get_session().get_service_model(REST[service])
    https = {name: model.operation_model(name).http for name in model.operation_names}
    paths = {name: re.sub(r"\{\w+\}", "[^/]+", http["requestUri"].partition("?")[0]) for name, http in https.items()}
    return [(name, f"{https[name]['method']} {path}") for name, path in paths.items()]


def completed(server: Server, action: str, path: str, response: Response) -> Response:
    """Moto's answer with what it lacks: add-ons, Pod Identity, and parts of clusters and mount targets."""
    if action.startswith("eks:"):
        return completed_eks(server, action, path, response)
    if action == "elasticfilesystem:DescribeMountTargets" and response.status_code == HTTPStatus.OK:
        body = json.loads(response.get_data())
        targets = [{**each, **server.mount_targets.get(each["MountTargetId"], {})} for each in body["MountTargets"]]
        return in_json({**body, "MountTargets": targets})
    if action == "ec2:DescribeVpcEndpoints":
        return typed(server.dualstack, response)
    return response


def typed(dualstack: Collection[str], response: Response) -> Response:
    """VPC endpoints with their IP address type."""

    def with_type(found: re.Match[str]) -> str:
        return f"{found[0]}<ipAddressType>{'dualstack' if found[1] in dualstack else 'ipv4'}</ipAddressType>"

    written = re.sub(r"<vpcEndpointId>(.*?)</vpcEndpointId>", with_type, response.get_data(as_text=True))
    return Response(written, response.status_code, content_type=response.content_type)


def completed_eks(server: Server, action: str, path: str, response: Response) -> Response:
    """Likewise of EKS, whose paths name the cluster, and behind it what is described."""
    _, _, cluster, *rest = [*path.split("/"), ""]
    addons, identities = server.addons.get(cluster, {}), server.pod_identities.get(cluster, {})
    if action == "eks:ListAddons":
        return in_json({"addons": list(addons)})
    if action == "eks:DescribeAddon" and rest[1] in addons:
        return in_json({"addon": {"addonName": rest[1], "status": "ACTIVE", **addons[rest[1]]}})
    if action == "eks:ListPodIdentityAssociations":
        return in_json({"associations": [{"associationId": key, **body} for key, body in identities.items()]})
    if action == "eks:DescribePodIdentityAssociation" and rest[1] in identities:
        return in_json({"association": {"associationId": rest[1], **identities[rest[1]]}})
    if action == "eks:DescribeCluster" and cluster in server.clusters:
        body = json.loads(response.get_data())["cluster"]
        return in_json({"cluster": {**body, **merged(body, server.clusters[cluster])}})
    return response


def merged(body: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of ``more``, each mapping on top of that of the same name in ``body``."""
    return {key: {**body.get(key, {}), **value} if isinstance(value, dict) else value for key, value in more.items()}


def guarded(web_acl_arn: str) -> Response:
    """What a web ACL guards, from what moto remembers of ``AssociateWebACL``."""
    from moto.wafv2.models import wafv2_backends  # noqa: PLC0415  likewise

    _, _, _, region, account, *_ = web_acl_arn.split(":")
    return in_json({"ResourceArns": wafv2_backends[account][region].wacls[web_acl_arn].associated_resources})


def offered(form: Mapping[str, list[str]]) -> Response:
    """The endpoint services that a filter names, each of them in both families."""
    names = [escape(value[0]) for key, value in form.items() if re.fullmatch(r"Filter\.\d+\.Value\.\d+", key)]
    types = "<supportedIpAddressTypeSet><item>ipv4</item><item>dualstack</item></supportedIpAddressTypeSet>"
    items = "".join(f"<item><serviceName>{name}</serviceName>{types}</item>" for name in names)
    answer = f"<DescribeVpcEndpointServicesResponse><serviceDetailSet>{items}</serviceDetailSet>"
    return Response(f"{answer}</DescribeVpcEndpointServicesResponse>", content_type="text/xml")


def not_authorized(action: str) -> Response:
    """A refusal as IAM writes it."""
    message = f"<Message>You are not authorized to perform: {action}</Message>"
    error = f"<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code>{message}</Error></ErrorResponse>"
    return Response(error, HTTPStatus.FORBIDDEN, content_type="text/xml")


def in_json(body: object) -> Response:
    """An answer as the EKS API writes it."""
    return Response(json.dumps(body), content_type="application/json")


def complete_acl(ec2: Any, vpc: str) -> None:
    """Give a VPC's default network ACL the entries that EC2 adds with the first IPv6 block, and moto does not."""
    (acl,) = ec2.describe_network_acls(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["NetworkAcls"]
    shared = {"Protocol": "-1", "RuleAction": "allow", "RuleNumber": 101, "Ipv6CidrBlock": "::/0"}
    for egress in (False, True):
        ec2.create_network_acl_entry(NetworkAclId=acl["NetworkAclId"], Egress=egress, **shared)


def cluster_security_group(ec2: Any, vpc: str) -> str:
    """A security group as EKS makes it for a cluster: open among its own, and outward in both families."""
    made = ec2.create_security_group(GroupName=f"eks-cluster-sg-{vpc}", Description="EKS", VpcId=vpc)
    identity: str = made["GroupId"]
    own = {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": identity}]}
    ec2.authorize_security_group_ingress(GroupId=identity, IpPermissions=[own])
    (group,) = ec2.describe_security_groups(GroupIds=[identity])["SecurityGroups"]
    if not any(each.get("Ipv6Ranges") for each in group["IpPermissionsEgress"]):  # as moto makes it in a VPC of IPv4
        outward = {"IpProtocol": "-1", "Ipv6Ranges": [{"CidrIpv6": "::/0"}]}
        ec2.authorize_security_group_egress(GroupId=identity, IpPermissions=[outward])
    return identity
