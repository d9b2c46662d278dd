"""Which files are read: what git users expect, and nothing lost in silence."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from eks6check.errors import NothingCheckedError, UsageError
from eks6check.sources.manifests import files


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory of the test: a git repository's top."""
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def make(here: Path, *names: str, **contents: str) -> None:
    for name in names:
        (here / name).parent.mkdir(parents=True, exist_ok=True)
        (here / name).write_text(contents.get(name, "a: 1\n"), encoding="utf-8")


def ignore(here: Path, *lines: str, folder: str = ".") -> None:
    (here / folder).mkdir(parents=True, exist_ok=True)
    (here / folder / ".gitignore").write_text("\n".join(lines) + "\n", encoding="utf-8")


def names(*paths: str) -> list[str]:
    return [file.shown for file in files.find(paths)]


def test_a_folder_gives_its_manifests_sorted(here: Path) -> None:
    make(here, "k8s/b.yaml", "k8s/a.yml", "k8s/sub/c.json", "k8s/README.md", "k8s/D.YAML", "other/e.yaml")
    assert names("k8s") == ["k8s/D.YAML", "k8s/a.yml", "k8s/b.yaml", "k8s/sub/c.json"]


def test_a_file_is_read_whatever_its_name_and_whatever_git_says(here: Path) -> None:
    ignore(here, "*.txt")
    make(here, "manifest.txt")
    assert names("manifest.txt") == ["manifest.txt"]


def test_hidden_folders_are_read_and_those_of_version_control_are_not(here: Path) -> None:
    make(here, ".github/a.yaml", ".git/b.yaml", "sub/.git/c.yaml", "sub/.hg/d.yaml")
    assert names(".") == [".github/a.yaml"]


def test_names_are_as_given_or_relative_where_below_the_working_directory(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(here, "one/a.yaml", "two/b.yaml")
    assert names(str(here / "one"), "./two/") == ["one/a.yaml", "two/b.yaml"]
    monkeypatch.chdir(here / "one")
    assert names("../two", str(here / "two" / "b.yaml")) == ["../two/b.yaml"]
    assert names(str(here / "two")) == [(here / "two/b.yaml").as_posix()]


def test_a_file_that_several_paths_name_is_read_once(here: Path) -> None:
    make(here, "k8s/a.yaml")
    (here / "link.yaml").symlink_to("k8s/a.yaml")
    assert names("k8s", "k8s/a.yaml", "k8s/../k8s", "link.yaml", "-", "-") == ["k8s/a.yaml", "stdin"]


def test_globs_find_files_in_any_depth_and_leave_out_what_git_ignores(here: Path) -> None:
    ignore(here, "out/")
    make(here, "k8s/a.yaml", "k8s/sub/b.yaml", "k8s/c.tpl", "out/d.yaml", "k8s/e.md")
    assert names("k8s/**/*.yaml") == ["k8s/a.yaml", "k8s/sub/b.yaml"]
    assert names("**/*.yaml") == ["k8s/a.yaml", "k8s/sub/b.yaml"]
    assert names("k8s/*.tpl") == ["k8s/c.tpl"]
    assert names("k*") == ["k8s/a.yaml", "k8s/sub/b.yaml"]


def test_a_file_whose_name_looks_like_a_pattern_is_a_file(here: Path) -> None:
    make(here, "a[1].yaml")
    assert names("a[1].yaml") == ["a[1].yaml"]


@pytest.mark.parametrize("path", ["nowhere", "nowhere/*.yaml", "", "a\0b", "~"])
def test_a_path_that_names_nothing_is_refused_with_a_hint(here: Path, path: str) -> None:
    make(here, "a.yaml")
    with pytest.raises(UsageError) as refused:
        names("a.yaml", path)
    assert repr(path) in refused.value.message
    assert refused.value.hint


def test_folders_without_any_manifest_are_an_error_of_the_run(here: Path) -> None:
    make(here, "docs/README.md")
    with pytest.raises(NothingCheckedError, match="There is no manifest in 'docs'"):
        names("docs")


def test_an_ignored_folder_is_read_if_it_is_named(here: Path) -> None:
    ignore(here, "rendered/", "*.json")
    make(here, "rendered/prod/a.yaml", "rendered/prod/b.json", "k8s/c.yaml")
    assert names(".") == ["k8s/c.yaml"]
    assert names("rendered") == ["rendered/prod/a.yaml", "rendered/prod/b.json"]
    assert names("rendered/prod") == ["rendered/prod/a.yaml", "rendered/prod/b.json"]


def test_ignore_files_above_count_up_to_the_repositorys_top(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repository = here / "repository"
    ignore(here, "b.yaml")
    ignore(repository, "a.yaml")
    make(repository, "k8s/a.yaml", "k8s/b.yaml", ".git/HEAD")
    monkeypatch.chdir(repository / "k8s")
    assert names(".") == ["b.yaml"]


IGNORES: list[tuple[dict[str, list[str]], list[str]]] = [
    ({".": ["# comment", "", "*.yaml", "!keep.yaml"]}, ["keep.yaml", "sub/keep.yaml"]),
    ({".": ["/a.yaml"]}, ["keep.yaml", "sub/a.yaml", "sub/deep/b.yaml", "sub/keep.yaml"]),
    ({".": ["sub/"]}, ["a.yaml", "keep.yaml"]),
    ({".": ["sub/", "!sub/keep.yaml"]}, ["a.yaml", "keep.yaml"]),
    ({".": ["sub/*", "!sub/keep.yaml"]}, ["a.yaml", "keep.yaml", "sub/keep.yaml"]),
    ({".": ["sub/**", "!sub/keep.yaml"]}, ["a.yaml", "keep.yaml", "sub/keep.yaml"]),
    ({".": ["sub/**", "!sub/deep/b.yaml"]}, ["a.yaml", "keep.yaml"]),
    ({".": ["**/deep"]}, ["a.yaml", "keep.yaml", "sub/a.yaml", "sub/keep.yaml"]),
    ({".": ["a.yaml"], "sub": ["!a.yaml", "deep"]}, ["keep.yaml", "sub/a.yaml", "sub/keep.yaml"]),
    ({"sub": ["/keep.yaml"]}, ["a.yaml", "keep.yaml", "sub/a.yaml", "sub/deep/b.yaml"]),
    ({".": ["[z-a]", "!", "\\", "keep.yaml"]}, ["a.yaml", "sub/a.yaml", "sub/deep/b.yaml"]),
    ({".": ["*.yaml", "!sub/", "!keep.yaml"]}, ["keep.yaml", "sub/keep.yaml"]),
    ({".": ["*.yaml", "!sub", "!a.yaml"]}, ["a.yaml", "sub/a.yaml"]),
    ({".": ["sub/**", "!sub/deep/", "!keep.yaml"]}, ["a.yaml", "keep.yaml", "sub/keep.yaml"]),
    ({".": ["**/sub/**/b.yaml", "sub/keep*"]}, ["a.yaml", "keep.yaml", "sub/a.yaml"]),
    ({".": ["a.yaml/", "keep.yaml  ", "deep\\ "]}, ["a.yaml", "sub/a.yaml", "sub/deep/b.yaml"]),
    ({".": ["*", "!*/", "!keep.yaml"]}, ["keep.yaml", "sub/keep.yaml"]),
    ({".": ["*", "!*/", "!*.yaml"]}, ["a.yaml", "keep.yaml", "sub/a.yaml", "sub/deep/b.yaml", "sub/keep.yaml"]),
]


def laid_out(here: Path, ignores: dict[str, list[str]]) -> None:
    make(here, "a.yaml", "keep.yaml", "sub/a.yaml", "sub/keep.yaml", "sub/deep/b.yaml")
    for folder, lines in ignores.items():
        ignore(here, *lines, folder=folder)


@pytest.mark.parametrize(("ignores", "left"), IGNORES)
def test_ignore_files_mean_what_they_mean_to_git(
    here: Path, ignores: dict[str, list[str]], left: Iterable[str]
) -> None:
    laid_out(here, ignores)
    assert names(".") == left


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
@pytest.mark.parametrize(("ignores", "left"), IGNORES)
def test_git_itself_says_so(here: Path, ignores: dict[str, list[str]], left: Iterable[str]) -> None:
    laid_out(here, ignores)
    os.rmdir(here / ".git")  # noqa: PTH106  one of the few plain calls
    subprocess.run(["git", "init", "--quiet"], check=True)
    command = ["git", "ls-files", "--others", "--exclude-standard", "*.yaml"]
    listed = subprocess.run(command, check=True, capture_output=True, text=True)
    assert sorted(listed.stdout.split()) == left


@pytest.fixture
def shut(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that can be seen and not entered; made so that it holds for root as well."""
    make(here, "k8s/a.yaml", "k8s/shut/b.yaml", "k8s/shut/README.md", "k8s/shut/sub/c.yaml")
    stat = os.stat

    def refusing(path: Any, **options: Any) -> os.stat_result:
        if isinstance(path, (str, Path)) and "shut/" in str(path):
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return stat(path, **options)

    monkeypatch.setattr(os, "stat", refusing)


@pytest.mark.usefixtures("shut")
@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("k8s", ["k8s/a.yaml", "k8s/shut"]),
        ("k8s/shut", ["k8s/shut"]),
        ("k8s/shut/b.yaml", ["k8s/shut/b.yaml"]),
        ("k*", ["k8s/a.yaml", "k8s/shut"]),
    ],
)
def test_a_folder_that_may_not_be_entered_is_not_lost(path: str, found: list[str]) -> None:
    assert names(path) == found


def test_links_to_folders_are_followed_and_loops_end(here: Path) -> None:
    make(here, "k8s/a.yaml", "outside/b.yaml")
    (here / "k8s" / "loop").symlink_to("..", target_is_directory=True)
    (here / "k8s" / "self").symlink_to("self")
    assert names("k8s") == ["k8s/a.yaml", "k8s/loop/outside/b.yaml"]


def test_a_link_that_leads_nowhere_is_not_lost(here: Path) -> None:
    make(here, "k8s/a.yaml")
    (here / "k8s" / "gone.yaml").symlink_to("nowhere.yaml")
    assert names("k8s") == ["k8s/a.yaml", "k8s/gone.yaml"]


def test_a_pipe_in_a_folder_does_not_block_the_run(here: Path) -> None:
    make(here, "k8s/a.yaml")
    os.mkfifo(here / "k8s" / "pipe.yaml")
    assert names("k8s") == ["k8s/a.yaml"]


def test_a_name_that_is_no_text_can_still_be_shown(here: Path) -> None:
    Path(os.fsdecode(os.fsencode(here) + b"/\xff.yaml")).write_text("a: 1\n", encoding="utf-8")
    assert names(".") == ["\ufffd.yaml"]
