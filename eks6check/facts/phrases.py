"""Lists as sentences have them."""

from __future__ import annotations

from collections.abc import Sequence


def phrase(words: Sequence[str], most: int | None = None) -> str:
    """The words as a list in a sentence: ``a, b and c``, or ``a, b and 3 more`` behind as many as ``most``."""
    if most is not None and len(words) > most:
        words = [*words[:most], f"{len(words) - most} more"]
    return " and ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))


def few(words: Sequence[str], most: int = 3) -> str:
    """The first words with nothing but commas between them, and how many more there are."""
    return phrase(words, most) if len(words) > most else ", ".join(words)
