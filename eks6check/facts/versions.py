"""What an image's reference says: its repository, its tag, and the version that the tag names."""

from __future__ import annotations

from eks6check.facts.patterns import regex

Version = tuple[int, int, int]

VERSION = regex(r"v?([0-9]{1,9})\.([0-9]{1,9})(?:\.([0-9]{1,9}))?(?![0-9.])")

NEWEST = 10**9
"""The patch of a tag such as ``v2.4`` that moves with each release, for who wants it to count as its newest."""


def path(image: str) -> str:
    """An image's repository with its registry, as in ``quay.io/keycloak/keycloak``: no tag, no digest."""
    named, colon, label = image.partition("@")[0].rpartition(":")
    return named if colon and "/" not in label else image.partition("@")[0]


def repository(image: str) -> str:
    """The last part of an image's repository: no registry, no tag, no digest."""
    return image.partition("@")[0].rpartition("/")[2].partition(":")[0]


def tag(image: str) -> str:
    """An image's tag; empty where it has none, or a digest alone."""
    return image.partition("@")[0].rpartition("/")[2].partition(":")[2]


def version(text: str, patch: int = 0) -> Version | None:
    """The numbers that a text begins with, such as ``v1.12.6-eksbuild.2``; None for one that is no version.

    ``patch`` stands for a last number that is not there.
    """
    found = VERSION.match(text)
    return (int(found[1]), int(found[2]), int(found[3]) if found[3] else patch) if found else None
