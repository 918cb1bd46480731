"""Apps found without settings: those that ``[tool.migsync.apps]`` names, else every migrations package in the root."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from migsync.errors import ProjectError
from migsync.filesystem.boundary import Irregular, read_source
from migsync.findings import Finding
from migsync.findings.project import NAME_THE_APPS, unclear_label
from migsync.history.migration import App
from migsync.project.appconfigs import AppConfigs, Unclear
from migsync.project.apps import MIGRATIONS, Apps
from migsync.project.firstparty import is_environment
from migsync.project.library import NamedApp
from migsync.project.modules import Module, Modules
from migsync.project.search import PASSED_OVER
from migsync.project.stated_apps import StatedApps

NUMBERED = re.compile(r"\d{4}_\w+\.py")


def named_apps(named: Iterable[NamedApp], first_party: Callable[[str], bool]) -> Apps:
    """The apps of ``[tool.migsync.apps]``."""
    found = [(app, str(app.migrations)) for app in named]
    return Apps(
        tuple(App(app.label, directory, first_party(directory)) for app, directory in found),
        places={app.label: str(app.directory) for app, _ in found},
    )


def scanned_apps(
    root: Path, first_party: Callable[[str], bool], search_path: Sequence[str], stated: StatedApps | None = None
) -> Apps:
    """Every app in the root whose ``migrations`` package holds a migration; raises ProjectError for a label twice.

    `search_path` is where the project's modules are found; they are read, and never imported. Where the settings state
    the installed apps, only those count.
    """
    found: dict[str, App] = {}
    places: dict[str, str] = {}
    modules = Modules([*search_path, *sys.path])
    findings = []
    moved = stated.migration_modules if stated else {}
    for directory in _installed(list(_migration_packages(root)), search_path, stated):
        app = directory.parent
        label, finding = _label(root, app, modules)
        if label in moved:
            continue
        if finding:
            findings.append(finding)
        if label in found:
            raise ProjectError(
                f"Two apps have the label {label!r}: {Path(found[label].directory or '').parent} and {app}.",
                "Without settings, migsync takes every migrations package in the project for that of an installed app.",
                NAME_THE_APPS,
            )
        found[label] = App(label, str(directory), first_party(str(directory)))
        places[label] = str(app)
    for label, module in moved.items():
        if module and (there := package_directory(root, module, search_path)):
            found[label] = App(label, str(there), first_party(str(there)))
    return Apps(tuple(found.values()), tuple(findings), places)


def _installed(directories: Sequence[Path], search_path: Sequence[str], stated: StatedApps | None) -> Sequence[Path]:
    """Those of apps that are `stated`; all of them where none is, for the names are then not those of directories."""
    if stated is None:
        return directories
    names = {directory: list(_module_names(directory.parent, search_path)) for directory in directories}
    every = [name for found in names.values() for name in found]
    return [
        directory for directory, found in names.items() if any(stated.names(name, every) for name in found)
    ] or directories


def _module_names(place: Path, search_path: Sequence[str]) -> Iterator[str]:
    """The dotted names by which a directory may be imported."""
    for start in search_path:
        if place != Path(start) and place.is_relative_to(start):
            yield ".".join(place.relative_to(start).parts)


def package_directory(root: Path, module: str, search_path: Sequence[str]) -> Path | None:
    """The directory of a package in the root; None where it is elsewhere, or nowhere."""
    places = (Path(start, *module.split(".")) for start in search_path)
    return next((place for place in places if place.is_relative_to(root) and place.is_dir()), None)


def _migration_packages(root: Path) -> Iterator[Path]:
    for place, directories, files in os.walk(root):
        here = Path(place)
        # In place, so that os.walk() does not enter the others; sorted, since a file system lists them in any order.
        directories[:] = sorted(
            name
            for name in directories
            if name not in PASSED_OVER and not name.startswith(".") and not is_environment(os.path.join(place, name))  # noqa: PTH118 -- a hot loop
        )
        # A root called `migrations` would have its app outside of the root.
        if here.name == MIGRATIONS and here != root and "__init__.py" in files:
            directories.clear()
            if any(_is_migration(here, name) for name in files):
                yield here


def _is_migration(directory: Path, name: str) -> bool:
    # Names that Django's loader passes over.
    if name.startswith(("_", "~")) or not name.endswith(".py"):
        return False
    # Only a file with a name of its own has to be read.
    if NUMBERED.fullmatch(name):
        return True
    with suppress(Irregular):
        return b"class Migration" in read_source(directory / name)
    return False


def _label(root: Path, app: Path, modules: Modules) -> tuple[str, Finding | None]:
    """The app's label by its ``apps.py``, else its directory's name."""
    apps = app / "apps.py"
    if not apps.is_file():
        return app.name, None
    # The package's real dotted name is not known; it matters only for relative imports in apps.py.
    name = ".".join([*app.relative_to(root).parts, "apps"])
    try:
        config = AppConfigs(modules).choose(Module(name, str(apps)))
        if config is None:
            return app.name, None
        return config.label(), None
    except Unclear as reason:
        return app.name, unclear_label(app=app.name, directory=str(app), reason=str(reason), file=str(apps))
