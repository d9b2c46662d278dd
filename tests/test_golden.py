"""Every hand-built report in every format, compared with what a person has looked at and found good."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
import reports

import eks6check
from eks6check.reporters import render

GOLDEN = Path(__file__).parent / "golden"

WRITE = os.environ.get("EKS6CHECK_GOLDEN") == "write"
"""Read at import: the environment is scrubbed before each test."""

LINES = "".join(f"line {number}\n" for number in range(1, 30))

CASES = {
    **{f"{name}.json": (name, "json", {}) for name in reports.REPORTS},
    **{f"{name}.sarif": (name, "sarif", {}) for name in reports.REPORTS},
    **{f"{name}.txt": (name, "table", {"width": 80}) for name in reports.REPORTS},
    "mixed-60.txt": ("mixed", "table", {"width": 60}),
    "mixed-200.txt": ("mixed", "table", {"width": 200}),
    "mixed-color.txt": ("mixed", "table", {"width": 100, "color": True}),
    "hostile-color.txt": ("hostile", "table", {"width": 60, "color": True}),
}
"""The report, the format and the view of every golden file."""


def rendered(file: str) -> str:
    name, form, view = CASES[file]
    texts = {"rules": tuple(reports.RULES.values()), "read_text": lambda _: LINES}
    return render(form, reports.REPORTS[name], base=Path("/repo"), root=Path("/repo"), **texts, **view)


@pytest.mark.parametrize("file", CASES)
def test_report_is_the_golden_one(file: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(eks6check, "__version__", "0.0.0")
    text, golden = rendered(file), GOLDEN / file
    if WRITE:
        golden.write_text(text, encoding="utf-8", newline="")
    assert text == golden.read_bytes().decode()


def test_no_golden_file_is_left_over() -> None:
    left = [path for path in GOLDEN.iterdir() if path.name not in CASES]
    for path in left if WRITE else ():
        path.unlink()
    assert WRITE or left == []
