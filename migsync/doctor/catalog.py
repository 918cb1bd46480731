"""What the catalog of a database says of the tables beside ``django_migrations``."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine.reflection import ObjectKind

from migsync.sync.survey import Survey
from migsync.sync.target import Target, open_target


def target_of(survey: Survey, alias: str) -> Target:
    """The target that the survey has open, or a new one for a database without ``django_migrations``."""
    return survey.targets.get(alias) or open_target(survey.project.targets([alias])[0])


def columns_there(target: Target, tables: Collection[str]) -> dict[str, frozenset[str]]:
    """The columns of those of `tables`, or views, that are there."""

    def read(connection: sa.Connection, schema: str | None) -> dict[str, frozenset[str]]:
        found = sa.inspect(connection).get_multi_columns(schema, filter_names=[*tables], kind=ObjectKind.ANY)
        return {name: frozenset(each["name"] for each in columns) for (_, name), columns in found.items()}

    return target.look(read, absent={}) if tables else {}


def indexes_there(target: Target, tables: Collection[str]) -> frozenset[str]:
    """What the indexes and constraints of these tables are called."""

    def read(connection: sa.Connection, schema: str | None) -> frozenset[str]:
        inspector, asked = sa.inspect(connection), [*tables]
        found: list[Iterable[Iterable[Mapping[str, Any]]]] = [
            inspector.get_multi_indexes(schema, filter_names=asked).values(),
            inspector.get_multi_unique_constraints(schema, filter_names=asked).values(),
            inspector.get_multi_check_constraints(schema, filter_names=asked).values(),
            inspector.get_multi_foreign_keys(schema, filter_names=asked).values(),
        ]
        return frozenset(str(each["name"]) for kind in found for of_table in kind for each in of_table if each["name"])

    return target.look(read, absent=frozenset()) if tables else frozenset()


def drop_statements(target: Target, tables: Sequence[str]) -> list[str]:
    """What drops these tables, in their order, if none of them has a row; else empty."""

    def read(connection: sa.Connection, schema: str | None) -> list[str]:
        clauses = [sa.table(name, schema=schema) for name in tables]
        for each in clauses:
            if connection.execute(sa.select(sa.literal(1)).select_from(each).limit(1)).first():
                return []
        prepare = connection.dialect.identifier_preparer
        return [f"DROP TABLE {prepare.format_table(each)};" for each in clauses]

    return target.look(read, absent=[])
