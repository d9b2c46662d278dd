"""What rules say and what a run makes of it: Problem, Finding, Outcome, Report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from eks6check.facts import Fact, Gap, Path, Subject


class Severity(StrEnum):
    """How bad a finding is; the first is the worst."""

    BLOCKER = "blocker"
    WARNING = "warning"
    INFO = "info"

    @property
    def rank(self) -> int:
        """0 for a blocker, counting up."""
        return list(Severity).index(self)


class Confidence(StrEnum):
    """How sure a finding is: read from an exact field, resting on knowledge of a program, or a guess."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class State(StrEnum):
    """What became of one rule in one run."""

    PASSED = "passed"
    FAILED = "failed"
    NOT_APPLICABLE = "not-applicable"
    INCOMPLETE = "incomplete"
    NOT_EVALUATED = "not-evaluated"
    ERROR = "error"


class Verdict(StrEnum):
    """The answer to the whole run."""

    READY = "ready"
    NOT_READY = "not-ready"
    UNDETERMINED = "undetermined"


@dataclass(frozen=True, slots=True)
class Problem:
    """What a rule alone knows: the subject, the place inside it, and a sentence about this very resource.

    ``at`` is the path to the fault and ``find`` a text inside the value there, behind the ``skip`` first places of it.
    ``evidence`` holds the values seen, and fills the ``{placeholders}`` of the remedy. ``key`` tells apart several
    problems of one rule on one subject. ``severity`` and ``confidence`` may lower the catalogue's. ``remedy`` picks one
    of the catalogue's remedies where it has several. ``also`` are further places, such as the second object of a fault
    between two.
    """

    subject: Fact
    message: str
    at: Path = ()
    find: str = ""
    skip: int = 0
    evidence: Mapping[str, Any] = field(default_factory=dict)
    key: str = ""
    severity: Severity = Severity.BLOCKER
    confidence: Confidence = Confidence.HIGH
    remedy: str = ""
    also: tuple[tuple[Fact, Path], ...] = ()


@dataclass(frozen=True, slots=True)
class Location:
    """A place for people and machines: a live id, or a file with line and column counted from 1.

    ``declares`` says that the file declares an object in which the fault was seen live, and not in the file.
    """

    source: str
    id: str = ""
    file: str = ""
    line: int = 0
    column: int = 0
    declares: bool = False

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.file else self.id


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem stamped with what the catalogue says of its rule. ``cause`` is the fingerprint it follows from."""

    rule: str
    name: str
    title: str
    severity: Severity
    confidence: Confidence
    subject: Subject
    message: str
    why: str
    remedy: str
    locations: tuple[Location, ...]
    evidence: Mapping[str, Any]
    links: tuple[str, ...]
    fingerprint: str
    fix: str | None = None
    cause: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """The state of one rule, its findings, and the gaps that kept it from knowing more."""

    rule: str
    severity: Severity
    state: State
    findings: tuple[Finding, ...] = ()
    gaps: tuple[Gap, ...] = ()
    error: str = ""
    name: str = ""

    @property
    def unsure(self) -> bool:
        """Whether there may be more to say: the rule broke, or did not see everything, whatever it found so far."""
        return bool(self.gaps) or self.state is State.ERROR


@dataclass(frozen=True, slots=True)
class Target:
    """What was judged; all fields are None for files alone. ``read_at`` is when live facts were read, UTC, ISO 8601.

    ``namespaces`` are those that the reading was narrowed to, if it was.
    """

    cluster: str | None = None
    region: str | None = None
    account: str | None = None
    ip_family: str | None = None
    read_at: str | None = None
    namespaces: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Suppression:
    """A comment that keeps findings quiet on the lines ``first`` to ``last``, and whether any were. Lines from 1."""

    file: str
    line: int
    rules: tuple[str, ...]
    reason: str
    first: int = 0
    last: int = 0
    used: bool = False


@dataclass(frozen=True, slots=True)
class Calls:
    """What a run asked of AWS and the cluster: each call by name with its count, pages and retries included.

    ``waited_seconds`` is how long calls were held back, so as not to come too fast, on all threads together.
    """

    made: Mapping[str, int] = field(default_factory=dict)
    waited_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Report:
    """Everything a reporter needs. Findings stand worst first; ``suppressed`` are the ones somebody silenced.

    ``notes`` are oddities of files that were read all the same: they leave nothing unknown, as gaps do. ``narrowed``
    says that somebody chose among the rules.
    """

    verdict: Verdict
    target: Target
    findings: tuple[Finding, ...]
    outcomes: tuple[Outcome, ...]
    gaps: tuple[Gap, ...]
    notes: tuple[Gap, ...] = ()
    suppressed: tuple[Finding, ...] = ()
    suppressions: tuple[Suppression, ...] = ()
    scope: tuple[str, ...] = ()
    narrowed: bool = False
    inputs: Mapping[str, int] = field(default_factory=dict)
    calls: Calls = field(default_factory=Calls)


def fingerprint(rule: str, subject: Subject, key: str) -> str:
    """An identity that survives new wording and moved lines: a hash of the rule id, the subject and the rule's key."""
    from hashlib import sha256  # noqa: PLC0415  a file without findings has no use for it

    identity = f"{rule}\n{subject.kind}\n{subject.id}\n{key}"
    return sha256(identity.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def verdict(findings: tuple[Finding, ...], outcomes: tuple[Outcome, ...]) -> Verdict:
    """``not-ready`` with a blocker, else ``undetermined`` where a blocker rule lacks knowledge, else ``ready``."""
    if any(finding.severity is Severity.BLOCKER for finding in findings):
        return Verdict.NOT_READY
    if any(outcome.severity is Severity.BLOCKER and outcome.unsure for outcome in outcomes):
        return Verdict.UNDETERMINED
    return Verdict.READY
