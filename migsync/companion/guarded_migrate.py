"""What a guarded ``migrate`` does around that of Django, whether for one database or for one tenant's schema."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError

from migsync.companion.contents import ContentsRecorder, recorded_contents
from migsync.companion.guard import GuardedProject, OnMigrate, on_migrate, settle
from migsync.errors import MigsyncError
from migsync.escapes import printable, printable_lines
from migsync.files.commit import Settlement
from migsync.sync.apply import Outcome
from migsync.words import count

if TYPE_CHECKING:
    from django.db.migrations.migration import Migration

READING = ("plan", "check_unapplied")


def _only_reads(options: Mapping[str, Any]) -> bool:
    return any(options.get(option) for option in READING)


class GuardedMigrate(BaseCommand):
    """Stands before a ``migrate`` among the bases of a command."""

    _contents: ContentsRecorder | None = None

    def guarded(self, alias: str, mode: OnMigrate, options: Mapping[str, Any]) -> AbstractContextManager[object]:
        """Refuses what must not be migrated, syncs first where that is wanted, and holds the lock."""
        raise NotImplementedError

    def settled(self) -> Settlement | None:
        """Settle an interrupted change of migration files."""
        return settle()

    def execute(self, *args: Any, **options: Any) -> Any:  # noqa: ANN401 -- as Django declares it
        """Settle migration files that a kill left half changed, before the checks look at them."""
        try:
            settled = None if _only_reads(options) else self.settled()
        except MigsyncError as error:
            raise CommandError(printable_lines(str(error))) from error
        if settled:
            now = "finished" if settled.forward else "reverted"
            self.stderr.write(f"migsync: {printable(settled.command)} was interrupted earlier and is {now} now.")
        return super().execute(*args, **options)

    def handle(self, *args: Any, **options: Any) -> Any:  # noqa: ANN401 -- as Django declares it
        """What ``migrate`` does, guarded as ``MIGSYNC_ON_MIGRATE`` says.

        The database is looked at under the lock although the system checks look too: ``call_command`` and
        ``--skip-checks`` leave the checks out, and another process may have written while this one waited.
        """
        alias = options["database"]
        try:
            mode = on_migrate()
            if mode is OnMigrate.OFF or _only_reads(options):
                return super().handle(*args, **options)
            with self.guarded(alias, mode, options):
                project = GuardedProject()
                recorder = ContentsRecorder(
                    alias,
                    bool(options.get("fake_initial")),
                    project.first_party,
                    lambda said: self.stderr.write(printable(said)),
                    project.keep_sources,
                )
                with recorded_contents(recorder) as self._contents:
                    return super().handle(*args, **options)
        except MigsyncError as error:
            raise CommandError(printable_lines(str(error))) from error

    def say_synced(self, alias: str, outcome: Outcome | None) -> None:
        """One line for the run that brought the alias up to date, if there was one."""
        if outcome is not None and outcome.run is not None:
            records = count(len(outcome.run.changes), "record")
            self.stdout.write(
                f"migsync: {records} in {printable(alias)} brought up to date (run {outcome.run.id[:12]})."
            )

    def migration_progress_callback(self, action: str, migration: Migration | None = None, fake: bool = False) -> None:
        """What Django's executor calls at the beginning and at the end of each migration."""
        super().migration_progress_callback(action, migration, fake)  # type: ignore[misc] # of the next base
        if self._contents is not None:
            self._contents.progress(action, migration, fake)
