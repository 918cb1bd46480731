"""Promise 7: ``migrate --plan`` shows what it would have shown had the history never been rewritten, on every alias."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.conftest import NewDatabase
from tests.databases import Database
from tests.pitfalls.project import Dump, Project, columns
from tests.pitfalls.story import files_of
from tests.profiles import IN_CI

OLD_SHOP = """
0001_initial: create Item
0002_price: add Item.price
0003_price: alter Item.price 12
0003_size: after 0002_price; add Item.size
0004_merge: after 0003_price 0003_size
0005_colour: add Item.colour
0006_colour: alter Item.colour 7
0007_weight: add Item.weight
"""
OLD_BLOG = """
0001_initial: create Post
0003_a: after 0001_initial shop.0003_size; create Tag
0004_a: add Tag.size
0005_a: after 0004_a shop.0007_weight; add Post.size
"""
# A branch moves behind the other, a merge goes, two become one under the name of one of them, the rest moves up.
NEW_SHOP = """
0001_initial: create Item
0002_price: add Item.price
0003_price: alter Item.price 12
0004_size: add Item.size
0005_colour: add Item.colour; alter Item.colour 7
0006_weight: add Item.weight
"""
# Every name but the first is used again for the migration after it.
NEW_BLOG = """
0001_initial: create Post
0002_a: after 0001_initial shop.0004_size; create Tag
0003_a: add Tag.size
0004_a: after 0003_a shop.0006_weight; add Post.size
"""
BECAME = {
    "shop.0003_size": "shop.0004_size",
    "shop.0004_merge": None,
    "shop.0006_colour": "shop.0005_colour",
    "shop.0007_weight": "shop.0006_weight",
    "blog.0003_a": "blog.0002_a",
    "blog.0004_a": "blog.0003_a",
    "blog.0005_a": "blog.0004_a",
}
STATED = (
    "--map shop.0003_size=0004_size --remove shop.0004_merge --collapse shop.0005_colour=0005_colour+0006_colour "
    "--map shop.0007_weight=0006_weight --map blog.0003_a=0002_a --map blog.0004_a=0003_a --map blog.0005_a=0004_a"
)

# How far each database is: arguments of `migrate`, one after the other; None is a database without any table.
POINTS: dict[str, tuple[str, ...] | None] = {
    "fresh": None,
    "emptied": ("shop 0001", "shop zero"),
    "begun": ("shop 0001",),
    "one_app": ("blog 0001",),
    "before_the_fork": ("shop 0002",),
    "one_branch": ("shop 0003_price",),
    "both_branches": ("shop 0003_price", "shop 0003_size"),
    "merged": ("shop 0004",),
    "other_app_ahead": ("shop 0004", "blog 0003"),
    "reused_names": ("shop 0004", "blog 0004"),
    "collapsed": ("shop 0006",),
    "nearly": ("shop 0007", "blog 0004"),
    "all": ("",),
}
ON_SERVERS = ("fresh", "one_branch", "reused_names", "collapsed", "all")


@pytest.fixture
def databases(new_database: NewDatabase) -> dict[str, Database]:
    """Databases at every point on SQLite, and at some on the servers; without MariaDB, outside of CI, on one."""
    servers = ["postgresql"] + ["mysql"] * (IN_CI or "MIGSYNC_TEST_MARIADB" in os.environ)
    made = {point: new_database("sqlite") for point in POINTS}
    made |= {f"{point}_{server}": new_database(server) for server in servers for point in ON_SERVERS}
    return {"default": new_database("sqlite"), **made}


def point(alias: str) -> tuple[str, ...]:
    """The arguments of `migrate` that bring the database where it is."""
    return POINTS.get(re.sub("_(postgresql|mysql)$", "", alias)) or ()


def test_migrate_plan_is_what_it_would_have_been(tmp_path: Path, databases: dict[str, Database]) -> None:
    project = Project(tmp_path / "project", databases)
    write(project, OLD_SHOP, OLD_BLOG)
    migrate(project, [(alias, upto) for alias in databases for upto in point(alias)])
    for alias in databases:
        if point(alias):
            project.age(alias)
    rows, planned = project.dumps(), plans(project)
    assert planned["all"] == planned["all_postgresql"] == ([], [])
    assert planned["fresh"] == planned["default"] != planned["begun"]

    write(project, NEW_SHOP, NEW_BLOG)
    assert project.migsync("rewrite", *STATED.split()).status == 0
    applied = project.migsync("apply", "--noinput")
    assert applied.status == 0, applied.out + applied.err
    after = plans(project)
    for alias in databases:
        assert after[alias] == translated(planned[alias]), alias
    assert timestamps_kept(rows, project.dumps())

    assert project.migsync("undo", "--noinput").status == 0
    assert project.dumps() == rows
    assert project.migsync("apply", "--noinput").status == 0
    assert plans(project) == after

    migrate(project, [(alias, "") for alias in databases])
    tables = {alias: schema(database) for alias, database in databases.items()}
    assert tables["default"]["blog_tag"] == {"id", "name", "size"}
    for alias in databases:
        assert tables[alias] == tables["default"], alias
    assert project.migsync("plan", "--check").status == 0


def write(project: Project, shop: str, blog: str) -> None:
    """Replace all files of both apps."""
    for app, text in (("shop", shop), ("blog", blog)):
        if app in project.apps:
            for path in project.migrations(app).glob("0*.py"):
                path.unlink()
        project.write_files(app, files_of(app, text.split("\n")))


def migrate(project: Project, wanted: list[tuple[str, str]]) -> None:
    """Run ``migrate ARGUMENTS --database ALIAS`` for all of them."""
    commands = [["migrate", *upto.split(), "--database", alias, "--verbosity", "0"] for alias, upto in wanted]
    for ended in project.manage_all(*commands):
        assert ended.status == 0, ended.err


def plans(project: Project) -> dict[str, tuple[list[str], list[str]]]:
    """What ``migrate --plan`` shows for each database: the migrations, and what they would do."""
    commands = [["migrate", "--plan", "--database", alias] for alias in project.databases]
    found = {}
    for alias, ended in zip(project.databases, project.manage_all(*commands), strict=True):
        assert ended.status == 0, f"{alias}: {ended.err}"
        lines = ended.out.splitlines()
        done = sorted(line.strip() for line in lines if line.startswith("    "))
        found[alias] = (sorted(line for line in lines if re.fullmatch(r"\w+\.\w+", line)), done)
    return found


def translated(planned: tuple[list[str], list[str]]) -> tuple[list[str], list[str]]:
    """The same plan under the new names. What the migrations do stays, line by line."""
    keys = {BECAME.get(key, key) for key in planned[0]}
    return sorted(key for key in keys if key), planned[1]


def timestamps_kept(before: Mapping[str, Dump], after: Mapping[str, Dump]) -> bool:
    """Every row that is left has its id and its time."""
    old = {(alias, row[0]): row[3] for alias, rows in before.items() for row in rows}
    return all(old[alias, row[0]] == row[3] for alias, rows in after.items() for row in rows)


def schema(database: Database) -> dict[str, set[str]]:
    """The columns of each app's tables."""
    return {table: set(columns(database, table)) for table in ("shop_item", "blog_post", "blog_tag")}
