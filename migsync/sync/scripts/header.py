"""The comment at the head of a script: what it does, where, how to run it and how to take it back."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

import migsync
from migsync.escapes import sql_comment
from migsync.sync.plan import Change, ChangeKind
from migsync.sync.run import RunKind
from migsync.sync.scripts.draft import Draft, row_of
from migsync.words import count

CLIENTS = {
    "postgresql": "psql -X -v ON_ERROR_STOP=1 -d DATABASE -f {file}",
    "mysql": "mariadb DATABASE < {file}    (or mysql)",
    "sqlite": "sqlite3 -bail -cmd '.timeout 10000' DATABASE < {file}",
}
WORDS = {ChangeKind.RENAME: "rename", ChangeKind.REMOVE: "removal", ChangeKind.INSERT: "insert"}


def header(draft: Draft) -> str:
    """The comment, ending with an empty line."""
    return "".join(f"-- {line}".rstrip() + "\n" for line in _lines(draft)) + "\n"


def journal_header(engine: str, file: str) -> str:
    """The comment over the statements that create the journal; `file` is the name that the script gets."""
    run = CLIENTS[engine].format(file=_argument(file))
    return (
        f"-- migsync {migsync.__version__}: the journal, which notes every run of migsync beside django_migrations.\n"
        "-- Creates the two tables where they are absent; run it any number of times, in the schema of the table.\n"
        f"-- Run        {run}\n\n"
    )


def _lines(draft: Draft) -> Iterator[str]:
    plan, target = draft.plan, draft.plan.target
    # The names that `migsync script` gives.
    names = [_argument(f"{target.alias}.{what}.sql") for what in ("apply", "undo")]
    run, take_back = reversed(names) if draft.undone_plan else names
    client = CLIENTS.get(target.engine, "{file}")
    yield f"migsync {migsync.__version__}: {_title(draft)}"
    yield ""
    yield from _summary(draft)
    yield ""
    yield f"Database    {sql_comment(target.alias)} ({sql_comment(target.engine)}{_schema(draft)})"
    yield f"Identity    {sql_comment(target.identity)}"
    yield f"Run         {client.format(file=run)}"
    yield f"Take back   {client.format(file=take_back)}"
    if draft.journal and draft.kind is RunKind.APPLY:
        yield f"            or: migsync undo --database {_argument(target.alias)}"
    yield ""
    yield "All of it is done or nothing is, whatever the client does after an error. It may be run again."
    yield f'At the end it says "migsync: {draft.done}, {draft.count}", "migsync: already {draft.done}",'
    yield 'or "migsync: stale, nothing changed" where the rows are not those of the plan.'
    for verb, rewrites in (("Goes through", plan.passed), ("Goes back from", plan.returned)):
        if rewrites:
            yield ""
            yield f"{verb}:"
            yield from (f"  {sql_comment(rewrite.label)}" for rewrite in rewrites)
    if plan.changes:
        yield ""
        yield from _changes(plan.changes)


def _argument(text: str) -> str:
    """An argument of a command that a person may copy into a shell."""
    return sql_comment(shlex.quote(text))


def _title(draft: Draft) -> str:
    if draft.undone_plan:
        return f"take back plan {draft.undone_plan}"
    if draft.plan.undoes:
        return f"take back run {sql_comment(draft.plan.undoes)} (plan {draft.plan.id})"
    return f"apply plan {draft.plan.id}"


def _schema(draft: Draft) -> str:
    schema = draft.plan.target.schema
    return f", schema {sql_comment(schema)}" if schema else ""


def _summary(draft: Draft) -> Iterator[str]:
    counted = []
    for kind, word in WORDS.items():
        if number := sum(change.kind is kind for change in draft.plan.changes):
            counted.append(count(number, word))
    if counted:
        yield f"{', '.join(counted)} in django_migrations."
        yield "Every row that stays keeps its id and its applied timestamp."
    else:
        yield "No row of django_migrations changes; only the journal notes what the names have been through."
    if not draft.journal:
        yield "Without a journal: this script and its counterpart are the only record of what was done."


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
        return f"new row: {image}" if row.id is None else f"row {row.id} comes back: {image}"
    if change.after is None:
        return f"row is removed: {image}" if row.id is None else f"row {row.id} is removed: {image}"
    return f"row {row.id}: {sql_comment(str(change.before.key))} -> {sql_comment(str(change.after.key))}"
