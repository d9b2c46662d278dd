"""The graph of facts: collectors, what each needs and calls, and the one function that runs them.

A collector's name is the section that it gives; its parameters after the first are the sections that it needs; its
``calls`` are the permissions that it takes. Order, width, permissions and "not evaluated" all come from that.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from graphlib import TopologicalSorter
from typing import Any

from eks6check.facts import Facts, Gap, Section

WIDTH = 64
"""Collectors that run at the same time: as many as can begin. Each waits for a network, not for a processor."""


class Unreadable(Exception):  # noqa: N818  it is not an error of the run, it is a gap on its way
    """A call that gave no answer. What a collector yielded before it is kept."""

    def __init__(self, gap: Gap) -> None:
        super().__init__(gap.reason)
        self.gap = gap


@dataclass(frozen=True, slots=True)
class Collector:
    """What fills one section from one source: its name, its function, the sections it needs, the calls it makes.

    The function takes the source's client and one ``Section`` for each need, and yields facts, or a ``Gap`` for each
    thing that it could not read. ``calls`` are IAM actions, or lists in kubectl's words such as ``list nodes``.
    """

    section: str
    read: Callable[..., Iterator[Any]]
    needs: tuple[str, ...]
    calls: tuple[str, ...]


Collectors = tuple[Collector, ...]
Jobs = list[tuple[object, Collector]]


def collector(*calls: str) -> Callable[[Callable[..., Iterator[Any]]], Collector]:
    """Make a collector of a function: section and needs are read off its name and parameters."""

    def make(function: Callable[..., Iterator[Any]]) -> Collector:
        _, *needs = inspect.signature(function).parameters
        return Collector(function.__name__, function, tuple(needs), calls)

    return make


def needed(collectors: Iterable[Collector], sections: Iterable[str]) -> Collectors:
    """The collectors that give these sections, with those that they need in turn, of another source's as well."""
    collectors = tuple(collectors)
    wanted, frontier = set[str](), set(sections)
    while frontier:
        wanted |= frontier
        frontier = {need for each in collectors if each.section in frontier for need in each.needs} - wanted
    return tuple(each for each in collectors if each.section in wanted)


def collect(
    readers: Iterable[tuple[object, Collectors]],
    sections: Iterable[str],
    progress: Callable[[str], object] = str,
) -> Facts:
    """Fill the sections from every reader, a client with its collectors.

    Collectors that do not wait for one another run together. A section that two readers give holds both their facts.
    Gaps pass on to the sections that were read with their help. ``progress`` is told each section as it is filled.
    """
    readers = tuple(readers)
    chosen = {id(each) for each in needed((each for _, collectors in readers for each in collectors), sections)}
    jobs = [(client, each) for client, collectors in readers for each in collectors if id(each) in chosen]
    graph: TopologicalSorter[str] = TopologicalSorter()
    for _, each in jobs:
        graph.add(each.section, *each.needs)
    graph.prepare()
    facts: dict[str, Section[Any]] = {}
    fill = together if any(each.calls for _, each in jobs) else in_turn
    for name, section in fill(graph, jobs, facts):
        facts[name] = section
        progress(name)
        graph.done(name)
    return {name: facts[name] for name in sorted({each.section for _, each in jobs})}


def in_turn(graph: TopologicalSorter[str], jobs: Jobs, facts: Facts) -> Iterator[tuple[str, Section[Any]]]:
    """The sections in the graph's order: for what is read already, and need not wait for a network."""
    while graph.is_active():
        for name in graph.get_ready():
            yield name, join(run(client, each, facts) for client, each in jobs if each.section == name)


def together(graph: TopologicalSorter[str], jobs: Jobs, facts: Facts) -> Iterator[tuple[str, Section[Any]]]:
    """The sections as they become known, every collector on its way as soon as what it needs is there."""
    from concurrent import futures  # noqa: PLC0415  lint has no time for it

    parts: dict[str, list[futures.Future[Section[Any]]]] = {}
    pool = futures.ThreadPoolExecutor(WIDTH)
    try:
        while graph.is_active():
            for name in graph.get_ready():
                parts[name] = [pool.submit(run, client, each, facts) for client, each in jobs if each.section == name]
            filled = [name for name, running in parts.items() if all(future.done() for future in running)]
            if not filled:
                waiting = [future for running in parts.values() for future in running if not future.done()]
                futures.wait(waiting, return_when=futures.FIRST_COMPLETED)
            for name in filled:
                yield name, join(future.result() for future in parts.pop(name))
    finally:
        pool.shutdown(wait=False, cancel_futures=True)  # whoever interrupts a run does not wait for its answers


def run(client: object, each: Collector, facts: Facts) -> Section[Any]:
    """One collector's section, with its own gaps and those of the sections that it was read with."""
    inputs = [facts.get(need, Section()) for need in each.needs]
    items: list[Any] = []
    gaps = [gap for section in inputs for gap in section.gaps]
    try:
        for found in each.read(client, *inputs):
            (gaps if isinstance(found, Gap) else items).append(found)
    except Unreadable as unreadable:
        gaps.append(unreadable.gap)
    except Exception as error:  # noqa: BLE001  an answer that nobody foresaw must not end the run, nor pass for read
        said = f"The answer was not understood ({type(error).__name__}: {error})."
        gaps.append(Gap(each.calls[0] if each.calls else "read", said, "This is a bug in eks6check; please report it."))
    return Section(tuple(items), tuple(dict.fromkeys(gaps)))


def join(sections: Iterable[Section[Any]]) -> Section[Any]:
    """One section out of several of the same kind."""
    sections = tuple(sections)
    return Section(
        tuple(item for section in sections for item in section.items),
        tuple(dict.fromkeys(gap for section in sections for gap in section.gaps)),
    )
