"""The databases that change with the files: the journal row of the first that commits is the commit point of both."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from migsync.errors import Interrupted, MigsyncError

if TYPE_CHECKING:
    from migsync.project import Project
    from migsync.sync.apply import Outcome

RunWasCommitted = Callable[[str, str], bool | None]
"""(alias, run id) -> whether that database's journal holds the run; None when that cannot be told now."""


@dataclass(frozen=True)
class DatabaseStep:
    """One database to be changed with the files.

    `apply` is called with the run id, which was made before: ``lambda run: apply_plan(target, plan, run_id=run)``. The
    run must be journaled, otherwise nothing could tell afterwards whether it was committed.
    """

    alias: str
    run_id: str
    apply: Callable[[str], Outcome]


@dataclass(frozen=True)
class DatabaseResult:
    """What became of one step: an outcome or an error."""

    alias: str
    run_id: str
    outcome: Outcome | None = None
    error: MigsyncError | None = None

    @property
    def committed(self) -> bool:
        """True when this run changed the database."""
        from migsync.sync.apply import Status

        if self.outcome is None:
            return False
        # Tried again after it had committed, apply meets its own run in the journal.
        own = self.outcome.run is not None and self.outcome.run.id == self.run_id
        return own or self.outcome.status is Status.APPLIED


def run_step(step: DatabaseStep) -> DatabaseResult:
    """Apply one database's plan; an error becomes part of the result."""
    try:
        return DatabaseResult(step.alias, step.run_id, outcome=step.apply(step.run_id))
    except MigsyncError as error:
        return DatabaseResult(step.alias, step.run_id, error=error)


def settled_step(step: DatabaseStep) -> DatabaseResult:
    """The result of a step that Ctrl-C interrupted, and that was committed according to the journal."""
    from migsync.sync.apply import Outcome, Status

    return DatabaseResult(step.alias, step.run_id, outcome=Outcome(Status.APPLIED, interrupted=True))


def not_begun(step: DatabaseStep) -> DatabaseResult:
    """The result of a step that was not started, because Ctrl-C came first."""
    error = Interrupted(f"Interrupted. Nothing was changed in {step.alias}.")
    return DatabaseResult(step.alias, step.run_id, error=error)


def journals_of(project: Project) -> RunWasCommitted:
    """A function that looks a run up in the journal of a database of `project`.

    It answers None for a database that cannot be reached, and for an alias that is gone from the settings.
    """

    def was_committed(alias: str, run_id: str) -> bool | None:
        from migsync.sync.apply import settle
        from migsync.sync.target import open_target

        try:
            (config,) = project.targets([alias])
            with open_target(config) as target:
                # The journal's tables are made before the first run: without them none was committed.
                # settle() waits for the lock first: a server can commit seconds after its client was killed.
                return bool(settle(target, run_id, lock_timeout=project.lock_timeout))
        except MigsyncError:
            return None

    return was_committed
