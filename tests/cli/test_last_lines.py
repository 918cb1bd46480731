"""How a command ends: what it says last is true in this state, and can be typed."""

from __future__ import annotations

import re
import shlex

import pytest

from migsync.shard import Shard

SHARDS = [Shard(number, 3) for number in (1, 2, 3)]
EMPTY = next(shard for shard in SHARDS if not (shard.holds("default") or shard.holds("second")))
LATER = """from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("shop", "0003_sku")]
    operations = [migrations.RunSQL("SELECT 1")]
"""


@pytest.fixture
def gap(two):
    """The project up to date, with a gap in the numbers of what both databases have applied."""
    assert two.run("apply", "--noinput").status == 0
    (two.root / "shop/migrations/0007_later.py").write_text(LATER)
    for alias, names in (("default", ["0007_later"]), ("second", ["0003_sku", "0007_later"])):
        for name in names:
            sql = "INSERT INTO django_migrations (app, name, applied) VALUES ('shop', ?, '2026-04-01 10:00:00')"
            two.execute(alias, sql, [name])
    return two


def test_a_plan_that_was_applied_before_is_not_shown_as_work_and_nothing_is_to_undo(two):
    assert two.run("plan", "-o", "plan.json").status == 0
    assert "To undo this: migsync undo" in two.run("apply", "plan.json", "--noinput").out
    again = two.run("apply", "plan.json", "--noinput")
    assert again.status == 0
    assert again.out.count("already applied") == 2
    assert "needs" not in again.out
    assert "To undo this" not in again.out


@pytest.mark.parametrize("command", [("apply", "--noinput"), ("plan",), ("status",), ("undo", "--dry-run")])
def test_an_empty_shard_is_said(two, command):
    ended = two.run(*command, "--shard", str(EMPTY))
    assert (ended.status, ended.out.startswith(f"No database is in the shard {EMPTY}.")) == (0, True)


def test_a_saved_plan_without_a_database_of_the_shard_says_so(two):
    assert two.run("plan", "-o", "plan.json").status == 0
    ended = two.run("apply", "plan.json", "--noinput", "--shard", str(EMPTY))
    assert (ended.status, ended.out) == (0, f"No database of the plan is in the shard {EMPTY}.\n\nNothing to do.\n")


def test_a_dry_run_without_consent_is_no_error_and_says_once_how_to_consent(gap):
    ended = gap.run("renumber", "--dry-run")
    said = ended.out + ended.err
    assert ended.status == 0, said
    assert "Error:" not in said
    assert said.count("[applied-names]") == 1
    assert "the same in 1 other target: second" in said
    assert "--allow-applied" in said
    refused = gap.run("renumber", "--noinput")
    assert refused.status == 1
    assert (refused.out + refused.err).count("[applied-names]") == 1


def test_what_is_printed_for_a_url_names_the_url(gap):
    url = f"sqlite:///{gap.root}/default.sqlite3"
    changed = gap.run("renumber", "--update-db", "--noinput", "--force", "--url", url)
    assert changed.status == 0, changed.out + changed.err
    (undo,) = re.findall(r"To undo this: migsync (.*)$", changed.out, re.MULTILINE)
    assert shlex.split(undo) == ["undo", "--files", "--url", url]
    assert "For every other database, with the new files: migsync apply\n" in changed.out
    assert gap.run(*shlex.split(undo), "--noinput").status == 0
    suggested = gap.run("squash", "--suggest", "--url", url).out
    commands = re.findall(r"migsync squash shop .*?(?=  saves|$)", suggested, re.MULTILINE)
    assert commands
    assert all(url in shlex.split(command) for command in commands)
