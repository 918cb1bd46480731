"""What ``migsync plan`` refuses, a guarded ``migrate`` refuses: with its system checks and without them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.companion.test_guard import LATER, Shop
from tests.databases import Database
from tests.project.projects import write

# One process plays all the stories: Django takes longest to start.
PLAY = """
import io, json, os, sys
answer = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
sys.path.insert(0, os.getcwd())
os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"
import django
django.setup()
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import connection
from migsync.cli.program import run


def migrate(**options):
    out = io.StringIO()
    try:
        call_command("migrate", stdout=out, stderr=out, **options)
    except CommandError as error:
        return [1, str(error)]
    finally:
        connection.close()
    return [0, out.getvalue()]


said = {}
for name, before, after, mode in json.load(sys.stdin):
    settings.MIGSYNC_ON_MIGRATE = mode
    with connection.cursor() as cursor:
        for statement in before:
            cursor.execute(statement)
    connection.close()
    found = {"plan": run(["plan"]), "bare": migrate(), "checked": migrate(skip_checks=False)}
    with connection.cursor() as cursor:
        for statement in after:
            cursor.execute(statement)
    said.setdefault(name, {})[mode] = found
json.dump(said, answer)
answer.close()
"""
INSERT = "INSERT INTO django_migrations (app, name, applied) VALUES ('shop', '{}', '2100-03-01 10:00:00')"
DELETE = "DELETE FROM django_migrations WHERE name = '{}'"
STORIES = {
    "unreadable": ([INSERT.format("0001_\x9b31m")], [DELETE.format("0001_\x9b31m")]),
    "unexplained": ([INSERT.format("0009_\u202egone")], [DELETE.format("0009_\u202egone")]),
    "twice": ([INSERT.format("0003_later")], ["DELETE FROM django_migrations WHERE id > 2"]),
}


def play(shop: Shop, stories: list[tuple[str, list[str], list[str], str]]) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-c", PLAY],
        cwd=shop.root,
        input=json.dumps(stories),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_what_plan_refuses_migrate_refuses(tmp_path: Path, database: Database) -> None:
    shop = Shop.make(tmp_path, database)
    before = database.dump()
    # It would run, were it not stopped.
    write(shop.root, {"shop/migrations/0004_more.py": LATER.replace("0001_initial", "0003_later")})
    stories = [(name, *statements, mode) for name, statements in STORIES.items() for mode in ("check", "sync")]
    for name, modes in play(shop, stories).items():
        for mode, found in modes.items():
            assert found["plan"] == 1, (name, mode)
            for way in ("bare", "checked"):
                status, said = found[way]
                assert status == 1, (name, mode, way, said)
                assert "migsync.E002" in said, (name, mode, way, said)
                assert "python manage.py migsync plan --database default" in said
                assert not {"\x9b", "\u202e"} & set(said)
    assert database.dump() == before


def test_names_that_have_changed_stop_call_command_too(tmp_path: Path, sqlite_database: Database) -> None:
    shop = Shop.make(tmp_path, sqlite_database)
    shop.rename()
    found = play(shop, [("changed", [], [], "check")])["changed"]["check"]
    assert found["plan"] == 0
    for way in ("bare", "checked"):
        status, said = found[way]
        assert status == 1
        assert "python manage.py migsync apply --database default" in said


def test_a_project_that_plan_cannot_judge_stops_migrate(tmp_path: Path, sqlite_database: Database) -> None:
    shop = Shop.make(tmp_path, sqlite_database)
    write(shop.root, {"migration_rewrites/20260101T000000_x.toml": "format = 1\n"})
    for found in play(shop, [("rewrite", [], [], mode) for mode in ("check", "sync")])["rewrite"].values():
        assert found["plan"] == 1
        assert [found[way][0] for way in ("bare", "checked")] == [1, 1]
        assert "20260101T000000_x.toml" in found["bare"][1]


def test_a_database_that_only_django_reaches_stops_migrate(tmp_path: Path, sqlite_database: Database) -> None:
    shop = Shop.make(tmp_path, sqlite_database)
    nowhere = '[tool.migsync.databases.default]\nurl = "mysql://somebody:hunter2@127.0.0.1:1/shop"\n'
    write(shop.root, {"pyproject.toml": nowhere})
    found = play(shop, [("unreachable", [], [], "check")])["unreachable"]["check"]
    for way in ("bare", "checked"):
        status, said = found[way]
        assert status == 1
        assert "default cannot be reached" in said
        assert "hunter2" not in said


def test_a_database_that_django_does_not_reach_either_is_left_to_it(tmp_path: Path, sqlite_database: Database) -> None:
    shop = Shop.make(tmp_path, sqlite_database)
    with (shop.root / "config/settings.py").open("a") as file:
        file.write("\nDATABASES['default']['NAME'] = '/no/such/directory/database.sqlite3'\n")
    done = subprocess.run(
        [sys.executable, "manage.py", "migrate"], cwd=shop.root, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert done.stderr.endswith("django.db.utils.OperationalError: unable to open database file\n")
