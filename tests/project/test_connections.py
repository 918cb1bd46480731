"""Aliases as Django's settings have them lead to the database that Django would reach, with the same session."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pymysql
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from migsync.engines.config import DatabaseConfig
from migsync.project.databases.aliases import django_aliases, url_alias
from tests.databases import Database, MySQLDatabase, PostgreSQLDatabase, unavailable


def ask(config: DatabaseConfig, *queries: str) -> list[Any]:
    """The first value of each query, over a connection made as the config says."""
    assert config.error is None
    engine = create_engine(config.url, connect_args=dict(config.connect_args), poolclass=NullPool)
    with engine.connect() as connection:
        for statement in config.init:
            connection.exec_driver_sql(statement)
        return [connection.execute(text(query)).scalar() for query in queries]


def alias(settings: Mapping[str, Any], **changes: Any) -> DatabaseConfig:
    return django_aliases({"default": {**settings, **changes}}, True).databases["default"]


def test_settings_lead_to_the_database(database: Database) -> None:
    database.execute("CREATE TABLE here (id integer)")
    assert ask(alias(database.django), "SELECT COUNT(*) FROM here") == [0]


def test_the_url_of_a_database_leads_to_it(database: Database) -> None:
    database.execute("CREATE TABLE here (id integer)")
    config, findings = url_alias("url", database.url, Path.cwd())
    assert ask(config, "SELECT COUNT(*) FROM here") == [0]
    assert findings == []


def test_sqlite_by_uri_and_init_command(sqlite_database: Database) -> None:
    sqlite_database.execute("CREATE TABLE here (id integer)")
    config = alias(
        sqlite_database.django,
        NAME=f"file:{sqlite_database.django['NAME']}?mode=ro",
        OPTIONS={"uri": True, "timeout": 3, "init_command": "PRAGMA cache_size = 77; PRAGMA synchronous = 0;"},
    )
    assert config.init == ("PRAGMA cache_size = 77", "PRAGMA synchronous = 0")
    assert ask(config, "SELECT COUNT(*) FROM here", "PRAGMA cache_size", "PRAGMA synchronous") == [0, 77, 0]
    with pytest.raises(Exception, match="readonly database"):
        ask(config, "INSERT INTO here VALUES (1) RETURNING id")


def test_sqlite_relative_names_and_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings = {"ENGINE": "django.db.backends.sqlite3"}
    for name in ("data.sqlite3", Path("data.sqlite3"), tmp_path / "data.sqlite3", "./x/../data.sqlite3"):
        assert alias(settings, NAME=name).url.database == str(tmp_path / "data.sqlite3")
    assert ask(alias(settings, NAME=":memory:"), "SELECT 1") == [1]
    assert list(tmp_path.iterdir()) == []


def test_postgresql_options(postgresql_database: PostgreSQLDatabase) -> None:
    postgresql_database.execute("CREATE SCHEMA tenant")
    postgresql_database.execute("GRANT USAGE ON SCHEMA tenant TO pg_monitor")
    config = alias(
        postgresql_database.django,
        OPTIONS={
            "options": "-c search_path=tenant",
            "application_name": "by settings",
            "connect_timeout": 5,
            "sslmode": "prefer",
            "target_session_attrs": "any",
            "pool": {"min_size": 2},
            "server_side_binding": True,
            "isolation_level": 4,
            "assume_role": "pg_monitor",
        },
    )
    assert ask(config, "SELECT current_schema()", "SHOW application_name", "SELECT CURRENT_USER") == [
        "tenant", "by settings", "pg_monitor",
    ]  # fmt: skip


def test_postgresql_several_hosts(postgresql_database: PostgreSQLDatabase) -> None:
    settings = postgresql_database.django
    config = alias(settings, HOST=f"/nowhere,{settings['HOST']}", PORT=f"{settings['PORT']},{settings['PORT']}")
    assert ask(config, "SELECT current_database()") == [settings["NAME"]]


def test_postgresql_service_and_passfile(
    postgresql_database: PostgreSQLDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = postgresql_database.django
    service = tmp_path / "pg_service.conf"
    service.write_text(
        f"[shop]\nhost={settings['HOST']}\nport={settings['PORT']}\n"
        f"user={settings['USER']}\ndbname={settings['NAME']}\n"
    )
    passfile = tmp_path / "pgpass"
    passfile.write_text(f"*:*:*:*:{settings['PASSWORD'] or 'any'}\n")
    passfile.chmod(0o600)
    monkeypatch.setenv("PGSERVICEFILE", str(service))
    config = alias(
        {"ENGINE": "django.db.backends.postgresql", "OPTIONS": {"service": "shop", "passfile": str(passfile)}}
    )
    assert ask(config, "SELECT current_database()") == [settings["NAME"]]


def test_postgresql_socket_directory_in_a_url(postgresql_database: PostgreSQLDatabase) -> None:
    settings = postgresql_database.django
    if not settings["HOST"].startswith("/"):
        unavailable("the PostgreSQL server for tests is not reached by a socket")
    where = settings["HOST"].replace("/", "%2F")
    config, _ = url_alias("url", f"postgres://{settings['USER']}@{where}:{settings['PORT']}/{settings['NAME']}", Path())
    assert ask(config, "SELECT current_database()") == [settings["NAME"]]


def option_file(directory: Path, database: MySQLDatabase) -> Path:
    settings = database.django
    file = directory / "my.cnf"
    file.write_text(
        f"[client]\nhost = {settings['HOST']}\nport = {settings['PORT']}\nuser = {settings['USER']}\n"
        f'password = "{settings["PASSWORD"]}"\n\n[shop]\nhost = {settings["HOST"]}\nport = {settings["PORT"]}\n'
        f'user = {settings["USER"]}\npassword = "{settings["PASSWORD"]}"\ndatabase = {settings["NAME"]}\n'
    )
    return file


def test_mysql_option_file(mysql_database: MySQLDatabase, tmp_path: Path) -> None:
    engine, file = mysql_database.django["ENGINE"], str(option_file(tmp_path, mysql_database))
    name = mysql_database.django["NAME"]
    by_client = alias({"ENGINE": engine, "NAME": name, "OPTIONS": {"read_default_file": file}})
    by_group = alias({"ENGINE": engine, "OPTIONS": {"read_default_file": file, "read_default_group": "shop"}})
    assert ask(by_client, "SELECT DATABASE()") == [name]
    assert ask(by_group, "SELECT DATABASE()") == [name]


def test_mysql_session(mysql_database: MySQLDatabase) -> None:
    config = alias(
        mysql_database.django,
        OPTIONS={
            "init_command": "SET sql_mode='STRICT_TRANS_TABLES'; SET time_zone = '+02:00'",
            "charset": "utf8mb4",
            "isolation_level": "read committed",
            "autocommit": True,
            "connect_timeout": "9",
        },
    )
    assert ask(config, "SELECT @@sql_mode", "SELECT @@time_zone", "SELECT 'é'") == [
        "STRICT_TRANS_TABLES", "+02:00", "é",
    ]  # fmt: skip


def test_mysql_sql_mode_and_encryption_off(mysql_database: MySQLDatabase) -> None:
    config = alias(mysql_database.django, OPTIONS={"sql_mode": "ANSI_QUOTES", "ssl_mode": "DISABLED"})
    assert ask(config, 'SELECT @@sql_mode AS "quoted"') == ["ANSI_QUOTES"]


def test_mysql_names_of_other_drivers(mysql_database: MySQLDatabase) -> None:
    settings = mysql_database.django
    options = {"db": settings["NAME"], "user": settings["USER"], "passwd": settings["PASSWORD"], "no_such": 1}
    found = django_aliases({"default": {**settings, "NAME": "", "USER": "", "PASSWORD": "", "OPTIONS": options}}, True)
    assert ask(found.databases["default"], "SELECT DATABASE()") == [settings["NAME"]]
    assert [finding.found.rpartition(": ")[2] for finding in found.findings] == ["no_such."]


def test_mysql_by_socket(mysql_database: MySQLDatabase) -> None:
    [[socket]] = mysql_database.execute("SELECT @@socket")
    if not Path(socket).is_socket():
        pytest.skip("the MariaDB server has no socket on this machine")
    settings = mysql_database.django
    try:
        pymysql.connect(unix_socket=socket, user=settings["USER"], password=settings["PASSWORD"]).close()
    except pymysql.err.OperationalError:
        pytest.skip("the MariaDB server takes this user only over TCP")
    assert ask(alias(settings, HOST=socket, PORT=""), "SELECT DATABASE()") == [settings["NAME"]]
    assert ask(alias(settings, HOST="", OPTIONS={"unix_socket": socket}), "SELECT DATABASE()") == [settings["NAME"]]
