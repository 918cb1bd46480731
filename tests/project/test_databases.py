"""Engines, aliases and URLs, without a server."""

from __future__ import annotations

import copy
import importlib.util
from pathlib import Path
from typing import Any

import pytest

from migsync.engines.address import split_statements
from migsync.engines.config import DatabaseConfig
from migsync.engines.mysql import address as mysql
from migsync.errors import TargetError, UnknownAlias, UnknownEngine
from migsync.findings.commands import migrate
from migsync.project import find_project
from migsync.project.databases.aliases import django_aliases, option_aliases, url_alias
from migsync.project.options import DatabaseOptions
from tests.project.projects import app, django_project, write

SECRET = "p@ss:w/ord"
QUOTED = "p%40ss%3Aw%2Ford"


def alias(**settings: Any) -> DatabaseConfig:
    return django_aliases({"default": settings}, True).databases["default"]


@pytest.mark.parametrize(
    ("engine", "driver"),
    [
        ("django.db.backends.sqlite3", "sqlite+pysqlite"),
        ("django.contrib.gis.db.backends.spatialite", "sqlite+pysqlite"),
        ("django_prometheus.db.backends.sqlite3", "sqlite+pysqlite"),
        ("django.db.backends.postgresql", "postgresql+psycopg"),
        ("django.db.backends.postgresql_psycopg2", "postgresql+psycopg"),
        ("django.contrib.gis.db.backends.postgis", "postgresql+psycopg"),
        ("django_prometheus.db.backends.postgresql", "postgresql+psycopg"),
        ("django_prometheus.db.backends.postgis", "postgresql+psycopg"),
        ("psqlextra.backend", "postgresql+psycopg"),
        ("django_tenants.postgresql_backend", "postgresql+psycopg"),
        ("django_pgschemas.postgresql", "postgresql+psycopg"),
        ("dj_db_conn_pool.backends.postgresql", "postgresql+psycopg"),
        ("django.db.backends.mysql", "mysql+pymysql"),
        ("django.contrib.gis.db.backends.mysql", "mysql+pymysql"),
        ("django_prometheus.db.backends.mysql", "mysql+pymysql"),
        ("mysql.connector.django", "mysql+pymysql"),
    ],
)
def test_engines_known_by_name(engine: str, driver: str) -> None:
    config = alias(ENGINE=engine, NAME="shop")
    assert config.error is None
    assert config.url.drivername == driver


@pytest.mark.parametrize(
    ("engine", "command"),
    [
        ("django_tenants.postgresql_backend", "python manage.py migrate_schemas shop 0002_price --schema 'a b'"),
        ("tenant_schemas.postgresql_backend", "python manage.py migrate_schemas shop 0002_price --schema 'a b'"),
        ("django_pgschemas.postgresql", "python manage.py migrate shop 0002_price --schema 'a b'"),
    ],
)
def test_a_schema_is_migrated_by_the_command_of_its_package(engine: str, command: str) -> None:
    member = alias(ENGINE=engine, NAME="shop").member("a b")
    assert migrate("shop", "0002_price", alias=member.alias) == command
    assert migrate(alias=copy.deepcopy(member).alias) == command.replace(" shop 0002_price", "")


def test_an_entry_that_is_no_alias_of_django_is_migrated_by_its_own_command() -> None:
    tenants = {"ENGINE": "django_tenants.postgresql_backend", "NAME": "shop"}
    django = django_aliases({"default": {"ENGINE": "django.db.backends.postgresql"}, "tenants": tenants}, True)
    options = {
        "default": DatabaseOptions(url="postgresql://host/shop"),
        "archive": DatabaseOptions(alias="tenants", schema="a b"),
        "production": DatabaseOptions(url="postgresql://host/shop", migrate="heroku run ./migrate {arguments}"),
        "replica": DatabaseOptions(url="postgresql://host/shop"),
    }
    found = option_aliases(options, Path(), {}, True, django).databases
    assert {name: migrate("shop", alias=config.alias) for name, config in found.items()} == {
        "default": "python manage.py migrate shop --database default",
        "archive": "python manage.py migrate_schemas shop --schema 'a b'",
        "production": "heroku run ./migrate shop",
        "replica": "`migrate shop` in the database of replica, as your project does",
    }


@pytest.mark.parametrize("engine", ["django.db.backends.oracle", "mssql", "no.such.backend", "django.db.backends.new"])
def test_unknown_engines_are_named_when_asked_for(engine: str) -> None:
    error = alias(ENGINE=engine, NAME="shop", PASSWORD=SECRET).error
    assert isinstance(error, UnknownEngine)
    assert engine in error.found
    assert "'default'" in error.found
    assert "[tool.migsync.databases.default]" in error.hint
    assert SECRET not in str(error)


WRAPPERS = {
    # As django_prometheus is: a mixin before Django's own.
    "wrapped/base.py": """
        from django.db.backends.sqlite3 import base

        class Counted:
            pass

        class DatabaseWrapper(Counted, base.DatabaseWrapper):
            pass
    """,
    # As the backends are that fetch a token for a password.
    "tokens/base.py": """
        from django.db.backends.postgresql import base

        class DatabaseWrapper(base.DatabaseWrapper):
            def get_connection_params(self):
                return {**super().get_connection_params(), "password": "a-token-made-now"}
    """,
    "foreign/base.py": """
        from django.db.backends.base.base import BaseDatabaseWrapper

        class DatabaseWrapper(BaseDatabaseWrapper):
            vendor = "microsoft"
    """,
    "prints/base.py": "print('noise')\nraise SystemExit(3)\n",
}


def test_backends_not_known_by_name_are_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = {f"{name.partition('/')[0]}/__init__.py": "" for name in WRAPPERS} | WRAPPERS | app("shop")
    settings = """
        DATABASES = {
            "default": {"ENGINE": "wrapped", "NAME": "x.sqlite3"},
            "token": {"ENGINE": "tokens", "NAME": "shop", "USER": "me", "HOST": "db", "PORT": 5433},
            "foreign": {"ENGINE": "foreign", "NAME": "x"},
            "prints": {"ENGINE": "prints", "NAME": "x"},
        }
        INSTALLED_APPS = ["shop"]
    """
    databases = find_project(django_project(tmp_path, settings, files)).databases
    assert databases["default"].url.drivername == "sqlite+pysqlite"
    token = databases["token"]
    assert token.error is None
    assert token.url.password == "a-token-made-now"
    assert (token.url.host, token.url.port, token.url.database) == ("db", 5433, "shop")
    assert not {"cursor_factory", "context"} & token.connect_args.keys()
    assert isinstance(databases["foreign"].error, UnknownEngine)
    assert isinstance(databases["prints"].error, UnknownEngine)
    assert capsys.readouterr().out == ""


def test_aliases_without_a_database_and_mirrors_are_passed_over_and_said(tmp_path: Path) -> None:
    settings = """
        SQLITE = {"ENGINE": "django.db.backends.sqlite3", "NAME": "x.sqlite3"}
        DATABASES = {
            "default": SQLITE,
            "empty": {},
            "dummy": {"ENGINE": "django.db.backends.dummy"},
            "replica": {**SQLITE, "TEST": {"MIRROR": "default"}},
            "own": {**SQLITE, "TEST": {"NAME": "other"}},
        }
        INSTALLED_APPS = ["shop"]
    """
    project = find_project(django_project(tmp_path, settings, app("shop")))
    assert list(project.databases) == ["default", "own"]
    said = [finding.found for finding in project.findings if finding.code == "alias-passed-over"]
    assert said == [
        "The database 'empty' is skipped: it has no database.",
        "The database 'dummy' is skipped: it has no database.",
        "The database 'replica' is skipped: it mirrors 'default'.",
    ]
    assert [config.alias for config in project.targets()] == ["default", "own"]
    assert [config.alias for config in project.targets(["replica", "replica"])] == ["replica"]
    with pytest.raises(UnknownAlias, match="no database 'replca'") as raised:
        project.targets(["replca"])
    assert raised.value.meaning == "Did you mean replica?"


def test_pyproject_databases_join_and_win(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = """
        DATABASES = {
            "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "x.sqlite3"},
            "kept": {"ENGINE": "django.db.backends.sqlite3", "NAME": "y.sqlite3"},
        }
        INSTALLED_APPS = ["shop"]
        USE_TZ = False
    """
    options = """
        [tool.migsync.databases.default]
        url = "sqlite:///data/z.sqlite3"
        [tool.migsync.databases.tenant]
        url_env = "TENANT_URL"
        schema = "tenant_a"
        [tool.migsync.databases.missing]
        url_env = "NOT_SET"
    """
    django_project(tmp_path, settings, {**app("shop"), "pyproject.toml": options})
    monkeypatch.setenv("TENANT_URL", f"postgres://me:{QUOTED}@db:5433/shop?sslmode=require")
    project = find_project(tmp_path / "shop")
    assert list(project.databases) == ["default", "kept", "tenant", "missing"]
    assert project.databases["default"].url.database == str(tmp_path / "data/z.sqlite3")
    tenant = project.databases["tenant"]
    assert (tenant.url.drivername, tenant.url.password, tenant.schema) == ("postgresql+psycopg", SECRET, "tenant_a")
    assert tenant.url.query == {"sslmode": "require"}
    assert tenant.use_tz is False
    assert "NOT_SET" in str(project.databases["missing"].error)
    assert [finding.code for finding in project.findings] == ["alias-overridden"]


def test_url_for_once_is_the_only_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    django_project(tmp_path, "DATABASES = {}\nINSTALLED_APPS = ['shop']\n", app("shop"))
    monkeypatch.chdir(tmp_path / "shop")
    project = find_project(url="sqlite:///here.sqlite3")
    assert list(project.databases) == ["url"]
    assert project.databases["url"].url.database == str(tmp_path / "shop/here.sqlite3")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (f"postgres://me:{QUOTED}@db/shop", "postgresql+psycopg://me:***@db/shop"),
        ("postgresql+psycopg2://db/shop", "postgresql+psycopg://db/shop"),
        ("postgis://me@db:5433/shop", "postgresql+psycopg://me@db:5433/shop"),
        (f"mysql2://me:{QUOTED}@db/shop?reconnect=true", "mysql+pymysql://me:***@db/shop"),
        ("mysql+mysqldb://db/shop", "mysql+pymysql://db/shop"),
        ("mariadb://db:3307/shop", "mysql+pymysql://db:3307/shop"),
        ("sqlite:////abs/x.sqlite3", "sqlite+pysqlite:////abs/x.sqlite3"),
        ("sqlite:///x.sqlite3", "sqlite+pysqlite:////base/x.sqlite3"),
        ("sqlite://", "sqlite+pysqlite:///%3Amemory%3A"),
        ("sqlite:///file:x?mode=ro&uri=true", "sqlite+pysqlite:///file%3Ax?mode=ro&uri=true"),
    ],
)
def test_urls_as_people_write_them(url: str, expected: str) -> None:
    config, _ = url_alias("url", url, Path("/base"))
    assert config.error is None
    assert config.url.render_as_string() == expected


@pytest.mark.parametrize(
    ("url", "kind", "said"),
    [
        ("shop", TargetError, "does not start with an engine"),
        ("oracle://me:secret@db/shop", UnknownEngine, "starts with oracle://"),
        ("postgres://me:sec/ret@db:port/shop", TargetError, "cannot be read"),
        ("mysql://me:secret@db/shop?ssl-mode=SOMETIMES", TargetError, "ssl_mode is 'SOMETIMES'"),
    ],
)
def test_urls_that_cannot_be_used_are_said_without_the_secret(url: str, kind: type[TargetError], said: str) -> None:
    config, _ = url_alias("url", url, Path())
    assert type(config.error) is kind
    assert said in str(config.error)
    assert "'url'" in str(config.error)
    assert "secret" not in str(config.error)
    assert "ret@" not in str(config.error)


def test_passwords_are_in_no_representation() -> None:
    configs = [
        alias(ENGINE="django.db.backends.postgresql", NAME="shop", USER="me", PASSWORD=SECRET, HOST="/run/x"),
        alias(ENGINE="django.db.backends.postgresql", OPTIONS={"service": "shop", "password": SECRET}),
        alias(ENGINE="django.db.backends.mysql", NAME="shop", OPTIONS={"passwd": SECRET}),
        url_alias("url", f"mysql://me:{QUOTED}@db/shop", Path())[0],
    ]
    for config in configs:
        assert config.url.password == SECRET
        for secret in (SECRET, QUOTED):
            assert secret not in f"{config!r} {config} {config.url} {config.url!r} {config.connect_args}"


def test_a_driver_that_is_not_installed_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    there = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "psycopg" else there(name))
    error = alias(ENGINE="django.db.backends.postgresql", NAME="shop").error
    assert error is not None
    assert error.hint == "Install it: python -m pip install 'migsync[postgresql]'"
    assert alias(ENGINE="django.db.backends.mysql", NAME="shop").error is None


def test_names_that_are_missing() -> None:
    assert "NAME is empty" in str(alias(ENGINE="django.db.backends.sqlite3", NAME="").error)
    assert "neither a NAME nor" in str(alias(ENGINE="django.db.backends.postgresql", NAME="").error)
    assert alias(ENGINE="django.db.backends.postgresql", NAME=None).url.database == "postgres"


@pytest.mark.parametrize("wrong", [{"PORT": SECRET}, {"OPTIONS": [SECRET]}, {"OPTIONS": {"init_command": [SECRET]}}])
def test_settings_of_a_wrong_kind_are_the_aliass_own_error(wrong: dict[str, Any]) -> None:
    error = alias(ENGINE="django.db.backends.mysql", NAME="shop", **wrong).error
    assert isinstance(error, TargetError)
    assert "'default'" in error.found
    assert SECRET not in str(error)


def test_a_role_is_quoted() -> None:
    options = {"assume_role": "o'brien\\x"}
    config = alias(ENGINE="django.db.backends.postgresql", NAME="shop", OPTIONS=options)
    assert config.init == ("SET ROLE E'o''brien\\\\x'",)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, {}),
        ({"ssl_mode": "DISABLED", "ssl": {"ca": "/ca"}}, {"ssl_disabled": True}),
        ({"ssl_mode": "PREFERRED"}, {}),
        ({"ssl_mode": "REQUIRED"}, {"ssl": {"check_hostname": False, "verify_mode": "none"}}),
        ({"ssl": True}, {"ssl": {"check_hostname": False, "verify_mode": "none"}}),
        ({"ssl": {"ca": "/ca"}}, {"ssl": {"check_hostname": False, "verify_mode": "required", "ca": "/ca"}}),
        (
            {"ssl": {"ca": "/ca"}, "ssl_mode": "verify_identity"},
            {"ssl": {"check_hostname": True, "verify_mode": "required", "ca": "/ca"}},
        ),
        ({"ssl_ca": "/ca", "ssl_verify_cert": True}, {"ssl_ca": "/ca", "ssl_verify_cert": True}),
    ],
)
def test_mysql_encryption(options: dict[str, Any], expected: dict[str, Any]) -> None:
    address = mysql.address_of(options)
    assert address.connect_args == {"charset": "utf8mb4", **expected}
    assert address.dropped == ()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ()),
        ("SET a=1", ("SET a=1",)),
        ("SET a=1; SET b=';';", ("SET a=1", "SET b=';'")),
        ("SET a='x", ("SET a='x",)),
        ("SET a='it''s;'; b", ("SET a='it''s;'", "b")),
    ],
)
def test_statements_of_an_init_command(text: str, expected: tuple[str, ...]) -> None:
    assert split_statements(text) == expected


def test_settings_without_databases_and_pyproject_without_settings(tmp_path: Path) -> None:
    options = '[tool.migsync.databases.default]\nurl = "sqlite:///x.sqlite3"\n'
    project = find_project(write(tmp_path, {"pyproject.toml": options, **app("shop")}))
    assert project.static
    assert project.use_tz is None
    assert [(app.label, app.first_party) for app in project.apps] == [("shop", True)]
    assert list(project.databases) == ["default"]
