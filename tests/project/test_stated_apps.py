"""INSTALLED_APPS as settings state it, without running them."""

from __future__ import annotations

from pathlib import Path

import pytest

from migsync.project.stated_apps import read_stated_apps
from tests.project.projects import write

BASE = "from pathlib import Path\nOURS = ('shop',)\nINSTALLED_APPS = ['django.contrib.auth', *OURS]\n"


@pytest.mark.parametrize(
    ("settings", "entries"),
    [
        ("INSTALLED_APPS = ('shop', 'blog.apps.Config')", "shop blog.apps.Config"),
        ("A = ['shop']\nINSTALLED_APPS: list[str] = A + ['blog']\nINSTALLED_APPS += ('tags',)", "shop blog tags"),
        ("from .base import *\nINSTALLED_APPS.append('blog')", "django.contrib.auth shop blog"),
        ("from site.base import INSTALLED_APPS as MORE\nINSTALLED_APPS = [*MORE]", "django.contrib.auth shop"),
        ("INSTALLED_APPS = ['shop']\nif DEBUG:\n    INSTALLED_APPS += ['toolbar']", "shop toolbar"),
        ("try:\n    from .local import *\nexcept ImportError:\n    pass\nINSTALLED_APPS = ['shop']", "shop"),
        ("INSTALLED_APPS = find_apps()", None),
        ("INSTALLED_APPS = ['shop']\nif DEBUG:\n    INSTALLED_APPS = find_apps()", None),
        ("INSTALLED_APPS = ['shop']\nMIGRATION_MODULES = find()", None),
        ("from .dev import *\nINSTALLED_APPS += ['shop']", None),
        ("INSTALLED_APPS = [", None),
    ],
)
def test_the_entries(tmp_path: Path, settings: str, entries: str | None) -> None:
    write(tmp_path, {"site/__init__.py": "", "site/base.py": BASE, "site/dev.py": settings})
    found = read_stated_apps("site.dev", [str(tmp_path)])
    assert (found and found.entries) == (None if entries is None else frozenset(entries.split()))
    if found:
        assert tmp_path / "site/dev.py" in found.files


def test_what_an_entry_names(tmp_path: Path) -> None:
    write(tmp_path, {"settings.py": "INSTALLED_APPS = ['shop.apps.Config', 'shop.tags']"})
    found = read_stated_apps("settings", [str(tmp_path)])
    assert found is not None
    every = ["shop", "shop.tags", "blog", "shop.goods"]
    assert [name for name in every if found.names(name, every)] == ["shop", "shop.tags"]
