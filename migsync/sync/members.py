"""The targets of a command: each alias, and the members of each entry that stands for many.

The database itself says which schemas there are, so an entry is asked anew by every command.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase

import sqlalchemy as sa

from migsync.alias import entry_of, schema_of
from migsync.engines.config import DatabaseConfig, SchemaChoice
from migsync.errors import MigsyncError, TargetError, UnknownAlias
from migsync.project import Project
from migsync.sync.member_names import SCHEMA, SHOWN, TENANT, listed_names, queried_names
from migsync.sync.target import open_target
from migsync.sync.tenant_databases import find_databases
from migsync.words import did_you_mean, text_list


def find_targets(project: Project, asked: Sequence[str] = ()) -> tuple[DatabaseConfig, ...]:
    """The targets of the aliases `asked`, or of all that are synced by default; each once.

    ``tenants:acme`` and ``tenants:a*`` are members of the entry ``tenants``. An entry that cannot say its members is
    returned with its error. Of a project with a shard, they are those in it. Raises UnknownAlias for an alias, or a
    member, that there is not.
    """
    wanted: dict[str, list[str]] = {}
    known = {**project.databases, **project.passed_over}
    for alias in asked:
        entry, pattern = entry_of(alias), schema_of(alias)
        is_member = pattern and alias not in known and entry in known and known[entry].schemas
        wanted.setdefault(entry if is_member else alias, []).append(pattern if is_member else "*")
    found: list[DatabaseConfig] = []
    for config in project.targets(tuple(wanted)):
        if config.schemas is None or config.error is not None:
            found.append(config)
        else:
            found += _matching(config, _members(project, config), wanted.get(config.alias, ["*"]))
    # An entry that could not be asked is an error of every shard.
    shard = project.shard
    return tuple(config for config in found if shard is None or config.schemas or shard.holds(config.alias))


def _matching(
    entry: DatabaseConfig, members: Sequence[DatabaseConfig], patterns: Iterable[str]
) -> Iterator[DatabaseConfig]:
    """The members whose schemas match; all where the entry could not be asked, for that is one error."""
    if members and members[0].error is not None and not members[0].entry:
        yield from members
        return
    names = [schema_of(config.alias) for config in members]
    kind = TENANT if entry.schemas and entry.schemas.databases else SCHEMA
    chosen: set[str] = set()
    for pattern in patterns:
        matched = [name for name in names if name == pattern or fnmatchcase(name, pattern)]
        if not matched and pattern != "*":
            raise UnknownAlias(
                f"The database {entry.alias!r} has no {kind} {pattern!r}.",
                did_you_mean(pattern, names, f"Its {kind}s: {text_list(names, SHOWN)}."),
                "",
            )
        chosen.update(matched)
    yield from (config for config in members if schema_of(config.alias) in chosen or not config.entry)


def _members(project: Project, entry: DatabaseConfig) -> tuple[DatabaseConfig, ...]:
    """The members of an entry; the entry alone, with the error, where the database cannot say them."""
    choice = entry.schemas or SchemaChoice()
    if choice.databases:
        return find_databases(entry, choice)
    try:
        with (
            open_target(replace(entry, schemas=None)) as target,
            target.explained(reading="the names of the schemas"),
            target.transaction() as connection,
        ):
            if choice.query:
                names = queried_names(connection, choice.query, entry.alias, SCHEMA)
            else:
                there = target.behaviour.schemas(connection)
                kept = [name for name in there if not _matches(name, project.ignore_schemas)]
                names = listed_names(choice.patterns, kept, entry.alias, SCHEMA)
            existing = frozenset(sa.inspect(connection).get_schema_names()) if names else frozenset[str]()
    except MigsyncError as error:
        return (replace(entry, error=error),)
    if not names:
        # "auto" in a database without any table: it is fresh.
        return (replace(entry, schemas=None),)
    return tuple(_checked(entry.member(name), existing) for name in names)


def _checked(member: DatabaseConfig, existing: frozenset[str]) -> DatabaseConfig:
    if member.schema in existing:
        return member
    error = TargetError(
        f"{member.alias}: the database has no schema {member.schema!r}.",
        "It was dropped, or its name is misspelled. The other schemas are not affected.",
        f"Correct schemas in [tool.migsync.databases.{member.entry}], or what its query reads.",
    )
    return replace(member, error=error)


def _matches(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
