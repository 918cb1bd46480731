"""What each migration's file was when it ran: the tables, and how they are read.

The guard of ``migrate`` writes them (:mod:`migsync.companion.contents`), in ``migrate``'s own transaction where the
engine allows it; that is proof. So does ``migsync apply``, for records that were written between two of its looks
(:mod:`migsync.sync.look`); that is a presumption. Equal contents are stored once, under a digest. Rows are only ever
added.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from operator import attrgetter
from typing import Any, TypeAlias

import sqlalchemy as sa

from migsync.decoder import DecodeError, Fields, array, boolean, choice, exactly, integer, load_json, text
from migsync.engines import Engine
from migsync.errors import TargetError
from migsync.history.contents import Action, Contents, Grade, Operation, OperationStep, PartKind
from migsync.key import Key
from migsync.rewrites.record import Record
from migsync.sync.journal.tables import (
    CONTENT_SEEN_TABLE,
    CONTENT_TABLE,
    RAN_TABLE,
    as_json,
    has_contents,
    has_looks,
    insert_rows,
    journal_version,
    write_documents,
)

FORMAT = 1
"""The format of the documents. A migsync that does not know it refuses the document."""
OWN_SCHEMA = ""
"""The `schema_name` of the ``django_migrations`` in the schema of the journal itself."""
COLUMNS = ("number", "record", "app", "name", "event", "source", "content", "moment")
TYPES = [int, int, str, str, str, str, str, str]
OPERATION = ("kind", "exact", "effect", "subject", "default", "grade", "state_only", "steps")

_values = attrgetter(*OPERATION)
_SHA256 = re.compile(r"[0-9a-f]{64}")
_TIME = re.compile(r"\d\d:\d\d:(\d\d)(?:\.(\d{1,6}))?")
_MOMENT = 17
"""Where the seconds begin in a time as most servers write it: ``2026-11-20 10:45:00.123456``."""


class Event(StrEnum):
    """What ``migrate`` did when it wrote, or deleted, a record.

    A record that is deleted while nothing runs (``--fake`` backwards, ``--prune``) is no event: what ran under its
    name has run still.
    """

    APPLIED = "applied"
    """The operations ran. For a squash, in the same ``migrate`` that recorded what it replaces."""
    FAKED = "faked"
    """Recorded though nothing ran: ``--fake``, or ``--fake-initial`` where the tables were there."""
    REPLACED = "replaced"
    """Recorded for the sake of a squash, whose contents these are; nothing ran under this name.

    Either the record is that of a squash, and all that it replaces is applied; or it is that of a replaced migration,
    and the squash ran in its place.
    """
    UNAPPLIED = "unapplied"
    """The migration was unapplied, and the record deleted."""
    SEEN = "seen"
    """Nobody watched; the file was the same before and after the record appeared. It may have been faked."""
    STATED = "stated"
    """Nothing was watched, and a person said that the file is what ran, whatever speaks against it."""


EVENTS = {str(event): event for event in Event}
Documents: TypeAlias = Callable[[], Mapping[str, str]]


@dataclass(frozen=True)
class SeenContents:
    """One event. `source` is the SHA-256 of the file's bytes, 64 hexadecimal digits; empty where there was no source.

    `record` is the id of the row in ``django_migrations``, `key` its name at that time, and `moment` the seconds of its
    `applied`, see :func:`moment_of`; empty in rows of an older migsync. `content` is the digest of a document, which is
    among `documents`.
    """

    record: int
    key: Key
    event: Event
    source: str
    content: str
    documents: Documents = field(compare=False, repr=False)
    moment: str = ""

    def is_of(self, record: Record) -> bool:
        """Whether the event is about this very row, and not about one that has its id today.

        An id may be used again, and a dump may bring the journal of another database. A row keeps its `applied` under
        every name that migsync gives it.
        """
        if not self.moment:
            return self.key == record.key
        applied = record.applied or ""
        return applied.startswith(self.moment, _MOMENT) or same_moment(self.moment, applied)

    @cached_property
    def contents(self) -> Contents:
        """The operations; of most migrations nobody asks, since the file is still the same. Raises TargetError."""
        try:
            document = _verified(self.documents().get(self.content), self.content)
            return from_document(load_json(document))
        except DecodeError as error:
            raise _unreadable(f"The contents of {self.key} in {CONTENT_TABLE} cannot be read: {error}") from error


def moment_of(applied: str | None) -> str:
    """The seconds of a time, with six digits after the point: ``00.123456``. Empty for what is no time.

    They are the same in every time zone, so the guard of ``migrate`` needs not know which one the server writes.
    """
    found = _TIME.search(applied or "")
    return f"{found[1]}.{found[2] or '':0<6}" if found else ""


def same_moment(moment: str, applied: str | None) -> bool:
    """Whether `moment` is that of `applied`. Old tables of MySQL keep no fraction; then the whole seconds decide."""
    found = moment_of(applied)
    return found == moment or (found[2:] == ".000000" and found[:2] == moment[:2])


def read_contents_seen(
    connection: sa.Connection,
    schema: str | None,
    documents: Documents | None = None,
    *,
    version: str | None = None,
) -> tuple[SeenContents, ...]:
    """Every event of the schema that the journal is in, oldest first; empty where there are no tables.

    `documents` reads the documents when they are first needed; without it they are read now. `version` is that of the
    journal, where the caller has read it. Raises TargetError for a row that cannot be read.
    """
    version = journal_version(connection, schema) if version is None else version
    if not has_contents(version):
        return ()
    if documents is None:
        found = read_documents(connection, schema)
        documents = lambda: found  # noqa: E731
    tables = [CONTENT_SEEN_TABLE, RAN_TABLE] if has_looks(version) else [CONTENT_SEEN_TABLE]
    return tuple(event for name in tables for event in as_events(name, _read_rows(connection, schema, name), documents))


def as_events(table: str, rows: Iterable[Sequence[Any]], documents: Documents) -> Iterator[SeenContents]:
    """The events of the rows of a table, each with COLUMNS. Raises TargetError for a row that cannot be read."""
    for row in rows:
        _, record, app, name, event, source, content, moment = _checked(tuple(row), table)
        yield SeenContents(record, Key(app, name), EVENTS[event], source, content, documents, moment)


def _read_rows(connection: sa.Connection, schema: str | None, table: str) -> Sequence[Sequence[Any]]:
    seen = sa.table(table, *map(sa.column, (*COLUMNS, "schema_name")), schema=schema)
    moment = seen.c.moment if table == RAN_TABLE else sa.literal_column("''")
    query = sa.select(*(seen.c[name] for name in COLUMNS[:-1]), moment)
    return connection.execute(query.where(seen.c.schema_name == OWN_SCHEMA).order_by(seen.c.number)).all()


def read_documents(connection: sa.Connection, schema: str | None) -> dict[str, str]:
    """Every document by its digest. A document is never changed, so it does not matter when it is read."""
    table = sa.table(CONTENT_TABLE, sa.column("digest"), sa.column("document"), schema=schema)
    rows = connection.execute(sa.select(table.c.digest, table.c.document))
    return {row.digest: row.document for row in rows}


def as_document(contents: Contents) -> str:
    """The contents as JSON in ASCII: the same text for the same contents, so that its digest stands for them."""
    operations = [dict(zip(OPERATION, _values(each), strict=True)) for each in contents.operations]
    return as_json({"format": FORMAT, "operations": operations})


def document_digest(document: str) -> str:
    """The key of a document: its SHA-256, 64 hexadecimal digits."""
    return hashlib.sha256(document.encode()).hexdigest()


def from_document(value: object) -> Contents:
    """The inverse of :func:`as_document`, for the document as JSON gives it; raises DecodeError."""
    fields = Fields(value, ("format", "operations"))
    fields.get("format", exactly(FORMAT))
    return Contents(fields.get("operations", array(_operation)))


def _operation(value: object) -> Operation:
    fields = Fields(value, OPERATION)
    return Operation(
        kind=fields.get("kind", text),
        exact=fields.get("exact", text),
        effect=fields.get("effect", text),
        subject=fields.get("subject", text),
        default=fields.get("default", text),
        grade=fields.get("grade", _grade),
        state_only=fields.get("state_only", boolean),
        steps=fields.get("steps", array(_step)),
    )


def _step(value: object) -> OperationStep:
    action, part, model, name, what = array(text, 5)(value)
    return OperationStep(choice(Action)(action), choice(PartKind)(part), model, name, what)


def _grade(value: object) -> Grade:
    try:
        return Grade(integer(value))
    except ValueError as error:
        raise DecodeError("is not a grade") from error


def noted_times(connection: sa.Connection, schema: str | None, key: Key, version: str) -> dict[tuple[int, Event], str]:
    """When each event about a migration was noted (UTC), the last one of a kind, by the record and the event."""
    tables = [CONTENT_SEEN_TABLE] * has_contents(version) + [RAN_TABLE] * has_looks(version)
    found: dict[tuple[int, Event], str] = {}
    for name in tables:
        seen = sa.table(name, *map(sa.column, (*COLUMNS[:5], "schema_name", "at")), schema=schema)
        query = sa.select(seen.c.record, seen.c.event, seen.c.at).order_by(seen.c.number)
        rows = connection.execute(
            query.where(seen.c.schema_name == OWN_SCHEMA, seen.c.app == key.app, seen.c.name == key.name)
        )
        found |= {(record, EVENTS[event]): at for record, event, at in rows if event in EVENTS}
    return found


def _checked(row: tuple[Any, ...], table: str) -> tuple[Any, ...]:
    """The row, if it is one that migsync can have written."""
    # There is one row for each migration, so that there may be ten thousand.
    if [type(value) for value in row] == TYPES and row[4] in EVENTS and (not row[5] or _SHA256.fullmatch(row[5])):
        return row
    raise _unreadable(f"Row {row[0]} in {table} cannot be read: {row[1:]}")


def _unreadable(found: str) -> TargetError:
    return TargetError(
        found,
        "The row was edited or cut off, or a newer migsync wrote it: what ran in this database is not certain.",
        "Upgrade migsync, or restore the row from a backup.",
    )


def _verified(document: object, digest: str) -> str:
    if document is None:
        raise DecodeError(f"is missing in {CONTENT_TABLE}")
    content = text(document)
    if document_digest(content) != digest:
        raise DecodeError(f"is not the one with this digest in {CONTENT_TABLE}")
    return content


def write_events(
    connection: sa.Connection, behaviour: Engine, schema: str | None, events: Sequence[SeenContents]
) -> None:
    """Add events, and the documents that they refer to; the tables are there."""
    found = {each.content: each.documents()[each.content] for each in events}
    write_documents(connection, behaviour, schema, CONTENT_TABLE, found)
    now = connection.scalar(sa.select(sa.literal_column(behaviour.now)))
    names = ("schema_name", *COLUMNS[1:], "at")
    rows = [
        (OWN_SCHEMA, each.record, *each.key, str(each.event), each.source, each.content, each.moment, now)
        for each in events
    ]
    table = sa.table(RAN_TABLE, *map(sa.column, names), schema=schema)
    insert_rows(connection, behaviour, table, [dict(zip(names, row, strict=True)) for row in rows])


RAN = frozenset([Event.APPLIED, Event.SEEN, Event.STATED])


def noted_records(seen: Iterable[SeenContents], records: Iterable[Record]) -> frozenset[int]:
    """The ids of the `records` that something is known about, be it that nothing ran."""
    return frozenset(last_events(seen, records))


def last_events(seen: Iterable[SeenContents], records: Iterable[Record]) -> dict[int, SeenContents]:
    """By the id of each of the `records`, the last event that is about this very row, whatever it was."""
    rows = {record.id: record for record in records}
    found: dict[int, SeenContents] = {}
    for each in seen:
        row = rows.get(each.record)
        if row is None or not each.is_of(row):
            continue
        # A proof stays one, whatever a look presumes later.
        if each.event is not Event.SEEN or each.record not in found:
            found[each.record] = each
    return found


def digests_seen(seen: Iterable[SeenContents]) -> dict[str, str]:
    """The operations digests of what ran, by ``app.name`` as it was then: evidence of what became of a name."""
    last: dict[int, SeenContents] = {each.record: each for each in seen}
    known = {str(each.key): each.contents.digest for each in last.values() if each.event in RAN}
    return {name: digest for name, digest in known.items() if digest}
