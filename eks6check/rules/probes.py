"""Addresses that a pod spec names for kubelet: the host of a probe, and the address that a host port is bound to."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from ipaddress import IPv4Address
from typing import NamedTuple

from eks6check.catalog import rule
from eks6check.facts import Path
from eks6check.facts.addresses import ipv4
from eks6check.facts.kube import Container, Resource, containers, mapping, on_host_network, sequence, text, wire
from eks6check.findings import Problem

CONTROL_PLANE = {"tier": "control-plane"}
"""The label of kubeadm's own pods. EKS runs the control plane itself, so nobody brings these along."""


class Named(NamedTuple):
    """An address in a container: its path, what names it, and the address."""

    path: Path
    where: str
    address: IPv4Address


@rule
def probe_targets_loopback(workloads: Sequence[Resource]) -> Iterator[Problem]:
    """Kubelet probes from the node: 127.0.0.1 is the node's own, and a pod has no IPv4 address to be asked at."""
    for workload in workloads:
        found = [each for container in _on_pod_network(workload) for each in _probe_hosts(container)]
        if found and not CONTROL_PLANE.items() <= workload.labels.items():
            first = found[0]
            whose = "the node's own" if first.address.is_loopback else "no address of a pod in an IPv6 cluster"
            yield Problem(
                workload,
                f"{workload} has the {first.where} ask {first.address}, which is {whose}; left out, the host is the "
                "pod.",
                at=first.path,
                evidence={"hosts": {each.where: str(each.address) for each in found}},
                also=tuple((workload, each.path) for each in found[1:]),
            )


def _on_pod_network(workload: Resource) -> Iterator[Container]:
    if not on_host_network(workload):
        yield from containers(workload)


def _probe_hosts(container: Container) -> Iterator[Named]:
    for path, hook in container.hooks():
        for handler in ("httpGet", "tcpSocket"):
            host = ipv4(mapping(hook.get(handler)).get("host"))
            if host:
                yield Named((*path, handler, "host"), f"{path[-1]} of container {container.name}", host)


@rule
def host_port_ipv4_only(workloads: Sequence[Resource]) -> Iterator[Problem]:
    """A host port is a translation to the pod, which an IPv4 address of the node cannot make to an IPv6 pod."""
    for workload in workloads:
        found = [each for container in _on_pod_network(workload) for each in _host_ips(container)]
        if found:
            first = found[0]
            yield Problem(
                workload,
                f"{workload} binds {first.where} to {first.address}, and from IPv4 nothing gets to an IPv6 pod.",
                at=first.path,
                evidence={"hostIPs": {each.where: str(each.address) for each in found}},
                also=tuple((workload, each.path) for each in found[1:]),
            )


def _host_ips(container: Container) -> Iterator[Named]:
    """The IPv4 addresses of host ports that are bound to no IPv6 address as well."""
    ports = [mapping(each) for each in sequence(container.body.get("ports"))]
    ipv6 = {wire(each.get("hostPort")) for each in ports if ":" in text(each.get("hostIP"))}
    for index, each in enumerate(ports):
        host = ipv4(each.get("hostIP"))
        number = each.get("hostPort")
        if host and number and wire(number) not in ipv6:
            where = f"hostPort {wire(number)} of container {container.name}"
            yield Named((*container.path, "ports", index, "hostIP"), where, host)
