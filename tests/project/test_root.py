"""Where a project is found, and which settings module it names."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from migsync.errors import ProjectError
from migsync.project import find_project
from migsync.project.root import find_root, settings_module
from tests.databases import unavailable
from tests.project.projects import MANAGE, app, django_project, write

NOBODY = 65534


def test_upwards_to_manage(tmp_path: Path) -> None:
    write(tmp_path, {"manage.py": MANAGE, "a/b/c.txt": ""})
    assert find_root(tmp_path / "a/b").directory == tmp_path


def test_the_table_above_is_heeded_and_a_pyproject_without_it_is_not(tmp_path: Path) -> None:
    files = {"pyproject.toml": "[tool.migsync]\nrewrites = 'r'\n", "backend/manage.py": MANAGE}
    write(tmp_path, {**files, "backend/pyproject.toml": "[tool.ruff]\n", "backend/shop/x": ""})
    root = find_root(tmp_path / "backend/shop")
    assert (root.directory, root.manage) == (tmp_path, tmp_path / "backend/manage.py")
    assert root.options.rewrites == "r"
    assert root.search_path == (str(tmp_path / "backend"), str(tmp_path))
    (tmp_path / "pyproject.toml").unlink()
    assert find_root(tmp_path / "backend/shop").directory == tmp_path / "backend"


def test_manage_directly_below_the_root(tmp_path: Path) -> None:
    options = "[tool.migsync]\npython-path = ['lib', 'src']\n"
    write(tmp_path, {"pyproject.toml": options, "src/manage.py": MANAGE})
    root = find_root(tmp_path)
    assert root.manage == tmp_path / "src/manage.py"
    assert root.search_path == (str(tmp_path / "src"), str(tmp_path), str(tmp_path / "lib"))


def test_no_project_says_where_was_looked(tmp_path: Path) -> None:
    with pytest.raises(ProjectError) as raised:
        find_project(tmp_path)
    assert str(tmp_path) in raised.value.found
    assert "manage.py" in raised.value.meaning
    assert "--root" in raised.value.hint


def test_what_another_user_has_put_above_does_not_choose_the_settings(tmp_path: Path) -> None:
    if os.geteuid():
        unavailable("only root can give files away")
    start = write(tmp_path, {"pyproject.toml": "[tool.migsync]\nsettings = 'evil'\n", "mine/file": ""}) / "mine"
    assert find_root(start).options.settings == "evil"
    os.chown(tmp_path / "pyproject.toml", NOBODY, NOBODY)
    with pytest.raises(ProjectError) as raised:
        find_root(start)
    assert "belongs to another user" in raised.value.meaning
    assert f"--root {tmp_path}" in raised.value.hint
    assert find_root(start, root=tmp_path).options.settings == "evil"
    write(tmp_path, {"mine/manage.py": MANAGE})
    assert find_root(start).directory == start
    # As root in a container, whoever has the checkout is trusted.
    os.chown(start, NOBODY, NOBODY)
    assert find_root(start).directory == tmp_path


def test_a_root_that_is_given(tmp_path: Path) -> None:
    write(tmp_path, {"manage.py": MANAGE, "inner/file": ""})
    assert find_root(Path("/"), root=tmp_path / "inner").directory == tmp_path / "inner"
    with pytest.raises(ProjectError, match="not a directory"):
        find_root(Path("/"), root=tmp_path / "missing")


def test_settings_that_are_named_need_no_manage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = "INSTALLED_APPS = ['shop']\nDATABASES = {}\n"
    write(tmp_path, {"settings_here.py": settings, **app("shop")})
    assert find_project(tmp_path, settings="settings_here").root == tmp_path
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "settings_here")
    assert [app.label for app in find_project(tmp_path).apps] == ["shop"]


def test_the_order_in_which_settings_are_named(tmp_path: Path) -> None:
    write(tmp_path, {"manage.py": MANAGE, "pyproject.toml": "[tool.migsync]\nsettings = 'by.pyproject'\n"})
    root = find_root(tmp_path)
    environ = {"DJANGO_SETTINGS_MODULE": "by.environment"}
    assert settings_module(root, "by.option", environ) == "by.option"
    assert settings_module(root, None, environ) == "by.environment"
    assert settings_module(root, None, {}) == "by.pyproject"
    (tmp_path / "pyproject.toml").unlink()
    assert settings_module(find_root(tmp_path), None, {}) == "config.settings"


BRANCHES = """
import os, sys
from os import environ
def main():
    if "test" in sys.argv:
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.test")
    {otherwise}
if __name__ == "__main__":
    main()
"""


@pytest.mark.parametrize(
    ("otherwise", "expected"),
    [
        ('os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.always")', "config.always"),
        ('environ["DJANGO_SETTINGS_MODULE"] = "config.assigned"', "config.assigned"),
        ("pass", "config.test"),
    ],
)
def test_manage_with_branches(tmp_path: Path, otherwise: str, expected: str) -> None:
    write(tmp_path, {"manage.py": BRANCHES.format(otherwise=otherwise)})
    assert settings_module(find_root(tmp_path), None, {}) == expected


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ('os.environ.setdefault("DJANGO_SETTINGS_MODULE", "by.manage")', "by.environment"),
        ('os.environ["DJANGO_SETTINGS_MODULE"] = "by.manage"', "by.manage"),
        (
            'os.environ.setdefault("DJANGO_SETTINGS_MODULE", "first")\n'
            'os.environ["DJANGO_SETTINGS_MODULE"] = "second"\nos.environ["DJANGO_SETTINGS_MODULE"] = "by.manage"',
            "by.manage",
        ),
        (
            'import sys\nif "test" in sys.argv:\n    os.environ["DJANGO_SETTINGS_MODULE"] = "by.branch"\n',
            "by.environment",
        ),
        ('os.environ.update({"A": "1", "DJANGO_SETTINGS_MODULE": "by.manage", **{}})', "by.manage"),
        ('os.environ.update(DJANGO_SETTINGS_MODULE="by.manage", B=str(1))', "by.manage"),
        ('os.environ |= {"DJANGO_SETTINGS_MODULE": "by.manage"}', "by.manage"),
        ("this is no Python", "by.environment"),
    ],
    ids=["setdefault", "assigned", "last", "branch", "update", "keywords", "or", "broken"],
)
def test_what_manage_assigns_goes_over_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lines: str, expected: str
) -> None:
    write(tmp_path, {"manage.py": f"import os\n{lines}\n"})
    root, environ = find_root(tmp_path), {"DJANGO_SETTINGS_MODULE": "by.environment"}
    assert settings_module(root, None, environ) == expected
    assert settings_module(root, "by.option", environ) == "by.option"
    # In the process that manage.py started, its lines have run: the environment is as they left it.
    monkeypatch.setattr("sys.argv", [str(tmp_path / "manage.py"), "migrate"])
    assert settings_module(root, None, environ) == "by.environment"


@pytest.mark.parametrize(
    ("line", "label"), [('.setdefault("SHOP_STAGE", "shop")', "blog"), ('["SHOP_STAGE"] = "shop"', "shop")]
)
def test_a_variable_that_is_set_already(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str, label: str) -> None:
    monkeypatch.setenv("SHOP_STAGE", "blog")
    settings = "import os\nINSTALLED_APPS = [os.environ['SHOP_STAGE']]\nDATABASES = {}\n"
    django_project(tmp_path, settings, {**app("shop"), **app("blog")})
    (tmp_path / "manage.py").write_text(f"import os\nos.environ{line}\n" + MANAGE)
    project = find_project(tmp_path)
    assert [found.label for found in project.apps] == [label]
    assert project.runtime().variables["SHOP_STAGE"] == label
    assert os.environ["SHOP_STAGE"] == "blog"


def test_manage_that_could_mean_either_is_an_error(tmp_path: Path) -> None:
    otherwise = 'else:\n        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.live")'
    write(tmp_path, {"manage.py": BRANCHES.format(otherwise=otherwise)})
    root = find_root(tmp_path)
    with pytest.raises(ProjectError, match=r"config\.test or config\.live") as raised:
        settings_module(root, None, {})
    assert "--settings" in raised.value.hint
    assert settings_module(root, "config.live", {}) == "config.live"


def test_a_broken_manage_is_no_matter_when_settings_are_named(tmp_path: Path) -> None:
    django_project(tmp_path, "INSTALLED_APPS = ['shop']\nDATABASES = {}\n", app("shop"))
    (tmp_path / "manage.py").write_text("<<<<<<< HEAD\n")
    with pytest.raises(ProjectError, match=r"manage\.py cannot be read"):
        find_project(tmp_path)
    assert [app.label for app in find_project(tmp_path, settings="config.settings").apps] == ["shop"]


def test_what_manage_sets_is_there_for_the_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SHOP_STAGE", raising=False)
    settings = """
        import os
        INSTALLED_APPS = [os.environ["SHOP_STAGE"]]
        DATABASES = {}
    """
    django_project(tmp_path, settings, app("shop"))
    manage = 'import os\nos.environ.setdefault("SHOP_STAGE", "shop")\n' + MANAGE
    (tmp_path / "manage.py").write_text(manage)
    assert [app.label for app in find_project(tmp_path).apps] == ["shop"]
