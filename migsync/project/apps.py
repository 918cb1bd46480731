"""The installed apps, and where each one's migrations are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from migsync.errors import ProjectError
from migsync.findings import Finding
from migsync.findings.project import unknown_app
from migsync.history.migration import App
from migsync.project.appconfigs import AppConfigs, InstalledApp, Unclear
from migsync.project.modules import Modules
from migsync.worker.protocol import RegisteredApp

MIGRATIONS = "migrations"

Registry = Callable[[], Sequence[RegisteredApp]]
"""Asks Django's registry for all installed apps, in the order of INSTALLED_APPS; raises ProjectError."""


@dataclass(frozen=True)
class Apps:
    """The apps of a project, and what must be said about how they were found; `places` are their directories by label.

    An app's directory is that of its package, where its migrations need not be.
    """

    apps: tuple[App, ...]
    findings: tuple[Finding, ...] = ()
    places: Mapping[str, str] = field(default_factory=dict)


def installed_apps(
    entries: Iterable[str],
    migration_modules: Any,  # noqa: ANN401 -- a mapping, or anything with `in` and [] (tests switch migrations off so)
    first_party: Callable[[str], bool],
    registry: Registry,
) -> Apps:
    """Every entry of INSTALLED_APPS as an App; nothing of the apps is executed unless `registry` must be asked.

    `registry` is asked only when some entry cannot be told statically, and only those entries are taken from it.
    What it cannot settle either is a finding, and the app is left out. Raises ProjectError for one label used twice.
    """
    entries = list(entries)
    modules = Modules()
    configs = AppConfigs(modules)
    # By the number of the entry: the registry answers in the order of INSTALLED_APPS, and an unclear entry has no
    # label yet.
    places: dict[int, RegisteredApp] = {}
    unclear: dict[int, str] = {}
    for number, entry in enumerate(entries):
        try:
            app = configs.installed(entry)
            places[number] = _place(app, migration_modules, modules)
        except Unclear as why:
            unclear[number] = str(why)
    findings: list[Finding] = []
    if unclear:
        settled, reason = _settle(registry, len(entries))
        for number, question in unclear.items():
            if settled:
                places[number] = settled[number]
            else:
                findings.append(unknown_app(installed=entries[number], question=question, reason=reason))
    found = [places[number] for number in sorted(places)]
    _no_label_twice([(app.label, app.name) for app in found])
    apps = tuple(App(app.label, app.directory, bool(app.directory and first_party(app.directory))) for app in found)
    packages = {app.label: modules.find(app.name) for app in found}
    directories = {label: it.locations[0] for label, it in packages.items() if it and it.locations}
    return Apps(apps, tuple(findings), directories)


def _place(app: InstalledApp, migration_modules: Any, modules: Modules) -> RegisteredApp:  # noqa: ANN401 -- as above
    """Where the migrations of an app are, by ``MigrationLoader.migrations_module``'s rules."""
    if modules.find(app.name) is None:
        raise Unclear(f"no module {app.name!r} is found")
    explicit = app.label in migration_modules
    name = migration_modules[app.label] if explicit else f"{app.name}.{MIGRATIONS}"
    # `MIGRATION_MODULES = {"shop": None}` switches the app's migrations off.
    if name is None:
        return RegisteredApp(app.label, app.name, None)
    module = modules.find(name)
    if module is None and explicit:
        raise Unclear(f"MIGRATION_MODULES names {name!r} for {app.label}, which is not found")
    # Without a package `migrations` (a plain migrations.py is none) Django takes the app for one without migrations.
    if module is None or module.locations is None:
        return RegisteredApp(app.label, app.name, None)
    if len(module.locations) != 1:
        if not module.file:
            # A namespace package: Django takes no migrations from it.
            return RegisteredApp(app.label, app.name, None)
        raise Unclear(f"the package {name!r} has {len(module.locations)} directories")
    return RegisteredApp(app.label, app.name, module.locations[0])


def _settle(registry: Registry, expected: int) -> tuple[Sequence[RegisteredApp], str]:
    """The registry's apps, or none and the reason why."""
    try:
        registered = registry()
    except ProjectError as error:
        return (), str(error)
    if len(registered) != expected:
        return (), f"Django's registry has {len(registered)} apps for {expected} entries."
    return registered, ""


def _no_label_twice(named: Iterable[tuple[str, str]]) -> None:
    places: dict[str, str] = {}
    for label, place in named:
        if label in places:
            raise ProjectError(
                f"Two apps have the label {label!r}: {places[label]} and {place}.",
                "Django identifies the migrations of an app by its label, and does not start.",
                "Set another label in the AppConfig of one of them.",
            )
        places[label] = place
