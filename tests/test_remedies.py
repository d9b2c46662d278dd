"""Remedies are pasted: every AWS command in them names an operation that exists, with options that it takes."""

from __future__ import annotations

import re
import shlex

import pytest
from botocore import xform_name
from botocore.session import get_session

from eks6check.catalog import load

GLOBAL = {"region", "query", "output", "profile"}
RENAMED = {"kubernetes-version": "version", "ingress": "egress"}
"""Options that the AWS CLI calls otherwise than the API: ``--version`` is its own, and a switch may have two names."""

COMMAND = re.compile(r"\baws ((?:ec2|eks|iam|elbv2) (?:'[^']*'|[^\n)`'])+)")


def commands() -> list[tuple[str, str]]:
    """The rule's id with each AWS command of its remedies, in one line."""
    joined = [(rule.id, re.sub(r"\\\n\s*", "", text)) for rule in load() for text in rule.remedies.values()]
    return [(rule, found) for rule, text in joined for found in COMMAND.findall(text)]


@pytest.mark.parametrize(("rule", "command"), commands())
def test_an_aws_command_can_be_pasted(rule: str, command: str) -> None:
    service, operation, *words = shlex.split(command, comments=True)
    model = get_session().get_service_model(service)
    names = {xform_name(name, "-"): name for name in model.operation_names}
    shape = model.operation_model(names[operation]).input_shape
    assert shape is not None
    options = {xform_name(name, "-") for name in shape.members}
    options |= {f"no-{option}" for option in options}  # as the AWS CLI turns a switch off
    written = [word.removeprefix("--") for word in words if word.startswith("--")]
    given = {RENAMED.get(name, name) if operation != "describe-addon-versions" else name for name in written}
    assert given - GLOBAL <= options, rule
    assert {xform_name(name, "-") for name in shape.required_members} <= given, rule
    assert "..." not in words, rule


def test_what_only_the_new_cluster_bears_is_not_pasted_into_the_old_one() -> None:
    told = {rule.id: "\n".join(rule.remedies.values()) for rule in load()}
    for rule in ("CNI003", "CNI007"):
        assert "kubectl --context NEW_CLUSTER " in told[rule]
        assert "kubectl -n" not in told[rule]
