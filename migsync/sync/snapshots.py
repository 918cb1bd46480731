"""The snapshots of many members of one entry, read by a few statements."""

from __future__ import annotations

import json
from collections.abc import Container, Iterable, Iterator, Sequence
from itertools import groupby, islice
from typing import Any

from sqlalchemy.exc import DBAPIError

from migsync.decoder import DecodeError
from migsync.engines.config import DatabaseConfig
from migsync.engines.driver_errors import TABLE
from migsync.engines.schema_reader import SchemaRows, TableRead
from migsync.errors import MigsyncError
from migsync.rewrites.record import as_records
from migsync.rewrites.stored_records import RecordNames, StoredRecords
from migsync.sync.journal.contents import COLUMNS as EVENT_COLUMNS
from migsync.sync.journal.contents import SeenContents, as_events
from migsync.sync.journal.looks import COLUMNS as LOOK_COLUMNS
from migsync.sync.journal.looks import as_look
from migsync.sync.journal.tables import (
    COLUMNS,
    CONTENT_SEEN_TABLE,
    LOOK_TABLE,
    RAN_TABLE,
    RUN_TABLE,
    VERSION_TABLE,
    from_row,
    has_contents,
    has_looks,
    known_version,
)
from migsync.sync.recorder import check_rows
from migsync.sync.target import Snapshot, Target
from migsync.sync.target_pool import TargetPool

TOGETHER = 50
"""So many schemas are read by one statement. Each table and each index takes an entry of the server's lock table, which
has 6,400 of them by default."""
WAIT_SECONDS = 1.0
"""How long a statement about many schemas waits for a lock. Where one is held longer, they are read one by one."""

RECORDS = TableRead(TABLE, (("id",), ("app",), ("name",), ("applied",)), "id", as_text=frozenset({"applied"}))
JOURNAL = (
    TableRead(VERSION_TABLE, (("version_num",),), "version_num"),
    TableRead(RUN_TABLE, (COLUMNS,), "number"),
    TableRead(CONTENT_SEEN_TABLE, (EVENT_COLUMNS[:-1],), "number", own_schema=True),
    TableRead(RAN_TABLE, (EVENT_COLUMNS,), "number", own_schema=True),
    TableRead(LOOK_TABLE, (LOOK_COLUMNS,), "number", own_schema=True, last=True),
)


class SnapshotReader:
    """Reads snapshots of the members of entries, and keeps once what they have in common."""

    def __init__(self, pool: TargetPool, *, journaled: bool) -> None:
        self._pool = pool
        self._journaled = journaled
        self._names: dict[tuple[str, str, str], RecordNames] = {}

    def read_all(
        self, configs: Iterable[DatabaseConfig], listed: Container[str]
    ) -> Iterator[tuple[DatabaseConfig, Snapshot | None]]:
        """Each target, with its snapshot where several were read at once; see :meth:`Target.snapshot`.

        Without one where a target has to be read by itself: it is no member, has no table, cannot be read, or holds
        what is refused.
        """
        for entry, members in groupby(configs, key=lambda config: "" if config.error else config.shared_by):
            while some := list(islice(members, TOGETHER if entry else 1)):
                found = self._read(some, listed) if len(some) > 1 else {}
                yield from ((config, found.get(config.alias)) for config in some)

    def _read(self, configs: Sequence[DatabaseConfig], listed: Container[str]) -> dict[str, Snapshot]:
        """The snapshots by alias, of members of one entry."""
        reads = (RECORDS, *JOURNAL) if self._journaled else (RECORDS,)
        try:
            targets = [self._pool.open(config) for config in configs]
            behaviour = targets[0].behaviour
            with targets[0].transaction(WAIT_SECONDS) as connection:
                found = behaviour.read_schemas(connection, [config.schema for config in configs], reads)
                database = next((rows.inspection.database for rows in found.values()), "")
                schemas = behaviour.schemas(connection) if found and database not in listed else ()
        except (DBAPIError, MigsyncError):
            return {}
        snapshots: dict[str, Snapshot] = {}
        for target in targets:
            rows = found.get(target.config.schema)
            if rows is None:
                continue
            try:
                snapshots[target.alias] = self._snapshot(target, rows, () if snapshots else schemas)
            except (MigsyncError, DecodeError, ValueError):
                continue
            target.survey = rows.inspection
        return snapshots

    def _snapshot(self, target: Target, rows: SchemaRows, schemas: tuple[str, ...]) -> Snapshot:
        records = self._records(rows.texts[TABLE])
        version = known_version(_values(rows, VERSION_TABLE))
        if not version:
            return Snapshot(records, schemas=schemas)
        events: list[SeenContents] = []
        looks: list[Any] = []
        if has_contents(version):
            older = ((*event, "") for event in _values(rows, CONTENT_SEEN_TABLE))
            events += as_events(CONTENT_SEEN_TABLE, older, target.documents)
        if has_looks(version):
            events += as_events(RAN_TABLE, _values(rows, RAN_TABLE), target.documents)
            looks = _values(rows, LOOK_TABLE)
        return Snapshot(
            records,
            tuple(from_row(dict(zip(COLUMNS, row, strict=True))) for row in _values(rows, RUN_TABLE)),
            tuple(events),
            schemas=schemas,
            version=version,
            look=as_look(looks[0]) if looks else None,
        )

    def _records(self, texts: Sequence[str]) -> StoredRecords:
        ids, apps, names, applied = texts
        key = (ids, apps, names)
        if key not in self._names:
            shared = RecordNames(*(tuple(json.loads(text)) for text in key))
            check_rows(as_records(zip(*shared, shared.apps, strict=True)))
            self._names[key] = shared
        return StoredRecords(self._names[key], applied)


def _values(rows: SchemaRows, table: str) -> list[Any]:
    """The rows of a table with one group of columns; none where there is no table."""
    found: list[Any] = json.loads(rows.texts[table][0]) if table in rows.texts else []
    return found
