"""Runs looked for in the journals of many targets: those in one database by one statement."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from sqlalchemy.exc import DBAPIError

from migsync.decoder import DecodeError, array, load_json
from migsync.engines.driver_errors import TABLE
from migsync.engines.schema_reader import SchemaRows, TableRead
from migsync.errors import MigsyncError
from migsync.sync.journal.tables import COLUMNS, RUN_TABLE, from_row
from migsync.sync.run import Run
from migsync.sync.snapshots import TOGETHER, WAIT_SECONDS
from migsync.sync.target import Target

READS: Final = (
    TableRead(TABLE, (("id",),), "id", last=True),
    TableRead(RUN_TABLE, (COLUMNS,), "number", last=True),
)


@dataclass(frozen=True)
class RunSearch:
    """A run to look for: one of `ids`, in the journal of the target.

    If it is `certain` to be there, a run that came after it must not hide it.
    """

    target: Target
    ids: frozenset[str]
    certain: bool = False


def find_runs(searches: Iterable[RunSearch]) -> Iterator[tuple[RunSearch, Run]]:
    """The runs that were found. A target that cannot be read now is passed over: whoever waits asks again."""
    together: dict[str, list[RunSearch]] = {}
    for search in searches:
        together.setdefault(search.target.config.shared_by or f"alone in {search.target.alias}", []).append(search)
    for group in together.values():
        for start in range(0, len(group), TOGETHER):
            some = group[start : start + TOGETHER]
            newest = _newest_runs([search.target for search in some]) if len(some) > 1 else {}
            for search in some:
                run = newest.get(search.target.alias)
                if run and run.id in search.ids:
                    yield search, run
                elif search.target.alias not in newest or search.certain:
                    yield from ((search, found) for found in _runs_by_id(search))


def _runs_by_id(search: RunSearch) -> Iterator[Run]:
    with suppress(MigsyncError):
        found = next(filter(None, map(search.target.run, sorted(search.ids))), None)
        if found:
            yield found


def _newest_runs(targets: Sequence[Target]) -> dict[str, Run | None]:
    """The last run of each target, None without one; those that cannot be read like this are missing."""
    first, schemas = targets[0], {target.config.schema: target.alias for target in targets}
    try:
        with first.transaction(WAIT_SECONDS) as connection:
            found = first.behaviour.read_schemas(connection, list(schemas), READS)
        return {schemas[schema]: _newest(rows) for schema, rows in found.items()}
    except (DBAPIError, MigsyncError, DecodeError):
        return {}


def _newest(rows: SchemaRows) -> Run | None:
    values = array(array(_value))(load_json(rows.texts[RUN_TABLE][0])) if RUN_TABLE in rows.texts else ()
    return from_row(dict(zip(COLUMNS, values[0], strict=True))) if values else None


def _value(value: object) -> object:
    return value
