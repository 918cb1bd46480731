"""What is known of one migration: under which rows it ran in each database, what that was, and how it is known."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from migsync.history.contents import Contents
from migsync.history.graph import History
from migsync.history.migration import Key, Migration
from migsync.rewrites.file_versions import DELETED
from migsync.rewrites.record import Record
from migsync.rewrites.version_index import VersionIndex
from migsync.sync.journal.contents import Event, SeenContents, last_events, noted_times
from migsync.sync.journal.looks import last_digest
from migsync.sync.journal.sources import read_sources
from migsync.sync.plan import Change
from migsync.sync.provenance import ContentSource, Provenance, held_by_git, provenances
from migsync.sync.run import Run
from migsync.sync.survey import Survey
from migsync.sync.target_state import TargetState

GIT = "git"


@dataclass(frozen=True)
class RowFacts:
    """One row of one database that bears the name, or bore it when its migration ran, or before a run renamed it.

    `key` is its name today, `ran_as` the one before any run changed it. `event` is what was noted about it, if anything
    was, at `noted` (UTC). `versions` are the contents of which one ran, by the digest of the file; empty where they are
    not known. `runs` are the numbers of the runs that changed the row.
    """

    alias: str
    row: int
    key: Key
    ran_as: Key
    applied: str
    source: ContentSource
    event: Event | None = None
    noted: str = ""
    versions: Mapping[str, Contents] = field(default_factory=dict)
    runs: tuple[int, ...] = ()


class FoundSource(NamedTuple):
    """The bytes of a file, and where they are: the alias of a database, or GIT."""

    where: str
    content: bytes


@dataclass(frozen=True)
class MigrationFacts:
    """All that is known. `file` is the one on disk; `sources` are other versions of it, by digest."""

    key: Key
    file: Migration | None
    rows: tuple[RowFacts, ...]
    sources: Mapping[str, FoundSource]
    not_recorded: tuple[str, ...] = ()

    @property
    def is_found(self) -> bool:
        """Whether there is anything to show."""
        return bool(self.file or self.rows or self.sources)


def inquire(survey: Survey, states: Sequence[TargetState], key: Key) -> MigrationFacts:
    """What the files, the databases and git know of a migration. Raises TargetError for what cannot be read."""
    file = survey.history.migrations.get(key)
    with VersionIndex(survey.history, survey.project.cache.with_suffix(".versions")) as versions:
        rows = [row for state in states for row in _rows(survey.history, state, key, versions)]
        wanted = {digest for row in rows for digest in row.versions}
        sources = _kept(states, key, wanted, today=file.source if file else "")
        for name in dict.fromkeys([key, *(row.ran_as for row in rows)]):
            sources |= _from_git(versions, name, (wanted - sources.keys()) if wanted or file else None)
    sources.pop(file.source if file else "", None)
    recorded = {row.alias for row in rows}
    missing = tuple(each.ref.alias for each in states if each.ref.alias not in recorded)
    return MigrationFacts(key, file, tuple(rows), sources, missing)


def known_names(survey: Survey, states: Sequence[TargetState]) -> set[str]:
    """Every name of a migration that the files, the rewrites and the databases mention."""
    keys = set(survey.history.migrations)
    for rewrite in survey.rewrites.ordered:
        keys |= {Key(app, name) for app, each in rewrite.apps.items() for name in (*each.before, *each.after)}
    for held in (state.held for state in states):
        changes = [change for run in held.runs for change in run.changes]
        keys |= {row.key for change in changes for row in (change.before, change.after) if row}
        keys |= {record.key for record in held.records} | {each.key for each in held.seen}
    return set(map(str, keys))


def _rows(history: History, state: TargetState, key: Key, versions: VersionIndex) -> Iterator[RowFacts]:
    held, target = state.held, state.target
    events = last_events(held.seen, held.records)
    renamed = {
        change.before.id for run in held.runs for change in run.changes if change.before and change.before.key == key
    }
    meant = [
        record
        for record in held.records
        if record.id in renamed or key in (record.key, *_noted_key(events.get(record.id or 0)))
    ]
    if not meant:
        return
    times: dict[tuple[int, Event], str] = {}
    if target.table is not None and held.version:
        with target.explained(reading="the journal"), target.transaction() as connection:
            times = noted_times(connection, target.table.schema, key, held.version)
    # Git knows a file by the name under which it ran, and not by the one that a run gave the row since.
    then = {record: _as_it_ran(record, held.runs) for record in meant}
    known = provenances(history, list(then.values()), seen=held.seen, versions=versions, clock=state.clock)
    for record in meant:
        event = events.get(record.id or 0)
        ran = known.get(record.id or 0) or _lost(then[record], event, state, versions)
        yield RowFacts(
            target.alias,
            record.id or 0,
            record.key,
            then[record].key,
            record.applied or "",
            ran.source,
            event.event if event else None,
            times.get((event.record, event.event), "") if event else "",
            _versions(ran, event, history.migrations.get(then[record].key)),
            tuple(run.number for run in held.runs if any(_is_of(change, record) for change in run.changes)),
        )


def _as_it_ran(record: Record, runs: Iterable[Run]) -> Record:
    """The row as it was before the first run that changed it."""
    changes = (change for run in runs for change in run.changes if _is_of(change, record))
    first = next((change.before for change in changes if change.before), record)
    return record._replace(app=first.app, name=first.name)


def _noted_key(event: SeenContents | None) -> tuple[Key, ...]:
    return (event.key,) if event else ()


def _is_of(change: Change, record: Record) -> bool:
    return any(row is not None and row.id == record.id for row in (change.before, change.after))


def _versions(ran: Provenance, event: SeenContents | None, file: Migration | None) -> dict[str, Contents]:
    if ran.versions:
        return {each.source: each.contents for each in ran.versions}
    # Without versions, the file of today is what ran; by its name alone, nobody knows.
    if file and ran.source is not ContentSource.NAME:
        return {file.source: file.contents}
    return {event.source: event.contents} if event and event.event is Event.REPLACED else {}


def _lost(record: Record, event: SeenContents | None, state: TargetState, versions: VersionIndex) -> Provenance:
    """What git had of a file that is gone."""
    found = () if event else held_by_git(record, versions, state.clock)
    return Provenance(ContentSource.GIT, found) if found else Provenance(ContentSource.NAME)


def _kept(states: Iterable[TargetState], key: Key, wanted: set[str], *, today: str) -> dict[str, FoundSource]:
    """The sources that the databases keep: of what ran and, where the file is gone, the last one that was seen."""
    found: dict[str, FoundSource] = {}
    for state in states:
        target, version = state.target, state.held.version
        if target.table is None or not version:
            continue
        with target.explained(reading="the journal"), target.transaction() as connection:
            asked = set(wanted)
            if not today and (last := last_digest(connection, target.table.schema, key, version)):
                asked.add(last)
            kept = read_sources(connection, target.table.schema, asked - found.keys(), version)
        found |= {digest: FoundSource(target.alias, content) for digest, content in kept.items()}
    return found


def _from_git(versions: VersionIndex, key: Key, wanted: set[str] | None) -> dict[str, FoundSource]:
    """Versions with these digests; with None the newest one."""
    found: dict[str, FoundSource] = {}
    for each in reversed(versions.of(key) if wanted is None or wanted else ()):
        if each.blob == DELETED:
            continue
        digest = versions.source(key.app, each.blob)
        if wanted is not None and digest not in wanted:
            continue
        content = versions.text(key.app, each.blob)
        if content is not None:
            found[digest] = FoundSource(GIT, content)
            if wanted is None:
                break
    return found
