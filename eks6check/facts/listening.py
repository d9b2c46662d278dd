"""What the programs of a workload are told to listen on: by options, by variables, and by files out of ConfigMaps."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from eks6check.facts import Path
from eks6check.facts.kube import Container, Resource, containers
from eks6check.facts.mentions import without_xml_comments
from eks6check.facts.mounts import ConfigMaps, Given, files, variables
from eks6check.facts.patterns import regex
from eks6check.facts.programs import Program, Word, programs, split
from eks6check.knowledge.listeners import File

OPTIONS = regex(r"\$(?![({]?\w*PORT)")
"""A word that may stand for any options: a variable that is not called after a port."""

SETTING = regex(r"\w+=")
"""What an option takes that sets anything by its name, as PostgreSQL's ``-c max_connections=200``: most say nothing."""


class Bind(NamedTuple):
    """An address that a program is told to listen on: who holds the text, the path to it, words for where it stands.

    ``find`` is the text inside the value at the path, and ``start`` where it begins in ``whole``, the text of a file;
    ``instead`` opens both families.
    """

    holder: Resource
    path: Path
    where: str
    value: str
    instead: str
    find: str = ""
    whole: str = ""
    start: int = 0

    @property
    def skip(self) -> int:
        """How many of the same texts stand before it."""
        return self.whole.count(self.find, 0, self.start) if self.find else 0

    @property
    def port(self) -> str:
        """What stands behind the last colon; empty where the value is an address alone."""
        _, colon, port = self.value.strip("'\"").partition(",")[0].rpartition(":")
        return port if colon and port.strip("[]") == port else ""


class Listening(NamedTuple):
    """A program of a container with all addresses that it is told to listen on."""

    container: Container
    program: Program
    binds: tuple[Bind, ...]

    def ipv4_only(self) -> list[Bind]:
        """The addresses that open IPv4 alone, but for those whose port is opened for IPv6 by another."""
        judge = self.program.listener.is_ipv4
        ports = {bind.port for bind in self.binds if not judge(bind.value)}
        return [bind for bind in self.binds if judge(bind.value) and bind.port not in ports]


def listening(workload: Resource, known: ConfigMaps) -> Iterator[Listening]:
    """Every program of a workload that the table knows. A container that only starts the pod listens for nobody."""
    every = list(containers(workload))
    mounted = [given for container in every for given in files(workload, container, known)]
    for container in every:
        if "initContainers" in container.path and container.body.get("restartPolicy") != "Always":
            continue
        for program in programs(container):
            binds = (
                *_in_words(workload, container, program),
                *_in_variables(workload, container, program, known),
                *_in_files(program, mounted),
            )
            yield Listening(container, program, binds or _by_default(workload, container, program))


def _by_default(workload: Resource, container: Container, program: Program) -> tuple[Bind, ...]:
    told, words = program.listener, [word.value for word in program.words]
    if not told.default or told.files or _excused(program, " ".join(words)) or any(map(OPTIONS.match, words)):
        return ()
    where = f"container {container.name}, by default"
    return (Bind(workload, container.path, where, told.default, told.rewritten(told.default)),)


def _in_words(workload: Resource, container: Container, program: Program) -> Iterator[Bind]:
    if _excused(program, " ".join(word.value for word in program.words)):
        return
    for word, value in options(program):
        where = f"{word.path[-2]} of container {container.name}"
        yield Bind(workload, word.path, where, value, program.listener.rewritten(value), value)


def options(program: Program) -> Iterator[tuple[Word, str]]:
    """The values of a program's bind options, each with the word that holds it."""
    for word, value in _values(program):
        setting = SETTING.match(value)
        if not setting or any(form.startswith(setting[0]) for form in program.listener.ipv4):
            yield word, value


def _values(program: Program) -> Iterator[tuple[Word, str]]:
    told = program.listener
    for index, word in enumerate(program.words):
        name, equals, value = word.value.partition("=")
        if word.value in told.flags:
            yield word, word.value
        elif word.value in told.options and (rest := program.words[index + 1 :]):
            yield rest[0], " ".join(_taken(rest)) if told.many else rest[0].value
        elif equals and name in told.options:
            yield word, value
        elif word.value[:2] in told.options and not word.value.startswith("--") and len(word.value) > len("-b"):
            yield word, word.value[2:]


def _taken(words: Sequence[Word]) -> Iterator[str]:
    for word in words:
        if re.match(r"-[-a-z]", word.value):
            return
        yield word.value


def _in_variables(workload: Resource, container: Container, program: Program, known: ConfigMaps) -> Iterator[Bind]:
    told = program.listener
    for given in variables(workload, container, known):
        where = f"variable {given.name} of container {container.name}"
        if given.name in told.variables:
            yield Bind(given.config_map, given.path, where, given.value, told.rewritten(given.value), given.value)
        elif given.name in told.option_variables:
            words = tuple(Word(given.path, each) for each in split(given.value))
            for _, value in options(program._replace(words=words)):
                yield Bind(given.config_map, given.path, where, value, told.rewritten(value), value)


def _in_files(program: Program, mounted: Sequence[Given]) -> Iterator[Bind]:
    for file in program.listener.files:
        for given in mounted:
            if file.name.search(given.name) and not _excused(program, given.value):
                yield from _in_file(program, file, given)


def _in_file(program: Program, file: File, given: Given) -> Iterator[Bind]:
    told, where = program.listener, f"{given.name} of {given.config_map}"
    for match in file.setting.finditer(without_xml_comments(given.value)):
        value = match[1].partition(" #")[0].strip()
        instead = file.instead or told.rewritten(value)
        yield Bind(given.config_map, given.path, where, value, instead, value, given.value, match.start(1))
    for match in file.absent.finditer(given.value) if file.absent else ():
        default = (f"{where}, by default", told.default, told.instead, match[1])
        yield Bind(given.config_map, given.path, *default, given.value, match.start(1))


def _excused(program: Program, value: str) -> bool:
    return bool(program.listener.unless and re.search(program.listener.unless, value))
