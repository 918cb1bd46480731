"""Many rows are changed at once, and each only where it still is what it was."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from migsync.engines.mysql import rows as mysql_rows
from migsync.errors import PlanFileError
from migsync.sync.apply import Status, apply_plan
from migsync.sync.plan import Change
from migsync.sync.recorder import read_records
from tests.conftest import NewDatabase
from tests.databases import Database
from tests.engines.test_values import NAMES, there_and_back, twice
from tests.sync.story import filled, plan_of, rename, story_after, story_plan, target_of, without_ids


@pytest.mark.parametrize("different", ["app", "name", "applied"])
def test_a_row_that_is_not_what_it_was_is_left_alone(database: Database, different: str) -> None:
    """Also where only the case of a letter differs, which MariaDB takes for the same."""
    before = filled(database).dump()
    with target_of(database) as target, target.connect() as connection:
        assert target.table is not None
        first, second = read_records(connection, target.behaviour, target.table)[:2]
        other = first._replace(
            **{different: "2020-01-01" if different == "applied" else getattr(first, different).upper()}
        )
        pairs = [(other, other._replace(name="new")), (second, second._replace(name="new"))]
        assert target.behaviour.update_rows(connection, target.table, pairs) == 1
        assert target.behaviour.delete_rows(connection, target.table, [other, second._replace(name="new")]) == 1
        connection.rollback()
    assert database.dump() == before


def test_an_app_and_a_name_can_change_at_once_or_one_of_them(database: Database) -> None:
    before = filled(database).dump()
    with target_of(database) as target:
        for names in ({"app": "store"}, {"name": "0009_x"}, {"app": "shop", "name": "0001_initial"}):
            records = target.read() or ()
            changes = [Change(records[0], records[0]._replace(**names), "test")]
            assert apply_plan(target, plan_of(target.ref, records, changes)).status is Status.APPLIED
            assert (target.read() or ())[0] == records[0]._replace(**names)
    assert database.dump() == before


def test_rows_without_a_time(database: Database) -> None:
    database.execute(database.table.replace("NOT NULL", ""))
    rows = ", ".join(f"({n}, 'shop', '{n:04}', NULL)" for n in range(1, 5))
    database.execute(f"INSERT INTO django_migrations VALUES {rows}")
    there_and_back(database)


@pytest.mark.parametrize("charset", ["utf8mb4 COLLATE utf8mb4_unicode_ci", "latin1 COLLATE latin1_swedish_ci"])
def test_mysql_character_sets(new_database: NewDatabase, charset: str) -> None:
    database = new_database("mysql")
    database.execute(f"ALTER DATABASE CHARACTER SET {charset}")
    database.create_table()
    names = [name for name in NAMES if charset.startswith("utf8") or all(ord(letter) < 256 for letter in name)]
    database.insert([(n, "Größe", name, "2026-01-01 10:00:00") for n, name in enumerate(twice(names), start=1)])
    there_and_back(database)


def test_mysql_without_json(new_database: NewDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    """The statements that MySQL gets."""
    monkeypatch.setattr(mysql_rows, "_has_json", lambda _: False)
    monkeypatch.setattr(mysql_rows, "CASES", 2)
    database = new_database("mysql")
    before = filled(database).dump()
    with target_of(database) as target:
        apply_plan(target, story_plan(target))
    assert without_ids(database.dump()) == story_after(before)
    there_and_back(database)


def test_mysql_with_small_packets(new_database: NewDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    whole, documents = mysql_rows._documents, list[str]()

    def cut(rows: Sequence[tuple[object, ...]], _: int) -> list[str]:
        found = list(whole(rows, 200))
        documents.extend(found)
        return found

    monkeypatch.setattr(mysql_rows, "_documents", cut)
    monkeypatch.setattr(mysql_rows, "BLOCK", 3)
    database = new_database("mysql")
    before = filled(database).dump()
    with target_of(database) as target:
        apply_plan(target, story_plan(target))
    assert len(documents) > 2
    assert without_ids(database.dump()) == story_after(before)


@pytest.mark.pure
@given(st.lists(st.tuples(st.integers(), st.text(max_size=20)), min_size=1), st.integers(1, 100))
def test_documents_hold_all_rows_in_order(rows: list[tuple[int, str]], length: int) -> None:
    documents = list(mysql_rows._documents(rows, length))
    assert [tuple(row) for document in documents for row in json.loads(document)] == rows
    assert all(len(document) <= length or len(json.loads(document)) == 1 for document in documents)


def test_a_row_that_changes_twice_is_refused(database: Database) -> None:
    before = filled(database).dump()
    with target_of(database) as target:
        records = target.read() or ()
        plan = plan_of(target.ref, records, [rename(records[0], "0001_x")])
        twice_over = replace(plan, changes=(*plan.changes, rename(records[0], "0001_y")))
        with pytest.raises(PlanFileError, match=r"changes row 1 twice"):
            apply_plan(target, twice_over)
    assert database.dump() == before
