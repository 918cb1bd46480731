"""The snapshots of many members of one entry, read by a few statements."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Container, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby, islice
from typing import Any, TypeAlias

from sqlalchemy.exc import DBAPIError

from migsync.decoder import DecodeError
from migsync.engines.config import DatabaseConfig
from migsync.engines.driver_errors import TABLE
from migsync.engines.schema_reader import SchemaRows, TableRead
from migsync.errors import MigsyncError
from migsync.progress import step
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

NOTHING = Snapshot()
RECORDS = TableRead(TABLE, (("id",), ("app",), ("name",), ("applied",)), "id", as_text=frozenset({"applied"}))
JOURNAL = (
    TableRead(VERSION_TABLE, (("version_num",),), "version_num"),
    TableRead(RUN_TABLE, (COLUMNS,), "number"),
    TableRead(CONTENT_SEEN_TABLE, (EVENT_COLUMNS[:-1],), "number", own_schema=True),
    TableRead(RAN_TABLE, (EVENT_COLUMNS,), "number", own_schema=True),
    TableRead(LOOK_TABLE, (LOOK_COLUMNS,), "number", own_schema=True, last=True),
)


@dataclass(frozen=True)
class Reading:
    """What reading one target gave: the target with what it holds, or why it cannot be read.

    `unseen` is :attr:`migsync.sync.target_state.DatabaseState.unseen`.
    """

    config: DatabaseConfig
    target: Target | MigsyncError
    snapshot: Snapshot = NOTHING
    unseen: str = ""


ReadAlone: TypeAlias = Callable[[Target], tuple[Snapshot, str]]


class SnapshotReader:
    """Reads snapshots: of the members of an entry several at once, and keeps once what they have in common.

    `alone` reads a target that has to be read by itself: it is no member, has no table, cannot be read, or holds what
    is refused. `listed` is as for :meth:`Target.snapshot`. Members are read by up to `readers` threads, each of which
    uses one connection at a time.
    """

    def __init__(
        self, pool: TargetPool, alone: ReadAlone, listed: Container[str] | None, *, journaled: bool, readers: int = 1
    ) -> None:
        self._pool = pool
        self._alone = alone
        self._listed = listed
        self._journaled = journaled
        self._readers = readers
        self._names: dict[tuple[str, str, str], RecordNames] = {}

    def read_all(self, configs: Sequence[DatabaseConfig]) -> Iterator[Reading]:
        """Each target, in this order."""
        pieces = _pieces(configs)
        with step("Reading databases", len(configs)) as made:
            for piece in self._in_threads(pieces) if self._readers > 1 else map(self._read, pieces):
                for each in piece:
                    yield each
                    made.done += 1

    def _in_threads(self, pieces: Iterator[Sequence[DatabaseConfig]]) -> Iterator[list[Reading]]:
        """Those of entries in threads. No more is read ahead than keeps them busy: memory is for what is kept."""
        with ThreadPoolExecutor(self._readers) as executor:
            begun: deque[Future[list[Reading]]] = deque()
            known: set[str] = set()
            for piece in pieces:
                entry = piece[0].entry
                # What the first one tells of its database, the others need not ask.
                if not entry or entry not in known:
                    while begun:
                        yield begun.popleft().result()
                    yield self._read(piece)
                    known.add(entry)
                    continue
                begun.append(executor.submit(self._read, piece))
                if len(begun) > self._readers:
                    yield begun.popleft().result()
            while begun:
                yield begun.popleft().result()

    def _read(self, configs: Sequence[DatabaseConfig]) -> list[Reading]:
        together = self._read_together(configs) if len(configs) > 1 else {}
        return [together.get(config.alias) or self._read_alone(config) for config in configs]

    def _read_alone(self, config: DatabaseConfig) -> Reading:
        try:
            target = self._pool.open(config)
            return Reading(config, target, *self._alone(target))
        except MigsyncError as error:
            return Reading(config, error)

    def _read_together(self, configs: Sequence[DatabaseConfig]) -> dict[str, Reading]:
        """By alias, what members of one entry hold."""
        reads = (RECORDS, *JOURNAL) if self._journaled else (RECORDS,)
        try:
            targets = [self._pool.open(config) for config in configs]
            behaviour = targets[0].behaviour
            with targets[0].transaction(WAIT_SECONDS) as connection:
                found = behaviour.read_schemas(connection, [config.schema for config in configs], reads)
                database = next((rows.inspection.database for rows in found.values()), "")
                wanted = found and self._listed is not None and database not in self._listed
                schemas = behaviour.schemas(connection) if wanted else ()
        except (DBAPIError, MigsyncError):
            return {}
        readings: dict[str, Reading] = {}
        for target in targets:
            rows = found.get(target.config.schema)
            if rows is None:
                continue
            try:
                held = self._snapshot(target, rows, () if readings else schemas)
            except (MigsyncError, DecodeError, ValueError):
                continue
            target.survey = rows.inspection
            readings[target.alias] = Reading(target.config, target, held)
        return readings

    def _snapshot(self, target: Target, rows: SchemaRows, schemas: tuple[str, ...]) -> Snapshot:
        records = self._records(rows.texts[TABLE])
        version = target.version_seen = known_version(_values(rows, VERSION_TABLE))
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
            self._names.setdefault(key, shared)  # another thread may have been faster, and its plans are shared
        return StoredRecords(self._names[key], applied)


def _pieces(configs: Sequence[DatabaseConfig]) -> Iterator[Sequence[DatabaseConfig]]:
    """What is read at once: members of an entry for schemas together, others each by itself."""
    for entry, members in groupby(configs, key=lambda config: "" if config.error else config.shared_by):
        while some := list(islice(members, TOGETHER if entry else 1)):
            yield some


def _values(rows: SchemaRows, table: str) -> list[Any]:
    """The rows of a table with one group of columns; none where there is no table."""
    found: list[Any] = json.loads(rows.texts[table][0]) if table in rows.texts else []
    return found
