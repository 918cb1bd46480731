"""The cutting proxy loses what it says it loses."""

from __future__ import annotations

from contextlib import closing

import psycopg
import pymysql
import pytest

from tests.conftest import NewDatabase
from tests.databases import Database
from tests.proxy import Proxy, When, cutting_proxy, reading_proxy

LOST = (psycopg.OperationalError, pymysql.err.OperationalError, pymysql.err.InterfaceError)
INSERT = "INSERT INTO django_migrations (id, app, name, applied) VALUES (1, 'shop', '0001_initial', '2024-01-02')"


@pytest.fixture(params=["postgresql", "mysql"])
def upstream(request: pytest.FixtureRequest, new_database: NewDatabase) -> Database:
    database = new_database(request.param)
    database.create_table()
    return database


def insert_and_commit(database: Database) -> None:
    with closing(database.connect()) as connection, closing(connection.cursor()) as cursor:
        cursor.execute(INSERT)
        connection.commit()


@pytest.mark.parametrize(("when", "rows"), [(When.BEFORE_COMMIT, 0), (When.AFTER_COMMIT, 1)])
def test_the_client_sees_an_error_and_the_server_did_what_the_variant_says(
    upstream: Database, when: When, rows: int
) -> None:
    with cutting_proxy(upstream, when) as proxy:
        with pytest.raises(LOST):
            insert_and_commit(proxy.database)
        assert proxy.cuts == 1
        assert settled(upstream) == rows


@pytest.mark.parametrize(("when", "rows"), [(When.BEFORE_COMMIT, 0), (When.AFTER_COMMIT, 1)])
def test_commit_in_the_extended_protocol_of_postgresql(postgresql_database: Database, when: When, rows: int) -> None:
    postgresql_database.create_table()
    with cutting_proxy(postgresql_database, when) as proxy:
        with (
            pytest.raises(psycopg.OperationalError),
            closing(proxy.database.connect()) as connection,
            connection.pipeline(),
        ):
            connection.execute(INSERT)
            connection.commit()
        assert proxy.cuts == 1
        assert settled(postgresql_database) == rows


def test_one_commit_is_lost_and_the_next_is_not(upstream: Database) -> None:
    with cutting_proxy(upstream, When.BEFORE_COMMIT) as proxy:
        with pytest.raises(LOST):
            insert_and_commit(proxy.database)
        insert_and_commit(proxy.database)
    assert len(upstream.dump()) == 1


def test_only_the_commit_after_some_bytes_is_lost(upstream: Database) -> None:
    with cutting_proxy(upstream, When.BEFORE_COMMIT, only_after=b"0002_more") as proxy:
        insert_and_commit(proxy.database)
        with pytest.raises(LOST):
            update_name(proxy)
    assert [row[2] for row in upstream.dump()] == ["0001_initial"]


def test_the_server_can_stay_away_after_the_cut(upstream: Database) -> None:
    with cutting_proxy(upstream, When.AFTER_COMMIT, dead_afterwards=True) as proxy:
        with pytest.raises(LOST):
            insert_and_commit(proxy.database)
        with pytest.raises(LOST):
            proxy.database.dump()
    assert len(upstream.dump()) == 1


def update_name(proxy: Proxy) -> None:
    with closing(proxy.database.connect()) as connection, closing(connection.cursor()) as cursor:
        cursor.execute("UPDATE django_migrations SET name = '0002_more'")
        connection.commit()


def settled(database: Database) -> int:
    """The number of rows, counted under a lock that an unfinished transaction would hold."""
    with closing(database.connect()) as connection, closing(connection.cursor()) as cursor:
        if database.engine == "postgresql":
            cursor.execute("LOCK TABLE django_migrations IN SHARE ROW EXCLUSIVE MODE")
        cursor.execute("SELECT id FROM django_migrations FOR UPDATE")
        return len(cursor.fetchall())


def test_only_reading_passes(upstream: Database) -> None:
    with reading_proxy(upstream) as proxy:
        assert proxy.database.execute("SELECT count(*) FROM django_migrations") == [(0,)]
        with pytest.raises(LOST):
            insert_and_commit(proxy.database)
        assert [INSERT.encode() in each for each in proxy.refused] == [True]
    assert settled(upstream) == 0
