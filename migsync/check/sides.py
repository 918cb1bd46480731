"""The two sides of a comparison: the apps that changed, before and after, and what else is needed to judge them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from migsync.check.base import Base
from migsync.check.commit import write_commit
from migsync.errors import ProjectError
from migsync.filesystem.git import run_git
from migsync.history.migration import App
from migsync.project import Project
from migsync.project.apps import MIGRATIONS
from migsync.project.library import NamedApp, find_named_apps
from migsync.project.options import PYPROJECT
from migsync.project.project import project_by_files, rewrites_directory, stated_apps
from migsync.project.root import Root, find_root
from migsync.project.scan import package_directory
from migsync.project.search import MANAGE, PASSED_OVER

APPS = "apps.py"
NAMED = frozenset({APPS, "__init__.py", PYPROJECT, MANAGE})
"""Files by which apps are found."""


@dataclass(frozen=True)
class Side:
    """One side: the project as its files say it, and the directory that stands for the top of the repository."""

    top: Path
    project: Project

    @property
    def rewrites(self) -> str:
        """The directory of the rewrites, in the repository."""
        return self.path(self.project.rewrites)

    @property
    def directories(self) -> Mapping[str, App]:
        """Each app with its directory in the repository."""
        return {self.path(app.directory): app for app in self.project.apps if app.directory}

    def file(self, base: Base, place: str) -> str:
        """A file of this side as it is called in the working tree."""
        return str(base.top / self.path(place)) if Path(place).is_relative_to(self.top) else place

    def path(self, place: str | Path) -> str:
        """A place as git writes it: relative to the top of the repository."""
        return _in_repository(self.top, place)


@dataclass(frozen=True)
class Sides:
    """`before` has only the apps in whose directories something `changed` (paths in the repository)."""

    base: Base
    before: Side
    after: Side
    changed: frozenset[str]
    inside: str

    @property
    def labels(self) -> frozenset[str]:
        """The apps of either side in whose directories something changed."""
        places = {path.rpartition("/")[0] for path in self.changed}
        mine = {
            app.label
            for place, app in self.after.directories.items()
            if place in places or _around(place)[0] in self.changed
        }
        return frozenset(mine).union(app.label for app in self.before.project.apps)

    @property
    def rewrites_changed(self) -> bool:
        """Whether a rewrite was added, deleted or edited."""
        return any(path.startswith(f"{self.after.rewrites}/") for path in self.changed)


def open_sides(place: Root, base: Base, stack: ExitStack) -> Sides:
    """Read both sides; files of commits are written into directories that `stack` removes. Raises ProjectError."""
    inside = Path(os.path.realpath(place.directory)).relative_to(base.top).as_posix()
    changed = frozenset(_changed(base, inside))
    after = _after(place, base, inside, stack)
    return Sides(base, _before(place, base, inside, after, changed, stack), after, changed, inside)


def _changed(base: Base, inside: str) -> Iterator[str]:
    """The paths of all files that differ."""
    options = ["--name-only", "-z", "--no-renames", "--no-ext-diff", "--no-relative", "--ignore-submodules=all"]
    sides = [base.commit, *([base.head] if base.head else [])]
    asked = [["diff", *options, *sides]]
    asked += [] if base.head else [["ls-files", "--others", "--exclude-standard", "-z"]]
    for command in asked:
        yield from filter(None, os.fsdecode(run_git(base.top, *command, "--", inside)).split("\0"))


def _after(place: Root, base: Base, inside: str, stack: ExitStack) -> Side:
    if not base.head:
        return Side(base.top, project_by_files(place))
    named, rewrites = _named(place, base.top), _in_repository(base.top, rewrites_directory(place))

    settings = _settings_files(place, base.top)
    named |= _moved(place, base.top)

    def wanted(path: str) -> bool:
        if path in settings:
            return True
        parent, _, name = path.rpartition("/")
        in_app = Path(parent).name == MIGRATIONS or any(_is_in(path, each) for each in named)
        return name in NAMED or in_app or _is_in(path, rewrites)

    return _side(base, base.head, inside, [inside], stack, wanted)


def _before(place: Root, base: Base, inside: str, after: Side, changed: Iterable[str], stack: ExitStack) -> Side:
    places = {path.rpartition("/")[0] for path in changed}
    named = _named(place, base.top) | _moved(place, base.top)
    apps = {each for each in places if each in after.directories or each in named or _is_package(each)}
    apps |= {f"{each}/{MIGRATIONS}" for each in places if f"{each}/{APPS}" in changed}
    wanted = [path for each in sorted(apps) for path in (each, *_around(each))]
    wanted += [after.rewrites, _joined(inside, PYPROJECT), *_settings_files(place, base.top)]
    side = _side(base, base.commit, inside, wanted, stack)
    # The label may come from a class in another module, and only the apps' own are here.
    labels = {each: app.label for each, app in after.directories.items() if not set(_around(each)) & set(changed)}
    found = [replace(app, label=labels.get(each, app.label)) for each, app in side.directories.items()]
    return replace(side, project=replace(side.project, apps=tuple(found), rewrites=side.top / after.rewrites))


def _side(
    base: Base,
    commit: str,
    inside: str,
    places: list[str],
    stack: ExitStack,
    wanted: Callable[[str], bool] = lambda _: True,
) -> Side:
    top = Path(os.path.realpath(stack.enter_context(TemporaryDirectory(prefix="migsync-"))))
    write_commit(base.top, commit, top, places, wanted)
    directory = top / inside
    directory.mkdir(parents=True, exist_ok=True)
    root = find_root(directory, root=directory)
    there = {app.label: str(app.migrations) for app in _apps_there(root)}
    try:
        return Side(top, project_by_files(replace(root, options=replace(root.options, apps=there))))
    except ProjectError as error:
        raise ProjectError(
            f"The files of the commit {commit[:10]}: {error.found}", error.meaning, error.hint
        ) from error


def _in_repository(top: Path, place: str | Path) -> str:
    return Path(os.path.relpath(os.path.realpath(place), top)).as_posix()


def _settings_files(place: Root, top: Path) -> list[str]:
    """The files, in the repository, that state which apps are installed."""
    stated = stated_apps(place)
    files = [*(stated.files if stated else ()), *([place.manage] if place.manage else [])]
    return [path for path in (_in_repository(top, file) for file in files) if not path.startswith("../")]


def _moved(place: Root, top: Path) -> set[str]:
    """The directories, in the repository, of the packages that the settings name as MIGRATION_MODULES."""
    stated = stated_apps(place)
    modules = [module for module in stated.migration_modules.values() if module] if stated else []
    found = (package_directory(place.directory, module, place.search_path) for module in modules)
    return {_in_repository(top, directory) for directory in found if directory}


def _named(place: Root, top: Path) -> set[str]:
    """The directories, in the repository, of the migrations of apps that pyproject.toml names."""
    return {_in_repository(top, app.migrations) for app in _apps_there(place)}


def _apps_there(place: Root) -> Iterator[NamedApp]:
    """The apps of ``[tool.migsync.apps]`` that are in the root, as far as they are there."""
    for label, value in place.options.apps.items():
        with suppress(ProjectError):
            [app] = find_named_apps(place.directory, {label: value}, place.options.python_path)
            if app.migrations.is_relative_to(place.directory):
                yield app


def _around(place: str) -> tuple[str, ...]:
    """The files beside a migrations package that say what its app is called."""
    parent = place.rpartition("/")[0]
    return tuple(_joined(parent, name) for name in (APPS, "__init__.py"))


def _is_package(place: str) -> bool:
    """Whether a directory is, by its path, one that the scan for migrations looks into."""
    parts = place.split("/")
    hidden = any(part in PASSED_OVER or part.startswith(".") for part in parts)
    return parts[-1] == MIGRATIONS and not hidden


def _joined(parent: str, path: str) -> str:
    """A path in the repository."""
    return os.path.normpath(f"{parent}/{path}" if parent else path).replace(os.sep, "/")


def _is_in(path: str, place: str) -> bool:
    return path.startswith(f"{place}/")
