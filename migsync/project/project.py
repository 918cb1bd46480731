"""A project: its apps, its databases, and what ``[tool.migsync]`` says."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from migsync.alias import entry_of, schema_of
from migsync.engines.config import LOCK_TIMEOUT, DatabaseConfig
from migsync.errors import NOTHING_CHANGED, ProjectError, SettingsError, UnknownAlias
from migsync.filesystem.cache_file import cache_file
from migsync.findings import Finding
from migsync.findings.project import no_app, settings_not_imported
from migsync.history.migration import App, Key
from migsync.project.apps import Apps, installed_apps
from migsync.project.databases.aliases import DEFAULT, Aliases, django_aliases, option_aliases, url_alias
from migsync.project.environment import project_set_up
from migsync.project.firstparty import FirstParty
from migsync.project.library import find_named_apps, is_django_installed
from migsync.project.options import PYPROJECT, REWRITES, SOURCE, VerifySettings
from migsync.project.packages import Package, find_packages
from migsync.project.registry import registered_apps
from migsync.project.root import Root, find_root, settings_module, usual_start
from migsync.project.scan import named_apps, scanned_apps
from migsync.project.settings import DEFAULTS, Settings, load_settings, running_settings
from migsync.project.stated_apps import StatedApps, read_stated_apps
from migsync.shard import Shard
from migsync.words import did_you_mean, text_list
from migsync.worker.runtime import LIBRARY_SETTINGS, SETTINGS_VARIABLE, Runtime

URL_ALIAS = "url"


@dataclass(frozen=True)
class Project:
    """Everything about the project that migsync works with.

    `apps` are all installed apps, or, where `static` is True (no settings, or settings that do not import), only those
    that were found by their files. `settings` are Django's settings that name a model (``AUTH_USER_MODEL``).
    `databases` are the aliases that are synced by default; those `passed_over` can still be asked for. `use_tz` is
    None when not known. `lock_timeout` is how many seconds migsync waits for a lock, to read or to write.
    `settings_module` is empty without one. `leftovers` are the recorded migrations that the project says are no file of
    today. Schemas that match one of the patterns in `ignore_schemas` belong to other projects. With `keep_sources`, the
    databases keep the files that run. `packages` are those that ship rewrites. `verify` is what the project says of
    ``migsync verify``. With a `shard`, only those targets count that are in it. So many `readers` at most read the
    members of an entry at the same time.
    """

    root: Path
    rewrites: Path
    apps: tuple[App, ...]
    databases: Mapping[str, DatabaseConfig]
    cache: Path
    settings: Mapping[str, str] = field(default_factory=dict)
    use_tz: bool | None = None
    journal: bool = True
    keep_sources: bool = False
    lock_timeout: float = LOCK_TIMEOUT
    ignore_schemas: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    passed_over: Mapping[str, DatabaseConfig] = field(default_factory=dict)
    settings_module: str = ""
    static: bool = False
    leftovers: frozenset[Key] = frozenset()
    packages: tuple[Package, ...] = ()
    verify: VerifySettings = field(default_factory=VerifySettings)
    shard: Shard | None = None
    readers: int = 8

    @property
    def is_library(self) -> bool:
        """True for a library that has no settings of its own."""
        return self.settings_module == LIBRARY_SETTINGS

    @property
    def runnable(self) -> bool:
        """True when there are settings to start Django with."""
        return bool(self.settings_module) and not self.static

    def runtime(self) -> Runtime:
        """What a worker needs in order to run the project's code; raises ProjectError when it is not `runnable`."""
        if not self.runnable:
            raise ProjectError(
                "The project has no settings module that can be imported.",
                f"The proof loads the migrations with Django, which needs one. {NOTHING_CHANGED}",
                "Run the command again with --settings MODULE.",
            )
        return find_root(self.root, root=self.root).runtime(self.settings_module)

    def typed(self, alias: str) -> str:
        """`alias` where a command has to name it; empty where this is the only database, and Django's default.

        Also for the database of ``--url``, which no other command knows by this alias.
        """
        return "" if self.databases.keys() == {alias} and alias in (DEFAULT, URL_ALIAS) else alias

    def targets(self, aliases: Sequence[str] = ()) -> tuple[DatabaseConfig, ...]:
        """The databases with these aliases, each once; without any, all that are synced by default.

        An entry that stands for many schemas is one of them; :mod:`migsync.sync.members` asks for its members. An alias
        such as ``tenants:acme`` is a member, whether the schema is there or not.
        Raises UnknownAlias, which lists those that exist.
        """
        known = {**self.databases, **self.passed_over}
        known |= {alias: member for alias in aliases if alias not in known and (member := _member(known, alias))}
        for alias in aliases:
            if alias not in known:
                there = f"Its databases: {text_list(sorted(known))}." if known else "It has no databases."
                raise UnknownAlias(f"This project has no database {alias!r}.", did_you_mean(alias, known, there), "")
        asked = dict.fromkeys(aliases or self.databases)
        return tuple(replace(known[alias], lock_timeout=self.lock_timeout) for alias in asked)


def _member(known: Mapping[str, DatabaseConfig], alias: str) -> DatabaseConfig | None:
    config, schema = known.get(entry_of(alias)), schema_of(alias)
    return config.member(schema) if config and config.schemas and schema else None


def find_project(
    start: Path | None = None,
    *,
    root: Path | None = None,
    settings: str | None = None,
    url: str | None = None,
    files_only: bool = False,
) -> Project:
    """The project that `start` (the current directory, or manage.py's when that runs) is in, or the one at `root`.

    `settings` names the settings module; without it ``DJANGO_SETTINGS_MODULE``, ``[tool.migsync]`` and manage.py are
    asked in turn. `url` is a database for this once, under the alias ``url``, in place of all others. The settings
    module is imported, nothing else of the project. Raises ProjectError, and SettingsError for settings that do not
    import when there is no other way to the databases, unless no database is needed (`files_only`).
    """
    explicit = bool(settings or os.environ.get(SETTINGS_VARIABLE))
    place = find_root(start or usual_start(), root=root, required=not explicit)
    module = settings_module(place, settings, os.environ)
    if not module and not url and place.library and is_django_installed():
        module = LIBRARY_SETTINGS
    with project_set_up(place, module):
        return _build(place, module, url, files_only=files_only)


def _build(place: Root, module: str, url: str | None, *, files_only: bool) -> Project:
    options = place.options
    # Settings that do not import are only a warning where no database is needed, or where a URL leads to one. The apps
    # are then found by their files.
    stated, findings = _settings(place, module, lenient=bool(files_only or url or options.databases))
    first_party = FirstParty(place.directory)
    if stated is not None:
        apps = installed_apps(
            stated.installed_apps,
            stated.migration_modules,
            first_party,
            lambda: registered_apps(place.runtime(stated.module)),
        )
        _check_labels(place, apps)
    else:
        apps = _apps_by_files(place, first_party)
    aliases = _aliases(place, stated, url)
    rewrites = rewrites_directory(place)
    packages = find_packages(apps.places, rewrites)
    return Project(
        root=place.directory,
        rewrites=rewrites,
        apps=apps.apps,
        databases=aliases.databases,
        cache=cache_file(place.directory, os.environ),
        settings=stated.models if stated else {},
        use_tz=stated.use_tz if stated else None,
        journal=options.journal,
        keep_sources=options.contents == SOURCE,
        lock_timeout=options.lock_timeout,
        ignore_schemas=options.ignore_schemas,
        findings=(*findings, *apps.findings, *_nothing_to_do(place, apps, packages), *aliases.findings),
        passed_over=aliases.passed_over,
        settings_module=stated.module if stated else "",
        static=stated is None,
        leftovers=frozenset(map(Key.parse, options.leftovers)),
        packages=packages,
        verify=options.verify,
    )


def _check_labels(place: Root, apps: Apps) -> None:
    """Raise ProjectError for an app of a library that has another label than ``[tool.migsync.apps]`` says."""
    labels = {os.path.realpath(directory): label for label, directory in apps.places.items()}
    for app in place.library.apps if place.library else ():
        label = labels.get(os.path.realpath(app.directory), app.label)
        if label != app.label:
            raise ProjectError(
                f"[tool.migsync.apps] calls the app in {app.directory} {app.label}; its AppConfig calls it {label}.",
                "The records of an app are found by its label.",
                f'Correct {PYPROJECT}: {label} = "{place.options.apps[app.label]}"',
            )


def project_by_files(place: Root) -> Project:
    """The project by its files alone: no settings are imported, and it has no database.

    Raises ProjectError where the files do not tell its apps.
    """
    apps = _apps_by_files(place, FirstParty(place.directory))
    return Project(
        root=place.directory,
        rewrites=rewrites_directory(place),
        apps=apps.apps,
        databases={},
        cache=cache_file(place.directory, os.environ),
        findings=apps.findings,
        static=True,
        leftovers=frozenset(map(Key.parse, place.options.leftovers)),
    )


def _apps_by_files(place: Root, first_party: FirstParty) -> Apps:
    if place.options.apps:
        named = find_named_apps(place.directory, place.options.apps, place.options.python_path)
        return named_apps(named, first_party)
    return scanned_apps(place.directory, first_party, place.search_path, stated_apps(place))


def stated_apps(place: Root) -> StatedApps | None:
    """The installed apps, as far as reading the settings module tells; None where that does not tell."""
    try:
        module = settings_module(place, None, os.environ)
    except ProjectError:  # manage.py names several
        return None
    return read_stated_apps(module, place.search_path) if module else None


def rewrites_directory(place: Root) -> Path:
    """The directory of the rewrites. The file that names it may have come with a clone, so it must be in the root.

    Those of a library are in its package, so that they ship with it.
    """
    usual = place.directory / REWRITES
    if place.library and place.library.package and not usual.is_dir():
        usual = place.library.package / REWRITES
    directory = place.directory / place.options.rewrites if place.options.rewrites else usual
    if not Path(os.path.realpath(directory)).is_relative_to(os.path.realpath(place.directory)):
        raise ProjectError(
            f"The directory of the rewrites, {directory}, is outside the project, {place.directory}.",
            "migsync reads and writes rewrites only inside the project, and follows no symbolic link out of it.",
            f"In pyproject.toml, set rewrites in [tool.migsync] to a directory inside the project, such as "
            f'"{REWRITES}", or remove the link.',
        )
    return directory


def _settings(place: Root, module: str, *, lenient: bool) -> tuple[Settings | None, list[Finding]]:
    """The settings; None without a module, or with one that does not import where the work can go on without."""
    # Asked first: under `manage.py migsync` they are loaded already, and those of `settings.configure()` are in no
    # module.
    if module == LIBRARY_SETTINGS and place.library:
        models = {"AUTH_USER_MODEL": DEFAULTS["AUTH_USER_MODEL"]}
        return Settings(module, place.library.installed_apps(), {}, use_tz=True, models=models), []
    running = running_settings(module)
    if running or not module:
        return running, []
    try:
        return load_settings(module, place), []
    except SettingsError as error:
        if not lenient:
            raise
        return None, [settings_not_imported(reason=f"{error.found} {error.meaning}".strip())]


def _aliases(place: Root, stated: Settings | None, url: str | None) -> Aliases:
    use_tz = stated.use_tz if stated else None
    if url:
        # A relative path in it was typed here, and so begins here; one in pyproject.toml begins at that file.
        config, findings = url_alias(URL_ALIAS, url, Path.cwd(), use_tz)
        return Aliases({URL_ALIAS: config}, findings=tuple(findings))
    stated_aliases = django_aliases(stated.databases, use_tz) if stated else Aliases()
    # An entry that takes the connection of an alias says which of its schemas count.
    taken = {options.alias for options in place.options.databases.values() if not options.tenants}
    stated_aliases = stated_aliases.without_schemas(taken)
    return stated_aliases.overlaid(
        option_aliases(place.options.databases, place.directory, os.environ, use_tz, stated_aliases)
    )


def _nothing_to_do(place: Root, apps: Apps, packages: Sequence[Package]) -> list[Finding]:
    """What is said where all apps are installed packages', and none of these ships a rewrite."""
    return [] if packages or any(app.first_party for app in apps.apps) else [no_app(root=str(place.directory))]
