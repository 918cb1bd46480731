"""Situations in which `migrate`, or the application, fails: what doctor says is typed until all are content.

`migrate` each time, and `migsync verify` at the end.

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
STATEMENT = re.compile(r"^ *((?:DROP|ALTER|CREATE) .*;)$")
COMMAND = re.compile(r"(?:^ *|: |Next: +)((?:python manage\.py|migsync) .*)$")
PLACEHOLDER = re.compile(r"OLD|NAME")
LINK = '("item", models.ForeignKey("{0}.Item", models.CASCADE))'
DAMAGES: dict[str, Callable[[Project, Database, str], str]] = {}


def situation(damage: Callable[[Project, Database, str], str]) -> Callable[[Project, Database, str], str]:
    """A function that damages an app; it returns an error, or nothing where `migrate` prints one."""
    DAMAGES[damage.__name__] = damage
    return damage


def forget(database: Database, app: str, *names: str) -> None:
    for name in names:
        database.execute("DELETE FROM django_migrations WHERE app = ? AND name = ?", (app, name))


def record(database: Database, app: str, name: str) -> None:
    insert = "INSERT INTO django_migrations (app, name, applied) VALUES (?, ?, '2026-01-01 10:00:00')"
    database.execute(insert, (app, name))


def write_index(project: Project, app: str) -> None:
    index = f'models.Index(fields=["name"], name="{app}_x")'
    with_operation(project, app, "0004_index", "0003_order", f'migrations.AddIndex("order", {index})')


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
    write_index(project, app)
    database.execute(f"CREATE INDEX {app}_x ON {app}_order (name)")
    return ""


@situation
def lost_link(project: Project, database: Database, app: str) -> str:
    field = f'models.ManyToManyField("{app}.Item")'
    with_operation(project, app, "0004_link", "0003_order", f'migrations.AddField("order", "items", {field})')
    links = ", ".join(
        f'{name}_id bigint NOT NULL REFERENCES "{app}_{name}" ("id") DEFERRABLE INITIALLY DEFERRED'
        for name in ("order", "item")
    )
    database.execute(f"CREATE TABLE {app}_order_items (id integer NOT NULL PRIMARY KEY AUTOINCREMENT, {links})")
    database.execute(f"CREATE UNIQUE INDEX {app}_0123abcd_uniq ON {app}_order_items (order_id, item_id)")
    for name in ("order", "item"):
        database.execute(f"CREATE INDEX {app}_{name}_id_0123abcd ON {app}_order_items ({name}_id)")
    return ""


@situation
def renamed(project: Project, database: Database, app: str) -> str:
    project.rename(app, {"0003_order": "0003_orders"})
    assert run(["rewrite", "--map", f"{app}.0003_order=0003_orders"]) == 0
    return ""


@situation
def lost_column(project: Project, database: Database, app: str) -> str:
    field = "models.IntegerField(null=True)"
    with_operation(project, app, "0004_size", "0003_order", f'migrations.AddField("order", "size", {field})')
    database.execute(f"ALTER TABLE {app}_order ADD COLUMN size integer")
    return ""


@situation
def lost_index_removal(project: Project, database: Database, app: str) -> str:
    write_index(project, app)
    record(database, app, "0004_index")
    with_operation(project, app, "0005_none", "0004_index", f'migrations.RemoveIndex("order", "{app}_x")')
    return ""


@situation
def faked_index(project: Project, database: Database, app: str) -> str:
    write_index(project, app)
    record(database, app, "0004_index")
    return f"no such index: {app}_x"


@situation
def ran_in_part(project: Project, database: Database, app: str) -> str:
    """What MySQL and MariaDB keep of a migration that failed."""
    create = f'migrations.CreateModel("Bill", [("id", models.BigAutoField(primary_key=True)), {LINK.format(app)}])'
    with_operation(project, app, "0004_bill", "0003_order", f'{create}, migrations.RemoveField("item", "price")')
    database.execute(f"CREATE TABLE {app}_bill (id integer)")
    return ""


@situation
def made_twice(project: Project, database: Database, app: str) -> str:
    create = 'migrations.CreateModel("Order", [("id", models.BigAutoField(primary_key=True))])'
    with_operation(project, app, "0004_again", "0003_order", create)
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


def history_with_a_gap(project: Project) -> None:
    forget(project.databases["default"], "lost_table", "0002_price")


def two_leaves(project: Project) -> None:
    project.write_files("lost_table", [File("0003_other", ("add Item.other",), (("lost_table", "0002_price"),))])


def wrong_dependency(project: Project) -> None:
    project.write_files("cart", [File("0001_initial", ("create Cart",), (("lost_table", "0003_ordre"),))])


OF_THE_WHOLE = {
    history_with_a_gap: "InconsistentMigrationHistory",
    two_leaves: "Conflicting migrations",
    wrong_dependency: "NodeNotFoundError",
}
"""What stops `migrate` for every app, and what it prints."""


def test_what_doctor_prints_mends_each_situation(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    database = project.databases["default"]
    project.manage_all(["migrate"])
    given = {app: damage(project, database, app) for app, damage in DAMAGES.items()}
    errors = _errors(project, given)
    assert set(errors) == set(DAMAGES), "a situation in which nothing fails"
    for _ in range(ROUNDS):
        _type_all(project, errors, capsys)
        errors = _errors(project, {})
        if not errors:
            break
    assert not errors
    for damage, error in OF_THE_WHOLE.items():
        damage(project)
        [failed] = project.manage_all(["migrate"])
        assert failed.status
        assert error in failed.out + failed.err
        _type_all(project, {"lost_table": failed.out + failed.err}, capsys, ["migrate"])
    forget(database, "behind", "0003_order")
    database.execute("DROP TABLE behind_order")
    _type_all(project, {"behind": "You have 1 unapplied migration(s). Your project may not work properly"}, capsys)
    for app in DAMAGES:
        gone = {"ran_in_part": ["price"]}.get(app, [])
        more = {"lost_table": ["other"]}.get(app, [])
        wanted = [name for name in ("id", "name", "price", *more) if name not in gone]
        assert columns(database, f"{app}_item") == wanted, app
    assert run(["doctor"]) == 0, capsys.readouterr().out
    assert run(["verify", "--settings", "config.settings"]) == 0, capsys.readouterr().out
    assert len(DAMAGES) + len(OF_THE_WHOLE) + 1 == 20


def _errors(project: Project, given: dict[str, str]) -> dict[str, str]:
    """What `migrate` prints for each app that is not content, and what was given for others."""
    apps = [app for app in DAMAGES if not given.get(app)]
    ended = zip(apps, project.manage_all(*(["migrate", app] for app in apps)), strict=True)
    return {app: text for app, text in given.items() if text} | {
        app: each.out + each.err for app, each in ended if each.status
    }


def _type_all(project: Project, errors: dict[str, str], capsys: pytest.CaptureFixture[str], *more: list[str]) -> None:
    """Type what doctor says of each error: those of manage.py, and `more`, in one process.

    `migsync repair` is for the whole database: it comes last, and once.
    """
    told = {app: _told(text, capsys) for app, text in errors.items()}
    repaired = [app for app in told if "migsync repair" in told[app]]
    apps = [*(app for app in told if app not in repaired), *repaired[:1]]
    typed = [*(words for app in apps for words in _typed(project, app, told[app], capsys)), *more]
    for ended, words in zip(project.manage_all(*typed), typed, strict=True):
        assert ended.status == 0, (words, ended.err)


def _told(text: str, capsys: pytest.CaptureFixture[str]) -> str:
    """What doctor says of an error; of several ways, the first one."""
    capsys.readouterr()
    assert run(["doctor", "--error", text]) in (0, 1)
    return re.split(r"^ +Or ", capsys.readouterr().out, flags=re.MULTILINE)[0]


def _typed(project: Project, app: str, ways: str, capsys: pytest.CaptureFixture[str]) -> Iterator[list[str]]:
    """The commands of `manage.py migrate` in the text; statements, edits and commands of migsync are done here."""
    done = _edit(project, ways)
    for line in ways.splitlines():
        if statement := STATEMENT.search(line):
            project.databases["default"].execute(statement[1])
        elif (command := COMMAND.search(line)) and not PLACEHOLDER.search(command[1]):
            program, *words = shlex.split(command[1])
            if program == "migsync":
                _run(words, capsys)
            elif words[1:2] == ["migrate"]:
                yield words[1:]
        else:
            continue
        done = True
    assert done, (app, ways)


def _run(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """One command of migsync; after `plan`, the `apply` that it prints."""
    confirmed = [*words, "--noinput"] if words[0] in ("apply", "fix-conflicts", "repair") else words
    if words[0] in ("fix-conflicts", "repair"):
        confirmed += ["--settings", "config.settings"]
    if "--record" in words and words[0] == "apply":  # on a terminal it asks for it
        confirmed += ["--reason", "its table is there"]
    status = run(confirmed)
    out, err = capsys.readouterr()
    assert status == 0, (words, out, err)
    if words[0] == "plan" and (following := re.search(r"migsync (apply .*)$", out, re.MULTILINE)):
        _run(shlex.split(following[1]), capsys)


def _edit(project: Project, told: str) -> bool:
    """Edit a file as a person is told to."""
    if found := re.search(r"take the operation out of (\w+)\.(\w+)\.", told):
        path = project.migrations(found[1]) / f"{found[2]}.py"
        path.write_text(re.sub(r"operations = \[.*\]", "operations = []", path.read_text()))
    elif found := re.search(
        r"Error: (\S+\.py): .* depends on \w+\.(\w+), .*Did you mean \w+\.(\w+)\?", told, re.DOTALL
    ):
        path = project.root / found[1]
        path.write_text(path.read_text().replace(found[2], found[3]))
    return bool(found)
