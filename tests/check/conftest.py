"""Fixtures of the tests of `migsync check`."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from migsync.check.base import TARGET_BRANCHES
from tests.check.branch import Branch

OTHERS = ("CI_MERGE_REQUEST_DIFF_BASE_SHA", "CI_COMMIT_BEFORE_SHA", "CI_DEFAULT_BRANCH", "GITHUB_EVENT_NAME")
HOOKS = ("PRE_COMMIT", "GIT_INDEX_FILE", "GIT_DIR")


@pytest.fixture(autouse=True)
def _no_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    """The tests may run in CI themselves, or in a hook."""
    for name in (*TARGET_BRANCHES, *OTHERS, *HOOKS):
        monkeypatch.delenv(name, raising=False)
    assert not os.environ.get("GITHUB_BASE_REF")


@pytest.fixture
def branch(tmp_path: Path) -> Branch:
    return Branch(tmp_path)
