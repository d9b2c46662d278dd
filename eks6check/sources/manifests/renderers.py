"""The programs that render: which there are, how one is run, and what is told of one that fails."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from eks6check.errors import UsageError
from eks6check.facts import Gap
from eks6check.sources.manifests.nearest import Source
from eks6check.sources.manifests.yamldoc import Document, decode

ERROR = re.compile(r"^error:", re.MULTILINE | re.IGNORECASE)

LONGEST_REASON = 400
"""Characters that are kept of what a renderer says went wrong."""

KLOG = re.compile(r'^[EFW]\d{4} \S+ +\d+ \S+\] (?:"[^"]*" err=)?"?', re.MULTILINE)
"""What some kubectl writes before an error: a time, a number, and where in its source it stands."""

UNBUILT = re.compile(r"missing in charts/ directory")


class Part(NamedTuple):
    """One document of a rendering. With a ``source``, ``file`` is but a name for it, and its places are its own."""

    file: str
    document: Document
    source: Source | None = None


def lines_of(path: Path) -> list[str]:
    """The lines of a file, none where it cannot be read."""
    try:
        return decode(path.read_bytes()).split("\n")
    except (OSError, UnicodeDecodeError):
        return []


def program(option: str, otherwise: str, *choices: list[str]) -> list[str]:
    """The first of these commands that there is a program for.

    Raises:
        UsageError: there is none.
    """
    for command in choices:
        if found := shutil.which(command[0]):
            return [found, *command[1:]]
    names = " or ".join(command[0] for command in choices)
    raise UsageError(
        f"{option} needs {names}, and there is none on the PATH.",
        f"Install it, or render elsewhere and pipe it in: `{otherwise} | eks6check lint -`.",
    )


def run(command: Sequence[str]) -> subprocess.CompletedProcess[bytes]:
    """Run a renderer to its end."""
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)  # noqa: S603  what the user named, and no shell


def failed(name: str, command: Sequence[str], ran: subprocess.CompletedProcess[bytes], dependencies: str = "") -> Gap:
    """The gap of what would not render, in the renderer's own words."""
    told = KLOG.sub("", ran.stderr.decode("utf-8", "replace"))
    begin = ERROR.search(told)
    error = textwrap.shorten(told[begin.end() if begin else 0 :], LONGEST_REASON, placeholder=" ...")
    words = error.strip('."') or "no reason was told"
    by_itself = shlex.join([Path(command[0]).name, *command[1:]])
    remedy = dependencies if dependencies and UNBUILT.search(told) else by_itself
    return Gap("read", f"It cannot be rendered: {words}.", f"Run `{remedy}`.", name)
