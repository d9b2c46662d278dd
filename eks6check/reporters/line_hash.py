"""The fingerprint of a line, computed as GitHub's upload action does, so that alerts keep their identity.

The algorithm is that of ``src/fingerprints.ts`` in github/codeql-action, read 2026-11-22.
"""

from __future__ import annotations

import re
import sys
from array import array
from collections import Counter
from functools import reduce

BLOCK = 100
"""UTF-16 code units that a hash covers, from the start of its line."""

END = 0xFFFF
"""Stands for the end of the file. Zeros follow it."""

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
    for start in starts:
        value = f"{reduce(_step, units[start : start + BLOCK], 0):x}"
        seen[value] += 1
        hashes.append(f"{value}:{seen[value]}")
    return hashes


def _step(value: int, unit: int) -> int:
    return (value * 37 + unit) & 0xFFFFFFFFFFFFFFFF
