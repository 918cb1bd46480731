"""A plan that is not blocked means that `migrate` starts, for the project's own apps and for installed ones."""

from __future__ import annotations

import shlex
from dataclasses import replace

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from migsync.findings import Finding, Severity
from migsync.history import App, History, Key, Migration, Problem, build_history
from migsync.history.edge_statement import edge_statement
from migsync.rewrites.record import Record
from migsync.rewrites.rewrite_graph import Rewrites
from migsync.sync.plan import Plan
from migsync.sync.planner import PlanOptions, make_plan
from tests.history.histories import Files, files
from tests.history.judge import judge
from tests.sync.planner.texts import REF, after, codes, migrations, records, rewrites

AS_DJANGO = {
    "broken-graph",
    "conflicting-migrations",
    "cycle",
    "dangling-dependency",
    "inconsistent-history",
    "unresolved-dependency",
}
WHOLE = PlanOptions(conflicts=True)


@given(files(max_size=7), st.data())
def test_a_plan_is_not_blocked_only_where_migrate_starts(on_disk: Files, data: st.DataObject) -> None:
    own = data.draw(st.sets(st.sampled_from([app.label for app in on_disk.apps])))
    apps = [replace(app, first_party=app.label in own) for app in on_disk.apps]
    recorded = data.draw(st.frozensets(st.sampled_from([*on_disk.keys, Key("shop", "0001_old")])))
    history = build_history(on_disk.migrations, apps, on_disk.settings)
    rows = records(*sorted(map(str, recorded)))
    plan = make_plan(history, Rewrites(), rows, REF, options=WHOLE)
    left = frozenset(row.key for row in after(rows, plan))
    verdict = judge(on_disk.migrations, apps, on_disk.settings, left)
    starts = not (verdict.error or verdict.inconsistent or verdict.conflicts)
    event(f"starts: {starts}, blocked: {plan.blocked}")
    if not plan.blocked:
        assert starts, verdict
    elif {finding.code for finding in plan.findings if finding.blocks} <= AS_DJANGO:
        assert not starts, plan.findings


def two(shop: str = "0001_initial", wares: str = "0001_initial", *, unread: bool = False) -> History:
    """The project's own shop, and wares, which is installed."""
    found = {**migrations("shop", shop), **{f"wares.{name}": it for name, it in migrations("wares", wares).items()}}
    problems = (Problem(3, "dependencies: computed"),)
    read = [replace(it, problems=problems) if unread and it.key.app == "wares" else it for it in found.values()]
    return build_history(read, [App("shop", "/p/shop"), App("wares", "/site-packages/wares", first_party=False)])


def plan_of(history: History, *names: str, options: PlanOptions = WHOLE) -> Plan:
    return make_plan(history, Rewrites(), records(*names), REF, options=options)


def only(plan: Plan) -> Finding:
    [finding] = plan.findings
    return finding


def test_a_package_that_renamed_its_migrations_blocks_and_the_advice_is_possible() -> None:
    """Case 55."""
    renamed = two(wares="0001_start 0002_more 0003_last")
    plan = plan_of(renamed, "wares.0001_initial", "wares.0002_more", "shop.0001_initial")
    finding = only(plan)
    assert (finding.code, finding.severity, plan.blocked) == ("inconsistent-history", Severity.ERROR, True)
    assert "The installed version of wares does not have wares.0001_initial" in finding.hint
    assert "record_applied('wares', '0001_start')" in finding.hint
    assert "connections['default']" in finding.hint
    assert "migsync plan --map" not in finding.hint


@pytest.mark.parametrize(
    ("history", "recorded", "advice"),
    [
        (two(shop="0001_initial<wares:0002_b", wares="0001_initial 0002_b"), "shop", "new migration of shop"),
        (two(wares="0001_initial<shop:0001_initial"), "wares", "--map"),
        (two(wares="0000_new 0001_initial"), "wares", "Install the version of wares"),
    ],
)
def test_the_advice_depends_on_whose_files_they_are(history: History, recorded: str, advice: str) -> None:
    finding = only(plan_of(history, f"{recorded}.0001_initial"))
    assert finding.code == "inconsistent-history"
    assert finding.blocks
    assert advice in finding.hint


def test_a_name_that_a_shell_would_read_is_quoted() -> None:
    hint = only(plan_of(two(wares="0000_$(reboot) 0001_initial"), "wares.0001_initial")).hint
    command = hint.partition("runs nothing: ")[2].splitlines()[0]
    *_, code = shlex.split(command)
    assert code.endswith("record_applied('wares', '0000_$(reboot)')")
    assert "'from django.db" in command


@pytest.mark.parametrize(
    ("shop", "wares", "said"),
    [
        ("0001_initial<wares:__latest__", "0001_initial 0002_b", "depends on `__latest__` of wares"),
        ("0001_initial<wares:__first__", "0000_new 0001_initial", "depends on `__first__` of wares"),
        ("0001_initial<wares:0002_b", "0001_initial 0002_b", ""),
    ],
)
def test_words_that_mean_another_migration_than_before_are_the_cause(shop: str, wares: str, said: str) -> None:
    finding = plan_of(two(shop=shop, wares=wares), "shop.0001_initial", "wares.0001_initial").findings[0]
    assert finding.app == "shop"
    assert said in finding.meaning
    assert ('the name of the migration that it needs into shop.0001_initial: ("wares", ' in finding.hint) == bool(said)


def test_the_file_that_states_a_dependency_may_be_that_of_the_parent() -> None:
    """``run_before``, and a squash that has the edges of what it replaces."""
    made = [
        Migration(Key("shop", "0001_a"), run_before=(Key("blog", "0001_a"),)),
        Migration(Key("blog", "0001_a")),
        Migration(Key("blog", "0002_b"), dependencies=(Key("blog", "0001_a"), Key("shop", "0001_a"))),
        Migration(Key("blog", "0001_squashed"), replaces=(Key("blog", "0001_a"), Key("blog", "0002_b"))),
    ]
    history = build_history(made)
    first, second, squash = (Key("blog", name) for name in ("0001_a", "0002_b", "0001_squashed"))
    assert edge_statement(history, first, made[0].key) == (made[0].key, first, True)
    assert edge_statement(history, squash, made[0].key) == (second, made[0].key, False)
    assert edge_statement(history, first, Key("blog", "0002_b")) is None
    assert "has blog.0001_a in its `run_before`" in only(plan_of(build_history(made[:2]), "blog.0001_a")).meaning


def test_several_leaf_nodes_block_only_where_migrate_is_to_start() -> None:
    """A command that mends the files plans without this check."""
    forked = two(shop="0001_initial 0002_a 0002_b<0001_initial")
    assert codes(plan_of(forked)) == ["conflicting-migrations"]
    assert not plan_of(forked, options=PlanOptions()).findings
    package = only(plan_of(two(wares="0001_initial 0002_a 0002_b<0001_initial")))
    assert package.blocks
    assert "fix-conflicts" not in package.hint


def test_what_rests_on_files_that_cannot_be_read_is_no_error() -> None:
    forked = two(wares="0001_initial 0002_a 0002_b<0001_initial", unread=True)
    assert not plan_of(forked).blocked
    finding = only(plan_of(two(wares="0000_new 0001_initial", unread=True), "wares.0001_initial"))
    assert finding.severity is Severity.WARNING


def test_changes_that_heal_the_history_are_not_blocked() -> None:
    """wares depends on a migration of shop that is recorded under its old name: the rename makes it consistent."""
    history = two(shop="0001_initial 0002_b", wares="0001_initial<shop:0002_b")
    known = rewrites(history, "shop.0003_b=0002_b", old={"shop": "0001_initial 0003_b"})
    rows = records("shop.0001_initial", "shop.0003_b", "wares.0001_initial")
    plan = make_plan(history, known, rows, REF, options=WHOLE)
    assert not plan.blocked
    assert [str(change.after.key) for change in plan.changes if change.after] == ["shop.0002_b"]


def test_an_app_that_was_not_asked_for_is_a_warning_when_it_is_the_projects_own() -> None:
    files = [*migrations("shop", "0001_initial").values(), *migrations("blog", "0000_new 0001_initial").values()]
    history = build_history(files, [App("shop", "/p/shop"), App("blog", "/p/blog")])
    rows = records("shop.0001_initial", "blog.0001_initial")
    limited = PlanOptions(apps=frozenset({"shop"}), conflicts=True)
    assert only(make_plan(history, Rewrites(), rows, REF, options=limited)).severity is Severity.WARNING
    assert make_plan(history, Rewrites(), rows, REF, options=WHOLE).blocked


def test_files_of_an_app_that_was_not_asked_for_still_block() -> None:
    dangling = Migration(Key("blog", "0001_initial"), dependencies=(Key("shop", "0009_gone"),))
    files = [*migrations("shop", "0001_initial").values(), dangling]
    history = build_history(files, [App("shop", "/p/shop"), App("blog", "/p/blog")])
    limited = PlanOptions(apps=frozenset({"shop"}), conflicts=True)
    plan = make_plan(history, Rewrites(), [Record(1, "shop", "0001_initial", "")], REF, options=limited)
    assert codes(plan) == ["broken-graph"]
    assert plan.blocked


@pytest.mark.parametrize(("recorded", "inserted"), [("1 2 3 5", ["4"]), ("1 2 3", []), ("1 2 3 7", ["4", "6"])])
def test_a_merge_is_recorded_where_what_depends_on_it_is(recorded: str, inserted: list[str]) -> None:
    """There is nothing to run. 4 and 6 are merges; 6 is below 7, and 4 below 6 only."""
    text = "1 2<1 3<1 4<2,3 5<4" if "7" not in recorded else "1 2<1 3<1 4<2,3 6<3,4 7<6"
    files = build_history(migrations("shop", text).values(), [App("shop", "/p/shop")])
    rows = records(*(f"shop.{name}" for name in recorded.split()))
    plan = make_plan(files, Rewrites(), rows, REF, options=WHOLE)
    assert not plan.blocked
    assert sorted(row.name for row in after(rows, plan) if row not in rows) == inserted


def test_what_has_operations_or_is_somebody_elses_is_not_recorded() -> None:
    own = plan_of(two(shop="0001_initial 0002_b 0003_c"), "shop.0001_initial", "shop.0003_c")
    assert "inconsistent-history" in codes(own)
    merge = "0001_initial 0002_b<0001_initial 0002_c<0001_initial 0003_m<0002_b,0002_c 0004_d"
    names = ("0001_initial", "0002_b", "0002_c", "0004_d")
    plan = plan_of(two(wares=merge), "shop.0001_initial", *(f"wares.{name}" for name in names))
    assert plan.blocked
    assert not plan.changes
