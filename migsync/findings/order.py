"""About putting migrations in order: branches, merges, squashes in the way, dependencies that would change."""

from __future__ import annotations

from collections.abc import Sequence

from migsync.findings.commands import migsync
from migsync.findings.entry import Texts, entry
from migsync.findings.finding import Severity
from migsync.key import Key
from migsync.words import count, text_list


def _choices(app: str, leaves: Sequence[str]) -> str:
    return "\n".join(migsync("fix-conflicts", "--app", app, "--first", leaf) for leaf in leaves)


def _tidy(app: str) -> str:
    return migsync("tidy", app, "--remove-replaced")


@entry("which-branch-first", Severity.ERROR)
def which_branch_first(*, app: str, branches: Sequence[str], leaves: Sequence[str]) -> Texts:
    """An app has several branches, and any of them could come first.

    migsync puts the branches one behind the other. A branch that a database has applied, or that another branch needs,
    comes first. Here nothing decides it.

    Say with `--first` which branch comes first. Usually it is the one that was merged or deployed first.
    """
    return Texts(
        f"{app} has {count(len(branches), 'branch', 'branches')}, and any could come first: {'; '.join(branches)}.",
        "The others will be put behind it.",
        f"Say which one comes first:\n{_choices(app, leaves)}",
    )


@entry("unknown-branch", Severity.ERROR)
def unknown_branch(*, app: str, name: str, branches: Sequence[str], leaves: Sequence[str], several: bool) -> Texts:
    """The migration after `--first` does not tell which branch is meant.

    It is in none of the branches of the app, or several branches share it. Name the leaf of the branch: its last
    migration.
    """
    return Texts(
        f"{app}.{name} is in {'more than one branch' if several else 'none of the branches'}: {'; '.join(branches)}.",
        "",
        f"Name the leaf of the branch that comes first:\n{_choices(app, leaves)}",
    )


@entry("branch-not-first", Severity.ERROR)
def branch_not_first(*, migration: Key, branch: str, leaves: Sequence[str]) -> Texts:
    """The branch after `--first` cannot come first.

    Either it depends on another branch through another app, or a database has applied another branch and not this one.
    The message lists the branches that can come first.
    """
    return Texts(
        f"{branch} of {migration.app} cannot come first.",
        "It depends on another branch through another app, or another branch is applied in a database.",
        f"Put another branch first:\n{_choices(migration.app, leaves)}",
    )


@entry("branches-entangled", Severity.ERROR, Severity.WARNING)
def branches_entangled(*, app: str, branches: Sequence[str], merge: Key | None = None) -> Texts:
    """No branch of an app can be put behind another as a whole.

    Each branch needs a migration of another one first: through another app, or because a database has applied it.

    - Through another app: one line is still possible if the migrations of the branches alternate. `migsync linearize`
      makes such a line.
    - If databases have applied different branches, no line fits all of them yet. Then this is a warning, and migsync
      joins the branches with a merge migration for now. Run `migrate` on every database. Then `migsync linearize` makes
      one line, and removes the merge.
    """
    found = f"No branch of {app} can be put behind another as a whole: {'; '.join(branches)}."
    linearize = migsync("linearize", "--app", app)
    if merge:
        return Texts(
            found,
            f"Databases have applied different branches. So {merge} joins them for now.",
            f"Run `migrate` on every database. Then make one line, which removes the merge: {linearize}",
            Severity.WARNING,
        )
    return Texts(
        found,
        "Each needs a migration of another one first, through another app.",
        f"To let their migrations alternate: {linearize}",
    )


@entry("merge-stays", Severity.INFO)
def merge_stays(*, migration: Key, reason: str, file: str) -> Texts:
    """A merge migration is kept, as one migration of the line.

    It does more than join branches: it has operations, or a squash replaces it, or it depends on another app, or
    another app depends on it, in a way that its parents do not cover. That would be lost with the file. In the line it
    comes after all the branches that it joined, so its operations run on the same models as before. There is nothing to
    do.
    """
    return Texts(
        f"The merge {migration} is kept, as one migration of the line: {reason}.",
        "That would be lost with the file.",
    )


@entry("squash-torn", Severity.ERROR)
def squash_torn(*, migration: Key, between: Sequence[str]) -> Texts:
    """In one line, other migrations would come between those that a squash replaces.

    In a new database, Django runs the squash in the place of all migrations that it replaces. These other migrations
    would have to run in the middle of it, and that is not possible.

    Finish the squash first with `migsync tidy`, once every database is past it. Then run the command again.
    """
    return Texts(
        f"In one line, {text_list(f'{migration.app}.{name}' for name in between)} would come between migrations that "
        f"{migration} replaces.",
        "Django runs the squash in the place of all of them, so nothing can run in between.",
        f"Finish the squash first: {_tidy(migration.app)}",
    )


@entry("squash-cycle", Severity.ERROR)
def squash_cycle(*, migration: Key, cycle: Sequence[Key]) -> Texts:
    """With squashes in the place of the migrations that they replace, migrations depend on each other in a circle.

    Databases that have run the old migrations do not notice. But a new database cannot be migrated
    (CircularDependencyError), and migsync can put the migrations in no order.

    - If another migration has to run in the middle of a squash, split the squash there.
    - If two squashes overlap, remove one of them.
    """
    return Texts(
        f"With squashes in the place of what they replace, migrations depend on each other in a circle: "
        f"{' -> '.join(map(str, (*cycle, cycle[0])))}.",
        "A new database cannot be migrated, and no order of the migrations is right.",
        "Split the squash where another migration has to run in between. Or remove one of two squashes that overlap.",
    )


@entry("squash-across-apps", Severity.ERROR)
def squash_across_apps(*, migration: Key, apps: Sequence[str]) -> Texts:
    """A squash replaces migrations of several apps, and their files are still there.

    So the squash has no single place in the order of one app.

    Finish the squash first with `migsync tidy`, once every database is past it. Then nothing of what it replaces is
    left, and the command can be run again.
    """
    return Texts(
        f"{migration} replaces migrations of several apps that are still on disk ({text_list(apps)}).",
        "So it has no single place in the order of one app.",
        f"Finish the squash first: {_tidy(migration.app)}",
    )


@entry("cross-app-dropped", Severity.WARNING)
def cross_app_dropped(*, migration: Key, others: Sequence[Key], file: str) -> Texts:
    """A dependency on another app is removed, because of `--strip-cross-app`.

    Databases that have run both migrations do not notice. A new database may run them in another order, and fail if one
    of them needs tables of the other.

    If that matters, run the command again without `--strip-cross-app`.
    """
    return Texts(
        f"{migration} will no longer depend on {text_list(others)}.",
        "A new database may run them in another order.",
        "If that matters, run the command again without `--strip-cross-app`.",
    )


@entry("needed-dependency", Severity.ERROR)
def needed_dependency(
    *,
    migration: Key,
    other: Key,
    alias: str,
    user: Key,
    maker: Key,
    operation: int,
    kind: str = "",
    part: str = "",
    unnamed: Sequence[str] = (),
) -> Texts:
    """A database has applied a migration without one that it needs, so no order of the two is right.

    `migsync linearize` puts what a database has applied before what it has not, and takes out dependencies that are in
    the way, but only where the two migrations do not need each other. Here an operation of one names a model, a field
    or an index that the other makes, changes or removes. Or one of them runs code, and nobody can tell what that needs.
    If its file does not even name what the other one touches, the message says so. Code can still get there, by a
    relation or with a function that it imports, so that is for you to judge.

    - If the database has what the missing migration makes, record that one. Nothing is run.
    - If the applied migration did not really run there (`--fake`), take its record out. `migrate` then runs both.
    - If you know that they do not need each other, take the dependency out of the file by hand.
    """
    if part:
        reason = f"operation {operation} of {user}" if operation else f"code in {user}"
        meaning = f"The two may not change places: {reason} names {part}, which {maker} makes, changes or removes."
    else:
        meaning = (
            f"The two may change places only if they do not need each other. Nobody can tell: operation {operation} of "
            f"{user} is {kind or 'code'}."
        )
        if unnamed:
            meaning += (
                f" Its file does not name {text_list(unnamed)}, which {maker} makes, changes or removes, but code can "
                "get there by a relation or an import."
            )
    by_hand = "" if part else f"\nIf they do not need each other, take the dependency out of {migration} by hand."
    return Texts(
        f"{alias} has applied {migration}, but not {other}, which it depends on.",
        meaning,
        f"If what {other} does is there, record it: {migsync('plan', '--record', other, alias=alias)}\n"
        f"If {migration} did not really run there, take its record out: "
        f"{migsync('plan', '--unrecord', migration, alias=alias)}{by_hand}",
    )


@entry("not-merged", Severity.ERROR)
def not_merged(*, app: str, name: str, onto: str, missing: Sequence[str]) -> Texts:
    """The branch to rebase onto has migrations that are not in this checkout.

    The migrations of this branch can only be put behind files that are there. Rebase or merge with git first. Then run
    `migsync rebase`.
    """
    missing_here = text_list(f"{app}.{each}" for each in missing)
    return Texts(
        f"{onto} has {missing_here}, which {'is' if len(missing) == 1 else 'are'} not in this checkout.",
        "The migrations of this branch can only be put behind files that are there.",
        f"First: git rebase {onto}\nThen: {migsync('rebase', '--onto', onto)}\nOr merge it: git merge {onto}",
    )


@entry("open-end", Severity.ERROR)
def open_end(*, migration: Key, end: str, app: str, outcome: str, meant: Key | None, file: str) -> Texts:
    """A dependency on `__first__` or `__latest__` would mean another migration than now.

    These names stand for the first or the last migration of an app. If there are several first or last migrations,
    Django takes one of them. After the change it would take another one.

    Write the name of the migration that is meant into the dependency. Then run the command again.
    """
    return Texts(
        f"{migration} depends on {end} of {app}, which has several such migrations. After the change, {outcome}.",
        "The dependency would mean another migration than it does now.",
        f"Write the name of the migration that is meant into the dependency{f': {meant}' if meant else ''}.",
    )
