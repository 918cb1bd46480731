"""An app with two leaf migrations: each command says so, and names the one that puts them in line."""

from __future__ import annotations

import subprocess

import pytest

from tests.cli.shop import Shop
from tests.rewrites.evidence.repository import GIT

FORK = "migsync fix-conflicts --app shop"


@pytest.fixture(scope="module")
def forked(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    shop = Shop(tmp_path_factory.mktemp("forked")).write("default", names=("0001_initial", "0002_a", "0003_b"))
    path = shop.root / "shop" / "migrations" / "0003_b.py"
    (path.parent / "0003_c.py").write_text(path.read_text())
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "fork"], ["branch", "-M", "main"]):
        subprocess.run([*GIT, *command], cwd=shop.root, check=True)
    return shop


@pytest.mark.parametrize("command", [["tidy"], ["rebase", "--onto", "main"]])
def test_what_has_nothing_to_do_does_not_say_that_the_files_are_in_order(forked: Shop, command: list[str]) -> None:
    ended = forked.run(*command, "--noinput")
    assert ended.status == 0, ended.err
    assert "Nothing to do: the files are in order." not in ended.out
    assert FORK in ended.out


def test_a_fork_does_not_keep_a_squash_from_being_tried(forked: Shop) -> None:
    """Both branches are built; here the first migration, whose SQL is none, fails."""
    ended = forked.run("squash", "shop", "0001", "0002", "--dry-run")
    assert ended.status == 1
    assert "[conflicting-migrations]" not in ended.out
    assert "`migrate` fails on the scratch database, in shop.0001_initial" in ended.out
    assert "Nothing was changed." in ended.out
