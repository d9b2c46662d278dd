"""Data files as tables for people: what stands on a rule's page beside what rules.yaml says."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest
from textwrap import fill, wrap
from typing import Any

from eks6check.knowledge import data

WIDTH = 100
NAME_WIDTH = 20
PORT_SHOWN = "80"
HEAD = ("program", "IPv4 only", "both: write the first", "IPv6 only")
OPENS = ("ipv4", "both", "ipv6")
"""The keys of ``listeners.json`` behind the last three."""

FORMS = f"""IPv4 only: probes and Services are refused. IPv6 only: they are answered, but sidecars and `exec`
probes that ask 127.0.0.1 are refused. In place of any form, write the first that opens both, with your port
for {PORT_SHOWN}."""

NOTHING = """So it is in the releases that were measured, without a configuration file. Puma 8 opens both where the pod
has an IPv6 address: <https://github.com/puma/puma/pull/3928>."""

WILDCARDS = """It opens both families to programs in Go and Java, to servers of gRPC's core (C++, Python, Ruby, PHP),
and to dnsmasq. In Go, `:::80` does not start at all, and a program may ask for IPv4 itself, as VictoriaMetrics does;
in Java, `preferIPv4Stack=true` makes IPv4 of every address."""

MEASURED = """`benchmarks/listeners.py` starts each form in a network namespace with the addresses of a pod, and
connects."""

DEFAULTS = {"ipv4": "IPv4 only", "both": "both", "loopback": "loopback only"}
UPSTREAM = re.compile(r"(?:\d+:)?(\d[\d.]*\d)")
"""A version without what the distribution adds."""

Data = Mapping[str, Any]
Row = Sequence[Sequence[str]]
"""The cells of a table's row, each of them the lines in it."""


def listeners() -> str:
    """What each form opens to each program of ``listeners.json``, and how that is known: sections in Markdown."""
    known, measured = data("listeners"), data("listeners_measured")
    sections = {
        "What opens what": (FORMS, aligned(HEAD, map(_row, known["programs"]))),
        "In code, and in files that other rules judge": (aligned(HEAD, map(_row, known["others"])),),
        "Told nothing": ("\n".join(_defaults(measured)), NOTHING),
        "Leave 0.0.0.0 as it is": (WILDCARDS, *_spared(known)),
        "How it is known": _evidence(known, measured),
    }
    parts = (part for title, texts in sections.items() for part in (f"## {title}", *texts))
    return "\n\n".join(part if part.startswith(("|", "#", "-")) else _wrapped(part) for part in parts)


BESIDE: Mapping[str, Callable[[], str]] = {"APP001": listeners}
"""The rules that have a table, with what writes it."""


def _row(each: Data) -> Row:
    return [
        wrap(each["program"], NAME_WIDTH),
        *([line for form in each.get(key, ()) for line in _lines(form)] for key in OPENS),
    ]


def _lines(form: str) -> Iterator[str]:
    """A form as code; what has to stand beside it is on a line of its own."""
    address, beside, setting = form.replace("{port}", PORT_SHOWN).partition(" with ")
    yield f"`{address}`{beside.rstrip()}"
    if setting:
        yield f"`{setting}`"


def _defaults(measured: Data) -> Iterator[str]:
    """Programs by what they open where no option, variable or file tells them."""
    opened = {
        each["program"]: form.get("opens")
        for each in measured["programs"]
        for form in each["forms"]
        if form["form"] == "default"
    }
    for opens, words in DEFAULTS.items():
        names = ", ".join(name for name, default in opened.items() if default == opens)
        yield fill(f"- {words}: {names}.", WIDTH, subsequent_indent="  ")


def _spared(known: Data) -> Iterator[str]:
    """Programs by their language that are told 0.0.0.0 and never asked about."""
    for each in known["others"]:
        names = {*each.get("commands", ()), *each.get("images", ())} - {each["program"]}
        if names:
            yield f"{each['program'].partition(' ')[0]}: {', '.join(sorted(names))}."


def _evidence(known: Data, measured: Data) -> tuple[str, str]:
    versions = ", ".join(f"{each['program']} {_upstream(each['version'])}" for each in measured["programs"])
    links = ", ".join(
        f"{each['program']} <{source['url']}>"
        for each in known["programs"]
        if "url" in (source := known["sources"][each["source"]])
    )
    return f"{MEASURED} On {measured['measured']}: {versions}.", f"From what others tell: {links}."


def _upstream(version: str) -> str:
    found = UPSTREAM.match(version)
    return found[1] if found else version


def _wrapped(text: str) -> str:
    return fill(text, WIDTH, break_long_words=False, break_on_hyphens=False)


def aligned(head: Sequence[str], rows: Iterable[Row]) -> str:
    """A table in Markdown whose columns stand under one another in a terminal too. A cell may have several lines."""
    lines = [list(line) for row in rows for line in zip_longest(*row, fillvalue="")]
    widths = [max(map(len, column)) for column in zip(head, *lines, strict=True)]
    shown = [head, ["-" * width for width in widths], *lines]
    return "\n".join(
        f"| {' | '.join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))} |" for line in shown
    )
