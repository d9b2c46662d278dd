"""The fingerprint of a line, computed as GitHub's upload action does, so that alerts keep their identity.

The algorithm is that of ``src/fingerprints.ts`` in github/codeql-action, read 2026-11-22.
"""

from __future__ import annotations

import re
import sys
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate

BLOCK = 100
"""UTF-16 code units that a hash covers, from the start of its line."""

END = 0xFFFF
"""Stands for the end of the file. Zeros follow it."""

BASE, MASK = 37, 2**64 - 1

LINE_FEED = 10


def line_hashes(text: str) -> list[str]:
    """The hash of every line with the count of equal ones so far, such as ``54703d4cd895b18:1``; line 1 is first.

    Spaces and tabs do not count, and the three kinds of line end are the same.
    """
    bare = re.sub(r"[ \t]", "", re.sub(r"\r\n?", "\n", text))
    units = array("H", bare.encode(f"utf-16-{sys.byteorder[0]}e", "surrogatepass"))
    starts = [0, *(position + 1 for position, unit in enumerate(units) if unit == LINE_FEED)]
    units.extend((END, *([0] * BLOCK)))
    seen: Counter[str] = Counter()
    hashes = []
    for value in block_hashes(units, starts):
        seen[value] += 1
        hashes.append(f"{value}:{seen[value]}")
    return hashes


def block_hashes(units: Iterable[int], starts: Sequence[int]) -> Iterator[str]:
    """The hash of the block at each start: what the hash of everything before its end owes to the block alone."""
    wanted = {*starts, *(start + BLOCK for start in starts)}
    running = accumulate(units, lambda value, unit: (value * BASE + unit) & MASK, initial=0)
    until = {position: value for position, value in enumerate(running) if position in wanted}
    shift = pow(BASE, BLOCK, MASK + 1)
    return (f"{(until[start + BLOCK] - until[start] * shift) & MASK:x}" for start in starts)
