"""First-party apps, with and without settings."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from migsync.errors import ProjectError
from migsync.filesystem.cache_file import cache_file
from migsync.project import find_project
from migsync.project.firstparty import FirstParty
from tests.project.projects import MIGRATION, app, django_project, write

TABLE = "[tool.migsync]\n"


def config(name: str, label: str) -> str:
    return f"from django.apps import AppConfig\nclass C(AppConfig):\n    name = '{name}'\n    label = {label}\n"


def test_migrations_packages_in_the_root_are_apps(tmp_path: Path) -> None:
    files = {
        "pyproject.toml": TABLE,
        **app("shop"),
        **app("src.blog", config("blog", "'weblog'")),
        **app("relative"),
        "relative/apps.py": "from .base import Base\nclass C(Base):\n    name = 'relative'\n    default = True\n",
        "relative/base.py": config("x", "'based'").replace("class C", "class Base"),
        # None of these is an app of the project's.
        **app("venv.lib.thing"),
        "venv/pyvenv.cfg": "",
        **app("node_modules.thing"),
        **app(".hidden.thing".replace(".hidden", "_hidden")),
        **app("packages.site-packages.thing"),
        "empty/migrations/__init__.py": "",
        "namespaced/migrations/0001_initial.py": MIGRATION,
        "odd/migrations/__init__.py": "",
        "odd/migrations/first.py": MIGRATION,
        "notes/migrations/__init__.py": "",
        "notes/migrations/readme.py": "x = 1\n",
    }
    write(tmp_path, files)
    (tmp_path / "_hidden").rename(tmp_path / ".hidden")
    project = find_project(tmp_path)
    assert project.static
    assert {app.label: app.directory for app in project.apps} == {
        "odd": str(tmp_path / "odd/migrations"),
        "based": str(tmp_path / "relative/migrations"),
        "shop": str(tmp_path / "shop/migrations"),
        "weblog": str(tmp_path / "src/blog/migrations"),
    }
    assert all(app.first_party for app in project.apps)
    assert project.findings == ()


def test_a_label_that_is_computed_is_said(tmp_path: Path) -> None:
    write(tmp_path, {"pyproject.toml": TABLE, **app("shop", config("shop", "'s' + 'hop'"))})
    project = find_project(tmp_path)
    assert [app.label for app in project.apps] == ["shop"]
    assert [finding.code for finding in project.findings] == ["unclear-label"]


def test_one_label_in_two_places_names_both(tmp_path: Path) -> None:
    write(tmp_path, {"pyproject.toml": TABLE, **app("one.shop"), **app("two.shop")})
    with pytest.raises(ProjectError) as raised:
        find_project(tmp_path)
    assert str(tmp_path / "one/shop") in raised.value.found
    assert str(tmp_path / "two/shop") in raised.value.found
    assert "[tool.migsync.apps]" in raised.value.hint


def test_apps_that_are_named(tmp_path: Path) -> None:
    table = "[tool.migsync.apps]\nshop = 'one/shop'\nother = 'two/shop/migrations'\n"
    write(tmp_path, {"pyproject.toml": table, **app("one.shop"), **app("two.shop")})
    # For a database of a URL their labels are as they are named: nothing is started.
    project = find_project(tmp_path, url="sqlite:///db.sqlite3")
    assert [(app.label, app.directory) for app in project.apps] == [
        ("shop", str(tmp_path / "one/shop/migrations")),
        ("other", str(tmp_path / "two/shop/migrations")),
    ]
    write(tmp_path, {"pyproject.toml": "[tool.migsync.apps]\nshop = 'gone'\n"})
    with pytest.raises(ProjectError, match="shop is in gone"):
        find_project(tmp_path)


def test_first_party_is_inside_the_root_and_in_no_environment(tmp_path: Path) -> None:
    root = tmp_path / "root"
    write(root, {**app("shop"), ".venv/pyvenv.cfg": "", **app("env.lib.thing"), "env/pyvenv.cfg": ""})
    write(tmp_path, {**app("elsewhere"), **app("root-twin")})
    first_party = FirstParty(root)
    assert first_party(str(root / "shop/migrations"))
    assert first_party(str(root))
    for outside in (
        tmp_path / "elsewhere/migrations",
        tmp_path / "root-twin/migrations",
        root / ".venv/src/thing/migrations",
        root / "env/lib/thing/migrations",
        root / "vendor/site-packages/thing/migrations",
        root / "usr/lib/python3/dist-packages/thing/migrations",
    ):
        assert not first_party(str(outside)), outside


def test_links_are_followed(tmp_path: Path) -> None:
    root = tmp_path / "root"
    write(root, app("shop"))
    write(tmp_path, app("elsewhere"))
    (root / "linked").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "site-packages").mkdir()
    (tmp_path / "site-packages/shop").symlink_to(root / "shop")
    (tmp_path / "by_link").symlink_to(root)
    assert not FirstParty(root)(str(root / "linked/migrations"))
    assert FirstParty(root)(str(tmp_path / "site-packages/shop/migrations"))
    assert FirstParty(tmp_path / "by_link")(str(root / "shop/migrations"))
    assert FirstParty(root)(str(tmp_path / "by_link/shop/migrations"))


@pytest.mark.parametrize("root", ["/", "/usr", sys.prefix])
def test_installed_packages_are_never_first_party(root: str) -> None:
    import django

    assert not FirstParty(Path(root))(str(Path(django.__file__).parent / "contrib/auth/migrations"))


def test_third_party_apps_alone_are_said(tmp_path: Path) -> None:
    project = find_project(django_project(tmp_path, "INSTALLED_APPS = ['django.contrib.auth']\nDATABASES = {}\n"))
    assert [(app.label, app.first_party) for app in project.apps] == [("auth", False)]
    assert [finding.code for finding in project.findings] == ["no-app"]


def test_the_cache_is_outside_the_project_and_its_own(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    environ = {"XDG_CACHE_HOME": str(tmp_path / "xdg")}
    assert cache_file(one, environ).parent == tmp_path / "xdg/migsync"
    assert cache_file(one, environ) != cache_file(two, environ)
    relative = cache_file(one, {"XDG_CACHE_HOME": "here"})
    assert relative.is_absolute()
    assert cache_file(one, {**environ, "MIGSYNC_CACHE": str(tmp_path / "c")}).parent == tmp_path / "c"
