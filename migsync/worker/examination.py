"""The task of a proof by Django's loader: what Django makes of the migration files that this process imports."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from migsync.key import Key
from migsync.worker.loader import Node, forwards, in_memory, loaded
from migsync.worker.model_changes import model_changes
from migsync.worker.progress import counted
from migsync.worker.protocol import ExaminationRequest, ExaminationResult, ModelChange, TargetPlan
from migsync.worker.renderer import Renderer
from migsync.worker.setup import first_line, origin, relabel, stage
from migsync.worker.state_watch import StateWatch


def answer(request: ExaminationRequest) -> ExaminationResult:
    """Load everything, and report: the leaves of each app, the state, changes to the models, and plans per target."""
    # Before Django starts, since models bear the label of their app from their import on.
    relabel(request.labels)
    loader = loaded()
    leaves, changes = loader.graph.leaf_nodes(), tuple[ModelChange, ...]()
    renderer = Renderer(_modules(loader.disk_migrations, request.names))
    with stage("state"):
        watch = _watched(loader, forwards(loader.graph, leaves))
        models = renderer.state(watch.state)
    # With other labels the models are those of later: what they would change is no matter, nor that they may not fit.
    with stage("changes"), suppress(*(Exception,) if request.labels else ()):
        changes = _changes(loader, watch.state, renderer)
    return ExaminationResult(
        migrations=len(loader.disk_migrations),
        leaves=_by_app(leaves),
        models=models,
        changes=changes,
        targets=tuple(_target(keys) for keys in counted("plans", request.targets, at_once=True)),
        clashes=tuple(watch.clashes),
    )


def _watched(loader: Any, order: Sequence[Node]) -> StateWatch:  # noqa: ANN401
    """``loader.project_state()``, whose own search for duplicates is quadratic, and what cannot run on the way."""
    from django.db.migrations.state import ProjectState

    watch = StateWatch(ProjectState(real_apps=loader.unmigrated_apps), loader.graph)
    for key in counted("state", order):
        watch.run(key)
    return watch


def _modules(migrations: Mapping[Node, Any], names: Mapping[str, str]) -> dict[str, str]:
    """The module of every migration, and what stands for it in a rendered state."""
    found = {}
    for (app, name), migration in migrations.items():
        key = f"{app}.{name}"
        found[type(migration).__module__] = f"<{names.get(key, key)}>"
    return found


def _changes(loader: Any, state: Any, renderer: Renderer) -> tuple[ModelChange, ...]:  # noqa: ANN401
    """What ``makemigrations --check --dry-run`` finds."""
    return tuple(
        ModelChange(app, operation.describe(), renderer.operation(operation))
        for app, migrations in sorted(model_changes(loader, state).items())
        for migration in migrations
        for operation in migration.operations
    )


def _by_app(leaves: Iterable[Node]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for app, name in leaves:
        found[app] = (*found.get(app, ()), name)
    return found


def _target(keys: Iterable[Key]) -> TargetPlan:
    """What ``migrate --plan`` would say to a database with these records."""
    try:
        return _plan(keys)
    except Exception as error:
        return TargetPlan(first_line(error), origin(error))


def _plan(keys: Iterable[Key]) -> TargetPlan:
    from django.db.migrations.loader import MigrationLoader
    from django.db.migrations.recorder import MigrationRecorder

    # Django's own recorder over a database in memory: rows go in, and what Django reads is what it would read.
    with in_memory() as connection:
        recorder = MigrationRecorder(connection)
        recorder.ensure_schema()
        recorder.migration_qs.bulk_create([recorder.Migration(app=app, name=name) for app, name in keys])
        loader = MigrationLoader(connection)
        loader.check_consistent_history(connection)
        conflicts = {app: tuple(sorted(names)) for app, names in sorted(loader.detect_conflicts().items())}
        pending = tuple(
            Key(*key)
            for key in forwards(loader.graph, loader.graph.leaf_nodes())
            if key not in loader.applied_migrations
        )
        return TargetPlan(conflicts=conflicts, pending=pending, edges=_edges(loader.graph, pending))


def _edges(graph: Any, pending: Collection[Key]) -> tuple[tuple[Key, Key], ...]:  # noqa: ANN401
    """(migration, its dependency), both pending."""
    within = set[Node](pending)
    return tuple(
        (key, Key(*parent.key))
        for key in pending
        for parent in sorted(graph.node_map[key].parents)
        if parent.key in within
    )
