"""What the programs of a workload are told to listen on: by options, by variables, and by files out of ConfigMaps."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from eks6check.facts import Path
from eks6check.facts.kube import Container, Resource, containers
from eks6check.facts.mounts import ConfigMaps, Given, files, variables
from eks6check.facts.programs import Program, Word, programs, split


class Bind(NamedTuple):
    """An address that a program is told to listen on: who holds the text, the path to it, words for where it stands.

    ``find`` is the text inside the value at the path, behind ``skip`` others of it; ``instead`` opens both families.
    """

    holder: Resource
    path: Path
    where: str
    value: str
    instead: str
    find: str = ""
    skip: int = 0

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
    told = program.listener
    where = f"container {container.name}, by default"
    return (Bind(workload, container.path, where, told.default, told.instead),) if told.default else ()


def _in_words(workload: Resource, container: Container, program: Program) -> Iterator[Bind]:
    if _excused(program, " ".join(word.value for word in program.words)):
        return
    for word, value in options(program):
        where = f"{word.path[-2]} of container {container.name}"
        yield Bind(workload, word.path, where, value, program.listener.rewritten(value), value)


def options(program: Program) -> Iterator[tuple[Word, str]]:
    """The values of a program's bind options, each with the word that holds it."""
    told = program.listener
    for index, word in enumerate(program.words):
        name, equals, value = word.value.partition("=")
        rest = program.words[index + 1 :]
        if word.value in told.flags:
            yield word, word.value
        elif word.value in told.options and rest:
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
                for match in file.setting.finditer(given.value):
                    value = match[1].partition(" #")[0].strip()
                    skip = given.value.count(value, 0, match.start(1)) if value else 0
                    instead = file.instead or program.listener.rewritten(value)
                    where = f"{given.name} of {given.config_map}"
                    yield Bind(given.config_map, given.path, where, value, instead, value, skip)


def _excused(program: Program, value: str) -> bool:
    return bool(program.listener.unless and re.search(program.listener.unless, value))
