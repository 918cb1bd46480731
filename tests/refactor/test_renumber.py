"""renumber closes gaps and doubles, and leaves the graph as it is."""

from __future__ import annotations

import pytest

from migsync.errors import UsageError
from migsync.files.reshape import Reshape
from migsync.history import Key
from migsync.refactor.renumber import renumber
from tests.refactor.reshaped import by_alias, codes, edges, files_after, history_of, keys, merge, migration, names


def test_without_gaps_and_doubles_there_is_nothing_to_do() -> None:
    history = history_of(migration("shop.0001_a"), migration("shop.0002_b", "shop.0001_a"), migration("shop.0003_c"))
    assert renumber(history) == Reshape("renumber")


def test_gaps_are_closed_in_every_app_that_is_asked_for() -> None:
    history = history_of(
        migration("shop.0001_a"),
        migration("shop.0005_b", "shop.0001_a", "blog.0003_x"),
        migration("blog.0003_x"),
        migration("users.0009_u"),
    )
    reshape = renumber(history, ["shop", "blog"])
    assert reshape.command == "renumber blog shop"
    assert edges(history, reshape, "shop") == {"0001_a": [], "0002_b": ["blog.0001_x", "shop.0001_a"]}
    assert names(history, reshape, "users") == ["0009_u"]
    assert reshape.expected.leaves == {"blog": 1, "shop": 1}


def test_a_fork_and_its_merge_stay() -> None:
    history = history_of(
        migration("shop.0001_a"),
        migration("shop.0002_b", "shop.0001_a"),
        migration("shop.0002_c", "shop.0001_a"),
        migration("shop.0003_d", "shop.0002_c"),
        merge("shop.0004_merge", "shop.0002_b", "shop.0003_d"),
    )
    reshape = renumber(history)
    assert edges(history, reshape, "shop") == {
        "0001_a": [],
        "0002_b": ["shop.0001_a"],
        "0003_c": ["shop.0001_a"],
        "0004_d": ["shop.0003_c"],
        "0005_merge": ["shop.0002_b", "shop.0004_d"],
    }
    assert not reshape.dependencies.parents
    assert not reshape.keys.removed


def test_two_leaves_are_two_leaves() -> None:
    history = history_of(
        migration("shop.0001_a"), migration("shop.0002_b", "shop.0001_a"), migration("shop.0002_c", "shop.0001_a")
    )
    reshape = renumber(history)
    assert reshape.keys.renamed == {Key("shop", "0002_c"): Key("shop", "0003_c")}
    assert reshape.expected.leaves == {"shop": 2}


def test_a_child_has_the_higher_number() -> None:
    history = history_of(
        migration("shop.0001_a"), migration("shop.0003_b", "shop.0001_a"), migration("shop.0002_c", "shop.0003_b")
    )
    assert names(history, renumber(history), "shop") == ["0001_a", "0002_b", "0003_c"]


def test_a_squash_has_the_number_of_the_first_that_it_replaces() -> None:
    history = history_of(
        migration("shop.0002_a"),
        migration("shop.0004_b", "shop.0002_a"),
        migration("shop.0004_squashed_0004_b", "shop.0002_a", replaces=["shop.0004_b"]),
        migration("shop.0007_c", "shop.0004_b"),
    )
    reshape = renumber(history)
    after = {each.key.name: each for each in files_after(history, reshape)}
    assert sorted(after) == ["0001_a", "0002_b", "0002_squashed_0004_b", "0003_c"]
    assert after["0002_squashed_0004_b"].replaces == (Key("shop", "0002_b"),)


def test_a_new_name_that_is_taken_elsewhere_refuses() -> None:
    squash = migration("shop.0001_squashed_0002_b", replaces=["shop.0001_a", "shop.0002_b"])
    history = history_of(squash, migration("shop.0003_b", "shop.0001_squashed_0002_b"))
    assert codes(renumber(history)) == ["name-in-replaces"]
    history = history_of(migration("shop.0001_a"), migration("shop.0003_b", "shop.0001_a"))
    assert codes(renumber(history, applied=by_alias([keys("shop.0001_a", "shop.0002_b")]))) == ["name-in-record"]


def test_the_meaning_of_latest_must_not_change() -> None:
    history = history_of(
        migration("shop.0001_a"),
        migration("shop.9_z", "shop.0001_a"),
        migration("shop.b", "shop.0001_a"),
        migration("shop.0007_c", "shop.0001_a"),
        migration("blog.0001_x", "shop.__latest__"),
    )
    assert renumber(history).keys.renamed[Key("shop", "0007_c")] == Key("shop", "0002_c")
    assert codes(renumber(history)) == []
    history = history_of(
        migration("shop.0003_a"), migration("shop.00004_b"), migration("blog.0001_x", "shop.__first__")
    )
    assert codes(renumber(history)) == ["open-end"]


def test_an_unknown_app() -> None:
    with pytest.raises(UsageError, match="shp"):
        renumber(history_of(migration("shop.0001_a")), ["shp"])


def test_an_app_that_is_in_order_stays_whatever_is_applied() -> None:
    """What is applied in more databases comes first only where the numbers are no order yet."""
    fork = [migration("shop.0001_a"), migration("shop.0002_b", "shop.0001_a"), migration("shop.0003_c", "shop.0001_a")]
    applied = by_alias([keys("shop.0001_a", "shop.0003_c")])
    assert not renumber(history_of(*fork), applied=applied).keys.renamed
    # Not so where a number is behind that of something it depends on, here by way of another app.
    wrong = history_of(
        migration("shop.0001_a", "blog.0001_x"), migration("blog.0001_x", "shop.0002_b"), migration("shop.0002_b")
    )
    assert renumber(wrong).keys.renamed == {
        Key("shop", "0001_a"): Key("shop", "0002_a"),
        Key("shop", "0002_b"): Key("shop", "0001_b"),
    }
