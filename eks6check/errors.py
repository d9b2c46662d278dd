"""The ways a run can fail as a whole. Each has one line that says what, and a hint that says what to do next."""

from __future__ import annotations


class Eks6checkError(Exception):
    """The base: a message, a hint, and the exit code that the command line gives for it."""

    exit_code = 3

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(Eks6checkError):
    """The options do not fit together, or name something that is not there."""

    exit_code = 2


class CatalogError(Eks6checkError):
    """``rules.yaml`` and the rule functions do not fit: a bug in this release, never the user's doing."""

    exit_code = 2


class NothingCheckedError(Eks6checkError):
    """Nothing could be read, so nothing can be said."""

    exit_code = 3
