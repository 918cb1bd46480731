"""What each command needs: users with exactly these rights, and messages that say which one is missing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from migsync.cli.program import run
from migsync.cli.recovery import PendingRuns
from migsync.engines.config import DatabaseConfig
from migsync.project import find_project
from migsync.sync.journal.schema import VERSIONS, upgrade_journal
from migsync.sync.target import open_target
from tests.databases import Database, user_of

MIGRATION = "from django.db import migrations\n\n\nclass Migration(migrations.Migration):\n    dependencies = [{}]\n"
OLD = [
    (1, "shop", "0001_initial", "2026-01-01 10:00:00.1"),
    (2, "shop", "0003_price", "2026-01-02 10:00:00.2"),
    (3, "shop", "0004_merge", "2026-01-03 10:00:00.3"),
]
TABLE = "django_migrations"
# The table in docs/reference/privileges.md. Undoing a removal inserts a row; undoing a rename updates one.
READ = {TABLE: {"SELECT"}}
LOOKS = ("migsync_files", "migsync_source", "migsync_look", "migsync_ran")
READ_WHEN_ASKED = ("migsync_content", "migsync_files", "migsync_source")
CONTENTS = {table: {"SELECT"} for table in ("migsync_content", "migsync_content_seen", *LOOKS)}
WRITE = {TABLE: {"SELECT", "UPDATE", "DELETE"}}
WRITE_JOURNAL = {"migsync_run": {"SELECT", "INSERT"}, "migsync_version": {"SELECT"}, **CONTENTS}
UNDO = {TABLE: {"SELECT", "UPDATE", "INSERT"}}


class Limited:
    """A project whose one database is reached by a user with the rights that a test gives it."""

    def __init__(self, root: Path, database: Database, account: str, url: str, capsys) -> None:
        self.root, self.database, self.account, self.url, self.capsys = root, database, account, url, capsys
        package = root / "shop" / "migrations"
        package.mkdir(parents=True)
        for path in (package, package.parent):
            (path / "__init__.py").touch()
        (package / "0001_initial.py").write_text(MIGRATION.format(""))
        (package / "0002_price.py").write_text(MIGRATION.format('("shop", "0001_initial")'))
        database.create_table()
        database.insert(OLD)
        if database.engine == "mysql":
            # Without any right on a database, it is the connection that is refused.
            database.execute(f"GRANT CREATE TEMPORARY TABLES ON `{database.name}`.* TO {account}")
        self.old = database.dump()
        self.as_administrator("rewrite", "--map", "shop.0003_price=0002_price", "--remove", "shop.0004_merge")

    def grant(self, *rights: dict[str, set[str]]) -> None:
        """Exactly these rights, and no others."""
        for (table,) in self.database.execute(TABLES[self.database.engine]):
            granted = {right for each in rights for right in each.get(table, ())}
            if self.database.engine == "postgresql":
                self.database.execute(f"REVOKE ALL ON {table} FROM {self.account}")
            else:
                self.database.execute(f"GRANT ALL ON {table} TO {self.account}")  # else there is nothing to revoke
                self.database.execute(f"REVOKE ALL ON {table} FROM {self.account}")
            if granted:
                self.database.execute(f"GRANT {', '.join(sorted(granted))} ON {table} TO {self.account}")

    def run(self, *arguments: str, status: int = 0) -> str:
        return self._run(self.url, arguments, status)

    def as_administrator(self, *arguments: str) -> str:
        return self._run(self.database.url, arguments, 0)

    def _run(self, url: str, arguments: tuple[str, ...], status: int) -> str:
        text = f'[tool.migsync.databases.default]\nurl = "{url}"\n[tool.migsync.apps]\nshop = "shop/migrations"\n'
        (self.root / "pyproject.toml").write_text(text)
        self.capsys.readouterr()
        ended = run(arguments)
        out, err = self.capsys.readouterr()
        assert ended == status, (arguments, out, err)
        return re.sub(r"\s+", " ", out + err)

    def grant_as_told(self, text: str, about: str = "") -> None:
        """Run the statements of a message (that are about this), as the administrator that it is for."""
        told = [each for each in re.findall(r"GRANT [^;]+;", text) if about in each]
        assert told
        for statement in dict.fromkeys(told):
            self.database.execute(statement)

    def run_sql(self, path: Path) -> None:
        lines = [line for line in path.read_text().splitlines() if not line.startswith("--")]
        with closing(self.database.connect()) as connection, closing(connection.cursor()) as cursor:
            for statement in "\n".join(lines).split(";\n"):
                if statement.strip(" \n;"):
                    cursor.execute(statement)
            connection.commit()

    @property
    def changed(self) -> bool:
        return self.database.dump() != self.old


TABLES = {
    "postgresql": "SELECT tablename FROM pg_tables WHERE schemaname = 'public'",
    "mysql": "SHOW TABLES",
}


@pytest.fixture(params=["postgresql", "mysql"])
def limited(request, new_database, tmp_path, monkeypatch, capsys) -> Iterator[Limited]:
    database = new_database(request.param)
    root = tmp_path / "project"
    root.mkdir()
    monkeypatch.chdir(root)
    monkeypatch.setenv("MIGSYNC_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("DJANGO_SETTINGS_MODULE", raising=False)
    with user_of(database) as (account, url):
        yield Limited(root, database, account, url, capsys)


@pytest.fixture
def journaled(limited) -> Limited:
    """Applied by an administrator, who made the journal."""
    limited.as_administrator("apply", "--noinput")
    return limited


def test_plan_status_and_script_need_select_alone_where_there_is_no_journal(limited):
    limited.grant(READ)
    planned = limited.run("plan")
    assert "2 changes" in planned
    # MariaDB does not tell such a user whether there is a journal.
    assert ("cannot see whether" in planned) is (limited.database.engine == "mysql")
    assert ("unknown" in limited.run("status")) is (limited.database.engine == "mysql")
    limited.run("plan", "--no-journal")
    limited.run("script", "--out", "sql")
    assert not limited.changed
    if limited.database.engine == "mysql":
        limited.database.execute(f"GRANT SELECT ON `{limited.database.name}`.* TO {limited.account}")
        assert "cannot see whether" not in limited.run("plan")


@pytest.mark.parametrize("command", ["plan", "status", "log", "undo --dry-run"])
def test_a_journal_that_may_not_be_read_is_told_with_the_grants(journaled, command):
    journaled.grant(READ)
    told = journaled.run(*command.split(), status=1)
    assert ("--no-journal" in told) is (command in ("plan", "status") and journaled.database.engine == "postgresql")
    journaled.grant_as_told(told if command != "status" else journaled.run("plan", status=1))
    journaled.run(*command.split())


def test_no_journal_goes_on_where_the_journal_may_not_be_read(journaled):
    journaled.grant(READ)
    journaled.run("plan", "--no-journal")
    journaled.run("status", "--no-journal")


def test_apply_without_the_right_to_create_the_journal(limited):
    limited.grant(WRITE)
    told = limited.run("apply", "--noinput", status=1)
    assert "migsync script --journal-tables --out sql" in told
    assert not limited.changed
    limited.run("script", "--journal-tables", "--out", "sql")
    limited.run_sql(limited.root / "sql" / "default.journal.sql")
    limited.run("apply", "--noinput")
    assert limited.changed
    limited.grant(UNDO, WRITE_JOURNAL)
    limited.run("undo", "--noinput")
    assert not limited.changed
    assert "undo" in limited.run("log")


def test_apply_without_a_journal_needs_no_right_on_it(limited):
    limited.grant(WRITE)
    limited.run("apply", "--noinput", "--no-journal")
    assert limited.changed


def test_recover_reads_the_journal_under_the_lock(journaled):
    PendingRuns.beside(find_project().cache).add("default", "f" * 32)
    journaled.grant(READ)
    if journaled.database.engine == "postgresql":
        # It lets only those lock a table who may change it.
        assert "Grant UPDATE or DELETE on django_migrations" in journaled.run("recover", status=6)
        journaled.grant({TABLE: {"SELECT", "UPDATE"}})
    journaled.grant_as_told(journaled.run("recover", status=6))
    assert "not committed" in journaled.run("recover")


@pytest.fixture
def older(limited) -> Limited:
    """With the journal's first version, which has no tables of contents, made by an administrator."""
    with (
        open_target(DatabaseConfig("default", limited.database.url)) as target,
        closing(target.connect()) as connection,
    ):
        upgrade_journal(connection, target.table.schema, VERSIONS[:1])
        connection.commit()
    return limited


def version(database: Database) -> str:
    [(found,)] = database.execute("SELECT version_num FROM migsync_version")
    return found


def test_who_may_not_upgrade_the_journal_goes_on_with_the_older_one(older):
    older.grant({TABLE: WRITE[TABLE] | UNDO[TABLE]}, WRITE_JOURNAL)
    older.run("apply", "--noinput")
    assert older.changed
    assert version(older.database) == "0001"
    older.run("undo", "--noinput")
    assert not older.changed
    assert "undo" in older.run("log")


def test_who_may_create_tables_and_not_change_the_version_goes_on_too(older):
    older.grant(WRITE, WRITE_JOURNAL)
    where = "SCHEMA public" if older.database.engine == "postgresql" else f"`{older.database.name}`.*"
    older.database.execute(f"GRANT CREATE ON {where} TO {older.account}")
    older.run("apply", "--noinput")
    assert older.changed
    assert version(older.database) == "0001"


def test_the_grants_for_an_older_journal_name_no_table_that_it_has_not(older):
    older.grant(READ)
    if older.database.engine == "postgresql":
        told = older.run("plan", status=1)
        assert "migsync_content" not in told
        older.grant_as_told(told)
    else:
        # MariaDB does not tell such a user which tables there are. The statements come in the order of the versions.
        told = older.run("plan")
        first, *others = dict.fromkeys(re.findall(r"GRANT [^;]+;", told))
        assert ("migsync_run" in first, "migsync_version" in others[0]) == (True, True)
        older.grant_as_told(first + others[0])
    older.run("plan")
    told = older.run("apply", "--noinput", status=1)
    assert "UPDATE" in told


def test_an_administrator_upgrades_an_older_journal_with_the_script(older):
    older.grant(WRITE)
    older.run("script", "--journal-tables", "--out", "sql")
    older.run_sql(older.root / "sql" / "default.journal.sql")
    assert version(older.database) == "0003"
    older.run("apply", "--noinput")
    assert older.changed
    assert older.database.execute("SELECT count(*) FROM migsync_run") == [(1,)]


@pytest.mark.parametrize(("command", "rights"), [("apply", WRITE), ("undo", UNDO)])
def test_each_right_is_needed(journaled, command, rights):
    if command == "apply":
        journaled.as_administrator("undo", "--noinput")
    before = journaled.database.dump()
    journaled.grant(rights, WRITE_JOURNAL)
    # What files were is read only where a file is not what ran.
    needed = {table: each for table, each in {**rights, **WRITE_JOURNAL}.items() if table not in READ_WHEN_ASKED}
    for table, each in needed.items():
        for right in sorted(each):
            journaled.database.execute(f"REVOKE {right} ON {table} FROM {journaled.account}")
            told = journaled.run(command, "--noinput", status=1)
            assert right in told
            assert ("--no-journal" in told) is (command == "apply" and table in WRITE_JOURNAL)
            assert ("migsync script --out" in told) is (command == "apply" and table == TABLE and right != "SELECT")
            assert journaled.database.dump() == before
            journaled.database.execute(f"GRANT {right} ON {table} TO {journaled.account}")
    journaled.run(command, "--noinput")
    assert journaled.database.dump() != before


def test_doctor_names_what_the_user_lacks(limited: Limited) -> None:
    limited.grant(READ)
    told = limited.run("doctor", "--fail-on", "warning", status=1)
    assert "lacks INSERT, UPDATE" in told
    limited.grant_as_told(told, TABLE)
    told = limited.run("doctor", "--fail-on", "never")
    assert "lacks" not in told
    assert "may not create the tables of the journal" in told
    limited.grant_as_told(told, "CREATE")
    assert "may not create" not in limited.run("doctor", "--fail-on", "never")
    # With what was granted, `migrate` can record, and `apply` can work.
    with closing(limited.database.connect()) as connection, closing(connection.cursor()) as cursor:
        if limited.database.engine == "postgresql":
            cursor.execute("SELECT setval('django_migrations_id_seq', 3)")
            cursor.execute(f"SET ROLE {limited.account}")
        cursor.execute(f"INSERT INTO {TABLE} (app, name, applied) VALUES ('shop', '0009_x', '2026-01-04 10:00:00')")
        connection.rollback()
    limited.run("apply", "--noinput")


def test_doctor_names_tables_without_transactions(limited: Limited) -> None:
    if limited.database.engine != "mysql":
        pytest.skip("every table has transactions")
    limited.database.execute("CREATE TABLE shop_item (id integer) ENGINE=MyISAM")
    limited.grant({TABLE: {"SELECT", "INSERT", "UPDATE", "DELETE"}, "shop_item": {"SELECT"}})
    assert "1 table uses the storage engine MyISAM" in limited.run("doctor", "--fail-on", "never")
    limited.database.execute(f"ALTER TABLE {TABLE} ENGINE=MyISAM")
    told = limited.run("doctor", "--fail-on", "warning", status=1)
    assert f"ALTER TABLE {TABLE} ENGINE=InnoDB;" in told
    assert "`migsync apply` refuses to change records here." in told


def test_doctor_names_an_older_journal(older: Limited) -> None:
    told = older.as_administrator("doctor", "--fail-on", "never")
    assert "The journal has version 0001" in told
    older.as_administrator("init", "--noinput")
    assert "The journal has" not in older.as_administrator("doctor", "--fail-on", "never")
