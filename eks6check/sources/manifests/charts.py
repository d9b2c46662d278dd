"""Helm charts, rendered by the user's own helm, and led back to their templates.

Helm names the template of a document, and no line; there the nearest line of the template is looked for.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

import yaml

from eks6check.errors import UsageError
from eks6check.facts import Gap
from eks6check.facts.kube import mapping, sequence, text
from eks6check.sources.manifests import files, nearest
from eks6check.sources.manifests.nearest import Source
from eks6check.sources.manifests.renderers import Part, failed, lines_of, program, run
from eks6check.sources.manifests.yamldoc import Document, cut, decode, read

SOURCE = re.compile(r"^# Source: (.+)$", re.MULTILINE)
"""How ``helm template`` names the template of a document: the chart's name, and a path inside the chart."""

LONGEST_RELEASE = 53
"""Characters of a release's name that Helm allows."""


def chart(path: str, values: Sequence[str] = ()) -> Iterator[Part | Gap]:
    """What a Helm chart makes with these files of values, and a ``Gap`` where helm will not render it.

    Raises:
        UsageError: there is no helm, or no such file of values.
    """
    helm = program("--helm", "helm template RELEASE CHART", ["helm"])
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


def release(path: str) -> str:
    """A release's name out of a chart's."""
    named = os.path.basename(os.path.realpath(path) if os.path.isdir(path) else path)  # noqa: PTH112, PTH119  likewise
    words = re.sub(r"[^a-z0-9]+", "-", named.lower())[:LONGEST_RELEASE]
    return words.strip("-") or "release"
