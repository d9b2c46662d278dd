"""The permissions that rules take, read off the graph: an IAM policy and a ClusterRole, and no second list."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from eks6check.catalog import Rule
from eks6check.sources import Collectors, needed


def calls(rules: Iterable[Rule], collectors: Collectors, others: Collectors = ()) -> tuple[str, ...]:
    """What these collectors call for these rules, and for the report's head, in alphabetical order.

    ``others`` are those of another source, which may need a section of these.
    """
    sections = {"clusters", *(name for rule in rules for name in (*rule.required, *rule.optional))}
    wanted = {each.section for each in needed((*collectors, *others), sections)}
    return tuple(sorted({call for each in collectors if each.section in wanted for call in each.calls}))


def blind(rules: Iterable[Rule], collectors: Collectors, refused: Iterable[str]) -> Iterator[tuple[Rule, list[str]]]:
    """The rules that would lack a fact where these calls are refused, each with those of them that it needs."""
    refused = set(refused)
    for rule in rules:
        needs = needed(collectors, (*rule.required, *rule.optional))
        if lacking := sorted(refused & {call for each in needs for call in each.calls}):
            yield rule, lacking


def iam_policy(actions: Iterable[str]) -> str:
    """An IAM policy document that allows these actions. All of them only read, and EC2's take no resource."""
    statement = {"Sid": "Eks6checkReadOnly", "Effect": "Allow", "Action": list(actions), "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]}, indent=2)


def cluster_role(lists: Iterable[str]) -> str:
    """A ClusterRole that allows these lists, given in kubectl's words: ``list deployments.apps``."""
    resources: dict[str, list[str]] = {}
    for call in lists:
        resource, _, group = call.removeprefix("list ").partition(".")
        resources.setdefault(group, []).append(resource)
    rules = "".join(
        f'  - apiGroups: ["{group}"]\n    resources: [{", ".join(sorted(names))}]\n    verbs: [list]\n'
        for group, names in sorted(resources.items())
    )
    head = "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata:\n  name: eks6check\nrules:"
    return f"{head}\n{rules}" if rules else f"{head} []\n"
