"""Where no project, or no settings module, is found: what lies below is named, with what to type (case 91)."""

from __future__ import annotations

import pytest

from migsync.errors import ProjectError, UnknownAlias
from migsync.project import find_project
from migsync.project.search import projects_below, settings_modules
from migsync.sync.survey import choose
from tests.project.projects import write

pytestmark = pytest.mark.pure

COMPUTED = 'import os\nos.environ.setdefault("DJANGO_SETTINGS_MODULE", f"conf.settings.{os.environ[\'ENV\']}")\n'
SETTINGS = {
    "manage.py": COMPUTED,
    "conf/__init__.py": "",
    "conf/settings/__init__.py": "",
    "conf/settings/base.py": "INSTALLED_APPS = []\nDATABASES = {}\n",
    "conf/settings/production.py": "from .base import *\n",
    "conf/settings/names.py": "LOCAL = 1\n",
    "node_modules/settings.py": "INSTALLED_APPS = []\n",
}


def test_a_computed_settings_module_is_named_with_the_modules_that_it_may_be(tmp_path, monkeypatch):
    monkeypatch.delenv("DJANGO_SETTINGS_MODULE", raising=False)
    write(tmp_path, SETTINGS)
    assert settings_modules(tmp_path) == ["conf.settings.production", "conf.settings.base"]
    with pytest.raises(UnknownAlias) as refused:
        choose(find_project(root=tmp_path), ())
    assert "manage.py does not name it as a literal" in refused.value.meaning
    assert refused.value.hint.splitlines() == [
        "Run the command again with --settings conf.settings.production",
        "Run the command again with --settings conf.settings.base",
        "Or give a database with --url URL.",
    ]
    known = find_project(root=tmp_path, settings="conf.settings.production")
    assert known.settings_module == "conf.settings.production"


def test_the_projects_below_are_named(tmp_path, monkeypatch):
    monkeypatch.delenv("DJANGO_SETTINGS_MODULE", raising=False)
    write(tmp_path, {f"{name}/manage.py": "" for name in ("one", "apps/two", "a/b/c/too-deep", "node_modules/no")})
    assert [str(place) for place in projects_below(tmp_path)] == ["apps/two", "one"]
    with pytest.raises(ProjectError) as refused:
        find_project(tmp_path)
    assert "Below it, there is a manage.py in apps/two/ and one/." in refused.value.meaning
    assert "--root apps/two" in refused.value.hint
    assert find_project(root=tmp_path / "one").root == tmp_path / "one"
