"""``migsync init``: the files, and the tables at once, in each database, with the first look."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

import pytest

from migsync.project.root import Root
from migsync.project.setup_files import github_file, gitlab_file, hook_file
from migsync.sync import setup
from migsync.sync.journal.schema import VERSIONS, upgrade_journal
from migsync.sync.journal.tables import NEWEST
from migsync.sync.target import Target
from tests.cli.entries import Entry, Project, record
from tests.cli.test_grants import Limited
from tests.cli.test_looks import add, made, migrate, tables
from tests.databases import Database, user_of
from tests.sync.story import target_of
from tests.sync.test_journal import schema_of, writing
from tests.sync.test_look import known


def test_what_runs_is_noted_from_then_on(tmp_path: Path, database: Database) -> None:
    project = made(tmp_path, record(database))
    add(project, "0003_sku", "0002_price", 3)
    ended = project.run("init", "--noinput")
    assert (ended.status, ended.err) == (0, "")
    assert ended.out == "default  created the tables; noted what the migration files are.\n"
    assert tables(database) == [0, 1, 2, 0, 0, 0]
    assert project.run("init", "--noinput").out == "default  the tables are there already; nothing new to note.\n"
    migrate(project, database, 3, "0003_sku")
    found = project.run("init", "--noinput", "--format", "json").json
    assert found["databases"] == [{"alias": "default", "before": NEWEST, "version": NEWEST, "noted": True}]
    with target_of(database) as target:
        assert known(target) == [(3, "0003_sku", "seen")]
        assert target.runs() == ()


def test_an_older_journal_is_brought_up_to_date(tmp_path: Path, database: Database) -> None:
    project = made(tmp_path, record(database))
    with target_of(database) as target, writing(target) as connection:
        upgrade_journal(connection, schema_of(target), VERSIONS[:1])
    assert "brought the tables from version 0001 to " in project.run("init", "--noinput").out
    assert tables(database) == [0, 1, 2, 0, 0, 0]


def test_each_database_for_itself(tmp_path: Path, new_database) -> None:
    one, fresh = record(new_database("sqlite")), new_database("sqlite")
    fresh.execute("CREATE TABLE other (id int)")
    gone = f"sqlite:///{tmp_path}/no/where.sqlite3"
    project = Project.make(tmp_path, {"one": Entry(one.url), "new": Entry(fresh.url), "gone": Entry(gone)})
    ended = project.run("init", "--noinput")
    assert ended.status == 1
    assert "new  has no django_migrations yet." in ended.out
    assert "does not exist" in ended.err
    assert tables(one)[1] == 1
    assert project.run("init", "--noinput", "-d", "new").status == 0
    project.configure({"one": Entry(one.url)}, "journal = false")
    assert "journal is false" in project.run("init", "--noinput").err


@pytest.mark.parametrize("engine", ["postgresql", "mysql"])
def test_who_may_not_create_tables_is_told_what_to_do(
    new_database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys, engine: str
) -> None:
    database = new_database(engine)
    monkeypatch.chdir(tmp_path)
    with user_of(database) as (account, url):
        limited = Limited(tmp_path, database, account, url, capsys)
        limited.grant({"django_migrations": {"SELECT"}})
        assert "migsync script --journal-tables --out sql" in limited.run("init", "--noinput", status=1)
        limited.run("script", "--journal-tables", "--out", "sql")
        limited.run_sql(tmp_path / "sql" / "default.journal.sql")
        assert "the tables are there already; noted" in limited.run("init", "--noinput")
    assert tables(database)[1] == 1


def test_ctrl_c_leaves_what_is_done(tmp_path: Path, new_database, monkeypatch: pytest.MonkeyPatch) -> None:
    both = [record(new_database("sqlite")) for _ in range(2)]
    project = Project.make(tmp_path, {"a": Entry(both[0].url), "b": Entry(both[1].url)})
    make = setup.make_journal

    def interrupted(target: Target, *, lock_timeout: float) -> str:
        if target.alias == "b":
            raise KeyboardInterrupt
        return make(target, lock_timeout=lock_timeout)

    with monkeypatch.context() as patch:
        patch.setattr(setup, "make_journal", interrupted)
        ended = project.run("init", "--noinput")
    assert (ended.status, ended.out.count("created the tables")) == (5, 1)
    assert "What is listed above is done." in ended.err
    assert project.run("init", "--noinput").out.count("created the tables") == 1


def of_django(root: Path, text: str | None = None) -> Project:
    """A project with a manage.py, whose settings name a database of SQLite."""
    (root / "mysite").mkdir()
    (root / "mysite" / "__init__.py").touch()
    where = root / "db.sqlite3"
    where.touch()
    databases = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": str(where)}}
    settings = f"SECRET_KEY = 'x'\nINSTALLED_APPS = []\nDATABASES = {databases!r}\n"
    (root / "mysite" / "settings.py").write_text(settings)
    (root / "manage.py").write_text("import os\nos.environ.setdefault('DJANGO_SETTINGS_MODULE', 'mysite.settings')\n")
    if text is not None:
        (root / "pyproject.toml").write_bytes(text.encode())
    return Project(root)


@pytest.mark.parametrize("kept", [True, False])
def test_the_files_that_git_is_to_have_are_named(tmp_path: Path, kept: bool) -> None:
    project = of_django(tmp_path)
    if kept:
        subprocess.run(["git", "init", "--quiet"], cwd=tmp_path, check=True)
    command = ("init", "--noinput", "--pre-commit", "--ci", "github")
    told = project.run(*command).out
    added = [text.split(": ", 1)[1] for text in told.splitlines() if text.startswith("Add it to git: ")]
    assert len(added) == kept
    for each in added:
        subprocess.run(shlex.split(each), cwd=tmp_path, check=True)
        listed = subprocess.run(["git", "ls-files"], cwd=tmp_path, check=True, capture_output=True, text=True).stdout
        assert listed.split() == [".github/workflows/migrations.yml", ".pre-commit-config.yaml", "pyproject.toml"]
    assert "Add it to git" not in project.run(*command).out


TABLE = '[tool.migsync]\nsettings = "mysite.settings"\nrewrites = "migration_rewrites"\n'


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (None, TABLE),
        ("", TABLE),
        ('# mine\n[project]\nname = "x"', f'# mine\n[project]\nname = "x"\n\n{TABLE}'),
        ("[tool.ruff]\n\n# the end\n", f"[tool.ruff]\n\n# the end\n\n{TABLE}"),
        ("[project]\r\n", "[project]\r\n\r\n" + TABLE.replace("\n", "\r\n")),
        ("[tool.migsync]\n", None),
    ],
)
def test_pyproject_keeps_its_bytes_and_gets_the_table(tmp_path: Path, before: str | None, after: str | None) -> None:
    project = of_django(tmp_path, before)
    file = tmp_path / "pyproject.toml"
    ended = project.run("init", "--dry-run")
    assert (ended.status, file.exists()) == (0, before is not None)
    told = project.run("init", "--noinput").out
    assert file.read_bytes().decode() == (before if after is None else after)
    assert ("Wrote " in told) == (after is not None)
    assert "Wrote " not in project.run("init", "--noinput").out


@pytest.mark.parametrize(
    ("before", "found"),
    [
        ("tool = {ruff = {}}\n", "gives `tool` a value in one line"),
        ("tool = 5\n", "gives `tool` a value in one line"),
        ("[tool\n", "is not valid TOML"),
        ("\ufeff[project]\n", "begins with a byte order mark"),
    ],
)
def test_a_pyproject_that_cannot_get_the_table_is_refused(tmp_path: Path, before: str, found: str) -> None:
    ended = of_django(tmp_path, before).run("init", "--noinput", "--pre-commit")
    assert (ended.status, ended.out) == (1, "")
    assert found in ended.err
    assert (tmp_path / "pyproject.toml").read_bytes().decode() == before
    assert not (tmp_path / ".pre-commit-config.yaml").exists()


def test_the_hook_and_the_jobs_are_written_once_and_nothing_is_overwritten(tmp_path: Path) -> None:
    below = tmp_path / "my site"
    below.mkdir()
    (tmp_path / ".git").mkdir()
    project = of_django(below, "[tool.migsync]\n")
    hook, github, gitlab = (
        tmp_path / name for name in (".pre-commit-config.yaml", ".github/workflows/migrations.yml", ".gitlab-ci.yml")
    )
    assert "cannot ask for confirmation" in project.run("init", "--pre-commit").err
    assert not hook.exists()
    found = project.run("init", "--noinput", "--pre-commit", "--ci", "github", "--format", "json").json
    assert [each["state"] for each in found["files"]] == ["complete", "new", "new"]
    command = "migsync check --root 'my site'"
    assert f'        entry: "{command}"\n' in hook.read_text()
    assert f'      - run: "{command} --format github"\n' in github.read_text()
    found = project.run("init", "--noinput", "--pre-commit", "--ci", "github", "--format", "json").json
    assert {each["state"] for each in found["files"]} == {"complete"}
    for path, option in ((hook, ("--pre-commit",)), (gitlab, ("--ci", "gitlab"))):
        path.write_text("# mine\n")
        assert f"{path} is there, and migsync does not change it." in project.run("init", "--noinput", *option).out
        assert path.read_text() == "# mine\n"


def test_init_does_not_write_through_links(tmp_path: Path) -> None:
    root, elsewhere = tmp_path / "root", tmp_path / "elsewhere"
    root.mkdir()
    elsewhere.mkdir()
    project = of_django(root)
    (root / ".github").symlink_to(elsewhere)
    assert "leads elsewhere" in project.run("init", "--noinput", "--ci", "github").err
    (elsewhere / "pyproject.toml").write_text("# theirs\n")
    (root / "pyproject.toml").symlink_to(elsewhere / "pyproject.toml")
    assert "leads elsewhere" in project.run("init", "--noinput").err
    assert [path.read_text() for path in elsewhere.iterdir()] == ["# theirs\n"]


@pytest.mark.pure
def test_the_jobs_of_the_documentation_are_those_that_are_written(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "how-to" / "ci.md").read_text()
    for file in (github_file(Root(tmp_path)), gitlab_file(Root(tmp_path)), hook_file(Root(tmp_path))):
        assert f"```yaml\n{file.text}```\n" in page
