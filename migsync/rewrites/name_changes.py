"""Making a rewrite of names that were changed already, checked against the files on disk."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from migsync.errors import UsageError
from migsync.history import History, Migration, build_history
from migsync.history.migration import Key
from migsync.history.unknown_app import unknown_app
from migsync.rewrites.file_state import unlike_above
from migsync.rewrites.rewrite import AppRewrite, Rewrite
from migsync.rewrites.rewrite_files import check_name
from migsync.rewrites.rewrite_graph import Rewrites
from migsync.words import did_you_mean, text_list

EACH_ONCE = "A rewrite gives each old name and each new name once."
NAME = "Give the name of a migration: its file name without .py."


@dataclass
class NameChanges:
    """What became of the names of one app: old to new, many to many, and gone.

    `new` are names on disk that belong to a new migration: what had such a name before is among the old names.
    """

    renamed: dict[str, str] = field(default_factory=dict)
    collapsed: list[tuple[tuple[str, ...], tuple[str, ...]]] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    new: list[str] = field(default_factory=list)

    def olds(self) -> Iterator[str]:
        """Every old name that changes or goes."""
        yield from self.renamed
        yield from self.removed
        for olds, _ in self.collapsed:
            yield from olds

    def news(self) -> Iterator[str]:
        """Every new name that is given."""
        yield from self.renamed.values()
        for _, news in self.collapsed:
            yield from news


def parse_changes(
    maps: Iterable[str] = (), collapses: Iterable[str] = (), removes: Iterable[str] = (), news: Iterable[str] = ()
) -> dict[str, NameChanges]:
    """The command line's ``APP.OLD=NEW``, ``APP.NEW=OLD+OLD``, ``APP.OLD`` and ``APP.NEW``, by app.

    Raises UsageError for another form, a name that cannot be one, and an old or a new name that is given twice.
    """
    found: dict[str, NameChanges] = {}
    for text in maps:
        app, old, new = _sides("--map", text, "APP.OLD=NEW")
        if old in found.setdefault(app, NameChanges()).renamed:
            raise UsageError(
                f"--map {text}: {app}.{old} is the old name in another --map too.", EACH_ONCE, "Give one of the two."
            )
        found[app].renamed[old] = new
    for text in collapses:
        app, new, old = _sides("--collapse", text, "APP.NEW=OLD+OLD")
        found.setdefault(app, NameChanges()).collapsed.append((tuple(old.split("+")), tuple(new.split("+"))))
    for text in removes:
        app, name = _named("--remove", text)
        found.setdefault(app, NameChanges()).removed.append(name)
    for text in news:
        app, name = _named("--new", text)
        found.setdefault(app, NameChanges()).new.append(name)
    for app, changes in found.items():
        _check_differing(app, changes)
        for side, names in (("old", [*changes.olds()]), ("new", [*changes.news(), *changes.new])):
            _check_names(app, side, names)
    return found


def _check_differing(app: str, changes: NameChanges) -> None:
    pairs = [((old,), (new,)) for old, new in changes.renamed.items()] + changes.collapsed
    for olds, news in pairs:
        if olds == news:
            raise UsageError(f"{app}.{olds[0]} is given as its own new name.", "", "Leave out names that stay.")


def is_written(changes: NameChanges, app: str, rewrites: Rewrites) -> bool:
    """Whether the newest rewrite of `app` says all of this: the same command for the next database, or once more."""
    known = rewrites.of_app(app)
    return bool(known) and says(known[-1].apps[app], changes, more=True)


def says(written: AppRewrite, changes: NameChanges, *, more: bool = False) -> bool:
    """Whether a rewrite says just what `changes` say; with `more` it may say more."""
    pairs = (
        (set(changes.renamed.items()), set(written.renamed)),
        (_as_sets(changes.collapsed), _as_sets(written.collapsed)),
        (set(changes.removed), set(written.removed)),
    )
    return all(asked <= known if more else asked == known for asked, known in pairs)


def _as_sets(collapsed: Iterable[tuple[Sequence[str], Sequence[str]]]) -> set[tuple[frozenset[str], frozenset[str]]]:
    """Collapses without the order in which their names were typed."""
    return {(frozenset(olds), frozenset(news)) for olds, news in collapsed}


def _named(option: str, text: str) -> tuple[str, str]:
    app, _, name = text.partition(".")
    if not (app and name):
        raise _malformed(option, text, "APP.NAME")
    return app, name


def _sides(option: str, text: str, form: str) -> tuple[str, str, str]:
    left, equals, right = text.partition("=")
    app, dot, name = left.partition(".")
    # ``--map shop.0002_a=shop.0003_a`` is taken for ``--map shop.0002_a=0003_a``.
    right = right.removeprefix(f"{app}.")
    if not (app and dot and name and equals and right):
        raise _malformed(option, text, form)
    return app, name, right


def _malformed(option: str, text: str, form: str) -> UsageError:
    return UsageError(f"{option} {text}: it does not have the form {form}.", "", f"Write it as {option} {form}.")


def _check_names(app: str, side: str, names: Sequence[str]) -> None:
    times = Counter(names)
    for name in names:
        # No file is called so. What was pasted there by mistake may be a URL with a password, and would be committed.
        if any(slash in text for slash in "/\\" for text in (app, name)):
            raise UsageError(f"One of the {side} names has a slash in it, as a path or a URL has.", "", NAME)
        try:
            check_name(name)
        except ValueError as error:
            raise UsageError(f"{app}: {error}.", "", NAME) from error
        if times[name] > 1:
            raise UsageError(f"{app}.{name} is given as {side} name twice.", EACH_ONCE, "Give it once.")


def make_rewrite(
    history: History,
    asked: Mapping[str, NameChanges],
    *,
    parents: Iterable[str],
    command: str,
    created: str,
    old_files: Mapping[str, Mapping[str, Migration]] | None = None,
    made_with_files: bool = False,
) -> Rewrite:
    """Make the rewrite of `asked`, which must be what the files on disk show.

    `old_files` are, per app, the migration files from before, by name, where somebody still has them (git): they give
    the old dependencies and digests. `created` is UTC text, `made_with_files` as in :class:`Rewrite`. Raises UsageError
    when the files say otherwise.
    """
    old_files = old_files or {}
    apps = {app: _app_rewrite(history, app, changes, old_files.get(app)) for app, changes in sorted(asked.items())}
    return Rewrite(tuple(sorted(parents)), command, created, apps, made_with_files)


def _app_rewrite(
    history: History, app: str, changes: NameChanges, old_files: Mapping[str, Migration] | None
) -> AppRewrite:
    after = history.names(app)
    past = None
    digests_before = {name: old.digest for name, old in (old_files or {}).items() if old.digest}
    check_on_disk(history, app, changes, digests_before)
    digests_after = {name: digest for name in after if (digest := history.migrations[Key(app, name)].digest)}
    # In the order of the files, whatever order they were typed in: the rows take the new names in this order.
    place = {name: number for number, name in enumerate(after)}
    collapsed = [(olds, tuple(sorted(news, key=place.__getitem__))) for olds, news in changes.collapsed]
    changes = replace(changes, collapsed=collapsed)
    _check_splits(app, changes, digests_before, digests_after)
    if old_files is not None:
        then = build_history([old for old in old_files.values() if old.key.app == app])
        past = {name: [up.name for up in then.parents(Key(app, name)) if up.app == app] for name in then.names(app)}
        # That a file of this name is on disk explains an old one, unless the change gives the name to another
        # migration. With 0004_x renamed to 0003_x, the old 0003_x is not today's.
        explained = {*changes.olds(), *after} - ({*changes.news()} - {*changes.olds()})
        # But a squash that was there already and takes up what it replaced stays itself, under its own name.
        united = {new for _, news in changes.collapsed for new in news}
        explained |= {new for new in united & digests_before.keys() if digests_before[new] == digests_after.get(new)}
        if unexplained := [name for name in past if name not in explained]:
            raise UsageError(
                f"{app}.{unexplained[0]} is no longer on disk either, and you did not say what it became.",
                "A rewrite accounts for every old name. Otherwise databases would keep a record that nothing explains.",
                f"If it was renamed, add --map {app}.{unexplained[0]}=NEW\n"
                f"If it was united with others, add --collapse {app}.NEW={unexplained[0]}+OLD\n"
                f"If it was deleted, add --remove {app}.{unexplained[0]}",
            )
    return assemble(
        after,
        changes,
        past,
        digests_before=digests_before,
        digests_after=digests_after,
    )


def _check_splits(app: str, changes: NameChanges, before: Mapping[str, str], after: Mapping[str, str]) -> None:
    """Raise UsageError for a split into files of which one is a migration that was there before, and still is."""
    olds = set(changes.olds())
    for of, into in changes.collapsed:
        same = [new for new in into if new not in olds and new in before and before[new] == after.get(new)]
        if len(into) > 1 and same:
            raise UsageError(
                f"{app}.{same[0]} existed before with the same operations, so {text_list(of)} was not split into it.",
                "Of the files that replace a migration, only a single one may have existed before: a squash.",
                f"Leave {same[0]} out, or give it as an old name too, if another migration had this name.",
            )


def assemble(
    after: Sequence[str],
    changes: NameChanges,
    past: Mapping[str, Collection[str]] | None,
    *,
    digests_before: Mapping[str, str],
    digests_after: Mapping[str, str],
) -> AppRewrite:
    """The app's part of a rewrite, every name accounted for on both sides.

    `past` are the old names in an order in which they could be applied, with their in-app dependencies; what is
    neither changed nor on disk any more is left out. Without it nothing is said about dependencies: a wrong one would
    make a database's true position look impossible, a missing one only leaves it open. The new name of a collapse that
    is among them, with the same operations, is a squash that takes up what it replaced.

    Where an old name that changes or goes is on disk and is not given to another migration, a new one has it. The
    rewrite says nothing about that one, as if it had come later.
    """
    old, given = set(changes.olds()), set(changes.news())
    united = {new for _, news in changes.collapsed for new in news}
    there = {new for new in united & set(past or ()) - old if digests_before.get(new) == digests_after.get(new)}
    after = [name for name in after if name not in old or name in given]
    kept = [name for name in after if name not in given or name in there]
    if past is None:
        order, parents = _back(after, changes), {}
    else:
        parents = {name: [up for up in ups if up in old.union(kept)] for name, ups in past.items()}
        order = [name for name in past if name in old.union(kept)]
        order = [*(name for name in changes.olds() if name not in past), *order]  # what a squash on disk replaced
        # Came to the disk since the old files were taken. A name that is kept must be on both sides.
        order += [name for name in kept if name not in past]
    place = {name: number for number, name in enumerate(order)}
    return AppRewrite(
        before=tuple(order),
        after=tuple(after),
        removed=tuple(changes.removed),
        renamed=tuple(sorted(changes.renamed.items(), key=lambda pair: place[pair[0]])),
        collapsed=tuple(changes.collapsed),
        depends=unlike_above(order, parents),
        digests_before={name: digest for name, digest in digests_before.items() if name in place},
        digests_after=dict(digests_after),
    )


def _back(after: Sequence[str], changes: NameChanges) -> list[str]:
    """The old names in the order of today's: for each name on disk those that it was before, removed ones last."""
    olds_of: dict[str, tuple[str, ...]] = {new: (old,) for old, new in changes.renamed.items()}
    for olds, news in changes.collapsed:
        # Which of several new names holds what is not known: all old ones stand where the first of them is.
        olds_of |= {new: olds if new == news[0] else () for new in news}
    return [old for name in after for old in olds_of.get(name, (name,))] + changes.removed


def check_on_disk(history: History, app: str, changes: NameChanges, digests_before: Mapping[str, str]) -> None:
    """Raise UsageError unless the files on disk have the names of `changes`.

    `digests_before` are the operations digests of the old files by name, as far as they are known: where the file on
    disk has others, it is a new migration.
    """
    if app not in history.synced:
        raise unknown_app(app, history)
    on_disk, given, added = set(history.names(app)), set(changes.news()), set(changes.new)
    for new in [*changes.news(), *changes.new]:
        if new not in on_disk:
            last = f"The last migrations of {app}: {text_list(sorted(on_disk)[-3:]) or 'none'}."
            raise UsageError(
                f"{app}.{new} is not on disk.",
                f"A rewrite describes files that already have their new names.\n{did_you_mean(new, on_disk, last)}",
                "If the file still has its old name, rename it first.",
            )
    for old in changes.olds():
        if old in on_disk and old not in given and old not in added:
            now = history.migrations[Key(app, old)].digest
            if not now or digests_before.get(old, now) == now:
                raise _still_there(app, old, unchanged=bool(now) and old in digests_before)
    gone = set(changes.olds()) - given
    for name in changes.new:
        if name not in gone:
            raise UsageError(
                f"--new {app}.{name}: you did not say what became of the migration that had this name before.",
                "",
                f"If it was renamed, add --map {app}.{name}=NEW\nIf it was deleted, add --remove {app}.{name}",
            )


def _still_there(app: str, old: str, *, unchanged: bool) -> UsageError:
    if unchanged:
        return UsageError(
            f"{app}.{old} is still on disk.",
            "Its operations are the same as before, as git shows. So it has not become another migration.",
            f"If another migration has become {old}, give its old name: --map {app}.OLD={old}",
        )
    return UsageError(
        f"{app}.{old} is still on disk.",
        "Either its name has not changed, or another migration has this name now.",
        f"If an older migration has this name now, give its old name: --map {app}.OLD={old}\n"
        f"If it is a new migration, add --new {app}.{old}",
    )
