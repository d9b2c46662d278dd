"""Manifests: files made into sections of Kubernetes objects, and into gaps where they could not be read.

Every file, and every document in it, ends as objects, as something that is no Kubernetes object (counted), or as a
gap with its place. Nothing is dropped in silence.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, BinaryIO

from eks6check.facts import Gap
from eks6check.facts.kube import Resource
from eks6check.findings import Suppression
from eks6check.sources import Collector
from eks6check.sources.manifests import files
from eks6check.sources.manifests.comments import suppressions
from eks6check.sources.manifests.gaps import broken, half_named, repeated, template_gaps, unreadable
from eks6check.sources.manifests.glance import unread
from eks6check.sources.manifests.objects import GIVEN, objects, section_of
from eks6check.sources.manifests.yamldoc import Document, decode, documents
from eks6check.workers import MOST_JOBS, spread

if TYPE_CHECKING:
    from eks6check.sources.manifests.nearest import Source
    from eks6check.sources.manifests.renderers import Part

MANY_FILES = 100
BATCH = 32
"""From how many files on it pays to read them in several processes, and how many at least a process takes at a time."""

GIT_CRYPT = b"\0GITCRYPT\0"


@dataclass(frozen=True, slots=True)
class Files:
    """What the files of a run hold.

    ``resources`` are objects by section. ``gaps`` are what could not be read, and ``notes`` what was read and is odd
    (a key that stands twice, a comment that is not understood); a note leaves nothing unknown. ``counts`` counts
    ``files``, ``documents``, ``resources`` (all Kubernetes objects) and ``other_documents``. ``sources`` say what the
    rendered documents among the files come from.
    """

    resources: Mapping[str, tuple[Resource, ...]] = field(default_factory=dict)
    gaps: tuple[Gap, ...] = ()
    notes: tuple[Gap, ...] = ()
    suppressions: tuple[Suppression, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    sources: Mapping[str, Source] = field(default_factory=dict)


@dataclass(slots=True)
class Pile:
    """``Files`` in the making."""

    resources: dict[str, list[Resource]] = field(default_factory=dict)
    gaps: list[Gap] = field(default_factory=list)
    notes: list[Gap] = field(default_factory=list)
    suppressions: list[Suppression] = field(default_factory=list)
    counts: dict[str, int] = field(
        default_factory=lambda: {"files": 0, "documents": 0, "resources": 0, "other_documents": 0}
    )
    sources: dict[str, Source] = field(default_factory=dict)


def read(paths: Iterable[str], stdin: BinaryIO | None = None, parts: Iterable[Part | Gap] = ()) -> Files:
    """Read files, folders, globs, and standard input for ``-``; ``parts`` are documents that a renderer has made.

    Raises:
        UsageError: a path names nothing.
        NothingCheckedError: there is no manifest in any of the folders.
    """
    found = files.find(paths) if paths else ()
    rendered = Pile()
    add_parts(rendered, parts)
    return joined([*piles(found, stdin), rendered])


def piles(found: Sequence[files.File], stdin: BinaryIO | None) -> list[Pile]:
    """What the files hold. Many are read in several processes; standard input, which is there but once, in this one."""
    if len(found) < MANY_FILES or any(file.path is None for file in found):
        return [read_files(found, stdin)]
    size = max(BATCH, len(found) // MOST_JOBS + 1)
    return spread(read_files, [found[start : start + size] for start in range(0, len(found), size)])


def read_files(some: Iterable[files.File], stdin: BinaryIO | None = None) -> Pile:
    """What some files hold."""
    pile = Pile()
    for file in some:
        pile.counts["files"] += 1
        try:
            data = file.path.read_bytes() if file.path else (stdin or sys.stdin.buffer).read()
        except OSError as error:
            pile.gaps.append(unreadable(file.shown, error))
        else:
            add_file(pile, file.shown, data)
    return pile


def joined(piles: Sequence[Pile]) -> Files:
    """All piles in one, in their order."""
    sections = {section: None for pile in piles for section in pile.resources}
    return Files(
        {section: tuple(each for pile in piles for each in pile.resources.get(section, ())) for section in sections},
        tuple(gap for pile in piles for gap in pile.gaps),
        tuple(note for pile in piles for note in pile.notes),
        tuple(each for pile in piles for each in pile.suppressions),
        {name: sum(pile.counts[name] for pile in piles) for name in Pile().counts},
        {name: source for pile in piles for name, source in pile.sources.items()},
    )


def add_file(pile: Pile, name: str, data: bytes) -> None:
    """Add what one file holds, or the gap that it is."""
    content = text_of(name, data)
    if isinstance(content, Gap):
        pile.gaps.append(content)
    elif is_other_json(name, content):
        pile.counts["documents"] += 1
        pile.counts["other_documents"] += 1
    else:
        read_documents = list(documents(content, unread))
        for document in read_documents:
            if not document.empty:
                add_document(pile, name, document)
        add_comments(pile, name, read_documents)


def add_parts(pile: Pile, parts: Iterable[Part | Gap]) -> None:
    """Add what was rendered, each document with the file that it comes from, and what would not render."""
    names = set[str]()
    for part in parts:
        if isinstance(part, Gap):
            pile.gaps.append(part)
        else:
            names.add(part.source.file if part.source else part.file)
            add_document(pile, part.file, part.document)
            add_comments(pile, part.file, [part.document])
            if part.source:
                pile.sources[part.file] = part.source
    pile.counts["files"] += len(names)


def add_comments(pile: Pile, name: str, read_documents: Sequence[Document]) -> None:
    """Add what the comments of documents say."""
    for found in suppressions(read_documents, name):
        if isinstance(found, Gap):
            pile.notes.append(found)
        else:
            pile.suppressions.append(found)


def is_other_json(name: str, content: str) -> bool:
    """Whether a file is JSON that cannot be a manifest: nobody need parse it, be it megabytes or full of comments."""
    return name.lower().endswith(".json") and "apiVersion" not in content and "{{" not in content


def text_of(name: str, data: bytes) -> str | Gap:
    """The text of a file, or why it has none."""
    if data.startswith(GIT_CRYPT):
        return Gap("read", "The file is encrypted with git-crypt.", "Unlock it: `git-crypt unlock`.", name)
    try:
        content = decode(data)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        return Gap("read", f"The file is not {error.encoding.upper()} text.", "Save it as UTF-8.", name, line, 1)
    if "\0" in content:
        return Gap("read", "The file is binary.", "Leave it out, or give it another ending.", name)
    return content


def add_document(pile: Pile, name: str, document: Document) -> None:
    """Add the objects of one document, or the gap that it is."""
    pile.counts["documents"] += 1
    if document.fault:
        pile.gaps.append(broken(name, document, document.fault))
        return
    resources = list(objects(name, document))
    pile.counts["resources"] += len(resources)
    if not resources:
        pile.counts["other_documents"] += 1
        pile.gaps.extend(half_named(name, document))
        return
    pile.notes.extend(repeated(name, *each) for each in document.repeated)
    judged = [(section, each) for each in resources if (section := section_of(each))]
    for section, resource in judged:
        pile.resources.setdefault(section, []).append(resource)
    pile.gaps.extend(template_gaps(name, document, [resource for _, resource in judged]))


def give(section: str, read_files: Files) -> Iterator[Resource | Gap]:
    """One section of the files, and everything that could not be read: it might have held more."""
    yield from read_files.resources.get(section, ())
    yield from read_files.gaps


COLLECTORS = tuple(Collector(section, partial(give, section), (), ()) for section in GIVEN)
"""One collector for each section that files can give. Reading files takes no permission, so none has calls."""
