"""Making rewrites: what is written accounts for every name, and what the files contradict is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from migsync.errors import UsageError
from migsync.rewrites.name_changes import NameChanges, assemble, parse_changes
from migsync.rewrites.rewrite_files import load_rewrites, write_rewrite
from tests.sync.planner.texts import history, rewrite


def test_old_dependencies_come_from_the_old_files() -> None:
    disk = history(shop="0001 0002_b 0003_c")
    made = rewrite(
        disk, "shop.0005_c=0003_c", "-shop.0006_merge", old={"shop": "0001 0002_b 0005_c<0001 0006_merge<0002_b,0005_c"}
    )
    app = made.apps["shop"]
    assert app.before == ("0001", "0002_b", "0005_c", "0006_merge")
    assert app.depends == {"0005_c": ("0001",), "0006_merge": ("0002_b", "0005_c")}


def test_without_old_files_nothing_is_said_about_dependencies() -> None:
    app = rewrite(history(shop="0001 0002_b 0003_c"), "shop.0005_b=0002_b").apps["shop"]
    assert app.before == ("0001", "0005_b", "0003_c")
    assert set(app.parents_before.values()) == {()}


def test_a_name_that_vanished_must_be_accounted_for() -> None:
    disk = history(shop="0001 0002_b")
    with pytest.raises(UsageError, match=r"shop\.0004_gone is no longer on disk either"):
        rewrite(disk, "shop.0003_b=0002_b", old={"shop": "0001 0003_b 0004_gone"})


def test_names_from_before_and_since_are_accounted_for(tmp_path: Path) -> None:
    """What evidence does not speak of: a file deleted unapplied, and one that was added since."""
    app = assemble(
        ("0001", "0005_b", "0006_new"),
        NameChanges(renamed={"0003_b": "0005_b"}),
        {"0001": (), "0003_b": ("0001",), "0004_gone": ("0003_b",)},
        digests_before={"0003_b": "b", "0004_gone": "gone"},
        digests_after={"0005_b": "b"},
    )
    assert app.before == ("0001", "0003_b", "0006_new")
    assert app.digests_before == {"0003_b": "b"}
    made = rewrite(history(shop="0001 0002_b"), "shop.0003_b=0002_b")
    write_rewrite(tmp_path, type(made)(made.parents, made.command, made.created, {"shop": app}))
    assert load_rewrites(tmp_path).ordered[0].apps["shop"] == app


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["shop.0003_b=0009_b"], "shop.0009_b is not on disk"),
        (["shop.0001=0002_b"], "shop.0001 is still on disk"),
        (["-shop.0002_b"], "shop.0002_b is still on disk"),
        (["blog.0001=0002"], "blog is not an app of this project"),
    ],
)
def test_what_the_files_contradict_is_refused(words: list[str], says: str) -> None:
    with pytest.raises(UsageError) as caught:
        rewrite(history(shop="0001 0002_b"), *words)
    assert says in caught.value.found
    assert caught.value.meaning or caught.value.hint


@pytest.mark.parametrize(
    ("maps", "says"),
    [
        (["shop=0002"], "does not have the form"),
        (["shop.0001"], "does not have the form"),
        (["shop.=0002"], "does not have the form"),
        (["shop.a=b", "shop.a=c"], "old name in another --map"),
        (["shop.a=c", "shop.b=c"], "is given as new name twice"),
        (["shop.a=b\x07"], "control character"),
        (["shop.a=" + "x" * 256], "256 characters"),
    ],
)
def test_a_map_that_cannot_be_meant_is_refused(maps: list[str], says: str) -> None:
    with pytest.raises(UsageError, match=says):
        parse_changes(maps)


@pytest.mark.parametrize("given", ["shop.postgresql://u:se.cret@h/x=b", "shop.a=C:\\se.cret", "x://u:p@se.cret=b"])
def test_what_has_a_slash_is_no_name_and_is_not_shown(given: str) -> None:
    for arguments in ([given], []), ([], [given]), ([], [], [given]):
        with pytest.raises(UsageError, match="has a slash in it") as raised:
            parse_changes(*arguments)
        assert "cret" not in str(raised.value)


def test_the_forms_of_the_command_line() -> None:
    found = parse_changes(["shop.a=b", "shop.c=shop.d"], ["shop.n=x+y", "blog.n1+n2=o1+o2"], ["blog.gone"])
    assert found["shop"] == NameChanges({"a": "b", "c": "d"}, [(("x", "y"), ("n",))])
    assert found["blog"] == NameChanges({}, [(("o1", "o2"), ("n1", "n2"))], ["gone"])
