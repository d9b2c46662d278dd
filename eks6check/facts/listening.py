"""What the programs of a workload are told to listen on: by options, by variables, and by files out of ConfigMaps."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from eks6check.facts import Path
from eks6check.facts.kube import Container, Resource, containers
from eks6check.facts.mentions import without_xml_comments
from eks6check.facts.mounts import ConfigMaps, Given, files, variables
from eks6check.facts.patterns import regex
from eks6check.facts.programs import Program, Word, programs, split
from eks6check.knowledge.listeners import EMPTY, PORT, File

OPTIONS = regex(r"\$(?![({]?\w*PORT)")
"""A word that may stand for any options: a variable that is not called after a port."""

SETTING = regex(r"\w+=")
"""What an option takes that sets anything by its name, as PostgreSQL's ``-c max_connections=200``: most say nothing."""


REFERENCE = regex(r"\$\((?P<kubernetes>\w+)\)|\$\{(?P<braced>\w+)\}|\$(?P<plain>\w+)")
LAST_PORT = regex(rf"(?:.*:)?{PORT}")


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
        """The port of the first address; empty where that is an address alone."""
        return port_of(self.value.strip("'\"").partition(",")[0])


def port_of(address: str) -> str:
    """The port behind an address, or the port that is all of it; empty where there is none."""
    found = LAST_PORT.fullmatch(address)
    return found["port"] if found else ""


class Listening(NamedTuple):
    """A program of a container with all addresses that it is told to listen on."""

    container: Container
    program: Program
    binds: tuple[Bind, ...]

    def ipv4_only(self) -> list[Bind]:
        """Where an address stands that opens IPv4 alone, but for those whose port is opened for IPv6 by another."""
        ports = self.ipv4_ports()
        return [bind for bind in self.binds if not ports.isdisjoint(self._ports(bind, ipv4=True))]

    def ipv4_ports(self) -> set[str]:
        """The ports that are open for IPv4 alone; an empty text stands for that which the address does not name."""
        opened = {port for bind in self.binds for port in self._ports(bind, ipv4=False)}
        return {port for bind in self.binds for port in self._ports(bind, ipv4=True)} - opened

    def _ports(self, bind: Bind, *, ipv4: bool) -> Iterator[str]:
        told = self.program.listener
        return (port_of(each) for each in told.addresses(bind.value) if told.is_ipv4(each) is ipv4)


def listening(workload: Resource, known: ConfigMaps) -> Iterator[Listening]:
    """Every program of a workload that the table knows. A container that only starts the pod listens for nobody."""
    every = list(containers(workload))
    mounted = [given for container in every for given in files(workload, container, known)]
    for container in every:
        if "initContainers" in container.path and container.body.get("restartPolicy") != "Always":
            continue
        given = list(variables(workload, container, known))
        for program in programs(container, [each.name for each in given]):
            binds = (
                *_in_words(workload, container, program, given),
                *_in_variables(container, program, given),
                *_in_files(program, mounted),
            )
            yield Listening(container, program, binds or _by_default(workload, container, program))


def _by_default(workload: Resource, container: Container, program: Program) -> tuple[Bind, ...]:
    told, words = program.listener, [word.value for word in program.words]
    if not told.default or told.files or _excused(program, " ".join(words)) or any(map(OPTIONS.match, words)):
        return ()
    where = f"container {container.name}, by default"
    instead = told.rewritten(told.default)
    instead = f"{told.options[0]} {EMPTY}" if instead == EMPTY else instead
    return (Bind(workload, container.path, where, told.default, instead),)


def _in_words(workload: Resource, container: Container, program: Program, given: Sequence[Given]) -> Iterator[Bind]:
    if _excused(program, " ".join(word.value for word in program.words)):
        return
    known = {each.name: each for each in reversed(given)}
    for word, value in options(program):
        yield _in_word(workload, container, program, (word, value), known)


def _in_word(
    workload: Resource, container: Container, program: Program, told: tuple[Word, str], known: Mapping[str, Given]
) -> Bind:
    """An option's value. One that is a variable stands where that is set, unless it has to be quoted for a shell."""
    listener, (word, value) = program.listener, told
    reference = REFERENCE.fullmatch(value)
    source = known.get(_variable(reference, word)) if reference else None
    if source and not _to_quote(word, instead := listener.rewritten(source.value)):
        where = f"variable {source.name} of container {container.name}"
        return Bind(source.config_map, source.path, where, source.value, instead, source.value)
    seen = value if listener.is_ipv4(value) else _filled(word, value, known)
    where = f"{word.path[-2]} of container {container.name}"
    instead = _as_written(word, value, listener.rewritten(seen), many=listener.many)
    return Bind(workload, word.path, where, seen, instead, value)


def _to_quote(word: Word, instead: str) -> bool:
    """Whether a shell would lose a text without quotes: it takes ``*`` for names of files."""
    return word.scripted and (instead == EMPTY or "*" in instead)


def _filled(word: Word, value: str, known: Mapping[str, Given]) -> str:
    """A value with the variables that are known; the others stay."""

    def filled(reference: re.Match[str]) -> str:
        source = known.get(_variable(reference, word))
        return source.value if source else reference[0]

    return REFERENCE.sub(filled, value)


def _variable(reference: re.Match[str], word: Word) -> str:
    """The variable that a reference names, where it is one: Kubernetes fills ``$(X)``, and only a shell ``$X``."""
    return reference["kubernetes"] or (word.scripted and (reference["braced"] or reference["plain"])) or ""


def _as_written(word: Word, value: str, instead: str, *, many: bool) -> str:
    """A text as it has to be written: quoted where a shell needs it, and in a list as elements, one or several."""
    if word.scripted:
        return "''" if instead == EMPTY else instead.replace("*", "'*'") if _to_quote(word, instead) else instead
    if many:
        return f'"{instead}"'
    if instead.startswith("--"):
        return ", ".join(f'"{each}"' for each in instead.split())
    return word.value.removesuffix(value) if instead == EMPTY and value != word.value else instead


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


def _in_variables(container: Container, program: Program, given: Sequence[Given]) -> Iterator[Bind]:
    told = program.listener
    for each in given:
        where = f"variable {each.name} of container {container.name}"
        if each.name in told.variables:
            instead = told.instead_of_variable or told.rewritten(each.value)
            yield Bind(each.config_map, each.path, where, each.value, instead, each.value)
        elif each.name in told.option_variables:
            words = tuple(Word(each.path, word) for word in split(each.value))
            for _, value in options(program._replace(words=words)):
                yield Bind(each.config_map, each.path, where, value, told.rewritten(value), value)


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
        place, start = f"{where}, by default", match.start(1)
        yield Bind(given.config_map, given.path, place, told.default, told.instead, match[1], given.value, start)


def _excused(program: Program, value: str) -> bool:
    return bool(program.listener.unless and re.search(program.listener.unless, value))
