"""migsync as functions, for deployment scripts.

::

    from migsync import api

    found = api.survey()
    for database in found.databases:
        print(database.alias, database.state)
    api.apply(reason="release 42")

Each function takes a project, or finds the one that the current directory is in, as the commands do. They do what the
commands of their names do, by the same code; they print nothing and ask nothing. What goes wrong is a
:class:`MigsyncError`, with the `code` that ``migsync explain`` knows.

A deployment that needs no decision in Python is as well served by ``migsync apply --noinput``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from migsync.check.comparison import Comparison, compare
from migsync.cli.application import Application
from migsync.cli.execution import Execution, undo_all
from migsync.cli.options import ConsentOptions
from migsync.cli.output import Output
from migsync.cli.plan_set import open_plan_set, plan_again
from migsync.cli.prompts import require_reason
from migsync.cli.recovery import settle_files
from migsync.cli.results import Result, common_error
from migsync.cli.rollout import Rollout
from migsync.cli.targets import open_targets, readable_rewrites, undo_plans
from migsync.cli.views.documents import plan_state
from migsync.errors import MigsyncError, UsageError
from migsync.findings import Finding, Severity
from migsync.project import Project, find_project
from migsync.project.root import find_root, usual_start
from migsync.sync.plan import Change, ChangeKind, Plan
from migsync.sync.plan_file import PlanFile, load_plans, save_plans
from migsync.sync.plan_request import PlanRequest
from migsync.sync.run import Run
from migsync.sync.survey import Survey
from migsync.sync.survey import survey as make_survey

__all__ = [
    "Change",
    "ChangeKind",
    "Comparison",
    "DatabaseReport",
    "Finding",
    "MigsyncError",
    "NotAllDone",
    "Plan",
    "PlanFile",
    "PlanRequest",
    "Project",
    "ProjectReport",
    "Result",
    "Rollout",
    "Run",
    "Severity",
    "apply",
    "check",
    "find_project",
    "load_plans",
    "plan",
    "save_plans",
    "survey",
    "undo",
]

EVERYTHING = PlanRequest()
ONE_AT_A_TIME = Rollout()


class NotAllDone(MigsyncError):
    """A database could not be changed, or not every one.

    The code and the sentences are those of the error of the database (of PartlyDone, if others were changed).
    `results` says what became of each database.
    """

    def __init__(self, error: MigsyncError, results: Sequence[Result]) -> None:
        super().__init__(error.found, error.meaning, error.hint)
        self.code = error.code
        self.exit_status = error.exit_status
        self.results = tuple(results)


@dataclass(frozen=True)
class DatabaseReport:
    """How one database was found.

    `state` is one of those in the JSON document of ``migsync plan``: ``in line``, ``unexplained``, ``changes``,
    ``blocked``, ``ahead``, ``fresh`` or ``error``. `plan` is None for the last two, and `error` for all others.
    """

    alias: str
    state: str
    plan: Plan | None = None
    last_run: Run | None = None
    error: MigsyncError | None = None

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What was found in this database."""
        return self.plan.findings if self.plan else ()


@dataclass(frozen=True)
class ProjectReport:
    """A project and its databases; `findings` are about the files and the rewrites."""

    project: Project
    databases: tuple[DatabaseReport, ...]
    findings: tuple[Finding, ...] = ()

    @property
    def up_to_date(self) -> bool:
        """True if no database needs a change, and nothing stops ``migrate``."""
        states = {database.state for database in self.databases}
        return states <= {"in line", "unexplained", "fresh"} and not any(each.blocks for each in self.findings)


def survey(project: Project | None = None, *, databases: Sequence[str] = ()) -> ProjectReport:
    """Read the files, the rewrites and the databases (those with these aliases; none: all). Nothing is changed.

    A database that cannot be read is in the state ``error``. Raises MigsyncError for what concerns the whole project.
    """
    with _survey(project, PlanRequest(databases=tuple(databases))) as found:
        return _report(found)


def plan(project: Project | None = None, *, request: PlanRequest = EVERYTHING) -> PlanFile:
    """What must change in each database; :func:`save_plans` writes it to a file, :func:`apply` takes it.

    A plan that must not be applied is `blocked`, and its findings say why. Raises MigsyncError, also where a database
    cannot be read.
    """
    with _survey(project, request) as found:
        for error in found.errors.values():
            raise error
        return found.plan_file


def apply(
    project: Project | None = None,
    plans: Path | PlanFile | None = None,
    *,
    request: PlanRequest = EVERYTHING,
    reason: str = "",
    rollout: Rollout = ONE_AT_A_TIME,
) -> tuple[Result, ...]:
    """Bring each database up to date, in one transaction each, as ``migsync apply --noinput`` does.

    With `plans`, from :func:`plan` or a file, exactly these are applied, or nothing. With ``request.trust_names`` no
    journal is written. `reason` is kept in the log. Returns what became of each database that has something to say.
    Raises NotAllDone where a database was not changed, and other MigsyncErrors where none was tried.
    """
    project, output = project or find_project(), _silent()
    settle_files(output, project)
    journal = project.journal and not request.trust_names
    with open_plan_set(output, project, plans, request, ask=False) as plan_set:
        made = None if plan_set.saved else plan_set.survey
        replan = partial(plan_again, output, made, noinput=True) if made else None
        reason = require_reason(output, plan_set.ready, reason, noinput=True)
        application = Application(output, ConsentOptions(), reason, journal, ("apply",), replan, rollout)
        return _all_done(application.apply(plan_set, reason)[0], "apply")


def undo(
    project: Project | None = None,
    run: str | None = None,
    *,
    databases: Sequence[str] = (),
    since: datetime | None = None,
    reason: str = "",
    rollout: Rollout = ONE_AT_A_TIME,
) -> tuple[Result, ...]:
    """Undo a run exactly, as ``migsync undo --noinput`` does: the ids, names and timestamps of its rows are back.

    `run` is its id, the beginning of the id, or its number; without it, the last run of each database that is in force,
    and that was made at the time `since` or later. Raises as :func:`apply` does.
    """
    project, output = project or find_project(), _silent()
    settle_files(output, project)
    if since and run:
        raise UsageError("since cannot be combined with run.", "It chooses the runs to undo.")
    with open_targets(project, databases, records=True) as found:
        plans, idle = undo_plans(project, found, run, readable_rewrites(project), _in_utc(since))
        execution = Execution(output, project, found.targets, reason, rollout=rollout)
        return _all_done(undo_all(execution, found, plans, idle), "undo")


def check(root: Path | None = None, *, against: str | None = None, head: str | None = None) -> Comparison:
    """Compare the files with those of an older commit, as ``migsync check`` does.

    It needs neither settings nor a database.
    `root` is the project's directory. `against` is the branch to compare with, `head` a commit in place of the files on
    disk. What is wrong is in the `findings` of the result, those that fail a build with `blocks`. Raises MigsyncError
    where there is nothing to compare.
    """
    return compare(find_root(usual_start(), root=root), against=against, head=head)


def _silent() -> Output:
    return Output(out=None, err=None)


@contextmanager
def _survey(project: Project | None, request: PlanRequest) -> Iterator[Survey]:
    project = project or find_project()
    settle_files(_silent(), project)
    with make_survey(project, request) as found:
        yield found


def _report(found: Survey) -> ProjectReport:
    reports = {
        plan.target.alias: DatabaseReport(plan.target.alias, plan_state(plan), plan, _last(found, plan.target.alias))
        for plan in found.plans
    }
    reports |= {alias: DatabaseReport(alias, "fresh") for alias in found.fresh}
    reports |= {alias: DatabaseReport(alias, "error", error=error) for alias, error in found.errors.items()}
    return ProjectReport(found.project, tuple(reports.values()), tuple(found.findings))


def _last(found: Survey, alias: str) -> Run | None:
    return max(found.runs.get(alias, ()), key=lambda run: run.number, default=None)


def _all_done(results: Sequence[Result], command: str) -> tuple[Result, ...]:
    if error := common_error(results, (command,)):
        raise NotAllDone(error, results) from error
    return tuple(results)


def _in_utc(moment: datetime | None) -> str:
    """The moment as the journal writes it; one without a time zone is UTC."""
    if moment is None:
        return ""
    return (moment.astimezone(UTC) if moment.tzinfo else moment).replace(tzinfo=None).isoformat()
