"""IAM policies as IAM reads them, beside a model that knows nothing but the rules."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eks6check.sources.aws.policies import Decision, decide

ALLOWED, DENIED, UNKNOWN = Decision
ASSIGN = "ec2:AssignIpv6Addresses"
ENI = "arn:aws:ec2:eu-west-1:111122223333:network-interface/eni-1"


def allow(action: Any = ASSIGN, resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action: Any = ASSIGN, resource: Any = "*", **more: Any) -> dict[str, Any]:
    return {**allow(action, resource, **more), "Effect": "Deny"}


def without(statement: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A statement with ``NotAction`` or ``NotResource`` in place of what it negates."""
    negated = {name.removeprefix("Not") for name in more}
    return {name: value for name, value in statement.items() if name not in negated} | more


def policy(*statements: Any) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


CONDITION = {"Condition": {"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}}


@pytest.mark.parametrize(
    ("statements", "decision"),
    [
        ([], DENIED),
        ([allow()], ALLOWED),
        ([allow("EC2:assignipv6addresses")], ALLOWED),
        ([allow("ec2:Assign*")], ALLOWED),
        ([allow("ec2:AssignIpv?Addresses")], ALLOWED),
        ([allow(["ec2:DescribeTags", "*"])], ALLOWED),
        ([allow("ec2:Assign")], DENIED),
        ([allow("ec2:AssignIpv6Addresses2")], DENIED),
        ([allow("ec2:[A]ssignIpv6Addresses")], DENIED),
        ([allow(), deny("ec2:Describe*")], ALLOWED),
        ([allow(), deny("ec2:*")], DENIED),
        ([without(allow(), NotAction="iam:*")], ALLOWED),
        ([without(allow(), NotAction=["ec2:*", "iam:*"])], DENIED),
        ([allow(), without(deny(), NotAction="ec2:*")], ALLOWED),
        ([allow(), without(deny(), NotAction="iam:*")], DENIED),
        ([allow(**CONDITION)], UNKNOWN),
        ([allow(), allow(**CONDITION)], ALLOWED),
        ([allow(), deny(**CONDITION)], UNKNOWN),
        ([deny(**CONDITION)], DENIED),
        ([allow(), deny("iam:*", **CONDITION)], ALLOWED),
        ([allow(), deny(), deny(**CONDITION)], DENIED),
        ([allow(Condition={})], ALLOWED),
    ],
)
def test_an_action_is_decided_as_iam_does(statements: list[Any], decision: Decision) -> None:
    assert decide(ASSIGN, "*", [policy(*statements)]) is decision
    assert decide(ASSIGN, "*", [policy(each) for each in statements]) is decision


@pytest.mark.parametrize(
    ("statement", "decision"),
    [
        (allow(resource="arn:aws:ec2:*:*:network-interface/*"), ALLOWED),
        (allow(resource=["arn:aws:s3:::*", "arn:aws:ec2:eu-west-1:*:network-interface/eni-?"]), ALLOWED),
        (allow(resource="arn:aws:ec2:us-east-1:*:network-interface/*"), DENIED),
        (allow(resource="ARN:aws:ec2:*:*:network-interface/*"), DENIED),
        (allow(resource="arn:aws-cn:ec2:*:*:network-interface/*"), DENIED),
        (without(allow(), NotResource="arn:aws:s3:::*"), ALLOWED),
        (without(allow(), NotResource="arn:aws:ec2:*:*:network-interface/*"), DENIED),
        (allow(resource="arn:aws:ec2:*:${aws:PrincipalAccount}:network-interface/*"), UNKNOWN),
        (allow(resource="arn:aws:s3:::${aws:username}/*"), DENIED),
        (without(allow(), NotResource="arn:aws:ec2:*:${aws:PrincipalAccount}:*"), UNKNOWN),
    ],
)
def test_a_resource_is_matched_whole_and_with_its_case(statement: dict[str, Any], decision: Decision) -> None:
    assert decide(ASSIGN, ENI, [policy(statement)]) is decision


def test_an_action_without_resources_wants_the_star() -> None:
    assert decide(ASSIGN, "*", [policy(allow(resource="arn:aws:ec2:*:*:*"))]) is DENIED


@pytest.mark.parametrize(
    ("boundary", "decision"),
    [
        (policy(allow("ec2:*")), ALLOWED),
        (policy(allow("s3:*")), DENIED),
        (policy(allow(**CONDITION)), UNKNOWN),
        (policy(allow("*"), deny("ec2:Assign*")), DENIED),
        (policy(), DENIED),
        ({}, UNKNOWN),
        ("x", UNKNOWN),
    ],
)
def test_a_permissions_boundary_must_allow_it_too(boundary: object, decision: Decision) -> None:
    assert decide(ASSIGN, "*", [policy(allow())], boundary) is decision
    assert decide(ASSIGN, "*", [policy()], boundary) is DENIED


def test_one_statement_may_stand_without_a_list() -> None:
    assert decide(ASSIGN, "*", [{"Statement": allow()}]) is ALLOWED


@pytest.mark.parametrize(
    "broken",
    [
        None,
        3,
        [],
        "x",
        {},
        {"Statement": None},
        {"Statement": [None]},
        policy({"Effect": "allow", "Action": "*", "Resource": "*"}),
        policy({"Effect": ["Allow"], "Action": "*", "Resource": "*"}),
        policy({"Effect": "Allow", "Resource": "*"}),
        policy({"Effect": "Allow", "Action": "*"}),
        policy(allow(NotAction="s3:*")),
        policy(allow(action=3)),
        policy(allow(action=[None])),
        policy(allow(action={})),
        policy(allow(resource=None)),
    ],
)
def test_what_is_not_well_formed_is_unknown(broken: object) -> None:
    assert decide(ASSIGN, "*", [broken]) is UNKNOWN


def test_many_stars_take_no_time() -> None:
    assert decide("ec2:" + "a" * 2000, "*", [policy(allow("*a" * 500 + "b"))]) is DENIED


ACTIONS = ("ec2:A", "ec2:AB", "s3:A")
RESOURCES = ("*", "r:a", "r:ab", "q:a")
PATTERNS = st.text("ar:*?", max_size=4) | st.sampled_from(["*", "ec2:*", "EC2:a", "ec2:A?", "r:*", "r:a", "*:a"])
LISTS = PATTERNS | st.lists(PATTERNS, max_size=3)


@st.composite
def written(draw: st.DrawFn) -> dict[str, Any]:
    action, resource = draw(st.sampled_from(["", "Not"])), draw(st.sampled_from(["", "Not"]))
    effect = draw(st.sampled_from(["Allow", "Allow", "Deny"]))
    condition = {"Condition": "any"} if draw(st.integers(0, 4)) == 0 else {}
    return {"Effect": effect, f"{action}Action": draw(LISTS), f"{resource}Resource": draw(LISTS), **condition}


DOCUMENT = st.lists(written(), max_size=3).map(lambda each: policy(*each))


def model(action: str, resource: str, policies: list[Any], *, holds: bool) -> bool:
    """Whether it is allowed if conditions of Allow hold and those of Deny do not; without ``holds`` the reverse."""

    def fits(patterns: Any, value: str) -> bool:
        for pattern in [patterns] if isinstance(patterns, str) else patterns:
            if re.fullmatch(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), value, re.DOTALL):
                return True
        return False

    def lower(patterns: Any) -> Any:
        return patterns.lower() if isinstance(patterns, str) else [each.lower() for each in patterns]

    effects = set()
    for statement in (each for document in policies for each in document["Statement"]):
        taken = fits(lower(statement.get("Action", statement.get("NotAction"))), action.lower())
        hit = fits(statement.get("Resource", statement.get("NotResource")), resource)
        counts = "Condition" not in statement or (statement["Effect"] == "Allow") is holds
        if counts and taken is ("Action" in statement) and hit is ("Resource" in statement):
            effects.add(statement["Effect"])
    return effects == {"Allow"}


@settings(max_examples=400)
@given(st.lists(DOCUMENT, max_size=2), st.none() | DOCUMENT)
def test_it_is_sure_exactly_where_conditions_make_no_difference(policies: list[Any], boundary: Any) -> None:
    """The friendliest and the unfriendliest outcome of all conditions bound what may come true."""
    for action in ACTIONS:
        for resource in RESOURCES:
            best, worst = (
                model(action, resource, policies, holds=holds)
                and (boundary is None or model(action, resource, [boundary], holds=holds))
                for holds in (True, False)
            )
            expected = ALLOWED if worst else UNKNOWN if best else DENIED
            assert decide(action, resource, policies, boundary) is expected


WILD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["Allow", "Deny", "*", "ec2:*", "${a}", "["]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["Statement", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"]),
            inner,
            max_size=5,
        )
    ),
)


@given(st.lists(WILD, max_size=3), WILD)
def test_no_document_brings_it_down(policies: list[Any], boundary: Any) -> None:
    assert decide(ASSIGN, "*", policies, boundary) in {*Decision}
    assert decide(ASSIGN, "*", [*policies, policy(deny())], boundary) is DENIED
