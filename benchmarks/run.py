"""The speed of ``lint``, as ratios measured in one run, A and B in turn: the figures of README and performance.md.

    python benchmarks/run.py CORPUS

Needs a folder of manifests. With checkov on the PATH, or its path in CHECKOV, checkov is measured beside us. Each row
is a median; ``cpu`` is user and system time of all processes, which other work on the machine disturbs less than the
clock.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

ROUNDS = 7
SERVICE = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {ports: [{port: 80}]}\n"
ROLE_HEAD = "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata:\n  name: reader\nrules:\n"
ROLE = ROLE_HEAD + "- apiGroups: [apps]\n  resources: [deployments, statefulsets]\n  verbs: [get, list, watch]\n" * 30
ROLES = 4_000
"""A stream of 12 MB that no rule reads."""

C_LOADER = """
import sys, pathlib, yaml
given = pathlib.Path(sys.argv[1])
for path in sorted(given.rglob("*")) or [given]:
    if path.suffix in (".yaml", ".yml", ".json"):
        try:
            list(yaml.load_all(path.read_bytes(), Loader=yaml.CSafeLoader))
        except Exception:
            pass
"""
LIBRARIES = "import typer, rich, yaml"


class Spent(NamedTuple):
    """What a run of a command took, in seconds."""

    wall: float
    cpu: float


Run = Callable[[], Spent]


def running(command: list[str], processors: Iterable[int] = ()) -> Run:
    """A command to be run on these processors, on all if none are named; its output is thrown away."""

    def run() -> Spent:
        usable = os.sched_getaffinity(0)
        os.sched_setaffinity(0, set(processors) or usable)  # what is started inherits it
        try:
            started = time.perf_counter()
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            _, _, usage = os.wait4(process.pid, 0)
            return Spent(time.perf_counter() - started, usage.ru_utime + usage.ru_stime)
        finally:
            os.sched_setaffinity(0, usable)

    return run


def compare(title: str, ours: Run, theirs: Run, rounds: int = ROUNDS) -> None:
    """Print the medians of both and the medians of their ratios, pair by pair."""
    ours(), theirs()
    pairs = [(ours(), theirs()) for _ in range(rounds)]
    print(title)
    for kind in Spent._fields:
        columns = [(getattr(us, kind), getattr(them, kind)) for us, them in pairs]
        us, them = (statistics.median(column) for column in zip(*columns, strict=True))
        ratio = statistics.median(a / b for a, b in columns)
        print(f"  {kind:4} {us:7.3f} s against {them:7.3f} s: {ratio:.2f}, or {1 / ratio:.2f} times as fast")


def main() -> None:
    """Measure everything that can be measured here."""
    python = sys.executable
    lint = [str(Path(python).with_name("eks6check")), "lint"]
    one, *more = sorted(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as folder:
        single, roles = Path(folder) / "web.yaml", Path(folder) / "roles.yaml"
        single.write_text(SERVICE, encoding="utf-8")
        roles.write_text("---\n".join([ROLE] * ROLES), encoding="utf-8")
        compare(
            "lint of one file / importing typer, rich, yaml",
            running([*lint, str(single)], [one]),
            running([python, "-c", LIBRARIES], [one]),
        )
        compare(
            f"lint of {roles.stat().st_size / 1e6:.0f} MB of a kind that no rule reads / the C loader alone",
            running([*lint, str(roles)], [one]),
            running([python, "-c", C_LOADER, str(roles)], [one]),
            rounds=3,
        )
    for corpus in sys.argv[1:2]:
        alone = running([*lint, corpus], [one])
        compare("lint on one core / the C loader alone", alone, running([python, "-c", C_LOADER, corpus], [one]))
        if more:
            compare("lint on two cores / lint on one", running([*lint, corpus], [one, more[0]]), alone)
        checkov = os.environ.get("CHECKOV") or shutil.which("checkov")
        if checkov:
            peer = [checkov, "--framework", "kubernetes", "--skip-download", "--quiet", "--compact", "-d", corpus]
            compare("lint / checkov", running([*lint, corpus]), running(peer), rounds=3)


if __name__ == "__main__":
    main()
