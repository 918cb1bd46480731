"""The demo's story, step by step."""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from migsync.demo.files import COLLAPSED, MERGE, write_project
from migsync.demo.stage import Rows, Stage, keep_in_git

RENAME = "shop.0002_item_stock=0003_item_stock"
COLLAPSE = f"shop.{COLLAPSED}=0004_item_sku+0005_alter_item_sku"
NOTHING_PLANNED = "No planned migration operations."
DATABASES = ("default", "staging")


def play(stage: Stage) -> None:
    """Tell the whole story; raises DemoFailed where a command does not do what is said of it."""
    in_git = _begin(stage)
    _tidy(stage)
    before = _records(stage)
    _sync(stage)
    _undo_and_back(stage, before)
    _taste(stage, in_git)
    _end(stage)


def _begin(stage: Stage) -> bool:
    """True where the project is in git."""
    write_project(stage.root)
    in_git = keep_in_git(stage.root)
    stage.say(
        f"A small Django project in {stage.root}{', in git' if in_git else ''}, with two apps and two databases.\n"
        "The database default is fully migrated, and staging is behind."
    )
    stage.run("python manage.py migrate", seen=["shop.0005_alter_item_sku... OK"])
    stage.run("python manage.py migrate --database staging shop 0003", seen=[f"shop.{MERGE}... OK"])
    return in_git


def _tidy(stage: Stage) -> None:
    stage.say("Somebody tidies the migrations of shop by hand: renumbers one, removes a merge and unites two.")
    stage.run("python tidy_by_hand.py")
    stage.say("Now Django takes the renamed migrations for new ones. It would add columns that exist already:")
    stage.run("python manage.py migrate --plan", seen=["shop.0003_item_stock", f"shop.{COLLAPSED}"])
    stage.run("python manage.py migrate --plan --database staging", seen=["shop.0003_item_stock"])


def _sync(stage: Stage) -> None:
    stage.say("State once which name became which. migsync writes it to a file, to be committed with the migrations:")
    stage.run(
        f"migsync rewrite --map {RENAME} --collapse {COLLAPSE} --remove shop.{MERGE}", seen=["migration_rewrites/"]
    )
    stage.say("See what must change in each database:")
    stage.run("migsync plan", seen=["0003_item_stock", COLLAPSED, *DATABASES])
    stage.say("Change it, in one transaction for each database. Every timestamp is kept:")
    stage.run("migsync apply --noinput", seen=DATABASES)
    stage.say("Now Django agrees: default needs nothing, and staging only what it lacked before:")
    stage.run("python manage.py migrate --plan", seen=[NOTHING_PLANNED])
    stage.run(
        "python manage.py migrate --plan --database staging",
        seen=[f"shop.{COLLAPSED}", "orders.0001_initial", "orders.0002_order_note"],
        unseen=["shop.0003_item_stock"],
    )


def _undo_and_back(stage: Stage, before: dict[str, Rows]) -> None:
    synced = _records(stage)
    stage.say("Undo it exactly:")
    stage.run("migsync undo --noinput", seen=DATABASES)
    stage.require(_records(stage) == before, "undo did not restore the same rows")
    stage.say("Apply it again. The journal of each database keeps every run:")
    stage.run("migsync apply --noinput", seen=DATABASES)
    stage.require(_records(stage) == synced, "the second apply left other rows than the first")
    stage.run("migsync log", seen=["apply", "undo"])


def _records(stage: Stage) -> dict[str, Rows]:
    return {database: stage.records(database) for database in DATABASES}


def _taste(stage: Stage, in_git: bool) -> None:
    if in_git:
        stage.say("In CI, check finds a change of names without its rewrite. It needs no database:")
        stage.run("migsync check", seen=["has its rewrite"])
    stage.say("doctor looks for all that could go wrong, and says what to type:")
    stage.run("migsync doctor", seen=["2 databases read"])
    stage.say("migsync also changes files itself, and proves each change first. These ranges could be squashed:")
    stage.run("migsync squash --suggest", seen=["migsync squash shop"])


def _end(stage: Stage) -> None:
    stage.say("The project stays here. Try more commands:")
    commands = (
        *_activation(),
        f"cd {shlex.quote(str(stage.root))}",
        "migsync status",
        "python manage.py migrate --database staging",
        "mv orders/migrations/0002_order_note.py orders/migrations/0002_add_note.py",
        "migsync plan",
        "migsync apply",
        "migsync undo",
    )
    stage.show("\n" + "".join(f"  {command}\n" for command in commands))


def _activation() -> Iterator[str]:
    """What makes `migsync` and `python` mean this environment, where they do not yet."""
    programs = Path(sys.executable).parent
    found = shutil.which("migsync")
    activate = programs / "activate"
    if (found is None or Path(found).parent != programs) and activate.exists():
        yield f". {shlex.quote(str(activate))}"
