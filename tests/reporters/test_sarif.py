from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import reports
from jsonschema import Draft202012Validator

import eks6check
from eks6check.catalog import load
from eks6check.findings import Finding, Location, Outcome, Report, State
from eks6check.options import Options
from eks6check.reporters import render, sarif
from eks6check.reporters.line_hash import line_hashes
from eks6check.reporters.sarif_rules import descriptor
from eks6check.run import run as lint

SCHEMA = json.loads(Path(__file__).with_name("sarif-2.1.0.json").read_text())
"""The schema as the SARIF multitool 5.7.0 carries it (npm package @microsoft/sarif-multitool-linux, MIT)."""

REPOSITORY = Path("/repository")


def log(report: Report, **view: Any) -> dict[str, Any]:
    known = {"rules": tuple(reports.RULES.values()), "base": REPOSITORY, "root": REPOSITORY, **view}
    parsed: dict[str, Any] = json.loads(render("sarif", report, **known))
    return parsed


def run(report: Report, **view: Any) -> dict[str, Any]:
    only: dict[str, Any]
    (only,) = log(report, **view)["runs"]
    return only


def failed(*findings: Finding) -> Report:
    return reports.report(findings, (reports.outcome("SVC001", State.FAILED, findings),))


def at(*locations: Location) -> Report:
    return failed(reports.pinned("web", *locations))


def uris(report: Report, **view: Any) -> list[str]:
    places = [result["locations"][0]["physicalLocation"] for result in run(report, **view)["results"]]
    return [place["artifactLocation"]["uri"] for place in places]


def notes(report: Report, **view: Any) -> list[str]:
    told = run(report, **view)["invocations"][0]["toolExecutionNotifications"]
    return [each["message"]["text"] for each in told]


@pytest.mark.parametrize("name", reports.REPORTS)
def test_every_report_keeps_the_official_schema(name: str) -> None:
    found = Draft202012Validator(SCHEMA).iter_errors(log(reports.REPORTS[name]))
    assert [error.message for error in found] == []


def test_every_result_points_at_a_rule_that_ran_and_a_line_of_a_file() -> None:
    made = run(reports.mixed())
    rules = made["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == [outcome.rule for outcome in reports.mixed().outcomes]
    assert made["results"]
    for result in made["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["locations"][0]["physicalLocation"]["region"]["startLine"] >= 1


def test_levels_are_those_of_the_findings() -> None:
    assert [(result["ruleId"], result["level"]) for result in run(reports.mixed())["results"]] == [
        ("LBC004", "error"),
        ("SVC001", "error"),
        ("SVC001", "error"),
        ("LBC012", "warning"),
    ]


@pytest.mark.parametrize(
    ("file", "uri"),
    [
        ("k8s/a.yaml", "k8s/a.yaml"),
        ("k8s/a b%é.yaml", "k8s/a%20b%25%C3%A9.yaml"),
        ("a:b/c.yaml", "a%3Ab/c.yaml"),
        ("k8s/#a?.yaml", "k8s/%23a%3F.yaml"),
        ("/repository/k8s/a.yaml", "k8s/a.yaml"),
        ("k8s/../other/a.yaml", "other/a.yaml"),
        ("..a.yaml", "..a.yaml"),
        ("\udcff.yaml", "%FF.yaml"),
    ],
)
def test_paths_are_relative_to_the_root_and_percent_encoded(file: str, uri: str) -> None:
    assert uris(at(reports.file(file, 3, 1))) == [uri]


def test_paths_begin_at_the_working_directory_and_are_told_from_the_root() -> None:
    report = at(reports.file("../shop/a.yaml", 3, 1))
    assert uris(report, base=REPOSITORY / "k8s" / "bank") == ["k8s/shop/a.yaml"]


def test_a_root_behind_a_link_is_the_same_root(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    report = at(reports.file(str(tmp_path / "link" / "a.yaml"), 3, 1))
    assert uris(report, base=tmp_path / "real", root=tmp_path / "link") == ["a.yaml"]


@pytest.mark.parametrize("file", ["/elsewhere/a.yaml", "../a.yaml", "stdin"])
def test_files_outside_the_root_and_standard_input_are_left_out_and_counted(file: str) -> None:
    report = at(reports.file(file, 3, 1))
    assert uris(report) == []
    assert notes(report) == ["Left out: 1 finding in files outside the root folder or on standard input."]


def test_a_live_finding_takes_the_file_that_declares_the_resource() -> None:
    assert uris(at(reports.live("cluster", "v1/Service/shop/web"), reports.file("k8s/a.yaml", 3, 1))) == ["k8s/a.yaml"]


def test_a_file_that_but_declares_the_resource_is_told_from_one_that_has_the_fault() -> None:
    declaring = replace(reports.file("k8s/a.yaml", 3, 1), declares=True)
    (result,) = run(at(declaring, reports.live("cluster", "v1/Service/shop/web")))["results"]
    assert result["message"]["text"].endswith(" It shows in the live object, which this file declares.")


def test_a_live_finding_without_a_file_is_left_out_and_counted() -> None:
    report = at(reports.live("cluster", "v1/Service/shop/web"))
    assert uris(report) == []
    assert notes(report) == ["Left out: 1 finding about live resources that no file of this run declares."]


def test_further_files_are_linked_from_the_message() -> None:
    (result,) = run(at(reports.file("a.yaml", 3, 1), reports.file("b[1].yaml", 4, 2)))["results"]
    assert result["message"]["text"].endswith(r" See also [b\[1\].yaml:4:2](1).")
    (related,) = result["relatedLocations"]
    assert related["id"] == 1
    assert related["physicalLocation"] == {
        "artifactLocation": {"uri": "b%5B1%5D.yaml"},
        "region": {"startLine": 4, "startColumn": 2},
    }


def test_a_place_without_a_line_is_the_first_line() -> None:
    (result,) = run(at(Location("manifests", file="a.yaml")))["results"]
    assert result["locations"][0]["physicalLocation"]["region"] == {"startLine": 1}


def test_gaps_and_broken_rules_are_notifications_with_their_places() -> None:
    told = run(reports.undetermined())["invocations"][0]["toolExecutionNotifications"]
    template = next(each for each in told if "service.yaml" in each["message"]["text"])
    assert (
        template["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "charts/web/templates/service.yaml"
    )
    assert "helm template" in template["message"]["text"]
    assert not any(".." in each["message"]["text"] for each in told)
    assert any("IDN002 broke on what it was given: KeyError" in each["message"]["text"] for each in told)


def test_silenced_findings_are_left_out() -> None:
    assert all("shop/old" not in result["message"]["text"] for result in run(reports.mixed())["results"])


def test_fingerprints_are_ours_and_the_line_hash_that_github_would_compute() -> None:
    text = "a: 1\r\nb: 2\r\n"
    report = at(reports.file("k8s/a.yaml", 2, 1))
    (result,) = run(report, read_text={REPOSITORY / "k8s" / "a.yaml": text}.get)["results"]
    assert result["partialFingerprints"] == {
        "eks6check/v1": report.findings[0].fingerprint,
        "primaryLocationLineHash": line_hashes(text)[1],
    }


def test_the_text_is_read_from_the_file_when_nobody_gives_it(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_bytes(b"a: 1\r\nb: \xff\r\n")
    (result,) = run(at(reports.file("a.yaml", 2, 1)), base=tmp_path, root=tmp_path)["results"]
    assert result["partialFingerprints"]["primaryLocationLineHash"] == line_hashes("a: 1\nb: \ufffd\n")[1]


@pytest.mark.parametrize("text", [None, ""])
def test_a_file_that_is_gone_or_shorter_now_has_no_line_hash(text: str | None) -> None:
    (result,) = run(at(reports.file("a.yaml", 2, 1)), read_text=lambda _: text)["results"]
    assert set(result["partialFingerprints"]) == {"eks6check/v1"}


def test_the_category_is_left_to_the_upload() -> None:
    assert "automationDetails" not in run(reports.mixed())


def test_names_cannot_form_links() -> None:
    assert sarif.escape("[a](https://evil.example)\\\n") == r"\[a\](https://evil.example)\\\\n"
    text = render("sarif", reports.hostile(), rules=tuple(reports.RULES.values()), base=REPOSITORY, root=REPOSITORY)
    assert text.isascii()
    assert "\x1b" not in text


def test_results_and_places_beyond_the_limits_are_cut_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sarif, "RESULT_LIMIT", 3)
    monkeypatch.setattr(sarif, "PLACE_LIMIT", 2)
    report = failed(
        *(
            reports.pinned(f"web-{each}", *(reports.file(f"{each}{other}.yaml", 1, 1) for other in range(5)))
            for each in range(5)
        )
    )
    results = run(report)["results"]
    assert [len(result["relatedLocations"]) for result in results] == [1, 1, 1]
    assert notes(report) == ["Left out: the 2 least of 5 findings, because GitHub keeps 3."]


def test_rule_texts_keep_to_the_limits_and_fences_hold() -> None:
    known = reports.rule("SVC001", "a-b", "T" * 2000, "info", "W" * 2000, {"x": "```\nfenced\n```", "y": "`a`"})
    made = descriptor(known)
    assert len(made["shortDescription"]["text"]) == len(made["fullDescription"]["text"]) == 1024
    assert "````\n```\nfenced\n```\n````" in made["help"]["markdown"]
    assert "How to mend it (y)" in made["help"]["text"]
    assert made["defaultConfiguration"] == {"level": "note"}


def test_a_rule_without_links_has_no_empty_help_address() -> None:
    assert "helpUri" not in descriptor(replace(reports.RULES["SVC001"], links=()))


@pytest.fixture(scope="module")
def everything() -> Report:
    """The report of a run in which every rule of the catalogue found something in a file."""
    places = (reports.file("k8s/all.yaml", 1, 1),)
    findings = tuple(
        replace(reports.pinned("web", *places), rule=rule.id, name=rule.name, severity=rule.severity) for rule in load()
    )
    outcomes = tuple(Outcome(each.rule, each.severity, State.FAILED, (each,), name=each.name) for each in findings)
    return reports.report(findings, outcomes, scope=reports.ALL)


def test_every_rule_of_the_catalogue_fits_the_schema(everything: Report) -> None:
    assert [error.message for error in Draft202012Validator(SCHEMA).iter_errors(log(everything, rules=None))] == []


def isolated() -> Sequence[str]:
    """What to put before a command so that it has no network, where this machine allows that."""
    unshare = shutil.which("unshare")
    works = unshare and subprocess.run([unshare, "-n", "true"], check=False, capture_output=True).returncode == 0
    return [str(unshare), "-n"] if works else []


WANTS_MULTITOOL = pytest.mark.skipif(
    "SARIF_MULTITOOL" not in os.environ, reason="SARIF_MULTITOOL does not name the SARIF multitool"
)

DEMO = Path(eks6check.__file__).parent / "demo" / "k8s"
CORPUS = Path(os.environ.get("EKS6CHECK_CORPUS", ""))
WITH_CORPUS = pytest.mark.skipif(
    not CORPUS.name or not CORPUS.is_dir(), reason="EKS6CHECK_CORPUS names no folder of manifests"
)


@WANTS_MULTITOOL
@pytest.mark.parametrize("folder", [DEMO, pytest.param(CORPUS, marks=WITH_CORPUS)])
def test_multitool_finds_no_error_in_what_lint_says_of_real_manifests(folder: Path, tmp_path: Path) -> None:
    made = log(lint(Options(manifests=(str(folder),))), rules=None, base=Path(), root=folder)
    only = made["runs"][0]
    assert only["results"]
    assert not [each for each in only["invocations"][0]["toolExecutionNotifications"] if "Left out" in str(each)]
    (tmp_path / "log.sarif").write_text(json.dumps(made))
    told = validated(tmp_path / "log.sarif", tmp_path / "told.sarif")
    assert [each["message"] for each in told if each.get("level") == "error"] == []


@WANTS_MULTITOOL
@pytest.mark.parametrize("name", [*reports.REPORTS, "everything"])
def test_multitool_finds_no_error_by_githubs_rules(name: str, tmp_path: Path, everything: Report) -> None:
    made = log(everything, rules=None) if name == "everything" else log(reports.REPORTS[name])
    (tmp_path / "log.sarif").write_text(json.dumps(made))
    told = validated(tmp_path / "log.sarif", tmp_path / "told.sarif")
    assert [each["message"] for each in told if each.get("level") == "error"] == []


@WANTS_MULTITOOL
def test_multitool_would_find_a_result_without_a_place(tmp_path: Path) -> None:
    made = log(reports.mixed())
    del made["runs"][0]["results"][0]["locations"]
    (tmp_path / "log.sarif").write_text(json.dumps(made))
    told = validated(tmp_path / "log.sarif", tmp_path / "told.sarif")
    assert "GH1015" in {each["ruleId"] for each in told if each.get("level") == "error"}


def validated(file: Path, output: Path) -> list[dict[str, Any]]:
    """The multitool's results on a log. It exits with 0 whatever it finds."""
    command = [os.environ["SARIF_MULTITOOL"], "validate", str(file), "--rule-kind", "Sarif;Ghas"]
    options = ["--level", "Error;Warning;Note", "--output", str(output), "--log", "ForceOverwrite"]
    subprocess.run(
        [*isolated(), *command, *options],
        check=True,
        capture_output=True,
        timeout=120,
        env={**os.environ, "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1"},
    )
    found = json.loads(output.read_text(encoding="utf-8-sig"))["runs"][0]
    results: list[dict[str, Any]] = found["results"]
    return results
