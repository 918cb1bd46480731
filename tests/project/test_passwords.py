"""No password is ever shown, whatever the form in which it is given, and whoever speaks of it."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from migsync.cli.program import run
from migsync.redaction import redact
from tests.profiles import examples
from tests.project.projects import app, django_project, write

# A password is made of words that are nowhere else, and of what people forget to percent-encode between them.
WORDS = ("s3cr3tPASS", "hunter2", "Tr0ub4dor", "xyzzy")
passwords = st.lists(
    st.one_of(st.sampled_from(WORDS), st.sampled_from([*"@:/?#%&=+ '\"\\!$,;()[]{}|", "%40", "ü", "://", "@@"])),
    min_size=1,
    max_size=7,
).map("".join)
secret = passwords.filter(lambda text: any(word in text for word in WORDS))
schemes = st.sampled_from(["postgresql", "postgres", "postgresql+psycopg", "mysql", "mariadb", "oracle", "x y"])


def _url(scheme: str, password: str, form: str) -> str:
    return f"{scheme}://" + form.format(raw=password, quoted=quote(password, safe=""), plus=quote_plus(password))


FORMS = (
    "u:{raw}@127.0.0.1:1/db",
    "u:{quoted}@127.0.0.1:1/db",
    ":{raw}@127.0.0.1:1/db",
    "u:a@{raw}@127.0.0.1:1/db",
    "127.0.0.1:1/db?user=u&password={raw}",
    "127.0.0.1:1/db?user=u&password={plus}",
    "127.0.0.1:1/db?user=u&sslpassword={quoted}&password={quoted}",
    "u@127.0.0.1:1/db?passwd={quoted}",
)
urls = st.builds(_url, schemes, secret, st.sampled_from(FORMS))


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The project in which the commands run: settings are rewritten for each example."""
    root = django_project(tmp_path_factory.mktemp("project"), "", app("shop"))
    here, writes = Path.cwd(), sys.dont_write_bytecode
    os.chdir(root)
    sys.dont_write_bytecode = True  # settings of one second and one size would be taken for the same
    os.environ["MIGSYNC_CACHE"] = str(root / "cache")
    yield root
    os.chdir(here)
    sys.dont_write_bytecode = writes


def said(*arguments: str) -> tuple[int, str]:
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        status = run(arguments)
    return status, out.getvalue()


def assert_hidden(*commands: tuple[str, ...]) -> None:
    for command in commands:
        status, text = said(*command)
        assert status in (1, 64), text
        assert "Traceback" not in text
        assert not [word for word in WORDS if word in text], text


def settings_of(root: Path, text: str) -> None:
    (root / "config/settings.py").write_text(f"SECRET_KEY = 'x'\nINSTALLED_APPS = ['shop']\n{text}\n")


@settings(max_examples=examples(25, 1000))
@given(urls)
def test_of_a_url_on_the_command_line(root: Path, url: str) -> None:
    settings_of(root, "DATABASES = {}")
    assert_hidden(("plan", "--url", url), ("plan", "--format", "json", "--url", url))


@pytest.mark.parametrize(
    "command", [("plan",), ("plan", "--database"), ("apply",), ("undo",), ("show",), ("log", "-d")]
)
def test_of_a_url_where_something_else_is_expected(root: Path, command: tuple[str, ...]) -> None:
    settings_of(root, "DATABASES = {}")
    assert_hidden((*command, "postgres://u:a@s3cr3tPASS@host/db"))


@settings(max_examples=examples(25, 1000))
@given(
    url=urls,
    password=secret,
    engine=st.sampled_from(["postgresql", "mysql"]),
    where=st.sampled_from(["NAME", "HOST", "USER", "PORT", "PASSWORD", "password", "passwd", "sslpassword", "DEFAULT"]),
)
def test_of_the_settings(root: Path, url: str, password: str, engine: str, where: str) -> None:
    database: Any = {"ENGINE": f"django.db.backends.{engine}", "NAME": "db", "HOST": "127.0.0.1", "PORT": "1"}
    if where == "DEFAULT":
        database = url
    elif where.islower():
        database["OPTIONS"] = {where: password}
    else:
        database[where] = password if where in ("PASSWORD", "PORT") else url
    settings_of(root, f"DATABASES = {{'default': {database!r}}}")
    assert_hidden(("plan",), ("status", "--format", "json"), ("apply", "--noinput"))


@settings(max_examples=examples(25, 1000))
@given(
    url=urls,
    password=secret,
    how=st.sampled_from(
        [
            "f'cannot use {URL}'",
            "repr(URL)",
            "{'default': {'USER': 'u', 'PASSWORD': PASSWORD, 'NAME': 'db'}}",
            "json.dumps({'OPTIONS': {'passwd': PASSWORD}})",
            "f'password={PASSWORD!r} host=x'",
            "f'PGPASSWORD is {os.environ[\"PGPASSWORD\"]}'",
            "os.environ['PGPASSWORD']",
            "quote(os.environ['PGPASSWORD'])",
            "str(urlsplit(os.environ['DATABASE_URL']).port)",
            "os.environ['DATABASE_URL']",
        ]
    ),
)
def test_of_an_exception_of_the_settings(root: Path, url: str, password: str, how: str) -> None:
    imports = "import json, os\nfrom urllib.parse import quote, urlsplit\n"
    settings_of(root, f"{imports}URL, PASSWORD = {url!r}, {password!r}\nraise ValueError({how})\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PGPASSWORD", password)
        patch.setenv("DATABASE_URL", url)
        assert_hidden(("plan",), ("plan", "--format", "json"))


@pytest.mark.parametrize(
    ("text", "secrets"),
    [
        ('connection to server at "127.0.0.1", port 1 failed: Connection refused', ["a", "1", "on"]),
        ('invalid URI: postgresql, user "postgres", database "bookpostgres"', ["ostgres", "post"]),
        ("Access denied for user 'root'@'localhost' (using password: YES)", ["Y", "ES", "acc"]),
        ("Set the DB_PASSWORD environment variable, KeyError: 'SECRET_TOKEN'", []),
        ("No module named 'passwords'; see https://docs.djangoproject.com/en/5.2/ref/settings/", ["doc"]),
    ],
)
def test_a_short_password_does_not_garble_a_message(text: str, secrets: list[str]) -> None:
    assert redact(text, secrets) == text


def test_what_is_masked() -> None:
    cases = {
        "postgresql://u:s3cr3t@host/db fails": "postgresql://u:***@host/db fails",
        "postgresql://u:a@s3cr3tPASS@host/db fails": "postgresql://***",
        "{'USER': 'u', 'PASSWORD': 'it\\'s', 'NAME': 'db'}": "{'USER': 'u', 'PASSWORD': ***, 'NAME': 'db'}",
        "host=x password=s3cr3t port=1": "host=x password=*** port=1",
        'role "a" and a password': 'role "***" and a password',
        "the tail s3cr3tPASS, and s3cr3t%40PASS": "the tail s3cr3tPASS, and ***",
    }
    for text, expected in cases.items():
        assert redact(text, ["a", "s3cr3t@PASS"]) == expected


def test_a_password_that_is_the_user_is_not_told_by_its_mask() -> None:
    assert redact("no user 'postgres'", ["postgres"], public=["postgres"]) == "no user 'postgres'"


def test_a_url_for_an_alias_names_the_alias_and_the_way_out(root: Path) -> None:
    settings_of(root, "DATABASES = {'default': 'postgres://u:hunter2@h/db'}")
    status, text = said("plan", "--format", "json")
    error = json.loads(text)["databases"][0]["error"]
    assert status == 1
    assert error["found"] == "DATABASES['default'] must be a dictionary, not str."
    assert "[tool.migsync.databases.default]" in error["hint"]


def test_other_databases_are_planned_beside_it(root: Path) -> None:
    good = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(root / "x.sqlite3")}
    settings_of(root, f"DATABASES = {{'default': 'postgres://u:hunter2@h/db', 'good': {good!r}}}")
    status, text = said("plan")
    assert status == 1
    assert re.search(r"good +fresh", text)
    write(root, {"pyproject.toml": '[tool.migsync.databases.default]\nurl = "sqlite:///y.sqlite3"\n'})
    assert said("plan")[0] == 0
    (root / "pyproject.toml").unlink()
