"""A look of ``migsync apply``: what the project's own files are now, and what that says about the newest records.

A record whose id is above the last look's watermark was written since. If the file of its name is the same now as it
was at that look, the record's content is *seen*: a presumption, since the file may have been another one meanwhile, or
the record faked. If it differs, the content stays unknown. Ids are compared, and no clocks.

A look is no run. It takes no lock on ``django_migrations``, adds to tables that are there, and whatever goes wrong with
it leaves the result of the command as it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from pathlib import Path

from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from migsync.engines import Deadline, ErrorKind, MigrationTable
from migsync.errors import HistoryError, LockTimeout
from migsync.history.graph import History
from migsync.history.parser import source_digest
from migsync.rewrites.record import Record
from migsync.sync.journal.contents import (
    Event,
    SeenContents,
    as_document,
    document_digest,
    moment_of,
    noted_records,
    same_moment,
    write_events,
)
from migsync.sync.journal.looks import FileSet, Look, identity_digest, read_files, write_look
from migsync.sync.journal.sources import kept_sources, write_sources
from migsync.sync.journal.tables import has_looks
from migsync.sync.stored_changes import touched_ids
from migsync.sync.target import Snapshot, Target

WAIT_SECONDS = 1.0
"""How long a look waits for a lock: nobody should wait for it in turn."""
UNIMPORTANT = frozenset([ErrorKind.DENIED, ErrorKind.READ_ONLY, ErrorKind.LOCKED, ErrorKind.CONFLICT])
"""Errors that are not worth a word: this user may take no look, or the next one makes up for this one."""


def continues(last: Look, records: Sequence[Record], identity: str) -> bool:
    """Whether these are the records of the table that the last look saw, or of a copy of it.

    A dump may bring the journal's tables beside another ``django_migrations``. Where the row is gone by which it could
    be known again, the target must be the same.
    """
    anchor = next((record for record in records if record.id == last.anchor), None)
    if anchor is None:
        return last.identity == identity_digest(identity)
    return same_moment(last.moment, anchor.applied)


def next_look(
    last: Look | None, records: Sequence[Record], files: str, identity: str, *, sources: bool = False
) -> Look | None:
    """The look to note after the `last` one; None where it would say nothing new.

    `records` are ordered by id, `files` is the digest of what is on disk, and `sources` whether all of that is kept.
    """
    known = last is not None and continues(last, records, identity)
    newest = records[-1] if records else Record(0, "", "", None)
    # It never goes back: an id that is used again, or a row that an undo brings back, was not written since.
    watermark = max(newest.id or 0, last.record if last and known else 0)
    look = Look(
        number=last.number + 1 if last else 1,
        record=watermark,
        anchor=newest.id or 0,
        moment=moment_of(newest.applied),
        identity=identity_digest(identity),
        files=files,
        sources=int(sources),
    )
    same = last is not None and known and (last.record, last.anchor, last.files) == (watermark, look.anchor, files)
    return None if same and (last is None or last.sources >= look.sources) else look


def records_since(last: Look | None, held: Snapshot, identity: str) -> list[Record]:
    """The rows that were written since the last look and of which nothing is known; none after no look.

    Not those that a run of migsync has changed or made: what their names were is another question.
    """
    if last is None or not continues(last, held.records, identity):
        return []
    newer = [record for record in held.records if (record.id or 0) > last.record]
    if not newer:
        return []
    changed = {row for run in held.runs for row in touched_ids(run.changes)}
    left_out = noted_records(held.seen, newer) | changed
    return [record for record in newer if record.id not in left_out]


def unchanged(records: Iterable[Record], before: FileSet, now: FileSet) -> list[Record]:
    """The records whose file is the same in both."""
    nothing: Mapping[str, str] = {}
    found = []
    for record in records:
        source = now.apps.get(record.app, nothing).get(record.name)
        if source and source == before.apps.get(record.app, nothing).get(record.name):
            found.append(record)
    return found


def take_look(
    target: Target, history: History, held: Snapshot, files: FileSet | None = None, *, sources: bool = False
) -> bool:
    """Note what the `files` of the history are, and what follows for the newest of the records that the target `held`.

    With `sources`, the files themselves are kept as well.
    True where something was written. False where there was nothing to note, or no table for it, or where this user may
    not write there, or somebody else is writing just now. Raises the driver's other errors, and TargetError.
    """
    table = target.table
    if not has_looks(held.version) or table is None or target.read_only:
        return False
    files, identity = files or FileSet.of(history), target.ref.identity
    look = next_look(held.look, held.records, files.digest, identity, sources=sources)
    if look is None:
        return False
    try:
        events = _events(target, table, history, held, files)
        kept = _sources(target, table, history, files) if sources else {}
        return _write(target, table, look, files, events, kept)
    except LockTimeout:
        return False
    except DBAPIError as error:
        if target.behaviour.error_kind(error) in UNIMPORTANT:
            return False
        raise target.explain(error) from error


def note_stated(target: Target, history: History, held: Snapshot, records: Sequence[Record]) -> int:
    """Note that a person took the files of today for what ran under `records`; how many were noted.

    Where there is no table for it, or this user may not write there, nothing is. Raises as :func:`take_look`.
    """
    table, behaviour = target.table, target.behaviour
    if not has_looks(held.version) or table is None or target.read_only or not records:
        return 0
    events = tuple(_of_today(history, records, Event.STATED))
    try:
        with closing(target.connect()) as connection:
            behaviour.begin_note(connection, table, Deadline(WAIT_SECONDS))
            write_events(connection, behaviour, table.schema, events)
            connection.commit()
    except DBAPIError as error:
        if behaviour.error_kind(error) in UNIMPORTANT:
            return 0
        raise target.explain(error) from error
    return len(events)


def _events(
    target: Target, table: MigrationTable, history: History, held: Snapshot, files: FileSet
) -> tuple[SeenContents, ...]:
    newer = records_since(held.look, held, target.ref.identity)
    if not newer or held.look is None:
        return ()
    with target.transaction() as connection:
        before = read_files(connection, table.schema, held.look.files, {record.app for record in newer})
    return tuple(_of_today(history, unchanged(newer, before, files), Event.SEEN))


def _of_today(history: History, records: Iterable[Record], event: Event) -> Iterator[SeenContents]:
    """Events that say of the files of today that they are what ran."""
    documents: dict[str, str] = {}
    for record in records:
        file = history.migrations[record.key]
        try:
            document = as_document(file.contents)
        except HistoryError:
            # It was edited after it had been read.
            continue
        digest = document_digest(document)
        documents[digest] = document
        yield SeenContents(
            record.id or 0, record.key, event, file.source, digest, lambda: documents, moment_of(record.applied)
        )


def _sources(target: Target, table: MigrationTable, history: History, files: FileSet) -> dict[str, bytes]:
    """The files that the database does not keep yet, by digest."""
    with target.transaction() as connection:
        kept = kept_sources(connection, table.schema)
    found: dict[str, bytes] = {}
    for digest, key in files.sources().items():
        source = b"" if digest in kept else Path(history.migrations[key].path).read_bytes()
        # A file that was edited after it had been read is another one; the next look sees it.
        if source and source_digest(source) == digest:
            found[digest] = source
    return found


def _write(
    target: Target,
    table: MigrationTable,
    look: Look,
    files: FileSet,
    events: Sequence[SeenContents],
    sources: Mapping[str, bytes],
) -> bool:
    with closing(target.connect()) as connection:
        try:
            target.behaviour.begin_note(connection, table, Deadline(WAIT_SECONDS))
            written = write_look(connection, target.behaviour, table.schema, look, files)
            if written:
                write_events(connection, target.behaviour, table.schema, events)
                write_sources(connection, target.behaviour, table.schema, sources)
                connection.commit()
        finally:
            # Nothing is left to take back after a COMMIT.
            with suppress(SQLAlchemyError):
                connection.rollback()
    return written
