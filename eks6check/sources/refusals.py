"""What a scan would be refused, asked before it: of AWS by policy simulation, of the cluster by access reviews."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor

from eks6check.facts import Gap
from eks6check.facts.kinds import KINDS
from eks6check.facts.kube import mapping, sequence, text
from eks6check.sources import Unreadable
from eks6check.sources.aws.api import ABREAST, Account, attempt
from eks6check.sources.aws.iam import SIMULATE
from eks6check.sources.cluster.api import Api, call

ASKED_AT_ONCE = 50
"""Actions in one simulation."""

ASSUMED = re.compile(r"arn:(?P<partition>[\w-]+):sts::(?P<account>\d+):assumed-role/(?P<role>[^/]+)/.*")


def of_account(account: Account, actions: Iterable[str]) -> Iterator[Gap]:
    """A gap for each action that the account's policies refuse.

    Raises:
        Unreadable: the simulation itself is refused, or this kind of identity has none.
    """
    arn = text(account.call("sts:GetCallerIdentity", "Arn"))
    if arn.endswith(":root"):
        return
    principal, wanted = principal_of(account, arn), sorted(actions)
    for start in range(0, len(wanted), ASKED_AT_ONCE):
        chunk = wanted[start : start + ASKED_AT_ONCE]
        simulated = account.pages(SIMULATE, "EvaluationResults", PolicySourceArn=principal, ActionNames=chunk)
        for result in map(mapping, simulated):
            action = text(result.get("EvalActionName"))
            if text(result.get("EvalDecision")) != "allowed":
                open_conditions = ", ".join(map(str, sequence(result.get("MissingContextValues"))))
                unless = f", unless {open_conditions} makes a difference" if open_conditions else ""
                reason = f"The policies of {principal} do not allow {action}{unless}."
                yield Gap(action, reason, f"Allow {action}: eks6check permissions prints the policy.")


def principal_of(account: Account, arn: str) -> str:
    """The user or role behind a caller's ARN. A session's ARN lacks the role's path, which IAM alone knows."""
    session = ASSUMED.fullmatch(arn)
    if not session:
        return arn
    role = attempt(lambda name: mapping(account.call("iam:GetRole", "Role", RoleName=name)), session["role"])
    known = "" if isinstance(role, Gap) else text(role.get("Arn"))
    return known or f"arn:{session['partition']}:iam::{session['account']}:role/{session['role']}"


def of_cluster(api: Api, calls: Iterable[str]) -> Iterator[Gap]:
    """A gap for each list that the cluster's authorizer refuses.

    Raises:
        Unreadable: the cluster does not answer.
    """
    wanted = set(calls)
    kinds = sorted({kind for kinds in KINDS.values() for kind in kinds if call(kind) in wanted})
    with ThreadPoolExecutor(ABREAST) as pool:
        yield from filter(None, pool.map(api.refusal, kinds))


def asked(refusals: Iterator[Gap]) -> tuple[tuple[Gap, ...], Gap | None]:
    """The refusals, and the gap where the question could not be asked to its end."""
    found: list[Gap] = []
    try:
        found.extend(refusals)
    except Unreadable as unreadable:
        return tuple(found), unreadable.gap
    return tuple(found), None
