"""What of each ConfigMap the readers of configurations could not read, from its texts or as a snapshot tells it.

A snapshot holds of a text but the lines that rules look at, in which nobody could see what was wrong with the whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial

from eks6check.facts import Gap, corefile, embedded, envoy, nginx, pg_hba, prometheus, rings
from eks6check.facts.kube import Resource, mapping, sequence, text
from eks6check.facts.patterns import regex

LINKERD = regex(r"disableIPv6|linkerdVersion")
"""What the values of Linkerd's chart hold, in the ConfigMap ``linkerd-config``."""

READERS: Mapping[str, Callable[[Resource], Iterator[Gap]]] = {
    "Corefile": corefile.unparsed,
    "Envoy": partial(embedded.unparsed, marker=envoy.MARKER),
    "Linkerd": partial(embedded.unparsed, marker=LINKERD),
    "nginx": nginx.unparsed,
    "pg_hba": pg_hba.unparsed,
    "Prometheus": partial(embedded.unparsed, marker=prometheus.MARKER),
    "rings": partial(embedded.unparsed, marker=rings.MARKER),
}
"""The gaps of a ConfigMap by whose configurations they are."""

SEALED = "eks6check/unparsed"
"""Where a snapshot keeps them in the object, by reader, each with its reason and its remedy."""


def unparsed(config_map: Resource, reader: str) -> Iterator[Gap]:
    """The gaps of one reader."""
    held = config_map.body.get(SEALED)
    if held is None:
        yield from READERS[reader](config_map)
    else:
        for gap in map(mapping, sequence(mapping(held).get(reader))):
            yield Gap("read", text(gap.get("reason")), text(gap.get("remedy")))


def by_reader(config_map: Resource) -> Mapping[str, list[Mapping[str, str]]]:
    """The gaps of all readers as a snapshot keeps them."""
    told = {name: [*find(config_map)] for name, find in READERS.items()}
    return {name: [{"reason": gap.reason, "remedy": gap.remedy} for gap in gaps] for name, gaps in told.items() if gaps}
