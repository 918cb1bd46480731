"""About the Celery workers of ``--workers celery``."""

from __future__ import annotations

from migsync.errors.base import MigsyncError


class WorkersUnusable(MigsyncError):
    """The project's Celery workers cannot be used.

    Celery is not installed, the project's Celery app was not found or does not import, the broker cannot be reached, no
    worker answers, or a worker does not know migsync's task. Nothing was sent and nothing was changed. The message says
    which of these it is. Fix it, or leave out ``--workers`` to change the databases from this machine.
    """

    code = "workers"


class NotTaken(MigsyncError):
    """No worker did the work for a database in time.

    No worker began the task within ``--timeout``: the workers are busy, stopped or not connected to this queue, or
    their clocks are wrong. Nothing was changed in this database, and the task has expired, so that it does not run
    later. Look at the workers, then run the same command again: it goes on with what is not done.
    """

    code = "not-taken"
    default_hint = "Look at the workers and their logs, then run the same command again, or wait longer with --timeout."


class OtherFiles(MigsyncError):
    """A worker would make another plan than the one that was shown.

    Its migration files, its rewrites or its settings are not those that the plan was made from: usually another version
    of the project is deployed there, or the worker was not restarted. It changed nothing. Deploy the same version to
    the workers, restart them, and run the same command again.
    """

    code = "other-files"
    default_hint = "Deploy the same version to the workers and restart them, then run the same command again."
