"""An entry that stands for many schemas: its members, and the groups in which they are shown."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from tests.cli.entries import NEW, OLD, Ended, Entry, Project, record
from tests.cli.test_schemas import add_schemas
from tests.databases import Database
from tests.engines.test_targets import user_of

QUERY = "SELECT nspname FROM pg_namespace WHERE nspname LIKE 't%' AND nspname <> 't%' ORDER BY nspname"


@pytest.fixture
def database(postgresql_database: Database) -> Database:
    record(postgresql_database)
    add_schemas(postgresql_database, ["t1", "t2", "t3", 'it\'s "odd" 50%'])
    return postgresql_database


@pytest.fixture
def project(tmp_path: Path, database: Database) -> Project:
    return Project.make(tmp_path, {"tenants": Entry(database.url, schemas=QUERY)})


def aliases(ended: Ended) -> list[str]:
    return [found["alias"] for found in ended.json["databases"]]


def names_in(database: Database, schema: str) -> tuple[str, ...]:
    quoted = '"' + schema.replace('"', '""') + '"'
    return tuple(name for (name,) in database.execute(f"SELECT name FROM {quoted}.django_migrations ORDER BY id"))


@pytest.mark.parametrize(
    ("schemas", "found"),
    [
        (QUERY, ["t1", "t2", "t3"]),
        (["t2", "t1"], ["t2", "t1"]),
        ("t?", ["t1", "t2", "t3"]),
        (["t3", "t*"], ["t3", "t1", "t2"]),
        ("auto", ['it\'s "odd" 50%', "public", "t1", "t2", "t3"]),
    ],
)
def test_a_query_a_list_a_pattern_and_auto(
    project: Project, database: Database, schemas: str | list[str], found: list[str]
) -> None:
    project.configure({"tenants": Entry(database.url, schemas=schemas)})
    assert aliases(project.run("status", "--format", "json")) == [f"tenants:{name}" for name in found]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (["tenants:t2"], ["t2"]),
        (["tenants:t[13]", "tenants:t3"], ["t1", "t3"]),
        (["tenants"], ["t1", "t2", "t3"]),
        (["tenants:t1", "tenants"], ["t1", "t2", "t3"]),
    ],
)
def test_members_are_asked_for_by_name_and_by_pattern(project: Project, asked: list[str], found: list[str]) -> None:
    ended = project.run("plan", "--format", "json", *(word for alias in asked for word in ("-d", alias)))
    assert aliases(ended) == [f"tenants:{name}" for name in found]


def test_a_member_that_is_not_there(project: Project) -> None:
    ended = project.run("plan", "-d", "tenants:t9")
    assert ended.status == 1
    assert "The database 'tenants' has no schema 't9'." in ended.err


def test_members_with_the_same_plan_are_one_group(project: Project, database: Database) -> None:
    database.execute("DELETE FROM t2.django_migrations WHERE name = '0001_initial'")
    ended = project.run("plan")
    assert "2 databases need 2 changes; 1 database is blocked." in ended.out
    assert "tenants: 2 targets" in ended.out
    assert ended.out.count("the same in 1 other target: t3") == 1
    groups = project.run("plan", "--format", "json").json["groups"]
    assert [(group["name"], group["targets"]) for group in groups] == [
        ("tenants: 2 targets", ["tenants:t1", "tenants:t3"]),
        ("tenants:t2", ["tenants:t2"]),
    ]
    rows = [line.split("  ")[0] for line in project.run("status").out.splitlines()]
    assert rows[1:3] == ["tenants: 2 targets", "tenants:t2"]


def test_apply_again_is_resuming_and_undo_takes_all_back(project: Project, database: Database) -> None:
    database.execute("DELETE FROM t2.django_migrations WHERE name = '0001_initial'")
    ended = project.run("apply", "--noinput")
    assert ended.status == 5, ended
    assert "migsync apply --database tenants:t2" in ended.err
    database.execute("INSERT INTO t2.django_migrations VALUES (1, 'shop', '0001_initial', '2026-03-01')")
    ended = project.run("apply", "--noinput", "--format", "json")
    assert [each["alias"] for each in ended.json["databases"]] == ["tenants:t2"]
    assert {names_in(database, name) for name in ("t1", "t2", "t3")} == {NEW}
    assert project.run("undo", "--noinput").status == 0
    assert {names_in(database, name) for name in ("t1", "t2", "t3")} == {OLD}


def test_undo_resumed_takes_back_no_older_run(project: Project, database: Database) -> None:
    for name in ("0002_price", "0002_cost"):
        assert project.run("apply", "--noinput", "--jobs", "2").status == 0
        if name == "0002_price":
            (project.root / "shop/migrations/0002_price.py").rename(project.root / "shop/migrations/0002_cost.py")
            assert project.run("rewrite", "--map", "shop.0002_price=0002_cost").status == 0
    add_schemas(database, ["t4", "t5"])
    ended = project.run("apply", "--noinput")
    assert names_in(database, "t4") == ("0001_initial", "0002_cost")
    hint = ended.out.strip().splitlines()[-1].partition("migsync ")[2].split()
    assert project.run(*hint, "--noinput").status == 0
    # The other schemas, whose last run is older, are as they were.
    assert {names_in(database, name) for name in ("t4", "t5")} == {OLD}
    assert {names_in(database, name) for name in ("t1", "t2", "t3")} == {("0001_initial", "0002_cost")}
    failing(database, "t2")
    ended = project.run("undo", "--noinput", "--canary", "0", "--jobs", "2")
    assert ended.status == 5
    database.execute("DROP TRIGGER refuse ON t2.django_migrations")
    [again] = [line for line in ended.err.splitlines() if "then run: " in line]
    assert project.run(*again.partition("migsync ")[2].split(), "--noinput").status == 0
    assert {names_in(database, name) for name in ("t1", "t2", "t3")} == {NEW}


def test_what_came_and_went_since_a_plan_was_saved_is_named(project: Project, database: Database) -> None:
    file = str(project.root / "plan.json")
    assert project.run("plan", "-o", file).status == 0
    add_schemas(database, ["t4"])
    database.execute("DROP SCHEMA t2 CASCADE")
    ended = project.run("apply", file, "--noinput", "-d", "tenants")
    assert ended.status == 0, ended
    assert "1 target of tenants has no plan in the file: t4." in ended.out
    assert "1 target of tenants is gone: t2." in ended.out
    assert names_in(database, "t1") == names_in(database, "t3") == NEW
    assert names_in(database, "t4") == OLD
    # Asked for one of them, the others do not matter.
    assert "t4" not in project.run("apply", file, "--dry-run", "-d", "tenants:t1").out


def test_commands_that_change_files_say_by_groups_what_follows(project: Project, database: Database) -> None:
    (project.root / "shop/migrations/0002_price.py").rename(project.root / "shop/migrations/0004_price.py")
    assert project.run("rewrite", "--map", "shop.0002_price=0004_price").status == 0
    ended = project.run("renumber", "--dry-run")
    assert "tenants (3 targets): needs" in ended.out
    assert ended.out.count("[applied-names]") == 1
    assert "the same in 2 other targets: t2, t3" in ended.out
    document = project.run("renumber", "--dry-run", "--format", "json").json
    assert [each["alias"] for each in document["databases"]] == ["tenants:t1", "tenants:t2", "tenants:t3"]
    assert [each["targets"] for each in document["groups"]] == [["tenants:t1", "tenants:t2", "tenants:t3"]]


def test_log_and_show_by_groups(project: Project, database: Database) -> None:
    assert project.run("apply", "--noinput", "-d", "tenants:t[12]").status == 0
    ended = project.run("log")
    assert [line for line in ended.out.splitlines() if line.startswith("tenants:")] == [
        "tenants:t1  PostgreSQL  1 run",
        "tenants:t3  PostgreSQL  no runs",
    ]
    assert "the same in 1 other target: t2" in ended.out
    assert [each["targets"] for each in project.run("log", "--format", "json").json["groups"]] == [
        ["tenants:t1", "tenants:t2"],
        ["tenants:t3"],
    ]
    ended = project.run("show", "shop.0002_price")
    assert "the same in 1 other target: t2" in ended.out


def test_shards_have_each_schema_once(project: Project, database: Database) -> None:
    shares = [aliases(project.run("plan", "--shard", f"{number}/3", "--format", "json")) for number in (1, 2, 3)]
    assert sorted(alias for share in shares for alias in share) == ["tenants:t1", "tenants:t2", "tenants:t3"]
    file = str(project.root / "plan.json")
    assert project.run("plan", "-o", file).status == 0
    for number, share in enumerate(shares, 1):
        ended = project.run("apply", file, "--noinput", "--shard", f"{number}/3", "--format", "json")
        assert ended.status == 0, ended
        assert aliases(ended) == share
    assert {names_in(database, name) for name in ("t1", "t2", "t3")} == {NEW}
    # Where a shard has nothing, nothing is done, and that is no error.
    empty = next(
        number
        for number in range(1, 99)
        if not aliases(project.run("status", "--shard", f"{number}/99", "--format", "json"))
    )
    assert project.run("undo", "--noinput", "--shard", f"{empty}/99").status == 0
    assert {names_in(database, name) for name in ("t1", "t2", "t3")} == {NEW}


def test_a_schema_that_is_gone_does_not_stop_the_others(project: Project, database: Database) -> None:
    project.configure({"tenants": Entry(database.url, schemas=["t1", "gone", "t3"])})
    ended = project.run("apply", "--noinput")
    assert ended.status == 5, ended
    assert "the database has no schema 'gone'" in ended.out + ended.err
    assert names_in(database, "t1") == names_in(database, "t3") == NEW


@pytest.mark.parametrize(
    ("schemas", "said"),
    [
        ("SELECT nspname FROM pg_namespace WHERE false", "returns no schema"),
        ("SELECT 't1', 't2'", "returns 2 columns"),
        ("SELECT NULL::text", "returns a value that is not a name"),
        ("SELECT 1", "returns a value that is not a name"),
        ("SELECT 't1' UNION ALL SELECT 't1'", "returns t1 more than once"),
        ("SELECT nonsense", 'column "nonsense" does not exist'),
        ("WITH gone AS (DELETE FROM t1.django_migrations RETURNING 't1'::text) SELECT * FROM gone", "read-only"),
        ("none_*", "no schema with a django_migrations matches 'none_*'"),
    ],
)
def test_what_is_wrong_with_an_entry_is_one_error(
    project: Project, database: Database, schemas: str, said: str
) -> None:
    project.configure({"tenants": Entry(database.url, schemas=schemas), "one": Entry(database.url, "t3")})
    ended = project.run("plan", "--format", "json")
    assert ended.status == 1
    errors = [found for found in ended.json["databases"] if found["state"] == "error"]
    assert [found["alias"] for found in errors] == ["tenants"]
    assert said in errors[0]["error"]["found"], errors
    assert aliases(ended) == ["one", "tenants"]


def test_a_role_that_may_not_read_one_schema(project: Project, database: Database) -> None:
    with user_of(database) as (user, url):
        database.execute(f"GRANT USAGE ON SCHEMA t1, t2 TO {user}")
        database.execute(f"GRANT SELECT ON t1.django_migrations TO {user}")
        project.configure({"tenants": Entry(url, schemas=["t1", "t2", "t3"])})
        ended = project.run("status", "--format", "json")
    assert [(found["alias"], found["state"]) for found in ended.json["databases"]] == [
        ("tenants:t1", "changes"),
        ("tenants:t2", "error"),
        ("tenants:t3", "error"),
    ]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("schemas = 3", "must be a list of strings"),
        ("schemas = []", "names no schema"),
        ('schemas = "auto"\nschema = "t1"', "both schema and schemas"),
    ],
)
def test_entries_that_cannot_be_meant(project: Project, database: Database, line: str, said: str) -> None:
    (project.root / "pyproject.toml").write_text(f'[tool.migsync.databases.tenants]\nurl = "{database.url}"\n{line}\n')
    ended = project.run("plan")
    assert ended.status == 1
    assert said in ended.err


def test_an_engine_without_schemas(tmp_path: Path) -> None:
    project = Project.make(tmp_path, {"tenants": Entry("sqlite:///x.sqlite3", schemas="auto")})
    ended = project.run("plan")
    assert ended.status == 1
    assert "SQLite has no schemas inside a database" in ended.out + ended.err


def test_the_members_of_one_entry_share_a_connection(project: Project, database: Database) -> None:
    project.configure({"tenants": Entry(database.url, schemas="auto")})
    made: list[object] = []

    def listen(connection: object, _record: object) -> None:
        made.append(connection)

    sa.event.listen(sa.Pool, "connect", listen)
    try:
        assert project.run("status").status == 0
    finally:
        sa.event.remove(sa.Pool, "connect", listen)
    # One that asks for the members, and one for all of them.
    assert len(made) == 2


def failing(database: Database, schema: str) -> None:
    """From now on, no row of the schema's django_migrations can be changed."""
    database.execute(
        f"""CREATE FUNCTION {schema}.refuse() RETURNS trigger LANGUAGE plpgsql
        AS $$ BEGIN RAISE EXCEPTION 'no change'; END $$"""
    )
    database.execute(
        f"CREATE TRIGGER refuse BEFORE UPDATE ON {schema}.django_migrations EXECUTE FUNCTION {schema}.refuse()"
    )


def states(ended: Ended) -> dict[str, str]:
    return {
        found["alias"].partition(":")[2]: found["error"]["code"] if found["error"] else found["status"]
        for found in ended.json["databases"]
    }


def test_where_the_canary_fails_the_group_is_left_alone(project: Project, database: Database) -> None:
    failing(database, "t1")
    ended = project.run("apply", "--noinput", "--jobs", "2", "--format", "json")
    assert ended.status == 1
    assert states(ended) == {"t1": "unexpected-result", "t2": "not-begun", "t3": "not-begun"}
    assert names_in(database, "t2") == names_in(database, "t3") == OLD
    ended = project.run("apply", "--noinput")
    # Each reason once, whatever number of schemas it is about.
    assert ended.err.count("[not-begun]") == ended.err.count("[unexpected-result]") == 1
    assert "the same in 1 other target: t3" in ended.err


@pytest.mark.parametrize("jobs", ["1", "3"])
def test_one_failure_does_not_stop_the_others(project: Project, database: Database, jobs: str) -> None:
    failing(database, "t2")
    ended = project.run("apply", "--noinput", "--jobs", jobs, "--format", "json")
    assert ended.status == 5
    assert states(ended) == {"t1": "applied", "t2": "unexpected-result", "t3": "applied"}
    database.execute("DROP TRIGGER refuse ON t2.django_migrations")
    ended = project.run("apply", "--noinput", "--jobs", jobs, "--format", "json")
    assert states(ended) == {"t2": "applied"}


def test_a_limit_of_failures(project: Project, database: Database) -> None:
    failing(database, "t2")
    ended = project.run("apply", "--noinput", "--max-failures", "1", "--format", "json")
    assert ended.status == 5
    assert states(ended) == {"t1": "applied", "t2": "unexpected-result", "t3": "not-begun"}


def test_a_lock_that_is_not_free_is_tried_again_at_the_end(project: Project, database: Database) -> None:
    with closing(database.connect()) as holder:
        holder.execute("LOCK TABLE t2.django_migrations IN SHARE ROW EXCLUSIVE MODE")
        # It is free once t3, which comes after t2, is changed.
        database.execute(
            f"""CREATE FUNCTION t3.free() RETURNS trigger LANGUAGE plpgsql
            AS $$ BEGIN PERFORM pg_terminate_backend({holder.info.backend_pid}, 10000); RETURN NEW; END $$"""
        )
        database.execute("CREATE TRIGGER free BEFORE UPDATE ON t3.django_migrations EXECUTE FUNCTION t3.free()")
        ended = project.run("apply", "--noinput", "--lock-timeout", "0.5", "--max-failures", "1", "--format", "json")
        assert states(ended) == {"t1": "applied", "t3": "applied", "t2": "applied"}
        assert ended.status == 0


@pytest.mark.parametrize("jobs", ["1", "3"])
def test_a_hint_has_the_options_of_the_command_whatever_thread_makes_it(
    project: Project, database: Database, jobs: str
) -> None:
    database.execute("DELETE FROM t2.django_migrations WHERE name = '0001_initial'")
    ended = project.run("apply", "--noinput", "--app", "shop", "--jobs", jobs, "--format", "json")
    [error] = [each["error"] for each in ended.json["databases"] if each["error"]]
    assert error["hint"].endswith(f"migsync plan --database tenants:t2 --app shop --root {project.root}")


def test_doctor_shows_what_is_the_same_in_several_schemas_once(project: Project, database: Database) -> None:
    for schema in ("t1", "t2", "t3"):
        database.execute(f"SELECT setval('{schema}.django_migrations_id_seq', 2)")
    database.execute("DELETE FROM t3.django_migrations WHERE id = 2")
    ended = project.run("doctor", "-d", "tenants")
    assert (
        "tenants:t1\n  the same in 1 other target: t2\n  the commands shown are for tenants:t1; run them" in ended.out
    )
    assert ended.out.count("needs a change.  [apply-first]") == 1
    assert ended.out.endswith("1 error, 1 warning and 1 note.\n")
    assert "[tool.migsync.databases.tenants], in schemas" in ended.out  # for the schemas that the query leaves out
    document = project.run("doctor", "-d", "tenants", "--format", "json").json
    assert [len(each["findings"]) for each in document["databases"]] == [1, 1, 0]
    assert project.run("doctor", "-d", "tenants", "--format", "github").out.count("::error") == 1
