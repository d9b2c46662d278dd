"""Addresses that look like a listener's, for programs that nobody can name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from eks6check.facts import Path
from eks6check.facts.kube import Container, Resource, mapping, sequence, text
from eks6check.facts.listening import Bind
from eks6check.facts.mounts import ConfigMaps, variables
from eks6check.facts.patterns import regex
from eks6check.facts.programs import Word, base, lines, programs, unwrapped
from eks6check.facts.versions import repository
from eks6check.knowledge.listeners import opens_all_families

OPTION = regex(
    r"--?(?:(?:http|web|server)[-.]?)?(?:host|ip|bind|listen|addr|address)(?:[-.]?(?:host|ip|addr|address))?"
)
VARIABLE = regex(
    r"(?!\w*(?:ADVERTIS|ANNOUNC|ALLOW|TRUST))(?:\w+_)?"
    r"(?:HOST|HOSTNAME|BIND|BIND_ADDR|BIND_ADDRESS|BIND_HOST|LISTEN|LISTEN_ADDR|LISTEN_ADDRESS|LISTEN_HOST|"
    r"(?:HTTP|SERVER|WEB)_ADDR|(?:HTTP|SERVER|WEB)_ADDRESS)|ADDRESS"
)
"""Variables of the usual names. What a program tells others, or whom it lets in, is no address to listen on."""

ADDRESS = regex(r"(?:(?:https?|tcp)://)?0\.0\.0\.0(?::(?!0\b)(?:\d+|\$\{\w+:?-\w*\}|\$[({]?\w+[)}]?))?")
"""All of IPv4 as an address to listen on. Port 0 is any port, which nobody calls."""

OPENS_ALL = regex(r"\w*(?:JAVA|JDK|JVM)_|SPRING_|GO(?:MAXPROCS|MEMLIMIT|GC|DEBUG)$")
"""What the variables of programs in Java and Go are called, to which 0.0.0.0 is both families."""


def unknown_binds(workload: Resource, container: Container, known: ConfigMaps) -> Iterator[Bind]:
    """What a container is told by an option or a variable of the usual names, where its program is in no table."""
    commands = list(lines([Word(path, value) for path, value in container.arguments()]))
    given = list(variables(workload, container, known))
    names = {text(mapping(each).get("name")) for each in sequence(container.body.get("env"))}
    names |= {each.name for each in given}
    if _opens_all_families(container, commands, names) or programs(container, names):
        return
    for words in commands:
        for path, address in _told(words):
            yield Bind(workload, path, f"{path[-2]} of container {container.name}", address, "", address)
    for holder, path, name, value in given:
        if VARIABLE.fullmatch(name) and ADDRESS.fullmatch(value):
            yield Bind(holder, path, f"variable {name} of container {container.name}", value, "", value)


def _opens_all_families(container: Container, commands: Sequence[Sequence[Word]], names: Iterable[str]) -> bool:
    """Whether the command, the image or the variables are those of a program in Go or Java."""
    starts = (base(rest[0].value) for rest in map(unwrapped, commands) if rest)
    image = repository(container.image).lower()
    return (
        any(opens_all_families("commands", name) for name in starts)
        or opens_all_families("images", image)
        or any(map(OPENS_ALL.match, names))
    )


def _told(words: Sequence[Word]) -> Iterator[tuple[Path, str]]:
    before = ""
    for word in words:
        name, equals, value = word.value.partition("=")
        option, address = (name, value) if equals else (before, word.value)
        if OPTION.fullmatch(option) and ADDRESS.fullmatch(address):
            yield word.path, address
        before = word.value
