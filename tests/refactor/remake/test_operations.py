"""What the models do not show is told apart from what they show, operation by operation."""

from __future__ import annotations

import pytest
from django.db import migrations, models
from django.db.migrations.state import ProjectState

from migsync.worker.protocol import Disposition
from migsync.worker.remake.operations import special_operations

ORIGIN = ("shop", "0007_fill")
ADD = migrations.AddField("item", "size", models.IntegerField(null=True))
VIEW = "CREATE VIEW v AS SELECT 1"


class CreateTrigger(migrations.operations.base.Operation):
    """An operation of one's own, which leaves the state as it is."""

    def state_forwards(self, app_label, state):
        pass


class AddTwice(migrations.AddField):
    """One that changes it in its own way."""


class Grant(migrations.RunSQL):
    """SQL with an __init__ of its own."""

    def __init__(self, table):
        super().__init__(f"GRANT SELECT ON {table} TO reader", state_operations=[ADD], hints={"a": 1})


class Logged(Grant):
    """The same, run in its own way."""

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        pass


def fill(apps, schema_editor):
    """Nothing."""


def fates(*operations, dropped=False, **attributes):
    """(fate, what is carried as Django would write it) of each operation that the models do not show."""
    migration = type("Migration", (migrations.Migration,), {"operations": list(operations), **attributes})
    state = ProjectState()
    migrations.CreateModel("Item", [("id", models.BigAutoField(primary_key=True))]).state_forwards("shop", state)
    found = list(special_operations(ORIGIN, migration("0007_fill", "shop"), state, dropped=dropped))
    assert all(each.origin == ORIGIN for each in found)
    return [(each.disposition, each.operation) for each in found]


@pytest.mark.parametrize(
    ("operation", "fate"),
    [
        (migrations.RunPython(fill), Disposition.CARRIED),
        (migrations.RunPython(fill, elidable=True), Disposition.ELIDABLE),
        (migrations.RunPython(migrations.RunPython.noop, fill), Disposition.NOTHING),
        (migrations.RunSQL(VIEW), Disposition.CARRIED),
        (migrations.RunSQL([(VIEW, None)]), Disposition.CARRIED),
        (migrations.RunSQL(migrations.RunSQL.noop), Disposition.NOTHING),
        (migrations.RunSQL("-- for slugs\ncreate extension citext"), Disposition.FIRST),
        (migrations.RunSQL(["CREATE EXTENSION citext", VIEW]), Disposition.CARRIED),
        (migrations.RunSQL("create schema if not exists audit;\n"), Disposition.FIRST),
        (migrations.RunSQL(["CREATE TYPE mood AS ENUM ('good')", "CREATE DOMAIN few AS integer"]), Disposition.FIRST),
        (migrations.RunSQL("CREATE EXTENSION a; COMMENT ON EXTENSION a IS 'a'"), Disposition.FIRST),
        (migrations.RunSQL("CREATE SCHEMA audit;\n-- and\nCREATE SCHEMA other;"), Disposition.FIRST),
        (migrations.RunSQL("CREATE SCHEMA audit; CREATE INDEX i ON shop_item (id)"), Disposition.CARRIED),
        (Logged("item"), Disposition.STUCK),
        (CreateTrigger(), Disposition.CARRIED),
        (AddTwice("item", "size", models.IntegerField(null=True)), Disposition.STUCK),
        (migrations.SeparateDatabaseAndState(database_operations=[ADD]), Disposition.SHOWN),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, migrations.operations.base.Operation) else "",
)
def test_each_has_its_fate(operation, fate) -> None:
    assert [found for found, _ in fates(operation)] == [fate]
    leaves = fate in (Disposition.CARRIED, Disposition.STUCK, Disposition.FIRST)
    assert [found for found, _ in fates(operation, dropped=True)] == [Disposition.DROPPED if leaves else fate]


def test_what_the_models_show_is_not_told_at_all() -> None:
    assert fates(ADD, migrations.SeparateDatabaseAndState(state_operations=[ADD])) == []


def test_of_a_class_of_its_own_the_sql_is_carried() -> None:
    [(fate, carried)] = fates(Grant("item"))
    assert (fate, type(carried)) == (Disposition.CARRIED, migrations.RunSQL)
    assert (carried.sql, carried.state_operations, carried.hints) == ("GRANT SELECT ON item TO reader", [], {"a": 1})


def test_of_sql_that_stands_for_a_change_of_the_state_only_the_sql_is_carried() -> None:
    [(fate, carried)] = fates(migrations.RunSQL(VIEW, "DROP VIEW v", state_operations=[ADD], hints={"a": 1}))
    assert fate is Disposition.CARRIED
    assert (carried.sql, carried.reverse_sql, carried.state_operations, carried.hints) == (
        VIEW,
        "DROP VIEW v",
        [],
        {"a": 1},
    )


def test_of_database_and_state_only_what_the_database_does_is_carried() -> None:
    run = migrations.RunSQL(VIEW)
    both = migrations.SeparateDatabaseAndState(database_operations=[ADD, run], state_operations=[ADD])
    (shown, _), (fate, carried) = fates(both)
    assert (shown, fate) == (Disposition.SHOWN, Disposition.CARRIED)
    assert (carried.database_operations, carried.state_operations) == ([run], [])


def test_a_migration_that_is_applied_in_a_way_of_its_own_is_not_passed_over() -> None:
    own = {"apply": lambda self, *_: self}
    assert [fate for fate, _ in fates(ADD, **own)] == [Disposition.STUCK]
    assert [fate for fate, _ in fates(ADD, dropped=True, **own)] == [Disposition.DROPPED]
