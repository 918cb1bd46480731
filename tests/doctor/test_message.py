"""What Django, psycopg, PyMySQL and sqlite3 print is read, on its own and at the end of a traceback."""

from __future__ import annotations

from typing import Any

import pytest

from migsync.doctor.message import MessageKind, read_message
from migsync.key import Key

K = MessageKind
ITEM = {"table": "shop_item"}
PRICE = {"table": "shop_item", "column": "price"}
MIGRATION = {"migration": Key("shop", "0003_price")}

MESSAGES: list[tuple[str, MessageKind, dict[str, Any]]] = [
    ('relation "shop_item" already exists', K.TABLE_EXISTS, ITEM),
    ('table "shop_item" already exists', K.TABLE_EXISTS, ITEM),
    ("(1050, \"Table 'shop_item' already exists\")", K.TABLE_EXISTS, ITEM),
    ('relation "shop_item" does not exist\nLINE 1: SELECT "shop_item"."id"', K.TABLE_MISSING, ITEM),
    ('relation "tenant.shop_item" does not exist', K.TABLE_MISSING, ITEM),
    ('table "shop_item" does not exist', K.TABLE_MISSING, ITEM),
    ("no such table: shop_item", K.TABLE_MISSING, ITEM),
    ("no such table: main.shop_item", K.TABLE_MISSING, ITEM),
    ("(1146, \"Table 'db.shop_item' doesn't exist\")", K.TABLE_MISSING, ITEM),
    ("(1051, \"Unknown table 'db.shop_item'\")", K.TABLE_MISSING, ITEM),
    ('column "price" of relation "shop_item" already exists', K.COLUMN_EXISTS, PRICE),
    ("duplicate column name: price", K.COLUMN_EXISTS, {"column": "price"}),
    ("(1060, \"Duplicate column name 'price'\")", K.COLUMN_EXISTS, {"column": "price"}),
    ('column "price" of relation "shop_item" does not exist', K.COLUMN_MISSING, PRICE),
    ("column shop_item.price does not exist", K.COLUMN_MISSING, PRICE),
    ('column "price" does not exist', K.COLUMN_MISSING, {"column": "price"}),
    ("no such column: shop_item.price", K.COLUMN_MISSING, PRICE),
    ('no such column: "price"', K.COLUMN_MISSING, {"column": "price"}),
    ("table shop_item has no column named price", K.COLUMN_MISSING, PRICE),
    ("(1054, \"Unknown column 'shop_item.price' in 'field list'\")", K.COLUMN_MISSING, PRICE),
    ("(1054, \"Unknown column 'price' in 'shop_item'\")", K.COLUMN_MISSING, {"column": "price"}),
    ("index shop_item_x already exists", K.INDEX_EXISTS, {"index": "shop_item_x"}),
    ("(1061, \"Duplicate key name 'shop_item_x'\")", K.INDEX_EXISTS, {"index": "shop_item_x"}),
    ('index "shop_item_x" does not exist', K.INDEX_MISSING, {"index": "shop_item_x"}),
    ('constraint "x" of relation "shop_item" does not exist', K.INDEX_MISSING, {"index": "x", "table": "shop_item"}),
    ("no such index: shop_item_x", K.INDEX_MISSING, {"index": "shop_item_x"}),
    ("(1091, \"Can't DROP 'x'; check that column/key exists\")", K.INDEX_MISSING, {"index": "x"}),
    ('(1091, "Can\'t DROP INDEX `x`; check that it exists")', K.INDEX_MISSING, {"index": "x"}),
    ('(1091, "Can\'t DROP COLUMN `price`; check that it exists")', K.COLUMN_MISSING, {"column": "price"}),
    ('(1091, "Can\'t DROP FOREIGN KEY `x`; check that it exists")', K.INDEX_MISSING, {"index": "x"}),
    ("there is already an index named shop_item_x", K.INDEX_EXISTS, {"index": "shop_item_x"}),
    ("ValueError: Found wrong number (0) of indexes for shop_item(name, sku)", K.CONSTRAINT_COUNT, ITEM),
    (
        "django.core.exceptions.FieldDoesNotExist: shop.item has no field named 'price'",
        K.FIELD_UNKNOWN,
        {"column": "price"},
    ),
    ("(1698, \"Access denied for user 'a'@'b'\")", K.NOT_CONNECTED, {}),
    (
        "Migration shop.0003_price is applied before its dependency shop.0002_b on database 'replica'.",
        K.INCONSISTENT_HISTORY,
        {**MIGRATION, "other": Key("shop", "0002_b"), "alias": "replica"},
    ),
    (
        "Migration shop.0003_price dependencies reference nonexistent parent node ('users', '0001_initial')",
        K.MISSING_PARENT,
        {**MIGRATION, "other": Key("users", "0001_initial")},
    ),
    ("Conflicting migrations detected; multiple leaf nodes in the migration graph: (a, b in shop).", K.CONFLICT, {}),
    (
        "django.db.migrations.exceptions.CircularDependencyError: shop.0003_price, shop.0002_b",
        K.CYCLE,
        {"other": Key("shop", "0003_price")},
    ),
    ("Migration 0003_price in app shop has no Migration class", K.UNREADABLE, MIGRATION),
    ('duplicate key value violates unique constraint "django_migrations_pkey"', K.SEQUENCE, {}),
    ('could not create unique index "shop_item_x"', K.DUPLICATE_VALUES, {"index": "shop_item_x"}),
    ("(1062, \"Duplicate entry 'a' for key 'price'\")", K.DUPLICATE_VALUES, {}),
    ("UNIQUE constraint failed: new__shop_item.price", K.DUPLICATE_VALUES, PRICE),
    ('column "price" of relation "shop_item" contains null values', K.NULL_VALUES, PRICE),
    ("NOT NULL constraint failed: new__shop_item.price", K.NULL_VALUES, PRICE),
    ("(1138, 'Invalid use of NULL value')", K.NULL_VALUES, {}),
    ("(1265, \"Data truncated for column 'price' at row 1\")", K.NULL_VALUES, {"column": "price"}),
    ('cannot ALTER TABLE "shop_item" because it has pending trigger events', K.PENDING_TRIGGERS, ITEM),
    ("Operation <RunPython <function f at 0x7f>> in shop.0003_price is not reversible", K.IRREVERSIBLE, MIGRATION),
    (
        "The field a.B.c was declared with a lazy reference to 'users.user', but app 'users' isn't installed.",
        K.LAZY_REFERENCE,
        {"table": "users_user", "sought": "users.user"},
    ),
    ("KeyError: ('shop', 'item')", K.MODEL_UNKNOWN, {**ITEM, "sought": "shop.item"}),
    ("LookupError: App 'shop' doesn't have a 'Item' model.", K.MODEL_UNKNOWN, {**ITEM, "sought": "shop.Item"}),
    ("django.core.exceptions.FieldDoesNotExist: Item has no field named 'price'", K.FIELD_UNKNOWN, {"column": "price"}),
    ("permission denied for table shop_item", K.NOT_PERMITTED, ITEM),
    ("must be owner of table shop_item", K.NOT_PERMITTED, ITEM),
    ("(1142, \"SELECT command denied to user 'a'@'b' for table 'shop_item'\")", K.NOT_PERMITTED, ITEM),
    ("(1142, \"ALTER command denied to user 'a'@'b' for table `db`.`shop_item`\")", K.NOT_PERMITTED, ITEM),
    ("Unable to create the django_migrations table (permission denied for schema public", K.NO_SCHEMA, {}),
    ("no schema has been selected to create in", K.NO_SCHEMA, {}),
    ("canceling statement due to lock timeout", K.LOCKED, {}),
    ("database is locked", K.LOCKED, {}),
    ("(1205, 'Lock wait timeout exceeded; try restarting transaction')", K.LOCKED, {}),
    ("attempt to write a readonly database", K.READ_ONLY, {}),
    ("cannot execute ALTER TABLE in a read-only transaction", K.READ_ONLY, {}),
    ("(1290, 'The MariaDB server is running with the --read-only option')", K.READ_ONLY, {}),
    ('there is no unique constraint matching given keys for referenced table "shop_item"', K.FOREIGN_KEY, ITEM),
    (
        "(1005, 'Can\\'t create table `a`.`b` (errno: 150 \"Foreign key constraint is incorrectly formed\")')",
        K.FOREIGN_KEY,
        {},
    ),
    ("(3780, \"Referencing column 'x' and referenced column 'y' are incompatible.\")", K.FOREIGN_KEY, {}),
    ("ValueError: Found wrong number (0) of constraints for shop_item(name)", K.CONSTRAINT_COUNT, ITEM),
    ("ValueError: Found wrong number (2) of unique constraints for shop_item(name)", K.CONSTRAINT_COUNT, ITEM),
    ('relation "shop_item" already exists (from a pool)', K.TABLE_EXISTS, ITEM),
    ("there is already another table or index with this name: shop_item", K.TABLE_EXISTS, ITEM),
    ("(1072, \"Key column 'price' doesn't exist in table\")", K.COLUMN_MISSING, {"column": "price"}),
    ('constraint "x" for relation "shop_item" already exists', K.INDEX_EXISTS, {"index": "x", "table": "shop_item"}),
    ("(1826, \"Duplicate foreign key constraint name 'x'\")", K.INDEX_EXISTS, {"index": "x"}),
    (
        "django.db.migrations.exceptions.NodeNotFoundError: Node ('users', '0001_initial') not a valid node",
        K.MISSING_PARENT,
        {"other": Key("users", "0001_initial")},
    ),
    (
        "Migration shop.0003_price dependencies reference nonexistent child node ('users', '0001_initial')",
        K.MISSING_PARENT,
        {**MIGRATION, "other": Key("users", "0001_initial")},
    ),
    (
        'duplicate key value violates unique constraint "auth_permission_pkey"',
        K.DUPLICATE_VALUES,
        {"index": "auth_permission_pkey"},
    ),
    ('null value in column "price" of relation "shop_item" violates not-null constraint', K.NULL_VALUES, PRICE),
    ('cannot DROP TABLE "shop_item" because it has pending trigger events', K.PENDING_TRIGGERS, ITEM),
    (
        "ValueError: Related model 'users.user' cannot be resolved",
        K.LAZY_REFERENCE,
        {"table": "users_user", "sought": "users.user"},
    ),
    (
        "django.db.migrations.exceptions.MigrationSchemaMissing: Unable to create the django_migrations table",
        K.NO_SCHEMA,
        {},
    ),
    ("canceling statement due to statement timeout", K.LOCKED, {}),
    (
        "(1825, \"Failed to add the foreign key constraint on table 'a'. Incorrect options\")",
        K.FOREIGN_KEY,
        {},
    ),
    ("(1824, \"Failed to open the referenced table 'users_user'\")", K.FOREIGN_KEY, {}),
    ('psycopg2.errors.InvalidCursorName: cursor "_django_curs_140_1" does not exist', K.CURSOR, {}),
    ("You have 18 unapplied migration(s). Your project may not work properly", K.UNAPPLIED, {}),
    (
        "CommandError: Cannot find a migration matching '0009' from app 'shop'.",
        K.MIGRATION_UNKNOWN,
        {"migration": Key("shop", "0009")},
    ),
    (
        "There is more than one migration for 'shop' with the prefix '0002'",
        K.MIGRATION_UNKNOWN,
        {"migration": Key("shop", "0002")},
    ),
    ("CommandError: No installed app with label 'shop'.", K.APP_UNKNOWN, {"sought": "shop"}),
    ("CommandError: App 'shop' does not have migrations.", K.APP_UNKNOWN, {"sought": "shop"}),
    ("ValueError: Dependency on unknown app: users", K.APP_UNKNOWN, {"sought": "users"}),
    ("(1118, 'Row size too large (> 8126). Changing some columns to TEXT')", K.TOO_LARGE, {}),
    ("(1071, 'Specified key was too long; max key length is 767 bytes')", K.TOO_LARGE, {}),
    ('column "price" cannot be cast automatically to type integer', K.TYPE_CHANGE, {"column": "price"}),
    ("cannot drop table shop_item because other objects depend on it", K.DEPENDED_ON, ITEM),
    ("cannot drop column price of table shop_item because other objects depend on it", K.DEPENDED_ON, PRICE),
    ("value too long for type character varying(30)", K.VALUE_TOO_LONG, {}),
    ("(1406, \"Data too long for column 'price' at row 1\")", K.VALUE_TOO_LONG, {}),
    ('data type text has no default operator class for access method "gin"', K.NO_EXTENSION, {}),
    ('permission denied to create extension "citext"', K.NO_EXTENSION, {}),
    ('type "citext" does not exist\nLINE 1: CREATE TABLE', K.NO_EXTENSION, {}),
    ('insert or update on table "shop_item" violates foreign key constraint "x"', K.ROW_WITHOUT_PARENT, ITEM),
    (
        "The row in table 'shop_item' with primary key '1' has an invalid foreign key: shop_item.a_id contains",
        K.ROW_WITHOUT_PARENT,
        ITEM,
    ),
    ("(1452, 'Cannot add or update a child row: a foreign key constraint fails')", K.ROW_WITHOUT_PARENT, {}),
    ('connection to server at "db" (10.0.0.2), port 5432 failed: Connection refused', K.NOT_CONNECTED, {}),
    ("(1045, \"Access denied for user 'a'@'b' (using password: YES)\")", K.NOT_CONNECTED, {}),
    ("(1049, \"Unknown database 'shop'\")", K.NOT_CONNECTED, {}),
    ("sqlite3.OperationalError: unable to open database file", K.NOT_CONNECTED, {}),
    ("ModuleNotFoundError: No module named 'shop.fields'", K.CODE_GONE, {"sought": "shop.fields"}),
    ("ImportError: cannot import name 'ugettext_lazy' from 'django'", K.CODE_GONE, {"sought": "ugettext_lazy"}),
    ("AttributeError: module 'shop.models' has no attribute 'path'", K.CODE_GONE, {"sought": "shop.models.path"}),
]

OUTPUT = """Operations to perform:
  Apply all migrations: shop
Running migrations:
  Applying shop.0001_initial... OK
  Applying shop.0003_price...Traceback (most recent call last):
  File "/site-packages/django/db/backends/utils.py", line 105, in _execute
    return self.cursor.execute(sql, params)
psycopg.errors.SomeError: {message}

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "manage.py", line 9, in <module>
django.db.utils.ProgrammingError: {message}
"""


@pytest.mark.parametrize(("text", "kind", "facts"), MESSAGES, ids=[text[:60] for text, *_ in MESSAGES])
def test_a_message(text: str, kind: MessageKind, facts: dict[str, Any]) -> None:
    found = read_message(text)
    assert found is not None
    assert found.kind is kind
    expected = {
        "migration": None,
        "other": None,
        "table": "",
        "column": "",
        "index": "",
        "alias": "",
        "sought": "",
    } | facts
    assert {name: getattr(found, name) for name in expected} == expected

    # At the end of what `migrate` prints, with the migration that ran.
    within = read_message(OUTPUT.replace("{message}", text))
    assert within is not None
    assert (within.kind, within.table, within.column) == (kind, found.table, found.column)
    assert within.migration == found.migration or within.migration == Key("shop", "0003_price")
    assert within.text.endswith(text.splitlines()[0])


def test_every_kind_has_a_message() -> None:
    assert {kind for _, kind, _ in MESSAGES} == set(MessageKind)


def test_a_field_that_a_state_does_not_have() -> None:
    trace = '  File "/x/django/db/migrations/state.py", line 296, in remove_field\n    old = fields.pop(name)\n'
    trace += "KeyError: 'price'\n"
    found = read_message(trace)
    assert found
    assert (found.kind, found.column) == (K.FIELD_UNKNOWN, "price")
    assert read_message("KeyError: 'price'") is None


def test_the_last_message_counts() -> None:
    found = read_message('relation "a" already exists\nrelation "b" does not exist\n')
    assert found
    assert (found.kind, found.table) == (K.TABLE_MISSING, "b")


def test_the_migration_that_ran_is_that_of_the_last_frame_in_one() -> None:
    trace = "  File \"/srv/app/shop/migrations/0004_fill.py\", line 7, in forwards\nKeyError: ('shop', 'item')"
    found = read_message(trace)
    assert found
    assert found.migration == Key("shop", "0004_fill")


@pytest.mark.parametrize("text", ["", "hello", "Applying shop.0001_initial... OK", "\0\x1b[31m" * 1000])
def test_a_text_without_a_message(text: str) -> None:
    assert read_message(text) is None
