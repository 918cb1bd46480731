"""Schemas of a PostgreSQL database with a ``django_migrations`` that no entry of the project names.

Each schema has records of its own, as in a project with django-tenants, and migsync reads only those that it was told
of. MySQL and MariaDB have no schemas inside a database: the databases beside one belong to other projects.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase

import sqlalchemy as sa

from migsync.engines.config import DatabaseConfig
from migsync.errors import MigsyncError
from migsync.findings import Finding
from migsync.findings.databases import unnamed_schemas
from migsync.project import Project
from migsync.project.project import URL_ALIAS
from migsync.rewrites.rewrite_files import toml_key
from migsync.sync.members import find_targets
from migsync.sync.target import Target, open_target


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

    def findings(
        self, project: Project, chosen: Collection[DatabaseConfig], seen: Collection[str], asked: Sequence[str]
    ) -> Iterator[Finding]:
        """A warning for each database with schemas that no entry names.

        `chosen` are the targets of the command, those of the aliases `asked` or all; `seen` are the aliases of those
        that could be read.
        """
        for identity, database in self.databases.items():
            held = [name for name in database.held if not _ignored(name, project.ignore_schemas)]
            named = self._named(database)
            # Only where it matters: to ask other entries can cost a connection each.
            if not named.issuperset(held):
                named |= _named_elsewhere(project, identity, database.config, chosen, seen, asked)
            if unnamed := [name for name in held if name not in named]:
                yield _unnamed(project, database.config, unnamed)

    def _named(self, database: DatabaseSchemas) -> set[str]:
        """Also under another identity at the same address: not every role may read the one of the server."""
        here = _place(database.config)
        return set().union(*(other.named for other in self.databases.values() if _place(other.config) == here))


def _ignored(name: str, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _named_elsewhere(
    project: Project,
    identity: str,
    config: DatabaseConfig,
    chosen: Collection[DatabaseConfig],
    seen: Collection[str],
    asked: Sequence[str],
) -> set[str]:
    """The schemas of this database that entries name, also where they were not looked at.

    Only an entry at the same address is asked, and only where it does not say its schema: it can be reached.
    """
    here = _place(config)
    # The members of an entry are all among the targets, but where some were asked for, or other shards have the rest.
    whole = {each.entry for each in chosen if each.entry in asked or not (asked or project.shard)}
    named = {each.schema for each in chosen if each.entry in whole and _place(each) in (None, here)}
    for other in {**project.databases, **project.passed_over}.values():
        if other.alias in {*seen, *whole} or _place(other) not in (None, here):
            continue
        if other.schemas:
            named |= {member.schema for member in find_targets(replace(project, shard=None), [other.alias])}
        elif other.schema:
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


def _unnamed(project: Project, config: DatabaseConfig, schemas: Sequence[str]) -> Finding:
    alias = config.alias
    if config.entry:
        return unnamed_schemas(alias=config.entry, schemas=schemas, entry_key=toml_key(config.entry), widened=True)
    known = {**project.databases, **project.passed_over}
    name = schemas[0] if len(schemas) == 1 else "tenants"
    name = name if name not in known else f"{alias}_{name}"
    # Entries count for nothing beside --url.
    return unnamed_schemas(alias=alias, schemas=schemas, entry_key=toml_key(name), by_url=set(known) == {URL_ALIAS})
