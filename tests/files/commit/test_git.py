"""What git holds: uncommitted work is not mixed with ours, and what git has no copy of is kept."""

from __future__ import annotations

import errno
import os
import subprocess
import tarfile
from pathlib import Path

import pytest

from migsync.errors import FilesRefused
from migsync.files.commit import commit, commits, undo_files
from migsync.files.commit.store import KEPT
from migsync.files.commit.syscalls import Files
from migsync.files.proposal import FileChange, Proposal
from tests.files.commit.story import BEFORE, MOVES, REMOVED, is_new, make_project, make_proposal, tree

OLD = [*MOVES, *REMOVED]


def git(root: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    done = subprocess.run(["git", "-C", str(root), *identity, *arguments], check=True, capture_output=True, text=True)
    return done.stdout


def repository(root: Path, *, add: bool = True) -> Path:
    git(root, "init", "-q")
    if add:
        git(root, "add", ".")
        git(root, "commit", "-q", "-m", "all")
    return root


def backed_up(backup: Path) -> dict[str, bytes]:
    with tarfile.open(backup) as archive:
        found = {member.name: archive.extractfile(member) for member in archive}
        return {name.removeprefix("before/"): file.read() for name, file in found.items() if file and "before/" in name}


@pytest.mark.parametrize("inside", ["", "backend"])
def test_a_clean_tree_needs_no_force(tmp_path: Path, inside: str) -> None:
    project = make_project(tmp_path / inside)
    repository(tmp_path)
    made = commit(project, make_proposal(tmp_path / inside))
    assert made.untracked == ()
    # The state directory is nothing to git.
    assert ".migsync" not in git(tmp_path, "status", "--porcelain", "--untracked-files=all")


@pytest.mark.parametrize("staged", [False, True])
def test_uncommitted_changes_need_force(tmp_path: Path, staged: bool) -> None:
    name = "shop/migrations/0003_b.py"
    project = make_project(tmp_path)
    (tmp_path / name).write_bytes(b"# another time\n")
    repository(tmp_path)
    make_project(tmp_path)
    if staged:
        git(tmp_path, "add", ".")
    before = tree(tmp_path)
    with pytest.raises(FilesRefused, match=rf"(?s){name}.*--force"):
        commit(project, make_proposal(tmp_path))
    assert tree(tmp_path) == before
    made = commit(project, make_proposal(tmp_path), force=True)
    assert is_new(tree(tmp_path))
    assert backed_up(made.backup)[name] == BEFORE[name][0]


def test_changes_of_other_files_are_nobodys_business(tmp_path: Path) -> None:
    project = make_project(tmp_path)
    repository(tmp_path)
    (tmp_path / "shop/migrations/0001_initial.py").write_bytes(b"# mine\n")
    (tmp_path / "shop/models.py").write_bytes(b"# mine\n")
    commit(project, make_proposal(tmp_path))


@pytest.mark.parametrize("how", ["untracked", "ignored", "ignored directory", "no repository"])
def test_untracked_files_are_copied_first(tmp_path: Path, how: str) -> None:
    project = make_project(tmp_path)
    if how != "no repository":
        if how != "untracked":
            pattern = "0*.py\n" if how == "ignored" else "migrations/\n"
            (tmp_path / ".gitignore").write_text(pattern)
        repository(tmp_path, add=False)
        git(tmp_path, "commit", "-q", "--allow-empty", "-m", "nothing")
    made = commit(project, make_proposal(tmp_path))
    assert {path.relative_to(tmp_path).as_posix() for path in made.untracked} == set(OLD)
    assert backed_up(made.backup) == {name: BEFORE[name][0] for name in OLD}


def test_a_file_name_that_git_would_quote(tmp_path: Path) -> None:
    name = b"shop/migrations/0009_\xc3\xa9t\xc3\xa9 \xff.py"
    path = tmp_path / os.fsdecode(name)
    project = make_project(tmp_path)
    repository(tmp_path)
    path.write_bytes(b"# mine\n")
    change = FileChange(path, path.with_name("0010_é.py"), b"# mine\n", b"# theirs\n", 0o644)
    before = tree(tmp_path)
    made = commit(project, Proposal("test", (change,), None))
    assert made.untracked == (path,)
    undo_files(project, commits(tmp_path)[0])
    assert tree(tmp_path) == before


def test_git_that_cannot_be_asked_needs_force(tmp_path: Path) -> None:
    project = make_project(tmp_path)
    (tmp_path / ".git").write_text("gitdir: /nowhere\n")
    with pytest.raises(FilesRefused, match=r"(?s)git cannot tell.*--force"):
        commit(project, make_proposal(tmp_path))
    made = commit(project, make_proposal(tmp_path), force=True)
    assert len(made.untracked) == len(OLD)


def flip(root: Path, number: int) -> Proposal:
    path = root / "shop/migrations/0001_initial.py"
    return Proposal(f"edit {number}", (FileChange(path, path, path.read_bytes(), b"# %d\n" % number, 0o644),), None)


def test_old_commits_are_forgotten_but_for_those_that_hold_an_only_copy(tmp_path: Path) -> None:
    project = make_project(tmp_path)
    first = commit(project, flip(tmp_path, 0))
    repository(tmp_path)
    for number in range(1, KEPT + 5):
        commit(project, flip(tmp_path, number))
        git(tmp_path, "commit", "-qam", "next")
    kept = commits(tmp_path)
    assert [record.command for record in kept] == [*(f"edit {n}" for n in range(KEPT + 4, 4, -1)), "edit 0"]
    assert backed_up(first.backup) == {"shop/migrations/0001_initial.py": b"# first\n"}


def test_programs_that_the_repository_names_do_not_run(tmp_path: Path) -> None:
    """An unpacked archive brings its own `.git/config`."""
    root, ran = tmp_path / "project", tmp_path / "ran"
    project = make_project(root)
    repository(root)
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch {ran}\n")
    program.chmod(0o755)
    git(root, "config", "core.fsmonitor", str(program))
    git(root, "status")
    assert ran.exists()  # git alone runs it
    ran.unlink()
    commit(project, make_proposal(root))
    assert not ran.exists()


def test_a_broken_repository_inside_another_one(tmp_path: Path) -> None:
    """Git would look at the repository above, where the paths of the files are others: all seemed to be committed."""
    root = tmp_path / "backend"
    project = make_project(root)
    repository(tmp_path)
    (root / ".git").mkdir()
    with pytest.raises(FilesRefused, match=r"(?s)git cannot tell.*--force"):
        commit(project, make_proposal(root))


def test_a_full_disk_leaves_no_empty_gitignore(tmp_path: Path) -> None:
    """It would be there for good, and `git add .` would take the state directory along."""

    def full(call: str, path: Path) -> None:
        if call == "write" and ".gitignore" in path.name:
            raise OSError(errno.ENOSPC, "No space left on device", str(path))

    project = make_project(tmp_path)
    repository(tmp_path)
    with pytest.raises(FilesRefused, match="No space left"):
        commit(project, make_proposal(tmp_path), files=Files(full))
    commit(project, make_proposal(tmp_path))
    assert ".migsync" not in git(tmp_path, "status", "--porcelain", "--untracked-files=all")
