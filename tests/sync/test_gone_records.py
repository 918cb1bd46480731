"""A record that a run wrote and somebody deleted: reported with the run and the row, and the way back."""

from __future__ import annotations

from pathlib import Path

import pytest

from migsync.history import Key
from migsync.rewrites.record import Record
from migsync.sync.gone_records import gone_records
from migsync.sync.journal.contents import Event, SeenContents
from migsync.sync.plan import Change, Plan
from migsync.sync.run import Run, RunKind
from migsync.sync.target import Snapshot
from tests.cli.entries import names, record
from tests.cli.test_looks import made
from tests.databases import Database
from tests.sync.planner.texts import REF, history

DISK = history(shop="a b c")


def row(number: int, name: str) -> Record:
    return Record(number, "shop", name, f"2026-01-0{number} 10:00:00")


def renamed(number: int, old: str, new: str) -> Change:
    return Change(row(number, old), row(number, new))


def run_of(number: int, *changes: Change, kind: RunKind = RunKind.APPLY) -> Run:
    return Run(f"{number:032x}", number, kind, "", "", "", "", changes=changes)


def told(*records: Record, runs: tuple[Run, ...], seen: tuple[SeenContents, ...] = (), plan: Plan | None = None):
    found = gone_records(DISK, Snapshot(records, runs, seen), plan or Plan(REF))
    return [(finding.name, finding.facts["row"], finding.facts["number"]) for finding in found]


def test_only_what_is_gone_and_would_run_again_is_told() -> None:
    wrote = run_of(1, renamed(2, "x", "b"), renamed(3, "y", "c"))
    assert told(row(1, "a"), row(2, "b"), row(3, "c"), runs=(wrote,)) == []
    assert told(row(1, "a"), row(3, "c"), runs=(wrote,)) == [("b", 2, 1)]
    assert told(row(1, "a"), row(3, "c"), row(7, "b"), runs=(wrote,)) == [], "it is recorded under another id"
    assert told(row(1, "a"), runs=(run_of(1, renamed(2, "x", "gone")),)) == [], "there is no file to run"
    planned = Plan(REF, (renamed(7, "z", "b"),))
    assert told(row(1, "a"), row(3, "c"), row(7, "z"), runs=(wrote,), plan=planned) == []


def test_what_a_run_removed_is_no_news() -> None:
    wrote = run_of(1, renamed(2, "x", "b"))
    assert told(row(1, "a"), runs=(wrote, run_of(2, Change(row(2, "b"), None)))) == []
    made_row = run_of(1, Change(None, row(2, "b")))
    assert told(row(1, "a"), runs=(made_row, run_of(2, Change(row(2, "b"), None), kind=RunKind.UNDO))) == []
    # What an undo brought back counts again.
    again = run_of(3, Change(None, row(2, "b")), kind=RunKind.UNDO)
    assert told(row(1, "a"), runs=(made_row, run_of(2, Change(row(2, "b"), None)), again)) == [("b", 2, 3)]


def test_of_several_rows_of_a_migration_the_last_one_is_told() -> None:
    again = run_of(2, Change(None, row(7, "b")))
    assert told(row(1, "a"), runs=(run_of(1, renamed(2, "x", "b")), again)) == [("b", 7, 2)]


def test_what_the_guard_saw_going_is_no_news() -> None:
    unapplied = SeenContents(2, Key("shop", "b"), Event.UNAPPLIED, "", "", dict)
    assert told(row(1, "a"), runs=(run_of(1, renamed(2, "x", "b")),), seen=(unapplied,)) == []


def test_a_row_that_was_deleted_by_hand_can_be_put_back(tmp_path: Path, database: Database) -> None:
    project = made(tmp_path, record(database))
    assert project.run("apply", "--noinput").status == 0
    before = database.dump()
    database.execute("DELETE FROM django_migrations WHERE name = '0002_price'")
    planned = project.run("plan", "--format", "json")
    assert planned.status == 0
    (found,) = [one for one in planned.json["plans"][0]["findings"] if one["code"] == "record-gone"]
    assert (found["severity"], found["app"], found["name"]) == ("warning", "shop", "0002_price")
    assert (found["facts"]["row"], found["facts"]["number"]) == (2, 1)
    assert project.run("show", found["facts"]["run"]).status == 0
    assert "Run 1 wrote shop.0002_price into row 2 of django_migrations." in project.run("plan").out.replace("\n", " ")
    database.execute(found["facts"]["insert"])
    assert database.dump() == before
    assert "record-gone" not in project.run("plan", "--format", "json").out


@pytest.mark.parametrize("command", ["undo --noinput", "apply --noinput --prune shop.0009_old"])
def test_what_migsync_took_out_is_not_told(tmp_path: Path, sqlite_database: Database, command: str) -> None:
    project = made(tmp_path, record(sqlite_database, ("0001_initial", "0003_price", "0009_old")))
    assert project.run("apply", "--noinput").status == 0
    assert project.run(*command.split()).status == 0
    assert "record-gone" not in project.run("plan", "--format", "json").out
    assert "0001_initial" in names(sqlite_database)
