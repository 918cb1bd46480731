"""A history as it is under another label of one app."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from migsync.history import History, Key, Migration, build_history


def under_label(history: History, now: str, then: str, settings: Mapping[str, str], *, complete: bool) -> History:
    """`history` with the app `now` called `then`, and whatever names it; `settings` that name a model follow.

    Files that name the app by either label already, since some were changed by hand, come out alike.
    """

    def key(found: Key) -> Key:
        return Key(then, found.name) if found.app == now else found

    def seen(migration: Migration) -> Migration:
        named = (migration.key, *migration.dependencies, *migration.run_before, *migration.replaces)
        if not any(each.app == now for each in named):
            return migration
        return replace(
            migration,
            key=key(migration.key),
            dependencies=tuple(map(key, migration.dependencies)),
            run_before=tuple(map(key, migration.run_before)),
            replaces=tuple(map(key, migration.replaces)),
            digest=migration.__dict__["digest"],  # as it is: made only when it is asked for
        )

    apps = [replace(app, label=then if app.label == now else app.label) for app in history.apps.values()]
    models = {
        name: f"{then}.{model.partition('.')[2]}" if model.partition(".")[0] == now else model
        for name, model in settings.items()
    }
    return build_history(map(seen, history.migrations.values()), apps, models, complete=complete)
