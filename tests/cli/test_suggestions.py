"""Who misspells a command, an option or a name is asked whether he meant the one that is like it."""

from __future__ import annotations

import contextlib
import io
import shlex

import pytest

from migsync.cli.program import run
from tests.cli.shop import Shop


@pytest.fixture(scope="module")
def applied(tmp_path_factory):
    """A project with two databases, one rewrite, one run in each database, and a plan of it."""
    shop = Shop(tmp_path_factory.mktemp("suggestions")).write("default", "staging")
    shop.record("default").record("staging").rewrite()
    assert shop.run("plan", "-o", "plan.json").status == 0
    assert shop.run("apply", "--noinput").status == 0
    shop.execute("default", "INSERT INTO django_migrations (app, name, applied) VALUES ('shop', '0009_gone', '2026')")
    shop.execute("default", "INSERT INTO django_migrations (app, name, applied) VALUES ('store', '0001_x', '2026')")
    return shop


def said(shop: Shop, command: str) -> tuple[int, str]:
    out = io.StringIO()
    with contextlib.chdir(shop.root), contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        return run(shlex.split(command)), out.getvalue()


@pytest.mark.parametrize(
    ("command", "meant"),
    [
        ("aply", "apply"),
        ("fix_conflicts", "fix-conflicts"),
        ("plan --databse default", "--database"),
        ("plan --check --xyzzy", ""),
        ("squash --sugest", "--suggest"),
        ("plan --database defualt", "default"),
        ("status -d stagin", "staging"),
        ("undo --database DEFAULT", "default"),
        ("log -d prod", ""),
        ("graph -d stging", "staging"),
        ("apply plan.json -d stging", "staging"),
        ("plan --app shpo", "shop"),
        ("graph shpo", "shop"),
        ("linearize --app shpo", "shop"),
        ("renumber shpo", "shop"),
        ("fix-conflicts --app shpo", "shop"),
        ("squash shpo 0001 0002", "shop"),
        ("squash --suggest shpo", "shop"),
        ("remake shpo", "shop"),
        ("tidy shpo", "shop"),
        ("plan --position shpo=none", "shop"),
        ("rename-app shpo store", "shop"),
        ("rewrite --map shpo.0001_a=0001_initial", "shop"),
        ("rewrite --map shop.0001_a=0001_intial", "0001_initial"),
        ("rewrite --collapse shop.0001_intial=0001_a+0001_b", "0001_initial"),
        ("plan --prune shop.0009_gon", "shop.0009_gone"),
        ("plan --prune stor", "store"),
        ("squash shop 0001_intial 0003", "0001_initial"),
        ("remake --drop shop.0003_suk", "0003_sku"),
        ("fix-conflicts --first 0003_suk", "0003_sku"),
        ("explain name-takn", "name-taken"),
    ],
)
def test_a_misspelled_word(applied, command, meant):
    status, text = said(applied, command)
    assert (status == 0) == ("--prune" in command), text
    assert (f"Did you mean {meant}?" in text) if meant else ("Did you mean" not in text), text


def test_a_misspelled_run(applied):
    run_id = applied.run("log", "-d", "default", "--format", "json").json["databases"][0]["runs"][0]["id"]
    misspelled = f"{run_id[:5]}{'0' if run_id[5] != '0' else '1'}{run_id[6:12]}"
    for command in (f"show {misspelled} -d default", f"undo {misspelled} -d default"):
        assert f"Did you mean {run_id[:12]}?" in said(applied, command)[1]


def test_a_misspelled_rewrite(applied):
    (path,) = (applied.root / "migration_rewrites").glob("*.toml")
    for command in (f"graph --rewrite x{path.name} --format json", f"plan --position shop=x{path.stem}"):
        assert f"Did you mean {path.name}?" in said(applied, command)[1].replace("\\n", "\n")


def test_a_correct_beginning_of_a_command_is_not_run(applied):
    assert said(applied, "appl") == (
        64,
        "Error: No such command: appl.\n  Did you mean apply?\n  Next: migsync --help\n",
    )
