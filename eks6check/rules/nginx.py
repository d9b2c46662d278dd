"""nginx: a bare port is IPv4 alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

from eks6check.catalog import rule
from eks6check.facts import Gap
from eks6check.facts.callers import Place, callers, callers_of_file, connecting, fronts_of, sentence
from eks6check.facts.kube import Resource, containers
from eks6check.facts.mounts import users
from eks6check.facts.nginx import NONE, Listen, Server, files_of, servers
from eks6check.facts.texts import Text
from eks6check.facts.unparsed import unparsed
from eks6check.findings import Problem, Severity


@rule
def nginx_listens_on_ipv4_only(
    config_maps: Sequence[Resource],
    workloads: Sequence[Resource] = (),
    services: Sequence[Resource] = (),
    target_group_bindings: Sequence[Resource] = (),
) -> Iterator[Problem | Gap]:
    """Each server block needs an IPv6 ``listen`` for each of its ports; one finding for each file or script."""
    fronts, using = fronts_of(services, target_group_bindings), users(workloads)
    for config_map in config_maps:
        files = files_of(config_map)
        for each in files.values():
            reached = partial(callers_of_file, config_map, str(each.path[-1]), users=using, fronts=fronts)
            yield from _judged(config_map, each._replace(where=each.name), reached, files)
        yield from unparsed(config_map, "nginx")
    for workload in workloads:
        for container in containers(workload):
            for path, script in container.arguments():
                each = Text(path, f"{path[-2]} of container {container.name}", "", script)
                yield from _judged(workload, each, partial(callers, workload, container, fronts))


def _judged(
    holder: Resource, each: Text, reached: Callable[..., list[Place]], files: Mapping[str, Text] = NONE
) -> Iterator[Problem]:
    found = servers(each.value, files, each.name)
    ports = {listen.port for server in found for listen in without_twin(server.listens)}
    if ports:
        yield _finding(holder, each, found, reached(of=ports), files)


def without_twin(server: Sequence[Listen]) -> list[Listen]:
    """The IPv4 wildcards of a server block that have no IPv6 address on the same port beside them."""
    over_ipv6 = {each.socket for each in server if each.ipv6}
    return [each for each in server if each.ipv4_wildcard and each.socket not in over_ipv6]


def _finding(
    holder: Resource, each: Text, found: Sequence[Server], reached: Sequence[Place], files: Mapping[str, Text]
) -> Problem:
    missing = [(listen, server) for server in found for listen in without_twin(server.listens)]
    elsewhere = {listen.socket for server in found for listen in server.listens if listen.ipv6}
    first, server = next((pair for pair in missing if pair[0].socket not in elsewhere), missing[0])
    refused = first.socket not in elsewhere
    what = "nothing answers" if refused else "another server block answers"
    unless = f", unless {server.unseen} has it, which is not in view" if server.unseen else ""
    names = connecting(holder, reached)
    file = files.get(first.file, each)
    where = first.file or each.where
    return Problem(
        holder,
        f"{holder} has nginx `{first.text}` in {where} with no IPv6 twin in the same server block: over IPv6 "
        f"{what}. `{first.twin}` is missing{unless}.{sentence(names)}",
        at=file.path,
        find=first.text,
        skip=file.value.count(first.text, 0, first.start),
        evidence={
            "key": where,
            "listen": first.text,
            "twin": first.twin,
            "all": list(dict.fromkeys(listen.text for listen, _ in missing)),
            "connecting": names,
        },
        key=each.where,
        severity=Severity.BLOCKER if reached and refused and not server.unseen else Severity.WARNING,
        also=tuple(reached),
    )
