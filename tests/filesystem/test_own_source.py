"""A cache of another migsync counts as none, also of one with the same version."""

from __future__ import annotations

import pytest

import migsync
from migsync.filesystem import own_source as module
from migsync.filesystem.own_source import own_source
from migsync.history.source_cache import SourceCache


@pytest.fixture
def edit(tmp_path, monkeypatch):
    """Makes migsync's own source that in a directory here, and changes a file of it."""
    monkeypatch.setattr(migsync, "__file__", str(tmp_path / "migsync/__init__.py"))

    def changed(path, text):
        file = tmp_path / "migsync" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        module._digest.cache_clear()

    yield changed
    module._digest.cache_clear()


def test_the_source_of_the_rooms_counts_and_no_other(edit):
    edit("history/digest.py", "1")
    one = own_source("history")
    edit("cli/program.py", "1")
    assert own_source("history") == one
    edit("history/operations/values.py", "1")
    two = own_source("history")
    edit("history/operations/values.py", "2")
    assert len({one, two, own_source("history")}) == 3


def test_the_version_counts(monkeypatch):
    before = own_source("history")
    monkeypatch.setattr(migsync, "__version__", "99")
    assert own_source("history") != before


def test_what_another_commit_worked_out_is_worked_out_again(edit, tmp_path):
    edit("history/digest.py", "before")
    cache = SourceCache(tmp_path / "cache")
    assert cache.of("shop", "a", lambda: "old") == "old"
    cache.save()
    assert SourceCache(tmp_path / "cache").of("shop", "a", lambda: "new") == "old"
    edit("history/digest.py", "after")
    assert SourceCache(tmp_path / "cache").of("shop", "a", lambda: "new") == "new"
