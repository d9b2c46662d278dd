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
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from eks6check.errors import UsageError
from eks6check.facts import Gap
from eks6check.facts.kube import mapping, text
from eks6check.sources.manifests import files, nearest
from eks6check.sources.manifests.yamldoc import Document, decode, documents

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
    """One document of a rendering, and the file that it comes from, as reports name it."""

    file: str
    document: Document


@dataclass(frozen=True, slots=True)
class Rendered(Document):
    """A document whose places are in another text. ``lines`` are that text's for each of its own, 0 where none fits."""

    source: Sequence[str] = ()
    lines: Sequence[int] = ()

    @property
    def last_line(self) -> int:
        """The last line that any of its lines comes from."""
        return max(self.lines, default=0)

    def coordinates(self, position: int) -> tuple[int, int]:
        """The line and the column in the source; both 0 where there is no such line."""
        return nearest.coordinates(self.text, position, self.source, self.lines)


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
        UsageError: there is no helm.
    """
    helm = program("--helm", "helm template RELEASE CHART", ["helm"])
    given = [word for file in values for word in ("--values", file)]
    command = [*helm, "template", release(path), path, "--skip-tests", *given]
    ran = run(command)
    if ran.returncode:
        yield failed(path, command, ran, f"helm dependency build {shlex.quote(path)}")
        return
    for document in documents(decode(ran.stdout)):
        named = SOURCE.search(document.text)
        if named and not document.empty:
            yield from_template(document, template(path, named[1].strip()))


def template(chart_path: str, source: str) -> Path:
    """The file that ``# Source:`` names; the words themselves where the chart is no folder here."""
    inside = Path(*Path(source).parts[1:])
    return Path(chart_path) / inside if os.path.isdir(chart_path) else Path(source)  # noqa: PTH112  takes any text


def from_template(document: Document, path: Path) -> Part:
    """A rendered document, led back to its template. One that is packed in an archive has no lines."""
    source = lines_of(path)
    lines = nearest.lines(document.text.split("\n"), source, mapping(document.value))
    first = min(filter(None, lines), default=0)
    led = Rendered(document.text, first, document.value, document.fault, (), source, lines)
    return Part(files.file_of(path).shown, led)


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
        for document in documents(decode(ran.stdout)):
            if not document.empty:
                yield from_origin(document, folder, around, known)


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


def from_origin(document: Document, folder: str, around: str, known: Callable[[Path], list[Document]]) -> Part:
    """A built document in the place of the one that it was built from; else the file it comes from, and no line."""
    value, origin = without_origin(document.value)
    own = "" if "repo" in origin else origin.get("path") or origin.get("configuredIn", "")
    path = Path(os.path.normpath(Path(os.path.realpath(around), own)))
    if not own or not path.is_file():
        made_by = next((name for name in KUSTOMIZATIONS if os.path.exists(os.path.join(folder, name))), "")  # noqa: PTH110, PTH118  likewise
        path = Path(folder, made_by)
    shown = files.file_of(path).shown
    found = nearest.origin(value, known(path))
    return Part(shown, replace(found, value=value) if found else Rendered(document.text, 0, value, document.fault))


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
