"""An entry that stands for a database, or a file, for each tenant."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.cli.entries import NEW, OLD, Ended, Entry, Project, names, record
from tests.databases import Database, MySQLDatabase, PostgreSQLDatabase, SQLiteDatabase

# Each needs quoting in SQL, and escapes in a URL.
ODD = 'be/ta"%50 #?'


def file_of(root: Path, name: str) -> SQLiteDatabase:
    return SQLiteDatabase(root / f"tenants/{name}.sqlite3")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "tenants").mkdir()
    for name in ("acme", "be'ta%"):
        record(file_of(tmp_path, name))
    return Project.make(tmp_path, {"t": Entry("sqlite:///tenants/{tenant}.sqlite3", tenants="auto")})


def said(ended: Ended) -> str:
    return ended.out + ended.err


def aliases(ended: Ended) -> list[str]:
    return [found["alias"] for found in ended.json["databases"]]


def test_files_by_a_pattern(project: Project) -> None:
    assert "t: 2 targets  SQLite  needs 1 change" in project.run("plan").out
    assert project.run("apply", "-d", "t:b*", "--noinput").status == 0
    assert [names(file_of(project.root, name)) for name in ("acme", "be'ta%")] == [OLD, NEW]
    assert project.run("apply", "-d", "t", "--noinput", "--jobs", "2").status == 0
    assert project.run("undo", "-d", "t:acme", "--noinput").status == 0
    assert [names(file_of(project.root, name)) for name in ("acme", "be'ta%")] == [OLD, NEW]
    ended = project.run("plan", "-d", "t:acmee")
    assert (ended.status, "The database 't' has no tenant 'acmee'." in said(ended)) == (1, True)


def test_a_tenant_that_came_after_the_plan_is_named(project: Project) -> None:
    plan = str(project.root / "plan.json")
    assert project.run("plan", "-d", "t:a*", "-o", plan).status == 0
    for name in ("alba", "zoo"):
        record(file_of(project.root, name))
    ended = project.run("apply", plan, "--noinput")
    assert "1 target of t has no plan in the file: alba." in ended.out
    assert [names(file_of(project.root, name)) for name in ("acme", "alba")] == [NEW, OLD]


def test_a_tenant_without_a_file_hinders_no_other(project: Project) -> None:
    url = "sqlite:///tenants/{tenant}.sqlite3"
    project.configure({"t": Entry(url, tenants=["acme", "gone", "../t"])})
    ended = project.run("apply", "--noinput")
    assert ended.status == 5
    assert "t:gone: there is no file" in said(ended)
    assert "t:../t: '../t' is not the name of a file." in said(ended)
    assert names(file_of(project.root, "acme")) == NEW
    assert not (project.root / "tenants/gone.sqlite3").exists()


def test_the_command_that_migrates_a_tenant_is_the_projects_own(project: Project) -> None:
    record(file_of(project.root, "half"), ("0003_price",))
    told = "`migrate shop 0001_initial` in the database of t:half, as your project does\n"
    assert told in project.run("plan", "-d", "t:half").out
    configured = project.root / "pyproject.toml"
    configured.write_text(configured.read_text() + 'migrate = "TENANT={tenant} ./manage.py migrate {arguments}"\n')
    assert ": TENANT=half ./manage.py migrate shop 0001_initial\n" in project.run("plan", "-d", "t:half").out


@pytest.mark.parametrize(
    ("tenants", "found"),
    [
        ("SELECT 'acme', 'b'", "returns 2 columns."),
        ("SELECT NULL", "returns a value that is not a name"),
        ("SELECT 'acme' UNION ALL SELECT 'acme'", "returns acme more than once."),
        ("SELECT 'acme' WHERE 1 = 0", "returns no tenant."),
        ("SELECT nothing", "failed: "),
        ("z*", "no tenant matches 'z*'."),
    ],
)
def test_names_that_cannot_be_used(project: Project, tenants: str, found: str) -> None:
    main = record(SQLiteDatabase(project.root / "main.sqlite3"))
    entry = Entry("sqlite:///tenants/{tenant}.sqlite3", tenants=tenants, alias="main")
    project.configure({"main": Entry(main.url), "t": entry})
    ended = project.run("apply", "--noinput")
    assert (ended.status, names(main)) == (5, NEW)  # the others go on
    assert f"Error: t: {found}" in said(ended) or f"in [tool.migsync.databases.t] {found}" in said(ended)


@pytest.mark.parametrize(
    ("entry", "found"),
    [
        (Entry("postgresql://u:secret@host/app", tenants="*"), "its URL has no {tenant} in its host, its user or"),
        (Entry("postgresql://u:secret{tenant}@host/app", tenants="*"), "its URL has no {tenant} in its host, its user"),
        (Entry("postgresql://u:secret@host/{tenant}"), "has {tenant} in it, but the entry has no tenants."),
        (Entry("mysql://u:secret@{tenant}/app", tenants="a*"), "a pattern finds databases by their names"),
        (Entry("mysql://u:secret@h/{tenant}", tenants="SELECT 1"), "runs in the database 'default', which does not"),
    ],
)
def test_a_url_that_is_no_template(project: Project, entry: Entry, found: str) -> None:
    project.configure({"t": entry})
    ended = project.run("plan")
    assert (ended.status, found in said(ended)) == (1, True), said(ended)
    assert "secret" not in said(ended)


@pytest.fixture(params=["postgresql", "mysql"])
def servers(request: pytest.FixtureRequest) -> Iterator[tuple[Database, list[Database]]]:
    """A database, and those of two tenants on its server, whose names begin with its own."""
    own: Database = request.getfixturevalue(f"{request.param}_database")
    assert isinstance(own, PostgreSQLDatabase | MySQLDatabase)
    quote = '"' if own.engine == "postgresql" else "`"
    made = [replace(own, name=f"{own.name}_{tenant}") for tenant in ("acme", ODD)]
    quoted = [quote + each.name.replace(quote, quote * 2) + quote for each in made]
    try:
        for each, name in zip(made, quoted, strict=True):
            own.execute(f"CREATE DATABASE {name}")
            record(each)
        yield own, list(made)
    finally:
        for name in quoted:
            own.execute(f"DROP DATABASE IF EXISTS {name}")


def test_databases_by_a_pattern_a_list_and_a_query(tmp_path: Path, servers: tuple[Database, list[Database]]) -> None:
    own, made = servers
    name = own.name  # type: ignore[attr-defined] # every engine here has one
    template = re.sub(re.escape(name), name + "_{tenant}", own.url, count=1)
    project = Project.make(tmp_path, {"t": Entry(template, tenants="*")})
    expected = ["t:acme", f"t:{ODD}"]
    assert aliases(project.run("status", "--format", "json")) == expected
    assert project.run("apply", "--noinput", "--jobs", "2").status == 0
    assert [names(each) for each in made] == [NEW, NEW]
    project.configure({"t": Entry(template, tenants=["acme", "gone"])})
    ended = project.run("undo", "-d", "t", "--noinput")
    assert (ended.status, "t:gone cannot be reached" in said(ended)) == (5, True), said(ended)
    assert [names(each) for each in made] == [OLD, NEW]
    query = f"SELECT 'acme' UNION SELECT '{ODD}' ORDER BY 1"
    project.configure({"own": Entry(own.url), "t": Entry(template, tenants=query, alias="own")})
    assert sorted(aliases(project.run("status", "--format", "json"))) == ["own", *expected]
