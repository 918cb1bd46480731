"""What the project's own files were when ``migsync apply`` looked: the tables of looks, read and written.

A look says: when the greatest id in ``django_migrations`` was this one, the files were those. The files of all apps are
a set of digests, stored once under its own digest, with one document for each app: what did not change adds no row.
Rows are only ever added, so that nobody needs UPDATE, and two who look at once do not wait for each other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import sqlalchemy as sa

from migsync.decoder import DecodeError, Fields, exactly, load_json, table, text
from migsync.engines import Engine
from migsync.errors import TargetError
from migsync.history.graph import History
from migsync.key import Key
from migsync.sync.journal.contents import FORMAT, OWN_SCHEMA, document_digest
from migsync.sync.journal.tables import BATCH, FILES_TABLE, LOOK_TABLE, as_json, has_looks, write_documents

COLUMNS = ("number", "record", "anchor", "moment", "identity", "files", "sources")
TYPES = (int, int, int, str, str, str, int)


@dataclass(frozen=True)
class Look:
    """One look, `number` counting up from 1.

    `record` is the watermark: the greatest id that any look has seen in this ``django_migrations``. `anchor` is the
    last row that was there, and `moment` the seconds of its `applied`: by these the table is known again, in a copy
    too. `identity` is a digest of what the server says that the target is. `files` is the digest of a :class:`FileSet`,
    and `sources` is 1 where the sources of all its files were kept.
    """

    number: int
    record: int
    anchor: int
    moment: str
    identity: str
    files: str
    sources: int


@dataclass(frozen=True)
class FileSet:
    """The project's own migration files: by app, the SHA-256 of each file by its name."""

    apps: Mapping[str, Mapping[str, str]]

    @classmethod
    def of(cls, history: History) -> FileSet:
        """Those on disk."""
        apps: dict[str, dict[str, str]] = {}
        for app in sorted(history.first_party):
            files = {name: history.migrations[Key(app, name)].source for name in sorted(history.names(app))}
            if found := {name: source for name, source in files.items() if source}:
                apps[app] = found
        return cls(apps)

    @cached_property
    def documents(self) -> dict[str, str]:
        """The documents by digest: one for each app, and the one of the set, which is the last."""
        found: dict[str, str] = {}
        digests = {}
        for app, files in self.apps.items():
            document = as_json({"format": FORMAT, "files": files})
            digests[app] = document_digest(document)
            found[digests[app]] = document
        root = as_json({"format": FORMAT, "apps": digests})
        return {**found, document_digest(root): root}

    @property
    def digest(self) -> str:
        """Stands for the whole set."""
        return next(reversed(self.documents))

    def sources(self) -> dict[str, Key]:
        """A migration that has each source, by its SHA-256."""
        return {source: Key(app, name) for app, files in self.apps.items() for name, source in files.items()}


def identity_digest(identity: str) -> str:
    """What stands in a look for the identity of a target, which is of any length."""
    return hashlib.sha256(identity.encode()).hexdigest()


def read_look(connection: sa.Connection, schema: str | None, version: str) -> Look | None:
    """The last look; None where there is none. Raises TargetError for a row that cannot be read."""
    if not has_looks(version):
        return None
    looks = look_table(schema)
    query = sa.select(*(looks.c[name] for name in COLUMNS)).where(looks.c.schema_name == OWN_SCHEMA)
    row = connection.execute(query.order_by(looks.c.number.desc()).limit(1)).first()
    return as_look(row) if row else None


def as_look(row: Sequence[Any]) -> Look:
    """The look of a row. Raises TargetError for one that cannot be read."""
    if tuple(map(type, row)) != TYPES:
        raise _unreadable(f"Look {row[0]} in {LOOK_TABLE} cannot be read: {tuple(row)[1:]}")
    return Look(*row)


def read_files(connection: sa.Connection, schema: str | None, digest: str, apps: Iterable[str]) -> FileSet:
    """What a look saw of some apps. Raises TargetError for a document that is missing or was edited."""
    (root,) = _read_documents(connection, schema, [digest])
    try:
        digests = _decoded(root, "apps")
        wanted = sorted(app for app in apps if app in digests)
        documents = _read_documents(connection, schema, [digests[app] for app in wanted])
        return FileSet({app: _decoded(one, "files") for app, one in zip(wanted, documents, strict=True)})
    except DecodeError as error:
        raise _unreadable(f"A document in {FILES_TABLE} cannot be read: {error}") from error


def last_digest(connection: sa.Connection, schema: str | None, key: Key, version: str) -> str:
    """The SHA-256 that the file of a migration had when it was last seen; empty where no look saw it."""
    if not has_looks(version):
        return ""
    looks = look_table(schema)
    query = sa.select(looks.c.files).where(looks.c.schema_name == OWN_SCHEMA).order_by(looks.c.number.desc())
    for files in dict.fromkeys(connection.scalars(query).all()):
        if found := read_files(connection, schema, files, [key.app]).apps.get(key.app, {}).get(key.name):
            return found
    return ""


def look_table(schema: str | None) -> sa.TableClause:
    """The table for statements."""
    return sa.table(LOOK_TABLE, *map(sa.column, ("schema_name", *COLUMNS, "at")), schema=schema)


def write_look(connection: sa.Connection, behaviour: Engine, schema: str | None, look: Look, files: FileSet) -> bool:
    """Write the look with its files; False where somebody else has looked meanwhile, and nothing is to be kept."""
    looks = look_table(schema)
    values = {name: getattr(look, name) for name in COLUMNS}
    statement = behaviour.insert_new(looks).values(
        schema_name=OWN_SCHEMA, **values, at=sa.literal_column(behaviour.now)
    )
    # First of all: who comes second waits here, holds nothing that the first one needs, and then goes away.
    if not connection.execute(statement, execution_options={"preserve_rowcount": True}).rowcount:
        return False
    write_documents(connection, behaviour, schema, FILES_TABLE, files.documents)
    return True


def _read_documents(connection: sa.Connection, schema: str | None, digests: Sequence[str]) -> list[str]:
    documents = sa.table(FILES_TABLE, sa.column("digest"), sa.column("document"), schema=schema)
    found: dict[str, str] = {}
    for start in range(0, len(digests), BATCH):
        query = sa.select(documents.c.digest, documents.c.document)
        rows = connection.execute(query.where(documents.c.digest.in_(digests[start : start + BATCH])))
        found |= {row.digest: row.document for row in rows}
    for digest in digests:
        if digest not in found or document_digest(found[digest]) != digest:
            raise _unreadable(f"The document {digest} in {FILES_TABLE} is missing or was edited.")
    return [found[digest] for digest in digests]


def _decoded(document: str, part: str) -> dict[str, str]:
    fields = Fields(load_json(document), ("format", part))
    fields.get("format", exactly(FORMAT))
    return fields.get(part, table(text))


def _unreadable(found: str) -> TargetError:
    return TargetError(
        found,
        "The row was edited or cut off, or a newer migsync wrote it.",
        "Upgrade migsync, or restore the row from a backup.",
    )
