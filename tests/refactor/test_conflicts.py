"""fix-conflicts: the whole of each branch in line, and nothing else."""

from __future__ import annotations

from migsync.files.reshape import Reshape
from migsync.history import Key
from migsync.refactor.fix_conflicts import branches, fix_conflicts
from tests.refactor.reshaped import by_alias, codes, edges, history_of, keys, merge, migration, names

FORK = (
    migration("shop.0001_initial"),
    migration("shop.0002_color", "shop.0001_initial"),
    migration("shop.0003_color", "shop.0002_color"),
    migration("shop.0002_price", "shop.0001_initial"),
    migration("shop.0003_price", "shop.0002_price"),
    migration("blog.0007_x", "shop.0002_price"),
)


def test_without_a_conflict_there_is_nothing_to_do() -> None:
    history = history_of(*FORK, merge("shop.0009_merge", "shop.0003_color", "shop.0003_price"))
    assert fix_conflicts(history) == Reshape("fix-conflicts")
    assert branches(history, "shop") == ()


def test_the_branches() -> None:
    color, price = branches(history_of(*FORK), "shop")
    assert str(color) == "0002_color -> 0003_color"
    assert str(price) == "0002_price -> 0003_price"
    assert price.leaf == Key("shop", "0003_price")


def test_which_goes_first_is_a_question() -> None:
    (finding,) = fix_conflicts(history_of(*FORK)).findings
    assert finding.code == "which-branch-first"
    assert finding.blocks
    assert finding.app == "shop"
    assert "0002_color -> 0003_color; 0002_price -> 0003_price" in finding.found
    assert "migsync fix-conflicts --app shop --first 0003_color\nmigsync fix-conflicts" in finding.hint


def test_the_whole_of_the_other_branch_comes_behind() -> None:
    history = history_of(*FORK)
    reshape = fix_conflicts(history, first={"shop": "0002_price"})
    assert edges(history, reshape, "shop") == {
        "0001_initial": [],
        "0002_price": ["shop.0001_initial"],
        "0003_price": ["shop.0002_price"],
        "0004_color": ["shop.0003_price"],
        "0005_color": ["shop.0004_color"],
    }
    assert edges(history, reshape, "blog") == {"0007_x": ["shop.0002_price"]}
    assert reshape.expected.leaves == {"shop": 1}
    assert reshape.command == "fix-conflicts --first shop.0002_price"


def test_gaps_stay_and_so_does_a_number_that_is_high_enough() -> None:
    history = history_of(
        migration("shop.0001_a"),
        migration("shop.0005_b", "shop.0001_a"),
        migration("shop.0004_c", "shop.0001_a"),
        migration("shop.0009_d", "shop.0004_c"),
    )
    reshape = fix_conflicts(history, first={"shop": "0005_b"})
    assert names(history, reshape, "shop") == ["0001_a", "0005_b", "0006_c", "0009_d"]


def test_the_number_of_a_squash_is_the_last_that_it_names() -> None:
    history = history_of(
        migration("shop.0001_squashed_0008_z"),
        migration("shop.0009_b", "shop.0001_squashed_0008_z"),
        migration("shop.0008_c", "shop.0001_squashed_0008_z"),
    )
    reshape = fix_conflicts(history, first={"shop": "0008_c"})
    assert names(history, reshape, "shop")[1:] == ["0008_c", "0009_b"]
    reshape = fix_conflicts(history, first={"shop": "0009_b"})
    assert names(history, reshape, "shop")[1:] == ["0009_b", "0010_c"]


def test_what_is_applied_goes_first() -> None:
    history = history_of(*FORK)
    rows = keys("shop.0001_initial", "shop.0002_price")
    reshape = fix_conflicts(history, applied=by_alias([keys("shop.0001_initial"), rows]))
    assert names(history, reshape, "shop")[-1] == "0005_color"
    assert codes(fix_conflicts(history, applied=by_alias([rows]), first={"shop": "0003_color"})) == ["branch-not-first"]


def test_branches_that_two_databases_began_refuse() -> None:
    history = history_of(*FORK)
    one, other = keys("shop.0001_initial", "shop.0002_price"), keys("shop.0001_initial", "shop.0002_color")
    assert codes(fix_conflicts(history, applied=by_alias([one, other]))) == ["branches-entangled"]
    assert codes(fix_conflicts(history, applied=by_alias([one | other]))) == ["branches-entangled"]


def test_what_the_other_branch_needs_goes_first() -> None:
    history = history_of(
        *FORK,
        migration("shop.0004_color", "shop.0003_color", "blog.0007_x"),
    )
    reshape = fix_conflicts(history)
    assert reshape.dependencies.parents[Key("shop", "0002_color")] == (Key("shop", "0003_price"),)
    assert names(history, reshape, "shop")[-1] == "0006_color"
    entangled = history_of(
        *FORK,
        migration("shop.0004_color", "shop.0003_color", "blog.0007_x"),
        migration("shop.0004_price", "shop.0003_price", "users.0001_u"),
        migration("users.0001_u", "shop.0002_color"),
    )
    assert codes(fix_conflicts(entangled)) == ["branches-entangled"]


def test_one_app_decides_for_the_next() -> None:
    history = history_of(
        migration("blog.0001_a", "shop.0001_b"),
        migration("blog.0001_b"),
        migration("shop.0001_a", "blog.0001_b"),
        migration("shop.0001_b"),
    )
    reshape = fix_conflicts(history, first={"blog": "0001_a"})
    assert not reshape.findings
    assert names(history, reshape, "blog") == ["0001_a", "0002_b"]
    assert names(history, reshape, "shop") == ["0001_b", "0002_a"]


def test_three_branches_of_which_two_share_their_beginning() -> None:
    history = history_of(
        migration("shop.0001_a"),
        migration("shop.0002_s", "shop.0001_a"),
        migration("shop.0003_a", "shop.0002_s"),
        migration("shop.0003_b", "shop.0002_s"),
        migration("shop.0002_c", "shop.0001_a"),
    )
    reshape = fix_conflicts(history, first={"shop": "0002_c"})
    assert names(history, reshape, "shop") == ["0001_a", "0002_c", "0003_s", "0004_a", "0005_b"]
    assert codes(fix_conflicts(history, first={"shop": "0002_s"})) == ["unknown-branch"]
    assert codes(fix_conflicts(history, first={"shop": "0009_s"})) == ["unknown-branch"]


def test_a_branch_with_a_fork_of_its_own_keeps_it() -> None:
    history = history_of(
        migration("shop.0001_a"),
        migration("shop.0002_b", "shop.0001_a"),
        migration("shop.0002_c", "shop.0001_a"),
        migration("shop.0003_d", "shop.0002_c"),
        migration("shop.0003_e", "shop.0002_c"),
        merge("shop.0004_merge", "shop.0003_d", "shop.0003_e"),
    )
    reshape = fix_conflicts(history, first={"shop": "0002_b"})
    after = edges(history, reshape, "shop")
    assert after["0003_c"] == ["shop.0002_b"]
    assert [len(parents) for parents in after.values()].count(2) == 1
    assert not reshape.keys.removed


def test_a_squash_in_transition_moves_with_what_it_replaces() -> None:
    history = history_of(
        migration("shop.0001_a"),
        migration("shop.0002_b", "shop.0001_a"),
        migration("shop.0002_c", "shop.0001_a"),
        migration("shop.0003_d", "shop.0002_c"),
        migration("shop.0002_squashed_0003_d", "shop.0001_a", replaces=["shop.0002_c", "shop.0003_d"]),
    )
    reshape = fix_conflicts(history, first={"shop": "0002_b"})
    assert edges(history, reshape, "shop") == {
        "0001_a": [],
        "0002_b": ["shop.0001_a"],
        "0003_c": ["shop.0002_b"],
        "0003_squashed_0003_d": ["shop.0002_b"],
        "0004_d": ["shop.0003_c"],
    }


def test_a_new_name_avoids_what_squashes_and_records_hold() -> None:
    history = history_of(
        migration("shop.0001_squashed_0003_c", replaces=["shop.0001_a", "shop.0002_b", "shop.0003_c"]),
        migration("shop.0004_x", "shop.0001_squashed_0003_c"),
        migration("shop.0002_y", "shop.0001_squashed_0003_c"),
        migration("shop.0003_z", "shop.0002_y"),
    )
    rows = keys("shop.0001_a", "shop.0002_b", "shop.0003_c", "shop.0005_y")
    reshape = fix_conflicts(history, applied=by_alias([rows]), first={"shop": "0004_x"})
    assert names(history, reshape, "shop")[1:] == ["0004_x", "0006_y", "0007_z"]
    assert not reshape.findings


def test_names_without_a_number_stay() -> None:
    history = history_of(migration("shop.a"), migration("shop.b", "shop.a"), migration("shop.c", "shop.a"))
    reshape = fix_conflicts(history, first={"shop": "c"})
    assert not reshape.keys.renamed
    assert reshape.dependencies.parents == {Key("shop", "b"): (Key("shop", "c"),)}


def test_only_the_apps_asked_for() -> None:
    history = history_of(*FORK, migration("blog.0007_y"))
    reshape = fix_conflicts(history, apps=["blog"], first={"blog": "0007_x"})
    assert reshape.expected.leaves == {"blog": 1}
    assert names(history, reshape, "blog") == ["0007_x", "0008_y"]
