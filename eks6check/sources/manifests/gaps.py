"""What could not be read of a file, or was read and is odd, as gaps and notes with their places."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from eks6check.facts import Gap
from eks6check.facts.kube import Resource, mapping, text
from eks6check.sources.manifests.yamldoc import Document, Fault, placed

RENDER = "Judge the rendered chart: `eks6check lint --helm CHART`, or pipe what it renders to into `eks6check lint -`."


def unreadable(name: str, error: OSError) -> Gap:
    """The gap of a file that cannot be opened."""
    if isinstance(error, IsADirectoryError):
        return Gap("read", "The folder cannot be entered.", "Give it the x permission, or leave it out.", name)
    reason = f"The file cannot be read: {error.strerror or type(error).__name__}."
    return Gap("read", reason, "Make it readable, or leave it out.", name)


def half_named(name: str, document: Document) -> Iterator[Gap]:
    """The gap of an object that says only half of what it is, which kubectl refuses."""
    body = mapping(document.value)
    missing = [key for key in ("apiVersion", "kind") if not text(body.get(key))]
    if len(missing) == 1 and isinstance(body.get("metadata"), dict):
        reason = f"It has metadata and no {missing[0]}, so nobody can tell what it is."
        remedy = f"Write its {missing[0]}, or leave the file out."
        yield Gap("read", reason, remedy, name, *document.mark(("metadata",)))


def repeated(name: str, key: str, line: int, column: int) -> Gap:
    """The note of a key that stands twice in one mapping."""
    reason = f"The key {key} stands twice; the last one counts, as kubectl reads it."
    return Gap("read", reason, "Keep one of them.", name, line, column)


def broken(name: str, document: Document, fault: Fault) -> Gap:
    """The gap of a document that does not parse."""
    if "{{" in document.text:
        return Gap("read", "It looks like a template that was not rendered.", RENDER, name, fault.line, fault.column)
    reason = f"This is not YAML: {fault.reason}."
    return Gap("read", reason, "Mend the document, or leave the file out.", name, fault.line, fault.column)


def template_gaps(name: str, document: Document, resources: Iterable[Resource]) -> Iterator[Gap]:
    """A gap for each object with ``{{`` in plain text: it is read as it stands, and may stand for something else."""
    if "{{" not in document.text:
        return
    _, places = placed(document.text)
    plain = [
        place.start
        for entries in places.values()
        for place in entries.values()
        if place.raw and not place.style and "{{" in place.raw
    ]
    for resource in resources:
        start, end = document.span(resource.origin.path)
        inside = [position for position in plain if start <= position < end]
        if inside:
            reason = f"{resource} holds a template that was not rendered."
            yield Gap("read", reason, RENDER, name, *document.coordinates(min(inside)))
