"""Records that a run wrote and that are not there any more, though no run removed them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from migsync.engines.driver_errors import TABLE
from migsync.findings import Finding
from migsync.findings.records import record_gone
from migsync.history.graph import History
from migsync.rewrites.record import Record
from migsync.sync.journal.contents import Event
from migsync.sync.plan import Plan
from migsync.sync.run import Run
from migsync.sync.stored_changes import touched_ids
from migsync.sync.target import Snapshot

SHORT = 12
"""So much of a run's id is shown."""


def with_gone(history: History, held: Snapshot, plan: Plan) -> Plan:
    """The plan, with a finding for each of these records."""
    found = tuple(gone_records(history, held, plan)) if held.runs else ()
    return replace(plan, findings=(*plan.findings, *found)) if found else plan


def gone_records(history: History, held: Snapshot, plan: Plan) -> Iterator[Finding]:
    """The records whose absence makes ``migrate`` run something again.

    Not those that the guard saw going when ``migrate`` unapplied their operations.
    """
    there = {record.id for record in held.records}
    # Of a run whose rows are all there, nothing is gone.
    runs = [run for run in held.runs if not there.issuperset(touched_ids(run.changes))]
    gone = {row: found for row, found in _written(runs).items() if row not in there}
    # Of several rows that a migration has had, the last one is the one to put back.
    last = {record.key: row for row, (record, _) in sorted(gone.items(), key=lambda item: item[1][1].number)}
    written = {row: found for row, found in gone.items() if last[found[0].key] == row}
    if not written:
        return
    unapplied = {each.record for each in held.seen if each.event is Event.UNAPPLIED}
    after = {record.key for record in held.records} | {change.after.key for change in plan.changes if change.after}
    applied = history.state(after).applied
    for row, (record, run) in sorted(written.items()):
        key = record.key
        if row not in unapplied and key in history.migrations and key.app in history.synced and key not in applied:
            insert = _insert(plan.target.schema, record)
            yield record_gone(migration=key, row=row, run=run.id[:SHORT], number=run.number, insert=insert)


def _written(runs: Sequence[Run]) -> dict[int, tuple[Record, Run]]:
    """By id, each record as the last run left it that changed it; without those that a run removed."""
    found: dict[int, tuple[Record, Run]] = {}
    for run in runs:
        # What is removed first: an id that is freed can be taken by another change of the same run.
        for change in run.changes:
            if change.before and change.before.id is not None:
                found.pop(change.before.id, None)
        for change in run.changes:
            if change.after and change.after.id is not None:
                found[change.after.id] = (change.after, run)
    return found


def _insert(schema: str, record: Record) -> str:
    """A statement that brings the row back, with its id and its time."""
    place = ""
    if schema:
        name = schema if schema.isidentifier() and schema.islower() else '"' + schema.replace('"', '""') + '"'
        place = f"{name}."
    values = ", ".join("'" + (text or "").replace("'", "''") + "'" for text in record[1:])
    return f"INSERT INTO {place}{TABLE} (id, app, name, applied) VALUES ({record.id}, {values});"  # noqa: S608 (to be read)
