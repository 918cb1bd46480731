"""Situations in which `migrate`, or the application, fails: what doctor says is typed until `migrate` is content.

Each app of one project is in a situation of its own. Django's commands run in few processes, and doctor in this one.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from migsync.cli.program import run
from tests.databases import Database
from tests.pitfalls.project import File, Project, columns

ROUNDS = 4
DAMAGES: dict[str, Callable[[Project, Database, str], str]] = {}


def situation(damage: Callable[[Project, Database, str], str]) -> Callable[[Project, Database, str], str]:
    """A function that damages an app; it returns an error, or nothing where `migrate` prints one."""
    DAMAGES[damage.__name__] = damage
    return damage


def forget(database: Database, app: str, *names: str) -> None:
    for name in names:
        database.execute("DELETE FROM django_migrations WHERE app = ? AND name = ?", (app, name))


def with_operation(project: Project, app: str, name: str, after: str, operation: str) -> None:
    text = File(name, (), ((app, after),)).text.replace("operations = []", f"operations = [{operation}]")
    (project.migrations(app) / f"{name}.py").write_text(text)


@situation
def lost_table(project: Project, database: Database, app: str) -> str:
    forget(database, app, "0003_order")
    return ""


@situation
def lost_several(project: Project, database: Database, app: str) -> str:
    forget(database, app, "0002_price", "0003_order")
    return ""


@situation
def lost_all_of_an_app(project: Project, database: Database, app: str) -> str:
    forget(database, app, "0001_initial", "0002_price", "0003_order")
    return ""


@situation
def faked_table(project: Project, database: Database, app: str) -> str:
    database.execute(f"DROP TABLE {app}_order")
    return f"no such table: {app}_order"


@situation
def faked_column(project: Project, database: Database, app: str) -> str:
    forget(database, app, "0003_order")
    database.execute(f"DROP TABLE {app}_order")
    database.execute(f"ALTER TABLE {app}_item DROP COLUMN price")
    return f"no such column: {app}_item.price"


@situation
def behind(project: Project, database: Database, app: str) -> str:
    forget(database, app, "0003_order")
    database.execute(f"DROP TABLE {app}_order")
    return f"no such table: {app}_order"


@situation
def lost_rename(project: Project, database: Database, app: str) -> str:
    with_operation(project, app, "0004_rename", "0003_order", 'migrations.RenameModel("Order", "Bill")')
    database.execute(f"ALTER TABLE {app}_order RENAME TO {app}_bill")
    return ""


@situation
def lost_removal(project: Project, database: Database, app: str) -> str:
    with_operation(project, app, "0004_delete", "0003_order", 'migrations.DeleteModel("Order")')
    database.execute(f"DROP TABLE {app}_order")
    return ""


@situation
def lost_index(project: Project, database: Database, app: str) -> str:
    index = f'models.Index(fields=["name"], name="{app}_x")'
    with_operation(project, app, "0004_index", "0003_order", f'migrations.AddIndex("order", {index})')
    database.execute(f"CREATE INDEX {app}_x ON {app}_order (name)")
    return ""


@situation
def lost_link(project: Project, database: Database, app: str) -> str:
    field = f'models.ManyToManyField("{app}.Item")'
    with_operation(project, app, "0004_link", "0003_order", f'migrations.AddField("order", "items", {field})')
    database.execute(f"CREATE TABLE {app}_order_items (id integer, order_id bigint, item_id bigint)")
    return ""


@situation
def renamed(project: Project, database: Database, app: str) -> str:
    project.rename(app, {"0003_order": "0003_orders"})
    assert run(["rewrite", "--map", f"{app}.0003_order=0003_orders"]) == 0
    return ""


@pytest.fixture
def project(
    new_database: Callable[[str], Database], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Project]:
    database = new_database("sqlite")
    project = Project(tmp_path / "project", {"default": database})
    project.root.mkdir()
    for app in DAMAGES:
        project.write_files(
            app,
            (
                File("0001_initial", ("create Item",)),
                File("0002_price", ("add Item.price",), ((app, "0001_initial"),)),
                File("0003_order", ("create Order",), ((app, "0002_price"),)),
            ),
        )
    listed = "\n".join(f'{app} = "{app}/migrations"' for app in DAMAGES)
    # Without manage.py and settings migsync reads the files alone, and starts no process.
    (project.root / "manage.py").unlink()
    (project.root / "pyproject.toml").write_text(
        f'[tool.migsync.databases.default]\nurl = "{database.url}"\n[tool.migsync.apps]\n{listed}\n'
    )
    monkeypatch.chdir(project.root)
    monkeypatch.setenv("MIGSYNC_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("DJANGO_SETTINGS_MODULE", raising=False)
    yield project


def test_what_doctor_prints_mends_each_situation(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    database = project.databases["default"]
    project.manage_all(["migrate"])
    given = {app: damage(project, database, app) for app, damage in DAMAGES.items()}
    errors = _errors(project, given)
    assert set(errors) == set(DAMAGES), "a situation in which nothing fails"
    for _ in range(ROUNDS):
        typed = [words for app, text in errors.items() for words in _told(app, text, capsys)]
        for ended, words in zip(project.manage_all(*typed), typed, strict=True):
            assert ended.status == 0, (words, ended.err)
        errors = _errors(project, {})
        if not errors:
            break
    assert not errors
    forget(database, "behind", "0003_order")
    database.execute("DROP TABLE behind_order")
    typed = list(_told("behind", "You have 1 unapplied migration(s). Your project may not work properly", capsys))
    assert [ended.status for ended in project.manage_all(*typed)] == [0]
    for app in DAMAGES:
        assert columns(database, f"{app}_item") == ["id", "name", "price"]
    assert run(["doctor"]) == 0, capsys.readouterr().out


def _errors(project: Project, given: dict[str, str]) -> dict[str, str]:
    """What `migrate` prints for each app that is not content, and what was given for others."""
    apps = [app for app in DAMAGES if not given.get(app)]
    ended = zip(apps, project.manage_all(*(["migrate", app] for app in apps)), strict=True)
    return {app: text for app, text in given.items() if text} | {
        app: each.out + each.err for app, each in ended if each.status
    }


def _told(app: str, text: str, capsys: pytest.CaptureFixture[str]) -> Iterator[list[str]]:
    """The commands of manage.py that doctor prints; those of migsync are run here."""
    capsys.readouterr()
    assert run(["doctor", "--error", text]) in (0, 1)
    told = capsys.readouterr().out
    commands = re.findall(r"(?:^|: |Next: +)((?:python manage\.py|migsync) .*)$", told, re.MULTILINE)
    assert commands, (app, text[-300:], told)
    for command in commands:
        program, *words = shlex.split(command)
        if program == "migsync":
            assert run([*words, "--noinput"] if words[0] == "apply" else words) in (0, 2), (app, told)
        elif words[1] == "migrate":
            yield words[1:]
