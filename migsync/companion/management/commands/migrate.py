"""``manage.py migrate`` under migsync's lock. It is stopped, or syncs first, as ``MIGSYNC_ON_MIGRATE`` says.

:mod:`migsync.companion.guard` lists the steps and their order.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.core.management import load_command_class
from django.core.management.base import BaseCommand, CommandError
from django.core.management.commands.migrate import Command as DjangosOwn

from migsync.companion.contents import ContentsRecorder, recorded_contents
from migsync.companion.guard import GuardedProject, OnMigrate, on_migrate, refusals, reserved, settle, stop, sync
from migsync.errors import MigsyncError
from migsync.escapes import printable, printable_lines
from migsync.words import count

if TYPE_CHECKING:
    from django.db.migrations.migration import Migration

READING = ("plan", "check_unapplied")


def _without_us() -> type[BaseCommand]:
    """The command that would run without the companion: that of the next app that has one, or Django's own."""
    # Of several apps with a command of one name Django takes the first in INSTALLED_APPS. So the search goes in this
    # order, too.
    configs = list(apps.get_app_configs())
    for config in configs:
        name = f"{config.name}.management.commands.migrate"
        if config.name != "migsync.companion" and _exists(name):
            return type(load_command_class(config.name, "migrate"))
    return DjangosOwn


def _only_reads(options: Mapping[str, Any]) -> bool:
    return any(options.get(option) for option in READING)


def _exists(module: str) -> bool:
    try:
        import_module(module)
    except ModuleNotFoundError as error:
        # The module, or a package above it, is not there. With any other name the command is there and one of its own
        # imports is broken: passing over it would run another `migrate` than the project wants.
        if error.name is not None and f"{module}.".startswith(f"{error.name}."):
            return False
        raise
    return True


# A subclass of the command that would run without us: its options, and what other apps have changed in it, stay.
class Command(_without_us()):  # type: ignore[misc]
    """``migrate`` under migsync's lock."""

    _contents: ContentsRecorder | None = None

    def execute(self, *args: Any, **options: Any) -> Any:  # noqa: ANN401 -- as Django declares it
        """Settle migration files that a kill left half changed, before the checks look at them."""
        try:
            settled = None if _only_reads(options) else settle()
        except MigsyncError as error:
            raise CommandError(printable_lines(str(error))) from error
        if settled:
            now = "finished" if settled.forward else "reverted"
            self.stderr.write(f"migsync: {printable(settled.command)} was interrupted earlier and is {now} now.")
        return super().execute(*args, **options)

    def handle(self, *args: Any, **options: Any) -> Any:  # noqa: ANN401 -- as Django declares it
        """Sync first where ``MIGSYNC_ON_MIGRATE`` says so; then what ``migrate`` does, under the lock.

        The database is looked at under the lock although the system checks look too: ``call_command`` and
        ``--skip-checks`` leave the checks out, and another process may have written while this one waited.
        """
        alias = options["database"]
        try:
            mode = on_migrate()
            if mode is OnMigrate.OFF or _only_reads(options):
                return super().handle(*args, **options)
            # Before the lock is held: the run takes the same lock, on a connection of its own, and would wait for us.
            outcome = sync(alias) if mode is OnMigrate.SYNC else None
            if outcome is not None and outcome.run is not None:
                records = count(len(outcome.run.changes), "record")
                self.stdout.write(
                    f"migsync: {records} in {printable(alias)} brought up to date (run {outcome.run.id[:12]})."
                )
            with reserved(alias) as guarded:
                # In the other mode sync() has refused, or has made the changes.
                if guarded and mode is OnMigrate.CHECK:
                    stop(refusals(alias, mode))
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

    def migration_progress_callback(self, action: str, migration: Migration | None = None, fake: bool = False) -> None:
        """What Django's executor calls at the beginning and at the end of each migration."""
        super().migration_progress_callback(action, migration, fake)
        if self._contents is not None:
            self._contents.progress(action, migration, fake)
