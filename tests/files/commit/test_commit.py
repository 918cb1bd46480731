"""A commit makes exactly the proposal's files, and its undo exactly the old ones."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from migsync.files.commit import commit, commits, recover_files, undo_files
from migsync.files.proposal import FileChange, Proposal
from migsync.rewrites.rewrite_files import load_rewrites
from tests.files.commit.story import REWRITE, is_new, make_project, make_proposal, project_at, tree


def test_files_with_swaps_chains_and_odd_bytes_change_exactly_and_back(tmp_path: Path) -> None:
    project = make_project(tmp_path)
    before = tree(tmp_path)
    made = commit(project, make_proposal(tmp_path))
    assert is_new(tree(tmp_path))
    after = tree(tmp_path)
    assert [rewrite.id for rewrite in load_rewrites(project.rewrites).ordered] == [REWRITE.id]
    assert recover_files(tmp_path, lambda *_: None) is None

    (record,) = commits(tmp_path)
    assert record.id == made.id
    undo = undo_files(project, record)
    assert tree(tmp_path) == before
    again = undo_files(project, next(it for it in commits(tmp_path) if it.id == undo.id))
    assert tree(tmp_path) == after
    assert [it.id for it in commits(tmp_path)] == [again.id, undo.id, made.id]


def name_in(root: Path, module: str) -> str:
    """What a new Python finds there, its bytecode being written."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    program = f"import {module}; print({module}.NAME)"
    done = subprocess.run([sys.executable, "-c", program], cwd=root, env=environment, check=True, capture_output=True)
    return done.stdout.decode().strip()


def test_python_does_not_take_old_bytecode_for_the_new_file(tmp_path: Path) -> None:
    """Two files of one size and one second swap names: nothing else would tell Python that its cache is stale."""
    one, two = tmp_path / "names/one.py", tmp_path / "names/two.py"
    one.parent.mkdir()
    (one.parent / "__init__.py").touch()
    for path, text in ((one, b"NAME = 1\n"), (two, b"NAME = 2\n")):
        path.write_bytes(text)
        os.utime(path, (1_700_000_000, 1_700_000_000))
    assert name_in(tmp_path, "names.one") == "1"
    changes = (
        FileChange(one, two, b"NAME = 1\n", b"NAME = 1\n", 0o644),
        FileChange(two, one, b"NAME = 2\n", b"NAME = 2\n", 0o644),
    )
    commit(project_at(tmp_path), Proposal("test", changes, None))
    for path in (one, two):
        os.utime(path, (1_700_000_000, 1_700_000_000))
    assert name_in(tmp_path, "names.one") == "2"
