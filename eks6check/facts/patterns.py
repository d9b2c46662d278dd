"""Regular expressions that are compiled at their first use: of a hundred and more, one file needs a dozen."""

from __future__ import annotations

import re
from typing import Any, cast


class _Pattern:
    """Stands for a pattern, and is one from its first use on."""

    def __init__(self, source: str, flags: int) -> None:
        self._source, self._flags = source, flags

    def __getattr__(self, name: str) -> Any:
        found = getattr(re.compile(self._source, self._flags), name)
        setattr(self, name, found)
        return found


def regex(source: str, flags: int = 0) -> re.Pattern[str]:
    """The pattern of a source, as ``re.compile`` gives it, but for the time that this takes."""
    return cast("re.Pattern[str]", _Pattern(source, flags))
