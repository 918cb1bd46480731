"""Dependencies on ``__first__`` and ``__latest__`` of an app: they mean another migration when its ends change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from migsync.findings import Finding
from migsync.findings.order import open_end
from migsync.history import FIRST, LATEST, SETTING, History, Key, Migration
from migsync.refactor.order import Units


def moved_ends(history: History, units: Units, chains: Mapping[str, Sequence[Key]]) -> Iterator[Finding]:
    """An error for each dependency on an end that moves when these apps are put in line as `chains`.

    With one root and one leaf nothing moves: all others of the app come between them in every order.
    """
    users = _Users(history)
    for app, links in chains.items():
        homes = {units.home(Key(app, name)) for name in history.names(app)}
        roots = [home for home in homes if all(parent.app != app for parent in units.graph.parents[home])]
        leaves = [home for home in homes if all(child.app != app for child in units.graph.children[home])]
        first = _django_first(history, app)
        # Compared as units: a squash and what it replaces are one place in the order.
        if len(roots) > 1 and first is not None and units.home(first) != units.home(links[0]):
            yield from users.findings(Key(app, FIRST), first, f"the first will be {links[0].name}")
        if len(leaves) > 1:
            yield from users.findings(Key(app, LATEST), None, f"the last will be {links[-1].name}")


def _django_first(history: History, app: str) -> Key | None:
    """What ``__first__`` means: the least name among those without a parent in the app."""
    return min(_roots(history, app), default=None)


def _roots(history: History, app: str) -> list[Key]:
    keys = (Key(app, name) for name in history.names(app))
    # Django ignores `__first__` of a migration's own app: it is no parent.
    return [key for key in keys if all(parent.name == FIRST for parent in history.migrations[key].in_app_parents)]


class _Users:
    """Who names the ends of which app; gathered once."""

    def __init__(self, history: History) -> None:
        self.history = history
        self._by_name: dict[Key, list[Migration]] = {}
        self._by_setting: list[Migration] = []
        for migration in history.migrations.values():
            for end in {*migration.dependencies, *migration.run_before}:
                if end.name in (FIRST, LATEST) and end.app != migration.key.app:
                    self._by_name.setdefault(end, []).append(migration)
            # A swappable dependency means the first migration of whatever app the setting names.
            if any(app == SETTING for app, _ in migration.dependencies):
                self._by_setting.append(migration)

    def findings(self, end: Key, meant: Key | None, outcome: str) -> Iterator[Finding]:
        """An error for each that names this end, which means `meant` now, where that is one migration."""
        found = list(self._by_name.get(end, ()))
        if meant is not None:
            found += [
                migration
                for migration in self._by_setting
                if meant in self.history.parents(migration.key) and meant not in migration.dependencies
            ]
        for migration in dict.fromkeys(each.key for each in found):
            yield open_end(
                migration=migration,
                end=end.name,
                app=end.app,
                outcome=outcome,
                meant=meant,
                file=self.history.migrations[migration].path,
            )


def changed_ends(history: History, renamed: Mapping[Key, Key]) -> Iterator[Finding]:
    """An error for each dependency on an end that will be another one once these names change, and the graph does not.

    Of several first or last migrations of an app Django takes the one whose name is least.
    """
    users = _Users(history)
    for app in sorted({key.app for key in renamed}):
        keys = [Key(app, name) for name in history.names(app)]
        parents = {parent for key in keys for parent in history.migrations[key].in_app_parents}
        leaves = [key for key in keys if key not in parents]
        for end, found in ((FIRST, _roots(history, app)), (LATEST, leaves)):
            least = min(found, key=lambda key: renamed.get(key, key), default=None)
            if least is not None and least != min(found):
                meant = min(found) if end == FIRST else None
                yield from users.findings(Key(app, end), meant, f"by its new name it will be {least.name}")
