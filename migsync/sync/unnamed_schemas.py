"""Schemas of a PostgreSQL database with a ``django_migrations`` that no entry of the project names.

Each schema has records of its own, as in a project with django-tenants, and migsync reads only those that it was told
of. MySQL and MariaDB have no schemas inside a database: the databases beside one belong to other projects.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

import sqlalchemy as sa

from migsync.engines.config import DatabaseConfig
from migsync.errors import MigsyncError
from migsync.findings import Finding, Severity
from migsync.project import Project
from migsync.project.project import URL_ALIAS
from migsync.rewrites.rewrite_files import toml_key, toml_value
from migsync.sync.target import Target, open_target
from migsync.words import sample

UNNAMED = "unnamed-schemas"
SHOWN = 5


@dataclass
class DatabaseSchemas:
    """One database: its schemas with a ``django_migrations``, those that entries name, and the first entry's alias."""

    config: DatabaseConfig
    held: Sequence[str]
    named: set[str] = field(default_factory=set)


@dataclass
class Schemas:
    """What was seen of the databases of one survey, by their identities; each database lists its schemas once."""

    databases: dict[str, DatabaseSchemas] = field(default_factory=dict)

    def add(self, target: Target, held: Sequence[str]) -> None:
        """Note a target that was looked at, with the schemas that were listed over its connection, if they were."""
        identity = target.survey.database
        if identity:
            self.databases.setdefault(identity, DatabaseSchemas(target.config, held)).named.add(target.survey.schema)

    def findings(self, project: Project, seen: Collection[str]) -> Iterator[Finding]:
        """A warning for each database with schemas that no entry names; `seen` are the aliases that were looked at."""
        for identity, database in self.databases.items():
            held = [name for name in database.held if not _ignored(name, project.ignore_schemas)]
            named = self._named(database)
            # Only where it matters: to ask other entries can cost a connection each.
            if not named.issuperset(held):
                named |= _named_elsewhere(project, identity, database.config, seen)
            if unnamed := [name for name in held if name not in named]:
                yield _unnamed(project, database.config.alias, unnamed)

    def _named(self, database: DatabaseSchemas) -> set[str]:
        """Also under another identity at the same address: not every role may read the one of the server."""
        here = _place(database.config)
        return set().union(*(other.named for other in self.databases.values() if _place(other.config) == here))


def _ignored(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _named_elsewhere(project: Project, identity: str, config: DatabaseConfig, seen: Collection[str]) -> set[str]:
    """The schemas of this database that entries name which were not looked at.

    Only an entry at the same address is asked, and only where it does not say its schema: it can be reached.
    """
    named = set()
    here = _place(config)
    for other in {**project.databases, **project.passed_over}.values():
        if other.alias in seen or _place(other) not in (None, here):
            continue
        if other.schema:
            named.add(other.schema)
        elif not other.error:
            with suppress(MigsyncError), open_target(other) as target:
                if target.survey.database == identity:
                    named.add(target.survey.schema)
    return named


def _place(config: DatabaseConfig) -> tuple[str, ...] | None:
    """Host, port and name; None for an entry that cannot be used, which may be anywhere."""
    if config.error:
        return None
    url = sa.make_url(config.url)
    given: Mapping[str, object] = {**url.query, **config.connect_args}
    parts = (url.host or given.get("host"), url.port or given.get("port"), url.database or given.get("dbname"))
    return tuple(str(part or "") for part in parts)


def _unnamed(project: Project, alias: str, schemas: Sequence[str]) -> Finding:
    there = "a schema" if len(schemas) == 1 else f"{len(schemas)} schemas"
    return Finding(
        UNNAMED,
        Severity.WARNING,
        f"The database of {alias} has django_migrations in {there} that no entry names: {sample(schemas, SHOWN)}.",
        "migsync does not read the records there, so it cannot say what is applied.",
        _hint(project, alias, schemas),
    )


def _hint(project: Project, alias: str, schemas: Sequence[str]) -> str:
    first = schemas[0]
    known = {**project.databases, **project.passed_over}
    connection = f"alias = {toml_value(alias)}"
    if set(known) == {URL_ALIAS}:  # entries count for nothing beside --url
        connection = 'url_env = "DATABASE_URL"  (instead of --url)'
    return "\n".join(
        (
            f"Name {'it' if len(schemas) == 1 else 'each of them'} in pyproject.toml:",
            f"  [tool.migsync.databases.{toml_key(first if first not in known else f'{alias}_{first}')}]",
            f"  {connection}",
            f"  schema = {toml_value(first)}",
            f"Or leave schemas out, under [tool.migsync] (patterns such as {toml_value('old_*')} work too):",
            f"  ignore-schemas = {toml_value(list(schemas[:SHOWN]))}",
        )
    )
