"""Which files a run reads: those named, and in folders the manifests that git does not ignore.

The ``.gitignore`` files are read as git reads them, up to the top of the repository, without git itself.
"""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from eks6check.errors import NothingCheckedError, UsageError

if TYPE_CHECKING:
    from pathspec import RegexPattern

SUFFIXES = frozenset({".yaml", ".yml", ".json"})

BOOKKEEPING = frozenset({".git", ".hg", ".svn"})
"""Folders of version control. Other hidden folders, such as ``.github``, are read like any."""

GITIGNORE = ".gitignore"

STDIN = "-"


class File(NamedTuple):
    """A file to read, None for standard input, and its name in reports."""

    path: Path | None
    shown: str


class Ignore(NamedTuple):
    """One ``.gitignore``: the folder it stands in, and its patterns from last to first."""

    folder: Path
    patterns: Sequence[RegexPattern]

    def decides(self, path: Path, *, folder: bool) -> bool | None:
        """Whether it ignores a path below its folder, takes it back, or (None) says nothing. The last match counts."""
        name = path.relative_to(self.folder).as_posix()
        return next((each.include for each in self.patterns if means(each, name, folder=folder)), None)


def means(pattern: RegexPattern, name: str, *, folder: bool) -> bool:
    """Whether a pattern means this very path. Those of pathspec also match all that is below a folder; git's do not."""
    if pattern.regex is None:
        return False
    alone = pattern.regex.search(name)
    if alone and not alone.groupdict().get(BELOW):
        return True
    found = pattern.regex.finditer(f"{name}/") if folder else ()
    return any(each.groupdict().get(BELOW) and each.start(BELOW) == len(name) for each in found)


BELOW = "ps_d"
"""pathspec's name for the slash behind which a match goes on below a folder."""

Ignores = tuple[Ignore, ...]


def find(paths: Iterable[str]) -> tuple[File, ...]:
    """The files that these paths name, each once, sorted by the name that reports show.

    A path is a file, which is always read; a folder; a glob pattern; or ``-`` for standard input.

    Raises:
        UsageError: a path names nothing.
        NothingCheckedError: there is no manifest in any of the folders.
    """
    paths = tuple(paths)
    found: dict[str, File] = {}
    known: dict[str, str] = {}
    for path in paths:
        for file in named(path):
            found.setdefault(real(str(file.path), known) if file.path else STDIN, file)
    if not found:
        raise NothingCheckedError(
            f"There is no manifest in {', '.join(map(repr, paths))}.",
            "Files that end in .yaml, .yml or .json are read, unless a .gitignore leaves them out.",
        )
    return tuple(sorted(found.values(), key=lambda file: file.shown))


def real(path: str, known: dict[str, str]) -> str:
    """``os.path.realpath``, which looks at each folder of a path anew; ``known`` keeps those of the paths asked for."""
    if path not in known:
        folder, name = os.path.split(path)
        plain = folder and name not in ("", os.pardir) and not os.path.islink(path)  # noqa: PTH114  never raises
        known[path] = os.path.join(real(folder, known), name) if plain else os.path.realpath(path)  # noqa: PTH118  Path is slow
    return known[path]


def named(path: str) -> Iterator[File]:
    """The files that one path names.

    Raises:
        UsageError: it names nothing.
    """
    if path == STDIN:
        yield File(None, "stdin")
    elif os.path.isdir(path):  # noqa: PTH112  unlike Path, it takes any text for an answer
        yield from below(path, is_manifest)
    elif is_there(path):
        yield file_of(Path(path))
    elif glob.has_magic(path):
        yield from matching(path)
    else:
        raise UsageError(
            f"There is no file or folder {path!r}.",
            "Paths are relative to the working directory; `-` reads standard input.",
        )


def is_there(path: str) -> bool:
    """Whether a path names something. What lies in a folder that may not be entered counts; reading it will say why."""
    try:
        os.stat(path)  # noqa: PTH116  unlike Path, it takes any text
    except PermissionError:
        return True
    except (OSError, ValueError):
        return False
    return True


def matching(pattern: str) -> Iterator[File]:
    """The files that a pattern finds, and the manifests in the folders that it finds.

    A pattern that ends in an asterisk asks for no kind of file, so it gives manifests only.

    Raises:
        UsageError: it finds nothing.
    """
    hits = {os.path.abspath(hit) for hit in glob.glob(pattern, recursive=True, include_hidden=True)}  # noqa: PTH100, PTH207  Path has no pattern with a base
    if not hits:
        raise UsageError(f"Nothing matches {pattern!r}.", "Quote a pattern only where the shell shall not expand it.")
    fixed = [part for part in Path(pattern).parts if glob.has_magic(part)]
    base = pattern[: pattern.index(fixed[0])] or "."

    def wanted(file: Path) -> bool:
        if str(file) in hits and not pattern.endswith("*"):
            return True
        return is_manifest(file) and any(str(each) in hits for each in (file, *file.parents))

    yield from below(base, wanted)


def below(folder: str, wanted: Callable[[Path], bool]) -> Iterator[File]:
    """The wanted files below a folder, named as the folder was."""
    top = Path(os.path.abspath(folder))  # noqa: PTH100  Path.absolute keeps the dots
    base, length = near(Path(folder)), len(str(top))
    return (shown(base / str(each)[length:].lstrip(os.sep)) for each in walk(top) if wanted(each))


def file_of(path: Path) -> File:
    """A file with its name for reports: as given, or relative to the working directory where it is below it."""
    return shown(near(path))


def near(path: Path) -> Path:
    """A path as given, or relative to the working directory where it is below it."""
    return path.relative_to(Path.cwd()) if path.is_absolute() and path.is_relative_to(Path.cwd()) else path


def shown(path: Path) -> File:
    """A file whose name for reports is its path."""
    return File(path, os.fsencode(path.as_posix()).decode("utf-8", "replace"))


def is_manifest(path: Path) -> bool:
    """Whether a name ends like a manifest's. A folder here is one that cannot be opened; reading it will say why."""
    return path.suffix.lower() in SUFFIXES or os.path.isdir(path)  # noqa: PTH112  never raises


def walk(top: Path) -> Iterator[Path]:
    """Every file below a folder that git does not ignore. Links to folders are followed, but each folder read once."""
    folders = [(top, above(top))]
    seen = set[tuple[int, int]]()
    while folders:
        folder, ignores = folders.pop()
        try:
            status, entries = os.stat(f"{folder}/."), list(os.scandir(folder))  # noqa: PTH116  Path drops the dot: may it be entered?
        except OSError:
            yield folder
            continue
        if (status.st_dev, status.st_ino) in seen:
            continue
        seen.add((status.st_dev, status.st_ino))
        if any(entry.name == GITIGNORE for entry in entries):
            ignores = (*ignores, *ignore_file(folder))
        for entry in entries:
            path = folder / entry.name
            is_folder = os.path.isdir(entry) if entry.is_symlink() else entry.is_dir()  # noqa: PTH112  never raises
            if entry.name in BOOKKEEPING or ignored(path, ignores, folder=is_folder):
                continue
            if is_folder:
                folders.insert(0 if entry.is_symlink() else len(folders), (path, ignores))
            elif entry.is_file(follow_symlinks=False) or leads_to_file(entry):
                yield path


def leads_to_file(link: os.DirEntry[str]) -> bool:
    """Whether a link leads to a file, or nowhere, which reading it will say; a pipe is neither."""
    return os.path.isfile(link) or not os.path.exists(link)  # noqa: PTH110, PTH113  never raises


def above(top: Path) -> Ignores:
    """What stands in the ``.gitignore`` files above a folder, up to the top of its repository.

    Nothing, if they ignore the folder itself: whoever names it wants it read.
    """
    line = (top, *top.parents)
    height = next((index for index, folder in enumerate(line) if os.path.exists(folder / ".git")), 0)  # noqa: PTH110  never raises
    ignores: Ignores = ()
    for folder, child in pairwise(reversed(line[: height + 1])):
        ignores = (*ignores, *ignore_file(folder))
        if ignored(child, ignores, folder=True):
            return ()
    return ignores


def ignored(path: Path, ignores: Ignores, *, folder: bool) -> bool:
    """Whether git would ignore a path: the nearest ``.gitignore`` that says anything decides."""
    decisions = (each.decides(path, folder=folder) for each in reversed(ignores))
    return next((decision for decision in decisions if decision is not None), False)


def ignore_file(folder: Path) -> Ignores:
    """The ``.gitignore`` of a folder, if it has one that can be read."""
    try:
        lines = (folder / GITIGNORE).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ()
    patterns = [pattern for line in reversed(lines) for pattern in compiled(line)]
    return (Ignore(folder, patterns),) if patterns else ()


def compiled(line: str) -> Iterator[RegexPattern]:
    """The pattern of one line; nothing for a comment, or for what is no pattern to git either."""
    from pathspec import GitIgnoreSpec  # noqa: PLC0415  most runs name files, and need none of it

    with suppress(ValueError, re.error):
        yield from (pattern for pattern in GitIgnoreSpec.from_lines([line]).patterns if pattern.include is not None)
