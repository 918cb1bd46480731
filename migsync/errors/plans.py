"""About a plan, a run, and the person who decides."""

from __future__ import annotations

from migsync.errors.base import ExitStatus, MigsyncError


class PlanFileError(MigsyncError):
    """A plan file cannot be used here.

    It is damaged or was edited, was written by another version of migsync, or was made for another database. Nothing
    was changed. Make a new plan with ``migsync plan -o FILE``.
    """

    code = "plan-file"
    default_hint = "Make a new plan: migsync plan -o FILE"


class UnknownRun(MigsyncError):
    """No run, or more than one, has this id.

    A run is one execution of a plan. Its id is in the journal of the database in which it happened, and ``migsync log``
    lists all of them. You may shorten an id as long as it stays unambiguous, or give the number of the run instead.
    """

    code = "unknown-run"
    default_hint = "To list the runs: migsync log"


class Blocked(MigsyncError):
    """The plan has errors and was not applied.

    Each error of the plan names its cause and what to do about it; ``migsync plan`` shows them all. Nothing was changed
    in this database. Fix the errors, then run the command again.
    """

    code = "blocked"


class StalePlan(MigsyncError):
    """The records changed since the plan was made.

    The plan was made for other rows, files or rewrites than there are now. Nothing was changed. Make a new plan and
    review it.
    """

    code = "stale-plan"
    exit_status = ExitStatus.STALE
    default_hint = "Make a new plan: migsync plan"


class PartlyDone(MigsyncError):
    """Some databases are done and some are not.

    Each database is changed in a transaction of its own, so a failure in one leaves the others as they are. Fix the
    cause and run the same command again: it skips the databases that are done.
    """

    code = "partly-done"
    exit_status = ExitStatus.PARTLY


class Interrupted(MigsyncError):
    """The command was stopped before it changed anything.

    You answered a question with no, or pressed Ctrl-C. To go on, run the command again.
    """

    code = "interrupted"


class NotBegun(MigsyncError):
    """A database was left as it is because others failed before it.

    ``migsync apply`` first applies the plan of one schema of each group of equal plans, the canary. If that fails, the
    other schemas of the group are not begun. After ``--max-failures`` failures, no other database is begun. Fix the
    cause of the failures and run the same command again: it goes on with what is not done.
    """

    code = "not-begun"
    default_meaning = "Nothing was changed there."
    default_hint = "Fix the cause of the failures, then run the same command again."


class NeedsConsent(MigsyncError):
    """A confirmation is needed and nobody can give it.

    A command that changes something asks first. Without a terminal, or with ``--format json``, it cannot ask, and does
    nothing. Look at what it would do with ``--dry-run``, then run it with ``--noinput``.
    """

    code = "needs-consent"
    default_hint = "Look at what it would do with --dry-run, then add --noinput."
