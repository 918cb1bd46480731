"""Which commit a branch is compared with: as it was asked for, as CI names it, or as the clone shows it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from migsync.check.base import TARGET_BRANCHES, Base, find_base
from migsync.errors import MigsyncError, ProjectError, UsageError
from tests.check.branch import Branch, field


class Clone:
    """A bare remote with `main` and `release`, and a clone with a branch that left `main`."""

    def __init__(self, root: Path) -> None:
        self.seed = Branch(root / "seed")
        self.main = self.commit("main")
        self.seed.git("branch", "release", "main~0")
        self.seed.git("checkout", "-q", "main")
        self.seed.operations("0004_stock", ["0003_sku"], field("stock"))
        self.seed.commit()
        self.seed.git("init", "-q", "--bare", str(root / "remote"))
        self.seed.git("push", "-q", str(root / "remote"), "main", "release", "work")
        self.seed.git("clone", "-q", str(root / "remote"), str(root / "clone"))
        self.top = root / "clone"
        self.git("checkout", "-q", "work")

    def git(self, *arguments: str) -> str:
        return self.seed.git(*arguments, cwd=self.top).strip()

    def commit(self, name: str) -> str:
        return self.seed.git("rev-parse", name).strip()

    def base(self, environ: Mapping[str, str] | None = None, against: str | None = None) -> Base:
        found = find_base(self.top, against, None, environ or {})
        assert found
        return found


@pytest.fixture
def clone(tmp_path: Path) -> Clone:
    return Clone(tmp_path)


def test_it_is_where_the_branch_left_the_main_branch_of_origin(clone: Clone) -> None:
    for _ in range(2):
        assert (clone.base().commit, clone.base().name) == (clone.main, "main")
        # Clones that CI makes often have no origin/HEAD.
        clone.git("remote", "set-head", "origin", "--delete")


def test_on_the_main_branch_it_is_head(clone: Clone) -> None:
    clone.git("checkout", "-q", "main")
    assert clone.base().commit == clone.git("rev-parse", "HEAD")


def test_without_a_main_branch_it_is_head(clone: Clone) -> None:
    clone.git("remote", "remove", "origin")
    clone.git("branch", "-D", "main")
    assert (clone.base().name, clone.base().commit) == ("HEAD", clone.git("rev-parse", "HEAD"))


@pytest.mark.parametrize("variable", TARGET_BRANCHES)
def test_ci_names_the_target(clone: Clone, variable: str) -> None:
    assert clone.base({variable: "release"}).name == "release"


def test_a_push_to_the_main_branch_is_compared_with_what_was_there_before(clone: Clone, tmp_path: Path) -> None:
    clone.git("checkout", "-q", "main")
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"before": clone.main, "repository": {"default_branch": "main"}}))
    github = {"GITHUB_EVENT_NAME": "push", "GITHUB_EVENT_PATH": str(event), "GITHUB_REF_NAME": "main"}
    gitlab = {"CI_COMMIT_BRANCH": "main", "CI_DEFAULT_BRANCH": "main", "CI_COMMIT_BEFORE_SHA": clone.main}
    for environ in (github, gitlab):
        assert clone.base(environ).commit == clone.main
    # A branch may be pushed many times: it is compared as a whole.
    clone.git("checkout", "-q", "work")
    for environ in (github | {"GITHUB_REF_NAME": "work"}, gitlab | {"CI_COMMIT_BRANCH": "work"}):
        assert clone.base(environ).name == "main"
    # The first push of a branch has no commit before it.
    clone.git("checkout", "-q", "main")
    assert clone.base(gitlab | {"CI_COMMIT_BEFORE_SHA": "0" * 40}).commit == clone.git("rev-parse", "HEAD")


def test_what_is_asked_for_comes_first(clone: Clone) -> None:
    assert clone.base({"GITHUB_BASE_REF": "main"}, "origin/release").name == "origin/release"
    with pytest.raises(UsageError, match="--against nowhere: git has no such branch"):
        clone.base(against="nowhere")
    with pytest.raises(UsageError, match="--against --all"):
        clone.base(against="--all")


def test_a_shallow_clone_says_how_to_complete_it(clone: Clone, tmp_path: Path) -> None:
    remote = f"file://{tmp_path / 'remote'}"
    clone.seed.git("clone", "-q", "--depth=1", "--branch=work", remote, str(tmp_path / "shallow"))
    clone.top = tmp_path / "shallow"
    with pytest.raises(ProjectError, match="shallow") as refused:
        clone.base({"GITHUB_BASE_REF": "main"})
    assert "fetch-depth: 0" in refused.value.hint
    clone.git("fetch", "-q", "--unshallow")
    clone.git("fetch", "-q", "origin", "main:refs/remotes/origin/main")
    assert clone.base({"GITHUB_BASE_REF": "main"}).commit == clone.main


def test_a_branch_that_ci_names_and_the_clone_lacks_is_never_passed_over(clone: Clone) -> None:
    with pytest.raises(ProjectError, match="does not have it") as refused:
        clone.base({"GITHUB_BASE_REF": "gone"})
    assert "git fetch origin gone:refs/remotes/origin/gone" in refused.value.hint


def test_without_a_common_commit_it_is_asked_for(clone: Clone) -> None:
    clone.git("checkout", "-q", "--orphan", "alone")
    clone.git("commit", "-q", "--allow-empty", "-m", "alone")
    with pytest.raises(ProjectError, match="no commit in common"):
        clone.base()


def test_a_repository_without_a_commit_has_no_base(tmp_path: Path, branch: Branch) -> None:
    (tmp_path / "new").mkdir()
    branch.git("init", "-q", cwd=tmp_path / "new")
    assert find_base(tmp_path / "new", None, None, {}) is None


def test_without_git_the_databases_can_still_be_compared(tmp_path: Path, branch: Branch) -> None:
    (branch.root / ".git").rename(tmp_path / "elsewhere")
    ended = branch.check(form="text")
    assert ended.status == 1
    assert "is not in a git repository" in ended.err
    assert isinstance(ProjectError(""), MigsyncError)
