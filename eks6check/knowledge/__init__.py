"""What is known of the world outside: data files, each with its source and date, and their readers."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any


@cache
def data(name: str) -> Any:
    """The content of one data file of this package, ``name.json``."""
    import json  # noqa: PLC0415  most files that are judged need no data file

    return json.loads(Path(__file__).with_name(f"{name}.json").read_bytes())
