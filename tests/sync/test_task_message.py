"""Messages for Celery workers: what is in them, and what a worker makes of those that nobody of ours has written."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from migsync.api import find_project
from migsync.cli.document_schema import document_schema
from migsync.decoder import DecodeError
from migsync.errors import InDoubt, LockTimeout, MigsyncError, NotPermitted, OtherFiles, PlanFileError, StalePlan
from migsync.rewrites.record import fingerprints
from migsync.rewrites.version_index import VersionIndex
from migsync.sync.apply import Outcome, apply_plan
from migsync.sync.kept_plans import KeptPlans
from migsync.sync.message_review import done_before, plan_here
from migsync.sync.plan import Plan
from migsync.sync.plan_request import PlanRequest
from migsync.sync.survey import open_survey, survey
from migsync.sync.target import Target, open_target
from migsync.sync.task_message import TaskAnswer, TaskMessage, TaskState
from migsync.sync.undo import rows_after
from migsync.sync.unnamed_schemas import Schemas
from tests.cli.entries import NEW, OLD, Project, database, names, project
from tests.databases import Database

__all__ = ["database", "project"]

RUN = "0123456789abcdef" * 2
DEFINITIONS = document_schema()


def message(project: Project, **fields: Any) -> TaskMessage:
    with survey(find_project(root=project.root), PlanRequest()) as found:
        [plan] = found.plans
    made = TaskMessage.of(RUN, plan, PlanRequest(), lock_timeout=5, reason="release 42", author="me@here")
    return replace(made, **fields)


def delivered(sent: TaskMessage) -> TaskMessage:
    return TaskMessage.from_dict(json.loads(json.dumps(sent.as_dict())))


@contextmanager
def target_of(project: Project) -> Iterator[Target]:
    [config] = find_project(root=project.root).targets()
    with open_target(config) as target:
        yield target


def work(project: Project, sent: TaskMessage) -> Outcome:
    """What a worker does with a message."""
    with target_of(project) as target:
        if done := done_before(target, sent):
            return done
        found = find_project(root=project.root)
        with open_survey(found) as files:
            kept = KeptPlans(files.history, VersionIndex(files.history, found.cache.with_suffix(".versions")))
            plan = plan_here(sent, target, files, Schemas(), kept, worker="w1@here")
        if isinstance(plan, Outcome):
            return plan
        return apply_plan(target, plan, run_id=sent.run, reason=sent.reason, author=sent.author)


def test_what_is_sent_is_what_comes(project: Project) -> None:
    sent = message(project)
    assert delivered(sent) == sent
    schema = {**DEFINITIONS, "$ref": "#/$defs/task_message"}
    Draft202012Validator(schema).validate(json.loads(json.dumps(sent.as_dict())))
    assert str(project.root) not in json.dumps(sent.as_dict())


def test_a_message_is_carried_out_once(project: Project, database: Database) -> None:
    sent = message(project)
    first = work(project, sent)
    assert (first.status, names(database)) == ("applied", NEW)
    assert first.run and (first.run.id, first.run.reason, first.run.author) == (RUN, "release 42", "me@here")
    again = work(project, sent)
    assert (again.status, again.run and again.run.id) == ("already applied", RUN)
    assert project.run("undo", "--noinput").status == 0
    assert work(project, sent).status == "already applied"
    assert names(database) == OLD


def test_another_message_for_the_same_plan_finds_the_run(project: Project) -> None:
    sent = message(project)
    first, other = work(project, sent), work(project, replace(sent, run="f" * 32))
    assert (other.status, other.run) == ("already applied", first.run)


def test_an_undo_goes_by_message_too(project: Project, database: Database) -> None:
    assert project.run("apply", "--noinput").status == 0
    with target_of(project) as target:
        [run] = target.runs()
        from migsync.sync.undo import plan_undo

        plan = plan_undo(target.ref, run, target.read() or (), [run])
    sent = TaskMessage.of(RUN, plan, PlanRequest(), lock_timeout=5, reason="", author="me@here")
    assert work(project, delivered(sent)).status == "applied"
    assert names(database) == OLD
    assert project.run("apply", "--noinput").status == 0
    unknown = replace(plan, undoes="e" * 32)
    with pytest.raises(StalePlan):
        work(project, replace(sent, run="d" * 32, plan=unknown))


def forged(plan: Plan, records: Any, name: str) -> Plan:
    """A plan that renames the row to something else, and fits in itself."""
    [change] = plan.changes
    assert change.after
    changes = (replace(change, after=change.after._replace(name=name)),)
    return replace(plan, changes=changes, fingerprints_after=fingerprints(rows_after(records, changes), ["shop"]))


def test_a_forged_message_changes_nothing(project: Project, database: Database) -> None:
    sent = message(project)
    with target_of(project) as target:
        records = target.read() or ()
    other = delivered(replace(sent, plan=forged(sent.plan, records, "0009_other")))
    with pytest.raises(OtherFiles) as raised:
        work(project, other)
    assert "The worker w1@here makes another plan for default" in raised.value.found
    assert "0009_other" in raised.value.found
    elsewhere = replace(sent.plan.target, identity="another")
    with pytest.raises(PlanFileError):
        work(project, delivered(replace(sent, plan=replace(sent.plan, target=elsewhere))))
    assert names(database) == OLD


def test_rows_that_have_changed_since_are_stale(project: Project, database: Database) -> None:
    sent = message(project)
    database.execute("UPDATE django_migrations SET applied = '2026-04-01 10:00:00' WHERE id = 2")
    with pytest.raises(StalePlan):
        work(project, sent)
    assert names(database) == OLD


def test_a_message_that_was_edited_is_not_one(project: Project) -> None:
    document = json.loads(json.dumps(message(project).as_dict()))
    for place, value in (
        (("plan", "changes", 0, "after", "name"), "0009_other"),
        (("plan", "target", "identity"), "another"),
        (("run",), "../../etc"),
        (("lock_timeout",), 1e9),
        (("lock_timeout",), True),
        (("author",), "me\nforged line"),
        (("backwards",), "yes"),
        (("kind",), "plan"),
        (("format_version",), 2),
        (("url",), "postgresql://elsewhere/"),
    ):
        edited = json.loads(json.dumps(document))
        inner = edited
        for step in place[:-1]:
            inner = inner[step]
        inner[place[-1]] = value
        with pytest.raises(DecodeError):
            TaskMessage.from_dict(edited)
    for other in (None, [], "x", {}, [document]):
        with pytest.raises(DecodeError):
            TaskMessage.from_dict(other)


@pytest.mark.parametrize(
    "error",
    [
        StalePlan("found", "meaning", "hint"),
        LockTimeout("found"),
        InDoubt("found", interrupted=True),
        NotPermitted("found", right="SELECT"),
        OtherFiles("found"),
        MigsyncError("found"),
    ],
)
def test_an_answer_keeps_what_kind_of_error_it_is(error: MigsyncError) -> None:
    answer = TaskAnswer(RUN, TaskState.FAILED, "w1@here", error=error)
    document = json.loads(json.dumps(answer.as_dict()))
    Draft202012Validator({**DEFINITIONS, "$ref": "#/$defs/task_answer"}).validate(document)
    came = TaskAnswer.from_dict(document).error
    assert came is not None
    assert type(came) is type(error)
    assert (came.found, came.meaning, came.hint) == (error.found, error.meaning, error.hint)


def test_an_answer_of_a_newer_migsync_keeps_its_words() -> None:
    document = TaskAnswer(RUN, TaskState.FAILED, "w1", error=MigsyncError("found")).as_dict()
    document["error"]["code"] = "not-known-yet"
    came = TaskAnswer.from_dict(document).error
    assert came is not None
    assert (type(came), came.found) == (MigsyncError, "found")
    with pytest.raises(DecodeError):
        TaskAnswer.from_dict({**document, "state": "ended"})
