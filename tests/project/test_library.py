"""The repository of a library: ``[tool.migsync.apps]`` names its apps, and there are no settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from migsync.errors import ProjectError
from migsync.project import Project, find_project
from migsync.worker.runtime import INSTALLED_VARIABLE, LIBRARY_SETTINGS
from tests.project.projects import MANAGE, MIGRATION, app, write

NEEDS = MIGRATION.replace("operations", 'dependencies = [("{}", "0001_initial")]\n    operations')


def library(root: Path, apps: str, files: dict[str, str], options: str = "") -> Project:
    """A library at `root` with these lines of ``[tool.migsync.apps]``, and `options` of ``[tool.migsync]``."""
    table = f"[tool.migsync]\n{options}\n[tool.migsync.apps]\n{apps}\n"
    write(root, files)
    (root / "pyproject.toml").write_text(table)
    return find_project(root)


def own(project: Project) -> dict[str, str]:
    return {
        app.label: str(Path(app.directory or "").relative_to(project.root)) for app in project.apps if app.first_party
    }


@pytest.mark.parametrize("value", ["goods", "goods/migrations"])
def test_its_apps_are_what_django_starts_with(tmp_path: Path, value: str) -> None:
    project = library(tmp_path, f"goods = '{value}'", app("goods"))
    assert (own(project), project.databases) == ({"goods": "goods/migrations"}, {})
    assert (project.is_library, project.runnable, project.static) == (True, True, False)
    runtime = project.runtime()
    assert runtime.settings_module == LIBRARY_SETTINGS
    assert runtime.environ[INSTALLED_VARIABLE] == "django.contrib.contenttypes django.contrib.auth goods"


@pytest.mark.parametrize("value", ["goods.sale", "src/goods/sale"])
def test_its_apps_may_be_in_src(tmp_path: Path, value: str) -> None:
    project = library(tmp_path, f"sale = '{value}'", {"src/goods/__init__.py": ""} | app("src.goods.sale"))
    assert own(project) == {"sale": "src/goods/sale/migrations"}
    assert project.runtime().environ[INSTALLED_VARIABLE].endswith(" goods.sale")
    assert str(tmp_path / "src") in project.runtime().search_path


def test_its_rewrites_ship_in_its_package(tmp_path: Path) -> None:
    files = {"goods/__init__.py": ""} | app("goods.sale") | app("goods.stock")
    assert library(tmp_path / "one", "sale = 'goods.sale'", files).rewrites == (
        tmp_path / "one/goods/sale/migration_rewrites"
    )
    both = "sale = 'goods.sale'\nstock = 'goods.stock'"
    assert library(tmp_path / "two", both, files).rewrites == tmp_path / "two/goods/migration_rewrites"
    stated = library(tmp_path / "three", both, files, "rewrites = 'goods/sale/names'")
    assert stated.rewrites == tmp_path / "three/goods/sale/names"


def test_its_rewrites_stay_where_they_were(tmp_path: Path) -> None:
    project = library(tmp_path, "goods = 'goods'", app("goods") | {"migration_rewrites/README": ""})
    assert project.rewrites == tmp_path / "migration_rewrites"


def test_apps_without_a_common_package(tmp_path: Path) -> None:
    project = library(tmp_path, "one = 'one'\ntwo = 'two'", app("one") | app("two"))
    assert project.rewrites == tmp_path / "migration_rewrites"


def test_apps_of_django_that_its_migrations_need(tmp_path: Path) -> None:
    files = app("goods") | {"goods/migrations/0002_b.py": NEEDS.format("sites")}
    project = library(tmp_path, "goods = 'goods'", files)
    assert [app.label for app in project.apps] == ["contenttypes", "auth", "sites", "goods"]


def test_an_app_that_its_migrations_need_has_to_be_named(tmp_path: Path) -> None:
    files = app("goods") | {"goods/migrations/0002_b.py": NEEDS.format("wares")}
    with pytest.raises(ProjectError, match="depends on the app wares") as caught:
        library(tmp_path, "goods = 'goods'", files)
    assert 'wares = "MODULE"' in caught.value.hint
    (tmp_path / "env/site-packages").mkdir(parents=True)
    write(tmp_path / "env/site-packages", app("wares"))
    apps = "wares = 'env/site-packages/wares'\ngoods = 'goods'"
    assert own(library(tmp_path, apps, files)) == {"goods": "goods/migrations"}


def test_an_app_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match=r"goods is in other\.goods"):
        library(tmp_path, "goods = 'other.goods'", app("goods"))


def test_a_label_that_is_not_the_apps(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match="its AppConfig calls it goods") as caught:
        library(tmp_path, "wares = 'goods'", app("goods"))
    assert 'goods = "goods"' in caught.value.hint


def test_settings_databases_and_manage_are_those_of_a_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    apps = "goods = 'goods'"
    databases = library(tmp_path / "one", f"{apps}\n[tool.migsync.databases.a]\nurl = 'sqlite:///a'", app("goods"))
    assert (databases.is_library, databases.static) == (False, True)
    write(tmp_path / "two", {"config/__init__.py": "", "config/settings.py": "INSTALLED_APPS = ['goods']\n"})
    assert not library(tmp_path / "two", apps, app("goods") | {"manage.py": MANAGE}).is_library
    write(tmp_path / "three", {"checks/__init__.py": "", "checks/settings.py": "INSTALLED_APPS = ['goods']\n"})
    stated = library(tmp_path / "three", apps, app("goods"), "settings = 'checks.settings'")
    assert (stated.settings_module, stated.is_library) == ("checks.settings", False)
    # Named for once, they do not change where the rewrites are.
    library(tmp_path / "three", apps, {})
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "checks.settings")
    asked = find_project(tmp_path / "three")
    assert (asked.settings_module, asked.rewrites) == ("checks.settings", tmp_path / "three/goods/migration_rewrites")


def test_the_manage_of_a_sample_project_is_not_the_librarys(tmp_path: Path) -> None:
    project = library(tmp_path, "goods = 'goods'", app("goods") | {"sample/manage.py": MANAGE})
    assert project.is_library
