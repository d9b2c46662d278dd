"""Work shared among the processors, where there is enough of it to pay for a process.

A forked process knows all that its parent has read, so no fact travels to it; only results come back. The standard
library's pool would send both ways, and takes longer to import and to start than most runs last.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any, NamedTuple, NoReturn, TypeVar

Job = TypeVar("Job")
Result = TypeVar("Result")

MOST_PROCESSES = 4
"""One of them takes in what all others send."""

WIDTH = 4
MOST_JOBS = 4096 // WIDTH
"""Bytes of a job's number in the queue, and how many jobs there may be: a pipe never holds less than a page."""


class Helper(NamedTuple):
    """A forked process, and the pipe from which its results are read."""

    pid: int
    results: int


def processes() -> int:
    """How many processes a run may be: as many as it may use processors, and one beside threads, which do not fork.

    One where the system does not say which it may use: macOS and Windows, on which a fork is not safe, or not there.
    """
    import threading  # noqa: PLC0415  a small run has no use for it

    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1
    return min(usable, MOST_PROCESSES) if threading.active_count() == 1 else 1


def spread(function: Callable[[Job], Result], jobs: Sequence[Job]) -> list[Result]:
    """What a function makes of each job, in the order of the jobs.

    The function shall do nothing but make its result, which has to pickle: what a helper fails to bring is made anew.
    """
    done: dict[int, Result] = {}
    helpers: list[Helper] = []
    wanted = min(processes(), len(jobs)) - 1 if len(jobs) <= MOST_JOBS else 0
    queue = numbers(len(jobs) if wanted else 0)
    try:
        with suppress(OSError):  # there can be no more processes; fewer will do
            helpers.extend(fork(function, jobs, queue) for _ in range(wanted))
        done.update(work(function, jobs, queue))
        for helper in helpers:
            done.update(brought(helper))
    finally:
        os.close(queue)
        for helper in helpers:
            dismiss(helper)
    return [done[number] if number in done else function(job) for number, job in enumerate(jobs)]


def numbers(count: int) -> int:
    """A pipe with the numbers below ``count``: whichever process reads one has the job."""
    queue, feed = os.pipe()
    os.write(feed, b"".join(number.to_bytes(WIDTH, "big") for number in range(count)))
    os.close(feed)
    return queue


def work(function: Callable[[Job], Result], jobs: Sequence[Job], queue: int) -> Iterator[tuple[int, Result]]:
    """Do the next job that no other process has taken, until there is none."""
    while number := os.read(queue, WIDTH):
        index = int.from_bytes(number, "big")
        yield index, function(jobs[index])


def fork(function: Callable[[Job], Result], jobs: Sequence[Job], queue: int) -> Helper:
    """A process that works from the same queue.

    Raises:
        OSError: there can be no more processes.
    """
    results, end = os.pipe()
    try:
        pid = os.fork()
    except OSError:
        os.close(results)
        os.close(end)
        raise
    if not pid:
        help_out(function, jobs, queue, end)
    os.close(end)
    return Helper(pid, results)


def help_out(function: Callable[[Job], Result], jobs: Sequence[Job], queue: int, end: int) -> NoReturn:
    """A helper's life. It ends in silence whatever happens: what it does not bring, its parent makes."""
    try:
        import pickle  # noqa: PLC0415  a small run has no use for it

        with os.fdopen(end, "wb") as pipe:
            pickle.dump(dict(work(function, jobs, queue)), pipe, pickle.HIGHEST_PROTOCOL)
    finally:
        os._exit(0)


def brought(helper: Helper) -> dict[int, Any]:
    """A helper's results by the number of the job; none where it broke off."""
    import pickle  # noqa: PLC0415  a small run has no use for it

    with os.fdopen(helper.results, "rb", closefd=False) as pipe, suppress(EOFError, pickle.UnpicklingError):
        return dict(pickle.load(pipe))  # noqa: S301  our own process wrote it
    return {}


def dismiss(helper: Helper) -> None:
    """End a helper, be it done or not."""
    import signal  # noqa: PLC0415  a small run has no use for it

    os.close(helper.results)
    with suppress(ProcessLookupError, ChildProcessError):  # where SIGCHLD is ignored, it leaves no trace
        os.kill(helper.pid, signal.SIGKILL)
        os.waitpid(helper.pid, 0)
