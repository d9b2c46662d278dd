"""A configuration in a snapshot: its structure and the fields that rules read, and none of what somebody entrusted."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from eks6check.sources.configurations import pruned


def nothing(word: str) -> bool:
    """No text that rules look for anywhere."""
    del word
    return False


def test_fields_that_rules_read_are_kept_and_passwords_are_not() -> None:
    text = "scrape_configs:\n- basic_auth: {password: hunter2}\n  static_configs: [{targets: [web:80]}]\n"
    kept = pruned(text, nothing)
    assert kept is not None
    assert "hunter2" not in kept
    assert yaml.safe_load(kept)["scrape_configs"][0]["static_configs"] == [{"targets": ["web:80"]}]


def test_what_rules_look_for_in_any_text_is_kept_too() -> None:
    text = "memberlist: {join_members: [a]}\nclient: {url: http://10.0.0.1, token: hunter2}\n"
    kept = pruned(text, lambda word: "10.0.0.1" in word)
    assert yaml.safe_load(kept or "")["client"] == {"url": "http://10.0.0.1", "token": None}


@pytest.mark.parametrize("text", ["", "key: value\n", "memberlist: [a", "memberlist: !!python/name:os.system\n"])
def test_another_text_or_a_broken_one_is_no_configuration(text: str) -> None:
    assert pruned(text, nothing) is None


def test_aliases_do_not_make_it_grow() -> None:
    bomb = "memberlist: &a [x]\n" + "".join(f"b{i}: &{chr(98 + i)} [{f'*{chr(97 + i)}, ' * 9}]\n" for i in range(20))
    assert len(pruned(bomb, nothing) or "") < 20 * len(bomb)


@given(st.text(alphabet="memberlist:{}[]&*-\n a!'\"", max_size=60))
def test_no_text_breaks_it(text: str) -> None:
    assert isinstance(pruned(f"memberlist: a\n{text}", nothing), str | None)
