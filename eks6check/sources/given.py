"""What nobody reads and somebody knows: the old cluster's ranges, as options give them."""

from __future__ import annotations

from collections.abc import Iterator

from eks6check.facts import Origin
from eks6check.facts.aws import OldRange
from eks6check.options import Options
from eks6check.sources import collector


@collector()
def old_ranges(options: Options) -> Iterator[OldRange]:
    """The ranges that were given, each with the option that gave it."""
    for role, (option, blocks) in options.old_cidrs.items():
        for block in blocks:
            yield OldRange(id=block, origin=Origin("options", id=f"{option} {block}"), role=role, cidr_block=block)


COLLECTORS = (old_ranges,)
