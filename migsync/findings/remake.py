"""About apps whose migrations are made from scratch."""

from __future__ import annotations

from collections.abc import Sequence

from migsync.findings.entry import Texts, entry
from migsync.findings.finding import Severity
from migsync.key import Key
from migsync.words import sample, text_list

SHOWN = 5


@entry("several-ends", Severity.ERROR)
def several_ends(*, app: str, ends: Sequence[str], onto: str = "") -> Texts:
    """The migrations of an app have several ends.

    An end is a migration on which no other migration of its app depends. With several, the app has no single state from
    which migrations could be made anew, or behind which those of a branch could be put. Usually two branches were
    merged, and each had added a migration.

    Bring the ends into one line with `migsync fix-conflicts`, then run the command again. When the ends are on the
    branch that you rebase onto, do that on that branch.
    """
    if onto:
        return Texts(
            f"{app} has {len(ends)} ends in {onto} already: {', '.join(ends)}.",
            "Behind which of them this branch's migrations belong cannot be told.",
            f"Put them in line on {onto} first: migsync fix-conflicts --app {app}",
        )
    return Texts(
        f"{app} ends in {len(ends)} migrations: {', '.join(ends)}.",
        "Its state is not one yet.",
        f"Bring them together first: migsync fix-conflicts --app {app}",
    )


@entry("changes-pending", Severity.ERROR)
def changes_pending(*, app: str, changes: Sequence[str]) -> Texts:
    """The models of an app have changes that no migration has.

    Migrations made from scratch follow the models of today. The pending changes would be a part of them, and databases
    that have applied the old migrations would record the new ones as applied, without ever having got these changes.

    Make the missing migration with `makemigrations`, look at it, and run the command again. Or take the changes back.
    """
    return Texts(
        f"The models of {app} have changes without a migration: {sample(changes, SHOWN, '; ')}.",
        "From scratch they would be taken in, and be recorded as applied in databases that never had them.",
        "Make the migration first: python manage.py makemigrations",
    )


@entry("cannot-carry", Severity.ERROR)
def cannot_carry(*, migration: Key, operation_name: str, file: str) -> Texts:
    """An operation can neither be carried over into the new migrations nor be left out.

    Usually it is an operation of the project's own, or of a package, that changes the state of the models itself. It
    may also be a Migration class with its own `apply`, or a RunSQL class whose `state_operations` cannot be separated
    from its SQL. The new migrations make the same models already. Carried over, the operation would make them a second
    time; left out, what else it does to the database would be lost, and the models do not show what that is.

    Look at the operation. If the models show all that it does, leave its migration out with `--drop`. Otherwise move
    the rest of what it does into a RunPython or RunSQL in an earlier migration, or use `migsync squash`, which keeps
    every operation.
    """
    return Texts(
        f"{migration} has {operation_name}, which changes the models' state in a way of its own.",
        "The models show the state, but not what else it does to a database; run again, it would make twice what is "
        "there.",
        f"Leave it out if the models show all of it: --drop {migration}\n"
        "Or put the rest of it into a RunPython or RunSQL before; or use migsync squash.",
    )


@entry("nothing-to-drop", Severity.WARNING)
def nothing_to_drop(*, migration: Key) -> Texts:
    """A migration was named with --drop, and has nothing to be left out.

    `--drop` leaves out operations that the models do not show, such as RunPython and RunSQL. This migration has none
    that would be carried over. What it does to models and fields is in the new migrations in any case.

    The new migrations are the same with and without the option, and it is safe to go on. Check that you named the
    migration that you meant.
    """
    return Texts(
        f"{migration} has nothing that would be carried over.",
        "What it does to the models is in the new migrations.",
        "Leave --drop out.",
    )


@entry("open-squash", Severity.ERROR)
def open_squash(*, migration: Key, file: str) -> Texts:
    """An old migration is a squash that is not finished, and --replaces would replace it in turn.

    With `--replaces` the old files stay, and each new migration lists those that it replaces. One of these has
    `replaces` itself. Django before version 6.0 does not follow that: the records of a database could not be matched.

    Finish the squash first with `migsync tidy`. Or leave `--replaces` out: the old files then go, the squash with them,
    and `migsync apply` updates the records of each database.
    """
    return Texts(
        f"{migration} replaces other migrations itself.",
        "With --replaces a new one would replace it in turn, which Django does not follow.",
        f"Finish it first: migsync tidy {migration.app}\nOr leave --replaces out: then it goes with the others.",
    )


@entry("cannot-replace", Severity.ERROR)
def cannot_replace(*, app: str) -> Texts:
    """The old migrations of an app cannot be divided among its new ones.

    With `--replaces`, each old migration must be replaced by one new migration. The new migrations of this app are
    several, because another app comes in between. However the old ones are divided, some new migrations would depend on
    each other, or one of them would replace nothing.

    Leave `--replaces` out. The old files are then removed, and `migsync apply` updates the records of each database.
    """
    return Texts(
        f"The old migrations of {app} cannot be shared out among its new ones.",
        "Whichever replaces which, some would depend on each other, or a new one would replace none.",
        "Leave --replaces out: then the old files go, and migsync apply brings the records along.",
    )


@entry("no-migrations", Severity.INFO)
def no_migrations(*, app: str) -> Texts:
    """An app that was named has no migrations.

    `migsync remake` makes existing migrations anew. It does not make the first ones of an app.

    Nothing was changed for this app. If it has models, make its first migration with `makemigrations`.
    """
    return Texts(
        f"{app} has no migrations yet: there is nothing to make anew.",
        hint=f"To make the first: python manage.py makemigrations {app}",
    )


@entry("made-already", Severity.INFO)
def made_already(*, apps: Sequence[str]) -> Texts:
    """The migrations are what they would be from scratch.

    The new migrations would do the same as the old ones, one by one. Only their names would differ.

    There is nothing to do, and nothing was changed.
    """
    return Texts(
        f"The migrations of {text_list(apps)} are what they would be from scratch.",
        "New ones would have other names, and nothing else.",
    )


@entry("nothing-left", Severity.INFO)
def nothing_left(*, app: str, emptied: bool) -> Texts:
    """The migrations of an app come to nothing.

    The app has no models any more, or they have no tables of its own, and no other operation would be carried over.
    Migrations from scratch would have no operations.

    If you asked for all apps, such an app is left as it is. If you asked for it by name, it gets one empty migration:
    databases keep a record for the app, and migrations of other apps have something to depend on. Both are safe.
    """
    if emptied:
        return Texts(
            f"{app} has no models or other operations that its migrations would have to make.",
            "An empty one stands for them in the databases, and for what depends on them.",
        )
    return Texts(
        f"{app} has migrations, and no models or other operations that they would have to make.",
        "Its migrations stay as they are.",
        f"For an empty one in their place, ask for it by name: migsync remake {app}",
    )


@entry("remake-cycle", Severity.ERROR)
def remake_cycle(
    *, app: str, cycle: Sequence[Key], others: Sequence[str], together: Sequence[str], alone: Sequence[str]
) -> Texts:
    """Migrations made from scratch would depend on each other.

    A new migration makes all models of an app at once. A migration of an app that stays as it is depends on an early
    state of that app, and a later one of them was needed in turn. The two cannot come both before and after each
    other, and Django would refuse to load the migrations (CircularDependencyError).

    Make the apps of the circle anew together, if all of them are the project's own. Otherwise leave the apps out, or
    use `migsync squash`, which keeps the order.
    """
    come = "is not made anew, and comes" if len(others) == 1 else "are not made anew, and come"
    return Texts(
        f"From scratch, these would depend on each other: {' -> '.join(map(str, (*cycle, cycle[0])))}.",
        f"{text_list(others)} {come} both before and after." if others else "No order of running them would be right.",
        f"Make them anew together: migsync remake {' '.join(together)}"
        if together
        else f"Leave {text_list(alone)} out, or use migsync squash.",
    )
