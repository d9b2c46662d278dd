"""What can be told of a document without parsing it: that it is of a kind which no rule reads.

Such a document is counted, and that is all: nobody looks whether it is whole, or whether a key stands twice. Whatever
is written so that it could mean something else is parsed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from eks6check.facts.kube import CONTAINERS, INIT
from eks6check.sources.manifests.objects import PART_OF, SECTION_OF
from eks6check.sources.manifests.yamlscalars import resolve

UNSURE = ("{{", "\\x", "\\u", "\\U", "\\\n", "\\\r", "\x85", "\u2028", "\u2029")
"""Templates; escapes that can spell a word in another way; and what ends a line in YAML and nowhere else."""

BEGIN = re.compile(r"(?:---[ \t]*(?:#.*)?(?:\n|\r\n|\Z))?(?:[ \t]*(?:#.*)?\r?\n)*")
"""The line that begins a document, and lines that are blank or comments."""

KEY = re.compile(r"([\w.-]+):(?=\s|\Z)")

AT_MARGIN = re.compile(r"\n([^\s#-].*)")
"""A line of a root mapping, but for those that are white space, comments or items of a list."""

HEAD = re.compile(r"\n(apiVersion|kind):[ \t]+([\w./-]+)[ \t]*(?=\r?\n\S|\r?\n?\Z)")
"""A line that says in one plain word what an object is, and does not go on in the next one."""


def unread(text: str) -> Mapping[str, str] | None:
    """The ``apiVersion`` and ``kind`` of a document that no rule reads; None for any other."""
    head = dict(HEAD.findall(f"\n{text}"))
    if not passed_over(head.get("apiVersion", ""), head.get("kind", ""), text):
        return None
    keys = [KEY.match(line) for line in AT_MARGIN.findall(f"\n{text}")]
    names = [key[1] for key in keys if key]
    once = names.count("apiVersion") == names.count("kind") == 1
    return head if once and len(names) == len(keys) and is_plain(text) else None


def is_plain(text: str) -> bool:
    """Whether a document begins with a plain key at the margin, and every word in it is spelled as it reads."""
    begin = BEGIN.match(text)
    return bool(begin and KEY.match(text, begin.end())) and not any(sign in text for sign in UNSURE)


def passed_over(version: str, kind: str, text: str) -> bool:
    """Whether no rule reads an object of this kind with this text."""
    known = version.rpartition("/")[0], kind
    if known in PART_OF:
        return PART_OF[known][-1] not in text
    named = all(word and isinstance(resolve(word), str) for word in (version, kind))
    has_pods = CONTAINERS in text or INIT in text
    return named and known not in SECTION_OF and not kind.endswith("List") and not has_pods
