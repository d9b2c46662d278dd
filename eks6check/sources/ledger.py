"""The calls of a run: counted, and held to a pace that leaves the account's own controllers room.

AWS throttles each action of an account on its own, for everybody together. EC2 lets a describe run 100 times at once
and 20 times a second after that (EC2 developer guide, "Request throttling", read 2026-11-25); other services do not
say. A scan takes half of that, so that an autoscaler beside it never waits.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Mapping
from threading import Lock

BURST = 50
"""Calls of one action that need not wait."""

PER_SECOND = 10.0
"""Calls of one action a second, after the first ``BURST``."""


SECOND = 1_000_000_000
"""Nanoseconds. The ledger counts in whole ones, which add up without a remainder."""


class Ledger:
    """Counts calls by name, and makes them wait where they come too fast. Threads may share it."""

    def __init__(self, burst: int = BURST, per_second: float = PER_SECOND) -> None:
        self._interval = round(SECOND / per_second)
        self._ahead = burst * self._interval
        self._free: dict[str, int] = defaultdict(int)
        self._calls: Counter[str] = Counter()
        self._waited = 0
        self._lock = Lock()

    def take(self, call: str) -> None:
        """Note a call that is about to be made, retries and further pages included, and wait until it may."""
        with self._lock:
            now = time.monotonic_ns()
            free = max(self._free[call], now - self._ahead) + self._interval
            wait = max(0, free - now)
            self._free[call] = free
            self._calls[call] += 1
            self._waited += wait
        if wait:
            time.sleep(wait / SECOND)

    @property
    def calls(self) -> Mapping[str, int]:
        """How often each call was made, by name."""
        with self._lock:
            return dict(sorted(self._calls.items()))

    @property
    def waited_seconds(self) -> float:
        """How long all threads together have waited for their turn."""
        with self._lock:
            return self._waited / SECOND
