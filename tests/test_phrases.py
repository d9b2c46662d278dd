"""Lists in sentences."""

import pytest

from eks6check.facts.phrases import few, phrase


@pytest.mark.parametrize(
    ("words", "said"), [((), ""), (("a",), "a"), (("a", "b"), "a and b"), (("a", "b", "c"), "a, b and c")]
)
def test_words_become_a_list_in_a_sentence(words: tuple[str, ...], said: str) -> None:
    assert phrase(words) == said


@pytest.mark.parametrize(("most", "said"), [(1, "a and 2 more"), (2, "a, b and 1 more"), (3, "a, b and c")])
def test_a_long_list_ends_with_how_many_more_there_are(most: int, said: str) -> None:
    assert phrase(("a", "b", "c"), most) == said


@pytest.mark.parametrize(("words", "said"), [("", ""), ("abc", "a, b, c"), ("abcde", "a, b, c and 2 more")])
def test_few_words_have_commas_between_them(words: str, said: str) -> None:
    assert few(list(words)) == said
