"""Bad input ends in one line, one hint and the right exit code; good input in what was asked for."""

from __future__ import annotations

import errno
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import servers
import yaml
from whole import Done, cluster, eks6check

from eks6check import catalog
from eks6check.demo.aws_server import CREDENTIALS, Server

PINNED = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec:\n  ipFamilies: [IPv4]\n"
CLEAN = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {ports: [{port: 80}]}\n"
NAMED = ("--cluster", "prod", "--region", servers.REGION)


def complains(done: Done, code: int, *words: str) -> None:
    """One line that says what, one that says what to do, nothing else, and the exit code."""
    lines = done.err.splitlines()
    assert (done.code, done.out, len(lines)) == (code, "", 2), done
    assert lines[0].startswith("error: ")
    assert lines[1].startswith("hint: ")
    for word in words:
        assert word in done.err


@pytest.fixture
def account() -> Iterator[Server]:
    with servers.aws() as server:
        servers.ipv6_account(server)
        yield server


@pytest.mark.usefixtures("account")
def test_no_such_cluster() -> None:
    complains(eks6check("scan", "--cluster", "prd", "--region", servers.REGION), 2, "'prd'", servers.REGION, "prod")


def test_no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    complains(eks6check("scan", *NAMED), 3, "credentials", "aws")


def test_an_expired_token(account: Server) -> None:
    account.hooks["eks:DescribeCluster"] = servers.failing("eks:DescribeCluster", "ExpiredTokenException", 400)
    complains(eks6check("scan", *NAMED), 3, "ExpiredToken", "Log in")


def test_a_wrong_region(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    complains(eks6check("scan", "--cluster", "prod", "--region", "eu-wset-1"), 2, "eu-wset-1", "eu-west-1")


def test_an_endpoint_that_nobody_answers_on(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    complains(eks6check("scan", *NAMED), 3, "cannot be reached")


@pytest.mark.usefixtures("account")
def test_a_cluster_that_nobody_answers_for_is_a_gap_and_not_the_end(tmp_path: Path) -> None:
    with cluster([], tmp_path):
        pass  # the server is gone, its kubeconfig stays
    os.environ["KUBECONFIG"] = str(tmp_path / "kubeconfig")
    done = eks6check("scan", *NAMED, "--format", "json")
    assert (done.code, done.report["verdict"]) == (4, "undetermined")
    assert done.states()["VPC001"] == "passed"
    assert done.states()["SVC001"] == "not-evaluated"
    assert {gap["call"].partition(" ")[0] for gap in done.report["gaps"]} == {"list"}


def test_a_cluster_alone_that_nobody_answers_for_leaves_nothing_checked(tmp_path: Path) -> None:
    with cluster([], tmp_path):
        pass
    os.environ["KUBECONFIG"] = str(tmp_path / "kubeconfig")
    assert eks6check("scan", "--source", "cluster", "--format", "json").code == 3


@pytest.mark.parametrize("content", ["a: [", "- a\n"])
def test_an_unreadable_kubeconfig(content: str) -> None:
    Path(os.environ["KUBECONFIG"]).write_text(content, encoding="utf-8")
    complains(eks6check("scan"), 2, "kubeconfig", "KUBECONFIG")


def test_nothing_says_which_cluster() -> None:
    complains(eks6check("scan"), 2, "--cluster", "--region")


def test_an_unknown_rule() -> None:
    complains(eks6check("lint", "-", "--select", "SVC01", stdin=CLEAN), 2, "'SVC01'", "SVC001")
    complains(eks6check("explain", "nlb-not-dual-stack"), 2, "nlb-not-dualstack")


def test_a_path_that_is_not_there(tmp_path: Path) -> None:
    complains(eks6check("lint", str(tmp_path / "nowhere")), 2, "nowhere")


def test_a_directory_without_manifests(tmp_path: Path) -> None:
    complains(eks6check("lint", str(tmp_path)), 3, "manifest")
    (tmp_path / "values.yaml").write_text("replicas: 3\n", encoding="utf-8")
    complains(eks6check("lint", str(tmp_path)), 3, "Kubernetes")


def test_a_pipe_that_nothing_came_through_is_not_ready(tmp_path: Path) -> None:
    complains(eks6check("lint", "-", stdin=""), 3, "Kubernetes", "standard input")
    complains(eks6check("lint", "-", "--format", "json", stdin="replicas: 3\n"), 3, "Kubernetes")
    (tmp_path / "a.yaml").write_text(CLEAN, encoding="utf-8")
    assert eks6check("lint", "-", str(tmp_path / "a.yaml"), stdin="").code == 0


def test_a_file_in_a_folder_that_may_not_be_entered_is_a_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    stat = os.stat

    def refusing(path: Any, **options: Any) -> os.stat_result:
        if isinstance(path, (str, Path)) and "shut/" in str(path):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return stat(path, **options)

    monkeypatch.setattr(os, "stat", refusing)
    done = eks6check("lint", "shut/a.yaml", "--format", "json")
    assert (done.code, [gap["file"] for gap in done.report["gaps"]]) == (3, ["shut/a.yaml"])
    complains(eks6check("lint", "-", "--output", "shut/a.json", stdin=CLEAN), 2, "cannot be written")


def test_options_that_do_not_fit_together(tmp_path: Path) -> None:
    complains(eks6check("scan", "--snapshot", "a.json", "--cluster", "prod"), 2, "--cluster")
    complains(eks6check("scan", "--snapshot", "a.json", "-n", "shop"), 2, "--namespace")
    complains(eks6check("scan", "--source", "azure"), 2, "'azure'", "aws and cluster")
    complains(eks6check("rules", "--select", "SVC", "--ignore", "SVC"), 2, "No rule is left")
    complains(eks6check("lint", "-", "--output", str(tmp_path), stdin=CLEAN), 2, "directory")
    complains(eks6check("lint", "-", "--root", str(tmp_path / "none"), stdin=CLEAN), 2, "none", "--root")
    complains(eks6check("lint", "-", "--select", "VPC001", stdin=CLEAN), 2, "None of the chosen rules")


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"schema": "eks6check/snapshot/v1"}', "\x00"])
def test_a_file_that_is_no_snapshot(tmp_path: Path, content: str) -> None:
    file = tmp_path / "s.json"
    file.write_text(content, encoding="utf-8")
    complains(eks6check("scan", "--snapshot", str(file)), 2, "s.json")
    complains(eks6check("scan", "--snapshot", str(tmp_path / "none.json")), 2, "none.json")


def test_an_unknown_option_is_usage() -> None:
    assert eks6check("lint", "--frobnicate").code == 2


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ((), 1),
        (("--fail-on", "never"), 0),
        (("--fail-on", "info"), 1),
        (("--ignore", "SVC"), 0),
        (("--select", "SVC002"), 0),
        (("--select", "service-pins-ipv4-family"), 1),
    ],
)
def test_the_exit_code_follows_the_findings(arguments: tuple[str, ...], code: int) -> None:
    assert eks6check("lint", "-", *arguments, stdin=PINNED).code == code


def test_a_document_that_does_not_parse_leaves_the_answer_open_and_its_neighbours_judged() -> None:
    done = eks6check("lint", "-", "--format", "json", stdin=f"{CLEAN}---\na: [\n")
    assert (done.code, done.report["verdict"]) == (4, "undetermined")
    done = eks6check("lint", "-", "--format", "json", stdin=f"a: [\n---\n{PINNED}")
    assert (done.code, done.rules()) == (1, {"SVC001"})
    assert eks6check("lint", "-", stdin="a: [\n").code == 3


@pytest.mark.parametrize("content", ["", "replicas: 3\n", "Error: chart not found\n"])
def test_a_file_without_kubernetes_objects_is_no_answer_unless_that_is_said_to_be_fine(
    tmp_path: Path, content: str
) -> None:
    file = tmp_path / "rendered.yaml"
    file.write_text(content, encoding="utf-8")
    complains(eks6check("lint", str(file)), 3, "no Kubernetes object", "--allow-empty")
    assert eks6check("lint", "--allow-empty", str(file)).code == 0


def test_a_comment_silences_and_is_counted() -> None:
    manifest = PINNED.replace("[IPv4]", "[IPv4]  # eks6check: ignore[SVC001] stays behind")
    done = eks6check("lint", "-", "--format", "json", stdin=manifest)
    assert (done.code, done.rules()) == (0, set())
    assert done.report["summary"]["suppressed"] == 1
    assert done.report["suppressions"][0]["used"]


def test_a_comment_that_names_no_rule_is_told_and_one_whose_rule_did_not_run_is_not() -> None:
    manifest = PINNED.replace("[IPv4]", "[IPv4]  # eks6check: ignore[SVC01, VPC001] stays behind")
    done = eks6check("lint", "-", "--format", "json", stdin=manifest)
    assert (done.code, done.rules()) == (1, {"SVC001"})
    assert [(note["reason"], note["line"]) for note in done.report["notes"]] == [
        ("This comment names SVC01, and there is no such rule.", 5)
    ]


def test_a_report_in_a_file_leaves_the_answer_on_the_screen(tmp_path: Path) -> None:
    file = tmp_path / "report.sarif"
    done = eks6check("lint", "-", "--format", "sarif", "--output", str(file), stdin=PINNED)
    assert (done.code, done.out) == (1, "")
    assert done.err == f"NOT READY for IPv6: 1 blocker. Wrote {file}.\n"
    assert json.loads(file.read_text(encoding="utf-8"))["version"] == "2.1.0"


def test_rules_are_listed_and_narrowed() -> None:
    listed = eks6check("rules").out.splitlines()
    assert [line.split()[0] for line in listed] == [rule.id for rule in catalog.load()]
    services = [line.split()[0] for line in eks6check("rules", "--select", "SVC").out.splitlines()]
    assert services == [rule.id for rule in catalog.load() if rule.id.startswith("SVC")]


def test_a_rule_is_explained_by_id_and_by_name() -> None:
    shown = eks6check("explain", "SVC001").out
    assert shown == eks6check("explain", "service-pins-ipv4-family").out
    for part in ("# SVC001", "Why it matters", "How to mend it", "Fires on", "Stays silent on", "list services"):
        assert part in shown


def test_permissions_are_those_of_the_chosen_rules() -> None:
    policy = json.loads(eks6check("permissions", "--only", "iam", "--select", "VPC001").out)
    actions = policy["Statement"][0]["Action"]
    assert {"ec2:DescribeVpcs", "eks:DescribeCluster"} <= set(actions) <= {
        "ec2:DescribeVpcs", "eks:DescribeCluster", "ec2:DescribeSubnets"
    }  # fmt: skip
    role = yaml.safe_load(eks6check("permissions", "--only", "rbac", "--select", "SVC001").out)
    assert role["rules"] == [{"apiGroups": [""], "resources": ["services"], "verbs": ["list"]}]
    both = eks6check("permissions").out
    assert "# IAM policy" in both
    assert "secrets" not in both


def test_the_program_says_its_version_and_its_commands() -> None:
    assert eks6check("--version").out.startswith("eks6check 0.")
    shown = eks6check("--help").out
    for command in ("scan", "lint", "snapshot", "rules", "explain", "permissions", "demo"):
        assert command in shown


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(PINNED, encoding="utf-8")
    command = f"{sys.executable} -m eks6check lint a.yaml > /dev/full"
    done = subprocess.run(command, shell=True, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.splitlines()) == (
        2,
        ["error: Standard output cannot be written: No space left on device.", "hint: Name another file."],
    )


def test_a_ready_over_chosen_rules_says_so() -> None:
    shown = eks6check("lint", "-", "--select", "SVC", stdin=CLEAN).out
    assert shown.startswith("READY as far as the chosen rules and the files can tell: no blockers.")


@pytest.mark.parametrize("command", ["rules", "permissions", "explain SVC001", "lint a.yaml"])
def test_a_full_disk_is_one_line(tmp_path: Path, command: str) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("there is no /dev/full here")
    (tmp_path / "a.yaml").write_text(PINNED, encoding="utf-8")
    program = f"{sys.executable} -m eks6check {command} >/dev/full"
    done = subprocess.run(program, shell=True, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (2, 2)
    assert done.stderr.startswith("error: ")


def test_a_reader_that_stops_reading_gets_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("---\n".join([PINNED] * 2000), encoding="utf-8")
    command = f"{sys.executable} -m eks6check lint a.yaml | head -n 1"
    done = subprocess.run(command, shell=True, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout.startswith("NOT READY")
    assert done.stderr == ""
