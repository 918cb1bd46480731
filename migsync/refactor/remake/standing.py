"""What the migrations that stay depend on, where they depended on one that is made anew: pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from migsync.history import History, Key
from migsync.worker.remake_call import Remade


def standing(history: History, remade: Remade, apps: frozenset[str]) -> dict[Key, tuple[Key, ...]]:
    """For each old key that a migration of another app names: the new one that it needs now.

    That is the last of the app's that make its models, or a further one with something that came before the old key.
    Whatever came later in its app is not waited for: it may need what depends on it now.
    """
    return {old: (needed,) for old in _named(history, apps) if (needed := _needed(history, remade, old))}


def _named(history: History, apps: frozenset[str]) -> Iterator[Key]:
    staying = (migration for key, migration in history.migrations.items() if key.app not in apps)
    named = (key for migration in staying for key in migration.dependencies if key.app in apps)
    yield from dict.fromkeys(key for key in named if not key.name.startswith("__"))


def _needed(history: History, remade: Remade, old: Key) -> Key | None:
    above = history.ancestors([old] if old in history.migrations else _squashes(history, old))
    files = [key for key in remade.files if key.app == old.app]
    needed = [
        key
        for key in files
        if key not in remade.further or not above.isdisjoint(_meant(history, (up for _, up in remade.origins[key])))
    ]
    return needed[-1] if needed else next(iter(files), None)


def _squashes(history: History, gone: Key) -> Iterator[Key]:
    """Those that replace a migration which has no file any more."""
    return (key for key, migration in history.migrations.items() if gone in migration.replaces)


def _meant(history: History, origins: Iterable[Key]) -> Iterator[Key]:
    """Migrations, and what they replace."""
    for origin in origins:
        yield origin
        if origin in history.migrations:
            yield from history.migrations[origin].replaces
