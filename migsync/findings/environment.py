"""What an error means that comes from the command line, the settings, the code or the server, and not from a table."""

from __future__ import annotations

from collections.abc import Sequence

from migsync.findings.commands import migrate
from migsync.findings.entry import Texts, entry
from migsync.findings.finding import Severity
from migsync.key import Key
from migsync.words import count, text_list


@entry("cursor-not-there", Severity.ERROR)
def cursor_not_there() -> Texts:
    """PostgreSQL says that a cursor does not exist: `cursor "_django_curs_..." does not exist`.

    Django reads long results through cursors on the server. There are two usual causes:

    - The query itself failed, because a table or a column is missing. The error before this one in the traceback says
      so: a form, the admin or a management command used a model whose migration has not run. Give that error to
      `migsync doctor --error`.
    - A pooler such as PgBouncer gives each statement another connection. Set `DISABLE_SERVER_SIDE_CURSORS` to True.
    """
    return Texts(
        "The query behind a cursor failed, or a pooler has used another connection.",
        "Most often a table or a column of the query is missing, because a migration has not run.",
        "To see which migrations have not run: python manage.py showmigrations --plan\n"
        "Behind PgBouncer, set DISABLE_SERVER_SIDE_CURSORS = True for this database in the settings.",
    )


@entry("not-migrated", Severity.INFO)
def not_migrated(*, migrations: int, first: Key, alias: str = "") -> Texts:
    """A database has not run all migrations that are on disk.

    `migrate` runs them. Where names were changed, `migsync plan` says so first: then run `migsync apply` before.
    """
    return Texts(
        f"{count(migrations, 'migration')} on disk {'has' if migrations == 1 else 'have'} not run here, "
        f"{'' if migrations == 1 else 'the first of them '}{first}.",
        "",
        f"To run {'it' if migrations == 1 else 'them'}: {migrate(alias=alias)}",
    )


@entry("no-such-migration", Severity.ERROR)
def no_such_migration(*, app: str, sought: str, names: Sequence[str]) -> Texts:
    """A command names a migration that is not on disk, or begins the names of several.

    Django takes the first letters of a name if they fit only one migration of the app. After a renumbering or a squash,
    a number means another migration, or none: look in scripts and deployment files for old names.
    """
    several = f"{len(names)} migrations of {app} begin with {sought}: {text_list(names, 5)}."
    return Texts(
        several if names else f"No migration of {app} begins with {sought}.",
        "The name is incomplete, or from before the files were renamed.",
        f"To see the names: python manage.py showmigrations {app}",
    )


@entry("app-not-there", Severity.ERROR)
def app_not_there(*, app: str, near: Sequence[str] = ()) -> Texts:
    """A command or a migration names an app that is not installed, or that has no migrations.

    - The label is not the dotted name: `migrate auth`, and not `migrate django.contrib.auth`.
    - The app is not in `INSTALLED_APPS` of the settings that are used, or its `migrations` directory has no
      `__init__.py`.
    - A migration depends on an app that was removed: take the entry out of its `dependencies`.
    """
    return Texts(
        f"No installed app with the label {app} has migrations.",
        f"Perhaps {text_list(near, 3, last='or')} is meant." if near else "",
        "To see the apps: python manage.py showmigrations --list",
    )


@entry("extension-missing", Severity.ERROR)
def extension_missing() -> Texts:
    """A migration needs an extension of PostgreSQL that this database does not have.

    Types like `citext` and `hstore`, and operator classes like those of `pg_trgm` and `btree_gin`, come with an
    extension. Each database needs it, a test database too.

    Put the operation (`TrigramExtension()`, `BtreeGinExtension()`, `CITextExtension()` ...) into a migration that comes
    before. If the user may not create extensions, an administrator runs `CREATE EXTENSION` in the database.
    """
    return Texts(
        "An extension of PostgreSQL is missing in this database, or the user may not create it.",
        "",
        "Have an administrator run in this database: CREATE EXTENSION IF NOT EXISTS name;\n"
        "Or put its operation of django.contrib.postgres.operations into a migration that comes before.",
    )


@entry("not-connected", Severity.ERROR)
def not_connected() -> Texts:
    """The server cannot be reached, or refuses the connection.

    It is not running, or host, port, user, password or the name of the database in the settings are wrong. In a
    container, `localhost` is the container itself.
    """
    return Texts(
        "The database server could not be reached, or it refused the connection.",
        "No migration has run.",
        "Check HOST, PORT, USER, PASSWORD and NAME in the settings, then: migsync status",
    )


@entry("code-gone", Severity.ERROR)
def code_gone(*, code: str, migration: Key | None = None) -> Texts:
    """A migration file imports or uses code that is not there any more.

    Migrations refer to functions (`upload_to`, `default`, validators) and to fields by their place in the code. If such
    code is moved or removed, old migrations cannot be loaded.

    - Keep a name at the old place, or edit the migration: a function that no database sees can be replaced by another.
    - If the module belongs to a package, install it, or a version that still has it.
    """
    return Texts(
        f"{migration or 'A module'} uses {code}, which is not there.",
        "Django cannot load the migrations without it.",
        f"Put {code} back, or correct the import"
        + (f" in {migration}." if migration else ".")
        + " If it belongs to a package, install it: python -m pip install PACKAGE",
    )
