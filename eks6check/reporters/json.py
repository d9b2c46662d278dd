"""Report v1 for machines. ``schemas/report-v1.schema.json`` promises its keys: they are added to, never changed."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import eks6check
from eks6check.findings import Severity, State

if TYPE_CHECKING:
    from eks6check.facts import Gap
    from eks6check.findings import Finding, Location, Outcome, Report, Suppression, Target
    from eks6check.reporters import View

SCHEMA = "eks6check/report/v1"


def render(report: Report, view: View) -> str:
    """The report as JSON. It is ASCII, so that no control character of a hostile name passes through."""
    del view
    return json.dumps(document(report), indent=2, allow_nan=False) + "\n"


def document(report: Report) -> dict[str, Any]:
    """The whole report as a record."""
    return {
        "schema": SCHEMA,
        "tool": {"name": "eks6check", "version": eks6check.__version__},
        "verdict": report.verdict.value,
        "target": target_record(report.target),
        "scope": list(report.scope),
        "narrowed": report.narrowed,
        "inputs": dict(report.inputs),
        "summary": summary(report),
        "findings": [finding_record(finding) for finding in report.findings],
        "suppressed": [finding_record(finding) for finding in report.suppressed],
        "suppressions": [suppression_record(suppression) for suppression in report.suppressions],
        "outcomes": [outcome_record(outcome) for outcome in report.outcomes],
        "gaps": [gap_record(gap) for gap in report.gaps],
        "notes": [gap_record(note) for note in report.notes],
    }


def target_record(target: Target) -> dict[str, Any]:
    """What was judged; null where files alone were."""
    return {
        "cluster": target.cluster,
        "region": target.region,
        "account": target.account,
        "ip_family": target.ip_family,
        "read_at": target.read_at,
        "namespaces": list(target.namespaces),
    }


def summary(report: Report) -> dict[str, int]:
    """Findings by severity, and rules whose answer is missing or rests on a part."""
    severities = Counter(finding.severity for finding in report.findings)
    states = Counter(outcome.state for outcome in report.outcomes)
    return {
        **{severity.value: severities[severity] for severity in Severity},
        "suppressed": len(report.suppressed),
        "not_evaluated": states[State.NOT_EVALUATED],
        "incomplete": states[State.INCOMPLETE],
        "error": states[State.ERROR],
    }


def finding_record(finding: Finding) -> dict[str, Any]:
    """One finding."""
    return {
        "rule": finding.rule,
        "name": finding.name,
        "title": finding.title,
        "severity": finding.severity.value,
        "confidence": finding.confidence.value,
        "subject": {"kind": finding.subject.kind, "id": finding.subject.id},
        "message": finding.message,
        "why": finding.why,
        "remedy": finding.remedy,
        "locations": [location_record(location) for location in finding.locations],
        "evidence": jsonable(finding.evidence),
        "fix": finding.fix,
        "cause": finding.cause,
        "links": list(finding.links),
        "fingerprint": finding.fingerprint,
    }


def location_record(location: Location) -> dict[str, Any]:
    """A place in a file, or the id of what is live. Line and column are null where the whole file is meant."""
    if not location.file:
        return {"source": location.source, "id": location.id}
    record = {
        "source": location.source,
        "file": location.file,
        "line": location.line or None,
        "column": location.column or None,
    }
    return record | ({"declares": True} if location.declares else {})


def outcome_record(outcome: Outcome) -> dict[str, Any]:
    """What became of one rule; its findings stand apart."""
    return {
        "rule": outcome.rule,
        "name": outcome.name,
        "severity": outcome.severity.value,
        "state": outcome.state.value,
        "gaps": [gap_record(gap) for gap in outcome.gaps],
        "error": outcome.error or None,
    }


def gap_record(gap: Gap) -> dict[str, Any]:
    """What could not be read, with its place where that is a file."""
    record: dict[str, Any] = {"call": gap.call, "reason": gap.reason, "remedy": gap.remedy}
    if gap.file:
        record |= {"file": gap.file, "line": gap.line or None, "column": gap.column or None}
    return record


def suppression_record(suppression: Suppression) -> dict[str, Any]:
    """A comment that silences, and whether it did."""
    return {
        "file": suppression.file,
        "line": suppression.line or None,
        "rules": list(suppression.rules),
        "reason": suppression.reason,
        "used": suppression.used,
    }


def jsonable(value: Any) -> Any:
    """The value in JSON's types; what JSON lacks as text, and sets in a fixed order."""
    if isinstance(value, Mapping):
        return {str(key): jsonable(each) for key, each in value.items()}
    if isinstance(value, (set, frozenset)):
        return [jsonable(each) for each in sorted(value, key=str)]
    if isinstance(value, (list, tuple)):
        return [jsonable(each) for each in value]
    if value is None or isinstance(value, (str, int)) or (isinstance(value, float) and math.isfinite(value)):
        return value
    return str(value)
