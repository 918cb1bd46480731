"""A ``makemigrations`` of the project's own that sees fewer changes than Django's: pretix and pretalx have one."""

from __future__ import annotations

import pytest

from tests.pitfalls.project import Project
from tests.project.projects import write
from tests.refactor.remake.projects import check, make, migration, names
from tests.refactor.remake.test_remake import CREATE_ITEM, ONE

WITHOUT_VERBOSE_NAMES = """\
from django.core.management.commands.makemigrations import Command as Parent
from django.db import models


class Command(Parent):
    def handle(self, *args, **options):
        {first}deconstruct = models.Field.deconstruct

        def shorter(field):
            name, path, arguments, options = deconstruct(field)
            options.pop("verbose_name", None)
            return name, path, arguments, options

        models.Field.deconstruct = shorter
        return super().handle(*args, **options)
"""
NAMED = ONE.replace("max_length=9", 'max_length=9, verbose_name="a name of its own"')
PRICED = 'migrations.AddField("Item", "price", models.IntegerField(null=True, verbose_name="of those days"))'


@pytest.fixture
def project(tmp_path, new_database) -> Project:
    (tmp_path / "project").mkdir()
    found = Project(tmp_path / "project", {alias: new_database("sqlite") for alias in ("default", "fresh")})
    files = {"0001_initial": migration(CREATE_ITEM), "0002_price": migration(PRICED, "shop.0001_initial")}
    own_command(found)
    return make(found, {"shop": NAMED}, {"shop": files})


def own_command(project: Project, first: str = "") -> None:
    place = "shop/management/commands"
    text = WITHOUT_VERBOSE_NAMES.format(first=first)
    write(project.root, {"shop/management/__init__.py": "", f"{place}/__init__.py": "", "shop/__init__.py": ""})
    write(project.root, {f"{place}/makemigrations.py": text})


def test_what_it_does_not_see_is_no_change_and_texts_stay_as_they_were(project):
    project.migrate("default")
    ended = project.migsync("remake", "--update-db", "--yes")
    assert ended.status == 0, ended.out + ended.err
    assert "without a migration" not in ended.out
    assert names(project, "shop") == ["0001_remade"]
    assert "verbose_name='of those days'" in (project.migrations("shop") / "0001_remade.py").read_text()
    check(project)


def test_what_it_sees_is_one_still(project):
    (project.root / "shop/models.py").write_text(
        (project.root / "shop/models.py").read_text().replace("max_length=9", "max_length=10")
    )
    ended = project.migsync("remake", "--dry-run")
    assert ended.status == 1
    assert "The models of shop have changes that no migration has: Alter field name on item." in ended.out


def test_one_that_refuses_leaves_it_to_django(project):
    own_command(project, first="raise SystemExit('not here')\n        ")
    ended = project.migsync("remake", "--dry-run")
    assert ended.status == 1
    assert "Alter field name on item and Alter field price on item." in ended.out
