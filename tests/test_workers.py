"""Shared work: the same results in the same order, whatever becomes of the processes that helped."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event, Thread
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eks6check import engine, workers
from eks6check.findings import Report
from eks6check.options import Options
from eks6check.run import run
from eks6check.sources import manifests
from eks6check.workers import MOST_JOBS, processes, spread

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")

PATIENCE_SECONDS = 60

CORPUS = os.environ.get("EKS6CHECK_CORPUS", "")


@pytest.fixture(autouse=True)
def _three_processes(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    fork, helpers = workers.fork, list[workers.Helper]()

    def noted(*args: Any) -> workers.Helper:
        helpers.append(fork(*args))
        return helpers[-1]

    monkeypatch.setattr(workers, "fork", noted)
    monkeypatch.setattr(workers, "processes", lambda: 3)
    yield
    for helper in helpers:
        with pytest.raises(ChildProcessError):  # it has ended, and somebody has asked how
            os.waitpid(helper.pid, os.WNOHANG)


def opened() -> int:
    """How many files and pipes this process has open."""
    return len(os.listdir("/dev/fd"))  # noqa: PTH208  their number is all that is asked for


def in_helpers(act: Callable[[], object]) -> Callable[[int], int]:
    """A function that squares, and before that does something wherever it does not run in this process."""
    own = os.getpid()

    def square(number: int) -> int:
        if os.getpid() != own:
            act()
        return number * number

    return square


@pytest.mark.parametrize("count", [0, 1, 2, 100, MOST_JOBS, MOST_JOBS + 1])
def test_results_stand_in_the_order_of_their_jobs(count: int) -> None:
    assert spread(str, range(count)) == [str(number) for number in range(count)]


def test_jobs_are_done_at_the_same_time() -> None:
    pipes = [os.pipe() for _ in range(3)]

    def meet(number: int) -> int:
        for _ in pipes:
            os.write(pipes[number][1], b".")
        for theirs, _ in pipes:
            assert select.select([theirs], [], [], PATIENCE_SECONDS)[0]
            os.read(theirs, 1)
        return os.getpid()

    pids = spread(meet, range(3))
    for pipe in pipes:
        for end in pipe:
            os.close(end)
    assert len(set(pids)) == 3
    assert os.getpid() in pids


def fail() -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize("act", [fail, lambda: os._exit(1), lambda: os.kill(os.getpid(), signal.SIGKILL)])
def test_what_a_helper_does_not_bring_is_made_here(
    act: Callable[[], object], capfd: pytest.CaptureFixture[str]
) -> None:
    assert spread(in_helpers(act), range(200)) == [number * number for number in range(200)]
    assert capfd.readouterr() == ("", "")


def test_results_that_do_not_pickle_are_made_here() -> None:
    kept: list[Callable[[], int]] = spread(lambda number: lambda: number, range(20))
    assert [made() for made in kept] == list(range(20))


def test_results_that_break_off_are_made_here(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = workers.fork

    def cut_short(*args: Any) -> workers.Helper:
        helper = whole(*args)
        os.close(helper.results)
        results, end = os.pipe()
        os.write(end, b"\x80\x05\x95\x10\0\0\0")
        os.close(end)
        return workers.Helper(helper.pid, results)

    monkeypatch.setattr(workers, "fork", cut_short)
    assert spread(str, range(50)) == [str(number) for number in range(50)]


def test_what_a_job_raises_is_raised_here() -> None:
    with pytest.raises(ZeroDivisionError):
        spread(lambda number: 1 // number, range(50))


def test_where_no_process_can_be_made_there_are_results_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused() -> int:
        raise BlockingIOError

    monkeypatch.setattr(os, "fork", refused)
    before = opened()
    assert spread(str, range(50)) == [str(number) for number in range(50)]
    assert opened() == before


@pytest.mark.parametrize(("usable", "count"), [({0}, 1), ({0, 5}, 2), (set(range(64)), 4)])
def test_there_are_as_many_processes_as_processors_that_may_be_used(
    monkeypatch: pytest.MonkeyPatch, usable: set[int], count: int
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: usable, raising=False)
    monkeypatch.setattr("threading.active_count", lambda: 1)
    assert processes() == count


def test_a_system_that_does_not_say_its_processors_gets_one_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    assert processes() == 1


def test_nothing_is_forked_beside_a_thread() -> None:
    done = Event()
    thread = Thread(target=done.wait)
    thread.start()
    count = processes()
    done.set()
    thread.join()
    assert count == 1


LINES = st.sampled_from(
    [
        "apiVersion: v1",
        "kind: Service",
        "kind: List",
        "items: [{apiVersion: v1, kind: Service, spec: {ipFamilies: [IPv4]}}]",
        "metadata: &a {name: a}",
        "spec: {ipFamilyPolicy: SingleStack, ipFamilies: [IPv4]}",
        "spec: {<<: *a}",
        "# eks6check: ignore[SVC001] why",
        "---",
        "é: {{ .x }}",
        "[",
    ]
)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.lists(LINES, max_size=8).map("\n".join), min_size=1, max_size=9))
def test_several_processes_read_and_judge_as_one_does(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("wild")
    for number, text in enumerate(texts):
        (folder / f"{number}.yaml").write_text(text, encoding="utf-8")
    assert linted(folder, many=1) == linted(folder, many=10**9)


@pytest.mark.skipif(not CORPUS, reason="EKS6CHECK_CORPUS names no folder of manifests")
def test_several_processes_read_and_judge_a_real_corpus_as_one_does() -> None:
    shared = linted(Path(CORPUS), many=1)
    assert shared.findings
    assert shared == linted(Path(CORPUS), many=10**9)


def linted(folder: Path, many: int) -> Report:
    """The report on a folder, made by several processes from so many files and facts on."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifests, "MANY_FILES", many)
        patch.setattr(manifests, "BATCH", 1)
        patch.setattr(engine, "MANY_FACTS", many)
        return run(Options(manifests=(str(folder),), allow_empty=True))


def test_a_small_run_is_not_shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.yaml").write_text(MANIFEST, encoding="utf-8")
    monkeypatch.setattr(os, "fork", lambda: pytest.fail("a process was made"))
    assert linted(tmp_path, many=100).inputs["resources"] == 1


MANIFEST = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\n"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
@pytest.mark.usefixtures("_interruptible")
def test_an_interrupted_lint_ends_at_once_and_leaves_nobody_behind(tmp_path: Path) -> None:
    for number in range(manifests.MANY_FILES):
        (tmp_path / f"{number}.yaml").write_text(MANIFEST, encoding="utf-8")
    endless = tmp_path / "endless"
    os.mkfifo(endless)
    program = subprocess.Popen(
        [sys.executable, "-m", "eks6check", "lint", str(tmp_path), str(endless)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    try:
        with endless.open("wb", buffering=0) as end:  # opens as soon as somebody reads it
            program.send_signal(signal.SIGINT)
            out, err = program.communicate(timeout=PATIENCE_SECONDS)
            with pytest.raises(BrokenPipeError):
                end.write(MANIFEST.encode())
    finally:
        program.kill()
    assert (program.returncode, out) == (130, b"")
    assert b"Traceback" not in err
