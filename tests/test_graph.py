"""The graph of facts: what is collected, in what order, side by side, and where gaps and exceptions go."""

from __future__ import annotations

from collections.abc import Iterator
from graphlib import CycleError
from threading import Barrier
from typing import Any

import pytest

from eks6check.facts import Gap, Section
from eks6check.sources import Collector, Collectors, Unreadable, collect, collector, join, needed

REFUSED = Gap("ec2:DescribeSubnets", "refused", "Allow ec2:DescribeSubnets.")
CLIENT = "a client"


@collector("eks:DescribeCluster")
def clusters(client: object) -> Iterator[Any]:
    yield f"cluster of {client}"


@collector("ec2:DescribeSubnets")
def subnets(_: object, clusters: Section[str]) -> Iterator[Any]:
    yield from (f"subnet of {cluster}" for cluster in clusters.items)


@collector("ec2:DescribeRouteTables")
def route_tables(_: object, subnets: Section[str]) -> Iterator[Any]:
    yield from (f"table of {subnet}" for subnet in subnets.items)


ALL: Collectors = (route_tables, subnets, clusters)


def gives(section: str, *found: Any, needs: tuple[str, ...] = ()) -> Collector:
    """A collector that yields these things; an exception among them is raised in its turn."""

    def read(_client: object, *_sections: Section[Any]) -> Iterator[Any]:
        for each in found:
            if isinstance(each, Exception):
                raise each
            yield each

    return Collector(section, read, needs, ())


def test_a_collector_is_read_off_its_function() -> None:
    assert (subnets.section, subnets.needs, subnets.calls) == ("subnets", ("clusters",), ("ec2:DescribeSubnets",))


@pytest.mark.parametrize(
    ("wanted", "given"),
    [
        (["clusters"], {"clusters"}),
        (["subnets"], {"clusters", "subnets"}),
        (["route_tables"], {"clusters", "subnets", "route_tables"}),
        (["vpcs"], set()),
        ([], set()),
    ],
)
def test_only_what_is_asked_for_is_collected_and_what_that_needs(wanted: list[str], given: set[str]) -> None:
    assert {each.section for each in needed(ALL, wanted)} == given
    assert collect([(CLIENT, ALL)], wanted).keys() == given


def test_what_is_needed_is_read_first_and_handed_on() -> None:
    told: list[str] = []
    facts = collect([(CLIENT, ALL)], ["route_tables"], told.append)
    assert told == ["clusters", "subnets", "route_tables"]
    assert facts["route_tables"].items == ("table of subnet of cluster of a client",)


def test_facts_come_in_the_order_of_names_and_readers_whatever_was_read_first() -> None:
    readers = [
        (name, (gives("vpcs", name), gives("addons", name, needs=("vpcs",)))) for name in ("one", "two", "three")
    ]
    facts = collect(readers, ["vpcs", "addons"])
    assert list(facts) == ["addons", "vpcs"]
    assert facts["vpcs"].items == ("one", "two", "three")


def test_a_section_that_two_readers_give_holds_the_facts_and_gaps_of_both() -> None:
    first, second = gives("vpcs", "vpc-1", REFUSED), gives("vpcs", REFUSED, "vpc-2")
    assert collect([("a", (first,)), ("b", (second,))], ["vpcs"])["vpcs"] == Section(("vpc-1", "vpc-2"), (REFUSED,))


def test_each_reader_is_asked_with_its_own_client() -> None:
    assert collect([("a", ALL), ("b", ALL)], ["clusters"])["clusters"].items == ("cluster of a", "cluster of b")


def test_one_readers_section_reaches_the_other_whole() -> None:
    readers = [("a", (gives("clusters", "from a"),)), ("b", (gives("clusters", "from b"), subnets))]
    facts = collect(readers, ["clusters", "subnets"])
    assert facts["subnets"].items == ("subnet of from a", "subnet of from b")


def test_what_one_source_needs_of_another_is_read_for_it() -> None:
    readers = [("a", (gives("clusters", "from a"), gives("vpcs", "unasked"))), ("b", (subnets,))]
    facts = collect(readers, ["subnets"])
    assert facts["subnets"].items == ("subnet of from a",)
    assert facts.keys() == {"clusters", "subnets"}


def test_a_gap_stands_beside_the_facts_that_were_read() -> None:
    assert collect([(CLIENT, (gives("vpcs", "vpc-1", REFUSED, "vpc-2"),))], ["vpcs"])["vpcs"] == Section(
        ("vpc-1", "vpc-2"), (REFUSED,)
    )


def test_what_was_read_before_a_call_failed_is_kept() -> None:
    broken = gives("vpcs", "vpc-1", Unreadable(REFUSED), "never reached")
    assert collect([(CLIENT, (broken,))], ["vpcs"])["vpcs"] == Section(("vpc-1",), (REFUSED,))


def test_a_gap_passes_on_to_what_was_read_with_its_help_and_to_nothing_else() -> None:
    collectors = (gives("clusters", Unreadable(REFUSED)), subnets, route_tables, gives("vpcs", "vpc-1"))
    facts = collect([(CLIENT, collectors)], ["route_tables", "vpcs"])
    assert facts["route_tables"] == Section((), (REFUSED,))
    assert facts["vpcs"] == Section(("vpc-1",), ())


def test_a_gap_that_arrives_on_two_ways_is_told_once() -> None:
    collectors = (
        gives("clusters", REFUSED),
        gives("vpcs", REFUSED, needs=("clusters",)),
        gives("subnets", needs=("clusters", "vpcs")),
    )
    assert collect([(CLIENT, collectors)], ["subnets"])["subnets"].gaps == (REFUSED,)


def test_a_need_that_no_reader_gives_is_an_empty_section() -> None:
    assert collect([(CLIENT, (subnets,))], ["subnets"]) == {"subnets": Section()}


def test_collectors_that_do_not_wait_for_one_another_run_together() -> None:
    barrier = Barrier(4, timeout=20)

    def meet(_client: object) -> Iterator[Any]:
        barrier.wait()
        yield "met"

    collectors = tuple(Collector(name, meet, (), ("a:Call",)) for name in ("addons", "subnets", "vpcs"))
    facts = collect([("a", collectors), ("b", collectors[:1])], ["addons", "subnets", "vpcs"])
    assert {name: section.items for name, section in facts.items()} == {
        "addons": ("met", "met"),
        "subnets": ("met",),
        "vpcs": ("met",),
    }


def test_a_collector_starts_as_soon_as_its_own_needs_are_there() -> None:
    barrier = Barrier(2, timeout=20)

    def meet(_client: object, *_needs: Section[Any]) -> Iterator[Any]:
        barrier.wait()
        yield "met"

    slow, late = Collector("vpcs", meet, (), ("a:Call",)), Collector("subnets", meet, ("clusters",), ())
    facts = collect([(CLIENT, (slow, gives("clusters", "prod"), late))], ["vpcs", "subnets"])
    assert (facts["vpcs"].items, facts["subnets"].items) == (("met",), ("met",))


@pytest.mark.parametrize("calls", [(), ("ec2:DescribeVpcs",)])
def test_an_exception_that_is_no_gap_becomes_one_and_is_called_a_bug(calls: tuple[str, ...]) -> None:
    def broken(_client: object) -> Iterator[Any]:
        yield "vpc-1"
        raise LookupError("no such key")

    facts = collect([(CLIENT, (Collector("vpcs", broken, (), calls), gives("addons", "cni")))], ["vpcs", "addons"])
    assert (facts["vpcs"].items, facts["addons"].items) == (("vpc-1",), ("cni",))
    (gap,) = facts["vpcs"].gaps
    assert "LookupError" in gap.reason
    assert "bug" in gap.remedy


def test_collectors_that_need_each_other_are_refused() -> None:
    with pytest.raises(CycleError):
        collect([(CLIENT, (gives("vpcs", needs=("subnets",)), gives("subnets", needs=("vpcs",))))], ["vpcs"])


def test_sections_join_in_order() -> None:
    assert join([]) == Section()
    assert join([Section((1,), (REFUSED,)), Section((2,), (REFUSED,))]) == Section((1, 2), (REFUSED,))
