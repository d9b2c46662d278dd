"""An account with a prepared cluster and an untouched one, to be scanned over the wire while calls fail."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache, partial
from pathlib import Path

import pytest
import servers
import yaml
from test_scan import LIVE, READY, UNTOUCHED
from whole import Done, eks6check

from eks6check import run
from eks6check.demo import kube_server
from eks6check.demo.aws_server import Server
from eks6check.facts import Facts
from eks6check.facts.kinds import KINDS, Kind
from eks6check.findings import State
from eks6check.options import Options
from eks6check.sources import aws, collect
from eks6check.sources.aws import iam
from eks6check.sources.aws.api import Account, connect
from eks6check.sources.ledger import Ledger

CUSTOM = """
apiVersion: karpenter.k8s.aws/v1
kind: EC2NodeClass
metadata: {name: default}
spec: {kubelet: {maxPods: 110}}
---
apiVersion: karpenter.sh/v1
kind: NodePool
metadata: {name: default}
spec:
  template:
    spec:
      nodeClassRef: {group: karpenter.k8s.aws, kind: EC2NodeClass, name: default}
      requirements: [{key: karpenter.k8s.aws/instance-hypervisor, operator: In, values: [nitro]}]
---
apiVersion: elbv2.k8s.aws/v1beta1
kind: IngressClassParams
metadata: {name: alb}
spec: {ipAddressType: dualstack, targetType: ip}
---
apiVersion: eks.amazonaws.com/v1
kind: IngressClassParams
metadata: {name: auto}
spec: {ipAddressType: dualstack}
"""

ENI_CONFIG = """
apiVersion: crd.k8s.amazonaws.com/v1alpha1
kind: ENIConfig
metadata: {name: eu-west-1a}
spec: {subnet: subnet-1}
"""

BESIDES = """
apiVersion: v1
kind: Node
metadata: {name: ip-10-0-2-7, labels: {node.kubernetes.io/instance-type: m6i.large}}
status: {capacity: {pods: "110"}}
---
apiVersion: v1
kind: Pod
metadata: {name: report, namespace: batch, labels: {eks.amazonaws.com/fargate-profile: batch}}
spec: {containers: [{name: report, image: "report:1"}]}
status: {phase: Running}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: settings, namespace: shop}
data: {color: green}
"""

OBJECTS = {"prod": f"{READY}---{CUSTOM}---{BESIDES}", "old": f"{UNTOUCHED}---{CUSTOM}---{BESIDES}---{ENI_CONFIG}"}
"""What runs in the prepared cluster ``prod`` and in the untouched one, ``old``."""

ACTIONS = sorted({action for each in aws.COLLECTORS for action in each.calls})
KIND_LIST = sorted({kind for kinds in KINDS.values() for kind in kinds})
POLICIES = {*iam.role_permissions.calls} - {iam.SIMULATE, "iam:GetInstanceProfile"}
"""Calls that say what a role may do where nobody may simulate, as in this world: both ways closed are one gap."""

UNSURE = {State.INCOMPLETE, State.NOT_EVALUATED, State.FAILED}


@cache
def account(url: str, region: str | None, profile: str | None) -> Account:
    """The account behind a server. Its clients are made once, as they take most of a scan's time, and never wait."""
    assert url
    return replace(connect(region, profile), ledger=Ledger(burst=1_000_000))


@dataclass(frozen=True, repr=False)
class World:
    """An account with both clusters, and what a scan says of each while nobody refuses anything."""

    server: Server
    kubes: Mapping[str, kube_server.Server]
    home: Path
    whole: Mapping[str, Done] = field(default_factory=dict)
    facts: Facts = field(default_factory=dict)

    @contextmanager
    def environment(self, name: str) -> Iterator[None]:
        """What leads to the account and to one of the two clusters."""
        context = f"arn:aws:eks:{servers.REGION}:123456789012:cluster/{name}"
        kube_server.write_kubeconfig(self.home / "kubeconfig", self.kubes[name].url, context)
        with pytest.MonkeyPatch.context() as patch:
            servers.lead_to(self.server, patch)
            patch.setenv("KUBECONFIG", str(self.home / "kubeconfig"))
            patch.setattr("eks6check.sources.live.connect", partial(account, self.server.url))
            yield

    def scan(self, name: str, *arguments: str) -> Done:
        """One scan of one of the two."""
        with self.environment(name):
            return eks6check("scan", *LIVE[2:], "--cluster", name, *arguments)


def told_as(action: str) -> str:
    """The call that a gap names where this one fails."""
    return iam.SIMULATE if action in POLICIES else action


@contextmanager
def opened(home: Path) -> Iterator[World]:
    """Both clusters, served and scanned once. ``home`` is an empty folder."""
    objects = {name: list(yaml.safe_load_all(text)) for name, text in OBJECTS.items()}
    with (
        servers.aws() as server,
        kube_server.serve(objects["prod"]) as prod,
        kube_server.serve(objects["old"]) as old,
    ):
        ids = servers.ipv6_account(server)
        template = servers.launch_template({"InstanceType": "m6i.large"}, "prod")
        named = {"id": template, "version": "$Latest"}
        servers.node_group("prod", "named", ids["private"], amiType="AL2023_x86_64_STANDARD", launchTemplate=named)
        servers.ipv4_account(server, "old")
        for kube in (prod, old):
            for kind in KIND_LIST:
                if not path_of(kube, kind):
                    kube.objects[f"/apis/{kind.group}/v1/{kind.plural}"] = []
        hooks = dict(server.hooks)
        world = World(server, {"prod": prod, "old": old}, home)
        yield replace(world, whole={name: world.scan(name) for name in OBJECTS}, facts=collected(world))
        assert server.hooks == hooks


def path_of(kube: kube_server.Server, kind: Kind) -> str:
    """Where this server lists a kind; empty where it does not know it."""
    ends = f"/apis/{kind.group}/" if kind.group else "/api/", f"/{kind.plural}"
    return next((path for path in kube.objects if path.startswith(ends[0]) and path.endswith(ends[1])), "")


def collected(world: World) -> Facts:
    """Every section of the prepared account and cluster."""
    with world.environment("prod"):
        options = Options(cluster="prod", region=servers.REGION, sources=("aws", "cluster"))
        readers = run.open_readers(options, run.open_files(options)).readers
        return collect(readers, run.available(readers))
