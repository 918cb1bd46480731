"""``[tool.migsync]`` in pyproject.toml: what it may say, checked."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from migsync.alias import ARGUMENTS, TENANT
from migsync.decoder import DecodeError, load_toml, shortened, utf8
from migsync.engines.config import LOCK_TIMEOUT, SchemaChoice
from migsync.errors import ProjectError
from migsync.filesystem.boundary import read_source
from migsync.words import did_you_mean, text_list

PYPROJECT = "pyproject.toml"
REWRITES = "migration_rewrites"
"""The usual name of the directory of the rewrites."""
DIGESTS, SOURCE = "digests", "source"
"""The values of ``contents``: what is kept in the databases of the files that ran. The first is the default."""
AUTO = "auto"
"""The value of ``schemas`` for every schema that has a ``django_migrations``."""
QUERY = re.compile(r"\s*(select|with|values|table)\s", re.IGNORECASE)
LONGEST_NAME = 255  # bytes, on every usual file system
CORRECT = "Correct the file, then run the command again."


@dataclass(frozen=True)
class DatabaseOptions:
    """``[tool.migsync.databases.NAME]``: how the database is reached, and the schema or the schemas.

    By `url`, by the environment variable that holds it, or as another `alias` is. With `tenants` the URL is a template
    for many databases, and the `alias` is the one in which a query for their names runs.
    `migrate` is the command that migrates one of the schemas or databases.
    """

    # A URL may hold a password: it is kept out of every representation.
    url: str = field(default="", repr=False)
    url_env: str = ""
    alias: str = ""
    schema: str = ""
    schemas: SchemaChoice | None = None
    tenants: SchemaChoice | None = None
    migrate: str = ""


@dataclass(frozen=True)
class VerifySettings:
    """``[tool.migsync.verify]``: what may differ, by name, and the file of SQL for scratch databases."""

    accept: tuple[str, ...] = ()
    setup: str = ""


@dataclass(frozen=True)
class Options:
    """``[tool.migsync]``, with its defaults. Paths are as written there: relative to the file."""

    settings: str = ""
    rewrites: str = ""
    journal: bool = True
    contents: str = DIGESTS
    lock_timeout: float = LOCK_TIMEOUT
    python_path: tuple[str, ...] = ()
    ignore_schemas: tuple[str, ...] = ()
    databases: Mapping[str, DatabaseOptions] = field(default_factory=dict)
    apps: Mapping[str, str] = field(default_factory=dict)
    leftovers: tuple[str, ...] = ()
    verify: VerifySettings = field(default_factory=VerifySettings)
    celery: str = ""
    file: str = ""

    @property
    def names_library(self) -> bool:
        """True where apps are named, and neither settings nor databases."""
        return bool(self.apps) and not self.settings and not self.databases


def read_options(directory: Path) -> Options | None:
    """What the directory's pyproject.toml says; None without the file or without the table.

    Raises ProjectError for a file that mentions migsync and is not valid TOML, for an unknown key, and for a value of
    the wrong type.
    """
    file = directory / PYPROJECT
    try:
        content = read_source(file)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise ProjectError(
            f"{file} cannot be read: {error.strerror or error}.",
            "It may contain the settings of migsync, [tool.migsync].",
            "Make it readable, then run the command again.",
        ) from error
    # Every directory upwards may have a pyproject.toml; most are not about migsync, and then whether they parse is
    # no matter here.
    if b"migsync" not in content:
        return None
    try:
        document = load_toml(utf8(content))
    except DecodeError as error:
        raise ProjectError(f"{file} is not valid TOML: {error}.", hint=CORRECT) from error
    tool = document.get("tool") if isinstance(document, dict) else None
    table = tool.get("migsync") if isinstance(tool, dict) else None
    return None if table is None else _Reader(str(file)).options(table)


class _Reader:
    """Takes TOML values apart; the error for a wrong value says where it is and what was expected."""

    def __init__(self, file: str) -> None:
        self.file = file

    def options(self, document: object) -> Options:
        where = "tool.migsync"
        table = self.table(
            document,
            where,
            (
                "settings",
                "rewrites",
                "journal",
                "contents",
                "lock-timeout",
                "python-path",
                "ignore-schemas",
                "databases",
                "apps",
                "leftovers",
                "verify",
                "celery",
            ),
        )
        databases = self.table(table.get("databases", {}), f"{where}.databases")
        apps = self.table(table.get("apps", {}), f"{where}.apps")
        verify = self.table(table.get("verify", {}), f"{where}.verify", ("accept", "setup"))
        return Options(
            settings=self.text(table, "settings", where),
            rewrites=self.path(self.text(table, "rewrites", where), f"{where}.rewrites"),
            journal=self.flag(table, "journal", where, default=True),
            contents=self.choice(table, "contents", where, (DIGESTS, SOURCE)),
            lock_timeout=self.seconds(table, "lock-timeout", where, default=LOCK_TIMEOUT),
            python_path=tuple(
                self.path(place, f"{where}.python-path") for place in self.texts(table, "python-path", where)
            ),
            ignore_schemas=self.texts(table, "ignore-schemas", where),
            databases={alias: self.database(value, f"{where}.databases.{alias}") for alias, value in databases.items()},
            leftovers=self.keys(table, "leftovers", where),
            verify=VerifySettings(
                self.texts(verify, "accept", f"{where}.verify"),
                self.path(self.text(verify, "setup", f"{where}.verify"), f"{where}.verify.setup"),
            ),
            apps={label: self.path(self.text(apps, label, f"{where}.apps"), f"{where}.apps") for label in apps},
            celery=self.text(table, "celery", where),
            file=self.file,
        )

    def database(self, document: object, where: str) -> DatabaseOptions:
        table = self.table(document, where, ("url", "url_env", "alias", "schema", "schemas", "tenants", "migrate"))
        database = DatabaseOptions(
            self.text(table, "url", where),
            self.text(table, "url_env", where),
            self.text(table, "alias", where),
            self.text(table, "schema", where),
            self.choice_of(table, "schemas", where),
            self.choice_of(table, "tenants", where),
            self.text(table, "migrate", where),
        )
        if "migrate" in table:
            self.check_command(database, where)
        if database.tenants:
            self.check_template(database, where)
            return database
        if database.schema and database.schemas:
            raise ProjectError(
                f"{self.file}: [{where}] has both schema and schemas.",
                "With schemas, each of the schemas is a target.",
                "Remove one of the two keys, then run the command again.",
            )
        if [bool(database.url), bool(database.url_env), bool(database.alias)].count(True) != 1:
            raise ProjectError(
                f"{self.file}: [{where}] must have exactly one of the keys url, url_env and alias.",
                hint='url = "postgresql://…" is the URL. url_env = "DATABASE_URL" names the environment variable that '
                'contains it. alias = "default" takes the connection of that alias, for another schema.',
            )
        return database

    def choice_of(self, table: Mapping[str, object], key: str, where: str) -> SchemaChoice | None:
        if key not in table:
            return None
        found = self.texts(table, key, where)
        if not found or not all(text.strip() for text in found):
            raise ProjectError(
                f"{self.file}: {where}.{key} names no {key.removesuffix('s')}.",
                hint='Set it to a query ("SELECT …"), to a list of names and patterns ("tenant_*"), or to "auto" for '
                "all that there are.",
            )
        query = found[0] if len(found) == 1 and QUERY.match(found[0]) else ""
        patterns = () if query else ("*",) if found == (AUTO,) else found
        return SchemaChoice(query, patterns, databases=key == "tenants")

    def check_command(self, database: DatabaseOptions, where: str) -> None:
        """Raise ProjectError for a `migrate` that has no place for its arguments, or for the name of one of many."""
        places = (ARGUMENTS, TENANT) if database.schemas or database.tenants else (ARGUMENTS,)
        if not all(place in database.migrate for place in places):
            raise ProjectError(
                f"{self.file}: {where}.migrate must have {text_list(places)} in it.",
                "They stand for the arguments of `migrate`, and for the name of a schema or a database.",
                f'For example: migrate = "python manage.py migrate_schemas {ARGUMENTS} --schema {TENANT}"',
            )

    def check_template(self, database: DatabaseOptions, where: str) -> None:
        """Raise ProjectError where `tenants` has no URL to put a name into."""
        if database.schemas or bool(database.url) == bool(database.url_env):
            raise ProjectError(
                f"{self.file}: [{where}] has tenants, which need one of the keys url and url_env, and no schemas.",
                "Each tenant has a database of its own, at the URL with its name in place of {tenant}.",
                f'For example: url = "postgresql://user@host/{TENANT}"',
            )

    def table(self, value: object, where: str, known: Iterable[str] | None = None) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise self.wrong(where, "a table", value)
        for key in value:
            if known is not None and key not in known:
                raise ProjectError(
                    f"{self.file}: [{where}] has an unknown key {key!r}.",
                    did_you_mean(key, known, f"Its keys are {text_list(known)}."),
                    CORRECT,
                )
        return value

    def text(self, table: Mapping[str, object], key: str, where: str) -> str:
        value = table.get(key, "")
        if not isinstance(value, str):
            raise self.wrong(f"{where}.{key}", "a string", value)
        return value

    def choice(self, table: Mapping[str, object], key: str, where: str, known: Sequence[str]) -> str:
        value = self.text(table, key, where) if key in table else known[0]
        if value not in known:
            listed = text_list((f'"{one}"' for one in known), last="or")
            raise ProjectError(
                f"{self.file}: {where}.{key} is {shortened(value)}.",
                did_you_mean(value, known),
                f"Set it to {listed}, then run the command again.",
            )
        return value

    def texts(self, table: Mapping[str, object], key: str, where: str) -> tuple[str, ...]:
        value = table.get(key, [])
        if isinstance(value, str):
            return (value,)
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self.wrong(f"{where}.{key}", "a list of strings", value)
        return tuple(value)

    def path(self, value: str, where: str) -> str:
        too_long = any(len(part.encode()) > LONGEST_NAME for part in value.split("/"))
        if too_long or any(ord(one) < 32 for one in value):
            raise ProjectError(f"{self.file}: {where}: {shortened(value)} cannot be the name of a file.", hint=CORRECT)
        return value

    def keys(self, table: Mapping[str, object], key: str, where: str) -> tuple[str, ...]:
        found = self.texts(table, key, where)
        for text in found:
            app, _, name = text.partition(".")
            if not app or not name:
                raise ProjectError(
                    f"{self.file}: {where}.{key}: {text!r} does not have the form APP.NAME.", hint=CORRECT
                )
        return found

    def flag(self, table: Mapping[str, object], key: str, where: str, *, default: bool) -> bool:
        value = table.get(key, default)
        if not isinstance(value, bool):
            raise self.wrong(f"{where}.{key}", "true or false", value)
        return value

    def seconds(self, table: Mapping[str, object], key: str, where: str, *, default: float) -> float:
        value = table.get(key, default)
        # In Python True is an int, and TOML has `inf` and `nan`; a comparison with `nan` is never true.
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < float("inf"):
            raise self.wrong(f"{where}.{key}", "a number of seconds, 0 or more", value)
        return float(value)

    def wrong(self, where: str, expected: str, value: object) -> ProjectError:
        # The value itself is not shown: in a databases table it may hold a password.
        return ProjectError(f"{self.file}: {where} must be {expected}, not {type(value).__name__}.", hint=CORRECT)
