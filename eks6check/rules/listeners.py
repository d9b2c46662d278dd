"""What programs listen on: IPv4 alone where kubelet and Services come over IPv6."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from eks6check.catalog import rule
from eks6check.facts import Gap
from eks6check.facts.callers import Place, callers, connecting, fronts_of, ports, sentence
from eks6check.facts.kube import Container, Resource, containers
from eks6check.facts.listening import Bind, Listening, listening
from eks6check.facts.mounts import by_name
from eks6check.facts.phrases import phrase
from eks6check.facts.unknown_binds import unknown_binds
from eks6check.facts.unread import TEMPLATE, UNRENDERED, unread
from eks6check.findings import Confidence, Problem, Severity

Judged = tuple[Listening, Bind, Sequence[Place]]
"""An address that opens IPv4 alone, the program it is for, and who connects to that container."""


@rule
def listener_is_ipv4_only(
    workloads: Sequence[Resource],
    config_maps: Sequence[Resource] = (),
    services: Sequence[Resource] = (),
    target_group_bindings: Sequence[Resource] = (),
) -> Iterator[Problem | Gap]:
    """One finding for each object that tells a program to listen on IPv4 alone, with those who connect to it."""
    known, fronts = by_name(config_maps), fronts_of(services, target_group_bindings)
    found: dict[tuple[str, ...], list[Judged]] = {}
    for workload in workloads:
        for each in listening(workload, known):
            yield from _unrendered(each)
            reached = callers(workload, each.container, fronts, each.ipv4_ports())
            for bind in each.ipv4_only():
                key = (bind.holder.subject.id, bind.holder.origin.file, each.program.listener.program)
                found.setdefault(key, []).append((each, bind, reached))
    for judged in found.values():
        yield _finding(judged)


def _unrendered(each: Listening) -> Iterator[Gap]:
    """A gap for each file in which a template is still to write the address."""
    for bind in each.binds:
        if bind.whole and TEMPLATE.search(bind.value):
            yield unread(bind.holder, bind.path[-1], bind.whole, UNRENDERED, bind.start)


def _finding(judged: Sequence[Judged]) -> Problem:
    judged = sorted(judged, key=lambda each: _severity([each]).rank)
    told, bind, _ = judged[0]
    program = told.program
    places = {(place[0].subject.id, place[1]): place for _, _, reached in judged for place in reached}
    names = connecting(bind.holder, places.values())
    return Problem(
        bind.holder,
        f"{bind.holder} has {program.listener.program} ({program.known_by}) listen on "
        f"{_told([bind for _, bind, _ in judged])}.{sentence(names)}",
        at=bind.path,
        find=bind.find,
        skip=bind.skip,
        evidence={
            "program": program.listener.program,
            "known_by": program.known_by,
            "where": bind.where,
            "value": bind.value,
            "instead": bind.instead,
            "values": sorted({other.value for _, other, _ in judged}),
            "connecting": names,
        },
        key=program.listener.program,
        severity=_severity(judged),
        confidence=Confidence.MEDIUM,
        also=tuple(places.values()),
    )


def _told(binds: Sequence[Bind]) -> str:
    """The addresses with the places that they stand in, what they open, and what to write instead."""
    values: dict[str, list[str]] = {}
    for bind in binds:
        values.setdefault(bind.where.removesuffix(f" of {bind.holder}"), []).append(bind.value)
    where = phrase([f"{phrase(list(dict.fromkeys(found)))} in {place}" for place, found in values.items()])
    instead = [f"`{each}`" for each in dict.fromkeys(bind.instead for bind in binds)]
    return f"{where}: that opens IPv4 only; {phrase(instead)} {'open' if len(instead) > 1 else 'opens'} both families"


def _severity(judged: Sequence[Judged]) -> Severity:
    """A blocker where somebody is seen to connect, a note where nobody can be meant to."""
    if any(reached for _, _, reached in judged):
        return Severity.BLOCKER
    return Severity.WARNING if any(ports(each.container) for each, _, _ in judged) else Severity.INFO


@rule
def unknown_program_binds_ipv4(
    workloads: Sequence[Resource],
    config_maps: Sequence[Resource] = (),
    services: Sequence[Resource] = (),
    target_group_bindings: Sequence[Resource] = (),
) -> Iterator[Problem]:
    """A guess, and only where somebody connects: who listens decides what 0.0.0.0 opens, and nobody could name it."""
    known, fronts = by_name(config_maps), fronts_of(services, target_group_bindings)
    for workload in workloads:
        for container in containers(workload):
            found = list(unknown_binds(workload, container, known))
            reached = callers(workload, container, fronts, {bind.port for bind in found}) if found else []
            if reached:
                yield _unknown(workload, container, found[0], reached)


def _unknown(workload: Resource, container: Container, bind: Bind, reached: Sequence[Place]) -> Problem:
    names, own = connecting(workload, reached), bind.holder is workload
    where = bind.where if own else f"{bind.where} out of {bind.holder}"
    declared = (number for number, _ in ports(container))
    return Problem(
        workload,
        f"{workload} tells a program to listen on {bind.value} in {where}; to most programs that is IPv4 only, to "
        f"those in Go and Java it is both families.{sentence(names)}",
        at=bind.path if own else container.path,
        find=bind.find if own else "",
        evidence={
            "where": where,
            "value": bind.value,
            "port": bind.port or next(declared, "PORT"),
            "image": container.image,
            "container": container.name,
            "connecting": names,
        },
        key=container.name,
        severity=Severity.WARNING,
        confidence=Confidence.LOW,
        also=(*(() if own else ((bind.holder, bind.path),)), *reached),
    )


@rule
def double_bind_fails(
    workloads: Sequence[Resource],
    config_maps: Sequence[Resource] = (),
    services: Sequence[Resource] = (),
    target_group_bindings: Sequence[Resource] = (),
) -> Iterator[Problem]:
    """Some servers open both families by the IPv6 address alone, and exit when the IPv4 one is asked for as well."""
    known, fronts = by_name(config_maps), fronts_of(services, target_group_bindings)
    for workload in workloads:
        for each in listening(workload, known):
            if each.program.listener.clashes and (twins := clashing(each)):
                yield _clash(workload, each, *twins, callers(workload, each.container, fronts, {twins[0].port}))


def clashing(each: Listening) -> tuple[Bind, Bind] | None:
    """An IPv4 and an IPv6 wildcard on one port."""
    ipv4 = [bind for bind in each.binds if each.program.listener.is_ipv4(bind.value)]
    ipv6 = {bind.port: bind for bind in each.binds if bind.value.startswith("[::]:")}
    return next(((bind, ipv6[bind.port]) for bind in ipv4 if bind.port in ipv6), None)


def _clash(workload: Resource, each: Listening, ipv4: Bind, ipv6: Bind, reached: Sequence[Place]) -> Problem:
    names = connecting(ipv4.holder, reached)
    return Problem(
        ipv4.holder,
        f"{workload} has {each.program.listener.program} bind {ipv4.value} and {ipv6.value} in container "
        f"{each.container.name}; the second fails with `Address already in use`.{sentence(names)}",
        at=ipv4.path,
        find=ipv4.find,
        evidence={"ipv4": ipv4.value, "ipv6": ipv6.value, "where": ipv4.where, "connecting": names},
        key=each.container.name,
        confidence=Confidence.MEDIUM,
        also=((ipv6.holder, ipv6.path), *reached),
    )
