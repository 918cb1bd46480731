"""About a plan, a run, and the person who decides."""

from __future__ import annotations

from migsync.errors.base import ExitStatus, MigsyncError


class PlanFileError(MigsyncError):
    """A plan file cannot be used here.

    It is damaged, was written by another version of migsync, or was made for another database. Make a new plan.
    """

    code = "plan-file"
    default_hint = "Make a new one: migsync plan -o FILE"


class UnknownRun(MigsyncError):
    """No run, or more than one, has this id.

    A run is one execution of a plan, and its id is in the journal of the database in which it happened. ``migsync log``
    lists all of them. An id may be shortened as long as it is unambiguous.
    """

    code = "unknown-run"
    default_hint = "To list the runs: migsync log"


class Blocked(MigsyncError):
    """The plan has errors and was not applied.

    The findings above the message say why, one by one. Nothing was changed in this database.
    """

    code = "blocked"


class StalePlan(MigsyncError):
    """The records changed since the plan was made.

    The plan fits other rows than the database has now. Nothing was changed. Make a new plan and review it.
    """

    code = "stale-plan"
    exit_status = ExitStatus.STALE
    default_hint = "Make a new plan: migsync plan"


class PartlyDone(MigsyncError):
    """Some databases are done and some are not.

    Each database is changed in a transaction of its own. Those that are done stay done. Fix the cause and run the same
    command again: it skips what is done.
    """

    code = "partly-done"
    exit_status = ExitStatus.PARTLY


class Interrupted(MigsyncError):
    """The command was stopped before it changed anything.

    You answered no, or pressed Ctrl-C.
    """

    code = "interrupted"


class NeedsConsent(MigsyncError):
    """A question has to be answered and nobody is there to answer it.

    Without a terminal, a command that changes something asks for ``--noinput``, so that no script does it by accident.
    """

    code = "needs-consent"
    default_hint = "Look at it with --dry-run, then add --noinput."
