"""What reaches the terminal: the report, progress while a live scan reads, and errors as one line with a hint."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path

from eks6check.errors import Eks6checkError, UsageError
from eks6check.findings import Calls, Report
from eks6check.options import Options

PIPE_WIDTH = 100
"""Columns of a table that no terminal shows."""


def rendered(report: Report, options: Options) -> str:
    """The report in the format asked for; colour and width are the terminal's, if there is one."""
    from eks6check.reporters import render  # noqa: PLC0415  `--help` has no use for it

    terminal = sys.stdout.isatty() and options.output is None
    return render(
        options.format,
        report,
        width=shutil.get_terminal_size().columns if terminal else PIPE_WIDTH,
        color=terminal and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb",
        root=options.root or repository_top(Path.cwd()),
    )


def repository_top(folder: Path) -> Path:
    """The nearest folder upwards that holds ``.git``, or the folder itself."""
    return next((each for each in (folder, *folder.parents) if os.path.exists(each / ".git")), folder)  # noqa: PTH110  never raises


def write(content: str, output: Path | None = None) -> None:
    """Write to the file, or to standard output.

    Raises:
        UsageError: it cannot be written.
    """
    try:
        if output:
            output.write_text(content, encoding="utf-8")
            return
        if isinstance(sys.stdout, TextIOWrapper):
            sys.stdout.reconfigure(errors="backslashreplace")  # a name that the terminal lacks must not end the report
        sys.stdout.write(content)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        if output is None:
            mute()
        told = output or "Standard output"
        raise UsageError(f"{told} cannot be written: {error.strerror}.", "Name another file.") from error


def mute() -> None:
    """Send what standard output still holds to nowhere; else Python tries again as it ends, and fails with it."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@contextmanager
def progress(options: Options) -> Iterator[Callable[[str], object]]:
    """Tell each section as a live scan reads it, on standard error and only where somebody watches."""
    if not options.sources or not sys.stderr.isatty():
        yield str
        return
    from rich.console import Console  # noqa: PLC0415  lint has no time for it

    done: list[str] = []
    with Console(stderr=True).status("Reading the account and the cluster") as status:

        def tell(section: str) -> None:
            done.append(section)
            status.update(f"Reading the account and the cluster: {len(done)} sections, {section.replace('_', ' ')}")

        yield tell


def tell(text: str) -> None:
    """Say something beside the report, on standard error."""
    print(text, file=sys.stderr)  # noqa: T201  the one place that may


def tell_rest(report: Report, options: Options) -> None:
    """Say what the written report does not show on the screen: the verdict in a file, or findings SARIF leaves out."""
    from eks6check.reporters import words  # noqa: PLC0415  loaded with the report

    if options.output is not None:
        tell(f"{words.counted(report)} Wrote {options.output}.")
    unplaced = sum(not any(place.file for place in finding.locations) for finding in report.findings)
    if options.format == "sarif" and unplaced:
        tell(f"note: {words.number(unplaced, 'finding')} about live resources that no file declares: not in SARIF.")
    if options.verbose:
        tell_calls(report.calls)


def tell_calls(calls: Calls) -> None:
    """Say what a run has called, and at what pace: the most frequent call first."""
    total = sum(calls.made.values())
    tell(f"calls: {total}, held to a pace for {calls.waited_seconds:.1f} s.")
    for call, count in sorted(calls.made.items(), key=lambda each: (-each[1], each[0])):
        tell(f"{count:>6}  {call}")


def complain(error: Eks6checkError) -> int:
    """Say what went wrong in one line and what to do in another; return the exit code."""
    from eks6check.reporters.plain import plain  # noqa: PLC0415  only when something is wrong

    tell(f"error: {plain(error.message)}")
    if error.hint:
        tell(f"hint: {plain(error.hint)}")
    return error.exit_code
