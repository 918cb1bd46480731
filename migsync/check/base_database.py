"""The database that a commit would have made: every migration that it has ran as its file was then."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from migsync import __version__
from migsync.check.base import Base
from migsync.history import History
from migsync.history.migration import Key
from migsync.rewrites.clock import Clock
from migsync.rewrites.file_state import FileState
from migsync.rewrites.git import GitHistory
from migsync.rewrites.record import Record
from migsync.rewrites.rewrite_graph import Rewrites
from migsync.sync.plan import TargetRef
from migsync.sync.provenance import ContentSource, Provenance
from migsync.sync.run import Run, RunKind
from migsync.sync.target import Snapshot
from migsync.sync.target_state import DatabaseState

LONG_AGO = datetime.datetime(2000, 1, 1, tzinfo=datetime.UTC)
"""When the migrations ran: before any rewrite was made."""


@dataclass(frozen=True)
class BaseDatabase:
    """`before` are the files of the apps that changed, as the base has them; `after` all that are looked at, today.

    Of the apps that are in `after` alone, nothing has changed. `rewrites` are those of the base.
    """

    base: Base
    before: History
    after: History
    changed: Collection[str]
    rewrites: Rewrites

    def state(self, last: Key | None = None) -> DatabaseState:
        """Its records, and a journal that has been through the rewrites of the base.

        With `last`, nothing ran that comes after that migration: a database that is behind.
        """
        behind = self._after(last) if last else frozenset[Key]()
        records = tuple(
            Record(number, key.app, key.name, str(LONG_AGO + datetime.timedelta(seconds=number)))
            for number, key in enumerate(dict.fromkeys(self._recorded()), 1)
            if key not in behind
        )
        ref, passed = TargetRef(self.base.label, "", self.base.commit), self.rewrites.ordered
        run = Run(self.base.commit[:32], 1, RunKind.APPLY, "", str(LONG_AGO), "", __version__, passed=passed)
        return DatabaseState(ref, Snapshot(records, (run,) if passed else ()), Clock(naive_is_utc=True))

    def positions(self, rewrites: Rewrites) -> tuple[str, ...]:
        """The last rewrite of the base for each app that `rewrites` change, as ``--position`` has it."""
        return tuple(
            f"{app}={self.rewrites.of_app(app)[-1].id if self.rewrites.of_app(app) else 'none'}"
            for app in sorted({app for each in rewrites.ordered for app in each.apps})
        )

    def ran(self, state: DatabaseState) -> Mapping[int, Provenance]:
        """What ran, by the ids of the records: the files as they were."""
        found = {}
        for record in state.held.records:
            file = self.before.migrations.get(record.key)
            # A squash beside the files that it replaces did not run: these did.
            if file and record.id is not None and self.before.migrations.keys().isdisjoint(file.replaces):
                now = self.after.migrations.get(record.key)
                same = now is not None and now.source == file.source
                found[record.id] = Provenance(ContentSource.GUARDED, () if same else (file,))
        return found

    def edited(self) -> Iterator[Key]:
        """The migrations that kept their names, and do something else to a database today."""
        for key in self.before.order:
            file, now = self.before.migrations[key], self.after.migrations.get(key)
            if now and now.source != file.source and not file.contents.same_effect(now.contents):
                yield key

    def git(self) -> GitHistory:
        """The base as the only older state of the files: nothing else ran."""
        return _OneCommit(
            {app: _state(self.before, app, self.base) for app in self.before.apps if self.before.names(app)}
        )

    def _after(self, last: Key) -> frozenset[Key]:
        """All that comes after a migration, in whatever app, by the files of the base."""
        found = {last}
        # Both are in an order in which they can be applied, but apps of the one may depend on the other.
        for _ in range(2):
            for history in (self.before, self.after):
                for key in history.order:
                    mine = (key.app in self.changed) == (history is self.before)
                    if mine and not found.isdisjoint(history.migrations[key].dependencies):
                        found.add(key)
        return frozenset(found - {last})

    def _recorded(self) -> Iterator[Key]:
        """The names, each after those that it comes after; what a squash without their files replaces is recorded."""
        for history in (self.before, self.after):
            known = {key for key in history.migrations if (key.app in self.changed) == (history is self.before)}
            for key in history.order:
                if key in known:
                    yield from (each for each in history.migrations[key].replaces if each not in known)
                    yield key


class _OneCommit(GitHistory):
    """The files of one commit, which were read already."""

    def __init__(self, states: Mapping[str, FileState]) -> None:
        super().__init__(())
        self._states = states

    def of(self, app: str) -> tuple[FileState, ...]:
        """The state of an app's files, if the commit has any."""
        return (self._states[app],) if app in self._states else ()


def _state(history: History, app: str, base: Base) -> FileState:
    files = {name: history.migrations[Key(app, name)] for name in history.names(app)}
    return FileState(f"git {base.commit[:10]} ({base.date})", files, commit=base.commit)
