"""One small history of records, with a chain of renames, a swap, a removal and an insert in the plan for it."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from migsync.engines.config import DatabaseConfig
from migsync.rewrites.record import Record, fingerprints
from migsync.rewrites.rewrite import AppRewrite, Rewrite
from migsync.sync.apply import apply_plan
from migsync.sync.plan import Change, Plan, TargetRef
from migsync.sync.target import Target, open_target
from migsync.sync.undo import rows_after
from tests.databases import Database

if TYPE_CHECKING:
    import sqlalchemy as sa

ROWS = [
    (1, "shop", "0001_initial", "2026-01-01 10:00:00"),
    (2, "shop", "0003_alter_item_price", "2026-01-02 10:00:00.5"),
    (3, "shop", "0004_alter_item_price", "2026-01-02 11:00:00.123456"),
    (5, "blog", "0001_initial", "2026-01-02 11:00:00.123456"),
    (6, "shop", "0007_x", "2026-01-03 11:00:00"),
    (7, "shop", "0006_x", "2026-01-03 11:00:00"),
    (9, "shop", "0005_merge", "2026-01-03 12:00:00.000001"),
    (10, "auth", "0001_initial", "2026-01-03 12:00:00.000001"),
]
REWRITE = Rewrite(
    parents=(),
    command="linearize --app shop",
    created="2026-02-01T10:00:00Z",
    apps={"shop": AppRewrite(before=("0001_initial", "0005_merge"), after=("0001_initial",), removed=("0005_merge",))},
)

# Forked from a clean process that has everything imported: a child starts at once and shares no connection.
processes = multiprocessing.get_context("forkserver")
processes.set_forkserver_preload(["tests.sync.story", "tests.cli.appliers"])


def filled(database: Database) -> Database:
    """The database, with the rows of the story."""
    database.create_table()
    database.insert(ROWS)
    return database


def target_of(database: Database | str, alias: str = "default") -> Target:
    return open_target(DatabaseConfig(alias, database if isinstance(database, str) else database.url))


def rename(record: Record, name: str) -> Change:
    return Change(record, record._replace(name=name), "test")


def plan_of(ref: TargetRef, records: Iterable[Record] | None, changes: Iterable[Change], **fields: object) -> Plan:
    """A plan of these changes, with the fingerprints of the apps that it touches."""
    records, changes = tuple(records or ()), tuple(changes)
    apps = sorted({row.app for change in changes for row in (change.before, change.after) if row})
    after = rows_after(records, changes)
    return Plan(ref, changes, fingerprints(records, apps), fingerprints(after, apps), **fields)  # type: ignore[arg-type]


def story_plan(target: Target) -> Plan:
    """Chain, swap, removal and insert."""
    records = target.read()
    assert records is not None
    row = {record.id: record for record in records}
    changes = [
        rename(row[2], "0002_alter_item_price"),
        rename(row[3], "0003_alter_item_price"),
        rename(row[6], "0006_x"),
        rename(row[7], "0007_x"),
        Change(row[9], None, "test"),
        Change(None, row[3]._replace(id=None, name="0004_new"), "test"),
    ]
    return plan_of(target.ref, records, changes, passed=(REWRITE,))


def story_after(before: Iterable[tuple[str, str, str, str]]) -> list[tuple[str, str, str]]:
    """What the plan of the story leaves of a dump, without ids: an inserted row's id is the database's choice."""
    names = {"2": "0002_alter_item_price", "3": "0003_alter_item_price", "6": "0006_x", "7": "0007_x"}
    rows = [(app, names.get(id_, name), applied) for id_, app, name, applied in before if id_ != "9"]
    applied = next(applied for id_, _, _, applied in before if id_ == "3")
    return [*rows, ("shop", "0004_new", applied)]


def without_ids(dump: Iterable[tuple[str, str, str, str]]) -> list[tuple[str, str, str]]:
    return [(app, name, applied) for _, app, name, applied in dump]


def apply_in_process(url: str, plan: Plan, run_id: str, kill_at: str, barrier: object, results: object) -> None:
    """In a process of its own: wait for the others, apply, and put the outcome's status or the error's class.

    At the step `kill_at` the process is killed as by ``kill -9``.
    """

    def step(name: str, _: sa.Connection) -> None:
        if name == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    if barrier is not None:
        barrier.wait()  # type: ignore[attr-defined]
    try:
        with target_of(url) as target:
            said = str(apply_plan(target, plan, run_id=run_id or None, lock_timeout=60, faults=step).status)
    except Exception as error:
        said = f"{type(error).__name__}: {error}"
    if results is not None:
        results.put(said)  # type: ignore[attr-defined]


def steps_of(apply: Callable[[Callable[[str, sa.Connection], None]], object]) -> list[str]:
    """The names of the steps that an apply goes through."""
    steps: list[str] = []
    apply(lambda name, _: steps.append(name))
    return steps
