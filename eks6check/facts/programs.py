"""Which program a container runs, and how that is known: its command, its image, or the variables it is given.

A bind address says nothing by itself: ``0.0.0.0`` is all families to Go and Java, and IPv4 alone to most others. What
no one can name is named by nobody: a program is resolved with its evidence, or not at all.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from itertools import dropwhile
from typing import NamedTuple

from eks6check.facts import Path
from eks6check.facts.kube import Container, text
from eks6check.facts.patterns import regex
from eks6check.facts.versions import repository, tag
from eks6check.knowledge.listeners import Listener, listeners, named

SHELLS = frozenset({"sh", "bash", "ash", "dash", "zsh"})

WRAPPERS = frozenset(
    {"exec", "env", "tini", "dumb-init", "catatonit", "nice", "nohup", "gosu", "su-exec", "setpriv", "time"}
)
WRAPPERS |= frozenset({"run", "poetry", "uv", "pipenv", "pdm", "rye", "bundle", "npx", "pnpm", "yarn", "bunx"})
WRAPPERS |= frozenset({"opentelemetry-instrument", "ddtrace-run", "newrelic-admin", "run-program", "coverage", "--"})
"""Words before the program that start it, or something around it."""

ENTRY_SCRIPT = regex(r"\.sh$|^(?:docker-)?entrypoint$|^run$")
"""Scripts of an image that end in its own program; the image's name says which."""

PYTHON = regex(r"python[\d.]*$")
ASSIGNMENT = regex(r"[A-Za-z_]\w*=")
SEPARATOR = regex(r"\n|;|&&|\|\|?")


class Word(NamedTuple):
    """A word of a command line, and the path to the text that holds it."""

    path: Path
    value: str


class Program(NamedTuple):
    """What a container runs: what is known of it, the words behind its name, and how it is known."""

    listener: Listener
    words: tuple[Word, ...]
    known_by: str


def programs(container: Container) -> list[Program]:
    """The programs that a container runs and that the table knows; a shell may run several. Empty if none is known."""
    words = [Word(path, value) for path, value in container.arguments()]
    found = [made for line in lines(words) if (made := _by_command(line))]
    if found:
        return found
    command = bool(container.body.get("command"))
    own = words if not command else words[1:] if words and _script(words[0].value) else []
    if command and not _leaves_it_to_the_image(words):
        return []
    listener = named("images", repository(container.image).lower())
    if listener and listener.tags in tag(container.image):
        return [Program(listener, tuple(own), f"image {container.image}")]
    by_prefix = _by_variables(container)
    return [Program(by_prefix[0], tuple(own), by_prefix[1])] if by_prefix else []


def lines(words: Sequence[Word]) -> Iterator[list[Word]]:
    """The commands of a container's command line: itself, or each of those in the script of a shell."""
    if not words or base(words[0].value) not in SHELLS:
        yield list(words)
        return
    script = next((word for word in words[1:] if not re.fullmatch(r"-\w+|pipefail", word.value)), None)
    if script:
        whole = re.sub(r"\\\n", " ", script.value)
        for command in SEPARATOR.split(whole):
            yield [Word(script.path, each) for each in split(command)]


def split(command: str) -> list[str]:
    """The words of a command as a shell would part them, or at blanks where its quotes do not close."""
    try:
        return shlex.split(command, comments=True)
    except ValueError:
        return command.split()


def base(command: str) -> str:
    """A program's name without its folder."""
    return command.rpartition("/")[2]


def _by_command(words: list[Word]) -> Program | None:
    rest = list(words)
    while rest and (base(rest[0].value) in WRAPPERS or ASSIGNMENT.match(rest[0].value) or _script(rest[0].value)):
        rest.pop(0)
        while rest and rest[0].value.startswith("-") and rest[0].value != "--":
            rest.pop(0)
    if not rest:
        return None
    name = base(rest[0].value)
    if PYTHON.match(name):
        modules = [index for index, word in enumerate(rest) if word.value == "-m"]
        rest = rest[modules[0] + 1 :] if modules else list(dropwhile(_is_option, rest[1:]))
        name = base(rest[0].value).removesuffix(".__main__") if rest else ""
    listener = named("commands", name)
    if listener and listener.subcommand and listener.subcommand.isdisjoint(word.value for word in rest[1:]):
        return None
    return Program(listener, tuple(rest[1:]), f"command {name}") if listener else None


def _is_option(word: Word) -> bool:
    return word.value.startswith("-")


def _script(word: str) -> bool:
    return bool(ENTRY_SCRIPT.search(base(word))) or base(word) == "bundle"


def _leaves_it_to_the_image(words: Sequence[Word]) -> bool:
    return bool(words) and (base(words[0].value) in SHELLS or _script(words[0].value))


def _by_variables(container: Container) -> tuple[Listener, str] | None:
    for _, name, _ in container.env():
        for listener in listeners():
            if listener.prefix and text(name).startswith(listener.prefix):
                return listener, f"variable {name}"
    return None
