"""The commands from beginning to end, run as a person runs them."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.cli.shop import MAPPED, NEW, OLD


def test_plan_shows_old_and_new_names_and_changes_nothing(shop):
    before = shop.rewrite().rows("default")
    ended = shop.run("plan")
    assert ended.status == 0
    assert "default  SQLite  needs 3 changes" in ended.out
    lines = [line.split() for line in ended.out.splitlines()]
    assert ["rename", "0003_price", "0002_price", "2026-03-02", "10:00:00.123451"] in lines
    assert ["remove", "0004_merge", "(row", "removed)", "2026-03-03", "10:00:00.123452"] in lines
    assert "To apply the plan: migsync apply" in ended.out
    assert shop.rows("default") == before


def test_check_tells_differences_by_its_exit_status(shop):
    assert shop.rewrite().run("plan", "--check").status == 2
    assert shop.run("apply", "--noinput").status == 0
    assert shop.run("plan", "--check").status == 0


def test_apply_keeps_ids_and_timestamps_and_undo_is_exact(shop):
    before = shop.rewrite().rows("default")
    applied = shop.run("apply", "--noinput", "--reason", "TICKET-7")
    assert applied.status == 0
    assert "default  applied: 3 changes, run " in applied.out
    kept = {row[0]: row[3] for row in before}
    assert [(row[2], row[3]) for row in shop.rows("default")] == [
        (name, kept[identity]) for name, identity in zip(NEW, (1, 2, 4), strict=True)
    ]
    undone = shop.run("undo", "--noinput")
    assert undone.status == 0
    assert "default  undone: 3 changes, run " in undone.out
    assert "before the next migrate" in undone.out
    assert shop.rows("default") == before
    log = shop.run("log")
    assert log.out.index("undo") < log.out.index("apply")
    assert "TICKET-7" in log.out


@pytest.mark.parametrize("option", ["--noinput", "--no-input", "--yes", "-y"])
def test_every_spelling_of_going_on_without_a_question(shop, option):
    assert shop.rewrite().run("apply", option).status == 0
    assert shop.names("default") == NEW


def test_apply_a_second_time_has_nothing_to_do(shop):
    shop.rewrite().run("apply", "--noinput")
    ended = shop.run("apply", "--noinput")
    assert (ended.status, ended.out.splitlines()[-1]) == (0, "Nothing to do.")


def test_dry_run_changes_nothing(shop):
    shop.rewrite()
    for command in (("apply", "--dry-run"), ("apply", "--dry-run", "--format", "json")):
        ended = shop.run(*command)
        assert ended.status == 0
        assert "0003_price" in ended.out
    assert shop.names("default") == OLD


def test_map_on_apply_is_written_as_a_rewrite_before_the_database_is_touched(shop):
    ended = shop.run("apply", *MAPPED, "--noinput")
    assert ended.status == 0, ended.err
    (path,) = (shop.root / "migration_rewrites").glob("*.toml")
    assert f"migration_rewrites/{path.name}" in ended.out
    assert shop.names("default") == NEW


def test_plan_writes_no_rewrite(shop):
    assert shop.run("plan", *MAPPED).status == 0
    assert not (shop.root / "migration_rewrites").exists()


def test_rewrite_shows_without_writing_and_writes_once(shop):
    shown = shop.run("rewrite", *MAPPED, "--dry-run")
    assert "renamed = [" in shown.out
    assert not (shop.root / "migration_rewrites").exists()
    first, second = shop.run("rewrite", *MAPPED), shop.run("rewrite", *MAPPED)
    assert first.out == second.out
    assert len(list((shop.root / "migration_rewrites").iterdir())) == 1


def test_rewrite_refuses_names_that_the_files_contradict(shop):
    ended = shop.run("rewrite", "--map", "shop.0003_price=0009_price")
    assert ended.status == 64
    assert "0009_price" in ended.err
    assert not (shop.root / "migration_rewrites").exists()


def test_status_in_one_line_per_database(two):
    two.run("apply", "--noinput", "-d", "second")
    header, default, second, *_ = two.run("status").out.splitlines()
    assert header.split() == ["database", "engine", "state", "to", "apply", "last", "run"]
    assert default.startswith("default   SQLite  needs 3 changes")
    assert "_rewrite_shop.toml" in default
    assert second.startswith("second    SQLite  up to date")
    assert "apply" in second


def test_a_saved_plan_is_shown_and_applied_exactly(two):
    assert two.run("plan", "-o", "plan.json").status == 0
    shown = two.run("show", "plan.json")
    assert shown.status == 0
    assert "0003_price" in shown.out
    first = two.run("apply", "plan.json", "--noinput")
    assert (first.status, two.names("default")) == (0, NEW)
    again = two.run("apply", "plan.json", "--noinput")
    assert again.status == 0
    assert "default  already applied, run " in again.out


def test_one_database_of_a_saved_plan(two):
    two.run("plan", "-o", "plan.json")
    assert two.run("apply", "plan.json", "-d", "second", "--noinput").status == 0
    assert two.names("default") == OLD
    assert two.names("second") == NEW[:2]


def test_show_a_run_by_its_number_and_by_its_beginning(shop):
    shop.rewrite().run("apply", "--noinput")
    by_number = shop.run("show", "1")
    run_id = shop.run("log", "--format", "json").json["databases"][0]["runs"][0]["id"]
    assert by_number.out == shop.run("show", run_id[:6]).out
    assert run_id in by_number.out
    assert "0004_merge" in by_number.out


def test_undo_names_a_run_and_can_itself_be_undone(shop):
    shop.rewrite().run("apply", "--noinput")
    after = shop.rows("default")
    assert shop.run("undo", "1", "--noinput").status == 0
    assert shop.names("default") == OLD
    assert shop.run("undo", "2", "--noinput").status == 0
    assert shop.rows("default") == after


def test_undo_is_refused_where_rows_have_changed_since(shop):
    shop.rewrite().run("apply", "--noinput")
    shop.execute("default", "UPDATE django_migrations SET name = '0002_other' WHERE id = 2")
    ended = shop.run("undo", "--noinput")
    assert ended.status == 1
    assert "0002_other" in ended.out
    assert shop.names("default") == ("0001_initial", "0002_other", "0003_sku")


def test_undo_without_runs_has_nothing_to_do(shop):
    ended = shop.run("undo", "--noinput")
    assert (ended.status, ended.out) == (0, "default  nothing to undo\n")


def test_scripts_are_written_and_do_what_apply_does(shop):
    before = shop.rewrite().rows("default")
    ended = shop.run("script", "--out", "sql")
    assert ended.status == 0
    assert ended.out.splitlines() == ["Written: sql/default.apply.sql", "Written: sql/default.undo.sql"]
    for name, expected in (("apply", NEW), ("undo", OLD)):
        text = (shop.root / "sql" / f"default.{name}.sql").read_text()
        subprocess.run(["sqlite3", "-bail", "default.sqlite3"], input=text, text=True, cwd=shop.root, check=True)
        assert shop.names("default") == expected
    assert shop.rows("default") == before


def test_a_script_names_the_rewrite_that_is_written_with_it(shop):
    """Its plan is the one that is made from the file of the rewrite, so either finds out that the other was applied."""
    folder = shop.root / "sql"
    assert shop.run("script", "--out", str(folder), *MAPPED).status == 0
    (rewrite,) = (shop.root / "migration_rewrites").glob("*.toml")
    head = (folder / "default.apply.sql").read_text().partition("\n\n")[0]
    assert f"--   {rewrite.name}    (" in head
    assert f"-- {rewrite.name}:" in head
    (plan,) = shop.run("plan", "--format", "json").json["plans"]
    assert f"apply plan {plan['id']}" in head


def test_scripts_are_not_overwritten_by_others(shop):
    shop.rewrite().run("script", "--out", "sql")
    (shop.root / "sql" / "default.undo.sql").write_text("-- mine\n")
    refused = shop.run("script", "--out", "sql")
    assert refused.status == 1
    assert "default.undo.sql" in refused.err
    assert (shop.root / "sql" / "default.undo.sql").read_text() == "-- mine\n"
    assert shop.run("script", "--out", "sql", "--force").status == 0
    assert shop.run("script", "--out", "sql").status == 0, "the same content is no conflict"


def test_sql_is_what_the_script_holds(shop):
    shop.rewrite().run("script", "--out", "sql")
    assert shop.run("plan", "--format", "sql").out == (shop.root / "sql" / "default.apply.sql").read_text()


def test_without_a_journal_there_is_no_undo(shop):
    assert shop.rewrite().run("apply", "--noinput", "--no-journal").status == 0
    assert shop.names("default") == NEW
    assert shop.execute("default", "SELECT name FROM sqlite_master WHERE name LIKE 'migsync%'") == []
    assert "nothing to undo" in shop.run("undo", "--noinput").out


def test_a_database_without_the_table_has_nothing_to_do(two):
    (two.root / "second.sqlite3").unlink()
    ended = two.run("plan")
    assert ended.status == 0
    assert "  second           fresh: " in ended.out
    assert not (two.root / "second.sqlite3").exists()


def test_url_alone_needs_no_settings(shop):
    shop.rewrite()
    (shop.root / "config.py").write_text("raise RuntimeError('no settings here')\n")
    ended = shop.run("plan", "--url", "sqlite:///default.sqlite3", "--check")
    assert ended.status == 2, ended.err


class TestJson:
    """One document on standard output, whatever happens."""

    def test_plan_is_a_plan_file_with_more_in_it(self, two):
        ended = two.run("plan", "--format", "json")
        assert ended.json["format_version"] == 1
        states = {database["alias"]: database["state"] for database in ended.json["databases"]}
        assert states == {"default": "changes", "second": "changes"}
        (two.root / "plan.json").write_text(ended.out)
        assert two.run("apply", "plan.json", "--noinput").status == 0
        assert two.names("default") == NEW

    def test_apply_and_undo_say_what_became_of_each_database(self, two):
        for command, names in (("apply", NEW), ("undo", OLD)):
            ended = two.run(command, "--noinput", "--format", "json")
            assert ended.status == ended.json["exit_status"] == 0
            assert [found["status"] for found in ended.json["databases"]] == ["applied", "applied"]
            assert all(len(found["run"]) == 32 for found in ended.json["databases"])
            assert two.names("default") == names

    @pytest.mark.parametrize("command", ["status", "log", "recover"])
    def test_others(self, two, command):
        two.run("apply", "--noinput")
        document = two.run(command, "--format", "json").json
        assert document["format_version"] == 1

    def test_show(self, two):
        two.run("apply", "--noinput", "-d", "default")
        (found,) = two.run("show", "1", "--format", "json").json["databases"]
        assert (found["alias"], found["run"]["in_force"], len(found["run"]["changes"])) == ("default", True, 3)

    def test_errors_are_objects_with_a_code(self, shop):
        ended = shop.run("plan", "-d", "nowhere", "--format", "json")
        assert (ended.status, ended.err) == (1, "")
        assert ended.json["error"]["code"] == "unknown-alias"
        assert set(ended.json["error"]) == {"code", "found", "meaning", "hint", "page"}

    def test_a_wrong_command_line_too(self, shop):
        ended = shop.run("plan", "--format", "json", "--bogus")
        assert (ended.status, ended.json["error"]["code"]) == (64, "usage")

    def test_no_question_is_asked(self, shop):
        shop.rewrite()
        ended = shop.at_terminal("apply", "--format", "json")
        assert ended.status == 1
        assert json.loads(ended.out)["error"]["code"] == "needs-consent"
        assert shop.names("default") == OLD


def test_module_and_command_are_the_same(shop):
    command = [sys.executable, "-c", "from migsync.__main__ import main; main()", "status"]
    ended = subprocess.run(command, cwd=shop.root, env=shop.environment(), capture_output=True, text=True, check=False)
    assert ended.stdout == shop.run("status").out
