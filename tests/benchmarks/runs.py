"""``migsync plan`` and ``migsync log`` where the journal has many runs, beside the same commands without a journal."""

from __future__ import annotations

from pathlib import Path

from migsync.engines.config import DatabaseConfig
from migsync.sync.apply import apply_plan
from migsync.sync.plan import Change
from migsync.sync.target import open_target
from tests.benchmarks.applying import APPLIED, name, renamed
from tests.benchmarks.measuring import measure, ratio, table
from tests.benchmarks.planning import MIGSYNC, Command
from tests.databases import SQLiteDatabase
from tests.sync.story import plan_of


def make(directory: Path, renames: int, runs: int) -> Path:
    """A project with one app, whose rows went there and back so many times."""
    root = directory / f"runs{runs}"
    (root / "shop" / "migrations").mkdir(parents=True)
    database = SQLiteDatabase(root / "db.sqlite3")
    (root / "pyproject.toml").write_text(
        f'[tool.migsync.databases.default]\nurl = "{database.url}"\n[tool.migsync.apps]\nshop = "shop/migrations"\n'
    )
    (root / "shop" / "migrations" / "__init__.py").touch()
    for number in range(1, renames + 1):
        above = f'("shop", "{name(number - 1)}")' if number > 1 else ""
        (root / "shop" / "migrations" / f"{name(number)}.py").write_text(
            "from django.db import migrations\n\n\nclass Migration(migrations.Migration):\n\n"
            f"    dependencies = [{above}]\n\n    operations = []\n"
        )
    database.create_table()
    database.insert([(number, "shop", name(number), APPLIED) for number in range(1, renames + 1)])
    with open_target(DatabaseConfig("default", database.url)) as target:
        for number in range(runs):
            records = target.read() or ()
            changes = [
                Change(row, renamed(row) if number % 2 == 0 else row._replace(name=name(int(row.name[:5]) - 1)), "test")
                for row in records
            ]
            apply_plan(target, plan_of(target.ref, records, changes))
    return root


def report(directory: Path, times: int, *, renames: int = 1000, runs: int = 200) -> str:
    """Each command with and without a journal."""
    counts = {"no run": 0, f"{runs} runs of {renames:,} renames": runs}
    roots = {what: make(directory, renames, count) for what, count in counts.items()}
    environment = {"MIGSYNC_CACHE": str(directory / "cache")}
    commands = [
        Command(f"`migsync {command}`, {what}", [*MIGSYNC, command], root, environment=environment)
        for command in ("plan", "log")
        for what, root in roots.items()
    ]
    measure(commands, 1)
    figures = measure(commands, times)
    rows = []
    for start in range(0, len(commands), 2):
        without, found = (figures[command.name] for command in commands[start : start + 2])
        rows += [
            [each.name, f"{each.wall:.2f} s", f"{each.work:.2f} s", ratio(each.work / without.work)]
            for each in (without, found)
        ]
    return table(["", "by the clock", "work", "ratio of work"], rows)
