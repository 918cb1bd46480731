"""Branches that make the same thing in part (case 69): what is offered; databases that ran either come right."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from migsync.findings.overlap import cannot_run
from migsync.history import Key, build_history, parse_migration
from migsync.refactor.overlap import with_overlap
from tests.databases import Database
from tests.pitfalls.project import File, Project, columns
from tests.project.projects import write
from tests.proof.projects import add_field, migration

PRICE, SIZE, LATE = (
    add_field("item", name, f"IntegerField(default={default})")
    for name, default in (("price", 0), ("size", 0), ("price", 7))
)
ID = "('id', models.AutoField(primary_key=True))"
SMALL, WIDE, LONG = (
    f"migrations.CreateModel('Item', [{ID}, ('name', models.CharField(max_length={size})){more}])"
    for size, more in ((9, ""), (9, ", ('sku', models.IntegerField())"), (12, ""))
)
INDEX, OTHER = (f"migrations.AddIndex('item', models.Index(fields=['{name}'], name='i'))" for name in ("a", "b"))
FIELD, MODEL = ["field", "shop", "item", "price"], ["model", "shop", "item"]


@pytest.mark.pure
@pytest.mark.parametrize(
    ("earlier", "later", "part", "edit", "recorded"),
    [
        ([PRICE], [SIZE, PRICE], FIELD, "the file of shop.b, take operation 2 out", "shop.a"),
        ([SIZE, PRICE], [PRICE], FIELD, "the file of shop.a, take operation 2 out", "shop.b"),
        ([PRICE], [LATE], FIELD, "make operation 1 an AlterField of price, with the same arguments", "shop.a"),
        ([PRICE, SIZE], [PRICE, INDEX], FIELD, "Put operation 1 of shop.a into a new migration", "APP.NAME"),
        ([SMALL], [WIDE], MODEL, "put AddField for sku, and AlterField for fields that differ", "shop.a"),
        ([WIDE], [SMALL], MODEL, "the file of shop.a, put AddField for sku", "shop.b"),
        ([SMALL], [LONG], MODEL, "put AlterField for fields that differ in the place of operation 1", "shop.a"),
        ([INDEX], [OTHER], ["index", "shop", "item", "i"], "put RemoveIndex of i in front of operation 1", "shop.a"),
    ],
)
def test_which_file_to_edit_and_how(
    earlier: list[str], later: list[str], part: list[str], edit: str, recorded: str
) -> None:
    files = {Key("shop", "a"): migration(*earlier), Key("shop", "b"): migration(*later)}
    history = build_history(parse_migration(text.encode(), key, f"/p/{key.name}.py") for key, text in files.items())
    number = next(place for place, each in enumerate(later, 1) if each != SIZE)
    new = Key("shop", "0003_b")
    finding = cannot_run(migration=new, operation=number, action="adds", part=part, other=Key("shop", "a"))
    hint = with_overlap(finding, history, {Key("shop", "b"): new}).hint
    assert edit in hint
    assert f"--record {recorded} -d ALIAS" in hint
    assert not finding.hint


def test_databases_that_ran_either_come_right(tmp_path: Path, new_database: Callable[[str], Database]) -> None:
    """Different options for one field, and models with different fields; what is printed is done as it says."""
    project = Project(tmp_path / "project", {alias: new_database("sqlite") for alias in ("default", "other", "none")})
    project.write_files("shop", [File("0001_initial", ("create Thing",))])
    place = project.migrations("shop")
    first = {"0002_a": migration(SMALL, after=[("shop", "0001_initial")])}
    first["0003_a"] = migration(PRICE, after=[("shop", "0002_a")])
    second = {"0002_b": migration(WIDE, after=[("shop", "0001_initial")])}
    second["0003_b"] = migration(LATE, after=[("shop", "0002_b")])
    for alias, files in (("default", first), ("other", second)):
        for path in place.glob("000[23]*"):
            path.unlink()
        write(place, {f"{name}.py": text for name, text in files.items()})
        project.migrate(alias)
    write(place, {f"{name}.py": text for name, text in first.items()})
    text = " ".join(project.migsync("fix-conflicts", "--allow-applied", "--dry-run").out.split())
    assert "let shop.0002_b depend on shop.0002_a" in text
    assert "put AddField for sku" in text
    sku = "migrations.AddField('item', 'sku', models.IntegerField(null=True))"
    alter = LATE.replace("AddField", "AlterField")
    write(place, {"0002_b.py": migration(sku.replace("null=True", "default=0"), after=[("shop", "0002_a")])})
    write(place, {"0003_b.py": migration(alter, after=[("shop", "0002_b"), ("shop", "0003_a")])})
    words = [word for name in first for word in ("--record", f"shop.{name}")]
    assert project.migsync("apply", "--reason", "T", *words, "-d", "other", "--noinput").status == 0
    ended = project.manage_all(*(["migrate", "--database", alias] for alias in project.databases))
    assert [each.status for each in ended] == [0, 0, 0]
    found = [sorted(columns(database, "shop_item")) for database in project.databases.values()]
    assert found == [["id", "name", "price", "sku"]] * 3
