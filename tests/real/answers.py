"""Databases that real histories could have, and what migsync says to them, in process; no database is needed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast
from unittest import mock

from migsync.findings import Finding
from migsync.history import History
from migsync.history.migration import Key, Migration
from migsync.project.project import Project
from migsync.rewrites.clock import Clock
from migsync.rewrites.record import Record
from migsync.rewrites.rewrite_graph import Rewrites
from migsync.sync import survey
from migsync.sync.journal.contents import Event, SeenContents, as_document, document_digest
from migsync.sync.plan import Plan, TargetRef
from migsync.sync.plan_request import PlanRequest
from migsync.sync.target import Snapshot
from migsync.sync.target_state import DatabaseState, TargetState


@dataclass(frozen=True)
class Row:
    """A record, and what the guard of ``migrate`` noted of it: the file as it was, and what became of it."""

    key: Key
    file: Migration | None = None
    event: Event = Event.APPLIED


@dataclass(frozen=True)
class RealDatabase:
    """The rows in the order in which they were written; the last one at `moment`, a day after the commit."""

    rows: tuple[Row, ...]
    moment: int

    @property
    def records(self) -> tuple[Record, ...]:
        start = datetime.fromtimestamp(self.moment, UTC) + timedelta(days=1, seconds=-len(self.rows))
        return tuple(
            Record(number, *row.key, f"{start + timedelta(seconds=number):%Y-%m-%d %H:%M:%S}")
            for number, row in enumerate(self.rows, 1)
        )

    @property
    def seen(self) -> tuple[SeenContents, ...]:
        return tuple(_seen(number, row, row.file) for number, row in enumerate(self.rows, 1) if row.file)


_documents: dict[str, str] = {}
_digests: dict[tuple[str, Key], str] = {}


def _seen(number: int, row: Row, file: Migration) -> SeenContents:
    at = (file.source, file.key)
    if at not in _digests:
        document = as_document(file.contents)
        _digests[at] = document_digest(document)
        _documents[_digests[at]] = document
    return SeenContents(number, row.key, row.event, file.source, _digests[at], lambda: _documents)


def migrated(history: History, files: Sequence[Key] | None = None) -> Iterator[Row]:
    """The rows of a new database that ``migrate`` has brought to the files, or to some of them."""
    replaced = {key for migration in history.migrations.values() for key in migration.replaces}
    for key in history.order if files is None else files:
        migration = history.migrations[key]
        if key not in replaced:
            yield Row(key, migration)
            yield from (Row(each, migration, Event.REPLACED) for each in migration.replaces)


@dataclass
class _Survey(survey.Survey):
    """A survey of one database that is not there."""

    database: RealDatabase = field(default_factory=lambda: RealDatabase((), 0))
    guarded: bool = False

    def read_targets(self, asked: Sequence[str]) -> list[TargetState]:
        ref = TargetRef("default", "sqlite", "real")
        seen = self.database.seen if self.guarded else ()
        held = Snapshot(self.database.records, seen=seen)
        return cast("list[TargetState]", [DatabaseState(ref, held, Clock(naive_is_utc=True))])


@dataclass(frozen=True)
class Answer:
    """The plan, and all that is said to it."""

    plan: Plan
    findings: tuple[Finding, ...]

    @property
    def blocked(self) -> bool:
        return any(finding.blocks for finding in self.findings)


def answer(history: History, database: RealDatabase, cache: Path, *, guarded: bool) -> Answer:
    """As ``migsync plan`` plans without rewrites; it asks git where the apps of `history` are said to be in a clone.

    `cache` is a file for what migsync keeps of git.
    """
    project = Project(cache.parent, cache.parent, tuple(history.apps.values()), {}, cache, static=True)
    found = _Survey(project, history, Rewrites(()), database=database, guarded=guarded)
    with mock.patch.object(survey, "open_survey", lambda _project: found):
        survey.survey(project, PlanRequest())
    (plan,) = found.plans
    return Answer(plan, tuple(dict.fromkeys((*found.findings, *plan.findings))))
