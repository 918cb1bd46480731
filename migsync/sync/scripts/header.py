"""The comment at the head of a script: what it does, where, how to run it and how to undo it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

import migsync
from migsync.engines import Engine, engine_named
from migsync.engines.script import ScriptPlan
from migsync.escapes import sql_comment
from migsync.rewrites.rewrite import EVIDENCE, Rewrite
from migsync.sync.plan import Change, ChangeKind, Plan
from migsync.sync.scripts.script_plan import row_of
from migsync.words import count

WORDS = {ChangeKind.RENAME: "rename", ChangeKind.REMOVE: "removal", ChangeKind.INSERT: "insert"}


def header(plan: Plan, script: ScriptPlan, engine: Engine) -> str:
    """The comment, ending with an empty line."""
    return "".join(f"-- {line}".rstrip() + "\n" for line in _lines(plan, script, engine)) + "\n"


def journal_header(engine: str, file: str) -> str:
    """The comment over the statements that create the journal; `file` is the name that the script gets."""
    run = engine_named(engine).client.format(file=_argument(file))
    return (
        f"-- migsync {migsync.__version__}: create the journal, in which migsync notes every run.\n"
        "-- Creates its tables beside django_migrations, unless they exist. It is safe to run it again.\n"
        f"-- To run     {run}\n\n"
    )


def _lines(plan: Plan, script: ScriptPlan, engine: Engine) -> Iterator[str]:
    target = plan.target
    # The names that `migsync script` gives.
    names = [_argument(f"{target.alias}.{what}.sql") for what in ("apply", "undo")]
    run, undo = reversed(names) if script.undone_plan else names
    yield f"migsync {migsync.__version__}: {_title(plan, script)}"
    yield ""
    yield from _summary(plan, script)
    yield ""
    yield f"Database    {sql_comment(target.alias)} ({sql_comment(target.engine)}{_schema(target.schema)})"
    yield f"Identity    {sql_comment(target.identity)}"
    yield f"To run      {engine.client.format(file=run)}"
    yield f"To undo     {engine.client.format(file=undo)}"
    if script.journal and script.done == "applied":
        yield f"            or: migsync undo --database {_argument(target.alias)}"
    yield ""
    yield "It needs:"
    yield f"  a database with the table {f'{sql_comment(target.schema)}.' if target.schema else ''}django_migrations"
    yield from (f"  {need}" for need in engine.script_needs)
    yield "The script checks this first. If it is not so, it says so and changes nothing."
    yield ""
    yield "The script makes all changes or none, even if the client continues after an error."
    yield "It is safe to run it again. The outcome is one of these, or an error:"
    yield f"  migsync: {script.done}, {script.count}"
    yield f"  migsync: already {script.done}"
    yield "  migsync: stale, nothing changed   (the rows are not those of the plan)"
    for verb, rewrites in (("Applies", plan.passed), ("Reverts", plan.returned)):
        if rewrites:
            yield ""
            yield f"{verb}:"
            yield from (f"  {sql_comment(rewrite.label)}{_made(rewrite)}" for rewrite in rewrites)
    if plan.changes:
        yield ""
        yield from _changes(plan.changes)


def _argument(text: str) -> str:
    """An argument of a command that a person may copy into a shell."""
    return sql_comment(shlex.quote(text))


def _title(plan: Plan, script: ScriptPlan) -> str:
    if script.undone_plan:
        return f"undo plan {script.undone_plan}"
    if plan.undoes:
        return f"undo run {sql_comment(plan.undoes)} (plan {plan.id})"
    return f"apply plan {plan.id}"


def _made(rewrite: Rewrite) -> str:
    """With which command a rewrite was made, where it says so."""
    command = "" if rewrite.command == EVIDENCE else f"migsync {rewrite.command}, "
    return f"    ({sql_comment(command)}{sql_comment(rewrite.created)})"


def _schema(schema: str) -> str:
    return f", schema {sql_comment(schema)}" if schema else ""


def _summary(plan: Plan, script: ScriptPlan) -> Iterator[str]:
    counted = []
    for kind, word in WORDS.items():
        if number := sum(change.kind is kind for change in plan.changes):
            counted.append(count(number, word))
    if counted:
        apps = {row.app for change in plan.changes for row in (change.before, change.after) if row}
        yield f"{', '.join(counted)} in django_migrations ({sql_comment(', '.join(sorted(apps)))})."
        yield "Every row that stays keeps its id and its applied timestamp."
    else:
        yield "No row of django_migrations changes. The journal notes which rewrites were applied."
    if not script.journal:
        yield "There is no journal: this script and its counterpart are the only record of what was done."


def _changes(changes: tuple[Change, ...]) -> Iterator[str]:
    """One line per change, under the cause that it shares with its neighbours."""
    cause = None
    for change in changes:
        if change.cause != cause:
            cause = change.cause
            yield f"{sql_comment(cause)}:" if cause else "Changes:"
        yield f"  {_change(change)}"


def _change(change: Change) -> str:
    row = row_of(change)
    image = f"{sql_comment(str(row.key))}, applied {sql_comment(str(row.applied))}"
    if change.before is None:
        return f"insert row: {image}" if row.id is None else f"restore row {row.id}: {image}"
    if change.after is None:
        return f"remove row: {image}" if row.id is None else f"remove row {row.id}: {image}"
    return f"rename row {row.id}: {sql_comment(str(change.before.key))} -> {sql_comment(str(change.after.key))}"
