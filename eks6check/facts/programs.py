"""Which program a container runs, and how that is known: its command, its image, or the variables it is given.

A bind address says nothing by itself: ``0.0.0.0`` is all families to Go and Java, and IPv4 alone to most others. What
no one can name is named by nobody: a program is resolved with its evidence, or not at all.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import dropwhile
from typing import NamedTuple

from eks6check.facts import Path
from eks6check.facts.kube import Container
from eks6check.facts.patterns import regex
from eks6check.facts.versions import repository, tag
from eks6check.knowledge.listeners import Listener, listeners, named

SHELLS = frozenset({"sh", "bash", "ash", "dash", "zsh"})

WRAPPERS = frozenset(
    {"exec", "env", "tini", "dumb-init", "catatonit", "nice", "nohup", "gosu", "su-exec", "setpriv", "time", "--"}
    | {"run", "poetry", "uv", "pipenv", "pdm", "rye", "bundle", "npx", "pnpm", "yarn", "bunx"}
    | {"opentelemetry-instrument", "ddtrace-run", "newrelic-admin", "run-program", "coverage"}
)
"""Words before the program that start it, or something around it."""

ENTRY_SCRIPT = regex(r"\.sh$|^(?:docker-)?entrypoint$|^run$")
"""Scripts of an image that end in its own program; the image's name says which."""

PYTHON = regex(r"python[\d.]*$")
RUNTIMES = frozenset({"php", "ruby", "node"})
"""What may run the script of a program that the table knows, as ``php artisan``. PHP is a server itself, too."""

RELEASE = regex(r"v?(\d{1,9})\.(\d{1,9})")
ASSIGNMENT = regex(r"[A-Za-z_]\w*=")
SEPARATOR = regex(r"\n|;|&&|\|\|?")


class Word(NamedTuple):
    """A word of a command line, the path to the text that holds it, and whether that is the script of a shell."""

    path: Path
    value: str
    scripted: bool = False


class Program(NamedTuple):
    """What a container runs: what is known of it, the words behind its name, and how it is known."""

    listener: Listener
    words: tuple[Word, ...]
    known_by: str


def programs(container: Container, variables: Iterable[str] = ()) -> list[Program]:
    """The programs that a container runs and that the table knows; a shell may run several. Empty if none is known.

    ``variables`` are the names of all that it is given, out of ConfigMaps too.
    """
    found = _programs(container, variables)
    return [each._replace(listener=_in_release(each.listener, container.image)) for each in found]


def _programs(container: Container, variables: Iterable[str]) -> list[Program]:
    words = [Word(path, value) for path, value in container.arguments()]
    found = [made for line in lines(words) if (made := _by_command(line))]
    if found:
        return found
    own = words
    if container.body.get("command"):
        if not _leaves_it_to_the_image(words):
            return []
        own = words[1:] if _is_script(words[0].value) else []
    known = _by_image(container) or _by_variables(variables)
    return [Program(known[0], tuple(own), known[1])] if known else []


def lines(words: Sequence[Word]) -> Iterator[list[Word]]:
    """The commands of a container's command line: itself, or each of those in the script of a shell."""
    if not words or base(words[0].value) not in SHELLS:
        yield list(words)
        return
    script = next((word for word in words[1:] if not re.fullmatch(r"-\w+|pipefail", word.value)), None)
    if script:
        whole = re.sub(r"\\\n", " ", script.value)
        for command in SEPARATOR.split(whole):
            yield [Word(script.path, each, scripted=True) for each in split(command)]


def split(command: str) -> list[str]:
    """The words of a command as a shell would part them, or at blanks where its quotes do not close."""
    try:
        return shlex.split(command, comments=True)
    except ValueError:
        return command.split()


def base(command: str) -> str:
    """A program's name without its folder."""
    return command.rpartition("/")[2]


def _by_command(words: Sequence[Word]) -> Program | None:
    rest = unwrapped(words)
    name = base(rest[0].value) if rest else ""
    if PYTHON.match(name):
        rest = _run_by_python(rest[1:])
        name = base(rest[0].value).removesuffix(".__main__") if rest else ""
    elif name in RUNTIMES and (script := _run_by_runtime(rest[1:])):
        rest, name = script, base(script[0].value)
    listener = named("commands", name)
    if listener and listener.subcommand and listener.subcommand.isdisjoint(word.value for word in rest[1:]):
        return None
    return Program(listener, tuple(rest[1:]), f"command {name}") if listener else None


def _run_by_runtime(words: Sequence[Word]) -> list[Word]:
    """The words from the script behind the options on, if the table knows it."""
    rest = list(dropwhile(lambda word: _is_option(word) or ASSIGNMENT.match(word.value), words))
    return rest if rest and named("commands", base(rest[0].value)) else []


def unwrapped(words: Sequence[Word]) -> list[Word]:
    """A command from its program on, without what starts that, and the options of it."""
    rest = list(words)
    while rest and _is_wrapper(rest[0].value):
        rest = list(dropwhile(lambda word: _is_option(word) and word.value != "--", rest[1:]))
    return rest


def _is_wrapper(word: str) -> bool:
    return base(word) in WRAPPERS or ASSIGNMENT.match(word) is not None or _is_script(word)


def _run_by_python(words: Sequence[Word]) -> list[Word]:
    """The words from the module behind ``-m`` on, or from the file behind the options."""
    modules = [index for index, word in enumerate(words) if word.value == "-m"]
    return list(words[modules[0] + 1 :] if modules else dropwhile(_is_option, words))


def _is_option(word: Word) -> bool:
    return word.value.startswith("-")


def _is_script(word: str) -> bool:
    return bool(ENTRY_SCRIPT.search(base(word))) or base(word) == "bundle"


def _leaves_it_to_the_image(words: Sequence[Word]) -> bool:
    """Whether a command is a shell, or a script of the image, behind which its own program may run."""
    return bool(words) and (base(words[0].value) in SHELLS or _is_script(words[0].value))


def _by_image(container: Container) -> tuple[Listener, str] | None:
    listener = named("images", repository(container.image).lower())
    return (listener, f"image {container.image}") if listener and listener.tags in tag(container.image) else None


def _by_variables(variables: Iterable[str]) -> tuple[Listener, str] | None:
    for name in variables:
        for listener in listeners():
            if listener.prefix and name.startswith(listener.prefix):
                return listener, f"variable {name}"
    return None


def _in_release(listener: Listener, image: str) -> Listener:
    """A program as that release of the image knows it, where an older one wants another text."""
    older, release = listener.older.get(repository(image).lower()), RELEASE.match(tag(image))
    if older and release and [int(release[1]), int(release[2])] < older["before"]:
        return replace(listener, instead=older["instead"])
    return listener
