"""About a proof by Django's loader: of the old files and the new ones, what differs in what Django makes of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from migsync.findings.entry import Texts, entry
from migsync.findings.finding import Severity
from migsync.key import Key
from migsync.words import count, text_list

NAMED = 5


@entry("proof-failed", Severity.ERROR)
def proof_failed(
    *, reason: str, before: str = "", same: bool = False, app: str, name: str, file: str, line: int, operation: int
) -> Texts:
    """Django cannot load the new files.

    Before anything is written, migsync starts your project twice: with the files as they are, and with the files that
    it would write. With the new files something raised an exception. If they were written, every `manage.py` command
    that loads migrations would fail in the same way. Nothing has been changed.

    - If the current files fail with the same error, the error is in your project. Run `python manage.py check` and
      `python manage.py migrate --plan`, fix what they report, and run the command again.
    - If not, look at the migration and the line that the message names. Usually a value or an import there depends on a
      name or a file that the command changes.
    """
    if same:
        return Texts(
            reason, "The current files fail in the same way. Fix that first: nothing can be proven until then."
        )
    if before:
        return Texts(reason, f"The current files fail too, in another way: {before}")
    return Texts(reason, "The current files do not fail. Only the new files do.")


@entry("nothing-to-compare", Severity.WARNING)
def nothing_to_compare(*, reason: str, file: str, line: int) -> Texts:
    """Django cannot load the current files, so there is nothing to compare the new ones with.

    This is normal where the command repairs files that Django refuses, such as an app with conflicting migrations. The
    new files do load, and migsync checks that they lead to the models of your code. What it cannot check is that the
    new files do the same as the current ones.

    Look through the changes of the files before you go on. If the error is not what you wanted to repair, fix it first
    and run the command again, so that the whole comparison is made.
    """
    return Texts(
        f"Django cannot load the current files. {reason}",
        "The new files load. They can only be compared with the models in your code.",
    )


@entry("leaves", Severity.ERROR)
def leaves(*, app: str, ends: Sequence[str], expected: int) -> Texts:
    """An app would have a different number of leaf migrations than it should.

    A leaf is a migration on which no other migration of its app depends. With more than one, Django refuses to run
    `migrate` and `makemigrations`. A command that changes files keeps the number of leaves, or reduces it to one. Here
    it would not. So the command is refused, and nothing has been changed.

    Look at `migsync graph` for the app.

    - If the app had several leaves before, run `migsync fix-conflicts` first.
    - If it had one, this is a bug of migsync. Please report it, with the output of `migsync graph`.
    """
    return Texts(
        f"{app} would have {count(len(ends), 'leaf migration')} instead of {expected}: {text_list(ends) or 'none'}.",
        "If an app has several leaves, Django refuses to run `migrate`.",
    )


@entry("model-changes", Severity.ERROR)
def model_changes(*, app: str, change: str, old_fails: bool = False) -> Texts:
    """With the new files, `makemigrations` would find a change that it does not find now.

    The new migrations do not lead to the models of your code, but the current ones do. If they were written, the next
    `makemigrations` would make a migration for the difference, and it would run on databases that need no change. The
    command is refused, and nothing has been changed.

    Usually the order of the migrations matters: two of them change the same field or the same options, and the last one
    wins. Leave these migrations out of the range, or out of what is moved, and run the command again.

    If Django cannot load the current files, the models are all that the new files can be compared with. A change of the
    models that has no migration yet then looks the same as a fault. Take that change out of the models, run the command
    again, and put it back afterwards.
    """
    found = f"With the new files, `makemigrations` would add to {app}: {change}."
    meaning = "The new files do not lead to the models in your code."
    if not old_fails:
        return Texts(found, f"{meaning} The current files do.")
    return Texts(
        found,
        f"{meaning} Django cannot load the current files, so there is nothing else to compare with.",
        "If the models have a change without a migration, take it out, run the command again, and put it back.",
    )


@entry("models-ahead", Severity.INFO)
def models_ahead(*, changes: Mapping[str, int]) -> Texts:
    """Your models have changes that no migration contains yet.

    `makemigrations` would find these changes with the current files and with the new ones, so they say nothing about
    the command that you run. It goes on.

    You can make the migrations before or after. If other people work on the same apps, commit the rewritten files
    first, and make the new migrations on top of them.
    """
    counts = ", ".join(f"{app} ({number})" for app, number in sorted(changes.items()))
    return Texts(
        f"{count(sum(changes.values()), 'model change')} without a migration: {counts}.",
        "The result is the same with the current and with the new files, so this does not stop the command.",
        "To make the migrations: python manage.py makemigrations",
    )


@entry("state-differs", Severity.ERROR)
def state_differs(
    *, app: str, model: str, part: str = "", item: str = "", before: str | None = None, after: str | None = None
) -> Texts:
    """The new migrations lead to different models than the current ones.

    migsync has Django replay both histories in memory, without a database, and compares the models at their ends: their
    fields, options, bases and managers. They must be equal, or later migrations would start from a wrong state and
    `makemigrations` would make changes that no database needs. The command is refused, and nothing has been changed.

    Usually two migrations change the same thing and their order matters: the last one wins. Keep them in their order,
    by leaving one of them out of what is moved or squashed, and run the command again.
    """
    meaning = "The new files lead to other models than the current ones. Usually the order of two migrations matters."
    named = f"{app}.{model}"
    if not part:
        return Texts(f"Only the {'new' if before is None else 'current'} files create the model {named}.", meaning)
    if before == after:
        found = f"The {part}s of {named} are in another order. Its default {part} may differ."
    else:
        which = f"{part} {item}" if item else part
        differ = "differ" if part == "bases" else "differs"
        found = f"The {which} of {named} {differ}:\nnow: {before or 'none'}\nwith the new files: {after or 'none'}"
    return Texts(found, meaning)


@entry("field-order", Severity.WARNING)
def field_order(*, app: str, model: str, before: Sequence[str], after: Sequence[str]) -> Texts:
    """The fields of a model are in a different order than before.

    Existing databases keep their columns as they are. A database that is built from the new files gets the same columns
    in another order. Django names the columns in its queries, so it does not depend on their order.

    Go on, unless something reads the table by position: `INSERT INTO … VALUES` without a list of columns, `COPY`
    without one, or `SELECT *` in a program that counts columns. In that case leave the model's migrations out.
    """
    places = [place for place, (one, other) in enumerate(zip(before, after, strict=True)) if one != other]
    first, last = places[0], places[-1] + 1
    lead, tail = "… " if first else "", " …" if last < len(before) else ""
    old, new = (f"{lead}{', '.join(names[first:last])}{tail}" for names in (before, after))
    return Texts(
        f"The fields of {app}.{model} are in another order:\nnow: {old}\nwith the new files: {new}",
        "New databases get the same columns in another order. That makes no difference to Django.",
    )


@entry("plan-error", Severity.ERROR)
def plan_error(*, alias: str, reason: str, app: str = "", name: str = "") -> Texts:
    """With the new files, `migrate` would fail before it runs anything.

    For each database that can be read, and for a fresh one, migsync asks Django what `migrate` would run. With the
    current files Django answers, and with the new ones it raises an error: mostly InconsistentMigrationHistory, because
    a migration is recorded as applied before one that it would depend on. The command is refused, and nothing has been
    changed.

    Compare the order of the new files with what the database has applied: `migsync plan` lists its records. Usually it
    helps to run `python manage.py migrate` there first, with the current files, and then the command again.
    """
    return Texts(f"`migrate` would fail on {_database(alias)}: {reason}", "With the current files it does not.")


@entry("plan-conflict", Severity.ERROR)
def plan_conflict(*, alias: str, app: str, ends: Sequence[str]) -> Texts:
    """With the new files, `migrate` would stop because an app has conflicting migrations.

    For Django, an app has conflicting migrations if it has several leaves: migrations on which no other migration of
    the app depends. For this database, the app has one leaf with the current files, and would have several with the new
    ones. The command is refused, and nothing has been changed.

    Usually the database has applied only a part of a squash. Run `python manage.py migrate` on that database first, and
    then the command again. Otherwise look at the app with `migsync graph`.
    """
    return Texts(
        f"`migrate` would stop on {_database(alias)}: {app} would have {count(len(ends), 'leaf migration')}, "
        f"{text_list(ends)}.",
        "With the current files it does not.",
    )


@entry("plan-differs", Severity.ERROR)
def plan_differs(*, migration: Key, alias: str, lost: Sequence[Key] = (), extra: Sequence[Key] = ()) -> Texts:
    """With the new files, `migrate` would not run the same migrations on a database.

    migsync asks Django what `migrate` would run with the current files, and what it would run with the new files once
    the records are up to date. If `migrate` ran fewer migrations, their changes would never reach the database. If it
    ran more, it would repeat changes that the database has, and would fail or damage data. The command is refused, and
    nothing has been changed.

    Run `migsync plan` and look at the records of the migrations that the message names. Where the database is simply
    behind, run `python manage.py migrate` with the current files first, and then the command again.
    """
    if lost:
        return Texts(
            f"`migrate` would no longer run {text_list(lost, NAMED)} on {_database(alias)}.",
            "With the current files it would. Their changes would never reach that database.",
        )
    return Texts(
        f"`migrate` would run {text_list(extra, NAMED)} on {_database(alias)}.",
        "With the current files it would not: they are applied there already.",
    )


@entry("plan-order", Severity.ERROR)
def plan_order(*, migration: Key, other: Key, child: Key, alias: str) -> Texts:
    """With the new files, `migrate` would run a migration before one that it needs.

    In the current files one migration depends on another one, directly or through its parents. In the new files that
    dependency is gone, and Django would choose the other order. The migration might fail there, or do something else
    than it did. The command is refused, and nothing has been changed.

    If the dependency is not needed any more, remove it from the current file and run the command again. Otherwise leave
    one of the two migrations out of what is moved or squashed.
    """
    return Texts(
        f"`migrate` would run {migration} before {other} on {_database(alias)}.",
        f"In the current files, {child} depends on it.",
    )


def _database(alias: str) -> str:
    """What a person calls a database; one without an alias is fresh."""
    return f"the database {alias!r}" if alias else "a fresh database"
