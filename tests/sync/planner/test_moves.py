"""Names that all fit while what ran is in other files: what is planned is what really happened, for every database.

A model knows which operations ran in each database; the plan of all of them together is held against it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from migsync.findings.pairs import proven_pair, without_operations
from migsync.history.graph import History
from migsync.rewrites.evidence.database import DatabaseEvidence
from migsync.rewrites.evidence.discovery import discover
from migsync.rewrites.file_state import FileState
from migsync.rewrites.record import Record
from migsync.rewrites.rewrite import Rewrite
from migsync.rewrites.rewrite_files import check_rewrite
from migsync.rewrites.rewrite_graph import Rewrites
from migsync.sync.plan import Plan
from migsync.sync.planner import PlanOptions, make_plan
from migsync.sync.provenance import contents_that_ran, provenances
from migsync.sync.target_state import doubtful_apps, unexplained_apps, with_questions
from tests.profiles import examples
from tests.sync.planner.test_drift import Database, Files, files, history, lives
from tests.sync.planner.texts import MADE, REF, after

OPTIONS = PlanOptions(conflicts=True)
NO_REWRITES = Rewrites()


def rows(database: Database) -> list[Record]:
    return [Record(number, "shop", name, f"2026-01-{number:02}") for number, name in database.rows.items()]


def plan_of(now: History, database: Database, rewrites: Rewrites = NO_REWRITES) -> Plan:
    mine = rows(database)
    known = provenances(now, mine, seen=database.seen)
    return make_plan(now, rewrites, mine, REF, ran=known, options=OPTIONS)


def planned(found: Files, *databases: Database) -> tuple[list[Plan], Rewrite | None, list[str]]:
    """The plans of several databases, as a survey makes them, with the rewrite and the codes of what was found out."""
    now = history(found)
    plans = [plan_of(now, database) for database in databases]
    asked = set().union(*map(doubtful_apps, plans), *map(unexplained_apps, plans))
    if not asked:
        return plans, None, []
    ran = [contents_that_ran(now, provenances(now, rows(each), seen=each.seen), ()) for each in databases]
    shown = [DatabaseEvidence("", rows(each), presumed=known) for each, known in zip(databases, ran, strict=True)]
    known = discover(now, Rewrites(), asked, shown, created=MADE)
    rewrites = Rewrites().with_proposed(known.proposed)
    plans = [
        with_questions(plan, known, {"shop"}) for plan in (plan_of(now, database, rewrites) for database in databases)
    ]
    return plans, known.proposed, [finding.code for finding in known.facts]


def migrated(found: Files, upto: int | None = None) -> Database:
    database = Database()
    database.migrate(found, upto)
    return database


def names(database: Database, plan: Plan) -> list[str]:
    return [record.name for record in after(rows(database), plan)]


class TestCases:
    def test_an_exchange(self) -> None:
        database = migrated(files(a="A", y="B", x="C"), 2)
        (plan,), rewrite, _ = planned(files(a="A", x="B", y="C"), database)
        assert rewrite
        assert rewrite.apps["shop"].renamed == (("y", "x"),)
        assert names(database, plan) == ["a", "x"]

    def test_a_cycle(self) -> None:
        database = migrated(files(a="A", x="B", y="C", z="D"), 3)
        (plan,), _, _ = planned(files(a="A", y="B", z="C", x="D"), database)
        assert names(database, plan) == ["a", "y", "z"]

    def test_a_shift_onto_a_name_without_operations(self) -> None:
        database = migrated(files(a="A", x="", y="C", z="D"), 3)
        (plan,), _, codes = planned(files(a="A", x="C", y="D"), database)
        assert names(database, plan) == ["a", "x"]
        assert codes == [proven_pair.code, without_operations.code]

    def test_a_union_and_a_released_name(self) -> None:
        database = migrated(files(a="A", x="B", y="C", z="D"), 3)
        (plan,), rewrite, _ = planned(files(a="A", x="B C", y="D"), database)
        assert rewrite
        assert rewrite.apps["shop"].collapsed == ((("x", "y"), ("x",)),)
        assert names(database, plan) == ["a", "x"]

    def test_united_before_all_of_it_ran(self) -> None:
        (plan,), rewrite, _ = planned(files(a="A", x="B C"), migrated(files(a="A", x="B", y="C"), 2))
        assert not rewrite
        assert [finding.code for finding in plan.findings] == ["never-ran"]

    def test_a_new_file_before_what_ran_under_its_name(self) -> None:
        (plan,), rewrite, _ = planned(files(a="A", x="N", y="B"), migrated(files(a="A", x="B")))
        assert not rewrite
        assert plan.blocked


@st.composite
def shuffles(draw: st.DrawFn) -> tuple[Files, int, Files]:
    """Lives in which names are exchanged, shifted and used again, and files united, in the order in which they ran."""
    left = list("ABCDEFGHIJKLMNOPQ")
    sizes = draw(st.lists(st.integers(0, 2), min_size=2, max_size=5))
    before = {name: tuple(left.pop(0) for _ in range(size)) for name, size in zip("vwxyz", sizes, strict=False)}
    bodies: list[tuple[str, ...]] = []
    for body in before.values():
        if bodies and draw(st.integers(0, 3)) == 0:
            bodies[-1] += body
        elif body or draw(st.booleans()):
            bodies.append(body)
        if draw(st.integers(0, 5)) == 0:
            bodies.append((left.pop(0),) if left else ())
    new = draw(st.permutations("uvwxyz"))
    kept = draw(st.booleans())
    order = [*before, *(name for name in new if name not in before)] if kept else new
    return before, draw(st.integers(1, len(before))), dict(zip(order, bodies, strict=False))


def check_true(found: Files, database: Database, plan: Plan) -> None:
    """What is recorded afterwards is what ran, each operation once; the rest is still to run, or it is reported."""
    if plan.blocked or plan.unexplained or plan.incomplete:
        return
    recorded = [name for name in names(database, plan) if name in found]
    claimed = Counter(effect for name in recorded for effect in found[name])
    # Operations that were taken out of all files are no news.
    left = {effect for effects in found.values() for effect in effects}
    assert claimed == {effect: times for effect, times in database.ran.items() if effect in left}, plan.changes
    order = list(found)
    # Each file comes after the one before it.
    assert sorted(order.index(name) for name in recorded) == list(range(len(recorded)))


@settings(max_examples=examples(150, 5000), deadline=None)
@given(st.one_of(shuffles(), lives()), st.integers(0, 5), st.integers(0, 5))
def test_what_is_planned_is_what_happened(life: tuple[Files, int, Files], behind: int, later: int) -> None:
    before, upto, found = life
    # Three databases: two of before, one of them further behind, and one that was migrated with the files of today.
    databases = [migrated(before, upto), migrated(before, min(behind, upto)), migrated(found, later)]
    plans, rewrite, _ = planned(found, *databases)
    if rewrite:
        check_rewrite(rewrite)
        assert FileState.on_disk(history(found), "shop").names >= rewrite.apps["shop"].targets
    for database, plan in zip(databases, plans, strict=True):
        if plan.changes:
            check_true(found, database, plan)
    assert not (plans[2].changes and not plans[2].blocked), "what was migrated with the files of today stays"


@settings(max_examples=examples(100, 3000), deadline=None)
@given(shuffles(), st.integers(0, 5), st.booleans())
def test_a_rewrite_serves_other_databases(life: tuple[Files, int, Files], other: int, today: bool) -> None:
    """A rewrite from the evidence of one database leads another one right, or is refused there."""
    before, upto, found = life
    _, rewrite, _ = planned(found, migrated(before, upto))
    if rewrite:
        database = migrated(found if today else before, other)
        plan = plan_of(history(found), database, Rewrites((replace(rewrite, path="1.toml"),)))
        check_true(found, database, plan)
