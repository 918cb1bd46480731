"""SQLite, by Python's own sqlite3."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import URL

from migsync.errors import TargetError
from migsync.project.databases.address import Address, split_statements

DRIVER = "sqlite+pysqlite"
MEMORY = ":memory:"
PASSED_ON = ("timeout",)


def sqlite_address(settings: Mapping[str, Any]) -> Address:
    """The address for Django's settings of an alias; a relative NAME is relative to the current directory."""
    name = os.fspath(settings.get("NAME") or "")
    if not name:
        raise TargetError("Its NAME is empty.", hint="Give the path of the database file.")
    options = dict(settings.get("OPTIONS") or {})
    return Address(
        sqlite_url(name, Path.cwd()),
        {key: options[key] for key in PASSED_ON if key in options},
        split_statements(options.get("init_command") or ""),
    )


def sqlite_url(name: str, base: Path) -> URL:
    """The URL of a file, of ``file:…`` (which SQLite takes apart itself, as under Django), or of memory."""
    if name.startswith("file:"):
        return URL.create(DRIVER, database=name, query={"uri": "true"})
    # normpath, not resolve: the path is shown to people, who know it by its links.
    return URL.create(DRIVER, database=name if name == MEMORY else os.path.normpath(base / name))
