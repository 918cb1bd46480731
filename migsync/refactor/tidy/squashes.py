"""The squashes that stand open: a file that still says what it `replaces`, whoever made it. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from migsync.history import History, Key, Migration


@dataclass(frozen=True)
class Squash:
    """One squash and what it replaces.

    `replaced` is what its file says, itself left out; `files` are those of them that are on disk. `dependants` name one
    of `replaced` and are not squashed away themselves, each with the names in question. `inner` are squashes among
    `replaced` that stand open: their transition ends first. `later` are files under a replaced name that depend on the
    squash, so that they cannot be what it replaces. `rivals` are other open squashes that replace one of the same.
    `settled`: its file says no more what it replaced, a rewrite does, and only rows may be left.
    """

    key: Key
    replaced: tuple[Key, ...]
    files: tuple[Key, ...]
    dependants: Mapping[Key, tuple[Key, ...]]
    inner: tuple[Key, ...] = ()
    later: tuple[Key, ...] = ()
    rivals: tuple[Key, ...] = ()
    settled: bool = False

    @property
    def own(self) -> tuple[Key, ...]:
        """What it replaces in its own app."""
        return tuple(key for key in self.replaced if key.app == self.key.app)

    @property
    def foreign(self) -> tuple[Key, ...]:
        """What it replaces in other apps."""
        return tuple(key for key in self.replaced if key.app != self.key.app)


def open_squashes(history: History, apps: Collection[str]) -> tuple[Squash, ...]:
    """The open squashes of `apps`, in the order of the history."""
    replaces = {
        key: tuple(dict.fromkeys(name for name in migration.replaces if name != key))
        for key, migration in history.migrations.items()
        if migration.replaces
    }
    return tuple(_squash(history, key, replaces) for key in history.order if key in replaces and key.app in apps)


def _squash(history: History, key: Key, replaces: Mapping[Key, tuple[Key, ...]]) -> Squash:
    replaced = replaces[key]
    covered = _covered(key, replaces)
    return Squash(
        key,
        replaced,
        files=tuple(name for name in replaced if name in history.migrations),
        dependants={
            child: named
            for child, migration in sorted(history.migrations.items())
            if child not in covered and child != key and (named := _named(migration, replaced))
        },
        inner=tuple(name for name in replaced if name in replaces),
        later=tuple(name for name in replaced if name in history.migrations and _comes_after(history, name, key)),
        rivals=tuple(
            other
            for other, names in replaces.items()
            if other != key
            and not {*names}.isdisjoint(replaced)
            # A squash of this squash shares everything with it, and is no rival.
            and other not in covered
            and key not in _covered(other, replaces)
        ),
    )


def _covered(key: Key, replaces: Mapping[Key, tuple[Key, ...]]) -> set[Key]:
    """All that a squash stands for, through the squashes among it."""
    found: set[Key] = set()
    todo = [*replaces[key]]
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            todo += replaces.get(name, ())
    return found


def _named(migration: Migration, replaced: Collection[Key]) -> tuple[Key, ...]:
    return tuple(dict.fromkeys(name for name in _names(migration) if name in replaced))


def _names(migration: Migration) -> Iterator[Key]:
    yield from migration.dependencies
    yield from migration.run_before


def _comes_after(history: History, key: Key, squash: Key) -> bool:
    """Whether a migration depends on the squash as its files say: names that are gone lead nowhere here."""
    seen, todo = {key}, [key]
    while todo:
        for parent in history.migrations[todo.pop()].dependencies:
            if parent == squash:
                return True
            if parent in history.migrations and parent not in seen:
                seen.add(parent)
                todo.append(parent)
    return False
