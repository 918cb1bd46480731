"""The guard: ``migrate`` and the names in a database, kept from working against each other.

Django's setting ``MIGSYNC_ON_MIGRATE`` says what ``migrate`` does for a database that holds names which have changed:
``"check"`` (the default) stops it and says what to run, ``"sync"`` makes the changes first, ``"off"`` does neither.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from enum import StrEnum

from django.conf import settings

from migsync.companion.commit import Settled, is_open, journals_of, recover_files
from migsync.engines import Deadline
from migsync.errors import Blocked, SettingsError, TargetError
from migsync.project import find_project
from migsync.records.target import open_target
from migsync.rewrites.files import write_rewrite
from migsync.sync.apply import Outcome, apply_plan
from migsync.sync.plan import Plan
from migsync.sync.planning import PlanRequest, Survey, choose, survey

SETTING = "MIGSYNC_ON_MIGRATE"
PATIENCE = 10.0
"""Seconds that are waited for another migsync or migrate."""


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
        raise SettingsError(f"{SETTING} is {value!r}.", hint=f"It is one of {known}.") from None


def plan_for(alias: str) -> Plan | None:
    """The plan for one alias; None for a database that is fresh or cannot be reached (Django will say that itself).

    Raises a MigsyncError for what concerns the project as a whole.
    """
    with _survey(alias) as found:
        return found.plans[0] if found.plans else None


def sync(alias: str) -> Outcome | None:
    """Bring one alias in line; None where there was nothing to do. Raises Blocked and what ``migsync apply`` raises."""
    with _survey(alias) as found:
        plan = found.plans[0] if found.plans else None
        if plan is None or (plan.empty and not plan.blocked):
            return None
        if plan.blocked:
            raise Blocked("\n".join(finding.found for finding in plan.findings if finding.blocks))
        if found.proposed:
            write_rewrite(found.project.rewrites, found.proposed)
        patience = found.project.lock_timeout or PATIENCE
        return apply_plan(
            found.targets[plan.target.alias],
            plan,
            lock_timeout=patience,
            journal=found.project.journal,
            reason="before migrate",
        )


def settle() -> Settled | None:
    """Settle a change of migration files that was cut off, so that they are all old or all new; None where none was."""
    project = find_project()
    return recover_files(project.root, journals_of(project)) if is_open(project.root) else None


@contextmanager
def reserved(alias: str) -> Iterator[None]:
    """Hold the lock that migsync takes for its changes, on a connection of its own; raises LockTimeout.

    Not held where the database is fresh, is not one that migsync knows, or cannot be reached: what is to be said then
    is Django's to say.
    """
    with ExitStack() as stack:
        try:
            (config,) = choose(find_project(), [alias])
            target = stack.enter_context(open_target(config))
            table = target.table
        except TargetError:
            table = None
        if table is not None:
            connection = stack.enter_context(target.connect())
            with target.behaviour.explained():
                target.behaviour.reserve(connection, table, Deadline(PATIENCE))
        yield


def _survey(alias: str) -> Survey:
    found = survey(find_project(), PlanRequest(databases=(alias,)))
    for error in found.errors.values():
        if not isinstance(error, TargetError):
            found.__exit__(None, None, None)
            raise error
    return found
