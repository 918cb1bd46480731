"""The repository of a library: apps, and neither settings nor databases. ``[tool.migsync.apps]`` names its apps."""

from __future__ import annotations

import importlib.util
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from migsync.errors import ProjectError
from migsync.history import SETTING, read_history
from migsync.history.migration import App
from migsync.project.modules import Modules
from migsync.project.options import PYPROJECT

MIGRATIONS = "migrations"
SOURCES = "src"
DOTTED = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")
ALWAYS = ("contenttypes", "auth")
CONTRIB = ("admin", "flatpages", "redirects", "sessions", "sites")
"""Apps of Django that have migrations, without those that are always there."""


@dataclass(frozen=True)
class NamedApp:
    """One entry of ``[tool.migsync.apps]``: the directory of the app, and that of its migrations."""

    label: str
    directory: Path
    migrations: Path

    @property
    def module(self) -> str:
        """The dotted name under which the app is imported from `search_path`."""
        return ".".join(self.directory.relative_to(self.search_path).parts)

    @property
    def search_path(self) -> Path:
        """The directory above the outermost package that the app is in."""
        place = self.directory.parent
        while (place / "__init__.py").is_file():
            place = place.parent
        return place


def find_named_apps(root: Path, named: Mapping[str, str], python_path: Sequence[str] = ()) -> tuple[NamedApp, ...]:
    """The apps of ``[tool.migsync.apps]``; raises ProjectError for one that is not there.

    A value is the path of an app, or of its migrations, or the dotted name of an app: in the root, in ``src``, in a
    directory of ``python-path``, or installed.
    """
    return tuple(_named(root, label, value, python_path) for label, value in named.items())


def _named(root: Path, label: str, value: str, python_path: Sequence[str]) -> NamedApp:
    place = root / value
    if not place.is_dir() and DOTTED.fullmatch(value):
        place = _imported(root, value, python_path) or place
    if not place.is_dir():
        raise ProjectError(
            f"[tool.migsync.apps] says that {label} is in {value}, but the directory {place} does not exist.",
            hint=f"Correct {PYPROJECT}: give a path relative to this file, or the dotted name of a module.",
        )
    if (place / MIGRATIONS).is_dir():
        return NamedApp(label, place, place / MIGRATIONS)
    return NamedApp(label, place.parent if place.name == MIGRATIONS else place, place)


def _imported(root: Path, name: str, python_path: Sequence[str]) -> Path | None:
    """The directory of a package: first in the repository, so that an installed version does not hide it."""
    for place in (root, root / SOURCES, *map(Path, python_path)):
        if (directory := place.joinpath(*name.split("."))).is_dir():
            return directory
    found = Modules().find(name)
    return Path(found.locations[0]) if found and found.locations else None


@dataclass(frozen=True)
class Library:
    """The apps that the repository of a library names."""

    root: Path
    apps: tuple[NamedApp, ...]

    @property
    def search_path(self) -> tuple[str, ...]:
        """Where its apps are imported from."""
        return tuple(dict.fromkeys(str(app.search_path) for app in self.apps if self._has(app)))

    @property
    def package(self) -> Path | None:
        """The innermost package that all its apps are in; None where there is none."""
        own = [app.directory for app in self.apps if self._has(app)]
        common = Path(os.path.commonpath(own)) if own else self.root
        return common if (common / "__init__.py").is_file() and common != self.root else None

    def installed_apps(self) -> tuple[str, ...]:
        """``INSTALLED_APPS`` for Django: the apps, behind those of Django that they need.

        Raises ProjectError where a migration depends on an app that is neither.
        """
        named = {app.label for app in self.apps}
        needed: list[str] = []
        for label, by in self._needed():
            if label in CONTRIB:
                needed.append(label)
            elif label not in (*ALWAYS, *named):
                raise ProjectError(
                    f"{by} depends on the app {label}, which is not in [tool.migsync.apps].",
                    "Without settings, migsync starts Django with the apps that are named there.",
                    f'Add it to {PYPROJECT}, under [tool.migsync.apps]: {label} = "MODULE"',
                )
        contrib = dict.fromkeys(label for label in (*ALWAYS, *needed) if label not in named)
        return (*(f"django.contrib.{label}" for label in contrib), *(app.module for app in self.apps))

    def _has(self, app: NamedApp) -> bool:
        return app.directory.resolve().is_relative_to(self.root.resolve())

    def _needed(self) -> Iterator[tuple[str, str]]:
        """Each label that a migration depends on, and that migration."""
        history = read_history([App(app.label, str(app.migrations)) for app in self.apps])
        for key, migration in history.migrations.items():
            for other in (*migration.dependencies, *migration.run_before):
                if other.app != SETTING:
                    yield other.app, str(key)


def is_django_installed() -> bool:
    """Whether the Python that runs has Django."""
    return importlib.util.find_spec("django") is not None
