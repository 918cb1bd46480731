"""The journal's tables: their version, the rights that they need, and their rows, one for each run.

A run's row is written in the run's own transaction, in the database that the run changed. Alembic writes the version
(:mod:`migsync.sync.journal.schema`); reading it needs no Alembic, which is slow to import.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache, partial
from types import ModuleType
from typing import Any, TypeVar

import sqlalchemy as sa

from migsync.decoder import DecodeError, Decoder, Fields, array, choice, integer, load_json, optional, table, text
from migsync.engines import Engine, engine_named
from migsync.engines.target_table import schema_options
from migsync.errors import JournalNotPermitted, TargetError
from migsync.redaction import redact_urls
from migsync.rewrites.rewrite import Rewrite
from migsync.sync.journal.versions import VERSIONS, v0001_runs, v0002_contents
from migsync.sync.plan import Change
from migsync.sync.run import Run, RunKind
from migsync.sync.shared_text import SharedText
from migsync.sync.stored_changes import StoredChanges

RUN_TABLE = "migsync_run"
COLUMNS = (
    "id",
    "number",
    "kind",
    "plan_id",
    "at",
    "author",
    "version",
    "reason",
    "undoes",
    "passed",
    "returned",
    "changes",
    "digests",
)
VERSION_TABLE = "migsync_version"
CONTENT_TABLE = "migsync_content"
CONTENT_SEEN_TABLE = "migsync_content_seen"
"""What the guard wrote before there was RAN_TABLE; see :mod:`migsync.sync.journal.contents`."""
FILES_TABLE = "migsync_files"
SOURCE_TABLE = "migsync_source"
LOOK_TABLE = "migsync_look"
"""See :mod:`migsync.sync.journal.looks`."""
RAN_TABLE = "migsync_ran"
"""Last of all tables to be made."""
NEWEST: str = VERSIONS[-1].revision

# No UPDATE and no DELETE: what was written is never changed.
CONTENT_TABLES = (CONTENT_TABLE, CONTENT_SEEN_TABLE)
LOOK_TABLES = (FILES_TABLE, SOURCE_TABLE, LOOK_TABLE, RAN_TABLE)
READING = dict.fromkeys((RUN_TABLE, VERSION_TABLE, *CONTENT_TABLES, *LOOK_TABLES), "SELECT")
WRITING = READING | dict.fromkeys((RUN_TABLE, *CONTENT_TABLES, *LOOK_TABLES), "SELECT, INSERT")
BATCH = 500
"""How many rows one statement asks for: old versions of SQLite take 999 parameters."""
SENT = 2000
"""How many rows are sent at once."""
TABLES_COMMAND = "migsync script --journal-tables --out sql"

T = TypeVar("T")
_ENCODER = json.JSONEncoder(separators=(",", ":"), ensure_ascii=True)


def journal_version(connection: sa.Connection, schema: str | None, versions: Sequence[ModuleType] = VERSIONS) -> str:
    """The version of the journal that is there; empty where there is none.

    Raises TargetError for one that only a newer migsync knows.
    """
    if not engine_named(connection.dialect.name).has_table(connection, VERSION_TABLE, schema):
        return ""
    query = sa.select(_VERSION.c.version_num)
    return known_version(connection.scalars(query, execution_options=schema_options(schema)).all(), versions)


def known_version(heads: Sequence[str], versions: Sequence[ModuleType] = VERSIONS) -> str:
    """The one of the `heads`; empty where there is none. Raises TargetError for one that only a newer migsync knows."""
    known = {version.revision for version in versions}
    for head in heads:
        if head not in known:
            raise TargetError(
                f"The journal in this database has version {head}, which this version of migsync cannot read.",
                "A newer version of migsync created it.",
                "Upgrade migsync: python -m pip install --upgrade migsync",
            )
    # Where each CREATE commits (MySQL), a first upgrade that was cut off leaves the table empty.
    return heads[0] if heads else ""


def has_contents(version: str) -> bool:
    """Whether a journal of this version has the tables of contents."""
    return version not in ("", v0001_runs.revision)


def has_looks(version: str) -> bool:
    """Whether a journal of this version has the tables of looks."""
    return has_contents(version) and version != v0002_contents.revision


_VERSION = sa.Table(VERSION_TABLE, sa.MetaData(), sa.Column("version_num"))
RUNS = sa.Table(RUN_TABLE, sa.MetaData(), *(sa.Column(name) for name in COLUMNS))
"""Without types: the server decides how it reads a value. Without its schema: see :func:`schema_options`."""


def read_runs(
    connection: sa.Connection, schema: str | None, run_id: str | None = None, *, version: str | None = None
) -> tuple[Run, ...]:
    """Every run (or the one with this id), oldest first; empty where there is no journal.

    `version` is that of the journal, where the caller has read it. Raises TargetError for a row that cannot be read.
    """
    if not (journal_version(connection, schema) if version is None else version):
        return ()
    query = sa.select(RUNS).order_by(RUNS.c.number)
    if run_id is not None:
        query = query.where(RUNS.c.id == run_id)
    return tuple(
        from_row(row) for row in connection.execute(query, execution_options=schema_options(schema)).mappings()
    )


def journal_queries(connection: sa.Connection, behaviour: Engine, schema: str) -> tuple[str, str, str]:
    """SQL for the heads, the runs and the present moment, of a journal that is there; see :func:`from_answers`."""
    quote = connection.dialect.identifier_preparer.quote_identifier  # it doubles percent signs, as drivers want
    place = quote(schema)
    return (
        f"SELECT version_num FROM {place}.{VERSION_TABLE}",  # noqa: S608 (names, quoted)
        f"SELECT {', '.join(COLUMNS)} FROM {place}.{RUN_TABLE} ORDER BY number",  # noqa: S608 (names, quoted)
        f"SELECT {behaviour.now}",
    )


def from_answers(answers: Sequence[Sequence[Sequence[Any]]]) -> tuple[str, tuple[Run, ...], str]:
    """The version, the runs, oldest first, and the present moment, of what :func:`journal_queries` ask for."""
    heads, runs, ((now,),) = answers
    version = known_version([head for (head,) in heads])
    return version, tuple(from_row(dict(zip(COLUMNS, row, strict=True))) for row in runs), now


def write_run(
    connection: sa.Connection,
    behaviour: Engine,
    schema: str | None,
    run: Run,
    row: Mapping[str, Any],
    runs: Sequence[Run],
    now: str = "",
) -> Run:
    """Write the run after the other `runs` of the journal; returns it with its number and time.

    `row` is what :func:`as_row` makes of the run, and `now` the server's time; without it, the server is asked. The
    caller has read the runs under the lock, and holds it.
    """
    if not now:
        now = connection.scalar(sa.select(sa.literal_column(behaviour.now))) or ""
    # Nobody else can take the number: whoever writes the journal holds the lock.
    number = max((each.number for each in runs), default=0) + 1
    values = {**row, "number": number, "at": now}
    connection.execute(RUNS.insert(), values, execution_options=schema_options(schema))
    return replace(run, number=number, at=now)


def as_row(run: Run) -> dict[str, Any]:
    """The run as the values of its columns."""
    return {
        "id": run.id,
        "number": run.number,
        "kind": str(run.kind),
        "plan_id": run.plan_id,
        "at": run.at,
        "author": run.author,
        "version": run.version,
        "reason": redact_urls(run.reason),  # a person may paste the URL of a database
        "undoes": run.undoes or None,
        "passed": _PASSED(run.passed),
        "returned": _RETURNED(run.returned),
        "changes": as_json([change.as_dict() for change in run.changes]),
        "digests": _DIGESTS(run.digests),
    }


def from_row(row: Mapping[Any, Any]) -> Run:
    """The inverse of :func:`as_row`; raises TargetError for a row that migsync cannot have written."""
    try:
        fields = Fields(row, COLUMNS)
        return Run(
            id=fields.get("id", text),
            number=fields.get("number", integer),
            kind=fields.get("kind", choice(RunKind)),
            plan_id=fields.get("plan_id", text),
            at=fields.get("at", text),
            author=fields.get("author", text),
            version=fields.get("version", text),
            reason=fields.get("reason", optional(text)) or "",
            undoes=fields.get("undoes", optional(text)) or "",
            passed=fields.get("passed", _rewrites),
            returned=fields.get("returned", _rewrites),
            changes=StoredChanges(fields.get("changes", _list), partial(_decoded, row["number"])),
            digests=fields.get("digests", _digests),
        )
    except DecodeError as error:
        raise _unreadable(row["number"], error) from error


def _unreadable(number: object, error: DecodeError) -> TargetError:
    return TargetError(
        f"Run {number} in {RUN_TABLE} cannot be read: {error}.",
        "Its row was edited or truncated, so it is not certain which rewrites were applied to this database.",
        "Restore the row from a backup, then run the command again.",
    )


def _list(value: object) -> str:
    """The text of a JSON list, not cut off: what is in it is decoded when it is asked for."""
    found = text(value)
    if not (found.startswith("[") and found.endswith("]")):
        raise DecodeError("is not a whole list")
    return found


def _decoded(number: object, stored: str) -> tuple[Change, ...]:
    try:
        return array(Change.from_dict)(load_json(stored))
    except DecodeError as error:
        raise _unreadable(number, error.within("changes")) from error


@lru_cache(maxsize=256)
def _rewrites(stored: object) -> tuple[Rewrite, ...]:
    """The rewrites of a run; an undo has those of the run that it took back, and so has a run after it."""
    return packed(array(Rewrite.from_dict))(stored)


@lru_cache(maxsize=16)
def _digests(stored: object) -> Mapping[str, str]:
    """The digests of a run; the files are often the same for the next one."""
    return packed(table(text))(stored)


def write_documents(
    connection: sa.Connection, behaviour: Engine, schema: str | None, name: str, documents: Mapping[str, str]
) -> None:
    """Add documents by digest to a table of such; those that are there stay."""
    rows = [{"digest": digest, "document": document} for digest, document in sorted(documents.items())]
    document_table = sa.table(name, sa.column("digest"), sa.column("document"), schema=schema)
    insert_rows(connection, behaviour, document_table, rows, new=True)


def insert_rows(
    connection: sa.Connection,
    behaviour: Engine,
    table: sa.TableClause,
    rows: Sequence[Mapping[str, Any]],
    *,
    new: bool = False,
) -> None:
    """Insert many rows, in batches; with `new` only those whose key is not there."""
    for start in range(0, len(rows), SENT):
        behaviour.insert_many(connection, table, rows[start : start + SENT], new=new)


def as_json(value: Iterable[Any]) -> str:
    """`value` as JSON in ASCII, which any character set of a database holds."""
    return _ENCODER.encode(value)


_PASSED, _RETURNED = (
    SharedText[tuple[Rewrite, ...]](lambda rewrites: as_json([rewrite.as_dict() for rewrite in rewrites]))
    for _ in range(2)
)
_DIGESTS = SharedText[Mapping[str, str]](lambda digests: as_json(dict(digests)))


def packed(decode: Decoder[T]) -> Decoder[T]:
    """A decoder for a column that holds JSON as text: what `decode` makes of the document."""
    return lambda value: decode(load_json(text(value)))


def grant_statements(
    dialect: sa.Dialect, schema: str | None, account: str, *, writing: bool, without: Collection[str] = ()
) -> Iterator[str]:
    """The GRANT for each table. `schema` is MySQL's database; `account` comes quoted from the server.

    `without` are tables that an older journal does not have: nothing can be granted on them.
    """
    for name, rights in (WRITING if writing else READING).items():
        if name in without:
            continue
        table = sa.table(name, schema=schema or None)
        yield f"GRANT {rights} ON {dialect.identifier_preparer.format_table(table)} TO {account};"


def grant_hint(error: JournalNotPermitted, statements: str, *, writing: bool) -> str:
    """What to do about a right that is missing; `statements` are those of :func:`grant_statements`."""
    if error.right == "CREATE" or (writing and not error.seen):
        return (
            "The following command writes SQL that creates the tables of the journal and grants this user the "
            f"privileges on them. Have an administrator run that SQL.\n{TABLES_COMMAND}"
        )
    return f"{'Have' if error.seen else 'If the journal exists, have'} an administrator run:\n{statements}"
