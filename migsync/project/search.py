"""What a person may have meant where no project, or no settings module, was found: looked for below a directory."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from migsync.errors import UnknownAlias
from migsync.filesystem.boundary import Irregular, read_source
from migsync.project.firstparty import is_environment
from migsync.worker.runtime import ENVIRONMENT_PARTS, LIBRARY_SETTINGS, SETTINGS_VARIABLE

MANAGE = "manage.py"
DEPTH = 3
PASSED_OVER = ENVIRONMENT_PARTS | {"node_modules", "__pycache__"}
SHOWN = 3


def projects_below(start: Path) -> list[Path]:
    """The directories below `start` that hold a manage.py, relative to it."""
    return [place.relative_to(start) for place, files in _walk(start) if MANAGE in files and place != start]


def no_databases(root: Path, settings_module: str) -> UnknownAlias:
    """The error that a project has no databases: what was looked at, and what to type."""
    if settings_module == LIBRARY_SETTINGS:
        return UnknownAlias(
            "A library has no databases: [tool.migsync.apps] names its apps, and nothing names settings.",
            "The databases are those of the projects that install it.",
            "Run the command in such a project, or give a database with --url URL.",
        )
    if settings_module:
        return UnknownAlias(
            "This project has no databases.",
            "Neither DATABASES in the settings nor [tool.migsync.databases] in pyproject.toml names one.",
            "Give a database with --url URL, or settings that have DATABASES with --settings MODULE, or add "
            "[tool.migsync.databases.NAME] to pyproject.toml.",
        )
    manage = root / MANAGE
    said = f"{manage} does not name it as a literal" if manage.is_file() else f"there is no {manage}"
    choices = [f"Run the command again with --settings {module}" for module in settings_modules(root)[:SHOWN]]
    return UnknownAlias(
        "This project has no databases, because its settings module is not known.",
        f"{SETTINGS_VARIABLE} is not set, [tool.migsync] in pyproject.toml has no `settings`, and {said}.",
        "\n".join(
            [*(choices or ["Run the command again with --settings MODULE."]), "Or give a database with --url URL."]
        ),
    )


def settings_modules(root: Path) -> list[str]:
    """The dotted names of modules in the root that look like settings, the likeliest first."""
    found = []
    for place, files in _walk(root):
        package = place.relative_to(root).parts
        for name in sorted(files):
            module = name.removesuffix(".py")
            if name.endswith(".py") and "settings" in (module, *package) and _has_settings(place / name):
                found.append(".".join((*package, module) if module != "__init__" else package))
    # A package of settings has one that the others are made of, and that is not meant.
    return sorted(found, key=lambda name: (name.rpartition(".")[2] in ("base", "common", "test", "tests"), name))


def _walk(start: Path) -> Iterator[tuple[Path, list[str]]]:
    for place, directories, files in os.walk(start):
        here = Path(place)
        directories[:] = sorted(
            name
            for name in directories
            if name not in PASSED_OVER and not name.startswith(".") and not is_environment(str(here / name))
        )
        if len(here.relative_to(start).parts) >= DEPTH:
            directories.clear()
        yield here, files


def _has_settings(path: Path) -> bool:
    with suppress(Irregular, OSError):
        content = read_source(path)
        return b"INSTALLED_APPS" in content or b"import *" in content
    return False
