"""The speed figures that the README quotes, as ratios measured in one run, A and B in turn.

    python benchmarks/run.py CORPUS

Needs a folder of manifests. With checkov on the PATH, or its path in CHECKOV, checkov is measured beside us.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROUNDS = 7
MANIFEST = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {ports: [{port: 80}]}\n"
C_LOADER = """
import sys, pathlib, yaml
for path in sorted(pathlib.Path(sys.argv[1]).rglob("*")):
    if path.suffix in (".yaml", ".yml", ".json"):
        try:
            list(yaml.load_all(path.read_bytes(), Loader=yaml.CSafeLoader))
        except Exception:
            pass
"""


def seconds(command: list[str]) -> float:
    """The wall time of a command, its output thrown away."""
    started = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    return time.perf_counter() - started


def compare(title: str, ours: list[str], theirs: list[str], rounds: int = ROUNDS) -> None:
    """Print the medians of both and the median of their ratios, pair by pair."""
    seconds(ours), seconds(theirs)
    pairs = [(seconds(ours), seconds(theirs)) for _ in range(rounds)]
    us, them = (statistics.median(column) for column in zip(*pairs, strict=True))
    ratio = statistics.median(a / b for a, b in pairs)
    print(f"{title}: {us:.3f} s against {them:.3f} s, ratio {ratio:.2f} ({1 / ratio:.1f} times as fast)")


def main() -> None:
    """Measure everything that can be measured here."""
    python = sys.executable
    lint = [str(Path(python).with_name("eks6check")), "lint"]
    with tempfile.TemporaryDirectory() as folder:
        single = Path(folder) / "web.yaml"
        single.write_text(MANIFEST, encoding="utf-8")
        compare(
            "lint of one file / importing typer, rich, yaml",
            [*lint, str(single)],
            [python, "-c", "import typer, rich, yaml"],
        )
    if not sys.argv[1:]:
        return
    corpus = sys.argv[1]
    compare("lint of the corpus / the C loader alone", [*lint, corpus], [python, "-c", C_LOADER, corpus])
    checkov = os.environ.get("CHECKOV") or shutil.which("checkov")
    if checkov:
        peer = [checkov, "--framework", "kubernetes", "--skip-download", "--quiet", "--compact", "-d", corpus]
        compare("lint of the corpus / checkov", [*lint, corpus], peer, rounds=3)


if __name__ == "__main__":
    main()
