from __future__ import annotations

import re
from dataclasses import replace

import pytest
import reports
from hypothesis import given
from hypothesis import strategies as st

from eks6check.arguments import Format
from eks6check.facts import Gap
from eks6check.findings import Confidence, Location, Report, State, Target, Verdict, fingerprint
from eks6check.reporters import REPORTERS, render
from eks6check.reporters.table import first_sentence, place

PASTED = ("k8s/", "aws: arn:", "aws ec2", "service.beta", "# Drop")


def table(report: Report, *, width: int = 100, color: bool = False) -> str:
    return render("table", report, width=width, color=color)


def scoped(*scope: str) -> Report:
    return replace(reports.clean(), scope=scope, target=reports.PROD if "aws" in scope else Target())


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("mixed", "NOT READY for IPv6: 5 blockers, 1 warning, 1 info."),
        ("clean", "READY for IPv6: no blockers."),
        ("files_only", "READY as far as the files can tell: no blockers."),
        ("undetermined", "UNDETERMINED: 3 blocker rules without an answer; so far no blockers, 1 warning."),
    ],
)
def test_first_line_is_the_answer(name: str, answer: str) -> None:
    assert table(reports.REPORTS[name]).splitlines()[0] == answer


def test_second_line_says_which_cluster() -> None:
    said = "Judged: cluster prod (eu-west-1, account 111122223333, IPv4 today, read 2026-11-22T21:04:05Z)."
    assert table(reports.clean()).splitlines()[1] == said


def test_ready_files_do_not_sound_like_a_ready_cluster() -> None:
    first, second, *_, before_last, _ = table(reports.files_only(), width=200).splitlines()
    assert "as far as the files can tell" in first
    assert "files only: 12 files" in second
    assert "Not looked at: the AWS account and the cluster" in second
    assert "as far as the files can tell" in before_last


@pytest.mark.parametrize(
    ("scope", "seen", "unseen"),
    [
        (("aws",), "as far as the AWS account can tell", "Not looked at: the cluster"),
        (("cluster",), "as far as the cluster can tell", "Not looked at: the AWS account"),
        (("cluster", "manifests"), "as far as the cluster and the files can tell", "Not looked at: the AWS account"),
        ((), "as far as this run can tell", "Judged: nothing."),
    ],
)
def test_ready_never_reaches_further_than_what_was_read(scope: tuple[str, ...], seen: str, unseen: str) -> None:
    text = table(scoped(*scope), width=200)
    assert seen in text.splitlines()[0]
    assert unseen in text


def test_ready_over_nothing_says_that_there_was_nothing() -> None:
    outcomes = (reports.outcome("SVC001", State.NOT_APPLICABLE),)
    report = reports.report((), outcomes, target=Target(), scope=("manifests",))
    first, second, *_ = table(report).splitlines()
    assert "nothing was found that a rule could judge" in first
    assert "none that could be read" in second


def test_ready_with_a_blind_warning_rule_says_so() -> None:
    outcomes = (
        reports.outcome("SVC001", State.PASSED),
        reports.outcome("VPC006", State.INCOMPLETE, (), reports.DENIED),
    )
    report = reports.report((), outcomes, scope=reports.ALL)
    assert report.verdict is Verdict.READY
    assert table(report).startswith("READY for IPv6: no blockers. 1 other rule could not see everything.")


def test_forty_findings_of_one_rule_share_one_heading_one_why_and_one_remedy() -> None:
    text = table(reports.forty())
    assert text.count("A Service asks for the IPv4 family") == 1
    assert text.count("Why:") == text.count("Fix:") == 1
    assert all(
        f"Service shop/web-{number:02} asks" in text and f"k8s/{number:02}.yaml:7:5" in text for number in range(40)
    )


def test_findings_with_remedies_of_their_own_keep_them() -> None:
    text = table(reports.mixed())
    first, second = (
        text.index(f"--subnet-id {name}") for name in ("subnet-0aaa1111bbbb2222c", "subnet-0ddd3333eeee4444f")
    )
    assert first < text.index("Subnet subnet-0ddd3333eeee4444f") < second
    assert text.count("EKS refuses to create an IPv6 cluster") == 1


def test_a_finding_stands_under_its_cause_and_only_there() -> None:
    text = table(reports.mixed())
    assert "so also LBC012: Service shop/web lets in" in text
    assert "WARNING LBC012" not in text


def test_findings_that_name_each_other_as_cause_are_both_shown() -> None:
    one, two = reports.pinned("one", reports.file("a.yaml", 1, 1)), reports.pinned("two", reports.file("a.yaml", 9, 1))
    circle = (replace(one, cause=two.fingerprint), replace(two, cause=one.fingerprint))
    text = table(reports.report(circle, (reports.outcome("SVC001", State.FAILED, circle),)))
    assert "shop/one asks" in text
    assert "shop/two asks" in text


def test_a_finding_whose_cause_is_not_reported_stands_alone() -> None:
    alone = (reports.pinned("one", reports.file("a.yaml", 1, 1), cause=fingerprint("X", reports.service("x"), "")),)
    assert "shop/one asks" in table(reports.report(alone, (reports.outcome("SVC001", State.FAILED, alone),)))


def test_each_gap_stands_once_with_its_place_its_remedy_and_the_rules_it_hits() -> None:
    text = table(reports.undetermined())
    gaps = text[text.index("COULD NOT BE CHECKED") :]
    assert gaps.count("ec2:DescribeRouteTables: UnauthorizedOperation") == 1
    assert gaps.count("charts/web/templates/service.yaml:3:9: this looks like") == 1
    assert gaps.count("helm template RELEASE CHART | eks6check lint -") == 1
    assert "Not evaluated: SVC001, LBC004\n  Judged in part: LBC012" in gaps
    assert "IDN002 agent-bound-to-ipv4: this rule broke on what it was given: KeyError: 'spec'" in gaps


def test_a_gap_that_hits_no_rule_is_shown_all_the_same() -> None:
    report = replace(reports.clean(), gaps=(Gap("read", "no permission", file="a.yaml"),))
    assert "- a.yaml: no permission" in table(report)


def test_findings_of_one_rule_stand_together_whatever_their_places() -> None:
    places = [(1, Confidence.HIGH), (2, Confidence.LOW), (3, Confidence.MEDIUM), (4, Confidence.HIGH)]
    found = tuple(
        replace(reports.pinned(str(line), reports.file("a.yaml", line, 1)), confidence=sure) for line, sure in places
    )
    text = table(reports.report(found, (reports.outcome("SVC001", State.FAILED, found),)))
    assert re.findall(r"a\.yaml:(\d)", text) == ["1", "4", "3", "2"]
    assert text.count("BLOCKER SVC001") == 3


def test_a_note_on_a_line_as_a_whole_has_no_column() -> None:
    report = replace(reports.clean(), notes=(Gap("read", "odd", file="a.yaml", line=3),))
    assert "- a.yaml:3: odd" in table(report)


def test_one_of_a_thing_is_not_told_as_several() -> None:
    report = replace(reports.files_only(), inputs={"files": 1, "documents": 2, "other_documents": 1})
    assert "1 file, 2 documents, 1 other document." in table(report, width=200)


def test_silenced_findings_and_needless_comments_are_told() -> None:
    text = table(reports.mixed())
    assert "SVC001 Service shop/old asks for" in text
    assert "k8s/shop/old.yaml:8: ignore[SVC001] goes away with the old shop" in text
    assert "ignore[LBC004, service-pins-ipv4-family] finds nothing to silence on line 20: not yet" in " ".join(
        text.split()
    )
    assert "ignore[SVC] gives no reason, so it silences nothing" in text


@pytest.mark.parametrize("width", [60, 100, 200])
def test_prose_keeps_to_the_width_and_what_is_pasted_stays_whole(width: int) -> None:
    rows = table(reports.mixed(), width=width).splitlines()
    long = [row for row in rows if len(row) > width]
    assert all(row.strip().startswith(PASTED) for row in long)
    assert any(row.endswith("--ipv6-cidr-block 2001:db8:1234:1a00::/64") for row in rows)
    assert not any(row != row.rstrip() for row in rows)


def test_an_absurd_width_is_no_reason_to_fail() -> None:
    assert table(reports.mixed(), width=0) == table(reports.mixed(), width=40)


@pytest.mark.parametrize("width", [60, 100])
def test_hostile_names_reach_the_terminal_as_plain_text(width: int) -> None:
    text = table(reports.hostile(), width=width)
    assert all(row.isprintable() for row in text.split("\n"))
    assert r"red\x1b]0;title\x07[red][link=" in text.replace("\n    ", "")
    assert not any(row.lstrip().startswith("::error::") for row in text.splitlines())


def test_colour_adds_escapes_of_ours_and_changes_no_word() -> None:
    colored = table(reports.hostile(), color=True)
    assert re.sub(r"\x1b\[[0-9;]*m", "", colored) == table(reports.hostile())
    assert "\x1b[" in colored
    assert "\x1b[" not in table(reports.mixed())


def test_the_environment_has_no_say(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = table(reports.mixed(), color=True)
    for name in ("NO_COLOR", "COLUMNS", "JUPYTER_COLUMNS", "TTY_COMPATIBLE"):
        monkeypatch.setenv(name, "1")
    assert table(reports.mixed(), color=True) == expected


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("One. Two.", "One."),
        ("Uses fc00::/7. A literal one lies outside.", "Uses fc00::/7."),
        ("Some, e.g. IPv6 ones, work. Others do not.", "Some, e.g. IPv6 ones, work."),
        ("Runs on 1.30 and later", "Runs on 1.30 and later"),
        ("Wrapped\n  over lines. `kubectl` fails.", "Wrapped over lines."),
        ("", ""),
    ],
)
def test_first_sentence(text: str, first: str) -> None:
    assert first_sentence(text) == first


def test_places() -> None:
    assert place(Location("manifests", file="a.yaml", line=3, column=5)) == "a.yaml:3:5"
    assert place(Location("manifests", file="a.yaml")) == "a.yaml"
    declaring = Location("manifests", file="a.yaml", line=3, column=5, declares=True)
    assert place(declaring) == "a.yaml:3:5 (declares it; the fault shows in the live object)"
    assert place(Location("aws", id="subnet-1")) == "aws: subnet-1"


def test_every_format_of_the_command_line_has_a_reporter() -> None:
    assert {each.value for each in Format} == set(REPORTERS)


@given(st.text(st.characters()))
def test_any_name_passes_through_every_format(name: str) -> None:
    found = (reports.pinned(name, reports.file(f"k/{name}", 3, 1), evidence={name: name}, remedy=name, why=name),)
    outcomes = (reports.outcome("SVC001", State.FAILED, found, Gap(name, name, name, f"{name}/x", 1, 1)),)
    report = reports.report(found, outcomes, scope=(name,), inputs={name: 1})
    for form in REPORTERS:
        text = render(form, report, rules=tuple(reports.RULES.values()), read_text=lambda _: name)
        assert all(row.isprintable() for row in text.split("\n"))
