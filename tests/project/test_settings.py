"""Settings in every style, and settings that fail."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from migsync.errors import SettingsError
from migsync.project import find_project
from tests.project.projects import app, django_project


def test_defaults_and_models(tmp_path: Path) -> None:
    django_project(tmp_path, "INSTALLED_APPS = ('shop',)\nSHOP_ITEM_MODEL = 'shop.Item'\n", app("shop"))
    project = find_project(tmp_path)
    assert project.use_tz is True
    assert project.settings == {"AUTH_USER_MODEL": "auth.User", "SHOP_ITEM_MODEL": "shop.Item"}
    assert project.databases == {}


@pytest.mark.parametrize(
    ("settings", "said", "line"),
    [
        ("import no_such_module\n", "ModuleNotFoundError: No module named 'no_such_module'", "settings.py:2"),
        ("raise SystemExit('no .env file')\n", "SystemExit: no .env file", "settings.py:2"),
        ("x = [\n", "SyntaxError", "settings.py:2"),
        ("from config.other import x\n", "KeyError: 'MISSING'", "other.py:3"),
        ("import os\nint('postgres://me:secret@db/x')\n", "postgres://me:***@db/x", "settings.py:3"),
        ("DATABASES = {}\nINSTALLED_APPS = 'shop'\n", "must be a list or a tuple, not str", ""),
    ],
)
def test_an_import_that_fails_is_said_with_its_place(tmp_path: Path, settings: str, said: str, line: str) -> None:
    other = "import os\n\nx = os.environ['MISSING']\n"
    django_project(tmp_path, settings, {"config/other.py": other, **app("shop")})
    with pytest.raises(SettingsError) as raised:
        find_project(tmp_path)
    assert said in raised.value.found
    assert line in raised.value.meaning
    assert "secret" not in str(raised.value)
    assert "[tool.migsync.databases.NAME]" in raised.value.hint or not line


def test_without_the_settings_when_there_is_another_way_to_the_database(tmp_path: Path) -> None:
    options = "[tool.migsync.databases.default]\nurl = 'sqlite:///x.sqlite3'\n"
    django_project(tmp_path, "import no_such_module\n", {"pyproject.toml": options, **app("shop")})
    for project in (find_project(tmp_path), find_project(tmp_path, url="sqlite://")):
        assert project.static
        assert [app.label for app in project.apps] == ["shop"]
        assert [finding.code for finding in project.findings] == ["settings-not-imported"]
        assert "No module named 'no_such_module'" in project.findings[0].found
        assert "settings.py:2" in project.findings[0].found


def test_what_settings_print_does_not_reach_standard_output(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    django_project(tmp_path, "print('loading')\nINSTALLED_APPS = ['shop']\nDATABASES = {}\n", app("shop"))
    find_project(tmp_path)
    assert capsys.readouterr() == ("", "loading\n")


def test_the_process_is_as_it_was(tmp_path: Path) -> None:
    settings = "import os\nos.environ['PGPASSFILE'] = '/by/settings'\nINSTALLED_APPS = ['shop']\nDATABASES = {}\n"
    django_project(tmp_path, settings, app("shop"))
    path, environ = list(sys.path), dict(os.environ)
    find_project(tmp_path)
    assert sys.path == path
    assert "config.settings" not in sys.modules
    # What settings put there stays: a connection may need it.
    assert dict(os.environ) == {**environ, "PGPASSFILE": "/by/settings"}
    del os.environ["PGPASSFILE"]


CONFIGURED = """
    from django.conf import settings
    settings.configure(
        INSTALLED_APPS=["shop"],
        DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "x"}},
        USE_TZ=False,
    )
"""
CLASSES = """
    import configurations.importer

    assert configurations.importer.installed

    class Dev:
        INSTALLED_APPS = ["shop"]
        DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "x"}}
        USE_TZ = False
"""
# What django-configurations does: an import hook that puts a class's settings on the module.
HOOK = """
    import sys
    from importlib.abc import Loader, MetaPathFinder
    from importlib.machinery import PathFinder

    class Finder(MetaPathFinder):
        def find_spec(self, name, path=None, target=None):
            if name != "config.settings":
                return None
            spec = PathFinder.find_spec(name, path)
            run = spec.loader.exec_module
            def exec_module(module):
                run(module)
                vars(module).update({k: v for k, v in vars(module.Dev).items() if k.isupper()})
            spec.loader.exec_module = exec_module
            return spec

    installed = False

    def install():
        global installed
        installed = True
        sys.meta_path.insert(0, Finder())
"""
SHOW = """
from migsync.project import find_project
project = find_project()
print([app.label for app in project.apps], list(project.databases), project.use_tz, project.static)
"""


@pytest.mark.parametrize("style", ["configured", "classes"])
def test_settings_that_only_django_can_tell(tmp_path: Path, style: str) -> None:
    """In a process of its own: such settings live in Django's global object, and the hook stays."""
    files = {"configurations/__init__.py": "", "configurations/importer.py": HOOK} if style == "classes" else {}
    django_project(tmp_path, CLASSES if files else CONFIGURED, {**app("shop"), **files})
    process = subprocess.run(
        [sys.executable, "-c", SHOW],
        cwd=tmp_path,
        env={**os.environ, **({"DJANGO_CONFIGURATION": "Dev"} if files else {})},
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.stdout == "['shop'] ['default'] False False\n", process.stderr


@pytest.mark.fresh
def test_neither_django_nor_the_apps_are_imported_for_plain_settings(tmp_path: Path) -> None:
    django_project(tmp_path, "INSTALLED_APPS = ['shop', 'django.contrib.auth']\nDATABASES = {}\n", app("shop"))
    show = "import sys\nfrom migsync.project import find_project\nfind_project()\n"
    show += "print([name for name in ('django', 'shop', 'config') if name in sys.modules])\n"
    process = subprocess.run([sys.executable, "-c", show], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert process.stdout == "[]\n"


def test_packages_of_an_environment_inside_the_project_are_not_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Imported again, they would be other modules, and their exceptions other classes."""
    packages = tmp_path / ".venv" / "lib" / "site-packages"
    packages.mkdir(parents=True)
    (packages / "lent_by_the_environment.py").touch()
    monkeypatch.syspath_prepend(packages)
    django_project(tmp_path, "import lent_by_the_environment\nimport shop\nINSTALLED_APPS = ['shop']\n", app("shop"))
    find_project(tmp_path)
    assert sys.modules.pop("lent_by_the_environment", None) is not None
    assert "shop" not in sys.modules
