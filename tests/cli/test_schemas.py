"""Schemas of a PostgreSQL database that hold records and that no entry of the project names."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.cli.entries import FILE, NEW, OLD, Ended, Entry, Project, record
from tests.databases import Database, django_databases
from tests.engines.test_targets import user_of
from tests.profiles import examples
from tests.project.projects import django_project


def add_schemas(database: Database, names: Iterable[str]) -> None:
    """Give each of these schemas a django_migrations with the old names."""
    rows = ", ".join(f"({id_}, 'shop', '{name}', '2026-03-01')" for id_, name in enumerate(OLD, 1))
    for name in names:
        quoted = '"' + name.replace('"', '""') + '"'
        table = f"{quoted}.django_migrations"
        database.execute(f"CREATE SCHEMA {quoted}")
        database.execute(f"CREATE TABLE {table} (LIKE public.django_migrations INCLUDING ALL)")
        database.execute(f"INSERT INTO {table} VALUES {rows}")


def unnamed(ended: Ended) -> list[dict[str, str]]:
    return [finding for finding in ended.json["findings"] if finding["code"] == "unnamed-schemas"]


@pytest.fixture
def database(postgresql_database: Database) -> Database:
    return record(postgresql_database)


@pytest.fixture
def project(tmp_path: Path, database: Database) -> Project:
    return Project.make(tmp_path, {"default": Entry(database.url)})


def test_plan_status_and_apply_warn_and_end_as_they_did(project: Project, database: Database) -> None:
    add_schemas(database, [f"tenant_{number}" for number in range(7)])
    for command in (("plan",), ("status",), ("apply", "--dry-run"), ("apply", "--noinput"), ("plan", "--check")):
        ended = project.run(*command)
        assert ended.status == 0, ended
        said = " ".join(ended.out.split())
        assert (
            "Warning: The database of default has a table django_migrations in 7 schemas that no entry names: "
            "tenant_0, tenant_1, tenant_2, tenant_3, tenant_4 and 2 more." in said
        )


def test_what_the_hint_says_to_type_works(project: Project, database: Database) -> None:
    add_schemas(database, ['odd "one"'])
    [finding] = unnamed(project.run("plan", "--format", "json"))
    typed = [line.strip() for line in finding["hint"].splitlines() if line.startswith("  ")]
    assert [line.partition(" ")[0] for line in typed] == [
        '[tool.migsync.databases."odd',
        "alias",
        "schema",
        "ignore-schemas",
    ]
    pyproject = project.root / "pyproject.toml"
    before = pyproject.read_text()
    pyproject.write_text(before.replace("[tool.migsync]", f"[tool.migsync]\n{typed[3]}", 1))
    assert unnamed(project.run("plan", "--format", "json")) == []
    pyproject.write_text("\n".join((before, *typed[:3])))
    ended = project.run("apply", "--noinput", "--format", "json")
    assert [found["alias"] for found in ended.json["databases"]] == ["default", 'odd "one"']
    assert unnamed(project.run("plan", "--format", "json")) == []
    assert database.execute('SELECT name FROM "odd ""one""".django_migrations ORDER BY id') == [(name,) for name in NEW]


def test_a_fresh_schema_does_not_hide_the_others(tmp_path: Path, postgresql_database: Database) -> None:
    record(postgresql_database)
    add_schemas(postgresql_database, ["tenant"])
    postgresql_database.execute("DROP TABLE public.django_migrations")
    project = Project.make(tmp_path, {"default": Entry(postgresql_database.url)})
    ended = project.run("plan", "--format", "json")
    assert ended.status == 0
    assert "tenant" in unnamed(ended)[0]["found"]


def test_what_does_not_count(project: Project, database: Database) -> None:
    add_schemas(database, ["archive", "old_a", "old_b"])
    database.execute("CREATE SCHEMA views")
    database.execute("CREATE VIEW views.django_migrations AS SELECT * FROM public.django_migrations")
    project.configure({"default": Entry(database.url)}, 'ignore-schemas = ["archive", "old_*"]')
    with database.connect() as connection:
        connection.execute("CREATE TEMP TABLE django_migrations (id integer)")
        connection.commit()
        assert unnamed(project.run("plan", "--format", "json")) == []


def test_a_schema_that_the_role_may_not_use_counts(project: Project, database: Database) -> None:
    add_schemas(database, ["hidden"])
    with user_of(database) as (user, url):
        database.execute(f"GRANT SELECT ON public.django_migrations TO {user}")
        project.configure({"default": Entry(url)})
        ended = project.run("plan", "--format", "json")
    assert ended.status == 0, ended
    assert "hidden" in unnamed(ended)[0]["found"]


def test_an_entry_that_is_not_asked_for_names_its_schema_too(project: Project, database: Database) -> None:
    """By its `schema`, or by the schema that its connection leads to."""
    add_schemas(database, ["one", "two", "three"])
    by_path = sa.make_url(database.url).update_query_dict({"options": "-csearch_path=two"})
    project.configure(
        {
            "default": Entry(database.url),
            "one": Entry(database.url, "one"),
            "two": Entry(by_path.render_as_string(hide_password=False)),
        }
    )
    for arguments in ((), ("-d", "default"), ("-d", "two")):
        [finding] = unnamed(project.run("plan", "--format", "json", *arguments))
        assert "in a schema that no entry names: three." in finding["found"]


def test_the_schemas_are_listed_once_a_database(project: Project, database: Database) -> None:
    count = examples(20, 10_000)
    database.execute(
        f"""DO $$ BEGIN FOR number IN 1..{count} LOOP
        EXECUTE format('CREATE SCHEMA t%s', number);
        EXECUTE format('CREATE TABLE t%s.django_migrations (LIKE public.django_migrations)', number);
        IF number % 1000 = 0 THEN COMMIT; END IF;
        END LOOP; END $$"""
    )
    project.configure({f"t{number}": Entry(database.url, f"t{number}") for number in range(1, 6)})
    seen: list[str] = []

    def listen(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if "relkind IN" in statement and "nspname, 3" in statement:
            seen.append(statement)

    sa.event.listen(sa.Engine, "before_cursor_execute", listen)
    try:
        ended = project.run("plan", "--format", "json")
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", listen)
    assert f"in {count - 4} schemas" in unnamed(ended)[0]["found"]
    assert len(seen) == 1


def test_databases_beside_one_on_mariadb_are_of_other_projects(
    tmp_path: Path, new_database: Callable[[str], Database]
) -> None:
    one, _ = record(new_database("mysql")), record(new_database("mysql"))
    ended = Project.make(tmp_path, {"default": Entry(one.url)}).run("plan", "--format", "json")
    assert (ended.status, ended.json["findings"]) == (0, [])


def test_a_command_that_changes_files_refuses_until_they_are_named_or_left_out(
    tmp_path: Path, postgresql_database: Database
) -> None:
    record(postgresql_database)
    add_schemas(postgresql_database, ["tenant"])
    settings = f"INSTALLED_APPS = ['shop']\nUSE_TZ = True\n{django_databases({'default': postgresql_database})}"
    files = {"shop/__init__.py": "", "shop/migrations/__init__.py": ""}
    files |= {
        f"shop/migrations/{name}.py": FILE.format(above=f'("shop", "{OLD[0]}")' if number else "", number=number)
        for number, name in enumerate(OLD)
    }
    project = Project(django_project(tmp_path, settings, files))
    command = ("renumber", "--allow-applied", "--dry-run")
    ended = project.run(*command)
    said = ended.out + ended.err
    assert ended.status == 1, ended
    assert re.search(r"^Error: The database of default has a table django_migrations in a schema", said, re.MULTILINE)
    assert "ignore-schemas" in said
    project.configure({}, 'ignore-schemas = ["tenant"]')
    assert project.run(*command).status == 0
    (tmp_path / "pyproject.toml").write_text('[tool.migsync.databases.tenant]\nalias = "default"\nschema = "tenant"\n')
    ended = project.run(*command)
    assert ended.status == 0, ended
    assert re.search(r"^(Databases)? +tenant: ", ended.out, re.MULTILINE)


def test_an_alias_that_does_not_exist_is_reported(project: Project, database: Database) -> None:
    text = "[tool.migsync.databases.a]\nalias = 'b'\nschema = 'x'\n[tool.migsync.databases.b]\nalias = 'a'\n"
    (project.root / "pyproject.toml").write_text(text)
    ended = project.run("plan")
    assert ended.status == 1
    assert "takes its connection from the alias 'b', which does not exist" in ended.out
