"""Reports as text. A reporter is a pure function of the report and the view; one table names them all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from eks6check.catalog import Rule
    from eks6check.findings import Report

REPORTERS: Mapping[str, str] = {
    "json": "eks6check.reporters.json",
    "sarif": "eks6check.reporters.sarif",
    "table": "eks6check.reporters.table",
}
"""The module of each format, imported when the format is asked for. Its ``render`` takes a report and a view."""


def read_text(path: Path) -> str | None:
    """The text of a file with its line ends as they are, or None where it cannot be read."""
    try:
        return path.read_bytes().decode("utf-8", "replace")
    except OSError:
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """Everything a reporter may know beside the report.

    ``width`` is in columns. File names in reports begin at ``base``, SARIF's at ``root``. ``rules`` are the texts of
    the rules, the catalogue's where it is None. ``read_text`` gives a file's text for SARIF's line fingerprints.
    """

    width: int = 100
    color: bool = False
    base: Path = Path()
    root: Path = Path()
    rules: tuple[Rule, ...] | None = None
    read_text: Callable[[Path], str | None] = read_text


def render(name: str, report: Report, **view: Any) -> str:
    """The report in the format of that name; ``view`` are fields of ``View``.

    Raises:
        KeyError: there is no such format.
    """
    text: str = import_module(REPORTERS[name]).render(report, View(**view))
    return text
