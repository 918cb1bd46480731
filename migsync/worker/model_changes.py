"""What ``makemigrations`` finds that no migration has yet, as the project's own command sees it."""

from __future__ import annotations

import copy
import importlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any


def autodetector() -> Any:  # noqa: ANN401 -- Django has no types
    """The class of the autodetector: a project may have its own ``makemigrations``, with a detector of its own."""
    # Commands name their detector since Django 5.2; before, they import it.
    return getattr(_command(), "autodetector", _django().MigrationAutodetector)


def model_changes(loader: Any, state: Any) -> Mapping[str, Sequence[Any]]:  # noqa: ANN401
    """By app, the migrations that ``makemigrations`` would make; `state` is what those of the `loader` come to.

    A project's own command may change Django before the models are compared (pretix and pretalx leave verbose names
    out): it runs, up to there, and what it changed stays changed in this process.
    """
    command = _command()
    found: list[Mapping[str, Sequence[Any]]] = []

    class DetectorStub:
        """Stands in the detector's place within the command, and finds nothing for it to write."""

        def __init__(self, *_: object) -> None:
            pass

        def changes(self, *_: object, **__: object) -> dict[str, list[Any]]:
            found.append(_changes(loader, state))
            return {}

    if type(command).handle is not _django().Command.handle:
        # One that refuses, asks or fails has said nothing of the models.
        with suppress(Exception, SystemExit):
            _run(command, DetectorStub, _asking_no_database(loader, state))
    return found[0] if found else _changes(loader, state)


def _changes(loader: Any, state: Any) -> Mapping[str, Sequence[Any]]:  # noqa: ANN401
    from django.apps import apps
    from django.db.migrations.questioner import MigrationQuestioner
    from django.db.migrations.state import ProjectState

    # Not the NonInteractiveMigrationQuestioner: that ends the process where it cannot answer.
    questioner = MigrationQuestioner(specified_apps=set(), dry_run=True)
    detector = autodetector()(state.clone(), ProjectState.from_apps(apps), questioner)
    changes: Mapping[str, Sequence[Any]] = detector.changes(graph=loader.graph)
    return changes


def _run(command: Any, detector: type, loader: Any) -> None:  # noqa: ANN401
    from django.core.management import call_command

    django = _django()
    before = django.MigrationLoader
    # The command makes a loader by the name in its module; a second one would read all files once more.
    django.MigrationLoader = lambda *_, **__: loader
    command.autodetector = detector
    try:
        call_command(command, dry_run=True, interactive=False, verbosity=0)
    finally:
        django.MigrationLoader = before


def _asking_no_database(loader: Any, state: Any) -> Any:  # noqa: ANN401
    """The loader as the command needs it; whether each database fits is no question here."""
    found = copy.copy(loader)
    found.check_consistent_history = lambda _: None
    found.detect_conflicts = dict
    found.project_state = state.clone
    return found


def _command() -> Any:  # noqa: ANN401
    from django.core.management import get_commands, load_command_class

    return load_command_class(get_commands()["makemigrations"], "makemigrations")


def _django() -> Any:  # noqa: ANN401
    return importlib.import_module("django.core.management.commands.makemigrations")
