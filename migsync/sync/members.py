"""The targets of a command: each alias, and the members of each entry that stands for many schemas.

The database itself says which schemas there are, so an entry is asked anew by every command.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from migsync.alias import entry_of, schema_of
from migsync.engines.config import DatabaseConfig, SchemaChoice
from migsync.engines.driver_errors import first_line
from migsync.errors import MigsyncError, TargetError, UnknownAlias
from migsync.project import Project
from migsync.sync.target import Target, open_target
from migsync.words import count, did_you_mean, text_list

WILDCARDS = frozenset("*?")
SHOWN = 5


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
    schemas = [config.schema for config in members]
    chosen: set[str] = set()
    for pattern in patterns:
        matched = [name for name in schemas if name == pattern or fnmatchcase(name, pattern)]
        if not matched and pattern != "*":
            raise UnknownAlias(
                f"The database {entry.alias!r} has no schema {pattern!r}.",
                did_you_mean(pattern, schemas, f"Its schemas: {text_list(schemas, SHOWN)}."),
                "",
            )
        chosen.update(matched)
    yield from (config for config in members if config.schema in chosen or not config.entry)


def _members(project: Project, entry: DatabaseConfig) -> tuple[DatabaseConfig, ...]:
    """The members of an entry; the entry alone, with the error, where the database cannot say them."""
    choice = entry.schemas or SchemaChoice()
    try:
        with (
            open_target(replace(entry, schemas=None)) as target,
            target.explained(),
            target.transaction() as connection,
        ):
            if choice.query:
                names = _queried(target, connection, choice.query)
            else:
                there = target.behaviour.schemas(connection)
                kept = [name for name in there if not _matches(name, project.ignore_schemas)]
                names = _listed(target, choice.patterns, kept)
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


def _listed(target: Target, patterns: Sequence[str], there: Sequence[str]) -> list[str]:
    """The schemas for names and patterns, in order; a name is taken also where no ``django_migrations`` is in it."""
    names: dict[str, None] = {}
    for pattern in patterns:
        if WILDCARDS.isdisjoint(pattern):
            names[pattern] = None
            continue
        matched = [name for name in there if fnmatchcase(name, pattern)]
        if not matched and pattern != "*":
            raise TargetError(
                f"{target.alias}: no schema with a django_migrations matches {pattern!r}.",
                f"Those that have one: {text_list(there, SHOWN) or 'none'}.",
                f"Correct schemas in [tool.migsync.databases.{target.alias}] in pyproject.toml.",
            )
        names |= dict.fromkeys(matched)
    return list(names)


def _queried(target: Target, connection: sa.Connection, query: str) -> list[str]:
    """The schemas that the query returns, in its order. Raises TargetError for anything but a list of names."""
    where = f"the query of schemas in [tool.migsync.databases.{target.alias}]"
    try:
        result = connection.exec_driver_sql(query.replace("%", "%%"))
        columns = len(result.keys())
        rows = [row[0] for row in result] if columns == 1 else []
    except DBAPIError as error:
        raise TargetError(
            f"{target.alias}: {where} failed: {first_line(error)}",
            "migsync does not know the schemas of this database.",
            "Correct the query. It runs in a read-only transaction on the connection of this entry.",
        ) from error
    if columns != 1:
        raise TargetError(
            f"{target.alias}: {where} returns {count(columns, 'column')}.",
            "It must return one column: the names of the schemas.",
            "Name one column in the query.",
        )
    if not all(isinstance(name, str) and name for name in rows):
        raise TargetError(
            f"{target.alias}: {where} returns a value that is not a name: NULL, an empty string or a number.",
            "It must return the names of the schemas.",
            "Leave such rows out in the query.",
        )
    if twice := sorted(name for name, times in Counter(rows).items() if times > 1):
        raise TargetError(
            f"{target.alias}: {where} returns {text_list(twice, SHOWN)} more than once.",
            "Each schema is one target.",
            "Write SELECT DISTINCT.",
        )
    if not rows:
        raise TargetError(
            f"{target.alias}: {where} returns no schema.",
            "No target would be checked, and that is rarely meant.",
            "Correct the query. If there may be no tenant yet, let it return the shared schema as well.",
        )
    return rows


def _matches(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
