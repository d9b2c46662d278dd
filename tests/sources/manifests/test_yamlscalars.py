"""Plain scalars as kubectl reads them, with either parser."""

from __future__ import annotations

from typing import Any

import pytest

from eks6check.sources.manifests import yamldoc
from eks6check.sources.manifests.yamldoc import Document


def one(text: str) -> Document:
    [document] = [each for each in yamldoc.documents(text) if not each.empty]
    return document


def value(text: str) -> Any:
    document = one(text)
    assert document.fault is None
    return document.value


KUBECTL = {
    True: ["true", "True", "TRUE", "y", "Y", "yes", "Yes", "YES", "on", "On", "ON"],
    False: ["false", "False", "FALSE", "n", "N", "no", "No", "NO", "off", "Off", "OFF"],
    None: ["~", "null", "Null", "NULL", ""],
    420: ["0644", "0o644", "420", "0b110100100", "0x1A4", "0X1a4"],
    -1: ["-1", "-0x1", "-01"],
    1000: ["1_000", "1__000", "1e3", "1E3", "1000.0"],
    8: ["08", "0_8", "+8"],
    0.5: [".5", "0.5", "5e-1"],
    1.1: ["1.10"],
    9223372036854775808: ["9223372036854775808"],
}
TEXTS = ["12:30:45", "1:20", "2026-01-01", "10.0.0.1", "::1", "fd00:ec2::23", "1.2.3", ".inf", ".nan", ".", "+", "0x"]
TEXTS += ["0b2", "1e400", "=", "0o9", "v1", "tRUE", "12a", "<<", "_1", "._8", ".1_"]


@pytest.mark.usefixtures("_either_parser")
@pytest.mark.parametrize(("expected", "written"), [(key, text) for key, texts in KUBECTL.items() for text in texts])
def test_a_plain_scalar_is_what_kubectl_makes_of_it(expected: object, written: str) -> None:
    read = value(f"a: {written}\n")["a"]
    assert (read, type(read)) == (expected, type(expected))


@pytest.mark.usefixtures("_either_parser")
@pytest.mark.parametrize("written", TEXTS)
def test_dates_times_addresses_and_broken_numbers_stay_text(written: str) -> None:
    assert value(f"a: {written}\n") == {"a": written}


@pytest.mark.parametrize("written", ["'yes'", '"0644"', "!!str 1", "|\n  1", "!Ref 1"])
def test_quotes_blocks_and_tags_keep_a_scalar_text(written: str) -> None:
    assert isinstance(value(f"a: {written}\n")["a"], str)


def test_a_standard_tag_makes_a_quoted_scalar_what_it_says() -> None:
    assert value('{a: !!int "3", b: !!bool "yes", c: !!null ""}') == {"a": 3, "b": True, "c": None}
