"""What ran under each record of one database, as far as any source knows it, and how good the source is.

The best source that knows a record counts: :class:`ContentSource` has them in that order.
"""

from __future__ import annotations

import os
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple, Protocol

from migsync.history.contents import Contents
from migsync.history.graph import History
from migsync.history.migration import Key, Migration
from migsync.progress import counted
from migsync.rewrites.clock import Clock
from migsync.rewrites.file_versions import FileVersion, fitting
from migsync.rewrites.position import KnownContents
from migsync.rewrites.record import Record
from migsync.rewrites.stored_records import StoredRecords
from migsync.sync.journal.contents import Event, SeenContents, last_events

if TYPE_CHECKING:
    from migsync.rewrites.version_index import VersionIndex


class ContentSource(StrEnum):
    """How it is known what ran; the first is the best."""

    STATED = "stated"
    """Somebody said that the file of then is what ran, whatever speaks against it."""
    GUARDED = "guarded"
    """The guard of ``migrate`` noted it at that moment: proof."""
    SEEN = "seen"
    """The file was the same at the last look before the record appeared and at the first one after: a presumption."""
    GIT = "git"
    """The version, or one of the versions, that git held when the migration was applied; or the file of today, which
    was on disk at that moment and is in no commit."""
    NAME = "name"
    """Only the name is known. The file of today is taken for what ran."""


SOURCES = {Event.STATED: ContentSource.STATED, Event.APPLIED: ContentSource.GUARDED, Event.SEEN: ContentSource.SEEN}
"""By the events after which something ran."""


class FileContents(Protocol):
    """A file as it was: the digest of its bytes, as :attr:`Migration.source`, and its operations."""

    @property
    def source(self) -> str:
        """64 hexadecimal digits; empty where there was no source."""

    @property
    def contents(self) -> Contents:
        """The operations. Raises TargetError where they cannot be read."""


class Provenance(NamedTuple):
    """What ran under one record.

    `versions` are the contents of which one ran, likeliest first. They are empty where the file of today is one of
    them, or where nothing is known (`source` is NAME).
    `unapplied`: the row is there, though the guard saw `migrate` unapply it and delete this very row.
    """

    source: ContentSource
    versions: tuple[FileContents, ...] = ()
    unapplied: bool = False


NOTHING_KNOWN: Mapping[int, Provenance] = MappingProxyType({})
AS_TODAY = {source: Provenance(source) for source in ContentSource}


class GitContents(NamedTuple):
    """A version of a file that git holds."""

    source: str
    contents: Contents


def what_ran(
    history: History, cache: Path | None, targets: Sequence[tuple[Sequence[Record], Sequence[SeenContents], Clock]]
) -> list[dict[int, Provenance]]:
    """For each target (its records, its events and its clock) what ran, by the ids of the records.

    `cache` is the file in which is kept what git knows.
    """
    from migsync.rewrites.version_index import VersionIndex  # not for those who only want the values

    with VersionIndex(history, cache) as versions:
        common = CommonProvenances(history, versions)
        return [
            common.provenances(records, seen, clock)
            for records, seen, clock in counted("Reading what ran in databases", targets)
        ]


class CommonProvenances:
    """What is the same for many targets: it is worked out once, and is the same mapping."""

    def __init__(self, history: History, versions: VersionIndex) -> None:
        self._history = history
        self._versions = versions
        self._by_names: dict[int, tuple[dict[int, Provenance], Sequence[int]]] = {}
        self._found: dict[Hashable, dict[int, Provenance]] = {}

    def __len__(self) -> int:
        return len(self._found)

    def provenances(
        self, records: Sequence[Record], seen: Sequence[SeenContents], clock: Clock
    ) -> dict[int, Provenance]:
        """See :func:`provenances`."""
        if not isinstance(records, StoredRecords):
            return provenances(self._history, records, seen=seen, versions=self._versions, clock=clock)
        if seen:
            found = provenances(self._history, records.all(), seen=seen, versions=self._versions, clock=clock)
            return self._found.setdefault((id(records.shared), *found.items()), found)
        # Without events, times matter only for files of which git has another version.
        shared = id(records.shared)
        if shared not in self._by_names:
            self._by_names[shared] = self._by_name(records)
        found, timed = self._by_names[shared]
        if not timed:
            return found
        rows = records.all()
        more = provenances(self._history, [rows[place] for place in timed], versions=self._versions, clock=clock)
        return self._found.setdefault((shared, *more.items()), found | more)

    def _by_name(self, records: StoredRecords) -> tuple[dict[int, Provenance], Sequence[int]]:
        """What the names alone tell, and the places of the records of which the time matters."""
        found: dict[int, Provenance] = {}
        timed: list[int] = []
        for place, (id_, app, name) in enumerate(zip(*records.shared, strict=True)):
            if app not in self._history.first_party:
                continue
            known = self._versions.open_files(app)
            key = Key(app, name)
            if (known and name in known) if key in self._history.migrations else self._versions.of(key):
                timed.append(place)
            elif key not in self._history.migrations:
                continue
            elif known is not None:
                found[id_] = AS_TODAY[ContentSource.GIT]
        return found, timed


def provenances(
    history: History,
    records: Sequence[Record],
    *,
    seen: Iterable[SeenContents] = (),
    versions: VersionIndex | None = None,
    clock: Clock | None = None,
) -> dict[int, Provenance]:
    """What ran, by the id of each record of the project's own apps; without those of which nothing is known.

    `seen` are the events that the database holds, in their order; `versions` is what git knows.
    """
    last = last_events(seen, records)
    found: dict[int, Provenance] = {}
    lost: list[Record] = []
    own, files, as_today = history.first_party, history.migrations, AS_TODAY[ContentSource.GIT]
    apps = {record.app for record in records} & own
    open_files = {app: versions.open_files(app) if versions else None for app in apps}
    # There may be ten thousand, of which git has no other version.
    for record in records:
        if record.id is None or record.app not in own:
            continue
        file = files.get(Key(record.app, record.name))
        if event := last.get(record.id):
            # Of a record that was made without running anything, only its name is known.
            if event.event in SOURCES:
                found[record.id] = _provenance(SOURCES[event.event], [event], file)
            elif event.event is Event.UNAPPLIED:
                found[record.id] = Provenance(ContentSource.NAME, unapplied=True)
        elif file is None:
            lost.append(record)
        elif (of_app := open_files[record.app]) is None or versions is None or clock is None:
            continue
        elif record.name not in of_app:
            found[record.id] = as_today
        elif of_file := _in_git(record, file, of_app[record.name], versions, clock):
            found[record.id] = of_file
    if lost and versions and clock:
        found.update(_lost(lost, versions, clock))
    return found


def accounted(targets: Iterable[tuple[Sequence[Record], Mapping[int, Provenance]]]) -> frozenset[Key]:
    """The names of which it is known what ran in every target that has them."""
    by_name: set[Key] = set()
    known: set[Key] = set()
    for records, found in targets:
        for record in records:
            provenance = found.get(record.id or 0)
            (known if provenance and provenance.source is not ContentSource.NAME else by_name).add(record.key)
    return frozenset(known - by_name)


def beside_git(known: Mapping[int, Provenance]) -> dict[int, Provenance]:
    """What is known without older files in git: these were found by the name of today, which a run may have given."""
    return {row: each for row, each in known.items() if each.source is not ContentSource.GIT or not each.versions}


def noted_in_database(known: Mapping[int, Provenance]) -> dict[int, Provenance]:
    """What is known for certain, since it was noted when it ran or is what a person said: all but what git tells."""
    return {row: each for row, each in known.items() if each.source is not ContentSource.GIT}


def contents_that_ran(history: History, known: Mapping[int, Provenance], changed: Iterable[int]) -> KnownContents:
    """What ran under a record, where one version is known; without the rows `changed`: a rewrite says what they are."""
    left_out: set[int | None] = set()

    def ran(record: Record) -> Contents | None:
        left_out.update(changed)  # only once something is asked for
        provenance = known.get(record.id or 0)
        if provenance is None or provenance.source is ContentSource.NAME or record.id in left_out:
            return None
        if provenance.versions:
            return provenance.versions[0].contents if len(provenance.versions) == 1 else None
        file = history.migrations.get(record.key)
        return file.contents if file and not file.problems else None

    return ran


def _provenance(source: ContentSource, versions: Sequence[FileContents], file: Migration | None) -> Provenance:
    """The value, without versions where the file of today is one of them."""
    if file and any(each.source == file.source and each.source for each in versions):
        return AS_TODAY[source]
    return Provenance(source, tuple(versions))


def _in_git(
    record: Record, file: Migration, known: Sequence[FileVersion], versions: VersionIndex, clock: Clock
) -> Provenance | None:
    """What ran under a record, where its file had the versions `known`, of which one at least is not that of today."""
    span = clock.span(record.applied)
    if not known or not span or file.problems:
        return None
    blobs = fitting(known, *span)
    if any(versions.is_today(file, blob) for blob in blobs):
        return AS_TODAY[ContentSource.GIT]
    found = tuple(_read(record.app, blobs, versions))
    if found and _was_on_disk(file, known, span[1], versions):
        return AS_TODAY[ContentSource.NAME]
    return Provenance(ContentSource.GIT, found) if found else None


def _lost(records: Iterable[Record], versions: VersionIndex, clock: Clock) -> Iterator[tuple[int, Provenance]]:
    """What ran under records whose files are gone."""
    for record in records:
        if record.id is not None and (found := held_by_git(record, versions, clock)):
            yield record.id, Provenance(ContentSource.GIT, found)


def held_by_git(record: Record, versions: VersionIndex, clock: Clock) -> tuple[GitContents, ...]:
    """The versions of a file of which one ran, as git held it then, whether it is on disk today or not."""
    span = clock.span(record.applied)
    blobs = fitting(versions.of(record.key), *span) if span else ()
    return tuple(_read(record.app, blobs, versions))


def _read(app: str, blobs: Iterable[str], versions: VersionIndex) -> Iterator[GitContents]:
    for blob in blobs:
        contents = versions.contents(app, blob)
        if contents is not None:
            yield GitContents(versions.source(app, blob), contents)


def _was_on_disk(file: Migration, known: Iterable[FileVersion], moment: float, versions: VersionIndex) -> bool:
    """Whether the file of today was there at `moment` already, though it is not committed yet."""
    if any(versions.source(file.key.app, each.blob) == file.source for each in known if each.blob):
        return False
    try:
        status = os.stat(file.path)  # noqa: PTH116 -- as in the reader of the files
    except OSError:
        return False
    # Not the time of its content alone: a file that was renamed keeps that.
    return max(status.st_mtime, status.st_ctime) <= moment
