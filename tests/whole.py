"""The program as a user runs it, in this process: arguments in, exit code and both streams out."""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from servers import REGION

from eks6check import cli
from eks6check.demo import kube_server


@dataclass(frozen=True)
class Done:
    """One finished run."""

    code: int
    out: str
    err: str

    @property
    def report(self) -> dict[str, Any]:
        """The JSON report on standard output."""
        made: dict[str, Any] = json.loads(self.out)
        return made

    def rules(self, *severities: str) -> set[str]:
        """The rules with findings of these severities, of any if none is named."""
        return {each["rule"] for each in self.report["findings"] if not severities or each["severity"] in severities}

    def states(self) -> dict[str, str]:
        """The state of each rule."""
        return {each["rule"]: each["state"] for each in self.report["outcomes"]}


class Pipe(io.TextIOWrapper):
    """A standard stream that no terminal shows."""

    def __init__(self, content: str = "") -> None:
        super().__init__(io.BytesIO(content.encode()), encoding="utf-8")

    def text(self) -> str:
        self.flush()
        buffer = self.buffer
        assert isinstance(buffer, io.BytesIO)
        return buffer.getvalue().decode()


def eks6check(*arguments: str, stdin: str = "") -> Done:
    """Run the program."""
    out, err = Pipe(), Pipe()
    with (
        mock.patch.object(sys, "argv", ["eks6check", *arguments]),
        mock.patch.object(sys, "stdin", Pipe(stdin)),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            cli.main()
            code: Any = 0
        except SystemExit as ended:
            code = ended.code
    assert isinstance(code, int)
    return Done(code, out.text(), err.text())


@contextmanager
def cluster(bodies: Iterable[Mapping[str, Any]], home: Path, name: str = "prod") -> Iterator[kube_server.Server]:
    """A cluster of these objects, and the kubeconfig that leads to it."""
    with kube_server.serve(bodies) as server:
        context = f"arn:aws:eks:{REGION}:123456789012:cluster/{name}"
        kube_server.write_kubeconfig(home / "kubeconfig", server.url, context)
        with mock.patch.dict(os.environ, {"KUBECONFIG": str(home / "kubeconfig")}):
            yield server
