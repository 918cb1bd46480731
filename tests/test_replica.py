"""The standby of the tests is a real one."""

from __future__ import annotations

import psycopg
import pytest

from tests.databases import PostgreSQLDatabase
from tests.replica import wait_for_replay

Pair = tuple[PostgreSQLDatabase, PostgreSQLDatabase]


def test_the_standby_is_in_recovery_and_the_primary_is_not(replica: Pair) -> None:
    primary, standby = replica
    assert primary.execute("SELECT pg_is_in_recovery()") == [(False,)]
    assert standby.execute("SELECT pg_is_in_recovery()") == [(True,)]


def test_what_the_primary_commits_arrives(replica: Pair) -> None:
    primary, standby = replica
    primary.create_table()
    primary.insert([(1, "shop", "0001_initial", "2024-01-02 03:04:05.000006+00")])
    wait_for_replay(primary, standby)
    assert standby.dump() == primary.dump() == [("1", "shop", "0001_initial", "2024-01-02 03:04:05.000006+00")]


def test_the_standby_takes_no_writes(replica: Pair) -> None:
    _, standby = replica
    with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
        standby.create_table()
