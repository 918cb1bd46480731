"""The history that a Reshape asks for: which key becomes what, in which attribute, and each migration afterwards."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from migsync.edits import MigrationEdit
from migsync.files.reshape import ContentChanges, DependencyChanges, KeyChanges, Reshape
from migsync.history import SETTING, History, Key, Migration, build_history, parse_migration
from migsync.history.contents import UNREAD
from migsync.history.migration import FIRST, LATEST


@dataclass(frozen=True)
class Resolution:
    """A history and what is wanted of it, worked out key by key; pure.

    A key of `renamed` or `removed` that is on no disk is only followed where files name it.
    """

    history: History
    reshape: Reshape

    @property
    def keys(self) -> KeyChanges:
        """What becomes of keys, as the command wants it."""
        return self.reshape.keys

    @property
    def dependencies(self) -> DependencyChanges:
        """What becomes of headers beyond that."""
        return self.reshape.dependencies

    @property
    def contents(self) -> ContentChanges:
        """New and edited files."""
        return self.reshape.contents

    def now(self, key: Key) -> Key:
        """The new key of a migration that stays."""
        return self.keys.renamed.get(key, key)

    @cached_property
    def becomes(self) -> Mapping[Key, tuple[Key, ...]]:
        """What replaces a changed or removed key in the ``dependencies`` of other migrations."""
        removed = self.keys.removed
        # Later entries win: a command's own word on a collapsed key over the collapse, a removal over both.
        return {
            **{old: (new,) for old, new in self.keys.renamed.items()},
            **{old: news[-1:] for old, news in self._collapsed.items()},
            **self.dependencies.successors,
            **{Key(old, name): (Key(new, name),) for old, new in self.keys.labels.items() for name in (FIRST, LATEST)},
            **{key: self._successors(key, lambda gone: removed[gone]) for key in removed},
        }

    @cached_property
    def _collapsed(self) -> Mapping[Key, tuple[Key, ...]]:
        """What stands for each key that is collapsed into something else."""
        return {old: news for olds, news in self.keys.collapsed for old in olds if old not in news}

    @cached_property
    def in_run_before(self) -> Mapping[Key, tuple[Key, ...]]:
        """What replaces a removed key in a ``run_before``.

        For a merge: what came after it, since whatever ran before the merge has to run before that. For what is
        collapsed: the first migration that stands for it.
        """
        found = {old: news[:1] for old, news in self._collapsed.items()}
        found |= {key: self._successors(key, self._followers) for key in self._merges}
        return {**found, **self.dependencies.successors}

    @cached_property
    def in_replaces(self) -> Mapping[Key, tuple[Key, ...]]:
        """What replaces a removed key in a ``replaces``.

        For a merge: nothing. A squash takes the place of what it replaces, not of the merge's parents.
        """
        # A merge that goes loses its rows too: in `replaces`, its name would make the squash look partly applied in
        # every database that is migrated.
        return dict.fromkeys(self._merges, ())

    @cached_property
    def _merges(self) -> tuple[Key, ...]:
        return tuple(key for key in self.keys.removed if key in self.history.migrations)

    def _followers(self, gone: Key) -> Iterable[Key]:
        return [child for child in self.history.children(gone) if child.app == gone.app]

    def _successors(self, key: Key, step: Callable[[Key], Iterable[Key]]) -> tuple[Key, ...]:
        """The keys of afterwards that `step` leads to, through whatever else goes."""
        found: dict[Key, None] = {}
        seen, todo = {key}, [*step(key)]
        while todo:
            each = todo.pop(0)
            if each not in self.keys.removed:
                found[self.now(each)] = None
            elif each not in seen:
                seen.add(each)
                # In the place of what goes, so that the others keep their order.
                todo = [*step(each), *todo]
        return tuple(found)

    def edit(self, migration: Migration) -> MigrationEdit | None:
        """What must change inside of a migration's file; None for one that names nothing that changes."""
        key, redirected = migration.key, self.dependencies.redirected.get(migration.key, {})
        becomes = {**self.becomes, **redirected} if redirected else self.becomes
        names = (*migration.dependencies, *migration.run_before, *migration.replaces)
        parents = self.dependencies.parents.get(key)
        dropped = self.dependencies.dropped.get(key, frozenset())
        settled = key in self.dependencies.settled
        loaded = {
            "dependencies": migration.dependencies,
            "run_before": migration.run_before,
            "replaces": migration.replaces,
        }
        # A computed list may name something only under a condition.
        computed = bool(migration.problems) and not migration.unread
        if parents is None and not dropped and not settled and not computed and becomes.keys().isdisjoint(names):
            return None
        return MigrationEdit(
            key.app,
            becomes,
            None if parents is None else tuple(self._parents(parents)),
            dropped,
            {**self.in_run_before, **redirected} if redirected else self.in_run_before,
            self.in_replaces,
            settled,
            loaded if computed else {},
        )

    def _parents(self, parents: Iterable[Key]) -> Iterator[Key]:
        found = (new for parent in parents for new in self.becomes.get(parent, (parent,)))
        yield from dict.fromkeys(found)

    @cached_property
    def changes(self) -> Sequence[tuple[Migration, MigrationEdit | None]]:
        """Every migration whose file changes, moves or goes, with the edit of what it says."""
        found: list[tuple[Migration, MigrationEdit | None]] = []
        for key, migration in self.history.migrations.items():
            if key in self.keys.gone:
                found.append((migration, None))
            elif (edit := self.edit(migration)) is not None or key in self.keys.renamed or key in self.contents.edited:
                found.append((migration, edit))
        return found

    def path(self, migration: Migration) -> str:
        """Where a migration's file will be: beside the old one, since a label is no part of a path."""
        old, new = migration.key.name, self.now(migration.key).name
        if old == new:
            return migration.path
        directory, name = os.path.split(migration.path)
        return os.path.join(directory, new + name[len(old) :])  # noqa: PTH118 -- one for each of thousands of files

    def aside(self, migration: Migration) -> Path | None:
        """Where the file of a migration that goes is kept; None where it is not."""
        path = Path(migration.path).absolute()
        return path.with_name(self.contents.aside) / path.name if self.contents.aside else None

    @cached_property
    def created(self) -> Sequence[tuple[Migration, bytes]]:
        """Every new migration with its content; its path is in the app's directory."""
        directories = {label: app.directory or "" for label, app in self.history.apps.items()}
        return [
            (parse_migration(content, key, str(Path(directories.get(key.app, ""), f"{key.name}.py"))), content)
            for key, content in self.contents.created.items()
        ]

    @cached_property
    def after(self) -> History:
        """The history afterwards, for its names and leaf nodes; without dependencies on settings."""
        return build_history(self._migrations(), self.history.apps.values(), complete=False)

    def _migrations(self) -> Iterator[Migration]:
        changed = {migration.key: edit for migration, edit in self.changes}
        for key, migration in self.history.migrations.items():
            if key in self.keys.gone:
                continue
            edit = changed.get(key) or MigrationEdit(key.app)
            yield migration.changed(
                key=self.now(key),
                dependencies=_edited(edit, "dependencies", migration.dependencies),
                run_before=_edited(edit, "run_before", migration.run_before),
                replaces=_edited(edit, "replaces", migration.replaces),
                # The old ones would be made on first use from the file on disk, which is the one of before.
                digest="",
                contents=UNREAD,
                first_digest="",
            )
        yield from (migration for migration, _ in self.created)


def _edited(edit: MigrationEdit, attribute: str, keys: tuple[Key, ...]) -> tuple[Key, ...]:
    front, outcomes = edit.outcomes(attribute, keys)
    return tuple(key for outcome in (front, *outcomes) for key in outcome if key.app != SETTING)
