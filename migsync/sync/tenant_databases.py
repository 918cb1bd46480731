"""The members of an entry that stands for many databases: one at its URL for each name of a tenant."""

from __future__ import annotations

import glob
import os
from dataclasses import replace
from typing import cast

import sqlalchemy as sa

from migsync.alias import TENANT as PLACE
from migsync.engines import Engine, engine_of
from migsync.engines.config import DatabaseConfig, SchemaChoice
from migsync.errors import MigsyncError, TargetError
from migsync.sync.member_names import TENANT, WILDCARDS, listed_names, queried_names
from migsync.sync.target import open_target


def find_databases(entry: DatabaseConfig, choice: SchemaChoice) -> tuple[DatabaseConfig, ...]:
    """The members, which need not be there; the entry alone, with the error, where it cannot be said which."""
    engine = engine_of(entry.url)
    try:
        if choice.query:
            names = _queried(entry, choice)
        else:
            listed = all(map(WILDCARDS.isdisjoint, choice.patterns))
            names = listed_names(choice.patterns, [] if listed else _there(entry, engine), entry.alias, TENANT)
        if not names:
            raise TargetError(
                f"{entry.alias}: there is no database for tenants in [tool.migsync.databases.{entry.alias}].",
                "No target would be checked, and that is rarely meant.",
                "Correct url or tenants.",
            )
    except MigsyncError as error:
        return (replace(entry, error=error),)
    return tuple(_checked(entry.member(name), name, engine) for name in names)


def _queried(entry: DatabaseConfig, choice: SchemaChoice) -> list[str]:
    # An entry with a query and no database to ask has an error of its own.
    asked = choice.asked or entry
    with (
        open_target(replace(asked, schemas=None)) as target,
        target.explained(reading="the tenants"),
        target.transaction() as connection,
    ):
        return queried_names(connection, choice.query, entry.alias, TENANT)


def _there(entry: DatabaseConfig, engine: Engine) -> list[str]:
    """The tenants for which there is a database on the server, or a file. Raises TargetError."""
    url = cast("sa.URL", entry.url)
    before, place, after = (url.database or "").partition(PLACE)
    if not place or PLACE in after:
        raise TargetError(
            f"{entry.alias}: a pattern finds databases by their names, and {PLACE} is not once in the name in its URL.",
            "migsync does not know which tenants there are.",
            f"Name the tenants in [tool.migsync.databases.{entry.alias}], or write a query that returns them.",
        )
    if engine.file_suffix:
        # A name is one part of the path.
        found = glob.glob(f"{glob.escape(before)}*{glob.escape(after)}")  # noqa: PTH207 (texts, to be compared)
    else:
        server = replace(entry, schemas=None, url=url._replace(database=engine.server_database or None))
        with (
            open_target(server) as target,
            target.explained(reading="the names of the databases"),
            target.transaction() as connection,
        ):
            found = list(connection.scalars(sa.text(engine.databases_query)))
    names = [name[len(before) : len(name) - len(after)] for name in found if _fits(name, before, after)]
    return sorted(names)


def _fits(name: str, before: str, after: str) -> bool:
    return name.startswith(before) and name.endswith(after) and len(name) > len(before) + len(after)


def _checked(member: DatabaseConfig, name: str, engine: Engine) -> DatabaseConfig:
    """The member, with an error where its file is not there: to connect would create it."""
    if not engine.file_suffix:
        return member
    if name in (os.curdir, os.pardir) or os.sep in name or "\0" in name:
        error = TargetError(
            f"{member.alias}: {name!r} is not the name of a file.",
            "The other databases are not affected.",
            f"Correct tenants in [tool.migsync.databases.{member.entry}], or what its query reads.",
        )
    elif engine.absent(cast("sa.URL", member.url)):
        error = TargetError(
            f"{member.alias}: there is no file {cast('sa.URL', member.url).database}.",
            "It was removed, or the name is misspelled. The other databases are not affected.",
            f"Correct tenants in [tool.migsync.databases.{member.entry}], or what its query reads.",
        )
    else:
        return member
    return replace(member, error=error)
