"""Names that SQL could trip over, values of `applied` as they are found in the wild, and what a script refuses."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from migsync.errors import Blocked, MigsyncError, UnknownEngine
from migsync.findings import Finding, Severity
from migsync.rewrites.record import Record
from migsync.sync.plan import Change, Plan, TargetRef
from migsync.sync.scripts import apply_script, undo_script
from tests.databases import Database
from tests.sync.scripts.cases import CHAIN, ENGINES, applied
from tests.sync.scripts.clients import run, runs

PROBE = Path("migsync-was-here")
NAMES = (
    "it's",
    "it''s \"quoted\" `so`",
    "back\\slash",
    "ends with a backslash\\",
    "\\'; DROP TABLE django_migrations; --",
    f"\\! touch {PROBE}",
    f"\\q `touch {PROBE}`",
    "100%s %(name)s %% %",
    "$migsync$",
    "$migsync$; $migsync1$ $$",
    ":x :'x' :\"x\" ?1 @x ${x}",
    "-- comment",
    "/* comment */ # comment",
    ".quit",
    "délai_日本語_😀",
    "Case",
    "case",
    "trailing ",
    "",
    "a; b; GO",
    "NULL",
    "x" * 255,
)
ODD = {
    "postgresql": (
        "infinity",
        "-infinity",
        "0044-03-15 12:00:00+00 BC",
        "2025-03-30 01:30:00+00",
        "294276-12-31 23:59:59.999999+00",
    ),
    "mysql": ("0000-00-00 00:00:00.000000", "2025-00-00 00:00:00.000000", "9999-12-31 23:59:59.999999"),
    "sqlite": ("2025-03-01T09:30:00+02:00", "", "never", "1740821400", "2025-03-01 09:30:00.120000", "it's \\ odd"),
}


def round_trip(database: Database, plan: Plan, **options: object) -> None:
    """Apply and undo give exactly the planned and the old rows."""
    before = database.dump()
    said = run(database, apply_script(plan), **options)  # type: ignore[arg-type]
    assert "migsync: applied" in said.text, said.text
    expected = {row[0]: row for row in before}
    for change in plan.changes:
        if change.before is not None:
            del expected[str(change.before.id)]
    for change in plan.changes:
        if change.after is not None and change.after.id is not None:
            id_, app, name, when = change.after
            expected[str(id_)] = (str(id_), app, name, str(when))
    assert [row for row in database.dump() if row[0] in expected] == sorted(
        expected.values(), key=lambda row: int(row[0])
    )
    said = run(database, undo_script(plan), **options)  # type: ignore[arg-type]
    assert "migsync: undone" in said.text, said.text
    assert database.dump() == before


def odd_names(engine: str) -> tuple[list[Record], Plan]:
    """Every odd name becomes the next one, and goes away in another row."""
    records = [Record(id_, "shop", name, applied(engine, 1)) for id_, name in enumerate(NAMES, start=1)]
    records += [Record(100 + id_, name[:200], "gone", applied(engine, 2)) for id_, name in enumerate(NAMES, start=1)]
    changes = [
        Change(record, record._replace(name=NAMES[record.id % len(NAMES)]), "it's\n$migsync$ \\ */ odd")  # type: ignore[operator]
        for record in records
        if record.app == "shop"
    ]
    changes += [Change(record, None, "prune") for record in records if record.name == "gone"]
    changes += [Change(None, Record(None, f"new {name}"[:255], "0001", applied(engine, 3)), "remake") for name in NAMES]
    return records, Plan(TargetRef("it's\ndefault", engine, "\\ identity\n"), tuple(changes))


@pytest.mark.parametrize("stop", [True, False])
def test_odd_names(database: Database, stop: bool) -> None:
    records, plan = odd_names(database.engine)
    database.create_table()
    database.insert(records)  # type: ignore[arg-type]
    round_trip(database, plan, stop=stop)
    assert runs(database)[0].changes == plan.changes
    assert not PROBE.exists()


def test_odd_timestamps(database: Database) -> None:
    database.create_table()
    rows = [(id_, "shop", f"{id_:04}", when) for id_, when in enumerate(ODD[database.engine], start=1)]
    if database.engine == "mysql":
        values = ", ".join(f"({id_}, '{app}', '{name}', '{when}')" for id_, app, name, when in rows)
        database.execute(
            f"SET STATEMENT sql_mode = 'ALLOW_INVALID_DATES' FOR INSERT INTO django_migrations VALUES {values}"
        )
    else:
        database.insert(rows)
    records = [Record(int(id_), app, name, when) for id_, app, name, when in database.dump()]
    assert [record.applied for record in records] == list(ODD[database.engine])
    renames = [Change(record, record._replace(name=f"{record.name}_new"), "x") for record in records]
    round_trip(database, Plan(TargetRef("default", database.engine, "x"), tuple(renames)))
    removals = [Change(record, None, "x") for record in records]
    round_trip(database, Plan(TargetRef("default", database.engine, "x"), tuple(removals)))
    inserts = [Change(None, Record(None, "new", record.name, record.applied), "x") for record in records]
    round_trip(database, Plan(TargetRef("default", database.engine, "x"), tuple(inserts)))


@pytest.mark.parametrize("value", ["x'2025'", "1740821400.123456789"])
def test_sqlite_keeps_a_row_whose_timestamp_could_not_come_back(sqlite_database: Database, value: str) -> None:
    sqlite_database.create_table()
    sqlite_database.execute(f"INSERT INTO django_migrations VALUES (1, 'shop', '0001', {value})")
    record = Record(1, "shop", "0001", sqlite_database.dump()[0][3])
    before = sqlite_database.dump()
    plan = Plan(TargetRef("default", "sqlite", "x"), (Change(record, None, "x"),))
    assert "nothing changed" in run(sqlite_database, apply_script(plan), stop=False).text
    assert sqlite_database.dump() == before
    round_trip(sqlite_database, replace(plan, changes=(Change(record, record._replace(name="0002"), "x"),)))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize(
    "name", ["new\nline", "nul\0", "bell\a", "del\x7f", "nel\x85", "ls\u2028", "rtl\u202e", "\ud800"]
)
def test_a_name_that_cannot_be_printed_is_refused(engine: str, name: str) -> None:
    record = Record(1, "shop", name, applied(engine, 1))
    for change in (Change(record, record._replace(name="x")), Change(record._replace(name="x"), record)):
        with pytest.raises(MigsyncError, match="cannot be printed"):
            apply_script(Plan(TargetRef("default", engine, "x"), (change,)))


@pytest.mark.parametrize("engine", ENGINES)
def test_scripts_are_ascii_and_the_same_every_time(engine: str) -> None:
    _, plan = odd_names(engine)
    assert apply_script(plan).isascii()
    assert undo_script(plan).isascii()
    assert apply_script(plan) == apply_script(Plan.from_dict(plan.as_dict()))


def test_what_is_no_script() -> None:
    plan = CHAIN.plan("sqlite")
    with pytest.raises(Blocked):
        apply_script(replace(plan, findings=(Finding("x", Severity.ERROR, "x"),)))
    with pytest.raises(MigsyncError, match="changes no row"):
        apply_script(replace(plan, changes=()), journal=False)
    with pytest.raises(UnknownEngine):
        apply_script(replace(plan, target=replace(plan.target, engine="oracle")))
    before = plan.changes[0].before
    assert before
    for changes in (
        [Change(before, before._replace(id=9))],
        [Change(before, before._replace(applied="x"))],
        [Change(before, None), Change(before, None)],
        [Change(None, before._replace(id=None)), Change(None, before._replace(id=None))],
    ):
        with pytest.raises(MigsyncError, match="edited"):
            apply_script(replace(plan, changes=tuple(changes)))
