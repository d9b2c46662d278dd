"""Charts and kustomizations: rendered by the user's own helm, kustomize or kubectl, and led back to the files behind.

A document of a kustomization is judged as it was built, and its places are those in the file that it was built from.
Helm names the template of a document, and no line; there the nearest line of the template is looked for.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import tempfile
import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from eks6check.errors import UsageError
from eks6check.facts import Gap
from eks6check.facts.kube import mapping, sequence, text
from eks6check.sources.manifests import files, nearest
from eks6check.sources.manifests.nearest import Source
from eks6check.sources.manifests.yamldoc import Document, cut, decode, documents, read

SOURCE = re.compile(r"^# Source: (.+)$", re.MULTILINE)
"""How ``helm template`` names the template of a document: the chart's name, and a path inside the chart."""

ORIGIN = "config.kubernetes.io/origin"
"""The annotation in which kustomize says where an object comes from, if it is asked to; kustomize 4.5 and later."""

FIELD = re.compile(r"^(path|configuredIn|repo): (.+)$", re.MULTILINE)

KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")

LONGEST_RELEASE = 53
"""Characters of a release's name that Helm allows."""

ERROR = re.compile(r"^error:", re.MULTILINE | re.IGNORECASE)

LONGEST_REASON = 400
"""Characters that are kept of what a renderer says went wrong."""

KLOG = re.compile(r'^[EFW]\d{4} \S+ +\d+ \S+\] (?:"[^"]*" err=)?"?', re.MULTILINE)
"""What some kubectl writes before an error: a time, a number, and where in its source it stands."""

UNBUILT = re.compile(r"missing in charts/ directory")


class Part(NamedTuple):
    """One document of a rendering. With a ``source``, ``file`` is but a name for it, and its places are its own."""

    file: str
    document: Document
    source: Source | None = None


def parts(charts: Iterable[str], values: Sequence[str], kustomizations: Iterable[str]) -> Iterator[Part | Gap]:
    """Everything that these charts, all with the same files of values, and kustomizations make.

    Raises:
        UsageError: there is no program that renders them.
    """
    for path in charts:
        yield from chart(path, values)
    for folder in kustomizations:
        yield from kustomization(folder)


def chart(path: str, values: Iterable[str] = ()) -> Iterator[Part | Gap]:
    """What a Helm chart makes with these files of values, and a ``Gap`` where helm will not render it.

    Raises:
        UsageError: there is no helm, or no such file of values.
    """
    helm = program("--helm", "helm template RELEASE CHART", ["helm"])
    values = tuple(values)
    if missing := [file for file in values if not os.path.exists(file) and "://" not in file]:  # noqa: PTH110  takes any text
        raise UsageError(f"There is no file {missing[0]!r}.", "--values names a file of values for the charts.")
    given = [word for file in values for word in ("--values", file)]
    command = [*helm, "template", release(path), path, "--skip-tests", "--include-crds", *given]
    ran = run(command)
    if ran.returncode:
        yield failed(path, command, ran, f"helm dependency build {shlex.quote(path)}")
        return
    source = path
    for index, piece in enumerate(cut(decode(ran.stdout))):
        named, document = SOURCE.search(piece), read(piece, 1)
        source = named[1].strip() if named else source  # said once for a file of definitions, however many it has
        if not document.empty:
            yield from_template(document, path, source, index)


def from_template(document: Document, chart_path: str, source: str, index: int) -> Part:
    """A rendered document with its template, or with the words that name it where the chart is no folder here."""
    inside = template(chart_path, source)
    text_lines = lines_of(inside) if inside else []
    rendered = document.text.split("\n")
    shown = files.file_of(inside).shown if inside else source
    found = Source(shown, text_lines, rendered, nearest.numbers(rendered, text_lines, document.value))
    return Part(f"{shown}, document {index} of {chart_path}", document, found)


def template(chart_path: str, source: str) -> Path | None:
    """The file that ``# Source:`` names, None where the chart is no folder; a subchart goes by its alias there."""
    if not os.path.isdir(chart_path):  # noqa: PTH112  takes any text
        return None
    folder = Path(chart_path)
    _, *inside = Path(source).parts
    while len(inside) > 1 and inside[0] == "charts" and not (folder / "charts" / inside[1]).is_dir():
        named = aliases(folder).get(inside[1], inside[1])
        if not (folder / "charts" / named).is_dir():
            break
        inside[1] = named
    return folder.joinpath(*inside)


def aliases(folder: Path) -> dict[str, str]:
    """The subcharts of a chart by the other names that it gives them."""
    try:
        about = mapping(yaml.safe_load((folder / "Chart.yaml").read_bytes()))
    except (OSError, yaml.YAMLError):
        return {}
    dependencies = map(mapping, sequence(about.get("dependencies")))
    return {text(each["alias"]): text(each.get("name")) for each in dependencies if each.get("alias")}


def lines_of(path: Path) -> list[str]:
    """The lines of a file, none where it cannot be read."""
    try:
        return decode(path.read_bytes()).split("\n")
    except (OSError, UnicodeDecodeError):
        return []


def release(path: str) -> str:
    """A release's name out of a chart's."""
    named = os.path.basename(os.path.realpath(path) if os.path.isdir(path) else path)  # noqa: PTH112, PTH119  likewise
    words = re.sub(r"[^a-z0-9]+", "-", named.lower())[:LONGEST_RELEASE]
    return words.strip("-") or "release"


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


def program(option: str, otherwise: str, *choices: list[str]) -> list[str]:
    """The first of these commands that there is a program for.

    Raises:
        UsageError: there is none.
    """
    for command in choices:
        if found := shutil.which(command[0]):
            return [found, *command[1:]]
    names = " or ".join(command[0] for command in choices)
    raise UsageError(
        f"{option} needs {names}, and there is none on the PATH.",
        f"Install it, or render elsewhere and pipe it in: `{otherwise} | eks6check lint -`.",
    )


def run(command: Sequence[str]) -> subprocess.CompletedProcess[bytes]:
    """Run a renderer to its end."""
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)  # noqa: S603  what the user named, and no shell


def failed(name: str, command: Sequence[str], ran: subprocess.CompletedProcess[bytes], dependencies: str = "") -> Gap:
    """The gap of what would not render, in the renderer's own words."""
    told = KLOG.sub("", ran.stderr.decode("utf-8", "replace"))
    begin = ERROR.search(told)
    error = textwrap.shorten(told[begin.end() if begin else 0 :], LONGEST_REASON, placeholder=" ...")
    words = error.strip('."') or "no reason was told"
    by_itself = shlex.join([Path(command[0]).name, *command[1:]])
    remedy = dependencies if dependencies and UNBUILT.search(told) else by_itself
    return Gap("read", f"It cannot be rendered: {words}.", f"Run `{remedy}`.", name)
