"""Ctrl-C in the middle of a scan: the program ends at once, with 130, and leaves the terminal as it was."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from threading import Event
from typing import Any

import pytest
import servers

from eks6check.demo.aws_server import Server

pty = pytest.importorskip("pty", reason="this system has no pseudo-terminals")

PATIENCE_SECONDS = 60
HIDDEN, SHOWN = b"\x1b[?25l", b"\x1b[?25h"
"""What a terminal is told to hide its cursor, and to show it again."""


@pytest.fixture
def account() -> Iterator[Server]:
    with servers.aws() as server:
        servers.ipv6_account(server)
        yield server


def drained(terminal: int) -> bytes:
    """All that was written to a terminal whose other end is closed."""
    written = b""
    while True:
        try:
            part = os.read(terminal, 65536)
        except OSError:  # how Linux says that the other end is closed
            part = b""
        if not part:
            return written
        written += part


@pytest.mark.usefixtures("_interruptible")
def test_an_interrupted_scan_ends_at_once_and_leaves_the_terminal_sane(account: Server) -> None:
    asked, done = Event(), Event()

    def hang(_: Any, forward: Any) -> Any:
        asked.set()
        done.wait(PATIENCE_SECONDS)
        return forward()

    account.hooks["ec2:DescribeSubnets"] = hang
    terminal, end = pty.openpty()
    scan = ("scan", "--cluster", "prod", "--region", servers.REGION, "--source", "aws")
    program = subprocess.Popen(
        [sys.executable, "-m", "eks6check", *scan],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=end,
        env={**os.environ, "TERM": "xterm"},
        start_new_session=True,
    )
    os.close(end)
    try:
        assert asked.wait(PATIENCE_SECONDS)
        program.send_signal(signal.SIGINT)
        out, _ = program.communicate(timeout=PATIENCE_SECONDS / 2)
        assert not done.is_set(), "the program waited for the answer"
    finally:
        done.set()
        program.kill()
    told = drained(terminal)
    os.close(terminal)
    assert (program.returncode, out) == (130, b"")
    assert b"Traceback" not in told
    assert told.rfind(SHOWN) > told.rfind(HIDDEN) >= 0
