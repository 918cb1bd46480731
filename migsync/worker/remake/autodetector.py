"""What Django's autodetector makes of apps, as if they had no migrations yet.

The autodetector compares two states: one in which the apps have no models, and today's. What it makes of the difference
is taken before it names the migrations, and changed in two ways. Apps are cut in two only where they refer to each
other in a circle (:func:`_from_scratch`), and the columns of new tables come in the order that they have today
(:func:`_put_in_order`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from migsync.worker.model_changes import autodetector, model_changes

SETTING = "__setting__"


@dataclass(frozen=True)
class InitialMigration:
    """A migration that creates models of its app, with its `number` in the app, from 0 on.

    It depends on three kinds of things: `depends` are initial migrations, as (app, number); `settings` are names of
    settings with a swappable model; `models` are (app, model) of apps that are not made anew.
    """

    app: str
    number: int
    operations: tuple[Any, ...]
    depends: tuple[tuple[str, int], ...]
    settings: tuple[str, ...]
    models: tuple[tuple[str, str], ...]


def pending(loader: Any, state: Any, apps: Collection[str]) -> list[tuple[str, str]]:  # noqa: ANN401
    """What ``makemigrations`` would make now: (app, operation in words). Nothing may be made afterwards."""
    return [
        (app, operation.describe())
        for app, migrations in sorted(model_changes(loader, state).items())
        if app in apps
        for migration in migrations
        for operation in migration.operations
    ]


def initial_migrations(state: Any, apps: Collection[str]) -> dict[str, list[InitialMigration]]:  # noqa: ANN401
    """The migrations that make the models of `apps` in `state`, where those of all other apps are there already.

    The models are taken as the migrations of today left them, which is what the models themselves are as far as
    the autodetector sees: so nothing changes that nobody would look at (bases, the order of columns).
    """
    from django.db.migrations.questioner import MigrationQuestioner
    from django.db.migrations.state import ProjectState

    others = {key: model for key, model in state.models.items() if key[0] not in apps}
    before = ProjectState(others, real_apps=state.real_apps).clone()
    detector = _from_scratch()(before, _as_of_models(state), MigrationQuestioner(specified_apps=set(apps)))
    found: Mapping[str, list[Any]] = detector._detect_changes()  # changes() would only name them
    return {
        app: [_initial(number, migration, found, state) for number, migration in enumerate(migrations)]
        for app, migrations in sorted(found.items())
    }


def _as_of_models(state: Any) -> Any:  # noqa: ANN401
    """A copy with options as the models have them.

    RenameField leaves ``unique_together`` as lists of lists. An index can be there twice, where it was added, and added
    again by a RenameIndex with ``old_fields``.
    """
    from django.db.models.options import normalize_together

    copy = state.clone()
    for model in copy.models.values():
        for option in ("unique_together", "index_together"):
            if option in model.options:
                model.options[option] = set(normalize_together(model.options[option]))
        indexes = model.options["indexes"]
        model.options["indexes"] = [it for place, it in enumerate(indexes) if it not in indexes[:place]]
    return copy


def _initial(number: int, migration: Any, found: Mapping[str, Sequence[Any]], state: Any) -> InitialMigration:  # noqa: ANN401
    for operation in migration.operations:
        _put_in_order(operation, migration.app_label, state)
    named = sorted(set(migration.dependencies))
    numbers = {(app, each.name): place for app, made in found.items() for place, each in enumerate(made)}
    return InitialMigration(
        migration.app_label,
        number,
        tuple(migration.operations),
        # A model of another circle is there when all of its app is.
        tuple((app, numbers.get((app, name), len(found[app]) - 1)) for app, name in named if app in found),
        tuple(name for app, name in named if app == SETTING),
        tuple(key for key in named if key[0] != SETTING and key[0] not in found),
    )


def _put_in_order(operation: Any, app: str, state: Any) -> None:  # noqa: ANN401
    """The columns of a new table in the order that they have now: the autodetector puts relations last."""
    from django.db.migrations import CreateModel

    if isinstance(operation, CreateModel):
        place = {name: number for number, name in enumerate(state.models[app, operation.name_lower].fields)}
        operation.fields.sort(key=lambda field: place[field[0]])


def _from_scratch() -> Any:  # noqa: ANN401
    """The autodetector, which cuts an app in two only where it is in a circle.

    Django's own cuts the first app by name that cannot go on, and that is one whose model is in an app that has
    migrations, or that comes later by name. Here, apps in a circle are listed together, after those that they need.
    """

    class FromScratch(autodetector()):  # type: ignore[misc]
        generated_operations: dict[str, list[Any]]
        migrations: dict[str, list[Any]]

        def _build_migration_list(self, graph: Any = None) -> None:  # noqa: ANN401
            listed = self.generated_operations
            made: dict[str, list[Any]] = {}
            # Circle by circle, each after those that it needs: super() then finds all dependencies outside of the
            # circle met.
            for circle in _circles({app: self._apps_needed(app) for app in listed}):
                self.generated_operations = {app: listed[app] for app in circle}
                super()._build_migration_list(graph)
                made |= self.migrations
            self.migrations = made

        def _apps_needed(self, app: str) -> set[str]:
            operations = self.generated_operations[app]
            needed = {self._resolve_dependency(need)[0].app_label for each in operations for need in each._auto_deps}
            return needed & self.generated_operations.keys()

        def _resolve_dependency(self, dependency: Any) -> tuple[Any, bool]:  # noqa: ANN401
            resolved, by_setting = super()._resolve_dependency(dependency)
            # What is swappable is taken to be met, and named as it is: (app, model) for a model.
            return resolved, by_setting or resolved.app_label not in self.generated_operations

    return FromScratch


def _circles(needs: Mapping[str, Collection[str]]) -> list[list[str]]:
    """The apps in their circles, each circle after those that it needs; most apps are a circle of one."""
    reached = {app: _reached(app, needs) for app in needs}
    # An app reaches all that the apps reach which it needs, and itself besides, unless it is in one circle with them.
    # So whoever reaches fewer comes first.
    ordered = sorted(needs, key=lambda app: (len(reached[app]), app))
    circles = {app: [other for other in sorted(reached[app]) if app in reached[other]] for app in ordered}
    return [circle for app, circle in circles.items() if app == circle[0]]


def _reached(app: str, needs: Mapping[str, Collection[str]]) -> set[str]:
    found, todo = {app}, [app]
    while todo:
        new = set(needs[todo.pop()]) - found
        found |= new
        todo += new
    return found


def created_in(initials: Iterable[InitialMigration], model: str) -> int | None:
    """The number of that one of an app's migrations that creates a model (its name in any case)."""
    from django.db.migrations import CreateModel

    for initial in initials:
        for operation in initial.operations:
            if isinstance(operation, CreateModel) and operation.name_lower == model.lower():
                return initial.number
    return None
