"""The graph: order, edges, cycles, and what is told about dependencies that lead nowhere."""

from __future__ import annotations

from hypothesis import given

from migsync.findings import Severity
from migsync.history import FIRST, LATEST, SETTING, App, Key, Migration, build_history
from tests.history.histories import Files, files


def migration(
    key: str, *dependencies: str, run_before: tuple[str, ...] = (), replaces: tuple[str, ...] = ()
) -> Migration:
    return Migration(
        Key.parse(key),
        dependencies=tuple(map(Key.parse, dependencies)),
        run_before=tuple(map(Key.parse, run_before)),
        replaces=tuple(map(Key.parse, replaces)),
    )


def keys(*texts: str) -> tuple[Key, ...]:
    return tuple(map(Key.parse, texts))


@given(files(max_size=20))
def test_parents_come_first(on_disk: Files) -> None:
    history = build_history(on_disk.migrations, on_disk.apps, on_disk.settings)
    place = {key: number for number, key in enumerate(history.order)}
    assert place.keys() == history.migrations.keys()
    for key in history.order:
        assert all(key in history.children(parent) for parent in history.parents(key))
        if not history.cycle:
            assert all(place[parent] < place[key] for parent in history.parents(key))
    for cycle in [history.cycle] if history.cycle else []:
        assert all(before in history.parents(key) for before, key in zip(cycle, cycle[1:] + cycle[:1], strict=True))
    assert sorted(history.order) == sorted(Key(app, name) for app in history.apps for name in history.names(app))


def test_ties_are_broken_by_name_and_crossing_chains_find_a_legal_order() -> None:
    history = build_history(
        [
            migration("shop.0001"),
            migration("shop.0002_b", "shop.0001", "blog.0001"),
            migration("shop.0002_a", "shop.0001"),
            migration("blog.0001", "shop.0002_z"),
            migration("shop.0002_z", "shop.0001"),
        ]
    )
    assert history.names("shop") == ("0001", "0002_a", "0002_z", "0002_b")
    assert history.names("unknown") == ()
    assert history.ancestors(keys("blog.0001", "old.0001")) == set(keys("blog.0001", "shop.0002_z", "shop.0001"))
    assert history.leaves("shop") == keys("shop.0002_a", "shop.0002_b", "shop.0002_z")  # blog is another app


def test_first_latest_settings_and_run_before() -> None:
    history = build_history(
        [
            migration("blog.0001", f"shop.{LATEST}"),
            migration("blog.0002", "blog.0001", f"{SETTING}.AUTH_USER_MODEL", f"plain.{FIRST}", f"blog.{FIRST}"),
            migration("shop.0001", run_before=("users.0001",)),
            migration("shop.0002", "shop.0001"),
            migration("users.0001"),
        ],
        [App("plain", None), App("users", "x"), App("shop", "x"), App("blog", "x")],
        {"AUTH_USER_MODEL": "users.User"},
    )
    assert history.findings == ()
    assert history.parents(Key("blog", "0001")) == keys("shop.0002")
    assert history.parents(Key("blog", "0002")) == keys("blog.0001", "users.0001")
    assert history.parents(Key("users", "0001")) == keys("shop.0001")


def test_a_dependency_on_a_file_that_is_gone_leads_to_the_squash_of_it() -> None:
    squashed = [
        migration("shop.0001_squash", replaces=("shop.0001", "shop.0002")),
        migration("shop.0003", "shop.0002"),
    ]
    history = build_history(squashed)
    assert history.parents(Key("shop", "0003")) == keys("shop.0001_squash")
    assert history.findings == ()


def test_a_dangling_dependency_names_the_nearest() -> None:
    app, other = App("shop", "x"), App("third", "x", first_party=False)
    history = build_history(
        [
            migration("shop.0001_initial"),
            migration("shop.0003", "shop.0001_inital"),
            migration("third.0001", "shpo.0001"),
        ],
        [app, other],
    )
    ours, theirs = history.findings
    assert (ours.code, ours.severity, ours.name) == ("dangling-dependency", Severity.ERROR, "0003")
    assert "0001_initial" in ours.hint
    assert theirs.severity is Severity.WARNING
    assert "shop" in theirs.hint
    assert history.parents(Key("shop", "0003")) == ()


def test_a_dependency_on_an_app_without_migrations() -> None:
    (finding,) = build_history(
        [migration("shop.0001", "blog.0001_initial")], [App("shop", "x"), App("blog", None)]
    ).findings
    assert finding.code == "dangling-dependency"
    assert finding.hint.startswith("blog has no migrations.")


def test_what_means_no_migration_at_all() -> None:
    apps = [App("shop", "x"), App("empty", "x")]
    dependencies = (f"unknown.{FIRST}", f"empty.{FIRST}", f"{SETTING}.SHOP_MODEL")
    history = build_history([migration("shop.0001", *dependencies)], apps)
    assert [finding.code for finding in history.findings] == ["unresolved-dependency"] * 2 + ["unknown-setting"]
    assert history.state(frozenset()).error == "ValueError: Dependency on unknown app: unknown"


def test_a_cycle_is_named() -> None:
    history = build_history(
        [
            migration("a.1", "b.1"),
            migration("b.1", "c.1"),
            migration("c.1", "a.1"),
            migration("d.1", "c.1"),
            migration("e.1"),
        ]
    )
    (finding,) = history.findings
    assert finding.code == "cycle"
    assert "a.1 -> c.1 -> b.1 -> a.1" in finding.found
    assert set(history.order) == history.migrations.keys()
    error = history.state(frozenset()).error
    assert error.startswith("CircularDependencyError: ")
    assert "a.1" in error


def test_ten_thousand_deep() -> None:
    chain = [
        Migration(Key("shop", f"{n:05d}"), dependencies=(Key("shop", f"{n - 1:05d}"),) if n else ())
        for n in range(10_000)
    ]
    history = build_history(chain)
    assert history.order == tuple(each.key for each in chain)
    assert len(history.ancestors([chain[-1].key])) == 10_000
    assert history.state(frozenset()).pending == history.order
    assert len(history.state({chain[-1].key}).inconsistent) == 1
    loop = build_history([Migration(chain[0].key, dependencies=(chain[-1].key,)), *chain[1:]])
    assert len(loop.cycle) == 10_000


def test_a_thousand_squashes_of_squashes() -> None:
    made = [migration("shop.0000")]
    made += [migration(f"shop.{n:04d}", replaces=(f"shop.{n - 1:04d}",)) for n in range(1, 1000)]
    state = build_history(made).state(frozenset(keys("shop.0000")), nested=True)
    assert state.error == ""
    assert state.nodes == {Key("shop", "0999")}
    assert state.pending == ()
