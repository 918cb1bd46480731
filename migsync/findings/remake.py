"""About apps whose migrations are made from scratch."""

from __future__ import annotations

from collections.abc import Sequence

from migsync.findings.entry import Texts, entry
from migsync.findings.finding import Severity
from migsync.key import Key
from migsync.words import text_list

SHOWN = 5


@entry("several-ends", Severity.ERROR)
def several_ends(*, app: str, ends: Sequence[str], onto: str = "") -> Texts:
    """An app has several leaf migrations.

    A leaf is a migration on which no other migration of its app depends. With several leaves, the app has no single
    state that new migrations could be made from, and no single last migration that those of a branch could follow.
    Usually two branches were merged, and each of them had added a migration.

    Put the branches into one line with `migsync fix-conflicts`, then run the command again. If the leaves are on the
    branch that you rebase onto, do that on that branch.
    """
    if onto:
        return Texts(
            f"{app} has {len(ends)} leaf migrations in {onto}: {text_list(ends)}.",
            "It is not clear which of them the migrations of this branch should follow.",
            f"On {onto}, put them into one line first: migsync fix-conflicts --app {app}",
        )
    return Texts(
        f"{app} has {len(ends)} leaf migrations: {text_list(ends)}.",
        "New migrations can only be made from a single state of the app.",
        f"Put them into one line first: migsync fix-conflicts --app {app}",
    )


@entry("changes-pending", Severity.ERROR)
def changes_pending(*, app: str, changes: Sequence[str]) -> Texts:
    """The models of an app have changes that no migration has.

    The new migrations are made from the models as they are now, so they would include these changes. Databases that
    have applied the old migrations get records of the new ones. The changes would be recorded as applied there, and
    `migrate` would never make them.

    Make the missing migration with `makemigrations`, review it, and run the command again. Or revert the changes.
    """
    return Texts(
        f"The models of {app} have changes that no migration has: {text_list(changes, SHOWN)}.",
        "The new migrations would include them, and databases that never got them would record them as applied.",
        f"Make the missing migration first: python manage.py makemigrations {app}",
    )


@entry("cannot-carry", Severity.ERROR)
def cannot_carry(*, migration: Key, operation_name: str, command: str, file: str) -> Texts:
    """An operation can be neither carried over into the new migrations nor left out.

    Usually it is an operation of your own, or of a package, that changes the state of the models. It may also be a
    Migration class with its own `apply`, or a RunSQL class whose `state_operations` cannot be separated from its SQL.
    The new migrations create the same models anyway. Carried over, the operation would create them a second time.
    Left out, what else it does to the database would be lost, and the models do not show what that is.

    Look at the operation. If the models show everything that it does, leave it out with `--drop`. Otherwise move the
    rest of what it does into a RunPython or RunSQL in a migration before it, or use `migsync squash`, which keeps every
    operation.
    """
    return Texts(
        f"{migration} has {operation_name}, which changes the state of the models in its own way.",
        "The models show the new state, but not what else it does to a database. Run once more, it would create a "
        "second time what exists.",
        f"If the models show everything that it does, leave it out: migsync {command}\n"
        "If not, move the rest of it into a RunPython or RunSQL before it, or use migsync squash.",
    )


@entry("nothing-to-drop", Severity.WARNING)
def nothing_to_drop(*, migration: Key) -> Texts:
    """A migration that you gave with --drop has nothing that could be left out.

    `--drop` leaves out operations that the models do not show, such as RunPython and RunSQL. This migration has none
    that would be carried over. What it does to models and fields is in the new migrations anyway.

    The new migrations are the same with and without the option, so it is safe to go on. Check that you named the
    migration that you meant.
    """
    return Texts(
        f"{migration} has no operation that --drop could leave out.",
        "What it does to the models is in the new migrations anyway.",
        "Check the name, or remove --drop for this migration.",
    )


@entry("open-squash", Severity.ERROR)
def open_squash(*, migration: Key, file: str) -> Texts:
    """An old migration is an unfinished squash, and --replaces would replace it in turn.

    With `--replaces` the old files stay, and each new migration lists those that it replaces. One of the old migrations
    has a `replaces` list itself. Django before 6.0 does not support a squash of a squash.

    Finish the squash first with `migsync tidy APP --remove-replaced`. Or remake without `--replaces`: the old files are
    then removed, the squash among them, and `migsync apply` updates the records of each database.
    """
    return Texts(
        f"{migration} is an unfinished squash: it replaces other migrations itself.",
        "With --replaces, a new migration would replace it in turn. Django before 6.0 does not support that.",
        f"Finish it first: migsync tidy {migration.app} --remove-replaced\n"
        f"Or remake without --replaces: migsync remake {migration.app}",
    )


@entry("cannot-replace", Severity.ERROR)
def cannot_replace(*, app: str, command: str) -> Texts:
    """The old migrations of an app cannot be divided among its new ones.

    With `--replaces`, each old migration is replaced by one new migration. This app gets several new migrations,
    because another app comes in between, or because operations are carried over. However the old ones are divided,
    some new migrations would depend on each other, or one of them would replace nothing.

    Remake without `--replaces`. The old files are then removed, and `migsync apply` updates the records of each
    database.
    """
    return Texts(
        f"The old migrations of {app} cannot be divided among its new ones.",
        "However they are divided, some new migrations would depend on each other, or one would replace nothing.",
        f"Remake without --replaces: migsync {command}\n"
        "The old files are then removed, and migsync apply updates the records.",
    )


@entry("no-migrations", Severity.INFO)
def no_migrations(*, app: str) -> Texts:
    """An app that was named has no migrations.

    `migsync remake` replaces existing migrations. It does not make the first migrations of an app.

    Nothing was changed for this app. If it has models, make its first migration with `makemigrations`.
    """
    return Texts(
        f"{app} has no migrations, so there is nothing to remake.",
        hint=f"To make its first migration: python manage.py makemigrations {app}",
    )


@entry("made-already", Severity.INFO)
def made_already(*, apps: Sequence[str]) -> Texts:
    """The migrations are already what `migsync remake` would make.

    Each new migration would have the same operations as the old one in its place. Only the names would differ.

    There is nothing to do, and nothing was changed.
    """
    return Texts(
        f"The migrations of {text_list(apps)} are already what remake would make.",
        "Only their names would change.",
    )


@entry("nothing-left", Severity.INFO)
def nothing_left(*, app: str, emptied: bool) -> Texts:
    """An app has migrations, but new ones would have no operations.

    The app no longer has models, and none of its other operations would be carried over. Migrations made from scratch
    would be empty.

    If you remake all apps, such an app is left as it is. If you give its name, it gets one empty migration, so that
    databases keep a record for the app, and migrations of other apps have something to depend on. Both are safe.
    """
    if emptied:
        return Texts(
            f"{app} has no models, and no other operations that would be carried over.",
            "It gets one empty migration, for the records in the databases and for the migrations that depend on it.",
        )
    return Texts(
        f"{app} has migrations, but no models, and no other operations that would be carried over.",
        "Its migrations are left as they are.",
        f"To replace them with one empty migration: migsync remake {app}",
    )


@entry("remake-cycle", Severity.ERROR)
def remake_cycle(
    *,
    app: str,
    cycle: Sequence[Key],
    new: Sequence[Key],
    others: Sequence[str],
    together: Sequence[str],
    remade: Sequence[str],
) -> Texts:
    """The new migrations would depend on each other, or on a migration that depends on them.

    The migrations of several apps were written in turn, for example shop, blog, shop. A new migration creates
    everything that an app has at once. If an app in between is not remade, its migration would have to run both before
    and after the new one. Django would refuse to load the migrations (CircularDependencyError).

    Remake all apps of the cycle together, if they are your own. If one of them belongs to a package, leave out the apps
    that depend on it in this way, or use `migsync squash`, which keeps the order.
    """
    around = [f"{key} (new)" if key in new else str(key) for key in (*cycle, cycle[0])]
    is_not, runs = ("is not", "runs") if len(others) == 1 else ("are not", "run")
    return Texts(
        f"These migrations would depend on each other: {' -> '.join(around)}.",
        f"{text_list(others)} {is_not} remade, and {runs} both before and after the new migrations."
        if others
        else "Django could not load them (CircularDependencyError).",
        f"Remake these apps together: migsync remake {' '.join(together)}"
        if together
        else f"Leave out {text_list(remade)}, or use migsync squash.",
    )
