"""`migsync rewrite` without names: what git proves needs no database, and what could not be looked at is said."""

from __future__ import annotations

import shutil

from tests.check.branch import Branch
from tests.databases import SQLiteDatabase

GONE = """
[tool.migsync.databases.{name}]
url = "sqlite:///{path}"
"""


def configured(branch: Branch, **paths: str) -> Branch:
    text = "[tool.migsync]\n" + "".join(GONE.format(name=name, path=path) for name, path in paths.items())
    (branch.root / "pyproject.toml").write_text(text)
    return branch


def test_what_git_proves_is_written_without_a_database(branch: Branch) -> None:
    configured(branch, default="no/such/directory/db.sqlite3")
    branch.rename("0003_sku", "0003_number", "0002_price")
    ended = branch.run("rewrite", "--format", "json")
    [made] = ended.document["rewrites"]
    assert made["rewrite"]["apps"]["shop"]["renamed"] == [["0003_sku", "0003_number"]]
    assert made["path"]
    # The database may hold more.
    assert (ended.status, "default" in ended.err) == (1, True)
    assert branch.check().status == 0


def test_what_could_not_be_looked_at_is_never_explained(branch: Branch) -> None:
    configured(branch, first="no/such/directory/a.sqlite3", second="no/such/directory/b.sqlite3")
    ended = branch.run("rewrite")
    assert ended.status == 1
    assert "Nothing to write" not in ended.out
    assert "Not all names are known: first and second could not be read" in ended.err
    (branch.root / "pyproject.toml").unlink()
    ended = branch.run("rewrite")
    assert ended.status == 1
    assert "Not all names are known: no database of this project is known" in ended.err


def test_where_all_was_looked_at_that_is_said(branch: Branch) -> None:
    path = branch.root / "db.sqlite3"
    SQLiteDatabase(path).create_table()
    configured(branch, default=str(path))
    ended = branch.run("rewrite")
    assert (ended.status, ended.out) == (0, "Nothing to write: every proven rename has a rewrite already.\n")


def test_in_a_library_git_is_all_that_is_compared(branch: Branch) -> None:
    (branch.root / "pyproject.toml").write_text('[tool.migsync.apps]\nshop = "shop.migrations"\n')
    (branch.root / "manage.py").unlink()
    branch.commit("a library")
    ended = branch.run("rewrite")
    assert ended.status == 0
    assert "migsync check --against REV --write" in ended.out
    branch.rename("0003_sku", "0003_number", "0002_price")
    assert "0003_sku -> 0003_number" in branch.run("rewrite").out
    shutil.rmtree(branch.root / ".git")
    ended = branch.run("rewrite")
    assert (ended.status, "Nothing was compared" in ended.err) == (1, True)
