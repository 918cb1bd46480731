"""What each migration's file was when ``manage.py migrate`` ran it: the tables, and how they are read.

The guard of ``migrate`` writes them (:mod:`migsync.companion.contents`), in ``migrate``'s own transaction where the
engine allows it. Equal contents are stored once, under a digest. Rows are only ever added.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property, partial
from typing import Any, TypeAlias

import sqlalchemy as sa

from migsync.decoder import DecodeError, Fields, array, boolean, choice, exactly, integer, load_json, text
from migsync.errors import TargetError
from migsync.history.contents import Action, Contents, Grade, Operation, OperationStep, PartKind
from migsync.key import Key
from migsync.sync.journal.tables import CONTENT_SEEN_TABLE, CONTENT_TABLE, as_json, has_contents, journal_version

FORMAT = 1
"""The format of the documents. A migsync that does not know it refuses the document."""
OWN_SCHEMA = ""
"""The `schema_name` of the ``django_migrations`` in the schema of the journal itself."""
COLUMNS = ("number", "record", "app", "name", "event", "source", "content")
TYPES = [int, int, str, str, str, str, str]
OPERATION = ("kind", "exact", "effect", "subject", "default", "grade", "state_only", "steps")

_SHA256 = re.compile(r"[0-9a-f]{64}")


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
    """The operations were taken back, and the record deleted."""


EVENTS = {str(event): event for event in Event}
Documents: TypeAlias = Callable[[], Mapping[str, str]]


@dataclass(frozen=True)
class SeenContents:
    """One event. `source` is the SHA-256 of the file's bytes, 64 hexadecimal digits; empty where there was no source.

    `record` is the id of the row in ``django_migrations``, and `key` its name at that time. `content` is the digest of
    a document, which is among `documents`.
    """

    record: int
    key: Key
    event: Event
    source: str
    content: str
    documents: Documents = field(compare=False, repr=False)

    @cached_property
    def contents(self) -> Contents:
        """The operations; of most migrations nobody asks, since the file is still the same. Raises TargetError."""
        try:
            document = _verified(self.documents().get(self.content), self.content)
            return from_document(load_json(document))
        except DecodeError as error:
            raise _unreadable(f"The contents of {self.key} in {CONTENT_TABLE} cannot be read: {error}") from error


def read_contents_seen(
    connection: sa.Connection, schema: str | None, documents: Documents | None = None
) -> tuple[SeenContents, ...]:
    """Every event of the schema that the journal is in, oldest first; empty where there are no tables.

    `documents` reads the documents when they are first needed; without it they are read now. Raises TargetError for a
    row that cannot be read.
    """
    if not has_contents(journal_version(connection, schema)):
        return ()
    seen = sa.table(CONTENT_SEEN_TABLE, *map(sa.column, (*COLUMNS, "schema_name")), schema=schema)
    columns = [seen.c[name] for name in COLUMNS]
    query = sa.select(*columns).where(seen.c.schema_name == OWN_SCHEMA).order_by(seen.c.number)
    rows = [_checked(tuple(row)) for row in connection.execute(query)]
    if documents is None:
        found = read_documents(connection, schema)
        documents = lambda: found  # noqa: E731
    return tuple(
        SeenContents(record, Key(app, name), EVENTS[event], source, content, documents)
        for _, record, app, name, event, source, content in rows
    )


def read_documents(connection: sa.Connection, schema: str | None) -> dict[str, str]:
    """Every document by its digest. A document is never changed, so it does not matter when it is read."""
    table = sa.table(CONTENT_TABLE, sa.column("digest"), sa.column("document"), schema=schema)
    rows = connection.execute(sa.select(table.c.digest, table.c.document))
    return {row.digest: row.document for row in rows}


def as_document(contents: Contents) -> str:
    """The contents as JSON in ASCII: the same text for the same contents, so that its digest stands for them."""
    operations = [{name: getattr(operation, name) for name in OPERATION} for operation in contents.operations]
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


def _checked(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """The row, if it is one that the guard can have written."""
    # There is one row for each migration, so that there may be ten thousand.
    if [type(value) for value in row] == TYPES and row[4] in EVENTS and (not row[5] or _SHA256.fullmatch(row[5])):
        return row
    raise _unreadable(f"Row {row[0]} in {CONTENT_SEEN_TABLE} cannot be read: {row[1:]}")


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


def known_contents(seen: Iterable[SeenContents]) -> dict[int, SeenContents]:
    """By the id of each row, what ran when it was written; `seen` is in the order in which it was written.

    Rows that were recorded without running anything are left out: what their migrations did is not known.
    """
    found: dict[int, SeenContents] = {}
    for each in seen:
        if each.event is Event.APPLIED:
            found[each.record] = each
        else:
            found.pop(each.record, None)
    return found


def certain_contents(seen: Sequence[SeenContents], changed: Iterable[int]) -> dict[int | None, Callable[[], Contents]]:
    """What ran by the id of each row, to be read when it is needed; without rows that migsync has `changed`."""
    left_out = frozenset(changed) if seen else ()
    return {
        record: partial(getattr, each, "contents")
        for record, each in known_contents(seen).items()
        if record not in left_out
    }


def digests_seen(seen: Iterable[SeenContents]) -> dict[str, str]:
    """The operations digests of what ran, by ``app.name`` as it was then: evidence of what became of a name."""
    known = {str(each.key): each.contents.digest for each in known_contents(seen).values()}
    return {name: digest for name, digest in known.items() if digest}
