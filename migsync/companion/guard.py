"""The guard of ``migrate``: it does not run for a database that ``migsync plan`` refuses, nor beside migsync.

Django's setting ``MIGSYNC_ON_MIGRATE`` says what ``migrate`` does for a database that holds names which have changed:
``"check"`` (the default) stops it and says what to run, ``"sync"`` makes the changes first, ``"off"`` does neither.

What happens in ``manage.py migrate --database ALIAS``, step by step (in :mod:`~.management.commands.migrate`):

1. An interrupted change of migration files is settled (:func:`settle`), so that all files are old or all are new.
2. Django runs the system checks. Those of the tag ``database`` ask :func:`refusals` about ALIAS (:mod:`~.checks`); an
   error ends the command. ``--skip-checks`` and ``call_command`` leave this step out; before Django 5.2 it is a part of
   step 6.
3. With ``"sync"``, the records of ALIAS are brought up to date (:func:`sync`): one run, journaled, which
   ``migsync undo`` takes back.
4. migsync's lock is taken and held to the end (:func:`reserved`), so that no run changes the records meanwhile.
5. With ``"check"``, :func:`refusals` is asked again under the lock: step 2 may have been left out, and another process
   may have written while this one waited for the lock.
6. Django's own ``migrate`` runs, or that of another app which has one. What the file of each migration is that it runs
   is written beside the journal, where there is one (:mod:`~.contents`).

``"off"`` leaves out steps 3 to 5, our checks in step 2, and the writing in step 6. ``--plan`` and ``--check`` only
read: steps 1 and 3 to 5 are left out, and nothing is written. A fresh database, and one that Django cannot use either,
is not guarded: Django says itself what is wrong.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from django.conf import settings
from django.db import connections

from migsync.engines import Deadline
from migsync.errors import Blocked, MigsyncError, SettingsError, StalePlan, UnknownAlias, UnknownEngine, Unreachable
from migsync.files.commit import Settlement, is_open, journals_of, recover_files
from migsync.findings import Finding
from migsync.findings.databases import needs_changes
from migsync.project import Project, find_project
from migsync.project.firstparty import FirstParty
from migsync.rewrites.rewrite_files import write_rewrite
from migsync.sync.apply import Outcome, apply_plan
from migsync.sync.plan_request import PlanRequest
from migsync.sync.survey import Survey, choose, survey
from migsync.sync.target import open_target
from migsync.worker.runtime import SETTINGS_VARIABLE

SETTING = "MIGSYNC_ON_MIGRATE"


class OnMigrate(StrEnum):
    """The values of the setting."""

    CHECK = "check"
    SYNC = "sync"
    OFF = "off"


def on_migrate() -> OnMigrate:
    """What the project wants; raises SettingsError for another value."""
    value = getattr(settings, SETTING, OnMigrate.CHECK)
    try:
        return OnMigrate(value)
    except ValueError:
        known = ", ".join(repr(str(mode)) for mode in OnMigrate)
        raise SettingsError(f"{SETTING} is {value!r}.", hint=f"Set it to one of {known}.") from None


@dataclass(frozen=True)
class Refusal:
    """Why ``migrate`` must not run, as a system check says it: the message, the hint, and the id of the check."""

    found: str
    hint: str
    id: str

    def __str__(self) -> str:
        return "\n".join(filter(None, (f"({self.id}) {self.found}", self.hint)))


def refusals(alias: str, mode: OnMigrate) -> list[Refusal]:
    """Why ``migrate`` must not run for one alias; empty where it may.

    What ``migsync plan`` refuses, be it a finding or an error, is refused here (E002). In the mode ``CHECK`` so are
    changes that are not made yet (E001). Empty for a fresh database, and for what Django will report itself.
    """
    try:
        with _survey(alias) as found:
            return refused(alias, found, mode)
    except MigsyncError as error:
        return [unsound(alias, error)]


def refused(alias: str, found: Survey, mode: OnMigrate) -> list[Refusal]:
    """The same by what a survey has found."""
    return _blocked(alias, found) or (_changed(alias, found) if mode is OnMigrate.CHECK else [])


def stop(refused: Sequence[Refusal]) -> None:
    """Raises Blocked, which says all of them, unless there are none."""
    if refused:
        raise Blocked("\n".join(map(str, refused)))


def _blocked(alias: str, found: Survey) -> list[Refusal]:
    # No plan means that the database is fresh, or that Django reports what is wrong with it. Neither keeps `migrate`
    # from running, whatever was found in the files.
    findings = [*found.findings, *(finding for plan in found.plans for finding in plan.findings)] if found.plans else []
    return [unsound(alias, one) for one in findings if one.blocks]


def unsound(alias: str, cause: Finding | MigsyncError) -> Refusal:
    """The refusal for what `migsync plan` refuses (E002)."""
    hint = [cause.hint, f"To see the whole plan: {_migsync('plan', '--database', alias)}"]
    return _refusal(f"{alias}: {cause.found}", cause.meaning, hint, cause.code, "migsync.E002")


def _changed(alias: str, found: Survey) -> list[Refusal]:
    count = sum(len(plan.changes) for plan in found.plans)
    if not count:
        return []
    cause = needs_changes(changes=count, alias=alias)
    return [_refusal(cause.found, cause.meaning, [cause.hint], cause.code, "migsync.E001")]


def _refusal(found: str, meaning: str, hint: Sequence[str], code: str, check: str) -> Refusal:
    """With the code of migsync's own, which leads to its page: the ids of the checks say no more than who refuses."""
    ended = found if not meaning or found.endswith((".", ":", "!", "?")) else f"{found}."
    explain = f"To read more: {_migsync('explain', code)}"
    return Refusal(f"{ended} {meaning}".rstrip(), "\n".join(filter(None, (*hint, explain))), check)


def _migsync(*arguments: str) -> str:
    return shlex.join(["python", "manage.py", "migsync", *arguments])


def sync(alias: str) -> Outcome | None:
    """Bring one alias up to date; None where there was nothing to do.

    Never back to the names of older files: a database that is ahead of them is blocked. Where somebody else changes the
    rows meanwhile, it is planned again, as long as the lock time-out lasts. Raises Blocked and what ``migsync apply``
    raises.
    """
    deadline: Deadline | None = None
    while True:
        try:
            looked_at = _survey(alias)
        except MigsyncError as error:
            raise Blocked(str(unsound(alias, error))) from error
        # Once, and not for each attempt: somebody who changes the rows all the time must not keep this going.
        deadline = deadline or Deadline(looked_at.project.lock_timeout)
        try:
            return _sync(alias, looked_at)
        except StalePlan:
            if deadline.passed:
                raise


def _sync(alias: str, looked_at: Survey) -> Outcome | None:
    with looked_at as found:
        stop(_blocked(alias, found))
        plan = found.plans[0] if found.plans else None
        if plan is None or plan.empty:
            return None
        if found.proposed:
            # Before the database is changed: the run rests on this rewrite, and the journal would name one without a
            # file. That is how a database looks that is ahead of the files.
            write_rewrite(found.project.rewrites, found.proposed)
        return apply_plan(
            found.targets[plan.target.alias],
            plan,
            lock_timeout=found.project.lock_timeout,
            journal=found.project.journal,
            reason="before migrate",
        )


def running_project() -> Project:
    """The project with the settings of this process, which need not be manage.py's (``django-admin migrate``)."""
    return find_project(settings=os.environ.get(SETTINGS_VARIABLE))


@dataclass(frozen=True)
class GuardedProject:
    """What the notes of a ``migrate`` need of the project, which is looked for when that is first asked."""

    @cached_property
    def _found(self) -> Project:
        return running_project()

    @cached_property
    def _own(self) -> FirstParty:
        return FirstParty(self._found.root)

    def first_party(self) -> FirstParty:
        """Which directories are the project's own."""
        return self._own

    def keep_sources(self) -> bool:
        """Whether the files that run are kept in the databases."""
        return self._found.keep_sources


def settle(project: Project | None = None) -> Settlement | None:
    """Settle an interrupted change of migration files, so that all are old or all are new; None where there is none.

    `project` is this one, where the caller has it.
    """
    project = project or running_project()
    return recover_files(project.root, journals_of(project)) if is_open(project.root) else None


@contextmanager
def reserved(alias: str) -> Iterator[bool]:
    """Hold the lock that migsync takes for its changes, on a connection of its own; raises LockTimeout.

    False, and no lock, for a fresh database and for what Django will report itself; then there is nothing to guard.
    """
    with ExitStack() as stack:
        try:
            project = running_project()
            (config,) = choose(project, [alias])
            target = stack.enter_context(open_target(config))
            table = target.table
        except MigsyncError as error:
            if not _is_djangos(alias, error):
                raise
            table = None
        if table is not None:
            # Not the connection on which `migrate` works: on PostgreSQL the lock belongs to a transaction, which stays
            # open until `migrate` has ended.
            connection = stack.enter_context(target.connect())
            with target.explained():
                target.behaviour.reserve(connection, table, Deadline(project.lock_timeout))
        yield table is not None


def _survey(alias: str) -> Survey:
    """Raises the error that keeps ``migsync plan`` from judging the alias, unless Django will report it itself."""
    found = survey(running_project(), PlanRequest(databases=(alias,)))
    for error in found.errors.values():
        if not _is_djangos(alias, error):
            # No caller gets this survey, so nobody else would close its targets.
            found.__exit__(None, None, None)
            raise error
    return found


def _is_djangos(alias: str, error: MigsyncError) -> bool:
    """Whether Django reports this itself, or migsync has no business with the database."""
    if isinstance(error, Unreachable):
        # pyproject.toml may state another URL for the alias than DATABASES. A database that only Django reaches is not
        # judged by anybody, so `migrate` must not change it.
        return not _reached_by_django(alias)
    return isinstance(error, UnknownAlias | UnknownEngine)


def _reached_by_django(alias: str) -> bool:
    try:
        connections[alias].ensure_connection()
    except Exception:  # whatever it is, `migrate` meets it next
        return False
    return True
