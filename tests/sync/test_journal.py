"""The journal's tables: made by Alembic, or by the same SQL text; upgraded; never misread."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from types import ModuleType
from typing import TYPE_CHECKING

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from migsync.errors import TargetError
from migsync.sync.apply import Status, apply_plan
from migsync.sync.journal.schema import VERSIONS, journal_ddl, journal_version, upgrade_journal
from migsync.sync.plan import Plan
from migsync.sync.run import Run
from migsync.sync.target import Target
from tests.conftest import NewDatabase
from tests.databases import Database
from tests.sync.story import REWRITE, filled, story_plan, target_of

if TYPE_CHECKING:
    from alembic.operations import Operations


def run_ddl(database: Database) -> None:
    schema = "public" if database.engine == "postgresql" else ""
    sql = journal_ddl(database.engine, schema)
    subprocess.run(database.client(), env=database.env(), input=sql, text=True, check=True, capture_output=True)


@contextmanager
def writing(target: Target) -> Iterator[sa.Connection]:
    with closing(target.connect()) as connection, connection.begin():
        yield connection


def schema_of(target: Target) -> str | None:
    return target.table.schema if target.table else None


def test_the_sql_text_makes_what_alembic_makes(database: Database, new_database: NewDatabase) -> None:
    by_text = filled(new_database(database.engine))
    run_ddl(by_text)
    run_ddl(by_text)
    with target_of(filled(database)) as one, target_of(by_text) as other:
        with writing(one) as connection:
            upgrade_journal(connection, schema_of(one))
        metadata = sa.MetaData(schema=schema_of(one))
        with closing(one.connect()) as connection:
            metadata.reflect(connection, only=lambda name, _: name.startswith("migsync_"))
        assert len(metadata.tables) == 8
        with closing(other.connect()) as connection:
            options = {"include_name": lambda name, kind, _: kind != "table" or name.startswith("migsync_")}
            differences = compare_metadata(MigrationContext.configure(connection, opts=options), metadata)
            assert differences == []
            assert journal_version(connection, schema_of(other)) == VERSIONS[-1].revision
        assert apply_plan(other, story_plan(other)).status is Status.APPLIED
        assert len(other.runs()) == 1


def test_the_sql_text_is_the_same_every_time() -> None:
    for engine in ("postgresql", "mysql", "sqlite"):
        assert journal_ddl(engine) == journal_ddl(engine)
        assert '"odd ""schema"' in journal_ddl("postgresql", 'odd "schema')
        assert '"50% schema"' in journal_ddl("postgresql", "50% schema")


def newer_version() -> ModuleType:
    """A version after the last one, as a later migsync might bring it."""
    module = ModuleType("v9999_colour")
    module.__file__ = "v9999_colour.py"

    def upgrade(op: Operations, schema: str | None) -> None:
        op.add_column("migsync_run", sa.Column("colour", sa.String(16)), schema=schema)

    module.revision, module.down_revision, module.upgrade = "9999", VERSIONS[-1].revision, upgrade  # type: ignore[attr-defined]
    return module


def test_an_old_journal_is_upgraded_and_a_newer_one_refused(database: Database) -> None:
    filled(database)
    with target_of(database) as target:
        plan = story_plan(target)
        apply_plan(target, plan)
        before = target.runs()
        with writing(target) as connection:
            upgrade_journal(connection, schema_of(target), (*VERSIONS, newer_version()))
        assert database.execute("SELECT colour FROM migsync_run") == [(None,)]
        assert database.execute("SELECT version_num FROM migsync_version") == [("9999",)]
        with pytest.raises(TargetError, match="version 9999") as caught:
            target.runs()
        assert "Upgrade migsync" in caught.value.hint
        dump = database.dump()
        with pytest.raises(TargetError, match="version 9999"):
            apply_plan(target, plan)
        assert database.dump() == dump
        with writing(target) as connection:
            connection.exec_driver_sql(f"UPDATE migsync_version SET version_num = '{VERSIONS[-1].revision}'")
        assert target.runs() == before


def test_making_the_journal_goes_on_where_it_was_interrupted(database: Database) -> None:
    filled(database)
    with target_of(database) as target:
        with writing(target) as connection:
            upgrade_journal(connection, schema_of(target))
        database.execute("DELETE FROM migsync_version")
        assert target.runs() == ()
        assert apply_plan(target, story_plan(target)).status is Status.APPLIED
        database.execute("DROP TABLE migsync_version")
        assert target.runs() == ()
        assert apply_plan(target, Plan(target.ref, passed=(REWRITE,))).status is Status.APPLIED
        assert len(target.runs()) == 2


def test_a_run_comes_back_as_it_was_written(database: Database) -> None:
    filled(database)
    with target_of(database) as target:
        plan = story_plan(target)
        written = apply_plan(target, plan, reason="\\ % ' \" ; :x 日本語", author="é@h").run
        assert target.runs() == (written,)
        assert isinstance(written, Run)


def test_a_row_that_was_edited_is_not_misread(database: Database) -> None:
    filled(database)
    with target_of(database) as target:
        apply_plan(target, story_plan(target))
        for column, value in (
            ("changes", "[{"),
            ("changes", "[" * 5000),
            ("changes", '[{"kind": "rename", "before": [1, "shop"], "after": null, "cause": ""}]'),
            ("passed", '[{"id": "", "created": "2026-02-01T10:00:00Z", "apps": {}}]'),
            ("digests", '{"shop.0001_initial": 1}'),
        ):
            [(was,)] = database.execute(f"SELECT {column} FROM migsync_run")
            database.execute(f"UPDATE migsync_run SET {column} = '{value}'")
            with pytest.raises(TargetError, match=f"Run 1 in migsync_run cannot be read: {column}"):
                list(target.runs()[0].changes)
            database.execute(f"UPDATE migsync_run SET {column} = '{was}'")
        assert len(target.runs()) == 1
