"""``--workers celery``: the project's own Celery workers carry out the plans."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from migsync.cli.options import option, option_group
from migsync.errors import NOTHING_CHANGED, UsageError, WorkersUnusable
from migsync.redaction import redact
from migsync.words import text_list

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from migsync.cli.applier import Applier
    from migsync.project import Project
    from migsync.rewrites.rewrite import Rewrite
    from migsync.sync.plan_request import PlanRequest

TIMEOUT = 300.0
ANSWER_SECONDS = 1.0
"""So long is waited for workers that have not answered yet."""
ATTEMPTS = 5
CONNECT_SECONDS = 5.0
NAMED = 5
REGISTER = (
    'Put "migsync.companion" into INSTALLED_APPS, or the module migsync.companion.tasks into the imports of the Celery '
    "app; then restart the workers."
)


@dataclass(frozen=True)
class Workers:
    """The workers that take migsync's tasks. `processes` is how many tasks they carry out at a time, all together."""

    app: Any
    timeout: float
    processes: int


def applying(workers: Workers | None, request: PlanRequest) -> AbstractContextManager[Applier | None]:
    """Has the workers carry out plans that were made with `request`; None for this process."""
    if workers is None:
        return nullcontext()
    from migsync.cli.celery_applier import CeleryApplier

    return CeleryApplier(workers.app, request, workers.timeout)


@option_group
class WorkersOptions:
    """Who carries out the plans."""

    workers: str | None = option(
        type=click.Choice(("celery",)),
        help="Have the Celery workers of the project carry out the plans, --jobs of them at a time.",
    )
    timeout: float | None = option(
        type=click.FloatRange(min=0, min_open=True),
        metavar="SECONDS",
        help="With --workers, give up a database whose task no worker has done in this time. Default: 300.",
    )

    @contextmanager
    def open(self, project: Project, *, journal: bool = True, dry_run: bool = False) -> Iterator[Workers | None]:
        """The workers that were asked for, and that answer; None for this process. Raises WorkersUnusable."""
        if self.timeout is not None and not self.workers:
            raise UsageError("--timeout needs --workers.", "Without it, this command changes the databases itself.")
        if self.workers and not journal:
            raise UsageError(
                "--workers cannot be combined with working without a journal.",
                "The journal of each database says what a worker has done.",
            )
        if not self.workers or dry_run:
            yield None
            return
        from migsync.project.celery_app import celery_app

        with celery_app(project) as app:
            yield Workers(app, self.timeout or TIMEOUT, ready_processes(app))


def require_written(proposed: Rewrite | None) -> None:
    """Raise WorkersUnusable for plans that depend on a rewrite which no file holds."""
    if proposed:
        raise WorkersUnusable(
            "The plan depends on a rewrite that is not written yet.",
            f"Workers have only the files that are deployed there. {NOTHING_CHANGED}",
            "Write the rewrite (migsync rewrite, with the same statements), commit and deploy it, then run the command "
            "again.",
        )


def ready_processes(app: Any) -> int:  # noqa: ANN401 (Celery has no types)
    """How many tasks the workers that take ours carry out at a time.

    Raises WorkersUnusable where no broker and no worker answers, and where a worker would take our tasks without
    knowing them: Celery drops such tasks.
    """
    from kombu.exceptions import OperationalError

    from migsync.sync.task_message import TASK

    try:
        with app.connection_for_write(connect_timeout=CONNECT_SECONDS) as connection:
            connection.ensure_connection(max_retries=1, interval_start=0, timeout=CONNECT_SECONDS)
        names = _answering(app)
        tasks, queues, pools = (_asked(app, what, len(names)) for what in ("registered", "active_queues", "stats"))
        route = app.amqp.router.route({}, TASK, (), {})
    except (OperationalError, OSError) as error:
        said = redact(str(error)).strip() or type(error).__name__
        raise WorkersUnusable(
            f"The broker of the Celery app cannot be reached: {said}",
            NOTHING_CHANGED,
            "Check that the broker runs, and that the Celery app has its URL. Then run the command again.",
        ) from error
    queue = getattr(route.get("queue"), "name", "")
    listening = [name for name in names if not queue or queue in _queue_names(queues.get(name))]
    if not listening:
        raise WorkersUnusable(
            f"No Celery worker takes tasks from the queue {queue}." if names else "No Celery worker answers.",
            f"{'Those that answer take other queues' if names else 'None is running on this broker'}, or it is too "
            f"busy. {NOTHING_CHANGED}",
            "Start workers, for example: celery -A PROJECT worker" + (f" -Q {queue}" if queue else ""),
        )
    if unaware := [name for name in listening if TASK not in _task_names(tasks.get(name))]:
        raise WorkersUnusable(
            f"The task {TASK} is not known to {text_list(unaware, NAMED)}.",
            f"A worker drops a task that it does not know. {NOTHING_CHANGED}",
            REGISTER,
        )
    return sum(_concurrency(pools.get(name)) for name in listening) or len(listening)


def _answering(app: Any) -> list[str]:  # noqa: ANN401
    # A worker on a busy machine may not answer the first time.
    for _ in range(ATTEMPTS):
        if found := _broadcast(app, "ping"):
            return sorted(found)
    return []


def _asked(app: Any, what: str, workers: int) -> dict[str, Any]:  # noqa: ANN401
    # So many answer, and the last answer ends the waiting.
    return _broadcast(app, what, limit=workers, timeout=ANSWER_SECONDS * ATTEMPTS) if workers else {}


def _broadcast(app: Any, what: str, **how: Any) -> dict[str, Any]:  # noqa: ANN401
    replies = app.control.broadcast(what, reply=True, **{"timeout": ANSWER_SECONDS, **how})
    return {name: said for reply in replies or () for name, said in reply.items()}


def _queue_names(said: object) -> list[str]:
    return [str(each.get("name")) for each in said if isinstance(each, Mapping)] if isinstance(said, Iterable) else []


def _task_names(said: object) -> list[str]:
    # Attributes of a task may follow its name.
    return [str(each).split(" ")[0] for each in said] if isinstance(said, Iterable) else []


def _concurrency(said: object) -> int:
    pool = said.get("pool") if isinstance(said, Mapping) else None
    found = pool.get("max-concurrency") if isinstance(pool, Mapping) else None
    return found if isinstance(found, int) else 1
