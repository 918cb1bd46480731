"""``migsync undo --files``: refused where later files, rewrites or databases build on what would be undone."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.cli.shop import Ended, Shop
from tests.hints import commands
from tests.rewrites.evidence.repository import GIT

FILES = ("0001_initial", "0002_price", "0004_sku", "0006_note")


@pytest.fixture
def renumbered(tmp_path: Path) -> Shop:
    shop = Shop(tmp_path).write("default", names=FILES).record("default", FILES)
    git(shop, "init", "-q")
    commit(shop)
    renumber(shop)
    return shop


def git(shop: Shop, *arguments: str) -> None:
    subprocess.run([*GIT, *arguments], cwd=shop.root, check=True, capture_output=True)


def commit(shop: Shop) -> None:
    git(shop, "add", "-A", "shop", "config.py")
    git(shop, "commit", "-q", "-m", "work")


def renumber(shop: Shop, *options: str) -> Ended:
    ended = shop.run("renumber", "shop", "--noinput", "--allow-applied", *options)
    assert ended.status == 0, ended.err + ended.out
    return ended


def names(shop: Shop) -> list[str]:
    return sorted(path.stem for path in (shop.root / "shop" / "migrations").glob("0*.py"))


def refused(shop: Shop, code: str) -> Ended:
    before = names(shop), shop.rows("default")
    ended = shop.run("undo", "--files", "--noinput")
    assert ended.status == 1, ended.out
    assert f"[{code}]" in ended.out
    assert "Nothing was changed." in ended.out
    assert (names(shop), shop.rows("default")) == before
    return ended


def test_a_later_file_needs_the_result(renumbered: Shop) -> None:
    path = renumbered.root / "shop" / "migrations" / "0004_note.py"
    (path.parent / "0005_more.py").write_text(path.read_text().replace("0003_sku", "0004_note"))
    ended = refused(renumbered, "files-needed-since")
    assert "shop.0005_more depends on shop.0004_note" in ended.out
    (path.parent / "0005_more.py").unlink()
    assert renumbered.run("undo", "--files", "--noinput").status == 0


def test_a_later_rewrite_was_made_on_top(renumbered: Shop) -> None:
    directory = renumbered.root / "shop" / "migrations"
    (directory / "0004_note.py").rename(directory / "0005_note.py")
    assert renumbered.run("rewrite", "--map", "shop.0004_note=0005_note").status == 0
    (directory / "0005_note.py").rename(directory / "0004_note.py")
    refused(renumbered, "rewrite-needed-since")


def test_a_database_has_applied_the_rewrite_since(renumbered: Shop) -> None:
    assert renumbered.run("apply", "--noinput").status == 0
    ended = refused(renumbered, "rewrite-applied-since")
    (command,) = commands("\n".join(line.strip().removeprefix("Next: ") for line in ended.out.splitlines()))
    command = command.partition("there first: ")[2] or command
    assert renumbered.run(*command.split()[1:], "--noinput").status == 0
    assert renumbered.run("undo", "--files", "--noinput").status == 0
    assert names(renumbered) == list(renumbered.names("default")) == list(FILES)


def test_together_with_its_run_it_is_undone(tmp_path: Path) -> None:
    shop = Shop(tmp_path).write("default", names=FILES).record("default", FILES)
    git(shop, "init", "-q")
    commit(shop)
    renumber(shop, "--update-db")
    before = shop.rows("default")
    assert shop.run("undo", "--files", "--noinput").status == 0
    assert shop.names("default") == FILES
    assert shop.rows("default") != before


def test_the_question_names_the_command(renumbered: Shop) -> None:
    ended = renumbered.at_terminal("undo", "--files", answers=["n\n"])
    assert "Undo renumber" in ended.out


def test_typed_again_it_goes_no_further_than_the_files_allow(renumbered: Shop) -> None:
    commit(renumbered)
    assert renumbered.run("undo", "--files", "--noinput").status == 0
    ended = renumbered.run("undo", "--files", "--noinput")
    assert ended.status == 1
    assert "There is no change of files to undo." in ended.err


def test_a_project_without_databases(tmp_path: Path) -> None:
    shop = Shop(tmp_path).write(names=FILES)
    git(shop, "init", "-q")
    commit(shop)
    renumber(shop)
    assert shop.run("undo", "--files", "--noinput").status == 0
    assert names(shop) == list(FILES)
