"""The ledger: calls are counted, and those that come too fast are held back, each kind by itself."""

from __future__ import annotations

import pytest

from eks6check.sources import ledger
from eks6check.sources.ledger import BURST, PER_SECOND, SECOND, Ledger


class Clock:
    """A clock that moves when somebody sleeps, and when told to."""

    def __init__(self) -> None:
        self.now = 1000 * SECOND
        self.slept: list[float] = []

    def monotonic_ns(self) -> int:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += round(seconds * SECOND)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(ledger, "time", made)
    return made


def test_a_burst_need_not_wait_and_what_follows_keeps_the_pace(clock: Clock) -> None:
    kept = Ledger(burst=3, per_second=10)
    for _ in range(5):
        kept.take("ec2:DescribeSubnets")
    assert clock.slept == [0.1, 0.1]
    assert kept.calls == {"ec2:DescribeSubnets": 5}
    assert kept.waited_seconds == pytest.approx(0.2)


def test_no_second_ever_sees_more_than_the_burst_and_the_pace(clock: Clock) -> None:
    kept, times = Ledger(), list[int]()
    for _ in range(400):
        kept.take("eks:DescribeNodegroup")
        times.append(clock.now)
    worst = max(sum(start <= each < start + SECOND for each in times) for start in times)
    assert worst <= BURST + PER_SECOND


def test_one_kind_of_call_does_not_hold_back_another(clock: Clock) -> None:
    kept = Ledger(burst=1, per_second=1)
    kept.take("a")
    kept.take("b")
    assert clock.slept == []


def test_rest_fills_the_burst_again_and_no_more(clock: Clock) -> None:
    kept = Ledger(burst=2, per_second=1)
    for _ in range(2):
        kept.take("a")
    clock.now += 3600 * SECOND
    for _ in range(3):
        kept.take("a")
    assert clock.slept == [1.0]


def test_calls_are_told_in_the_order_of_names() -> None:
    kept = Ledger()
    for call in ("b", "a", "b"):
        kept.take(call)
    assert list(kept.calls.items()) == [("a", 1), ("b", 2)]
