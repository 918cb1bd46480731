"""Small projects on disk, for the tests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent

MANAGE = """\
import os
import sys


def main():
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
"""
MIGRATION = "from django.db import migrations\n\n\nclass Migration(migrations.Migration):\n    operations = []\n"

# What Django itself finds, written without migsync: (label, the migrations module's directory or None).
DJANGO_FINDS = """\
import importlib, json, os, sys
out = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
import django
django.setup()
from django.apps import apps
from django.db.migrations.loader import MigrationLoader
found = []
for config in apps.get_app_configs():
    name, explicit = MigrationLoader.migrations_module(config.label)
    directory = None
    if name is not None:
        try:
            module = importlib.import_module(name)
        except ModuleNotFoundError:
            pass
        else:
            if getattr(module, "__file__", None) and hasattr(module, "__path__"):
                [directory] = module.__path__
    found.append((config.label, directory))
json.dump(found, out)
out.close()
"""


def write(root: Path, files: Mapping[str, str]) -> Path:
    """Write files under the root; text is dedented, missing directories are made."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text))
    return root


def django_project(root: Path, settings: str, files: Mapping[str, str] | None = None) -> Path:
    """A project with manage.py and config/settings.py."""
    write(root, {"manage.py": MANAGE, "config/__init__.py": "", "config/settings.py": 'SECRET_KEY = "x"\n'})
    with (root / "config/settings.py").open("a") as file:
        file.write(dedent(settings))
    return write(root, files or {})


def app(label: str, apps: str | None = None) -> dict[str, str]:
    """The files of an app with one migration, below a directory with dots for slashes."""
    place = label.replace(".", "/")
    files = {
        f"{place}/__init__.py": "",
        f"{place}/migrations/__init__.py": "",
        f"{place}/migrations/0001_initial.py": MIGRATION,
    }
    if apps is not None:
        files[f"{place}/apps.py"] = apps
    return files


def django_finds(root: Path) -> list[tuple[str, str | None]]:
    """The labels and migration directories that Django has for the project."""
    process = subprocess.run(
        [sys.executable, "-c", DJANGO_FINDS],
        cwd=root,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stderr
    return [(label, directory) for label, directory in json.loads(process.stdout)]
