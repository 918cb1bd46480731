"""A rewrite whose file is deleted, while others were made on top of it."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from migsync.errors import RewriteError
from migsync.rewrites.rewrite_files import load_rewrites, write_rewrite
from tests.rewrites.evidence.repository import Project
from tests.rewrites.test_files import rename


def test_a_missing_parent_comes_back_from_git(tmp_path: Path) -> None:
    project = Project(tmp_path)
    directory = tmp_path / "migration_rewrites"
    first = rename("0001_a", "0001_b")
    path = write_rewrite(directory, first)
    project.commit("the rewrite")
    path.unlink()
    project.commit("a revert")
    second = rename("0001_b", "0001_c", parents=(first.id,), created="2026-01-02T00:00:00Z")
    write_rewrite(directory, second)
    with pytest.raises(RewriteError) as caught:
        load_rewrites(directory)
    [command] = re.findall(r"git (checkout .+)$", caught.value.hint, re.MULTILINE)
    project.git(*shlex.split(command))
    assert load_rewrites(directory).ordered == (first, second)
