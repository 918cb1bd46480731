"""``migsync init``: the tables at once, in each database, with the first look."""

from __future__ import annotations

from pathlib import Path

import pytest

from migsync.sync.journal.schema import VERSIONS, upgrade_journal
from migsync.sync.journal.tables import NEWEST
from tests.cli.entries import Entry, Project, record
from tests.cli.test_grants import Limited
from tests.cli.test_looks import add, made, migrate, tables
from tests.databases import Database, user_of
from tests.sync.story import target_of
from tests.sync.test_journal import schema_of, writing
from tests.sync.test_look import known


def test_what_runs_is_noted_from_then_on(tmp_path: Path, database: Database) -> None:
    project = made(tmp_path, record(database))
    add(project, "0003_sku", "0002_price", 3)
    ended = project.run("init")
    assert (ended.status, ended.err) == (0, "")
    assert ended.out == "default  created the tables; noted what the migration files are.\n"
    assert tables(database) == [0, 1, 2, 0, 0, 0]
    assert project.run("init").out == "default  the tables are there already; nothing new to note.\n"
    migrate(project, database, 3, "0003_sku")
    found = project.run("init", "--format", "json").json
    assert found["databases"] == [{"alias": "default", "before": NEWEST, "version": NEWEST, "noted": True}]
    with target_of(database) as target:
        assert known(target) == [(3, "0003_sku", "seen")]
        assert target.runs() == ()


def test_an_older_journal_is_brought_up_to_date(tmp_path: Path, database: Database) -> None:
    project = made(tmp_path, record(database))
    with target_of(database) as target, writing(target) as connection:
        upgrade_journal(connection, schema_of(target), VERSIONS[:1])
    assert "brought the tables from version 0001 to " in project.run("init").out
    assert tables(database) == [0, 1, 2, 0, 0, 0]


def test_each_database_for_itself(tmp_path: Path, new_database) -> None:
    one, fresh = record(new_database("sqlite")), new_database("sqlite")
    fresh.execute("CREATE TABLE other (id int)")
    gone = f"sqlite:///{tmp_path}/no/where.sqlite3"
    project = Project.make(tmp_path, {"one": Entry(one.url), "new": Entry(fresh.url), "gone": Entry(gone)})
    ended = project.run("init")
    assert ended.status == 1
    assert "new  has no django_migrations yet." in ended.out
    assert "does not exist" in ended.err
    assert tables(one)[1] == 1
    assert project.run("init", "-d", "new").status == 0
    project.configure({"one": Entry(one.url)}, "journal = false")
    assert "journal is false" in project.run("init").err


@pytest.mark.parametrize("engine", ["postgresql", "mysql"])
def test_who_may_not_create_tables_is_told_what_to_do(
    new_database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys, engine: str
) -> None:
    database = new_database(engine)
    monkeypatch.chdir(tmp_path)
    with user_of(database) as (account, url):
        limited = Limited(tmp_path, database, account, url, capsys)
        limited.grant({"django_migrations": {"SELECT"}})
        assert "migsync script --journal-tables --out sql" in limited.run("init", status=1)
        limited.run("script", "--journal-tables", "--out", "sql")
        limited.run_sql(tmp_path / "sql" / "default.journal.sql")
        assert "the tables are there already; noted" in limited.run("init")
    assert tables(database)[1] == 1
