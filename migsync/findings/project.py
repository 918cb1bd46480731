"""About the project: its settings, its apps and its databases."""

from __future__ import annotations

from collections.abc import Sequence

from migsync.findings.entry import Texts, entry
from migsync.findings.finding import Severity
from migsync.words import text_list


@entry("settings-not-imported", Severity.WARNING)
def settings_not_imported(*, reason: str) -> Texts:
    """The settings module cannot be imported, so migsync works without it.

    This is a warning where the command needs no database, or where one is given by --url or in pyproject.toml. migsync
    then finds apps by looking for migrations packages in the project's directory. It does not know the migrations of
    installed packages, nor apps with a label or a MIGRATION_MODULES entry that only the settings show.

    Fix the cause that the message names, often a missing environment variable or an inactive virtual environment. It
    is safe to go on if all apps of the project are found: `migsync graph` lists them.
    """
    return Texts(
        reason,
        "migsync looked for apps in the project's files. It does not know the migrations of installed packages.",
    )


@entry("no-app", Severity.WARNING)
def no_app(*, root: str) -> Texts:
    """The project's root has no app with migrations.

    migsync changes only the records and the files of apps inside the root, outside of any virtual environment. All
    installed apps are elsewhere, so there is nothing that it could do.

    Often migsync took another directory for the root than you meant. Run it in the directory of manage.py, or give the
    directory that contains your apps with `--root`.
    """
    return Texts(
        f"No app in the project's root, {root}, has migrations.",
        "migsync changes only apps in the root, so there is nothing to do.",
        "If your apps are elsewhere, run the command again with `--root DIR`, the directory that contains them.",
    )


@entry("unknown-app", Severity.WARNING)
def unknown_app(*, installed: str, question: str, reason: str) -> Texts:
    """An entry of INSTALLED_APPS is left out, because its label or its migrations cannot be found.

    migsync reads the modules of installed apps without importing them. Where that does not tell the app's label, it
    starts Django and asks the app registry. Here that failed as well, for the reason in the message.

    migsync does not look at the records of this app and does not change them. Fix the cause, often a missing package
    or an environment variable, if the app is one of yours. If it is not, it is safe to go on.
    """
    return Texts(
        f"The app {installed!r} of INSTALLED_APPS is left out: {question}.",
        f"Django's app registry could not be asked either. {reason}".strip(),
        "migsync does not touch its records. To include it, run migsync where the project starts.",
    )


NAME_THE_APPS = 'Name the apps in pyproject.toml: [tool.migsync.apps] with lines such as shop = "path/to/shop"'


@entry("unclear-label", Severity.WARNING)
def unclear_label(*, app: str, directory: str, reason: str, file: str) -> Texts:
    """The label of an app is taken from its directory, because its apps.py could not be read.

    Without settings, migsync reads the label in apps.py, without importing it. Here the label is computed, or it is not
    certain which AppConfig counts. The records of an app are found by its label: with the wrong one, the app would
    seem to have no records.

    State the label in pyproject.toml under [tool.migsync.apps]. If the label in the message is right, it is safe to go
    on.
    """
    return Texts(
        f"The app in {directory} is assumed to have the label {app!r}: {reason}.",
        "If it has another label, migsync does not find its records.",
        NAME_THE_APPS,
    )


@entry("alias-overridden", Severity.INFO)
def alias_overridden(*, alias: str) -> Texts:
    """A database is configured in pyproject.toml and in DATABASES, and pyproject.toml takes precedence.

    migsync connects with the entry in [tool.migsync.databases]; Django keeps using DATABASES. That is right when, for
    example, migsync needs a user with other privileges. Check that both lead to the same database.
    """
    return Texts(f"The database {alias!r} is in DATABASES and in pyproject.toml; migsync uses pyproject.toml.")


@entry("alias-passed-over", Severity.INFO)
def alias_passed_over(*, alias: str, mirror: str = "") -> Texts:
    """An alias of DATABASES is skipped.

    Either it has no database, as in `DATABASES = {"default": {}}`, or TEST MIRROR says that it is a copy of another
    alias, as for a read replica. The records of a replica are those of its primary, so it is enough to change the
    primary.

    To include the alias, name it with `--database`.
    """
    why = f"it mirrors {mirror!r}" if mirror else "it has no database"
    hint = f"To include it, run the command again with `--database {alias}`." if mirror else ""
    return Texts(f"The database {alias!r} is skipped: {why}.", hint=hint)


@entry("option-dropped", Severity.INFO)
def option_dropped(*, alias: str, options: Sequence[str]) -> Texts:
    """Connection options of a database are ignored, because migsync's driver does not have them.

    migsync connects through its own driver, which may be another one than Django's. Most options concern speed or
    encoding and make no difference to the few queries that migsync runs. If an option is needed to connect, give the
    database a URL in pyproject.toml under [tool.migsync.databases].
    """
    return Texts(f"The driver that migsync uses for {alias!r} does not have these options: {text_list(options)}.")
