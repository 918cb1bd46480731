"""Errors that mean the same in every database: what doctor answers, without a server and without Django."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from migsync.cli.program import run
from tests.pitfalls.project import File

MIGRATIONS = (File("0001_initial", ("create Item",)), File("0002_price", (), (("shop", "0001_initial"),)))
ANSWERS = [
    ("UNIQUE constraint failed: new__shop_item.sku", "duplicate-values"),
    ('column "sku" of relation "shop_item" contains null values', "null-values"),
    ('cannot ALTER TABLE "shop_item" because it has pending trigger events', "pending-trigger-events"),
    ("Operation <RunPython f> in shop.0002_price is not reversible", "not-reversible"),
    ("KeyError: ('shop', 'order')", "not-in-state"),
    ("FieldDoesNotExist: Item has no field named 'sku'", "not-in-state"),
    ("The field a.B.c was declared with a lazy reference to 'users.user', but app 'users' is", "lazy-reference"),
    ("permission denied for table shop_item", "missing-right"),
    ("permission denied for schema public", "no-schema-to-create-in"),
    ("canceling statement due to lock timeout", "lock-not-free"),
    ("attempt to write a readonly database", "read-only-connection"),
    ("(1215, 'Cannot add foreign key constraint')", "foreign-key-refused"),
    ("Found wrong number (0) of constraints for shop_item(sku)", "constraint-not-found"),
    ('psycopg.errors.InvalidCursorName: cursor "_django_curs_1_sync_1" does not exist', "cursor-not-there"),
    ("You have 1 unapplied migration(s). Your project may not work properly", "not-migrated"),
    ("CommandError: Cannot find a migration matching '0009' from app 'shop'.", "no-such-migration"),
    ("CommandError: More than one migration matches '000' in app 'shop'.", "no-such-migration"),
    ("CommandError: Cannot find a migration matching '0002' from app 'shop'.", "not-seen-here"),
    ("CommandError: No installed app with label 'shpo'.", "app-not-there"),
    ("CommandError: App 'shop' does not have migrations.", "not-seen-here"),
    ("(1118, 'Row size too large (> 8126). Changing some columns to TEXT')", "too-large"),
    ('column "price" cannot be cast automatically to type integer', "type-not-converted"),
    ("cannot drop table shop_item because other objects depend on it", "others-depend"),
    ("value too long for type character varying(30)", "value-too-long"),
    ('type "citext" does not exist', "extension-missing"),
    ('insert or update on table "shop_item" violates foreign key constraint "x"', "rows-without-parent"),
    ("(1045, \"Access denied for user 'a'@'b' (using password: YES)\")", "not-connected"),
    ("AttributeError: module 'shop.models' has no attribute 'path'", "code-gone"),
]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that has run its first migration."""
    root = tmp_path_factory.mktemp("everywhere")
    package = root / "shop" / "migrations"
    package.mkdir(parents=True)
    for path in (package, package.parent):
        (path / "__init__.py").touch()
    for file in MIGRATIONS:
        (package / f"{file.name}.py").write_text(file.text)
    with closing(sqlite3.connect(root / "db.sqlite3")) as connection, connection:
        connection.execute("CREATE TABLE django_migrations (id integer PRIMARY KEY, app text, name text, applied text)")
        connection.execute("INSERT INTO django_migrations VALUES (1, 'shop', '0001_initial', '2026-01-01 10:00:00')")
    url = f"sqlite:///{root / 'db.sqlite3'}"
    text = f'[tool.migsync.databases.default]\nurl = "{url}"\n[tool.migsync.apps]\nshop = "shop/migrations"\n'
    (root / "pyproject.toml").write_text(text)
    return root


@pytest.mark.parametrize(("text", "code"), ANSWERS, ids=[f"{code}-{text[:20]}" for text, code in ANSWERS])
def test_an_error_that_is_the_same_everywhere(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], text: str, code: str
) -> None:
    monkeypatch.chdir(place)
    monkeypatch.setenv("MIGSYNC_CACHE", str(place / "cache"))
    monkeypatch.delenv("DJANGO_SETTINGS_MODULE", raising=False)
    status = run(["doctor", "--format", "json", "--error", f"Applying shop.0002_price...Traceback\n{text}"])
    document = json.loads(capsys.readouterr().out)
    found = [*document["findings"], *(each for one in document["databases"] for each in one["findings"])]
    assert [each["code"] for each in found] == [code]
    assert status == (1 if found[0]["severity"] == "error" else 0)
