"""--diff, and d at the question: the whole change after its summary, on a terminal in the pager."""

from __future__ import annotations

import pytest

from tests.cli.shop import Shop

QUESTION = "Change 4 files and 3 records in default? [y/N/d]:"
DIFF = "rename from shop/migrations/0003_price.py"


@pytest.fixture
def person(shop):
    return Shop(shop.root)


def told(shop, *arguments):
    ended = shop.migsync("linearize", "--update-db", "--dry-run", *arguments)
    assert ended.status == 0, ended.out + ended.err
    return ended.out


def test_diffs_are_shown_when_asked_for(shop):
    short, whole = told(shop), told(shop, "--diff")
    hint = "To see every diff, name and record: migsync linearize --dry-run --diff --update-db\n"
    assert short.endswith(f"Dry run: nothing was changed.\n{hint}")
    assert DIFF not in short
    assert whole.startswith(short.partition("\nDry run")[0])
    assert DIFF in whole
    assert hint not in whole


def test_the_printed_command_repeats_arguments(shop):
    ended = shop.migsync("squash", "shop", "0001", "0003_price", "--dry-run", "--allow-applied", "--no-prove-schema")
    command = "migsync squash shop 0001 0003_price --dry-run --diff --allow-applied --no-prove-schema"
    assert f"To see every diff, name and record: {command}\n" in ended.out + ended.err


def test_the_pager_shows_the_details_and_then_the_question_is_asked(shop, person, tmp_path):
    before, seen = (shop.dumps(), shop.files()), tmp_path / "seen"
    ended = person.at_terminal("linearize", "--update-db", "--diff", answers=["n\n"], PAGER=f"tee {seen} | tail -n 1")
    assert ended.status == 1
    assert DIFF in seen.read_text()
    assert DIFF not in ended.out
    assert ended.out.index("`migrate --plan` is the same for a fresh database") < ended.out.index(QUESTION)
    assert (shop.dumps(), shop.files()) == before


@pytest.mark.parametrize(
    ("command", "shown"),
    [("cat", True), ("", True), ("no-such-pager", True), ("true", False), ("head -n 1 >/dev/null", False)],
)
def test_whatever_the_pager_does_the_command_goes_on(shop, person, command, shown):
    ended = person.at_terminal("linearize", "--update-db", answers=["d\n", "y\n"], PAGER=command)
    assert ended.status == 0, ended.out
    assert ended.out.count(QUESTION) == 2
    assert (DIFF in ended.out) == shown
    assert shop.pending("default") == []


def test_ctrl_c_ends_the_pager_and_not_the_command(shop, person):
    # The terminal sends SIGINT to both; here the pager does.
    pager = "kill -INT $PPID; kill -INT $$"
    ended = person.at_terminal("linearize", "--update-db", "--diff", answers=["y\n"], PAGER=pager)
    assert ended.status == 0, ended.out
    assert shop.pending("default") == []


def test_sigterm_while_the_pager_runs_changes_nothing(shop, person):
    before = (shop.dumps(), shop.files())
    pager = "kill -TERM $PPID; sleep 60"
    ended = person.at_terminal("linearize", "--update-db", "--diff", PAGER=pager)
    assert ended.status == 143, ended.out
    assert (shop.dumps(), shop.files()) == before


def test_without_questions_nothing_waits_in_a_pager(shop, person):
    ended = person.at_terminal("linearize", "--update-db", "--diff", "--noinput", PAGER="true")
    assert ended.status == 0
    assert DIFF in ended.out


def test_undo_shows_what_comes_back(shop, person):
    assert shop.migsync("linearize", "--update-db", "--yes").status == 0
    shown = shop.migsync("undo", "--files", "--dry-run", "--diff")
    assert shown.status == 0, shown.out + shown.err
    assert "shop/migrations: 1 edited, 2 renamed, 1 new\n" in shown.out
    assert "Databases  default: 3 changes to undo: 2 renames, 1 insertion\n" in shown.out
    assert "rename to shop/migrations/0003_price.py" in shown.out
    assert "rename to" not in shop.migsync("undo", "--files", "--dry-run").out
    assert shop.migsync("undo", "--diff").status == 64
    ended = person.at_terminal("undo", "--files", answers=["d\n", "y\n"], PAGER="cat")
    assert ended.status == 0, ended.out
    assert "rename to shop/migrations/0003_price.py" in ended.out
