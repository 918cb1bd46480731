"""linearize, case by case; the numbers are those of pitfalls.md."""

from __future__ import annotations

import pytest

from migsync.errors import UsageError
from migsync.files.reshape import Reshape
from migsync.findings import Severity
from migsync.history import App, Key, build_history
from migsync.refactor.linearize import linearize
from tests.refactor.reshaped import by_alias, codes, edges, files_after, history_of, keys, merge, migration, names


def test_an_app_in_line_is_left_as_it_is() -> None:
    history = history_of(
        migration("shop.0001_initial", "blog.0001_initial"),
        migration("shop.0002_b", "shop.0001_initial"),
        migration("blog.0001_initial"),
        migration("old.01_a"),
        migration("old.02_b", "old.01_a"),
    )
    assert linearize(history) == Reshape("linearize")


def test_chain_of_one_suffix() -> None:  # 1
    history = history_of(
        migration("shop.0001_initial"),
        migration("shop.0003_alter_item_price", "shop.0001_initial"),
        migration("shop.0004_alter_item_price", "shop.0003_alter_item_price"),
    )
    reshape = linearize(history)
    assert reshape.keys.renamed == {
        Key("shop", "0003_alter_item_price"): Key("shop", "0002_alter_item_price"),
        Key("shop", "0004_alter_item_price"): Key("shop", "0003_alter_item_price"),
    }
    assert not reshape.dependencies.parents
    assert not reshape.keys.removed
    assert reshape.expected.leaves == {"shop": 1}


def test_shift_up_with_a_fork() -> None:  # 2
    history = history_of(
        migration("shop.0001_initial"),
        migration("shop.0002_aaa", "shop.0001_initial"),
        migration("shop.0002_alter_x", "shop.0001_initial"),
        migration("shop.0003_alter_x", "shop.0002_alter_x"),
        merge("shop.0004_merge", "shop.0002_aaa", "shop.0003_alter_x"),
    )
    reshape = linearize(history)
    assert names(history, reshape, "shop") == ["0001_initial", "0002_aaa", "0003_alter_x", "0004_alter_x"]
    assert reshape.keys.removed == {Key("shop", "0004_merge"): (Key("shop", "0003_alter_x"),)}


def test_swap() -> None:  # 3
    history = history_of(
        migration("shop.0001_initial"),
        migration("shop.0003_x", "shop.0001_initial"),
        migration("shop.0002_x", "shop.0003_x"),
    )
    reshape = linearize(history)
    assert reshape.keys.renamed == {
        Key("shop", "0003_x"): Key("shop", "0002_x"),
        Key("shop", "0002_x"): Key("shop", "0003_x"),
    }
    assert not reshape.dependencies.parents


def test_a_record_that_no_file_explains_holds_the_new_name() -> None:  # 5
    history = history_of(migration("shop.0001_initial"), migration("shop.0003_add_email", "shop.0001_initial"))
    rows = keys("shop.0001_initial", "shop.0002_add_email")
    assert codes(linearize(history, applied=by_alias([rows]))) == ["name-in-record"]
    assert codes(linearize(history, applied=by_alias([rows - keys("shop.0002_add_email")]))) == []


def test_another_app_follows_a_removed_merge() -> None:  # 11, 12
    history = history_of(
        migration("shop.0001_initial"),
        migration("shop.0002_a", "shop.0001_initial"),
        migration("shop.0002_b", "shop.0001_initial"),
        merge("shop.0003_merge", "shop.0002_a", "shop.0002_b"),
        migration("blog.0001_initial", "shop.0003_merge"),
        migration("blog.0005_b", "blog.0001_initial", "shop.0002_b"),
    )
    reshape = linearize(history, apps=["shop"])
    assert edges(history, reshape, "shop") == {
        "0001_initial": [],
        "0002_a": ["shop.0001_initial"],
        "0003_b": ["shop.0002_a"],
    }
    assert edges(history, reshape, "blog") == {
        "0001_initial": ["shop.0003_b"],
        "0005_b": ["blog.0001_initial", "shop.0003_b"],
    }
    assert reshape.command == "linearize --app shop"


def test_applied_comes_before_unapplied() -> None:  # 13
    history = history_of(
        migration("shop.0001_initial"),
        migration("shop.0002_aa", "shop.0001_initial"),
        migration("shop.0002_zz", "shop.0001_initial"),
    )
    one = keys("shop.0001_initial", "shop.0002_zz")
    reshape = linearize(history, applied=by_alias([one, keys(), keys("shop.0001_initial")]))
    assert names(history, reshape, "shop") == ["0001_initial", "0002_zz", "0003_aa"]
    other = keys("shop.0001_initial", "shop.0002_aa")
    refused = linearize(history, applied=by_alias([one, other]))
    assert codes(refused) == ["applied-order"]
    assert "0002_aa" in refused.findings[0].found
    assert "0002_zz" in refused.findings[0].found
    assert refused.findings[0].found.startswith("db1 ")


def test_databases_at_several_points() -> None:
    history = history_of(
        migration("shop.0001_a"),
        migration("shop.0002_c", "shop.0001_a"),
        migration("shop.0002_b", "shop.0001_a"),
        migration("shop.0002_a", "shop.0001_a"),
    )
    one = keys("shop.0001_a", "shop.0002_c")
    reshape = linearize(history, applied=by_alias([one | keys("shop.0002_b"), one]))
    assert names(history, reshape, "shop") == ["0001_a", "0002_c", "0003_b", "0004_a"]


def test_an_order_across_apps_is_searched_for() -> None:  # 15
    history = history_of(
        migration("shop.0001_initial"),
        migration("shop.0002_b", "shop.0001_initial"),
        migration("blog.0001_initial", "shop.0002_b"),
        migration("shop.0002_a", "shop.0001_initial", "blog.0001_initial"),
    )
    reshape = linearize(history)
    assert names(history, reshape, "shop") == ["0001_initial", "0002_b", "0003_a"]


def test_two_apps_whose_chains_depend_on_each_other() -> None:
    history = history_of(
        migration("shop.0001_a", "blog.0001_b"),
        migration("shop.0001_b"),
        migration("blog.0001_a", "shop.0001_b"),
        migration("blog.0001_b", "shop.0001_b"),
    )
    reshape = linearize(history)
    assert names(history, reshape, "shop") == ["0001_b", "0002_a"]


def test_a_merge_is_not_known_by_its_name() -> None:  # 16
    history = history_of(
        migration("shop.0001_initial"),
        merge("shop.0002_emergency_contact", "shop.0001_initial"),
        merge("shop.0003_merge", "shop.0002_emergency_contact"),
    )
    assert linearize(history) == Reshape("linearize")


def test_a_merge_that_carries_operations_stays_in_line_with_one_parent() -> None:  # case 78
    fork = [
        migration("shop.0001_initial"),
        migration("shop.0002_a", "shop.0001_initial"),
        migration("shop.0002_b", "shop.0001_initial"),
    ]
    history = history_of(*fork, migration("shop.0003_merge", "shop.0002_a", "shop.0002_b"), migration("blog.0001_b"))
    reshape = linearize(history)
    assert codes(reshape) == ["merge-stays"]
    assert not reshape.blocked
    assert edges(history, reshape, "shop") == {
        "0001_initial": [],
        "0002_a": ["shop.0001_initial"],
        "0003_b": ["shop.0002_a"],
        "0004_merge": ["shop.0003_b"],
    }
    assert codes(linearize(history, apps=["blog"])) == []


def test_doubled_dependencies_collapse() -> None:
    history = history_of(
        migration("shop.0001_initial"),
        migration("shop.0002_b", "shop.0001_initial"),
        migration("shop.0003_c", "shop.0001_initial", "shop.0002_b"),
    )
    reshape = linearize(history)
    assert reshape.dependencies.parents == {Key("shop", "0003_c"): (Key("shop", "0002_b"),)}
    assert not reshape.keys.renamed
    assert not reshape.findings


def test_a_double_by_way_of_another_app_is_no_merge() -> None:
    history = history_of(
        migration("shop.0001_initial"),
        migration("blog.0001_initial", "shop.0001_initial"),
        migration("shop.0002_b", "blog.0001_initial"),
        migration("shop.0003_c", "shop.0001_initial", "shop.0002_b"),
    )
    reshape = linearize(history)
    assert not reshape.findings
    assert edges(history, reshape, "shop")["0002_b"] == ["blog.0001_initial", "shop.0001_initial"]


FORK = (
    migration("blog.0001_initial"),
    migration("shop.0001_initial"),
    migration("shop.0002_a", "shop.0001_initial"),
    migration("shop.0002_b", "shop.0001_initial"),
)


def test_a_merge_that_alone_depends_on_another_app_stays() -> None:
    history = history_of(
        *FORK,
        merge("shop.0003_merge", "shop.0002_a", "shop.0002_b", "blog.0001_initial"),
        migration("shop.0004_c", "shop.0003_merge"),
    )
    reshape = linearize(history)
    assert codes(reshape) == ["merge-stays"]
    assert reshape.findings[0].severity is Severity.INFO
    assert edges(history, reshape, "shop") == {
        "0001_initial": [],
        "0002_a": ["shop.0001_initial"],
        "0003_b": ["shop.0002_a"],
        "0004_merge": ["blog.0001_initial", "shop.0003_b"],
        "0005_c": ["shop.0004_merge"],
    }
    stripped = linearize(history, strip_cross_app=True)
    assert codes(stripped) == []
    assert list(stripped.keys.removed) == [Key("shop", "0003_merge")]


def test_a_merge_whose_other_app_its_parents_need_anyway_goes() -> None:
    history = history_of(
        *FORK[:3],
        migration("shop.0002_b", "shop.0001_initial", "blog.0001_initial"),
        merge("shop.0003_merge", "shop.0002_a", "shop.0002_b", "blog.0001_initial"),
    )
    assert list(linearize(history).keys.removed) == [Key("shop", "0003_merge")]


@pytest.mark.parametrize(
    "extra",
    [
        [merge("shop.0003_merge", "shop.0002_a", "shop.0002_b", run_before=["blog.0002_x"])],
        [
            merge("shop.0003_merge", "shop.0002_a", "shop.0002_b"),
            migration("blog.0003_y", "blog.0001_initial", run_before=["shop.0003_merge"]),
        ],
        [
            merge("shop.0003_merge", "shop.0002_a", "shop.0002_b"),
            migration("shop.0003_squash", "shop.0002_a", "shop.0002_b", replaces=["shop.0003_merge"]),
        ],
    ],
)
def test_a_merge_that_others_name_stays(extra: list[object]) -> None:
    history = history_of(*FORK, migration("blog.0002_x", "blog.0001_initial"), *extra)  # type: ignore[arg-type]
    reshape = linearize(history, apps=["shop"])
    assert "merge-stays" in codes(reshape)
    assert Key("shop", "0003_merge") not in reshape.keys.removed
    assert "0004_merge" in names(history, reshape, "shop")


def test_merge_upon_merge() -> None:
    history = history_of(
        *FORK,
        migration("shop.0002_c", "shop.0001_initial"),
        merge("shop.0003_merge", "shop.0002_a", "shop.0002_b"),
        merge("shop.0004_merge", "shop.0003_merge", "shop.0002_c"),
        migration("shop.0005_d", "shop.0004_merge"),
    )
    reshape = linearize(history)
    assert names(history, reshape, "shop") == ["0001_initial", "0002_a", "0003_b", "0004_c", "0005_d"]


def test_otherwise_as_migrate_runs_them_today() -> None:  # 14
    history = history_of(
        migration("shop.0001_initial"),
        migration("shop.0002_cheap", "shop.0001_initial"),
        migration("shop.0002_dear", "shop.0001_initial"),
        merge("shop.0003_merge", "shop.0002_cheap", "shop.0002_dear"),
    )
    reshape = linearize(history)
    assert reshape.otherwise
    assert names(history, reshape, "shop") == ["0001_initial", "0002_cheap", "0003_dear"]
    assert names(history, reshape.otherwise(()), "shop") == ["0001_initial", "0002_dear", "0003_cheap"]
    rows = keys("shop.0001_initial", "shop.0002_cheap")
    assert linearize(history, applied=by_alias([rows])).otherwise is None


def test_where_there_is_no_choice_there_is_no_other_way() -> None:
    history = history_of(migration("shop.0002_a"), migration("shop.0004_b", "shop.0002_a"))
    assert linearize(history).otherwise is None


def test_run_before_in_the_app_is_kept() -> None:
    history = history_of(
        migration("shop.0001_initial"),
        migration("shop.0002_a", "shop.0001_initial"),
        migration("shop.0002_b", "shop.0001_initial", run_before=["shop.0002_a"]),
    )
    assert names(history, linearize(history), "shop") == ["0001_initial", "0002_b", "0003_a"]


def test_several_initial_migrations() -> None:
    history = history_of(migration("shop.0001_a"), migration("shop.0001_b"), migration("shop.0002_c", "shop.0001_b"))
    reshape = linearize(history)
    assert edges(history, reshape, "shop") == {
        "0001_a": [],
        "0002_b": ["shop.0001_a"],
        "0003_c": ["shop.0002_b"],
    }


SQUASHED = (
    migration("shop.0001_initial"),
    migration("shop.0002_b", "shop.0001_initial"),
    migration("shop.0003_c", "shop.0002_b"),
    migration("shop.0001_squashed_0003_c", replaces=["shop.0001_initial", "shop.0002_b", "shop.0003_c"]),
    migration("shop.0004_d", "shop.0003_c"),
)


def test_a_squash_in_transition_in_an_app_in_line() -> None:  # 17
    assert linearize(history_of(*SQUASHED)) == Reshape("linearize")


def test_a_squash_in_transition_keeps_its_place() -> None:  # 17
    history = history_of(
        migration("shop.0001_initial"),
        migration("shop.0003_b", "shop.0001_initial"),
        migration("shop.0004_c", "shop.0003_b"),
        migration("shop.0003_squashed_0004_c", "shop.0001_initial", replaces=["shop.0003_b", "shop.0004_c"]),
        migration("shop.0005_d", "shop.0003_squashed_0004_c"),
        migration("shop.0005_e", "shop.0004_c"),
    )
    reshape = linearize(history)
    after = {each.key.name: each for each in files_after(history, reshape)}
    assert sorted(after) == ["0001_initial", "0002_b", "0002_squashed_0004_c", "0003_c", "0004_d", "0005_e"]
    assert after["0002_squashed_0004_c"].replaces == (Key("shop", "0002_b"), Key("shop", "0003_c"))
    assert after["0002_squashed_0004_c"].dependencies == (Key("shop", "0001_initial"),)
    assert after["0004_d"].dependencies == (Key("shop", "0002_squashed_0004_c"),)
    assert after["0005_e"].dependencies == (Key("shop", "0004_d"),)


def test_nothing_comes_between_what_a_squash_replaces() -> None:
    history = history_of(
        *SQUASHED[:4],
        migration("shop.0002_a", "shop.0001_initial"),
        migration("shop.0004_d", "shop.0003_c", "shop.0002_a"),
    )
    assert codes(linearize(history)) == ["merge-stays"]
    history = history_of(*SQUASHED, migration("shop.0002_a", "shop.0001_initial"))
    reshape = linearize(history)
    assert names(history, reshape, "shop")[-2:] == ["0004_d", "0005_a"]
    assert reshape.dependencies.parents == {Key("shop", "0002_a"): (Key("shop", "0004_d"),)}


def test_a_squash_whose_replaced_files_are_gone_is_a_migration_like_others() -> None:
    history = history_of(SQUASHED[3], SQUASHED[4])
    reshape = linearize(history)
    assert names(history, reshape, "shop") == ["0001_squashed_0003_c", "0002_d"]
    assert not reshape.dependencies.parents  # 0004_d still names 0003_c, which the squash replaces


def test_a_new_name_that_a_squash_replaces_refuses() -> None:  # 18
    history = history_of(SQUASHED[3], migration("shop.0005_b", "shop.0001_squashed_0003_c"))
    reshape = linearize(history)
    assert codes(reshape) == ["name-in-replaces"]
    assert "0001_squashed_0003_c" in reshape.findings[0].found


def test_a_squash_that_would_make_a_cycle_refuses() -> None:
    history = build_history(
        [
            migration("shop.0001_a"),
            migration("blog.0001_b", "shop.0001_a"),
            migration("shop.0002_c", "shop.0001_a", "blog.0001_b"),
            migration("shop.0001_squash", replaces=["shop.0001_a", "shop.0002_c"]),
        ]
    )
    assert codes(linearize(history)) == ["squash-cycle"]


def test_overlapping_squashes_refuse_only_when_torn() -> None:
    links = [
        migration("shop.0001_a"),
        migration("shop.0002_b", "shop.0001_a"),
        migration("shop.0003_c", "shop.0002_b"),
    ]
    inner = migration("shop.0001_inner", replaces=["shop.0001_a", "shop.0002_b"])
    outer = migration("shop.0001_outer", replaces=["shop.0001_inner", "shop.0003_c"])
    assert linearize(history_of(*links, inner, outer)) == Reshape("linearize")
    fork = [
        migration("shop.0001_a"),
        migration("shop.0002_b", "shop.0001_a"),
        migration("shop.0002_c", "shop.0001_a"),
        migration("shop.0002_x", "shop.0001_a", replaces=["shop.0002_b"]),
        migration("shop.0003_d", "shop.0002_b"),
        migration("shop.0009_y", replaces=["shop.0001_a", "shop.0003_d", "shop.0002_x"]),
    ]
    refused = linearize(history_of(*fork))
    assert all(finding.code in ("squash-torn", "squash-cycle") for finding in refused.findings if finding.blocks)


def test_squashes_of_two_branches_that_share_their_beginning_refuse() -> None:
    history = history_of(
        migration("shop.0001_a"),
        migration("shop.0002_b", "shop.0001_a"),
        migration("shop.0002_c", "shop.0001_a"),
        migration("shop.0001_squashed_0002_b", replaces=["shop.0001_a", "shop.0002_b"]),
        migration("shop.0001_squashed_0002_c", replaces=["shop.0001_a", "shop.0002_c"]),
    )
    refused = linearize(history)
    assert codes(refused) == ["squash-overlap", "squash-torn"]
    assert "shop.0002_b would come between migrations that shop.0001_squashed_0002_c" in refused.findings[1].found


def test_a_squash_of_another_apps_migrations_refuses() -> None:
    history = history_of(
        migration("old.0001_a"), migration("shop.0002_a", replaces=["old.0001_a"]), migration("blog.0007_a")
    )
    assert codes(linearize(history, apps=["shop"])) == ["squash-across-apps"]
    assert codes(linearize(history, apps=["blog"])) == []


def test_a_partly_applied_squash() -> None:
    history = history_of(*SQUASHED, migration("shop.0001_other"))
    rows = keys("shop.0001_initial", "shop.0002_b")
    assert not [finding for finding in linearize(history, applied=by_alias([rows])).findings if finding.blocks]
    refused = linearize(history, applied=by_alias([rows | keys("shop.0001_other")]))
    assert names(history, refused, "shop")[0] == "0001_other"
    assert not refused.findings
    both = linearize(history, applied=by_alias([rows | keys("shop.0001_other"), rows]))
    assert codes(both) == ["applied-order"]


def test_names_without_a_number_get_one() -> None:
    history = history_of(
        migration("shop.initial"), migration("shop.add_field", "shop.initial"), migration("shop.0007", "shop.add_field")
    )
    assert names(history, linearize(history), "shop") == ["0001_initial", "0002_add_field", "0003"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (["01_a", "03_b"], ["01_a", "02_b"]),
        (["0000001_a", "0000009_b"], ["0000001_a", "0000002_b"]),
        (["20240101_a", "20240102_b"], ["0001_a", "0002_b"]),
        (["1_a", "3_b"], ["1_a", "0002_b"]),
        (["0001_a", "0003b"], ["0001_a", "0002b"]),
        (["0001_a", "0003_3d_model"], ["0001_a", "0002_3d_model"]),
    ],
)
def test_the_apps_own_way_of_writing_numbers(old: list[str], new: list[str]) -> None:
    history = history_of(migration(f"shop.{old[0]}"), migration(f"shop.{old[1]}", f"shop.{old[0]}"))
    assert names(history, linearize(history), "shop") == new


def test_a_number_stays_where_it_can() -> None:
    history = history_of(
        migration("shop.0001_a"),
        migration("shop.0002_x", "shop.0001_a"),
        migration("shop.0003_b", "shop.0001_a"),
        migration("shop.0004_x", "shop.0002_x"),
        merge("shop.0005_merge", "shop.0003_b", "shop.0004_x"),
        migration("shop.0005_c", "shop.0005_merge"),
    )
    assert not linearize(history).keys.renamed


def test_cross_app_dependencies_are_stripped_when_asked() -> None:
    history = history_of(
        migration("shop.0001_a"),
        migration("shop.0002_b", "shop.0001_a", "blog.0001_x"),
        migration("blog.0001_x", "__setting__.AUTH_USER_MODEL"),
        migration("auth.0001_u"),
    )
    reshape = linearize(history, strip_cross_app=True)
    assert reshape.dependencies.dropped == {Key("shop", "0002_b"): frozenset({Key("blog", "0001_x")})}
    assert codes(reshape) == ["cross-app-dropped"]
    assert not reshape.findings[0].blocks
    assert linearize(history, apps=["blog"], strip_cross_app=True).dependencies.dropped == {}
    assert reshape.command == "linearize --strip-cross-app"


def test_what_latest_means_must_not_change() -> None:
    fork = [
        migration("shop.0001_a"),
        migration("shop.0002_b", "shop.0001_a"),
        migration("shop.0002_c", "shop.0001_a"),
    ]
    assert codes(linearize(history_of(*fork, migration("blog.0001_x", "shop.__latest__")))) == ["open-end"]
    joined = merge("shop.0003_m", "shop.0002_b", "shop.0002_c")
    assert codes(linearize(history_of(*fork, joined, migration("blog.0001_x", "shop.__latest__")))) == []


def test_what_first_means_must_not_change() -> None:
    roots = [migration("shop.0001_a", "users.0001_u"), migration("shop.0001_b"), migration("users.0001_u")]
    blog = migration("blog.0001_x", "shop.__first__")
    assert codes(linearize(history_of(*roots, blog))) == []
    assert codes(linearize(history_of(*roots, blog), applied=by_alias([keys("shop.0001_b")]))) == ["open-end"]


def test_other_peoples_apps_are_not_touched() -> None:
    fork = [
        migration("lib.0001_a"),
        migration("lib.0003_b", "lib.0001_a"),
        migration("shop.0002_a", "lib.0003_b"),
    ]
    history = build_history(fork, [App("shop", "/p/shop"), App("lib", "/env/lib", first_party=False)])
    assert linearize(history).keys.renamed == {Key("shop", "0002_a"): Key("shop", "0001_a")}
    with pytest.raises(UsageError, match="lib is installed, but is not this project's own"):
        linearize(history, apps=["lib"])
    with pytest.raises(UsageError, match="shp is not an app of this project") as found:
        linearize(history, apps=["shp"])
    assert "shop" in found.value.meaning


def test_a_history_that_does_not_load_refuses() -> None:
    history = build_history([migration("shop.0001_a", "shop.0002_b"), migration("shop.0002_b", "shop.0001_a")])
    assert codes(linearize(history)) == ["cycle"]


def test_a_thousand_deep() -> None:  # 24
    history = history_of(
        migration("shop.0002_a"),
        *(migration(f"shop.{n:04}_a", f"shop.{n - 1:04}_a") for n in range(3, 3000)),
    )
    reshape = linearize(history)
    assert len(reshape.keys.renamed) == 2998
    assert names(history, reshape, "shop")[-1] == "2998_a"


def test_ten_thousand_in_line_need_five_digits() -> None:
    history = history_of(
        migration("shop.0001_a"),
        *(migration(f"shop.{n:04}_a", f"shop.{n - 1:04}_a") for n in range(2, 9999)),
        migration("shop.9999_b", "shop.9998_a"),
        migration("shop.9999_c", "shop.9998_a"),
    )
    assert linearize(history).keys.renamed == {Key("shop", "9999_c"): Key("shop", "10000_c")}
