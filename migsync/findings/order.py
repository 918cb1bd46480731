"""About putting migrations in order: branches, merges, squashes in the way, dependencies that would change."""

from __future__ import annotations

from collections.abc import Sequence

from migsync.findings.entry import Texts, entry
from migsync.findings.finding import Severity
from migsync.key import Key


@entry("which-branch-first", Severity.ERROR)
def which_branch_first(*, app: str, branches: Sequence[str], leaves: Sequence[str]) -> Texts:
    """Several branches of an app could come first.

    The others are put behind the first one. No database and no dependency decides which it is. Usually it is the branch
    that was merged, or deployed, first.
    """
    return Texts(
        f"{app} has {len(branches)} branches, and any could come first: {'; '.join(branches)}.",
        "The others will be put behind it.",
        f"Say which: {_choices(leaves)}",
    )


@entry("unknown-branch", Severity.ERROR)
def unknown_branch(*, app: str, name: str, branches: Sequence[str], leaves: Sequence[str], several: bool) -> Texts:
    """`--first` names no branch of the app, or a migration that several branches share.

    A branch is known by its leaf, the last of its migrations.
    """
    return Texts(
        f"{app}.{name} is in {'more than one branch' if several else 'none of the branches'}: {'; '.join(branches)}.",
        "",
        f"Name the branch by its leaf: {_choices(leaves)}",
    )


@entry("branch-not-first", Severity.ERROR)
def branch_not_first(*, migration: Key, branch: str, leaves: Sequence[str]) -> Texts:
    """The branch that `--first` names cannot come first.

    It depends on another branch by way of another app, or another branch is applied in a database in which this one is
    not.
    """
    return Texts(
        f"{branch} of {migration.app} cannot come first.",
        "It depends on another branch by way of another app, or another branch is applied in a database.",
        f"Put first: {_choices(leaves)}",
    )


@entry("branches-entangled", Severity.ERROR)
def branches_entangled(*, app: str, branches: Sequence[str]) -> Texts:
    """No branch of an app can be put behind another as a whole.

    Each needs a migration of another one first, by way of another app, or because a database has applied it. One line
    is still possible if their migrations alternate: `migsync linearize` makes it.
    """
    return Texts(
        f"No branch of {app} can be put behind another as a whole: {'; '.join(branches)}.",
        "Each needs something of another first, by way of another app or because a database has applied it.",
        f"Let their migrations alternate: migsync linearize --app {app}",
    )


def _choices(leaves: Sequence[str]) -> str:
    return " or ".join(f"--first {leaf}" for leaf in leaves)


@entry("merge-with-operations", Severity.ERROR)
def merge_with_operations(*, migration: Key, parents: Sequence[str], file: str) -> Texts:
    """A merge migration has operations, so it cannot be removed.

    A merge without operations only joins two branches, and one line needs none. This one may do something that depends
    on both sides, or its operations are not a literal list, so that migsync cannot read them.

    Move its operations into a migration of their own behind an empty merge.
    """
    return Texts(
        f"{migration} joins {' and '.join(parents)} and has operations, or operations that are not a literal list.",
        "Only a merge without operations can go; this one may do something that depends on both sides.",
        "Move its operations to a migration of their own behind an empty merge.",
    )


@entry("merge-stays", Severity.INFO)
def merge_stays(*, migration: Key, reason: str, file: str) -> Texts:
    """A merge migration stays, as one migration of the line.

    It says something besides joining branches: a squash replaces it, or another app depends on it in a way that its
    parents do not cover. That would be lost with the file. Nothing has to be done.
    """
    return Texts(
        f"{migration} is a merge that stays, as one migration of the chain: {reason}.",
        "That would be lost with it.",
    )


@entry("squash-torn", Severity.ERROR)
def squash_torn(*, migration: Key, between: Sequence[str]) -> Texts:
    """In the new order, other migrations would come between those that a squash replaces.

    The squash replaces all of them at once, so it would have to come both before and after the others.

    Finish one of the squashes first, with `migsync tidy`, once every database is past it.
    """
    return Texts(
        f"In the new order, {', '.join(between)} would come between the migrations that {migration} replaces.",
        "The squash replaces all of them at once, so it would have to come both before and after the others.",
        "Finish one of the squashes first: remove what it replaces, once every database has applied it.",
    )


@entry("squash-cycle", Severity.ERROR)
def squash_cycle(*, migration: Key, cycle: Sequence[Key]) -> Texts:
    """With squashes in the place of what they replace, migrations depend on each other.

    Databases that ran the old migrations do not notice. A new database cannot be migrated, and no order is right.

    Split the squash where something else comes in between, or remove one of two that overlap.
    """
    return Texts(
        f"With squashes in the place of what they replace, these depend on each other: "
        f"{' -> '.join(map(str, (*cycle, cycle[0])))}.",
        "A new database cannot be migrated, and no order of the migrations is right.",
        "Split the squash where something else comes in between, or take one of two that overlap away.",
    )


@entry("squash-across-apps", Severity.ERROR)
def squash_across_apps(*, migration: Key, apps: Sequence[str]) -> Texts:
    """A squash replaces migrations of several apps that are still on disk.

    So it has no single place in the order of one app. Finish it first, once every database is past it: then nothing of
    what it replaces is left.
    """
    return Texts(
        f"{migration} replaces migrations of several apps that are still on disk ({', '.join(apps)}).",
        "It has no single place in the order of one app.",
        "Finish that squash first: take out what it replaces once every database is past it.",
    )


@entry("cross-app-dropped", Severity.WARNING)
def cross_app_dropped(*, migration: Key, others: Sequence[Key], file: str) -> Texts:
    """A dependency on another app is dropped, because of `--strip-cross-app`.

    Databases that have run both do not notice. A new database may run the two in another order, and fail if the one
    needs tables of the other.
    """
    return Texts(
        f"{migration} will no longer depend on {', '.join(map(str, others))}.",
        "A new database may run them in another order.",
        "Leave --strip-cross-app out where that matters.",
    )


@entry("not-merged", Severity.ERROR)
def not_merged(*, app: str, name: str, onto: str, missing: Sequence[str]) -> Texts:
    """The branch to rebase onto has migrations that are not in this checkout.

    What this branch added can only be put behind files that are there. Bring them here with git first.
    """
    return Texts(
        f"{onto} has {', '.join(f'{app}.{each}' for each in missing)}, which is not here.",
        "What this branch added can only be put behind files that are there.",
        f"git rebase {onto} (or git merge {onto}), then migsync rebase.",
    )


@entry("open-end", Severity.ERROR)
def open_end(*, migration: Key, end: str, app: str, outcome: str, meant: Key | None, file: str) -> Texts:
    """A dependency on `__first__` or `__latest__` would mean a different migration than now.

    Of several first or last migrations of an app Django takes one. In one line, or with other names, it would take
    another one.

    Name the migration that is meant in the dependency, then run the command again.
    """
    return Texts(
        f"{migration} names {end} of {app}, which has several; {outcome}.",
        "The dependency would mean another migration than it does now.",
        f"Name the migration that is meant{f', {meant}' if meant else ''}.",
    )
