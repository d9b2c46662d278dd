"""Kustomizations, built by the user's own kustomize or kubectl.

A document is judged as it was built, and its places are those in the file that it was built from.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from eks6check.facts import Gap
from eks6check.facts.kube import mapping, text
from eks6check.sources.manifests import files, nearest
from eks6check.sources.manifests.nearest import Source
from eks6check.sources.manifests.renderers import Part, failed, lines_of, program, run
from eks6check.sources.manifests.yamldoc import Document, cut, decode, documents, read

ORIGIN = "config.kubernetes.io/origin"
"""The annotation in which kustomize says where an object comes from, if it is asked to; kustomize 4.5 and later."""

FIELD = re.compile(r"^(path|configuredIn|repo): (.+)$", re.MULTILINE)

KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")


def kustomization(folder: str) -> Iterator[Part | Gap]:
    """What a kustomization builds, and a ``Gap`` where it does not build.

    Raises:
        UsageError: there is neither kustomize nor kubectl.
    """
    build = program("--kustomize", "kustomize build DIR", ["kustomize", "build"], ["kubectl", "kustomize"])
    with tempfile.TemporaryDirectory() as around:
        ran = traced(build, folder, around)
        if ran is None or ran.returncode:
            command = [*build, folder]
            ran = run(command)
            if ran.returncode:
                yield failed(folder, command, ran)
                return
        known = cache(documents_of)
        for index, piece in enumerate(cut(decode(ran.stdout))):
            document = read(piece, 1)
            if not document.empty:
                yield from_origin(document, folder, around, index, known)


def traced(build: Sequence[str], folder: str, around: str) -> subprocess.CompletedProcess[bytes] | None:
    """A build in which each object says where it comes from: that of a kustomization around the user's own."""
    if not os.path.isdir(folder):  # noqa: PTH112  likewise
        return None
    try:
        inside = os.path.relpath(os.path.realpath(folder), os.path.realpath(around))
    except ValueError:  # another drive
        return None
    wanted = {"resources": [inside], "buildMetadata": ["originAnnotations"]}
    Path(around, KUSTOMIZATIONS[0]).write_text(yaml.safe_dump(wanted), encoding="utf-8")
    return run([*build, os.path.realpath(around)])


def from_origin(
    document: Document, folder: str, around: str, index: int, known: Callable[[Path], list[Document]]
) -> Part:
    """A built document in the place of the one that it was built from; else the file it comes from, and no line."""
    value, origin = without_origin(document.value)
    own = "" if "repo" in origin else origin.get("path") or origin.get("configuredIn", "")
    path = Path(os.path.normpath(Path(os.path.realpath(around), own)))
    if not own or not path.is_file():
        made_by = next((name for name in KUSTOMIZATIONS if os.path.exists(os.path.join(folder, name))), "")  # noqa: PTH110, PTH118  likewise
        path = Path(folder, made_by)
    shown = files.file_of(path).shown
    if found := nearest.origin(value, known(path)):
        return Part(shown, replace(found, value=value))
    return Part(f"{shown}, document {index} of {folder}", replace(document, value=value), Source(shown))


def documents_of(path: Path) -> list[Document]:
    """The documents of a file, none where it cannot be read."""
    return list(documents("\n".join(lines_of(path))))


def without_origin(value: Any) -> tuple[Any, dict[str, str]]:
    """An object without what kustomize wrote into it for us, and the fields of that."""
    metadata = mapping(mapping(value).get("metadata"))
    annotations = dict(mapping(metadata.get("annotations")))
    if ORIGIN not in annotations:
        return value, {}
    origin = dict(FIELD.findall(text(annotations.pop(ORIGIN))))
    rest = {key: each for key, each in metadata.items() if key != "annotations"}
    return {**value, "metadata": rest | ({"annotations": annotations} if annotations else {})}, origin
