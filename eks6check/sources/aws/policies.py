"""What IAM policies allow, as far as the policies alone can say.

Follows IAM's own evaluation for the policies of one role: a Deny outweighs every Allow, what nothing allows is denied,
and a permissions boundary must allow it too. A condition, a variable or a statement that is not well formed makes the
answer unknown wherever it could tip it, and nowhere else. Service control policies stand outside: only a simulation
sees them. Rules and wording of policies: IAM user guide, "Policy evaluation logic" and "JSON policy elements".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import StrEnum
from fnmatch import fnmatchcase
from functools import partial
from typing import Any

Truth = bool | None
"""True, False, or None for what is not known."""

VARIABLE = re.compile(r"\$\{[^}]*\}")
"""A policy variable such as ``${aws:username}``; only the moment of the call gives it a value."""


class Decision(StrEnum):
    """What becomes of a call."""

    ALLOWED = "allowed"
    DENIED = "denied"
    UNKNOWN = "unknown"


def decide(action: str, resource: str, policies: Iterable[object], boundary: object = None) -> Decision:
    """Whether policy documents allow an action on a resource: an ARN, or ``*`` for actions that take none.

    ``boundary`` is the document of the permissions boundary, None where the role has none.
    """
    allowed = _allowed(action, resource, policies)
    if boundary is not None:
        allowed = every([allowed, _allowed(action, resource, [boundary])])
    return Decision.UNKNOWN if allowed is None else Decision.ALLOWED if allowed else Decision.DENIED


def _allowed(action: str, resource: str, policies: Iterable[object]) -> Truth:
    found = [statement for policy in policies for statement in statements(policy)]
    allows = some(_applies(each, "Allow", action, resource) for each in found)
    denies = some(_applies(each, "Deny", action, resource) for each in found)
    return every([allows, None if denies is None else not denies])


def statements(policy: object) -> Iterator[Mapping[str, Any]]:
    """The statements of a document, one of which may stand without its list; an empty one for what is no statement."""
    written = policy.get("Statement") if isinstance(policy, dict) else None
    for each in written if isinstance(written, list) else [written]:
        yield each if isinstance(each, dict) else {}


def _applies(statement: Mapping[str, Any], effect: str, action: str, resource: str) -> Truth:
    if statement.get("Effect") not in ("Allow", "Deny"):
        return None
    if statement["Effect"] != effect:
        return False
    return every(
        [
            _covers(statement, "Action", partial(_fits, action.lower(), lower=True)),
            _covers(statement, "Resource", partial(_fits, resource)),
            True if statement.get("Condition", {}) == {} else None,
        ]
    )


def _covers(statement: Mapping[str, Any], element: str, fits: Callable[[object], Truth]) -> Truth:
    """Whether an element, or its ``Not`` form, covers a value; IAM takes exactly one of the two."""
    negated = f"Not{element}" in statement
    if negated == (element in statement):
        return None
    written = statement[f"Not{element}" if negated else element]
    covered = some(map(fits, written if isinstance(written, list) else [written]))
    return covered if covered is None or not negated else not covered


def _fits(value: str, pattern: object, *, lower: bool = False) -> Truth:
    """Whether a value fits a pattern in which ``*`` and ``?`` stand for any text and any character."""
    if not isinstance(pattern, str):
        return None
    literal = (pattern.lower() if lower else pattern).replace("[", "[[]")  # no class of characters, as fnmatch has them
    if fnmatchcase(value, literal):
        return True
    return None if VARIABLE.search(literal) and fnmatchcase(value, VARIABLE.sub("*", literal)) else False


def every(values: Iterable[Truth]) -> Truth:
    """Whether all hold: one that does not settles it, whatever is not known of the others."""
    known = [*values]
    return False if False in known else None if None in known else True


def some(values: Iterable[Truth]) -> Truth:
    """Whether any holds: one that does settles it."""
    known = [*values]
    return True if True in known else None if None in known else False
