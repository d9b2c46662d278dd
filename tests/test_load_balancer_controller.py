"""The record of the controller's annotations: well formed, and near misses told from neighbours."""

from __future__ import annotations

import pytest
from build import resource
from hypothesis import given
from hypothesis import strategies as st

from eks6check.facts import ingresses, load_balancing
from eks6check.knowledge import data
from eks6check.knowledge.load_balancer_controller import (
    first_release,
    is_known,
    near_miss,
    recorded,
    resembles,
    values,
    within,
)

DECIDING = sorted(data("load_balancer_controller")["spellings"])


def test_every_row_has_a_source_that_is_dated() -> None:
    sources = data("load_balancer_controller")["sources"]
    assert {row["source"] for row in data("load_balancer_controller")["annotations"]} <= sources.keys()
    assert all(source["url"].startswith("https://") and source["read"] for source in sources.values())


def test_no_key_stands_twice_and_all_are_sorted() -> None:
    keys = [row["key"] for row in data("load_balancer_controller")["annotations"]]
    assert keys == sorted(set(keys))


@pytest.mark.parametrize(
    "key",
    [
        value
        for module in (load_balancing, ingresses)
        for name, value in vars(module).items()
        if name.isupper()
        and isinstance(value, str)
        and value.startswith(("service.beta.", "alb.ingress."))
        and value[-1] != "/"
    ],
)
def test_every_key_that_the_views_read_is_recorded(key: str) -> None:
    assert key in recorded()


def test_the_releases_are_those_of_the_features() -> None:
    assert (first_release("ipv6"), first_release("subnet_choice")) == ((2, 3, 1), (3, 5, 0))
    assert first_release(load_balancing.SOURCE_NAT) == (2, 10, 0)


def test_a_service_takes_one_address_type_less_than_an_ingress() -> None:
    assert set(values(ingresses.ADDRESS_TYPE)) - set(values(load_balancing.ADDRESS_TYPE)) == {
        "dualstack-without-public-ipv4"
    }


@pytest.mark.parametrize(
    ("key", "kind", "known"),
    [
        (ingresses.TARGET_TYPE, "Service", True),
        (ingresses.ADDRESS_TYPE, "Service", False),
        (ingresses.ACTIONS + "ssl-redirect", "Ingress", True),
        ("alb.ingress.kubernetes.io/conditions.a.b", "Ingress", True),
        ("alb.ingress.kubernetes.io/conditions", "Ingress", False),
        ("service.beta.kubernetes.io/aws-load-balancer-connection-idle-timeout", "Service", True),
        ("", "Service", False),
    ],
)
def test_a_key_is_known_on_its_kinds_and_a_family_by_its_head(key: str, kind: str, known: bool) -> None:  # noqa: FBT001  a table's column
    assert is_known(key, kind) is known


@pytest.mark.parametrize("deciding", DECIDING)
@pytest.mark.parametrize("kind", ["Service", "Ingress"])
def test_a_known_key_is_never_a_near_miss_whatever_its_value(deciding: str, kind: str) -> None:
    known = [key for key, each in recorded().items() if kind in each.kinds and key != deciding]
    for value in values(deciding):
        crowd = resource({"kind": kind, "metadata": {"annotations": dict.fromkeys(known, value)}})
        assert near_miss(crowd, deciding) is None


@given(st.sampled_from(DECIDING), st.integers(0, 70), st.sampled_from("x- _A"))
def test_one_letter_more_is_still_a_near_miss(key: str, at: int, letter: str) -> None:
    assert resembles(key[:at] + letter + key[at:], key)


@given(st.text(), st.text())
def test_the_distance_is_symmetric_and_never_raises(one: str, other: str) -> None:
    assert within(one, other, 2) == within(other, one, 2)
    assert within(one, one, 0)
