"""What a scan costs: time against the longest chain of its calls, memory and calls for a large cluster, and a peer.

    PYTHONPATH=tests python benchmarks/scan.py

The servers are those of the tests: a made-up AWS account and a real API server, where KUBEBUILDER_ASSETS names one.
With hardeneks on the PATH, or its path in HARDENEKS, it is measured on the same two.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import ssl
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock
from urllib.parse import parse_qs, urlsplit

import faults
import servers
import test_scale
import world as worlds
import yaml
from apiserver import admin
from apiserver.server import ApiServer, request, serve
from test_scan import READY

from eks6check.catalog import load
from eks6check.demo import kube_server
from eks6check.demo.aws_server import Hook, Server
from eks6check.sources import Collector, aws, cluster, needed

ROUNDS = 5
DELAYS_SECONDS = (0.1, 0.5)
WRITERS = 8
HEAD = "eks:DescribeCluster"
SIMULATE = "iam:SimulatePrincipalPolicy"
CONTEXT = f"arn:aws:eks:{servers.REGION}:123456789012:cluster/prod"
SCAN = [str(Path(sys.executable).with_name("eks6check")), "scan", "--cluster", "prod", "--region", servers.REGION]


LAUNCHER = """
import json, os, subprocess, sys, time
started = time.perf_counter()
with open(sys.argv[1], "wb") as stream:
    process = subprocess.Popen(sys.argv[2:], stdout=stream, stderr=subprocess.STDOUT)
    _, status, usage = os.wait4(process.pid, 0)
seconds = time.perf_counter() - started
print(json.dumps([seconds, usage.ru_maxrss / 1024, os.waitstatus_to_exitcode(status)]))
"""
"""Runs a program out of a small process. One started from here would count this process's memory as its own peak."""


class Cost(NamedTuple):
    """What one finished program took: seconds, peak memory in MiB, exit code."""

    seconds: float
    mib: float
    code: int


def run(command: list[str], output: Path) -> Cost:
    """Run a program to its end, with its output in a file."""
    launched = subprocess.run(
        [sys.executable, "-c", LAUNCHER, str(output), *command], stdout=subprocess.PIPE, check=True
    )
    return Cost(*json.loads(launched.stdout))


@cache
def chosen() -> tuple[Collector, ...]:
    """The collectors that a scan of all rules runs."""
    asked = {"clusters", *(name for rule in load() for name in (*rule.required, *rule.optional))}
    return needed((*aws.COLLECTORS, *cluster.COLLECTORS), asked)


def chain(called: Iterable[str]) -> list[str]:
    """The longest chain of calls that wait for one another, one round trip each.

    First the cluster is described, since all else needs its VPC. A collector waits for those that it names as its
    needs, and its own calls for one another: a description for the list with the names. Kubernetes lists wait for
    the discovery of versions.
    """
    called, collectors = {*called} - {HEAD}, {each.section: each for each in chosen()}

    def own(each: Collector) -> list[str]:
        if each.section == "clusters":
            return []
        actions = [call for call in each.calls if call in called]
        return actions or ["GET /apis", each.calls[0]] * bool(each.calls and each.calls[0].startswith("list "))

    @cache
    def longest(section: str) -> tuple[str, ...]:
        each = collectors[section]
        before = max((longest(need) for need in each.needs if need in collectors), key=len, default=())
        return (*before, *own(each))

    return [HEAD, *max(map(longest, collectors), key=len)]


def allowed(request: Any, _: Callable[[], Any]) -> Any:
    """What IAM says to a reader who may ask: every action of the role is allowed. Moto cannot say so."""
    names = [name for key, (name,) in parse_qs(request.get_data(as_text=True)).items() if "ActionNames.member" in key]
    results = [{"EvalActionName": name, "EvalDecision": "allowed"} for name in names]
    return servers.answers(SIMULATE, {"EvaluationResults": results})(request, _)


def slow(seconds: Callable[[], float], hook: Hook) -> Hook:
    """The same answer, after a while."""

    def answer(request: Any, forward: Any) -> Any:
        time.sleep(seconds())
        return hook(request, forward)

    return answer


def against_the_chain(folder: Path) -> None:
    """The wall time of a scan whose every answer takes as long, beside that of its longest chain."""
    delay = [0.0]
    respond = kube_server._respond  # noqa: SLF001  the one place through which every answer goes

    def late(*arguments: Any) -> Any:
        time.sleep(delay[0])
        return respond(*arguments)

    with worlds.opened(folder) as world, faults.recorded(world.server, world.server.calls) as recorded:
        hooks = {**recorded, SIMULATE: allowed}
        world.server.hooks.update(hooks)
        world.scan("prod")
        world.server.hooks.update({action: slow(lambda: delay[0], hook) for action, hook in hooks.items()})
        with mock.patch.object(kube_server, "_respond", late), world.environment("prod"):
            world.server.calls.clear()
            walls = {}
            for delay[0] in (0.0, *DELAYS_SECONDS):
                walls[delay[0]] = statistics.median(run(SCAN, folder / "out").seconds for _ in range(ROUNDS))
            calls = Counter(world.server.calls)
    runs = ROUNDS * len(walls)
    links = chain(calls)
    print(f"longest chain, {len(links)} calls: {' > '.join(links)}")
    print(f"AWS calls: {calls.total() // runs} of {len(calls)} kinds; without delay {walls[0.0]:.2f} s")
    for seconds in DELAYS_SECONDS:
        least, wall = len(links) * seconds, walls[seconds]
        print(
            f"answers after {seconds:.1f} s: {wall:.2f} s; chain {least:.2f} s, ratio {wall / least:.2f}; "
            f"without what the program itself takes {wall - walls[0.0]:.2f} s, ratio {(wall - walls[0.0]) / least:.2f}"
        )


def large_accounts(folder: Path) -> None:
    """The AWS calls of a small account and of larger ones."""
    with servers.aws() as server, mock.patch.dict(os.environ, server.environment):
        ids = servers.ipv6_account(server)
        print(f"AWS calls, 1 node group, 5 subnets: {counted(server, folder)}")
        subnets = listed(ids["vpc"])
        for count in (test_scale.FEW_SUBNETS, test_scale.SUBNETS):
            server.hooks.update(test_scale.hooks(subnets, count))
            print(f"AWS calls, {test_scale.GROUPS} node groups, {count} subnets: {counted(server, folder)}")


def counted(server: Server, folder: Path) -> str:
    """How many AWS calls a scan of the account makes, which most, and what it takes."""
    server.calls.clear()
    cost = run([*SCAN, "--source", "aws", "--format", "json"], folder / "out")
    most = ", ".join(f"{action} {count}" for action, count in Counter(server.calls).most_common(3))
    return f"{len(server.calls)} in {cost.seconds:.1f} s, {cost.mib:.0f} MiB (most: {most})"


def listed(vpcs: list[str]) -> list[dict[str, Any]]:
    """The account's subnets, as EC2 would describe them."""
    return test_scale.as_ec2_says(servers.client("ec2").describe_subnets(Filters=[{"Name": "vpc-id", "Values": vpcs}]))


def large_cluster(folder: Path) -> None:
    """A scan of 10,000 Pods and 2,000 Services on a real API server, and a peer on the same."""
    assets = os.environ.get("KUBEBUILDER_ASSETS")
    if not assets:
        print("KUBEBUILDER_ASSETS names no API server: a large cluster is not measured")
        return
    peer = os.environ.get("HARDENEKS") or shutil.which("hardeneks")
    with servers.aws() as account, serve(Path(assets)) as server:
        servers_environment = {**account.environment, "KUBECONFIG": str(folder / "kubeconfig")}
        with mock.patch.dict(os.environ, servers_environment):
            servers.ipv6_account(account)
            admin.write_kubeconfig(server, server.admin_token, name=CONTEXT)
            fill(server)
            compared("eks6check scan", account, server, lambda: run(SCAN, folder / "out"))
            if peer:
                where = ["--region", servers.REGION, "--cluster", "prod", "--context", CONTEXT]
                command = [peer, *where, "--export-json", str(folder / "peer.json")]
                compared("hardeneks", account, server, lambda: run(command, folder / "out"), rounds=1)


def compared(name: str, account: Server, server: ApiServer, go: Callable[[], Cost], rounds: int = 3) -> None:
    """Print what a program took, and the calls that it made."""
    account.calls.clear()
    before = lists(server)
    costs = [go() for _ in range(rounds)]
    asked = (lists(server) - before) // rounds
    seconds, mib = (statistics.median(each[index] for each in costs) for index in (0, 1))
    print(
        f"{name}: {seconds:.1f} s, peak {mib:.0f} MiB, exit {costs[-1].code}; "
        f"{len(account.calls) // rounds} AWS calls, {asked} lists of the API server"
    )


def lists(server: ApiServer) -> int:
    """How many lists the API server has answered so far, by its own count."""
    _, metrics = request(server, "GET", "/metrics")
    counts = re.findall(r'^apiserver_request_total\{[^}]*verb="LIST"[^}]*\} (\S+)$', metrics, re.MULTILINE)
    return round(sum(map(float, counts)))


def fill(server: ApiServer) -> None:
    """Create 10,000 Pods, 2,000 Services and the objects of a prepared cluster."""
    bodies = [each for each in yaml.safe_load_all(READY) if each["kind"] != "Service"]  # this server has IPv4 only
    bodies += map(test_scale.pod, range(test_scale.PODS))
    bodies += map(test_scale.service, range(test_scale.SERVICES))
    request(server, "POST", "/api/v1/namespaces", {"metadata": {"name": "shop"}})
    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(lambda part: create(server, part), (bodies[start::WRITERS] for start in range(WRITERS))))


def create(server: ApiServer, bodies: Iterable[Mapping[str, Any]]) -> None:
    """Create objects one after the other, on one connection."""
    url = urlsplit(server.url)
    trust = ssl.create_default_context(cafile=str(server.ca_file))
    connection = http.client.HTTPSConnection(str(url.hostname), url.port, context=trust)
    headers = {"Authorization": f"Bearer {server.admin_token}", "Content-Type": "application/json"}
    for body in bodies:
        path = kube_server._path(body["apiVersion"], body["kind"])  # noqa: SLF001  the table of plurals, once
        if namespace := body["metadata"].get("namespace"):
            head, _, plural = path.rpartition("/")
            path = f"{head}/namespaces/{namespace}/{plural}"
        connection.request("POST", path, json.dumps(complete(body)), headers)
        answer = connection.getresponse()
        said = answer.read()
        if answer.status != http.HTTPStatus.CREATED:
            raise SystemExit(f"{path}: {answer.status} {said.decode()[:400]}")
    connection.close()


def complete(body: Mapping[str, Any]) -> dict[str, Any]:
    """An object of the tests with what an API server insists on."""
    made: dict[str, Any] = json.loads(json.dumps(body))
    for owner in made["metadata"].get("ownerReferences", ()):
        owner["uid"] = "0e1f6c1e-3f0a-4a38-9f4b-0a2b7a1c3d4e"
    if made["kind"] in {"Deployment", "DaemonSet"}:
        labels = {"app": made["metadata"]["name"]}
        made["spec"]["selector"] = {"matchLabels": labels}
        made["spec"]["template"]["metadata"] = {"labels": labels}
    for webhook in made.get("webhooks", ()):
        webhook |= {"sideEffects": "None", "admissionReviewVersions": ["v1"], "failurePolicy": "Ignore"}
    for port in made.get("spec", {}).get("ports", ()) if made["kind"] == "Service" else ():
        port["name"] = f"{port.get('protocol', 'TCP')}-{port['port']}".lower()
    return made


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder for the time of one measurement."""
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


def main() -> None:
    """Measure all three."""
    for measure in (against_the_chain, large_accounts, large_cluster):
        with scratch() as folder:
            measure(folder)


if __name__ == "__main__":
    main()
