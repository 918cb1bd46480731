"""What people get wrong: each case a message that can be read, the right exit status, and nothing changed."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest
from sqlalchemy import make_url

from migsync.cli import program
from tests.cli.shop import MAPPED, NEW, OLD, Shop


def refused(ended, *, status=1, said=()):
    """Assert the status and that every text is in the message on standard error."""
    assert ended.status == status, ended.out + ended.err
    assert ended.err.startswith("Error: ")
    for text in said:
        assert text in ended.err


def test_no_project(tmp_path):
    for command in ("plan", "apply", "undo", "status", "log", "recover"):
        refused(Shop(tmp_path).run(command), said=["manage.py", "--root"])


def test_a_root_that_is_not_there(shop):
    refused(shop.run("plan", "--root", "/no/such/place"), status=64, said=["/no/such/place"])


def test_settings_that_fail_to_import(shop):
    (shop.root / "config.py").write_text("import secret_sauce\n")
    refused(shop.run("plan"), said=["secret_sauce", "--url"])


def test_settings_that_are_not_there(shop):
    refused(shop.run("plan", "--settings", "nowhere.settings"), said=["nowhere"])


def test_an_alias_that_is_not_there_lists_those_that_are(two):
    for command in (["plan"], ["apply", "--noinput"], ["undo", "--noinput"], ["log"]):
        refused(two.run(*command, "--database", "replica"), said=["replica", "default and second"])


def test_an_app_that_is_not_there(shop):
    refused(shop.run("plan", "--app", "nowhere"), status=64, said=["nowhere", "shop"])


def test_a_database_that_cannot_be_reached_never_shows_its_password(shop):
    url = "postgresql://somebody:hunter2@127.0.0.1:1/bookshop"
    for command in (["plan"], ["plan", "--format", "json"], ["apply", "--noinput"], ["undo", "--noinput"], ["log"]):
        ended = shop.run(*command, "--url", url)
        assert ended.status == 1
        assert "127.0.0.1" in ended.out + ended.err
        assert "hunter2" not in ended.out + ended.err


def test_a_wrong_password_is_said_and_not_shown(shop, mysql_database):
    mysql_database.execute("CREATE OR REPLACE USER migsync_reader@'%' IDENTIFIED BY 'correcthorse'")
    try:
        right = make_url(mysql_database.url).set(username="migsync_reader", password="correcthorse")
        wrong = right.set(password="batterystaple")
        for command in (["plan"], ["plan", "--format", "json"], ["apply", "--noinput"]):
            ended = shop.run(*command, "--url", wrong.render_as_string(hide_password=False))
            assert ended.status == 1
            assert "Access denied" in ended.out + ended.err
            assert "batterystaple" not in ended.out + ended.err
    finally:
        mysql_database.execute("DROP USER migsync_reader@'%'")


def test_one_unreachable_database_does_not_keep_the_others_from_being_planned(two):
    two.databases["second"] = {"ENGINE": "django.db.backends.postgresql", "NAME": "x", "HOST": "127.0.0.1", "PORT": "1"}
    two.settings()
    planned = two.run("plan")
    assert planned.status == 1
    assert "default  SQLite  needs 3 changes" in planned.out
    assert "second  cannot be read" in planned.out
    applied = two.run("apply", "--noinput")
    assert applied.status == 5
    assert "Done: default. Not done: second." in applied.err
    assert "migsync apply --database second" in applied.err
    assert two.names("default") == NEW


def test_an_unknown_engine(tmp_path):
    shop = Shop(tmp_path).write("default", engine="django.db.backends.oracle")
    ended = shop.run("plan")
    assert ended.status == 1
    assert "oracle" in ended.out + ended.err


@pytest.mark.parametrize("option", ["shop.0003_price", "0003_price=0002_price", "shop.=0002_price", "="])
def test_a_map_of_another_form(shop, option):
    refused(shop.run("plan", "--map", option), status=64, said=["APP.OLD=NEW"])


def test_an_option_without_its_value_leads_to_the_help_of_its_command(capsys):
    assert program.run(["undo", "--since"]) == 64
    assert "Next: migsync undo --help" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    ["undo|--since|", "undo|--since=", "undo|", "apply|", "plan|--url|", "plan|-d|one|-d|", "plan|--shard="],
)
def test_an_empty_value_is_not_the_default(arguments, capsys):
    """As of a variable of the shell that has no value: the command would be about more than was asked for."""
    assert program.run(arguments.split("|")) == 64
    assert "It is empty." in capsys.readouterr().err


@pytest.mark.parametrize("name", ["x" * 256, "0002_\x1b[31mred", "0002_\nline"])
def test_names_that_cannot_be(shop, name):
    ended = shop.run("plan", "--map", f"shop.0003_price={name}")
    refused(ended, status=64)
    assert "\x1b" not in ended.err


class TestPlanFile:
    """A plan file is applied exactly as it was made, or not at all."""

    @pytest.fixture
    def plan(self, shop):
        shop.rewrite().run("plan", "-o", "plan.json")
        return shop.root / "plan.json"

    def apply_refused(self, shop, *, status=1, said=()):
        before = shop.rows("default")
        refused(shop.run("apply", "plan.json", "--noinput"), status=status, said=said)
        assert shop.rows("default") == before

    def test_not_there(self, shop):
        self.apply_refused(shop, said=["plan.json"])

    @pytest.mark.parametrize("content", ["", "{", "[]", "null", '{"kind": "plan"}', "\x00\x01"])
    def test_corrupt(self, shop, plan, content):
        plan.write_text(content)
        self.apply_refused(shop, said=["plan.json"])

    def test_not_text(self, shop, plan):
        plan.write_bytes(b"\xff\xfe\xfa")
        self.apply_refused(shop, said=["plan.json"])

    def test_edited(self, shop, plan):
        plan.write_text(plan.read_text().replace("0002_price", "0002_prize"))
        self.apply_refused(shop, said=["plan.json"])

    def test_another_format_version(self, shop, plan):
        document = json.loads(plan.read_text()) | {"format_version": 99}
        plan.write_text(json.dumps(document))
        self.apply_refused(shop, said=["99"])

    def test_another_database(self, shop, plan):
        copy = shop.root / "copy.sqlite3"
        copy.write_bytes((shop.root / "default.sqlite3").read_bytes())
        shop.databases["default"]["NAME"] = str(copy)
        shop.settings()
        ended = shop.run("apply", "plan.json", "--noinput")
        assert ended.status == 1
        assert "The plan was not made for default" in ended.err
        assert shop.names("copy") == OLD

    def test_stale(self, shop, plan):
        shop.execute("default", "UPDATE django_migrations SET applied = '2026-04-01 00:00:00' WHERE id = 2")
        before = shop.rows("default")
        ended = shop.run("apply", "plan.json", "--noinput")
        assert ended.status == 3
        assert "0003_price" in ended.err
        assert "migsync plan" in ended.err
        assert shop.rows("default") == before

    def test_options_that_make_a_new_plan(self, shop, plan):
        refused(shop.run("apply", "plan.json", *MAPPED), status=64, said=["saved plan"])

    def test_a_database_it_holds_no_plan_for(self, shop, plan):
        refused(shop.run("apply", "plan.json", "-d", "second"), status=64, said=["second", "default"])


def test_a_plan_that_cannot_be_saved(shop):
    refused(shop.rewrite().run("plan", "-o", "no/such/directory/plan.json"), said=["no/such/directory/plan.json"])


def test_scripts_that_cannot_be_written(shop):
    shop.rewrite()
    (shop.root / "sql").write_text("in the way")
    assert shop.run("script", "--out", "sql").status in (1, 64)
    assert (shop.root / "sql").read_text() == "in the way"


def test_a_run_that_is_not_there(shop):
    refused(shop.run("undo", "99", "--noinput"), said=["99", "migsync log"])
    refused(shop.run("show", "abcdef"), said=["abcdef", "migsync log"])


def test_a_run_number_that_is_in_two_databases(two):
    two.run("apply", "--noinput")
    refused(two.run("undo", "1", "--noinput"), said=["--database"])
    assert two.names("default") == NEW


class TestLocked:
    """Somebody else holds the lock: the database is left alone, and the others are not."""

    @pytest.fixture
    def locked(self, two):
        with closing(sqlite3.connect(two.root / "second.sqlite3", isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            yield two
            connection.execute("ROLLBACK")

    def test_all_of_them(self, locked):
        ended = locked.run("apply", "--noinput", "-d", "second", "--lock-timeout", "0.1")
        assert ended.status == 4
        assert "--lock-timeout" in ended.err

    def test_one_of_two(self, locked):
        ended = locked.run("apply", "--noinput", "--lock-timeout", "0.1", "--format", "json")
        assert ended.status == ended.json["exit_status"] == 5
        assert ended.json["error"]["code"] == "partly-done"
        found = {database["alias"]: database for database in ended.json["databases"]}
        assert found["default"]["status"] == "applied"
        assert found["second"]["error"]["code"] == "lock-timeout"
        assert locked.names("default") == NEW


def test_a_blocked_database_is_left_alone(two):
    two.execute(
        "second", "INSERT INTO django_migrations (app, name, applied) SELECT app, name, applied FROM django_migrations"
    )
    ended = two.run("apply", "--noinput")
    assert ended.status == 5
    assert "--dedupe" in ended.out
    assert two.names("default") == NEW
    assert len(two.rows("second")) == 4


def test_a_rewrite_edited_by_hand(shop):
    shop.rewrite()
    (path,) = (shop.root / "migration_rewrites").iterdir()
    path.write_text(path.read_text().replace("0002_price", "0002_prize"))
    before = shop.rows("default")
    refused(shop.run("apply", "--noinput"), said=[path.name])
    assert shop.rows("default") == before


@pytest.mark.parametrize("arguments", [["plan"], ["apply", "--noinput"], ["squash", "shop"], ["demo"]])
def test_a_current_directory_that_was_removed(tmp_path, arguments):
    code = (
        "import os, sys; os.makedirs('gone'); os.chdir('gone'); os.rmdir(os.getcwd()); "
        "from migsync.cli.program import run; sys.exit(run(sys.argv[1:]))"
    )
    ended = subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 1
    assert ended.stderr.startswith("Error: The current directory does not exist any more.")
